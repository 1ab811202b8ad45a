"""Learning to draw the cells of a data set, as a job; see `residual_learner`."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.device import choose_device, choose_threads, denormals_as_zero
from napari_channelmix.classify.training_loop import TrainingSettings, fit
from napari_channelmix.classify.weights_file import seal
from napari_channelmix.drl.residual_drawing import ResidualDrawing
from napari_channelmix.drl.residual_learner import EPOCH, ResidualLearner
from napari_channelmix.errors import DataError, ModelError
from napari_channelmix.jobs import Job, part
from napari_channelmix.provenance import package_version

if TYPE_CHECKING:
    from napari_channelmix.drl.disentangler import Disentangler

__all__ = ["FEWEST", "held_out_cells", "learn_drawing_job"]

# Fewer cells than this teach nothing that holds for others.
FEWEST = 20
# Share of the cells that is held out.
HELD_OUT = 0.2
# Highest learning rate, and decay of the weights.
RATE, DECAY = 1.5e-3, 0.01


def held_out_cells(groups: npt.NDArray[Any], seed: int) -> npt.NDArray[np.bool_]:
    """Cells (N,) that are held out: whole groups, a fifth of the cells or a little more.

    A group without which fewer than half of the cells would be left to learn from is not held out,
    unless there is no other. None are where there are fewer than two groups.
    """
    names, group = np.unique(groups, return_inverse=True)
    if len(names) < 2:
        return np.zeros(len(groups), bool)
    sizes, chosen, taken = np.bincount(group), list[int](), 0
    for index in np.random.default_rng(seed).permutation(len(names)).tolist():
        # One group is left to learn from.
        if taken >= HELD_OUT * len(groups) or len(chosen) == len(names) - 1:
            break
        if 2 * (taken + sizes[index]) <= len(groups):
            chosen.append(index)
            taken += int(sizes[index])
    chosen = chosen or [int(sizes.argmin())]
    held: npt.NDArray[np.bool_] = np.isin(group, chosen)
    return held


def learn_drawing_job(
    source: Disentangler,
    pictures: npt.NDArray[np.uint8],
    held_out: npt.NDArray[np.bool_],
    *,
    steps: int = 1000,
    seed: int = 0,
    device: str = "auto",
    checkpoint: Path | None = None,
) -> Job[ResidualDrawing]:
    """Learn residual latents beside the named ones of a disentangler, as a job.

    Parameters
    ----------
    source : Disentangler
        Its encoder is used as it is, and left as it is.
    pictures : (N, C, H, W) uint8 array
        As of `prepare_job`.
    held_out : (N,) bool array
        Cells that are not learnt from, see `held_out_cells`.
    steps : int
        Rounded up to hundreds.
    seed : int
    device : {"auto", "cpu", "cuda", "mps"}
    checkpoint : path, optional
        File to go on from, and to keep up to date; for the caller to remove.

    Raises
    ------
    DataError
        Fewer than 20 cells, pictures of another shape, or nothing in them.
    ModelError
        Learning that diverged.
    """
    if len(pictures) < FEWEST:
        raise DataError(
            f"learning to draw needs {FEWEST} cells or more, these are {len(pictures)}; "
            "use drawing = named"
        )
    if pictures.shape[1:] != source.shape:
        raise DataError(f"images must be {source.shape}, not {pictures.shape[1:]}")
    if steps < EPOCH:
        raise ModelError(f"steps must be {EPOCH} or more, not {steps}")
    held = np.asarray(held_out, bool)
    if (~held).sum() < FEWEST // 2:
        raise DataError(f"learning to draw needs {FEWEST // 2} cells that are not held out")
    where = choose_device(device)
    learner = ResidualLearner(source, pictures, np.flatnonzero(~held), seed, where)
    epochs = -(-steps // EPOCH)
    total = epochs * EPOCH
    # Reading the latents in eight positions takes about as long as fifty steps.
    yield from part(learner.prepare(), 0, 50, total + 50)
    if where.type == "cpu":
        yield from part(choose_threads(learner.trial), 50, 0, total + 50)
    training = TrainingSettings(
        epochs=epochs, patience=epochs, batch=1, rate=RATE, decay=DECAY, clip=1.0
    )
    key = "" if checkpoint is None else _key(source, pictures, held, epochs, seed)
    with denormals_as_zero():
        record = yield from part(
            fit(
                learner,
                training,
                device=where,
                seed=seed,
                checkpoint=checkpoint,
                key=key,
                fused=True,
            ),
            50,
            total,
            total + 50,
            "drawing: ",
        )
    about = {
        "steps": total,
        "seed": seed,
        "cells": int((~held).sum()),
        "held_out": int(held.sum()),
        "curves": record.history,
    }
    return ResidualDrawing(source, learner.module.cpu().eval(), about)


def _key(
    source: Disentangler,
    pictures: npt.NDArray[np.uint8],
    held: npt.NDArray[np.bool_],
    epochs: int,
    seed: int,
) -> str:
    """Everything that a checkpoint depends on."""
    digest = hashlib.sha256(f"{pictures.shape}".encode())
    digest.update(np.ascontiguousarray(pictures).tobytes())
    digest.update(held.tobytes())
    return json.dumps(
        {
            "version": package_version("napari-channelmix"),
            "source": seal(source.name, source.network.state_dict(), ""),
            "pictures": digest.hexdigest(),
            "epochs": epochs,
            "seed": seed,
        },
        sort_keys=True,
    )
