"""Does the decoder's picture of a cell resemble the cell? Explained variance, with its interval.

1. Decode each cell's latents, and hold the picture against the cell's, inside its outline: outside
   it both are black, which would flatter any blob in the middle of the frame.
2. Compare the squared difference with that of an even grey, the mean of the cell inside its
   outline: 1 is the same picture, 0 is no nearer than that grey, below 0 is further away.
3. Do the same with the picture of another cell: what is explained as well by that is what all cells
   have in common.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from napari_channelmix.classify.intervals import few_groups_text
from napari_channelmix.drl.autoencoder import as_floats
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    from napari_channelmix.drl.cell_drawing import DrawnPictures
    from napari_channelmix.drl.disentangler import Disentangler

__all__ = ["RESEMBLES", "Reconstruction", "measured", "reconstruction_job", "squares"]

FloatArray = npt.NDArray[np.float64]

# Share of the variance from which on a picture resembles the cell. Sprites as the encoder sees them
# reach .61 (texture-sprites) and .83 (cell-sprites); of the sets that were tried, those below .5
# show meshes and grains that are not in the cells (docs/latents.md).
RESEMBLES = 0.5
# Cells that are decoded at most, spread evenly over the data set.
MOST = 500
# Cells that are decoded between two looks at Cancel.
BATCH = 64
LEVEL = 0.95
# Fewer cells than these say little of others.
ENOUGH = 20


@dataclass(frozen=True)
class Reconstruction:
    """How much of what is seen inside the cells their reconstructions explain; our definition.

    Attributes
    ----------
    explained : float
        ``1 - sum((x - decoded)^2) / sum((x - mean of the cell)^2)`` over the pixels inside the
        outlines of all cells, at most 1; each channel of a cell has its own mean.
    low, high : float or None
        95 % interval of it over groups; None with fewer than two of them.
    others : float
        The same where each cell is held against the reconstruction of another one.
    ahead, ahead_low : float, float or None
        ``explained - others``, and the lower end of its 95 % interval over groups.
    n_cells, n_groups : int
        Cells that were decoded, and their groups: as many as cells where none are known.
    """

    explained: float
    low: float | None
    high: float | None
    others: float
    ahead: float
    ahead_low: float | None
    n_cells: int
    n_groups: int

    @property
    def resembles(self) -> bool:
        """Whether the pictures resemble the cells.

        They explain half of the variance or more, and more than those of other cells do; with
        fewer than two groups there is no interval, and ahead is enough.
        """
        sure = self.ahead if self.ahead_low is None else self.ahead_low
        return self.explained >= RESEMBLES and sure > 0

    @property
    def sure(self) -> bool:
        """Whether they resemble the cells, and the groups are enough to say it of others."""
        few = few_groups_text(self.n_groups, self.n_cells)
        return self.resembles and not few and self.n_cells >= ENOUGH

    @property
    def lines(self) -> tuple[str, ...]:
        """The figures with their n and interval, and what they mean, a line each."""
        between = ""
        if self.low is not None and self.high is not None:
            between = f"95 % interval {100 * self.low:.0f} to {100 * self.high:.0f}, "
        of = f"n = {counted(self.n_cells, 'cell')}"
        known = not self.n_groups == self.n_cells > 1
        of += f" of {counted(self.n_groups, 'group')}" if known else ", no groups"
        lines = [
            f"The reconstruction explains {100 * self.explained:.0f} % ({between}{of}) of the "
            f"variance inside the cells; that of another cell {100 * self.others:.0f} %."
        ]
        if not self.resembles:
            lines.append(
                "It does not resemble these cells: no latent's name is verified for them, and "
                "reconstructions must not be read."
            )
        if self.explained < 0:
            lines.append("Below 0, a uniform grey is closer to the cell.")
        few = few_groups_text(self.n_groups, self.n_cells)
        if few and self.low is not None:
            lines.append(f"{few[:1].upper()}{few[1:]}.")
        return tuple(lines)

    def drawing_text(self, of: str) -> str:
        """A line on drawings from named and residual latents, of these cells in words."""
        between = ""
        if self.low is not None and self.high is not None:
            between = f"95 % interval {100 * self.low:.0f} to {100 * self.high:.0f}, "
        known = not self.n_groups == self.n_cells > 1
        groups = f" of {counted(self.n_groups, 'group')}" if known else ""
        line = (
            f"The drawing explains {100 * self.explained:.0f} % ({between}n = "
            f"{counted(self.n_cells, 'cell')}{groups}) of the variance inside {of}; "
            f"that of another cell {100 * self.others:.0f} %."
        )
        few = few_groups_text(self.n_groups, self.n_cells)
        if few:
            line += f" {few[:1].upper()}{few[1:]}."
        if self.resembles:
            return line
        if self.explained >= RESEMBLES and self.ahead > 0:
            return (
                f"{line} That it resembles its own cell more than another is not shown by these "
                "groups: read it with care."
            )
        return f"{line} It does not resemble them: do not read it."

    @property
    def text(self) -> str:
        """The lines as a paragraph."""
        return " ".join(self.lines)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**vars(self), "resembles": self.resembles, "text": self.text}


def reconstruction_job(
    of: Disentangler,
    pictures: npt.NDArray[np.uint8] | DrawnPictures,
    values: npt.NDArray[np.float32],
    groups: npt.NDArray[Any],
) -> Job[Reconstruction | None]:
    """Measure how far reconstructions resemble cells, as a job; at most 500 cells, spread evenly.

    Parameters
    ----------
    of : Disentangler
    pictures : (N, C, H, W) uint8 array, or DrawnPictures
        Black outside the outlines.
    values : (N, Z) float32 array
        Latents of the cells.
    groups : (N,) array
        Of the cells; the other cell that each is held against is half the data set away.

    Returns
    -------
    Reconstruction or None
        None for fewer than two cells, or where no cell has anything to be seen.
    """
    count = len(pictures)
    if count < 2:
        return None
    chosen = np.unique(np.linspace(0, count - 1, min(count, MOST)).astype(np.int64))
    other = np.roll(chosen, len(chosen) // 2)
    sums = np.zeros((3, len(chosen)))
    for start in range(0, len(chosen), BATCH):
        yield Progress(start, len(chosen), "comparing reconstructions with cells")
        some = slice(start, start + BATCH)
        seen = as_floats(pictures[chosen[some]]).astype(np.float64)
        own, others = (of.decode(values[rows[some]]) for rows in (chosen, other))
        sums[:, some] = squares(seen, own, others)
    return measured(sums, np.asarray(groups)[chosen])


def squares(
    seen: FloatArray, own: npt.NDArray[np.float32], others: npt.NDArray[np.float32]
) -> FloatArray:
    """Squared differences (3, n) inside the outlines: from an even grey, own and other pictures."""
    inside = (seen > 0).any(axis=1, keepdims=True)
    pixels = np.maximum(inside.sum(axis=(2, 3), keepdims=True), 1)
    grey = np.where(inside, seen, 0).sum(axis=(2, 3), keepdims=True) / pixels
    return np.stack(
        [
            np.where(inside, (seen - picture) ** 2, 0).sum(axis=(1, 2, 3))
            for picture in (grey, own, others)
        ]
    )


def measured(sums: FloatArray, groups: npt.NDArray[Any]) -> Reconstruction | None:
    """From squared differences (3, N) of cells and their groups (N,)."""
    grey, own, others = sums
    if grey.sum() <= 0:
        return None
    _, group = np.unique(groups, return_inverse=True)
    by_group = np.stack([np.bincount(group, weights=of) for of in (grey, own, others)])
    left, ahead = by_group[1], by_group[2] - by_group[1]
    explained, reach = 1 - own.sum() / grey.sum(), _reach(left, by_group[0])
    more, ahead_reach = float(ahead.sum() / grey.sum()), _reach(ahead, by_group[0])
    return Reconstruction(
        explained=float(explained),
        low=None if reach is None else float(explained - reach),
        high=None if reach is None else float(min(1.0, explained + reach)),
        others=float(1 - others.sum() / grey.sum()),
        ahead=more,
        ahead_low=None if ahead_reach is None else more - ahead_reach,
        n_cells=len(grey),
        n_groups=by_group.shape[1],
    )


def _reach(part: FloatArray, whole: FloatArray) -> float | None:
    """How far the interval of a ratio of sums over groups (G,) reaches to either side.

    The linearised variance of a ratio estimator (Cochran 1977, Sampling Techniques, chapter 6),
    and a t distribution with G - 1 degrees of freedom.
    """
    groups = len(part)
    if groups < 2:
        return None
    residuals = (part - part.sum() / whole.sum() * whole) / whole.sum()
    variance = groups / (groups - 1) * (residuals**2).sum()
    return float(stats.t.ppf(0.5 + LEVEL / 2, groups - 1) * np.sqrt(variance))
