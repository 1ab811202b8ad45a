"""Channels scaled group by group, so that stain and exposure of a group no longer tell it apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.cell_boxes import CellBoxes
from napari_channelmix.data.conditions import conditions_for
from napari_channelmix.data.pixel_scaling import RAW
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.wording import counted, listed, quoted

if TYPE_CHECKING:
    from napari_channelmix.data.fields import Field
    from napari_channelmix.data.image_planes import Plane

__all__ = [
    "ScaledPlane",
    "batch_of",
    "follows_classes",
    "group_levels",
    "normalised_by_group_job",
    "one_class_each",
]

C = TypeVar("C", bound=CellBoxes)

Doubles = npt.NDArray[np.float64]
Names = npt.NDArray[np.str_]


@dataclass(frozen=True, eq=False)
class ScaledPlane:
    """A plane whose pixels are multiplied by ``factor``, then moved by ``offset``; float32."""

    plane: Plane
    factor: float
    offset: float

    @property
    def shape(self) -> tuple[int, ...]:
        """Height and width in pixels."""
        return self.plane.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of what comes out."""
        return np.dtype(np.float32)

    @property
    def levels(self) -> tuple[ScaledPlane, ...]:
        """The plane and its smaller copies; see `FilePlane.levels`."""
        levels = getattr(self.plane, "levels", (self.plane,))
        return tuple(replace(self, plane=level) for level in levels)

    @property
    def parts(self) -> tuple[Plane, ...]:
        """The plane it is computed from; see `data.box_reading`."""
        return (self.plane,)

    def made(self, pixels: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """Its pixels from those of the plane."""
        # In double precision: a large offset would cost digits.
        values = np.asarray(pixels[0], dtype=np.float64)
        return (values * self.factor + self.offset).astype(np.float32)

    def __getitem__(self, region: Any, /) -> Any:
        return self.made([np.asarray(self.plane[region])])


def batch_of(cells: CellBoxes, per: str = "group") -> Names:
    """Which batch each cell belongs to, (N,).

    Parameters
    ----------
    cells : Cells
    per : str
        ``group``, or a column of ``cells.conditions``, such as the plate.

    Raises
    ------
    DataError
        Not such a column, or one that has no value for some cells.
    """
    if per == "group":
        return cells.groups
    columns = [] if cells.conditions is None else [str(name) for name in cells.conditions.columns]
    if cells.conditions is None or per not in columns:
        known = f"group, {listed(columns)}" if columns else "group"
        raise DataError(
            f"{cells.name}: no column {quoted(per)} says anything of whole groups; normalise per "
            f"one of: {known}"
        )
    values = (
        conditions_for(cells.conditions[[per]], cells.groups.tolist())[per]
        .fillna("")
        .to_numpy(dtype=str)
    )
    if (values == "").any():
        raise DataError(
            f"{cells.name}: {int((values == '').sum()):,} cells have no {quoted(per)}; fill in the "
            "column, or normalise per group"
        )
    return values


def one_class_each(labels: npt.NDArray[np.int64], batch: Names) -> bool:
    """Whether no batch (N,) has labelled cells of two classes, and there are two classes or more.

    Labels (N,) are positions in the classes, negative for cells without one.
    """
    known = labels >= 0
    pairs = set(zip(batch[known].tolist(), labels[known].tolist(), strict=True))
    return len(pairs) == len({name for name, _ in pairs}) and len({code for _, code in pairs}) > 1


def follows_classes(labels: npt.NDArray[np.int64], batch: Names, groups: Names) -> bool:
    """Whether to know the batch of a cell is to know its class; our definition.

    So it is where every batch holds one class, and is either all of it or several groups of it, as
    in a column of classes or of treatments. Wells of one class each are none: a well is known
    before its class is.

    Parameters
    ----------
    labels : (N,) int array
        Positions in the classes, negative for cells without one.
    batch, groups : (N,) arrays
    """
    if not one_class_each(labels, batch):
        return False
    known = labels >= 0
    batches = len(np.unique(batch[known]))
    return batches == len(np.unique(labels[known])) or batches < len(np.unique(groups[known]))


def group_levels(mean: Doubles, sd: Doubles, batch: Names) -> tuple[Names, Doubles, Doubles]:
    """Level and spread of each channel in each batch.

    Parameters
    ----------
    mean, sd : (N, C) arrays
        Mean and standard deviation of the pixels of each crop.
    batch : (N,) array

    Returns
    -------
    names (B,), level (B, C), spread (B, C)
        Medians over the cells of the batch, so that a few odd cells say nothing.
    """
    names, of = np.unique(batch, return_inverse=True)
    level = np.stack([np.median(mean[of == index], axis=0) for index in range(len(names))])
    spread = np.stack([np.median(sd[of == index], axis=0) for index in range(len(names))])
    return names, level, spread


def normalised_by_group_job(
    cells: C, *, channels: Sequence[str] | None = None, per: str = "group"
) -> Job[C]:
    """`Cells.normalised_by_group` as a job: measure every group, then scale its pixels."""
    chosen = tuple(cells.channels if channels is None else channels)
    planes = cells.with_channels(chosen).planes
    batch = batch_of(cells, per)
    if follows_classes(cells.labels, batch, cells.groups):
        raise DataError(
            f"{cells.name}: every {quoted(per)} holds one class only and stands for it, so scaling "
            f"per {per} would read the class that is to be found; scale per plate or batch, with "
            "all classes in each"
        )
    means = np.zeros((len(cells), len(chosen)))
    sds, done = np.zeros_like(means), 0
    # Planes of the images are scaled, before pixels are.
    for positions, crops in replace(cells.with_channels(chosen), scaling=RAW).passes():
        means[positions] = crops.mean(axis=(2, 3), dtype=np.float64)
        sds[positions] = crops.std(axis=(2, 3), dtype=np.float64)
        done += len(crops)
        yield Progress(done, len(cells), "measuring the groups")
    names, level, spread = group_levels(means, sds, batch)
    flat = np.argwhere(spread <= 0)
    if len(flat):
        group = int(flat[0, 0])
        every = [quoted(chosen[channel]) for row, channel in flat.tolist() if row == group]
        others = len(np.unique(flat[:, 0])) - 1
        more = f" (and such channels in {counted(others, 'other')})" if others else ""
        raise DataError(
            f"{cells.name}: {'channels' if len(every) > 1 else 'channel'} {listed(every)} "
            f"{'are' if len(every) > 1 else 'is'} constant in most cells of "
            f"{quoted(str(names[group]))}{more}, so cannot be scaled there; leave the "
            "channel or the group out"
        )
    # In the middle of the groups' own levels, so that pixels keep about the units of the files.
    factor = np.median(spread, axis=0) / spread
    offset = np.median(level, axis=0) - factor * level
    return _scaled(cells, batch, names, planes, factor, offset, per)


def _scaled(
    cells: C,
    batch: Names,
    names: Names,
    planes: tuple[int, ...],
    factor: Doubles,
    offset: Doubles,
    per: str,
) -> C:
    """The cells over fields of view whose planes are scaled, one for each field and batch."""
    of = np.searchsorted(names, batch)
    pairs, place = np.unique(
        np.stack([cells.table["field"].to_numpy(np.int64), of], axis=1),
        axis=0,
        return_inverse=True,
    )

    def scaled(field: Field, batch_index: int) -> Field:
        own = list(field.planes)
        for channel, plane in enumerate(planes):
            own[plane] = ScaledPlane(
                field.planes[plane],
                float(factor[batch_index, channel]),
                float(offset[batch_index, channel]),
            )
        return replace(field, planes=tuple(own))

    fields = tuple(
        scaled(cells.fields[field], batch_index) for field, batch_index in pairs.tolist()
    )
    table = cells.table.assign(field=place.reshape(-1))
    warnings = (*cells.warnings, *_what_is_lost(cells, batch, per))
    return replace(cells, fields=fields, table=table, warnings=warnings)


def _what_is_lost(cells: CellBoxes, batch: Names, per: str) -> tuple[str, ...]:
    """That differences between batches are gone, true ones too."""
    line = f"each channel was scaled per {per}"
    if not one_class_each(cells.labels, batch):
        return (f"{line}: differences in brightness between them are gone",)
    return (
        f"{line}, and every {per} holds one class only: true differences in brightness between "
        "the classes are gone together with those of stain",
    )
