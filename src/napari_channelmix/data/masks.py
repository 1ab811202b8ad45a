"""Mask files: labelled or binary is declared, or decided by the regions, and said with numbers.

1. ``labelled = true``: each id is one cell; it lies at the largest region of its id.
2. ``labelled = false``: ids say nothing; each connected region is a cell.
3. Without a word, the safe reading: a cell is a connected region of one id. Where each id lies in
   one region, both readings give these cells, and they keep their ids. Else each region is a cell,
   numbered 1..n in reading order, and a warning tells what both readings give.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.label_images import Objects, Regions, as_label_image
from napari_channelmix.errors import DataError
from napari_channelmix.wording import counted

__all__ = [
    "Mask",
    "covered_share",
    "covering_warning",
    "mask_warnings",
    "objects_of_mask",
    "pieces_warning",
    "read_mask",
]

# A cell that reaches all four sides of its image and has this share of it may be the background.
COVERING = 0.25


@dataclass(frozen=True, eq=False)
class Mask:
    """What a mask says of its image.

    Attributes
    ----------
    where : str
        File, for messages.
    labels : (Y, X) int array
        0 is background; the ids of the file, or regions numbered 1..n.
    objects : Objects
    how : "ids" or "regions"
        What the cells are.
    ids, regions : int
        Cells that each of the two readings gives.
    pieces : int
        Regions of the ids that lie in several, small ones included.
    apart : int
        Ids that lie in several regions.
    specks : int
        Regions smaller than ``min_area`` beside a larger one of their id.
    covers : float
        Share of the image that a cell has which reaches all four sides of it; 0 for none.
    """

    where: str
    labels: npt.NDArray[Any] = field(repr=False)
    objects: Objects = field(repr=False)
    how: Literal["ids", "regions"] = "ids"
    ids: int = 0
    regions: int = 0
    pieces: int = 0
    apart: int = 0
    specks: int = 0
    covers: float = 0.0


def read_mask(
    mask: npt.ArrayLike,
    *,
    labelled: bool | None = None,
    min_area: int = 1,
    where: str = "mask",
) -> Mask:
    """The cells of a mask.

    Parameters
    ----------
    mask : (Y, X) array
        Whole numbers or booleans.
    labelled : bool, optional
        Whether each id is one cell. By default booleans are binary, and of whole numbers the
        regions decide (see the module).
    min_area : int
        Smallest region in pixels, where regions are cells. Smaller ones beside a larger region of
        the same id are specks, and do not make two cells of one.
    where : str
        For messages.

    Raises
    ------
    DataError
        Values that are no labels.
    """
    values = as_label_image(mask, where)
    binary = labelled is False or (labelled is None and values.dtype.kind == "b")
    if binary:
        values = values > 0
    elif values.dtype.kind == "b":
        values = values.astype(np.uint8)
    regions = Regions.of(values)
    small = regions.areas < min_area
    specks = small & ~regions.largest
    ids, count = regions.objects(), int((~small).sum())
    several = np.isin(regions.ids, regions.ids[~regions.largest])
    stray = int(specks.sum())
    # Several ids cannot be binary: then a small cell is a cell. A single one may be.
    agree = len(small) - stray == len(ids) and (len(ids) > 1 or not small.all())
    if labelled or (agree and not binary):
        return Mask(
            where,
            values,
            ids,
            "ids",
            len(ids),
            count,
            int(several.sum()),
            len(ids) - int((~several).sum()),
            stray,
            covered_share(values, ids),
        )
    labels, objects = regions.numbered(min_area)
    return Mask(
        where,
        labels,
        objects,
        "regions",
        count if binary else len(ids),
        count,
        covers=covered_share(values, objects),
    )


def covered_share(labels: npt.NDArray[Any], objects: Objects) -> float:
    """Share of the image that a cell has which may be the background. Our definition.

    Parameters
    ----------
    labels : (Y, X) array
    objects : Objects
        Of these labels.

    Returns
    -------
    float
        0 where no cell reaches all four sides of the image and has `COVERING` of it.
    """
    across = (objects.boxes == (0, 0, *labels.shape)).all(axis=1)
    share = float(objects.areas[across].max(initial=0)) / max(labels.size, 1)
    return share if share >= COVERING else 0.0


def objects_of_mask(
    mask: npt.NDArray[Any],
    *,
    min_area: int = 1,
    where: str = "mask",
    labelled: bool | None = None,
) -> npt.NDArray[Any]:
    """Label image of a mask; see `read_mask`.

    Raises
    ------
    DataError
        A mask with no object, or with values that are no labels.
    """
    result = read_mask(mask, labelled=labelled, min_area=min_area, where=where)
    if not len(result.objects):
        raise DataError(f"{where}: the mask is empty; no cell is marked in it")
    return result.labels


def mask_warnings(masks: Sequence[Mask], labelled: bool | None, min_area: int) -> tuple[str, ...]:
    """What the user should know of the masks of a data set, a line for each kind."""
    lines = []
    split = [mask for mask in masks if mask.how == "regions" and mask.ids != mask.regions]
    if labelled is None and split:
        ids, regions = (sum(getattr(mask, what) for mask in split) for what in ("ids", "regions"))
        lines.append(
            f"{_named(split)}: {counted(ids, 'id')} {'lies' if ids == 1 else 'lie'} in "
            f"{counted(regions, 'region')} of at least {min_area} pixels; each region was taken "
            f"as a cell ({counted(regions, 'cell')}); labelled = true under [cells] would give "
            f"{ids}, labelled = false says that this is right"
        )
    broken = [mask for mask in masks if mask.how == "ids" and mask.apart]
    if broken:
        if any(mask.pieces - mask.apart > mask.specks for mask in broken):
            apart, pieces = (
                sum(getattr(mask, of) for mask in broken) for of in ("apart", "pieces")
            )
            lines.append(f"{_named(broken)}: {pieces_warning(apart, pieces)}")
        else:
            specks = sum(mask.specks for mask in broken)
            lines.append(
                f"{_named(broken)}: {counted(specks, 'speck')} (smaller than min_area = {min_area} "
                "pixels, beside a larger region of the same id) "
                f"{'was' if specks == 1 else 'were'} ignored"
            )
    covering = [mask for mask in masks if mask.covers]
    if covering:
        covers = max(mask.covers for mask in covering)
        lines.append(f"{_named(covering)}: {covering_warning(covers)}")
    return tuple(lines)


def covering_warning(share: float) -> str:
    """That a cell seems to be the background, with the share of the image that it has."""
    return (
        f"a cell has {share:.0%} of the image and reaches all four sides of it: is it the "
        "background (of an inverted image or mask, or a mask with another background than 0)?"
    )


def pieces_warning(apart: int, pieces: int) -> str:
    """That ids lie in several pieces, with numbers."""
    ids = "1 id lies" if apart == 1 else f"{apart:,} ids lie"
    return f"{ids} in {pieces:,} separate pieces; each cell lies at the largest piece of its id"


def _named(masks: Sequence[Mask]) -> str:
    """The first mask, and how many more."""
    more = len(masks) - 1
    return masks[0].where + (f" and {counted(more, 'more mask')}" if more else "")
