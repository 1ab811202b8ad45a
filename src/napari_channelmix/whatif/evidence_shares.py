"""Share of a map's evidence in the cell, in its neighbours and in the background, cell by cell.

A cell is its outline with the margin that light reaches beyond it, up to half the way to the next
outline, as in the shortcut audit (`removal`). Our definition.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.intervals import few_groups_text
from napari_channelmix.data.crop_outlines import BY_LIGHT, DISC, LABELLED, LightScale
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.whatif.crops import cell_crops
from napari_channelmix.whatif.group_intervals import class_means
from napari_channelmix.whatif.removal import removal_margin, territories
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_channelmix.data import Cells
    from napari_channelmix.whatif.crops import CellCrops

__all__ = [
    "PARTS",
    "CellParts",
    "EvidenceShares",
    "cell_parts_job",
    "mean_share_line",
    "part_shares",
]

Doubles = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

#: Parts of a crop.
PARTS = ("cell", "neighbours", "background")
# Cells that margin and scale are made of.
SAMPLE = 64
NO_OUTLINE = "No outline of this cell is known: where its evidence lies is not counted."


def part_shares(
    maps: npt.NDArray[np.float32], crops: CellCrops, margin: float
) -> tuple[Doubles, Doubles]:
    """Share of the absolute values of each map in the cell, its neighbours and the background.

    Parameters
    ----------
    maps : (n, H, W) or (n, C, H, W) array
        Attribution of each pixel; of several channels the absolute values are added.
    crops : CellCrops
        Of the same n cells.
    margin : float
        Pixels around an outline that belong to the cell.

    Returns
    -------
    shares, areas : (n, 3) float64 arrays
        Rows sum to 1; NaN where a map is 0 all over. ``areas``: shares of the pixels.
    """
    own, others = territories(crops, margin)
    return _shares(maps, own, others)


def _shares(maps: npt.NDArray[np.float32], own: Mask, others: Mask) -> tuple[Doubles, Doubles]:
    size = np.abs(np.asarray(maps, np.float64))
    size = size.sum(axis=1) if size.ndim == 4 else size
    parts = np.stack([own, others, ~(own | others)], axis=1)
    total = size.sum(axis=(1, 2))
    inside = np.einsum("nphw,nhw->np", parts.astype(np.float64), size)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = inside / np.where(total > 0, total, np.nan)[:, None]
    return shares, parts.mean(axis=(2, 3))


@dataclass(frozen=True, eq=False)
class EvidenceShares:
    """Where the evidence of n cells lies.

    Attributes
    ----------
    outline : (n,) str array
        ``label``, ``light`` or ``disc``; see `data.crop_outlines`. Of an outline by light no
        neighbours are known, and they count as background. A disc stands for no outline: its
        figures are NaN.
    areas : (n, 3) float64 array
        Shares of the pixels of the crop in the `PARTS`.
    evidence : (n, 3) float64 array
        Shares of the absolute values of the map: for and against the class. NaN where a map is 0
        all over.
    magnitude : (n, 3) float64 array
        Shares of the magnitude.
    margin : float
        Pixels around an outline that belong to the cell.
    """

    outline: npt.NDArray[np.str_]
    areas: Doubles
    evidence: Doubles
    magnitude: Doubles
    margin: float

    def __len__(self) -> int:
        return len(self.outline)

    def words(self, row: int, magnitude: bool = False) -> str:
        """A sentence on one cell, for people; says so where no outline is known.

        Examples
        --------
        >>> import numpy as np
        >>> share, area = np.array([[0.62, 0.11, 0.27]]), np.array([[0.18, 0.1, 0.72]])
        >>> shares = EvidenceShares(np.array(["label"]), area, share, share, 2)
        >>> shares.words(0)  # doctest: +NORMALIZE_WHITESPACE
        'Evidence for or against: 62 % in the cell, 11 % in neighbours, 27 % in the background (the
        cell covers 18 % of the crop).'
        """
        if self.outline[row] == DISC:
            return NO_OUTLINE
        shares = (self.magnitude if magnitude else self.evidence)[row]
        if not np.isfinite(shares).all():
            return ""
        what = "Magnitude" if magnitude else "Evidence for or against"
        area = f"the cell covers {_percent(self.areas[row, 0])} of the crop"
        if self.outline[row] == BY_LIGHT:
            return (
                f"{what}: {_percent(shares[0])} in the cell, {_percent(1 - shares[0])} outside it "
                f"({area}; its outline was found by its light)."
            )
        where = f"{_percent(shares[0])} in the cell, {_percent(shares[1])} in neighbours"
        return f"{what}: {where}, {_percent(shares[2])} in the background ({area})."

    def both(self, row: int) -> tuple[str, ...]:
        """`words` on the map and on the magnitude of one cell, where there are any."""
        lines = self.words(row), self.words(row, magnitude=True)
        return tuple(dict.fromkeys(line for line in lines if line))

    def as_dict(self) -> dict[str, Any]:
        """For JSON: ``margin``; lists of n: ``outline``, ``areas``, ``evidence``, ``magnitude``.

        Shares are lists of three, or None where they are not known; the second of an outline by
        light is None.
        """
        return {
            "margin": self.margin,
            "outline": self.outline.tolist(),
            "areas": self._rows(self.areas),
            "evidence": self._rows(self.evidence),
            "magnitude": self._rows(self.magnitude),
        }

    @classmethod
    def of_row(cls, stored: Mapping[str, Any], row: int) -> EvidenceShares:
        """One row of what `as_dict` gives."""

        def shares(name: str) -> Doubles:
            known = stored[name][row]
            if known is None:
                return np.full((1, 3), np.nan)
            # Of an outline by light no neighbours are known.
            return np.array([[0.0 if share is None else share for share in known]])

        outline = np.array([stored["outline"][row]])
        areas, evidence, magnitude = map(shares, ("areas", "evidence", "magnitude"))
        return cls(outline, areas, evidence, magnitude, stored["margin"])

    def _rows(self, shares: Doubles) -> list[object]:
        rows: list[object] = []
        for outline, row in zip(self.outline.tolist(), shares, strict=True):
            if outline == DISC or not np.isfinite(row).all():
                rows.append(None)
                continue
            cell, neighbours, background = (round(float(share), 4) for share in row)
            rows.append([cell, neighbours if outline == LABELLED else None, background])
        return rows


@dataclass(frozen=True)
class CellParts:
    """What tells the cell, its neighbours and the background in the crops of a data set.

    Attributes
    ----------
    cells : Cells
    scale : LightScale
        For cells without a label.
    margin : float
        Pixels around an outline that belong to the cell; see `removal_margin`.
    """

    cells: Cells
    scale: LightScale
    margin: float

    @classmethod
    def of_cells(cls, cells: Cells) -> CellParts:
        """From up to 64 cells of a data set, spread evenly: the same whichever are looked at.

        Raises
        ------
        DataError
            Pixels that cannot be read.
        """
        count = min(len(cells), SAMPLE)
        sample = np.unique(np.linspace(0, len(cells) - 1, count).astype(np.int64))
        pixels = cells.read(sample)
        scale = LightScale.of(pixels)
        crops = cell_crops(cells, sample, scale=scale, crops=pixels)
        return cls(cells, scale, removal_margin(crops))

    def shares(
        self,
        positions: npt.ArrayLike,
        pixels: npt.NDArray[np.float32],
        maps: npt.NDArray[np.float32],
        magnitude: npt.NDArray[np.float32],
    ) -> EvidenceShares:
        """Where the evidence of some cells lies.

        Parameters
        ----------
        positions : (n,) ints
            Of the cells in the data set.
        pixels : (n, C, H, W) float32 array
            Their crops, raw units.
        maps, magnitude : (n, H, W) float32 arrays
        """
        crops = cell_crops(self.cells, positions, scale=self.scale, crops=pixels)
        own, others = territories(crops, self.margin)
        evidence, areas = _shares(maps, own, others)
        sizes, _ = _shares(magnitude, own, others)
        unknown = crops.disc
        for shares in (areas, evidence, sizes):
            shares[unknown] = np.nan
        return EvidenceShares(crops.origin, areas, evidence, sizes, self.margin)


def cell_parts_job(cells: Cells) -> Job[CellParts]:
    """`CellParts.of_cells` as a job."""
    yield Progress(0, 1, "reading the outlines of some cells")
    return CellParts.of_cells(cells)


def mean_share_line(
    shares: Doubles, areas: Doubles, groups: npt.NDArray[np.str_], what: str
) -> str:
    """The mean share in the cell over some cells, with its interval over groups, as a sentence.

    Empty where no share is known.

    Parameters
    ----------
    shares, areas : (n, 3) float64 arrays
    groups : (n,) str array
    what : str
        Whose shares they are, in words.
    """
    known = np.isfinite(shares[:, 0])
    if not known.any():
        return ""
    names = groups[known]
    means = class_means(shares[known, 0], np.zeros(len(names), np.int64), names, 1)
    low, high, area = float(means.low[0]), float(means.high[0]), areas[known, 0].mean()
    interval = ""
    if np.isfinite([low, high]).all():
        interval = f" (95 % interval {_percent(max(low, 0))} to {_percent(min(high, 1))})"
    count, n_groups = len(names), len(np.unique(names))
    counts = counted(count, "map")
    if n_groups != count:
        counts += f" of {counted(n_groups, 'group')}"
    few = few_groups_text(n_groups, count)
    return (
        f"{what}: on average {_percent(float(means.mean[0]))}{interval} lie in the cell, which "
        f"covers {_percent(float(area))} of the crop; n = {counts}{f'; {few}' if few else ''}"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
