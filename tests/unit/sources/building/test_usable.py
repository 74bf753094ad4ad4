from distxml.sources.building.usable import copies
from tests.unit.sources.building.test_group_splits import Listed


def test_the_first_of_equal_images_stays() -> None:
    items = [Listed("a", 0), Listed("b", 0), Listed("c", 1), Listed("d", 0)]
    assert copies(items, ["x", "y", "z", "x"]) == {3: "a bit-for-bit copy of a"}


def test_none_stays_where_the_classes_differ() -> None:
    items = [Listed("a", 0), Listed("b", 1), Listed("c", 0)]
    assert copies(items, ["x"] * 3) == dict.fromkeys(range(3), "equal files of different classes: a, b, c")


def test_a_long_list_of_contradictions_is_shortened() -> None:
    items = [Listed(f"i{number}", number % 2) for number in range(8)]
    assert copies(items, ["x"] * 8)[7].endswith("i0, i1, i2, i3, i4 and 3 more")


def test_the_scored_split_keeps_its_image() -> None:
    """So that a published test set stays what others have scored on."""
    items = [Listed("a", 0, split="train"), Listed("b", 0, split="val"), Listed("c", 0, split="test"), Listed("d", 0)]
    found = copies(items, ["x"] * 4)
    assert found == {
        0: "a bit-for-bit copy of c, but of split train, not test",
        1: "a bit-for-bit copy of c, but of split val, not test",
        3: "a bit-for-bit copy of c, but of split none, not test",
    }


def test_a_copy_in_another_group_says_so() -> None:
    items = [Listed("a", 0, "anna"), Listed("b", 0, "berta"), Listed("c", 0, "anna")]
    assert copies(items, ["x"] * 3) == {
        1: "a bit-for-bit copy of a, but of group berta, not anna",
        2: "a bit-for-bit copy of a",
    }
