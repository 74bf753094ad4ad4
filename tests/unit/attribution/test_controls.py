"""Controls that know no model, against plain numpy."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from distxml.attribution.controls import CannyEdges, CenterDistance, NoInformation, OtsuObject

TARGET = torch.tensor([0])
Plane = NDArray[np.float64]


def gray_image(values: Plane) -> torch.Tensor:
    """0 to 255, H×W, to 1×3×H×W in [0, 1]."""
    return torch.from_numpy(values / 255).float().expand(1, 3, -1, -1).clone()


def disk(inside: float, outside: float, radius: float = 6) -> Plane:
    rows, columns = np.mgrid[:32, :40]
    return np.where((rows - 12) ** 2 + (columns - 20) ** 2 <= radius**2, inside, outside).astype(np.float64)


def otsu_threshold(values: Plane) -> int:
    """The threshold with the largest variance between the classes."""
    best, found = -1.0, 0
    for threshold in range(255):
        low, high = values[values <= threshold], values[values > threshold]
        if len(low) and len(high):
            between = len(low) * len(high) * (low.mean() - high.mean()) ** 2
            if between > best * (1 + 1e-12):
                best, found = between, threshold
    return found


def test_otsu_splits_at_the_largest_variance_between() -> None:
    values = np.random.default_rng(0).normal(disk(170, 60), 12).clip(0, 255).round()
    heat = OtsuObject().heatmap(gray_image(values), TARGET)[0, 0].numpy()
    assert np.array_equal(heat, values > otsu_threshold(values))


@pytest.mark.parametrize(("inside", "outside"), [(200, 30), (30, 200)])
def test_otsu_takes_the_rarer_side_for_the_object(inside: float, outside: float) -> None:
    values = disk(inside, outside)
    heat = OtsuObject().heatmap(gray_image(values), TARGET)[0, 0].numpy()
    assert np.array_equal(heat, values == inside)


def test_otsu_of_equal_sides_is_the_bright_one() -> None:
    values = np.repeat([[20.0], [220.0]], 8, axis=0).repeat(16, axis=1)
    assert np.array_equal(OtsuObject().heatmap(gray_image(values), TARGET)[0, 0].numpy(), values > 100)


@pytest.mark.parametrize("value", [0, 77, 255])
@pytest.mark.parametrize("method", [OtsuObject, CannyEdges])
def test_an_image_of_one_gray_value_has_neither_object_nor_edges(
    method: type[OtsuObject | CannyEdges], value: float
) -> None:
    heat = method().heatmap(gray_image(np.full((16, 24), float(value))), TARGET)
    assert heat.shape == (1, 1, 16, 24) and heat.unique().tolist() == [0]


def test_canny_finds_the_border_of_a_disk_and_nothing_else() -> None:
    values = disk(200, 30, radius=8)
    heat = CannyEdges().heatmap(gray_image(values), TARGET)[0, 0].numpy()
    rows, columns = np.mgrid[:32, :40]
    distance = np.abs(np.hypot(rows - 12, columns - 20) - 8)
    assert set(np.unique(heat)) == {0, 1}
    assert distance[heat > 0].max() <= 2
    angles = np.arctan2(rows - 12, columns - 20)[heat > 0]
    assert np.diff(np.sort(angles)).max() < 0.4  # all around


def test_canny_follows_the_colours_gray_value() -> None:
    """Red 0.5 and the gray 0.299 · 0.5 look the same to it."""
    image = gray_image(np.full((16, 16), 38.0))
    image[0, :, :, 8:] = torch.tensor([38 / 255 / 0.299, 0, 0]).view(3, 1, 1)
    assert CannyEdges().heatmap(image, TARGET).unique().tolist() == [0]


@pytest.mark.parametrize("size", [(4, 4), (5, 7), (32, 48)])
def test_center_distance_pixel_by_pixel(size: tuple[int, int]) -> None:
    heat = CenterDistance().heatmap(torch.rand(2, 3, *size), torch.tensor([0, 1]))
    center = ((size[0] - 1) / 2, (size[1] - 1) / 2)
    farthest = np.hypot(*center)
    expected = np.array(
        [[1 - np.hypot(i - center[0], j - center[1]) / farthest for j in range(size[1])] for i in range(size[0])]
    )
    for one in heat[:, 0]:
        np.testing.assert_allclose(one.numpy(), expected, atol=1e-6)
    assert heat[0, 0, 0, 0] == 0 and heat.max() <= 1


def test_random_says_nothing() -> None:
    heatmap = NoInformation().heatmap(torch.rand(2, 3, 8, 8), torch.tensor([0, 1]))
    assert heatmap.unique().tolist() == [0]
