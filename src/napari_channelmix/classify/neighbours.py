"""Whether neighbours were hidden in training crops: a warning where cells are prepared otherwise.

A classifier that learnt crops with one cell each has never seen a neighbour, and one that learnt
crops with neighbours has never seen them hidden. Where its training hid all but the cell, the cells
that it is asked about are prepared likewise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from napari_channelmix.data.neighbours import HIDE, margin_of

if TYPE_CHECKING:
    from napari_channelmix.data import Cells

__all__ = ["PreparedNeighbours", "neighbours_warning", "prepared_alike"]


class PreparedNeighbours(Protocol):
    """A classifier that knows whether neighbours were hidden in its training crops."""

    @property
    def neighbours(self) -> str: ...  # noqa: D102


def prepared_alike(cells: Cells, neighbours: str) -> Cells:
    """The cells as a classifier learnt them, where it learnt each cell alone; else as they are.

    Parameters
    ----------
    cells : Cells
    neighbours : str
        As of a classifier.

    Raises
    ------
    DataError
        Cells without outlines, for a classifier that learnt cells alone.
    """
    margin = margin_of(neighbours)
    if margin is None or cells.neighbours == neighbours:
        return cells
    return cells.without_surroundings(margin)


def neighbours_warning(classifier: PreparedNeighbours, cells: Cells) -> str | None:
    """What to say where cells are prepared otherwise than those a classifier was trained on.

    Parameters
    ----------
    classifier : Classifier or Predictor
    cells : Cells

    Returns
    -------
    str or None
        None where both are prepared alike, and for a model from elsewhere, of which that is not
        known.
    """
    theirs = classifier.neighbours
    if not theirs or theirs == cells.neighbours:
        return None
    margin = margin_of(cells.neighbours)
    if margin is not None:
        return (
            "this model was trained on crops that show more than the cell, here all but the cell "
            f"and {margin} pixels around it is hidden: keep it here too, or train the model so"
        )
    if theirs == HIDE:
        return (
            "this model was trained on crops whose neighbours are hidden, these show them: hide "
            "them here too ('Hide neighbours' in the window, cells.without_neighbours())"
        )
    return (
        "this model was trained on crops that show neighbours, here they are hidden: keep them "
        "here too, or train it again"
    )
