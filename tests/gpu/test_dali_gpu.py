"""DALI's graph on a GPU against the same graph on the CPU; skipped where there is no GPU."""

import pytest
import torch

pytest.importorskip("nvidia.dali", reason="NVIDIA DALI exists for Linux alone")

from distxml.config.augmentation import AugmentationSettings
from distxml.data.dali.backend import DaliBackend
from distxml.errors import UserError
from tests.unit.data.sample_rows import (
    GEOMETRIC,
    PIXELWISE,
    alone,
    loader_settings,
    photo_row,
    run,
    shape_row,
)

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")

ROWS = [photo_row(f"key {n}", 90 + 7 * n, 150 - 5 * n, (".jpg", ".png")[n % 2], n % 3 > 0) for n in range(13)]


def test_plain_pixels_agree() -> None:
    settings = loader_settings(AugmentationSettings())
    for cpu, gpu in zip(*(run(DaliBackend(settings, 5, device), ROWS, None) for device in (None, 0)), strict=True):
        assert gpu.image.device.type == gpu.mask.device.type == gpu.label.device.type == "cuda"
        difference = 255 * (gpu.image.cpu() - cpu.image).abs()
        assert difference.mean() < 1 and difference.quantile(0.999) < 8  # two decoders of JPEG
        assert torch.equal(gpu.mask.cpu(), cpu.mask)


@pytest.mark.parametrize("operation", sorted(GEOMETRIC | PIXELWISE))
def test_each_operation_agrees(operation: str) -> None:
    settings = loader_settings(alone(operation))
    for cpu, gpu in zip(*(run(DaliBackend(settings, 5, device), ROWS, 0) for device in (None, 0)), strict=True):
        assert 255 * (gpu.image.cpu() - cpu.image).abs().mean() < 3
        assert (gpu.mask.cpu() != cpu.mask).float().mean() < 0.01


@pytest.mark.parametrize("operation", sorted(GEOMETRIC))
def test_image_and_mask_stay_aligned(operation: str) -> None:
    (batch,) = run(DaliBackend(loader_settings(alone(operation)), 0, 0), [shape_row(str(n)) for n in range(8)], 0)
    image, mask = batch.image[:, :1] > 0.5, batch.mask > 0.5
    assert ((image & mask).sum() / (image | mask).sum()).item() > 0.93


def test_the_papers_set_has_the_same_statistics() -> None:
    settings = loader_settings(AugmentationSettings(probability=1))
    means = [torch.cat([b.image.cpu() for b in run(DaliBackend(settings, 5, device), ROWS, 0)]) for device in (None, 0)]
    assert abs(means[0].mean() - means[1].mean()) < 0.01 and abs(means[0].std() - means[1].std()) < 0.01


def test_an_image_that_does_not_decode_is_named() -> None:
    broken = photo_row("broken one", 40, 40, ".jpg")
    rows = [*ROWS[:9], type(broken)(broken.key, broken.image[:300], None, 0)]
    with pytest.raises(UserError, match="broken one"):
        run(DaliBackend(loader_settings(AugmentationSettings()), 0, 0), rows, None)
