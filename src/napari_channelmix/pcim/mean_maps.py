"""The mean map of each class: maps of many cells, brought to one place and one direction first.

Cells lie in their crops at any angle, so maps that are only laid on each other blur into a disc.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from napari_channelmix.classify.intervals import few_groups_text
from napari_channelmix.data.crop_outlines import (
    BY_LIGHT,
    DISC,
    LABELLED,
    LightScale,
    crop_outlines,
    outline_by_light,
)
from napari_channelmix.errors import ModelError
from napari_channelmix.shown_result import ShownResult
from napari_channelmix.wording import counted, quoted

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from napari_channelmix.data.cells import Cells
    from napari_channelmix.pcim.attribution import Attribution
    from napari_channelmix.result_display import Summary

__all__ = ["ALIGNMENTS", "Alignment", "MeanMaps", "Pose", "mean_maps", "pose_of"]

FloatArray = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Alignment = Literal["axis", "centre", "none"]

#: The cell's main axis turned across the crop, the cell moved into the middle, or nothing.
ALIGNMENTS: tuple[Alignment, ...] = ("axis", "centre", "none")
# Below this ratio of the axes of an outline it has no direction.
LEAST_RATIO = 1.25
BATCH = 128
ALL_CHANNELS = "all channels"


@dataclass(frozen=True)
class Pose:
    """Where a cell lies in its crop.

    Attributes
    ----------
    y, x : float
        Middle of its outline, in pixels.
    angle : float
        Of its main axis against the columns, radians; 0 where it is nearly round.
    ratio : float
        Of the spread along the main axis to that across it; 1 is round.
    """

    y: float
    x: float
    angle: float
    ratio: float


@dataclass(frozen=True, eq=False, repr=False)
class MeanMaps(ShownResult):
    """Mean maps of classes.

    Attributes
    ----------
    classes : tuple of str
        K classes that any map explains.
    channels : tuple of str
        P names: of the channels where each has maps of its own, else ``all channels``.
    maps : (K, P, H, W) float32 array
        Mean over the cells of their maps, each divided by the sum of its absolute evidence: every
        cell has the same say. Above 0 speaks for the class; times 100 it is per cent of the
        evidence of a cell.
    crops : (K, C, H, W) float32 array
        Mean of their pixels in raw units, aligned alike.
    n, groups : (K,) int64 arrays
        Cells, and groups that they are from.
    agreement : (K,) float64 array
        Mean correlation of a cell's map with the mean of the others'; NaN of one cell. Near 0 the
        mean map is of no cell in particular.
    align : {"axis", "centre", "none"}
    lines : tuple of str
        How outlines were found, and what must not be read from the maps.
    greys : (K, H, W) float32 array or None
        The mean cells, 0 to 1, below maps of all channels together; None: these averaged.

    Examples
    --------
    >>> mean = cm.mean_maps(cm.explain(model, test, only=[0, 1, 2, 3]))
    >>> mean.classes, mean.n.tolist(), mean.maps.shape
    (('low', 'high'), [2, 2], (2, 1, 12, 12))
    """

    classes: tuple[str, ...]
    channels: tuple[str, ...]
    maps: FloatArray = field(repr=False)
    crops: FloatArray = field(repr=False)
    n: npt.NDArray[np.int64]
    groups: npt.NDArray[np.int64]
    agreement: npt.NDArray[np.float64]
    align: Alignment
    lines: tuple[str, ...] = ()
    greys: FloatArray | None = field(default=None, repr=False)

    def to_frame(self) -> pd.DataFrame:
        """A row per class: ``class_name``, ``n``, ``groups``, ``agreement``."""
        import pandas as pd

        return pd.DataFrame(
            {
                "class_name": self.classes,
                "n": self.n,
                "groups": self.groups,
                "agreement": self.agreement,
            }
        )

    def summary(self) -> Summary:
        """What is shown of it in a notebook."""
        from napari_channelmix.pcim.result_summaries import mean_maps_summary

        return mean_maps_summary(self)

    def plot(self) -> Figure:
        """As `figure`."""
        return self.figure()

    def save(self, folder: str | Path) -> tuple[Path, ...]:
        """Write ``mean-maps.npy``, ``mean-cells.npy``, ``mean-maps.csv``, ``.json``, ``.png``.

        Raises
        ------
        SaveError
            Disk full, folder read-only and the like.
        """
        from napari_channelmix.data.result_files import save_result, write_array

        folder = Path(folder)
        content = {
            "classes": list(self.classes),
            "channels": list(self.channels),
            "n": self.n.tolist(),
            "groups": self.groups.tolist(),
            "agreement": self.agreement.tolist(),
            "align": self.align,
            "lines": list(self.lines),
        }
        return (
            write_array(folder / "mean-maps.npy", self.maps),
            write_array(folder / "mean-cells.npy", self.crops),
            *save_result(folder, "mean-maps", content, self.to_frame(), self.plot()),
        )

    def figure(self) -> Figure:
        """A row per class, a column per channel: the mean cell in grey, its mean map over it."""
        from napari_channelmix.pcim.map_figure import mean_maps_figure

        rows = [
            f"{name}\nn = {n}, {counted(groups, 'group')}"
            for name, n, groups in zip(
                self.classes, self.n.tolist(), self.groups.tolist(), strict=True
            )
        ]
        return mean_maps_figure(self.crops, self.maps, rows, self.channels, self.greys)


def pose_of(outline: Mask) -> Pose:
    """Middle and direction of an outline (H, W), from its moments.

    The main axis has two ends: the one with the longer tail (third moment above 0) is at its end
    to the right, so that cells with a head and a tail come to lie alike.

    Examples
    --------
    >>> outline = np.zeros((9, 9), bool)
    >>> outline[2:7, 4] = True  # upright
    >>> pose = pose_of(outline)
    >>> pose.y, pose.x, round(abs(pose.angle), 3)
    (4.0, 4.0, 1.571)
    """
    rows, columns = np.nonzero(outline)
    if not len(rows):
        height, width = outline.shape
        return Pose((height - 1) / 2, (width - 1) / 2, 0.0, 1.0)
    y, x = float(rows.mean()), float(columns.mean())
    away = np.stack([columns - x, rows - y])
    spread = away @ away.T / len(rows) + np.eye(2) / 12
    values, vectors = np.linalg.eigh(spread)
    ratio = float(np.sqrt(values[1] / values[0]))
    if ratio < LEAST_RATIO:
        return Pose(y, x, 0.0, ratio)
    axis = vectors[:, 1]
    if float(((axis @ away) ** 3).sum()) < 0:
        axis = -axis
    return Pose(y, x, float(np.arctan2(axis[1], axis[0])), ratio)


def mean_maps(attribution: Attribution, align: str = "axis") -> MeanMaps:
    """Mean map of each class that an attribution explains.

    Parameters
    ----------
    attribution : Attribution
        With ``channels="separate"`` each channel has a mean map of its own.
    align : {"axis", "centre", "none"}
        ``axis`` turns each cell about the middle of its outline until its main axis lies along the
        columns, where the outline has a direction (axes at least 1.25 to 1); ``centre`` only moves
        it. Outlines are those of the label image, else found by the cell's light. Bilinear; pixels
        from beyond a crop count for nothing. Our definition.

    Returns
    -------
    MeanMaps

    Raises
    ------
    ModelError
        Another word for ``align``; what is no attribution.

    Examples
    --------
    >>> import napari_channelmix as cm
    >>> def scores(crops):  # the brightness in the middle decides
    ...     middle = crops[:, 0, 6:10, 6:10].mean((1, 2))
    ...     return np.stack([-middle, middle], axis=1)
    >>> crops = np.zeros((3, 1, 16, 16), np.float32)
    >>> crops[:, :, 5:11, 5:11] = 4
    >>> mean = cm.mean_maps(cm.explain(scores, crops, forwards=50, check=False))
    >>> mean.classes, mean.n.tolist(), mean.maps.shape
    (('class 1',), [3], (1, 1, 16, 16))
    """
    if not hasattr(attribution, "channel_maps"):
        raise ModelError(
            f"mean maps are of an attribution, as cm.explain gives it, not of "
            f"{type(attribution).__name__}"
        )
    if align not in ALIGNMENTS:
        raise ModelError(f"align {quoted(align)} is unknown; use axis, centre or none")
    maps = attribution.channel_maps
    names = attribution.channels
    if maps is None:
        maps, names = attribution.maps[:, None], (ALL_CHANNELS,)
    source = attribution.source
    scale = LightScale.of(source.crops(slice(0, 200)))
    groups = (
        np.arange(len(source)).astype(str)
        if source.known is None
        else np.asarray(source.known.groups, str)[source.numbers]
    )
    explained = np.unique(attribution.target)
    sums = _Sums(len(explained), maps.shape[1], len(attribution.channels), source.shape[2:])
    laid: list[FloatArray] = []
    origins: list[str] = []
    for start in range(0, len(source), BATCH):
        some = slice(start, start + BATCH)
        crops = source.crops(some)
        poses, origin = _poses(source.known, source.numbers[some], crops, scale)
        origins += origin
        size = np.abs(maps[some]).sum(axis=(1, 2, 3), keepdims=True)
        shares = np.divide(maps[some], size, out=np.zeros_like(maps[some]), where=size > 0)
        kinds = np.searchsorted(explained, attribution.target[some])
        laid.append(sums.add(shares, crops, poses, kinds, align))
    aligned, kinds = np.concatenate(laid), np.searchsorted(explained, attribution.target)
    n = np.bincount(kinds, minlength=len(explained))
    counts = [len(np.unique(groups[kinds == kind])) for kind in range(len(explained))]
    classes = tuple(attribution.classes[code] for code in explained.tolist())
    mean_cells = sums.crops()
    return MeanMaps(
        classes,
        names,
        sums.maps(),
        mean_cells,
        n,
        np.array(counts, np.int64),
        np.array([_agreement(aligned[kinds == kind]) for kind in range(len(explained))]),
        align,
        _lines(classes, n.tolist(), counts, origins, align),
        source.greys_of(mean_cells)[0],
    )


class _Sums:
    """Sums of what was aligned, and how often each pixel was covered."""

    def __init__(self, kinds: int, planes: int, channels: int, size: tuple[int, ...]) -> None:
        self._values = np.zeros((kinds, planes + channels, *size), np.float64)
        self._covered = np.zeros((kinds, 1, *size), np.float64)
        self._planes = planes

    def add(
        self,
        maps: FloatArray,
        crops: FloatArray,
        poses: list[Pose],
        kinds: npt.NDArray[np.int64],
        align: str,
    ) -> FloatArray:
        """Add some cells; their aligned maps (n, P, H, W)."""
        ones = np.ones_like(crops[:, :1])
        stacked = np.concatenate([maps, crops, ones], axis=1)
        moved = stacked if align == "none" else _moved(stacked, poses, turn=align == "axis")
        np.add.at(self._values, kinds, moved[:, :-1])
        np.add.at(self._covered, kinds, moved[:, -1:])
        return moved[:, : self._planes]

    def maps(self) -> FloatArray:
        return self._mean()[:, : self._planes]

    def crops(self) -> FloatArray:
        return self._mean()[:, self._planes :]

    def _mean(self) -> FloatArray:
        covered = self._covered > 1e-6
        mean: FloatArray = np.divide(
            self._values, self._covered, out=np.zeros_like(self._values), where=covered
        ).astype(np.float32)
        return mean


def _moved(stacked: FloatArray, poses: list[Pose], *, turn: bool) -> FloatArray:
    """Pictures (n, P, H, W) with each cell in the middle, and its main axis along the columns."""
    height, width = stacked.shape[2:]
    theta = np.zeros((len(poses), 2, 3))
    for row, pose in enumerate(poses):
        angle = pose.angle if turn else 0.0
        cosine, sine = np.cos(angle), np.sin(angle)
        # In units of half the picture, as `affine_grid` has them.
        theta[row] = [
            [cosine, -sine * height / width, (2 * pose.x + 1) / width - 1],
            [sine * width / height, cosine, (2 * pose.y + 1) / height - 1],
        ]
    grid = functional.affine_grid(
        torch.from_numpy(theta).float(), list(stacked.shape), align_corners=False
    )
    moved: FloatArray = functional.grid_sample(
        torch.from_numpy(stacked), grid, mode="bilinear", align_corners=False
    ).numpy()
    return moved


def _poses(
    known: Cells | None, numbers: npt.NDArray[np.int64], crops: FloatArray, scale: LightScale
) -> tuple[list[Pose], list[str]]:
    if known is not None:
        outlines = crop_outlines(known, numbers, crops, scale)
        return [pose_of(mask) for mask in outlines.cell], outlines.origin.tolist()
    outlined = [outline_by_light(signal) for signal in scale.signal(crops)]
    return (
        [pose_of(mask) for mask, _ in outlined],
        [BY_LIGHT if known else DISC for _, known in outlined],
    )


def _agreement(maps: FloatArray) -> float:
    """Mean correlation of each map with the mean of the others."""
    if len(maps) < 2:
        return float("nan")
    flat = maps.reshape(len(maps), -1).astype(np.float64)
    others = (flat.sum(axis=0) - flat) / (len(flat) - 1)
    one, other = (values - values.mean(axis=1, keepdims=True) for values in (flat, others))
    lengths = np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1))
    products = (one * other).sum(axis=1)
    return float(
        np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0).mean()
    )


def _lines(
    classes: tuple[str, ...], n: list[int], groups: list[int], origins: list[str], align: str
) -> tuple[str, ...]:
    lines = []
    if align != "none":
        labelled, discs = origins.count(LABELLED), origins.count(DISC)
        light = len(origins) - labelled - discs
        parts = [
            text
            for count, text in (
                (labelled, f"{labelled:,} by their labels"),
                (light, f"{light:,} by the outline of their light"),
                (discs, f"{discs:,} not at all, for no outline was found"),
            )
            if count
        ]
        lines.append(f"cells were aligned: {', '.join(parts)}")
    for name, count, of in zip(classes, n, groups, strict=True):
        if count == 1:
            lines.append(f"{name}: one cell, no mean")
        elif few := few_groups_text(of, count):
            lines.append(f"{name}: {counted(count, 'cell')}; {few}")
    return tuple(lines)
