"""Settings of the shortcut audit: of which cells, and how many."""

from __future__ import annotations

from typing import Annotated

from napari_channelmix.bounds import Bounds, Limit, Seed
from napari_channelmix.settings.explain import Only
from napari_channelmix.settings.fields import About, settings

__all__ = ["AuditSettings", "Margin"]

#: Pixels around an outline that still belong to the cell.
Margin = Annotated[float, Bounds(0, 1000, whole=False)]


@settings
class AuditSettings:
    """Of which cells a classifier is audited.

    Attributes
    ----------
    only : {"held-out", "all"}
        Leave out the cells that the model was trained on, and others of their groups, where any
        is left; see `phenotypes.held_out`.
    limit : int or None
        Cells of each class at most, spread over its groups. None: all.
    margin : float or None
        Pixels around an outline that still belong to the cell; see `whatif.removal_margin`. None:
        from the size of the outlines.
    seed : int
        Decides which cells are taken, and how they are divided where something is learnt.

    Examples
    --------
    >>> AuditSettings(limit=50).only
    'held-out'
    """

    only: Annotated[
        Only,
        About(
            "Cells",
            "audit on the cells that the model was not trained on, where that is known and any "
            "is left, or on all",
        ),
    ] = "held-out"
    limit: Annotated[
        Limit | None,
        About("Cells per class", "most cells of each class, spread over its groups", metavar="N"),
    ] = 200
    margin: Annotated[
        Margin | None,
        About(
            "Margin",
            "pixels around an outline that belong to the cell (default: from the outlines)",
            metavar="PX",
            advanced=True,
        ),
    ] = None
    seed: Annotated[Seed, About("Random seed", "the same seed gives the same audit")] = 0
