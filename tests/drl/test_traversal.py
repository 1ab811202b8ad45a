"""Traversals: axes in the order of what they change, over the range of the cells."""

import numpy as np
import pytest
from PIL import Image

from napari_channelmix.drl.traversal import _gain, ranges, save_sheet, traversal

FLAT = np.tile([-1.0, 1.0], (10, 1))


@pytest.fixture
def middle(shipped):
    return np.zeros(len(shipped.names), np.float32)


def test_rows_are_ordered_by_how_much_the_picture_changes(shipped, middle):
    axes = ("PosX", "Scale", "Color", "Orientation")
    found = traversal(shipped, middle, FLAT, axes)
    assert set(found.axes) == set(axes)
    assert found.axes[0] in ("Scale", "Color")
    assert (np.diff(found.change) <= 0).all()
    assert found.pictures.shape == (4, 9, 3, 64, 64)
    for axis, pictures, change in zip(found.axes, found.pictures, found.change, strict=True):
        # The ends of a line; of a circle, two points half a turn apart.
        far = pictures[4] if axis == "Orientation" else pictures[8]
        assert change == pytest.approx(np.abs(far - pictures[0]).mean())


def test_each_row_is_the_traversal_of_its_axis(shipped, middle):
    spans = np.stack([np.linspace(-2, -1, 10), np.linspace(1, 2, 10)], axis=1)
    found = traversal(shipped, middle + 0.3, spans, ("Shape", "Scale"), steps=5)
    for row, axis in enumerate(found.axes):
        at = shipped.position(axis)
        np.testing.assert_allclose(found.values[row], np.linspace(*spans[at], 5), rtol=1e-6)
        wanted = shipped.traverse(middle + 0.3, axis, 5, tuple(spans[at]))
        np.testing.assert_allclose(found.pictures[row], wanted, atol=1e-6)


def test_orientation_goes_once_around(shipped, middle):
    found = traversal(shipped, middle, FLAT, ("Orientation",), steps=8)
    np.testing.assert_allclose(found.values[0], np.arange(8) * np.pi / 4, atol=1e-6)


def test_no_axes_give_an_empty_traversal(shipped, middle):
    found = traversal(shipped, middle, FLAT, ())
    assert found.axes == ()
    assert found.pictures.shape == (0, 9, 3, 64, 64)
    assert found.values.shape == (0, 9)
    assert found.change.shape == (0,)


def test_the_range_is_where_all_but_the_outermost_cells_lie():
    rng = np.random.default_rng(0)
    latents = rng.normal(size=(20_000, 2)) * [1.0, 3.0]
    latents[0] = 1000
    found = ranges(latents)
    assert found.shape == (2, 2)
    np.testing.assert_allclose(found[0], [-2.326, 2.326], atol=0.1)
    np.testing.assert_allclose(found[1], [-6.98, 6.98], atol=0.3)


def test_a_latent_that_is_the_same_in_all_cells_keeps_a_range():
    np.testing.assert_allclose(ranges(np.full((5, 1), 0.4)), [[0.3, 0.5]])


def test_the_sheet_is_a_picture_with_a_row_for_each_axis(shipped, middle, pictures, tmp_path):
    def height(axes):
        drawn = traversal(shipped, middle, FLAT, axes, steps=3)
        path = save_sheet(tmp_path / "a" / "sheet.png", shipped, [("one", pictures[0], drawn)], {})
        with Image.open(path) as sheet:
            assert sheet.getextrema()[0] == (0, 255)
            return sheet.height

    assert height(("Scale", "Color", "Shape")) > height(("Scale",)) + 150


def test_a_sheet_without_axes_is_written_too(shipped, middle, pictures, tmp_path):
    drawn = traversal(shipped, middle, FLAT, ())
    path = save_sheet(tmp_path / "sheet.png", shipped, [("one", pictures[0], drawn)], {})
    assert path.read_bytes().startswith(b"\x89PNG")
    assert save_sheet(tmp_path / "none.png", shipped, [], {}).exists()


def test_a_grey_sheet_is_written_too(make_untrained, tmp_path):
    from napari_channelmix.drl.sprites import CELLS

    of = make_untrained(CELLS)
    drawn = traversal(of, np.zeros(11), np.tile([-1.0, 1.0], (11, 1)), ("Rim",), steps=3)
    grey = np.zeros((1, 64, 64), np.float32)
    path = save_sheet(tmp_path / "grey.png", of, [("one", grey, drawn)], {"Rim": "not verified"})
    assert path.stat().st_size > 1000


# ---------------------------------------------------------------- the formulas, by hand


def test_a_range_reaches_from_the_first_to_the_last_percent():
    latents = np.arange(101.0)[:, None]
    np.testing.assert_allclose(ranges(latents), [[1, 99]])
    # Of fewer than five cells it is that of the sprites, about their middle.
    np.testing.assert_allclose(ranges(np.array([[0.0], [0.2], [0.2], [0.4]])), [[-1.3, 1.7]])


@pytest.mark.parametrize(("light", "gain"), [(0.3, 2.0), (0.6, 1.0), (0.9, 1.0), (0.01, 4.0)])
def test_dim_cells_are_printed_six_tenths_bright_but_no_more_than_four_times(light, gain):
    pictures = np.zeros((2, 5, 1, 4, 4))
    # What counts is the middle of each axis.
    pictures[:, 2] = light
    pictures[:, 4] = 1.0
    assert _gain([pictures]) == pytest.approx(gain)
    assert _gain([]) == 1
