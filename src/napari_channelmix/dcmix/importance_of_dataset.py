"""Channel importance of a whole data set, noted so that it can be found again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from napari_channelmix.dcmix.importance import channel_importance_job
from napari_channelmix.jobs import mapped_results
from napari_channelmix.settings import OF_THE_CLUSTER, ImportanceSettings, as_dict, merged

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.dcmix.result import ChannelImportance
    from napari_channelmix.jobs import Job
    from napari_channelmix.settings import TrainingSettings

__all__ = ["divided_importance_job"]


def divided_importance_job(
    cells: Cells,
    *,
    settings: TrainingSettings | None = None,
    parts: Path | None = None,
    **options: Any,
) -> Job[ChannelImportance]:
    """`channel_importance` of a whole data set; a job.

    The provenance of the result, and of each partial one, gets what is needed to do the same
    again: the settings, the cells' fingerprint, the number of threads.

    Parameters
    ----------
    cells : Cells
    settings : ImportanceSettings or TrainingSettings, optional
        All settings, or those of the training.
    parts : path, optional
        As for `channel_importance`.
    **options
        Single settings; see `ImportanceSettings`.

    Raises
    ------
    DataError, ModelError
        As `channel_importance`, `Cells.split` and `Cells.normalised_by_group`.
    """
    resolved = merged(ImportanceSettings, settings, options)
    job = channel_importance_job(cells, settings=resolved, parts=parts)
    split_seed = resolved.seed if resolved.split_seed is None else resolved.split_seed
    facts: dict[str, Any] = {
        "request": as_dict(resolved, OF_THE_CLUSTER),
        "split": {
            "held_out": resolved.held_out,
            "seed": split_seed,
            "one_split": resolved.one_split,
        },
        "cells": cells.fingerprint,
        "scaled_per": resolved.scaled_per,
    }

    # Workers have one each.
    elsewhere = bool(resolved.workers or resolved.scheduler)

    def known(importance: ChannelImportance) -> ChannelImportance:
        again = {**facts, "threads": 1 if elsewhere else torch.get_num_threads()}
        return replace(importance, provenance={**importance.provenance, **again})

    return (yield from mapped_results(job, known))
