"""Wells have one name, however files write it."""

import pytest

from napari_channelmix.scan.wells import missing_wells, well_name, well_of


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("A1", "A01"),
        ("a01", "A01"),
        ("A - 01", "A01"),
        ("A001", "A01"),
        ("P24", "P24"),
        ("AA01", "AA01"),
        ("af48", "AF48"),
        ("AG01", None),
        ("A49", None),
        ("A00", None),
        ("B2B", None),
        ("01A", None),
        ("", None),
    ],
)
def test_a_well_has_one_name(text, name):
    assert well_name(text) == name


def test_rows_are_letters_or_numbers():
    assert well_of("1", "2") == well_of("a", "02") == "A02"
    assert well_of("27", "1") == "AA01"
    assert well_of("33", "1") is None
    assert well_of("A", "x") is None


def test_missing_wells_are_named_only_where_the_plate_is_otherwise_full():
    full = [f"{row}{column:02d}" for row in "BCD" for column in range(2, 12)]
    assert missing_wells(full) == []
    assert missing_wells([well for well in full if well not in ("B03", "C07")]) == ["B03", "C07"]
    # A checkerboard is a plan, not a gap.
    assert missing_wells(full[::2]) == []
