import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from distxml.sources.coco.outlines import Polygons, RunLengths
from distxml.sources.material import Unusable
from tests.oracles.outlines import compress, inside_polygon, run_lengths

WIDTH, HEIGHT = 9, 7
coordinate = st.integers(-20, 100).map(lambda number: number / 8)
polygons = st.lists(st.tuples(coordinate, coordinate), min_size=3, max_size=7).map(
    lambda points: tuple(number for point in points for number in point)
)
masks = arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9)))


@given(outline=polygons)
def test_polygons_against_the_oracle(outline: tuple[float, ...]) -> None:
    filled = Polygons((outline,)).fill(WIDTH, HEIGHT)
    assert np.array_equal(filled, inside_polygon(outline, WIDTH, HEIGHT))


def test_a_rectangle_holds_its_pixels_and_no_more() -> None:
    filled = Polygons(((2, 1, 5, 1, 5, 4, 2, 4),)).fill(WIDTH, HEIGHT)
    expected = np.zeros((HEIGHT, WIDTH), bool)
    expected[1:4, 2:5] = True
    assert np.array_equal(filled, expected)


def test_several_polygons_are_their_union() -> None:
    one, other = (0, 0, 4, 0, 4, 4, 0, 4), (2, 2, 6, 2, 6, 6, 2, 6)
    union = inside_polygon(one, WIDTH, HEIGHT) | inside_polygon(other, WIDTH, HEIGHT)
    assert np.array_equal(Polygons((one, other)).fill(WIDTH, HEIGHT), union)


@given(mask=masks)
def test_run_lengths_plain_and_compressed(mask: np.ndarray) -> None:
    height, width = mask.shape
    counts = run_lengths(mask)
    assert np.array_equal(RunLengths((height, width), tuple(counts)).fill(width, height), mask)
    assert np.array_equal(RunLengths((height, width), compress(counts)).fill(width, height), mask)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [("05d00000000d?", 0, 5), ("R45d00000000b;", 5, 10), ("X`05d00000000", 20, 25), ("0ac0", 0, 25)],
)
def test_what_pycocotools_writes_for_a_square(text: str, low: int, high: int) -> None:
    """Squares from (low, low) up to (high, high) in 25x25 pixels."""
    square = np.zeros((25, 25), bool)
    square[low:high, low:high] = True
    assert np.array_equal(RunLengths((25, 25), text).fill(25, 25), square)
    assert compress(run_lengths(square)) == text


def test_what_pycocotools_writes_for_an_object() -> None:
    """Its box is given as x 219.9, y 176.12, width 11.14, height 34.23."""
    filled = RunLengths((480, 640), "nYW31n>2N2FNbA48Kf=?XBDe=m0OM3M4YOPB8_>L4JXao5").fill(640, 480)
    rows, columns = np.nonzero(filled)
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (220, 230, 176, 209)


@given(counts=st.lists(st.integers(0, 100_000), min_size=1, max_size=12).filter(any))
def test_long_runs_plain_and_compressed(counts: list[int]) -> None:
    height = sum(counts)
    expected = np.repeat(np.arange(len(counts)) % 2 == 1, counts)[:, None]
    for given_counts in (tuple(counts), compress(counts)):
        assert np.array_equal(RunLengths((height, 1), given_counts).fill(1, height), expected)


@pytest.mark.parametrize("text", ["\x00", "é", "0 0", "o", "1o", "oooooooo0"])
def test_what_is_no_compressed_text(text: str) -> None:
    with pytest.raises(Unusable, match="compressed run lengths"):
        RunLengths((7, 9), text).fill(9, 7)


@pytest.mark.parametrize("change", [-(2**32), -(2**29), -1, 1, 2**29, 2**32])
@pytest.mark.parametrize("place", range(5))
def test_one_wrong_number_is_refused_and_nothing_is_written_beyond_the_image(change: int, place: int) -> None:
    """2**32 more would be the same number in the 32 bits of pycocotools."""
    counts = [20, 10, 20, 5, 8]
    counts[place] += change
    for wrong in (tuple(counts), compress(counts)):
        with pytest.raises(Unusable, match="run lengths"):
            RunLengths((7, 9), wrong).fill(9, 7)


@given(text=st.text(st.characters(min_codepoint=40, max_codepoint=120), max_size=12))
def test_any_text_is_run_lengths_or_refused(text: str) -> None:
    try:
        filled = RunLengths((7, 9), text).fill(9, 7)
    except Unusable:
        return
    assert np.array_equal(RunLengths((7, 9), tuple(run_lengths(filled))).fill(9, 7), filled)


@pytest.mark.parametrize("counts", [(), (5,), (64,), (-1, 64), (62, 1, 1), (10**12,), "1", ""])
def test_run_lengths_that_do_not_add_up(counts: tuple[int, ...] | str) -> None:
    with pytest.raises(Unusable, match="do not add up to 9x7 pixels"):
        RunLengths((7, 9), counts).fill(9, 7)


def test_run_lengths_for_another_size() -> None:
    with pytest.raises(Unusable, match="for 7x9 pixels, but the image has 9x7"):
        RunLengths((9, 7), (63,)).fill(9, 7)
