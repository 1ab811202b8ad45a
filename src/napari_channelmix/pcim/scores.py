"""Scores of attribution maps, over all cells at once.

Fidelity (insertion, deletion, SRG) asks the classifier; localisation (rank accuracy, AUROC) asks
a mask of the pixels that matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from scipy import stats
from scipy.integrate import trapezoid
from torch import Tensor

from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.pcim.references import APART, Reference, Removal, reported_kinds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_channelmix.pcim.cell_pool import PooledCells
    from napari_channelmix.pcim.model_adapter import Subject
    from napari_channelmix.pcim.target import Target

__all__ = [
    "SHARES",
    "Fidelity",
    "auroc",
    "fidelity_job",
    "joined",
    "rank_accuracy",
    "rank_correlation",
    "relative_change",
    "shared_strongest",
]

FloatArray = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

# Shares of the pixels at which the curves are taken: dense where they bend.
SHARES = (
    0,
    0.005,
    0.01,
    0.02,
    0.03,
    0.045,
    0.06,
    0.08,
    0.1,
    0.13,
    0.17,
    0.22,
    0.28,
    0.35,
    0.45,
    0.6,
    0.8,
    1,
)


@dataclass(frozen=True, eq=False)
class Fidelity:
    """What the classifier says as a map's best pixels come and go.

    Attributes
    ----------
    shares : (S,) float64 array
        Shares of the pixels, 0 to 1.
    inserting, deleting : (R, N, S) float32 arrays
        Probability of the target for each reference, cell and share: the best pixels put into
        the reference, or taken out of the image.
    references : tuple of str
        R kinds, see `pcim.references.reference`.
    """

    shares: Doubles
    inserting: FloatArray
    deleting: FloatArray
    references: tuple[str, ...]

    @property
    def counted(self) -> npt.NDArray[np.bool_]:
        """References (R,) over which means are taken: those of kinds that no method works with.

        All of them where there is no other.
        """
        counted = np.array([kind != APART for kind in self.references])
        return counted if counted.any() else ~counted

    @property
    def mean_inserting(self) -> FloatArray:
        """The insertion curve of each cell (N, S), mean over the references that count."""
        mean: FloatArray = self.inserting[self.counted].mean(axis=0)
        return mean

    @property
    def mean_deleting(self) -> FloatArray:
        """The deletion curve of each cell (N, S), mean over the references that count."""
        mean: FloatArray = self.deleting[self.counted].mean(axis=0)
        return mean

    @property
    def insertion(self) -> Doubles:
        """Area under the insertion curve of each cell (N,), mean over `counted` references."""
        return self._area(self.inserting)

    @property
    def deletion(self) -> Doubles:
        """Area under the deletion curve of each cell (N,), mean over `counted` references."""
        return self._area(self.deleting)

    @property
    def srg_by_reference(self) -> Doubles:
        """Insertion minus deletion (R, N), for each reference by itself; see `srg`."""
        return self._areas(self.inserting) - self._areas(self.deleting)

    @property
    def srg(self) -> Doubles:
        """Insertion minus deletion of each cell (N,), -1 to 1; higher is better.

        The mean over `counted` references. Symmetric relevance gain: Bluecher et al., 'Decoupling
        Pixel Flipping and Occlusion Strategy for Consistent XAI Benchmarks', arXiv 2401.06654.
        """
        return self.insertion - self.deletion

    def _area(self, curves: FloatArray) -> Doubles:
        area: Doubles = self._areas(curves)[self.counted].mean(axis=0)
        return area

    def _areas(self, curves: FloatArray) -> Doubles:
        return np.asarray(trapezoid(curves.astype(np.float64), self.shares, axis=-1))


def fidelity_job(
    subject: Subject,
    x: Tensor,
    mean: Tensor,
    target: Target,
    maps: FloatArray,
    *,
    references: tuple[str, ...] | None = None,
    shares: Sequence[float] = SHARES,
    seed: int = 0,
    batch: int = 64,
    sd: Tensor | None = None,
    other_cells: PooledCells | None = None,
) -> Job[Fidelity]:
    """Insertion and deletion curves; a job with a step for each share and reference.

    Ties between pixels are broken by their place, rows first. Petsiuk et al., 'RISE', arXiv
    1806.07421, here with references of several kinds.

    Parameters
    ----------
    x : (N, C, H, W) tensor
        Cells on the scale of the subject.
    mean : (1, C, 1, 1) tensor
    target : Target
    maps : (N, H, W) or (N, C, H, W) array
        Higher means more important; with channels, the single values are ranked.
    references : tuple of str, optional
        Default: all that are reported; see `pcim.references`.
    shares : sequence of float
        Of the pixels, 0 to 1, at which the curves are taken.
    seed : int
        Of the references that are drawn.
    batch : int
        Images at once.
    sd : (1, C, 1, 1) tensor, optional
        Of the data set; default: that of each cell.
    other_cells : PooledCells, optional
        Real cells; without them the kind ``other cells`` is not reported.

    Raises
    ------
    DataError
        Maps of another shape than the cells.
    """
    ranks = _ranks(maps, x)
    counts = [round(share * ranks[0].numel()) for share in shares]
    if references is None:
        references = reported_kinds(other_cells)
    curves = np.empty((2, len(references), len(x), len(counts)), dtype=np.float32)
    for index, kind in enumerate(references):
        removal = Removal(Reference(x, mean, seed, sd=sd, other_cells=other_cells), kind)
        for point, count in enumerate(counts):
            for start in range(0, len(x), batch):
                some = slice(start, start + batch)
                best = ranks[some] < count
                pair = (removal.kept(best, some), removal.kept(~best, some))
                with torch.inference_mode():
                    for which, images in enumerate(pair):
                        p = target[some].probability(subject.scores(images).float())
                        curves[which, index, some, point] = p.cpu().numpy()
            yield Progress(
                index * len(counts) + point + 1,
                len(references) * len(counts),
                "inserting and deleting pixels",
            )
    return Fidelity(np.array(shares, np.float64), curves[0], curves[1], tuple(references))


def joined(parts: Sequence[Fidelity]) -> Fidelity:
    """The curves of several batches of cells as one."""
    curves = [
        np.concatenate([getattr(part, name) for part in parts], axis=1)
        for name in ("inserting", "deleting")
    ]
    return Fidelity(parts[0].shares, curves[0], curves[1], parts[0].references)


def _ranks(maps: FloatArray, x: Tensor) -> Tensor:
    """Rank of each value within its cell, 0 for the highest: (N, 1 or C, H, W)."""
    values = torch.from_numpy(np.ascontiguousarray(maps, dtype=np.float32)).to(x.device)
    if values.ndim == 3:
        values = values[:, None]
    if (
        values.shape[0] != x.shape[0]
        or values.shape[2:] != x.shape[2:]
        or values.shape[1] not in (1, x.shape[1])
    ):
        raise DataError(f"maps of shape {tuple(maps.shape)} do not fit cells {tuple(x.shape)}")
    order = values.flatten(1).argsort(dim=1, descending=True, stable=True)
    places = torch.arange(order.shape[1], device=x.device).expand_as(order)
    return torch.empty_like(order).scatter_(1, order, places).view(values.shape)


def rank_accuracy(maps: FloatArray, masks: npt.NDArray[np.bool_]) -> Doubles:
    """Share of the |M| highest pixels that lie in the mask M, for each cell (N,).

    NaN where a mask is empty. Arras et al., 'CLEVR-XAI' (relevance rank accuracy), arXiv
    2003.07258.
    """
    flat, inside = _flat(maps, masks)
    highest_first = np.argsort(-flat, axis=1, kind="stable")
    inside_by_rank = np.take_along_axis(inside, highest_first, axis=1)
    sizes = inside.sum(axis=1)
    hits = np.cumsum(inside_by_rank, axis=1)[np.arange(len(flat)), np.maximum(sizes, 1) - 1]
    return np.where(sizes > 0, hits / np.maximum(sizes, 1), np.nan)


def auroc(maps: FloatArray, masks: npt.NDArray[np.bool_]) -> Doubles:
    """Chance that a pixel of the mask is above one outside it, for each cell (N,); ties count half.

    NaN where a mask is empty or covers everything.
    """
    flat, inside = _flat(maps, masks)
    ranks = stats.rankdata(flat, axis=1)
    own = inside.sum(axis=1)
    others = inside.shape[1] - own
    wins = (ranks * inside).sum(axis=1) - own * (own + 1) / 2
    return np.where((own > 0) & (others > 0), wins / np.maximum(own * others, 1), np.nan)


def rank_correlation(maps: FloatArray, others: FloatArray) -> Doubles:
    """Spearman's rho of two maps of each cell (N,); 0 where a map is constant.

    Between a map and that of a network with random weights it is the randomisation test (lower
    is better): Adebayo et al., 'Sanity Checks for Saliency Maps', arXiv 1810.03292.
    """
    both = [stats.rankdata(array.reshape(len(array), -1), axis=1) for array in (maps, others)]
    centred = [ranks - ranks.mean(axis=1, keepdims=True) for ranks in both]
    spread = np.sqrt(np.prod([(array**2).sum(axis=1) for array in centred], axis=0))
    correlation: Doubles = (centred[0] * centred[1]).sum(axis=1) / np.where(
        spread > 0, spread, np.inf
    )
    return correlation


def relative_change(maps: FloatArray, others: FloatArray) -> Doubles:
    """``|map - other| / |map|`` of each cell (N,), each map scaled to unit length; 0 to 2.

    Between a map and that of the same cell with a little noise it is the stability (lower is
    better). Our definition, after Yeh et al., 'On the (In)fidelity and Sensitivity of
    Explanations', arXiv 1901.09392.
    """
    units = []
    for array in (maps, others):
        flat = array.reshape(len(array), -1).astype(np.float64)
        length = np.linalg.norm(flat, axis=1, keepdims=True)
        units.append(flat / np.where(length > 0, length, 1))
    change: Doubles = np.linalg.norm(units[0] - units[1], axis=1)
    return change


def shared_strongest(maps: FloatArray, others: FloatArray, share: float = 0.1) -> Doubles:
    """Share of the strongest pixels of each map that are among the strongest of the other (N,).

    ``share`` of the pixels count as strongest, one at least; ties go to the earlier pixel. 1 where
    they are the same pixels; two maps without a link share ``share`` of them by chance. Our
    definition.
    """
    flat = [array.reshape(len(array), -1) for array in (maps, others)]
    count = max(1, round(share * flat[0].shape[1]))
    strongest = np.zeros((2, *flat[0].shape), dtype=bool)
    for which, values in enumerate(flat):
        order = np.argsort(-values, axis=1, kind="stable")[:, :count]
        np.put_along_axis(strongest[which], order, True, axis=1)
    result: Doubles = (strongest[0] & strongest[1]).sum(axis=1) / count
    return result


def _flat(
    maps: FloatArray, masks: npt.NDArray[np.bool_]
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    if maps.shape != masks.shape:
        raise DataError(f"maps of shape {maps.shape} and masks of shape {masks.shape} differ")
    return maps.reshape(len(maps), -1), masks.reshape(len(masks), -1).astype(bool)
