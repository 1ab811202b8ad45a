"""Channel importance of a whole data set: cells are held back first, and that is noted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from napari_channelmix.classify.training import TrainingSettings
from napari_channelmix.dcmix.importance import channel_importance_job

if TYPE_CHECKING:
    from napari_channelmix.classify.mixing import Constraint
    from napari_channelmix.data import Cells
    from napari_channelmix.dcmix.result import ChannelImportance
    from napari_channelmix.jobs import Job

__all__ = ["divided_importance_job"]


def divided_importance_job(
    cells: Cells,
    *,
    seeds: int = 4,
    shapley: bool = True,
    decoys: bool = True,
    mixes: int = 1,
    constraint: Constraint = "softmax",
    network: str = "small",
    epochs: int = 40,
    settings: TrainingSettings | None = None,
    seed: int = 0,
    device: str = "auto",
    held_out: float = 0.25,
    parts: Path | None = None,
) -> Job[ChannelImportance]:
    """Hold groups back, then learn channel importance over the seeds; a job.

    The provenance of the result, and of each partial one, gets what is needed to do the same
    again: the split, the cells' fingerprint, the number of threads.

    Parameters
    ----------
    cells : Cells
    seed : int
        Of the split, and first of the seeds.
    held_out : float
        Share of the cells that are measured on; a split column of the data set is kept.
    epochs, settings
        Most epochs, or all of how to train.
    seeds, shapley, decoys, mixes, constraint, network, device, parts
        As for `channel_importance`.

    Raises
    ------
    DataError, ModelError
        As `channel_importance` and `Cells.split`.
    """
    train, test = cells.split(test=held_out, seed=seed)
    job = channel_importance_job(
        train, test, seeds=seeds, shapley=shapley, decoys=decoys, mixes=mixes,
        constraint=constraint, network=network,
        settings=settings or TrainingSettings(epochs=epochs), seed=seed, device=device, parts=parts,
    )  # fmt: skip
    facts: dict[str, Any] = {
        "split": {"held_out": held_out, "seed": seed},
        "cells": cells.fingerprint,
    }

    def known(found: ChannelImportance) -> ChannelImportance:
        again = {**facts, "threads": torch.get_num_threads()}
        return replace(found, provenance={**found.provenance, **again})

    try:
        while True:
            step = next(job)
            yield step if step.partial is None else replace(step, partial=known(step.partial))
    except StopIteration as end:
        return known(end.value)
    finally:
        job.close()
