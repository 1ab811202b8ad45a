"""Neighbours within a crop, hidden: by which level, in which files, and where it is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_channelmix.data import Cells, open_dataset, save_dataset
from napari_channelmix.data.neighbours import (
    background_level,
    cell_alone,
    hidden_neighbours,
    margin_of,
)
from napari_channelmix.errors import DataError


def touching() -> tuple[np.ndarray, np.ndarray]:
    """Two squares of 6 pixels side by side over a ground of 10; 100 and 200 bright."""
    labels = np.zeros((24, 24), np.uint16)
    labels[9:15, 6:12], labels[9:15, 12:18] = 7, 9
    pixels = np.full((24, 24), 10.0, np.float32)
    pixels[labels == 7], pixels[labels == 9] = 100, 200
    return pixels, labels


@pytest.fixture
def cells() -> Cells:
    pixels, labels = touching()
    return Cells.from_labels([pixels, 2 * pixels], ["A", "B"], labels, crop=8, name="two")


def test_other_objects_are_filled_with_the_background_of_the_crop(cells: Cells) -> None:
    crop = cells.without_neighbours().read([0])[0]
    # The crop of 7 lies at y 8 to 16 and x 5 to 13: its last column is of 9, but for two pixels.
    before = cells.read([0])[0]
    assert (before[0, 1:7, 7] == 200).all()
    assert (crop[0, 1:7, 7] == 10).all() and (crop[1, 1:7, 7] == 20).all()
    np.testing.assert_array_equal(crop[:, :, :7], before[:, :, :7])


def test_the_level_is_of_pixels_of_no_object() -> None:
    pixels = np.zeros((1, 3, 4), np.float32)
    pixels[0] = [[5, 90, 90, 90], [90, 50, 90, 90], [6, 90, 90, 90]]
    labels = np.array([[0, 2, 2, 2], [2, 1, 2, 2], [0, 2, 2, 2]])
    # All outermost pixels would give 90; the two of no object are 5 and 6.
    assert background_level(pixels)[0] == 90
    crop, level = hidden_neighbours(pixels, labels, 1)
    assert level[0] == 5.5 and crop[0, 1, 1] == 50 and crop[0, 0, 1] == 5.5
    # Objects all along the edge: those within count; objects everywhere: the edge.
    labels = np.array([[2, 2, 2, 2], [2, 1, 0, 2], [2, 2, 2, 2]])
    assert hidden_neighbours(pixels, labels, 1)[1][0] == 90
    assert hidden_neighbours(pixels, np.full((3, 4), 2), 1)[1][0] == 90


def test_what_lies_beyond_the_image_has_the_same_level() -> None:
    pixels, labels = touching()
    cells = Cells.from_labels([pixels[9:, 6:]], ["A"], labels[9:, 6:], crop=10)
    crop = cells.without_neighbours().read([0])[0, 0]
    # Above and left of the image; without the neighbour the ground below is what is left.
    assert cells.at_border[0] and crop[0, 0] == 10


def test_hidden_cells_are_other_cells(cells: Cells) -> None:
    hidden = cells.without_neighbours()
    assert hidden.neighbours == "hide" and cells.neighbours == "keep"
    assert hidden.fingerprint != cells.fingerprint and not hidden.same_pixels(cells)
    assert hidden.subset([1]).with_channels(["B"]).neighbours == "hide"
    with pytest.raises(DataError, match="neighbours are hidden in the crops of one"):
        Cells.together([cells, hidden])
    assert Cells.together([hidden, hidden]).neighbours == "hide"


def test_cells_without_outlines_are_refused() -> None:
    cells = Cells.from_points([np.zeros((32, 32))], ["A"], [(8, 8), (20, 20)], crop=8)
    with pytest.raises(DataError, match="2 of 2 cells have none"):
        cells.without_neighbours()


def test_a_data_set_file_keeps_it(cells: Cells, tmp_path: Path) -> None:
    # Cell 9 is left out of the set, and yet a neighbour.
    hidden = cells.without_neighbours().subset([0])
    path = save_dataset(hidden, tmp_path / "set")
    assert 'neighbours = "hide"' in path.read_text()
    again = open_dataset(path)
    assert again.neighbours == "hide" and len(again) == 1
    np.testing.assert_array_equal(again.read(), hidden.read())
    assert "neighbours" not in save_dataset(cells, tmp_path / "plain").read_text()
    other = path.read_text().replace('"hide"', '"remove"')
    path.write_text(other)
    with pytest.raises(DataError, match="neighbours"):
        open_dataset(path)


def test_a_data_set_file_of_points_is_refused(tmp_path: Path) -> None:
    cells = Cells.from_points([np.zeros((32, 32))], ["A"], [(8, 8), (20, 20)], crop=8)
    path = save_dataset(cells, tmp_path / "set")
    path.write_text(path.read_text() + 'neighbours = "hide"\n')
    with pytest.raises(DataError, match="for cells with outlines"):
        open_dataset(path)


def test_of_a_cell_alone_only_it_and_its_margin_are_left(cells: Cells) -> None:
    before, crop = cells.read([0])[0], cells.without_surroundings(0).read([0])[0]
    outline = before[0] == 100
    np.testing.assert_array_equal(crop[:, outline], before[:, outline])
    assert (crop[0, ~outline] == 10).all() and (crop[1, ~outline] == 20).all()


def test_the_margin_ends_where_the_next_cell_is_nearer() -> None:
    labels = np.zeros((1, 12), int)
    labels[0, 1:3], labels[0, 8:10] = 1, 2
    pixels = np.arange(12, dtype=np.float32)[None, None]
    # Middle of the edge pixels 0 and 11, which are of no object.
    level = 5.5
    crop, _ = cell_alone(pixels, labels, 1, margin=1)
    assert crop[0, 0].tolist() == [0, 1, 2, 3, *[level] * 8]
    # Pixel 5 is 3 from either cell, and stays; pixel 6 is nearer to the other.
    crop, _ = cell_alone(pixels, labels, 1, margin=6)
    assert crop[0, 0].tolist() == [0, 1, 2, 3, 4, 5, *[level] * 6]


def test_cells_alone_beyond_the_image_and_from_a_store_are_the_same(tmp_path: Path) -> None:
    pixels, labels = touching()
    cells = Cells.from_labels([pixels[9:, 6:]], ["A"], labels[9:, 6:], crop=10)
    alone = cells.without_surroundings(2)
    crops = alone.read()
    assert cells.at_border.any() and crops[0, 0, 0, 0] == 10
    stored = alone.store(tmp_path / "crops")
    assert stored.is_stored
    np.testing.assert_array_equal(stored.read(), crops)
    assert not stored.without_surroundings(1).is_stored
    assert alone.fingerprint != cells.without_surroundings(1).fingerprint


def test_a_data_set_file_keeps_cells_alone(cells: Cells, tmp_path: Path) -> None:
    alone = cells.without_surroundings(2)
    path = save_dataset(alone, tmp_path / "set")
    assert 'neighbours = "alone"\nmargin = 2' in path.read_text()
    again = open_dataset(path)
    assert margin_of(again.neighbours) == 2
    np.testing.assert_array_equal(again.read(), alone.read())
    path.write_text(path.read_text().replace('"alone"', '"hide"'))
    with pytest.raises(DataError, match="margin is for neighbours"):
        open_dataset(path)


def test_cells_alone_need_outlines_and_a_margin_in_pixels(cells: Cells) -> None:
    points = Cells.from_points([np.zeros((32, 32))], ["A"], [(8, 8), (20, 20)], crop=8)
    with pytest.raises(DataError, match=r"surroundings can be hidden only .* 2 of 2 cells"):
        points.without_surroundings()
    with pytest.raises(DataError, match="margin must be a whole number"):
        cells.without_surroundings(1.5)  # type: ignore[arg-type]
