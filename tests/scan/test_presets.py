"""Each preset reads its own example, and no other preset does."""

import pytest

from napari_channelmix.errors import DataError
from napari_channelmix.scan.presets import PRESETS, pattern_of


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_an_example_is_read_by_its_preset_alone(preset):
    names = [f"{preset.example}.tif", f"plate/{preset.example.upper()}.TIFF"]
    assert all(map(preset.pattern.fits, names))
    others = [one.name for one in PRESETS if one is not preset and one.pattern.fits(names[0])]
    assert others == []


def test_imagexpress_names_have_a_plate_or_none():
    pattern = pattern_of("imagexpress")
    guid = "5F3A2C10-1111-4222-8333-444455556666"
    names = ["A01_s1_w1", "B02_A01_s1_w1", f"x_y_A01_w2{guid}", "A01_w1", "aa48_s12_t3_z4_w1"]
    read = pattern.matches([f"{name}.tif" for name in names])
    assert [(parts["plate"], parts["well"], parts["field"]) for parts in read] == [
        ("", "A01", "1"),
        ("B02", "A01", "1"),
        ("x_y", "A01", ""),
        ("", "A01", ""),
        ("", "aa48", "12"),
    ]


def test_a_pattern_in_one_line_is_a_preset_a_template_or_an_expression():
    assert pattern_of("Opera Phenix").fits("r01c02f03p01-ch1sk1fk1fl1.tiff")
    assert pattern_of("{well}_{channel}").fits("A01_x.tif")
    assert pattern_of("(?P<well>A..)").fits("A01.tif")
    with pytest.raises(DataError, match="presets: Opera Phenix, ImageXpress"):
        pattern_of("Opera")
