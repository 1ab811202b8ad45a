"""What separates the classes of a data set: its latents beside features and pixels of its cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.drl.separation import PixelTest, Separation, separation_job
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, part

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.drl.disentangler import Disentangler

__all__ = ["pixel_test", "separated_job"]

FloatArray = npt.NDArray[np.float32]


def separated_job(
    cells: Cells,
    of: Disentangler,
    values: FloatArray,
    active: npt.NDArray[np.bool_],
    others: dict[str, npt.NDArray[np.float64]],
    seed: int,
    pixels: PixelTest | None,
) -> Job[Separation]:
    """What tells the classes apart: active latents beside other columns, as a job.

    Parameters
    ----------
    cells : Cells
    of : Disentangler
    values : (N, Z) float32 array
        Latents of the cells.
    active : (Z,) bool array
        Those that count.
    others : dict of str to (N, D) float64 array
        What stands beside them, such as hand-crafted features.
    seed : int
    pixels : callable, optional
        See `separation_job`.

    Raises
    ------
    DataError
        No active latent; as `separation_job`.
    """
    active_columns = np.flatnonzero(active)
    if not len(active_columns):
        raise DataError("no latent varies among the cells, so nothing can separate the classes")
    axes: dict[str, Sequence[int]] = {}
    for axis in of.axes():
        positions = [
            int(np.searchsorted(active_columns, column))
            for column in of.columns(axis)
            if active[column]
        ]
        if positions:
            axes[axis] = positions
    columns = {"latents": values[:, active_columns].astype(np.float64), **others}
    separation = yield from separation_job(
        columns, cells.labels, cells.groups, cells.classes, axes, seed=seed, pixels=pixels
    )
    return separation


def pixel_test(cells: Cells, seed: int, device: str) -> PixelTest:
    """A classifier of all channels, as `train_classifier` makes it, for each fold anew."""

    def tested(
        learnt: npt.NDArray[np.int64], held_out: npt.NDArray[np.int64]
    ) -> Job[npt.NDArray[np.int64]]:
        from napari_channelmix.classify.train import train_classifier_job

        known = cells.subset(learnt)
        job = train_classifier_job(known, seed=seed, device=device)
        classifier = yield from part(job, 0, 95, 100)
        predictions_job = classifier.predict_job(cells.subset(held_out), prior="balanced")
        guesses = yield from part(predictions_job, 95, 5, 100)
        chosen = guesses.argmax(axis=1)
        codes = np.array([cells.classes.index(name) for name in classifier.classes])
        predicted: npt.NDArray[np.int64] = codes[chosen]
        return predicted

    return tested
