"""How the borders of training crops were filled, and what that means for cells at a border."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from napari_channelmix.data import Cells

__all__ = ["MirroredBorders", "border_warning"]


class MirroredBorders(Protocol):
    """A classifier that knows how the borders of its training crops were filled."""

    @property
    def mirrored_borders(self) -> bool: ...  # noqa: D102


def border_warning(classifier: MirroredBorders, cells: Cells) -> str | None:
    """What to say of cells at a border where the classifier knows borders that look otherwise.

    Crops are filled with background beyond the border of their image (see `Field.read`); earlier
    versions filled them with a mirror image, and their bundles do not say how.

    Returns
    -------
    str or None
        None where no cell reaches over a border, where the classifier was trained on crops that
        are filled alike, and for a model from elsewhere, of which that is not known.
    """
    if not classifier.mirrored_borders:
        return None
    count = int(cells.at_border.sum())
    if not count:
        return None
    return (
        f"{count:,} of {len(cells):,} cells reach over the border of their image, which is filled "
        "with background; this model learnt borders that were filled with mirror images, and may "
        "be wrong about these cells: train it again, or leave them out"
    )
