"""Selecting as in every list: alone, one more, up to there."""

from __future__ import annotations

import numpy as np

from napari_channelmix.viewer.pages.phenotypes.selection_model import Choosing

ORDER = np.array([5, 3, 8, 1, 0])
PLACES = np.full(10, -1)
PLACES[ORDER] = np.arange(len(ORDER))


def test_the_cell_looked_at_is_the_first() -> None:
    chosen = Choosing()
    chosen.only(3)
    chosen.toggle(8)
    assert chosen.cells == (8, 3) and 3 in chosen and 5 not in chosen
    chosen.toggle(8)
    assert chosen.cells == (3,) and chosen.current == 8


def test_a_range_goes_both_ways_and_begins_where_it_began() -> None:
    chosen = Choosing()
    chosen.only(8)
    chosen.extend(0, ORDER, PLACES)
    assert chosen.cells == (0, 8, 1)
    chosen.extend(5, ORDER, PLACES)
    assert chosen.cells == (5, 8, 3) and chosen.anchor == 8


def test_a_range_from_a_cell_that_is_not_shown_begins_anew() -> None:
    chosen = Choosing()
    chosen.only(9)
    chosen.extend(1, ORDER, PLACES)
    assert chosen.cells == (1,)


def test_all_that_are_shown() -> None:
    chosen = Choosing()
    chosen.only(8)
    chosen.all(ORDER)
    assert chosen.cells[0] == 8 and set(chosen.cells) == set(ORDER.tolist())
    chosen.take(())
    assert chosen.cells == () and chosen.current == 8
