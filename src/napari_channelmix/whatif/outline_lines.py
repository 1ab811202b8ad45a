"""What is not known of the outlines of some cells, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_channelmix.data.crop_outlines import DISC_SHARE
from napari_channelmix.wording import listed

if TYPE_CHECKING:
    from napari_channelmix.whatif.crops import CellCrops

__all__ = ["outline_lines"]

# An outline that covers more of its crop leaves no background to see.
FILLS = 0.98


def outline_lines(crops: CellCrops) -> tuple[str, ...]:
    """Sentences on outlines that are not known, that fill the crop, and on channels without light.

    None where every cell has an outline, and background around it, in channels that vary.

    Examples
    --------
    >>> from napari_channelmix.data.samples import synthetic_plate
    >>> from napari_channelmix.whatif.crops import cell_crops
    >>> outline_lines(cell_crops(synthetic_plate(wells=2).cells, [0, 1, 2]))
    ()
    """
    count = len(crops)
    if not count:
        return ()
    lines = []
    discs = int(crops.disc.sum())
    if discs:
        radius = DISC_SHARE * min(crops.pixels.shape[2:])
        lines.append(
            f"{discs} of {count} cells have no outline: a disc of radius {radius:.0f} px in the "
            "middle of the crop stands for it; label images would tell cells from surroundings"
        )
    full = int(((crops.cell | crops.others).mean(axis=(1, 2)) > FILLS).sum())
    if full:
        lines.append(
            f"{full} of {count} outlines fill their crop: the background is that of the darkest "
            "pixels of the data set, and edits of size cut the cell off; use larger crops"
        )
    flat = np.ptp(crops.pixels, axis=(0, 2, 3)) == 0
    constant = [name for name, same in zip(crops.channels, flat, strict=True) if same]
    if len(constant) == 1:
        lines.append(
            f"channel {constant[0]} is the same in every pixel: edits of its pattern change nothing"
        )
    elif constant:
        lines.append(
            f"channels {listed(constant, 40)} are the same in every pixel: edits of their pattern "
            "change nothing"
        )
    return tuple(lines)
