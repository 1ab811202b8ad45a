"""Shapley values of the channels for the call of one cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.channel_games import shapley_subsets
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.whatif.blended_calls import blended_probabilities
from napari_channelmix.whatif.group_intervals import ClassMeans, class_means

if TYPE_CHECKING:
    from napari_channelmix.whatif.asking import Asker

__all__ = ["shapley_of_cell_job"]

FloatArray = npt.NDArray[np.float32]

# Donors of a cell.
DONORS = 32


def shapley_of_cell_job(
    asker: Asker,
    crop: FloatArray,
    donors: FloatArray,
    *,
    seed: int = 0,
) -> Job[ClassMeans]:
    """Shapley values of the channels for the call of one cell, as a job.

    The value of a subset is the probability of the class that the whole cell is called, when the
    other channels are those of a donor. Our definition.

    Parameters
    ----------
    asker : Asker
    crop : (C, H, W) float32 array
        The cell, raw units.
    donors : (D, C, H, W) float32 array
        Other cells, of other classes as well; the first 32 are used.
    seed : int
        Of the orders, for more than 8 channels.

    Returns
    -------
    ClassMeans
        ``mean[0]`` (C,) with its interval over the donors. The sum is the probability of the whole
        cell less the mean one of the donors.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_channelmix.classify import ForeignClassifier
    >>> from napari_channelmix.jobs import drain
    >>> from napari_channelmix.whatif.asking import Asker
    >>> def rule(crops):
    ...     high = crops[:, 0].mean(axis=(1, 2)) > 2
    ...     return np.stack([~high, high], axis=1).astype(np.float32)
    >>> names = ("GFP", "DNA"), ("low", "high")
    >>> model = ForeignClassifier(rule, *names, np.zeros(2), np.ones(2), "probabilities", "a rule")
    >>> donors = np.zeros((4, 2, 8, 8), np.float32)
    >>> job = shapley_of_cell_job(Asker(model, model.prior_of()), donors[0] + 5, donors)
    >>> drain(job).mean[0].tolist()
    [1.0, 0.0]
    """
    given = np.asarray(donors[:DONORS], np.float32)
    own = np.repeat(np.asarray(crop, np.float32)[None], len(given), axis=0)
    subsets, combine = shapley_subsets(len(crop), np.random.default_rng(seed))
    called = int(asker(own[:1]).argmax())
    blended = blended_probabilities(asker, own, given)
    values = np.zeros((len(subsets), len(given)))
    for row, subset in enumerate(subsets):
        values[row] = blended(subset)[:, called]
        if row % 16 == 0:
            yield Progress(row, len(subsets), "Shapley values of the cell")
    return class_means(combine(values), np.zeros(len(given), np.int64), np.arange(len(given)), 1)
