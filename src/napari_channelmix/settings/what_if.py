"""Settings of what-if: which cells are edited along which axes, and what is asked of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from napari_channelmix.bounds import Flag, Limit, Name, Seed, Steps
from napari_channelmix.settings.cluster import ClusterSettings
from napari_channelmix.settings.explain import Only
from napari_channelmix.settings.fields import About, settings

__all__ = ["WhatIfSettings"]


@settings
class WhatIfSettings(ClusterSettings):
    """Which cells are edited, how, and what is asked of them.

    Attributes
    ----------
    only : {"held-out", "all"}
        Leave out the cells that the model was trained on, and others of their groups, where any
        is left; see `classify.training_cells`.
    limit : int or None
        Cells of each class at most, spread over the groups; of cells without classes as many for
        each class of the model, together. None: all.
    axes : tuple of str or None
        Names of axes, such as ``DNA brightness``; None: all that apply. The shams are always
        asked for, since nothing can be read without them.
    scope : {"cell", "crop", "neighbours"}
        What is edited: the cell, all cells in its crop, or all but the cell.
    compare_scopes : bool
        Ask for the cell and for all cells of the crop on the axes of a channel: where they differ
        much, the classifier judges the crop.
    steps : int
        Amounts on each axis, the unchanged cell among them.
    smallest : bool
        Also the smallest change of each cell that flips it.
    seed : int
        Of the choice of cells.
    prior : str, mapping of str to float, or Prior, optional
        With which prior the classifier calls cells, as for `Classifier.predict_proba`.
    workers, scheduler, retries
        See `ClusterSettings`; answers do not depend on them.

    Examples
    --------
    >>> WhatIfSettings(axes=("size",), limit=20).steps
    9
    """

    only: Annotated[
        Only,
        About(
            "Cells",
            "edit the cells that the model was not trained on, where that is known "
            "and any is left, or all",
        ),
    ] = "held-out"
    limit: Annotated[
        Limit | None,
        About("Cells per class", "edit N cells of each class, spread over the groups", metavar="N"),
    ] = 100
    axes: tuple[Name, ...] | None = None
    scope: Annotated[
        Literal["cell", "crop", "neighbours"],
        About("Edit", "the cell, all cells in its crop, or its neighbours alone"),
    ] = "cell"
    compare_scopes: Annotated[
        Flag,
        About(
            "Compare cell and crop",
            "edit the cell, and all cells of its crop, on the axes of a channel",
            off="edit within one scope only",
            advanced=True,
        ),
    ] = True
    steps: Annotated[
        Steps,
        About("Amounts", "amounts on each axis, the unchanged cell among them", advanced=True),
    ] = 9
    smallest: Annotated[
        Flag,
        About(
            "Smallest changes",
            "also the smallest change of each cell that flips it",
            off="leave out the smallest change of each cell",
        ),
    ] = True
    seed: Annotated[Seed, About("Random seed", "the same seed chooses the same cells")] = 0
    prior: Any = None
