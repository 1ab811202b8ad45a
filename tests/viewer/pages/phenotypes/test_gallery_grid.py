"""Tiles fill their rows, and a place leads back to its tile."""

from __future__ import annotations

import pytest

from napari_channelmix.viewer.pages.phenotypes.gallery_grid import GAP, Grid


@pytest.mark.parametrize("width", [40, 320, 347, 1200])
def test_every_tile_is_found_at_its_middle_and_inside_the_width(width: int) -> None:
    grid = Grid(103, 64, width)
    for at in range(grid.count):
        x, y = grid.corner(at)
        assert grid.tile_at(x + grid.side // 2, y + grid.side // 2) == at
        assert x + grid.side <= max(width, 64)
    assert grid.tile_at(GAP + 1, grid.height + 10) is None
    assert grid.tile_at(-5, 10) is None


def test_more_room_makes_more_columns() -> None:
    assert Grid(100, 64, 350).columns == 5
    assert Grid(100, 64, 700).columns == 10
    assert Grid(100, 64, 10).columns == 1


def test_a_strip_holds_the_rows_that_reach_into_it() -> None:
    grid = Grid(100_000, 64, 350)
    assert grid.between(0, 1) == range(0, 5)
    tiles = grid.between(1_000_000, 1_000_400)
    assert len(tiles) <= 5 * 8
    assert grid.corner(tiles.start)[1] <= 1_000_000 < grid.corner(tiles.stop)[1]
    assert grid.between(grid.height, grid.height + 500).stop == 100_000
    assert len(Grid(0, 64, 350).between(0, 400)) == 0
    assert Grid(0, 64, 350).height == GAP
