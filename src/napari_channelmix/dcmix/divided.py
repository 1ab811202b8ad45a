"""Channel importance of a whole data set, noted so that it can be found again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from napari_channelmix.classify.training import TrainingSettings
from napari_channelmix.data.scaling import normalised_by_group_job
from napari_channelmix.dcmix.importance import channel_importance_job
from napari_channelmix.jobs import part

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
    split_seed: int | None = None,
    one_split: bool = False,
    scaled_per: str = "",
) -> Job[ChannelImportance]:
    """`channel_importance` of a whole data set; a job.

    The provenance of the result, and of each partial one, gets what is needed to do the same
    again: the split, the cells' fingerprint, the number of threads.

    Parameters
    ----------
    cells : Cells
    epochs, settings
        Most epochs, or all of how to train.
    seeds, shapley, decoys, mixes, constraint, network, seed, device, parts
        As for `channel_importance`.
    held_out, split_seed, one_split
        Likewise: how the cells are divided.
    scaled_per : str
        ``group``, or a column of the table that is the same throughout every group, such as the
        plate: each channel is scaled per group of these, see `Cells.normalised_by_group`. Empty:
        the cells are taken as they are.

    Raises
    ------
    DataError, ModelError
        As `channel_importance`, `Cells.split` and `Cells.normalised_by_group`.
    """
    source = cells
    if scaled_per:
        cells = yield from part(normalised_by_group_job(cells, per=scaled_per), 0, 0, 100)
    job = channel_importance_job(
        cells, seeds=seeds, shapley=shapley, decoys=decoys, mixes=mixes,
        constraint=constraint, network=network,
        settings=settings or TrainingSettings(epochs=epochs), seed=seed, device=device, parts=parts,
        held_out=held_out, split_seed=split_seed, one_split=one_split,
    )  # fmt: skip
    facts: dict[str, Any] = {
        "split": {"held_out": held_out, "seed": seed if split_seed is None else split_seed,
                  "one_split": one_split},
        "cells": source.fingerprint,
        "scaled_per": scaled_per,
    }  # fmt: skip

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
