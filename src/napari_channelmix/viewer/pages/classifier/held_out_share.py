"""How many cells are held out where that is another share than was chosen, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_channelmix.data.split import has_own_split

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.viewer.session.session import Trained

__all__ = ["held_out_line"]

# A difference that is not worth a line.
CLOSE = 0.05
# Held-out groups of a class that a split asks for where it can; see `data.split.held_out`.
NEEDED = 2


def held_out_line(trained: Trained | None, cells: Cells | None) -> str:
    """A sentence where the share differs by more than 0.05 from what was chosen; else empty.

    Parameters
    ----------
    trained : Trained or None
    cells : Cells or None
        Those that it was trained on, where they are known.
    """
    if trained is None or not trained.n_train + trained.n_test:
        return ""
    provenance: Any = getattr(trained.classifier, "provenance", None) or {}
    requested = (provenance.get("split") or {}).get("held_out")
    share = trained.n_test / (trained.n_train + trained.n_test)
    if requested is None or abs(share - requested) <= CLOSE:
        return ""
    part = "half" if abs(share - 0.5) < 0.005 else f"{share:.0%}"
    line = f"{part} of the cells are held out, not {requested:.0%}"
    if cells is not None and has_own_split(cells):
        return f"{line}: the data set has its own split"
    estimate = trained.estimate
    groups = [row.n_groups for row in estimate.per_class if row.n_cells] if estimate else []
    if groups and min(groups) == NEEDED:
        return f"{line}: two groups of each class are needed"
    return f"{line}: groups are held out whole"
