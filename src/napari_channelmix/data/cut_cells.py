"""Cells whose crops are too small for them: which they are, what is said, and which crop would do.

The size of a cell is known where it has an outline (mask, label image, found nuclei). Points and
whole images say nothing of it, and boxes and tiles are resized to the crop, so none of them is cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.crop_size import STEP, WHOLE

__all__ = ["cut_off_warning", "reach_over_crop", "without_cut_line"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
# By this a warning of ours is known again.
CUT = "are cut off by a crop of"


def reach_over_crop(extents: npt.ArrayLike, sides: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Which cells are larger than their crop, (N,).

    Parameters
    ----------
    extents : (N,) array
        Longer side of the box around the outline of each cell, in pixels of its image; NaN where
        it has no outline.
    sides : (N,) array
        Side of the square around the same centre that is cut out, in the same pixels.
    """
    return np.asarray(np.asarray(extents, np.float64) > np.asarray(sides, np.float64))


def cut_off_warning(
    extents: npt.ArrayLike, sides: npt.ArrayLike, crop: int, most: int | None = None
) -> tuple[str, ...]:
    """What is said of cells that their crops cut off; nothing where there are none.

    Parameters
    ----------
    extents, sides : (N,) arrays
        As for `reach_over_crop`.
    crop : int
        Side of the crops as they are read, in pixels.
    most : int, optional
        Largest crop that the images allow.

    Returns
    -------
    tuple of str
        A line with number, share and remedy: the smallest crop that holds 99 % of the cells as a
        whole, or all where 99 % are whole already, in steps of 8 pixels. Our definition.
    """
    cut = reach_over_crop(extents, sides)
    count, known = int(cut.sum()), int(np.isfinite(np.asarray(extents, np.float64)).sum())
    if not count:
        return ()
    proposed = _proposed_crop(extents, sides, crop)
    remedy = f"take a crop of {proposed} pixels"
    if most is not None and proposed > most:
        remedy = f"whole cells need a crop of {proposed} pixels, the images allow {most}"
    share = 100 * count / known
    percent = f"{share:.0f}" if share >= 1 else f"{share:.1g}"
    return (
        f"{count:,} of {known:,} cells ({percent} %) {CUT} {crop} pixels: "
        f"their outlines reach beyond it; {remedy}",
    )


def _proposed_crop(extents: npt.ArrayLike, sides: npt.ArrayLike, crop: int) -> int:
    """Side in pixels of the crop that would hold the cells as a whole."""
    known = np.isfinite(np.asarray(extents, np.float64))
    wanted = (np.asarray(extents, np.float64) * crop / np.asarray(sides, np.float64))[known]
    share = WHOLE if (wanted > crop).mean() > 1 - WHOLE else 1.0
    # The size of a cell that is there, so that no fraction of a pixel is lost.
    needed = float(np.quantile(wanted, share, method="higher"))
    return int(np.ceil(needed / STEP)) * STEP


def without_cut_line(warnings: Iterable[str]) -> Sequence[str]:
    """Warnings without that of cells that are cut off."""
    return [line for line in warnings if CUT not in line]
