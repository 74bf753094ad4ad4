"""DALI on the CPU against the OpenCV backend: the same pixels, within what docs/augmentation.md says."""

from collections.abc import Iterator

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("nvidia.dali", reason="NVIDIA DALI exists for Linux alone")

from distxml.config.augmentation import AugmentationSettings
from distxml.data.augment.opencv import OpenCvBackend
from distxml.data.backend import Share
from distxml.data.batch import Batch
from distxml.data.dali.backend import DaliBackend
from distxml.data.dali.graph import make_pipeline
from distxml.data.rows import Row
from distxml.errors import UserError
from tests.unit.data.sample_rows import GEOMETRIC, PIXELWISE, alone, loader_settings, photo_row, run, shape_row

ROWS = [photo_row(f"key {n}", 90 + 7 * n, 150 - 5 * n, (".jpg", ".png")[n % 2], n % 3 > 0) for n in range(13)]
PAPER = AugmentationSettings(probability=1)
PLAIN = loader_settings(PAPER)
MEAN_GREY_LEVELS = {"contrast/clahe": 8.0, "hue_saturation_value": 2.5, "contrast/sharpen": 1.0}
"""Mean difference allowed where it may be more than 0.5."""


def both(settings_, epoch: int | None, rows: list[Row] = ROWS) -> list[tuple[Batch, Batch]]:
    sizes = (8, 4)
    ours = run(OpenCvBackend(settings_, 5), rows, epoch, sizes)
    return list(zip(ours, run(DaliBackend(settings_, 5, None), rows, epoch, sizes), strict=True))


@pytest.mark.parametrize("size", [(64, 64), (48, 96), (200, 120)])
def test_plain_pixels_agree_within_two_grey_levels(size: tuple[int, int]) -> None:
    for ours, dali in both(loader_settings(PAPER, size), None):
        assert dali.image.shape == ours.image.shape and dali.image.dtype == torch.float32
        assert (255 * (ours.image - dali.image)).abs().max() <= 2.01
        assert torch.equal(ours.mask, dali.mask)
        assert torch.equal(ours.label, dali.label) and torch.equal(ours.has_mask, dali.has_mask)
        assert ours.key == dali.key and torch.equal(ours.weight, dali.weight)


@pytest.mark.parametrize("operation", sorted(GEOMETRIC | PIXELWISE))
@pytest.mark.parametrize("size", [(64, 64), (64, 96)])
def test_each_operation_agrees(operation: str, size: tuple[int, int]) -> None:
    allowed = MEAN_GREY_LEVELS.get(operation, 0.5)
    for ours, dali in both(loader_settings(alone(operation), size), 0):
        assert 255 * (ours.image - dali.image).abs().mean() < allowed
        # Nearest pixels halfway between two: a transposed image that is no square is squeezed by each library.
        squeezed = size[0] != size[1] and operation in {"transpose", "quarter_turn"}
        assert (ours.mask != dali.mask).float().mean() < (0.01 if squeezed else 0.001)


@pytest.mark.parametrize("operation", sorted(GEOMETRIC))
@given(seed=st.integers(0, 10_000))
@settings(max_examples=5)
def test_image_and_mask_stay_aligned(operation: str, seed: int) -> None:
    (batch,) = run(DaliBackend(loader_settings(alone(operation)), seed, None), [shape_row(str(k)) for k in range(8)], 0)
    image, mask = batch.image[:, :1] > 0.5, batch.mask > 0.5
    assert ((image & mask).sum() / (image | mask).sum()).item() > 0.93


def test_pixels_do_not_depend_on_batches_or_threads() -> None:
    def images(sizes: tuple[int, ...], threads: int, epoch: int) -> dict[str, torch.Tensor]:
        settings_ = loader_settings(PAPER, threads=threads)
        batches = run(DaliBackend(settings_, 5, None), ROWS, epoch, sizes)
        return {key: image for batch in batches for key, image in zip(batch.key, batch.image, strict=True)}

    one, other, later = images((8,), 2, 0), images((3, 5, 1), 1, 0), images((8,), 2, 1)
    assert all(torch.equal(one[key], other[key]) for key in one)
    assert any(not torch.equal(one[key], later[key]) for key in one)


def test_epochs_may_be_left_early_and_interleaved() -> None:
    backend = DaliBackend(loader_settings(PAPER, prefetch=3), 5, None)
    expected = torch.cat([batch.image for batch in run(backend, ROWS, 0, (2,))])
    left = backend.batches(iter([Share([row]) for row in ROWS]), 0)
    next(left)
    left.close()
    first = backend.batches(iter([Share(ROWS[:2]), Share(ROWS[2:4])]), 0)
    beginning = next(first).image
    again = torch.cat([batch.image for batch in run(backend, ROWS, 0, (2,))])
    assert torch.equal(again, expected)
    assert torch.equal(torch.cat([beginning, next(first).image]), expected[:4])
    assert not run(backend, [], 0)
    assert run(backend, ROWS[:3], None)[0].key == tuple(row.key for row in ROWS[:3])


def test_tensors_outlive_the_next_batches() -> None:
    """They are not copied out of DALI's buffers, so DALI must not write into those again."""
    batches = run(DaliBackend(PLAIN, 5, None), ROWS * 4, None, (2,))
    fresh = run(OpenCvBackend(PLAIN, 5), ROWS * 4, None, (2,))
    assert all((255 * (a.image - b.image)).abs().max() <= 2.01 for a, b in zip(batches, fresh, strict=True))


def test_a_padding_share_keeps_its_weight() -> None:
    (batch,) = DaliBackend(PLAIN, 0, None).batches(iter([Share(ROWS[:1], 0.0)]), None)
    assert batch.weight.tolist() == [0.0]


@pytest.mark.parametrize("data", [b"", b"no image", ROWS[0].image[:300]])
def test_an_image_that_does_not_decode_is_named_and_the_next_epoch_runs(data: bytes) -> None:
    backend = DaliBackend(PLAIN, 0, None)
    with pytest.raises(UserError, match="image broken one: does not decode"):
        run(backend, [*ROWS[:9], Row("broken one", data, None, 0)], None)
    assert len(run(backend, ROWS, None)) == 2


def test_an_error_of_the_reader_comes_through() -> None:
    def shares() -> Iterator[Share]:
        yield Share(ROWS[:2])
        raise UserError("shard 3 is damaged")

    with pytest.raises(UserError, match="shard 3"):
        list(DaliBackend(PLAIN, 0, None).batches(shares(), None))


@pytest.mark.parametrize("augment", [True, False])
def test_the_graph_of_the_gpu_is_built_and_serialised(augment: bool) -> None:
    """As far as it goes without a GPU: wrong arguments, and edges from the GPU to the CPU, would raise."""
    graph = make_pipeline(PLAIN, lambda: None, augment, gpu=True, device_id=None).serialize()
    assert isinstance(graph, bytes) and b"mixed" in graph
    for name in (b"Remap", b"MedianBlur", b"Clahe", b"Filter", b"WarpAffine"):
        assert (name in graph) == augment
    assert b"PythonFunction" not in graph
