"""How good the estimate of a run is: each job three times, each larger than the one before.

`benchmarks/durations.py` times training, channel importance, maps and latents of the synthetic
plate, and prints what the runs before foretell of each, and how long it took; then the error of the
time left as it is told on the way, as a share of the whole, at 10, 50 and 90 %.
"""

from __future__ import annotations

import os
import tempfile
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix import train_classifier
from napari_channelmix.data.samples import synthetic_plate
from napari_channelmix.duration import Stopwatch, Workload, estimate, past_run, record
from napari_channelmix.settings import ClassifierSettings, ImportanceSettings
from napari_channelmix.settings.workload import (
    explain_workload,
    importance_workload,
    latents_workload,
    training_workload,
)

if TYPE_CHECKING:
    from napari_channelmix.jobs import Job


def timed(job: Job[Any], work: Workload, *, remember: bool = True) -> dict[str, Any]:
    """Run a job as the window does; what was foretold, what it took, and what was told."""
    expected = estimate(work)
    # 'about' only: a lower bound is no forecast.
    seconds = expected.seconds if expected is not None and expected.known else None
    watch, start = Stopwatch(past_run(work) if remember else None, expected), time.monotonic()
    told = []
    for progress in job:
        left = watch.left(progress)
        told.append((time.monotonic() - start, left))
    took = time.monotonic() - start
    record(work, watch)
    errors = {}
    for share in (0.1, 0.5, 0.9):
        moment = min(told, key=lambda step: abs(step[0] - share * took))
        errors[share] = None if moment[1] is None else (moment[1] - (took - moment[0])) / took
    return {"foretold": seconds, "took": took, "error_of_time_left": errors}


def main() -> None:
    os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp()
    import torch

    from napari_channelmix.classify.evaluated_training import measured_training_job
    from napari_channelmix.dcmix.importance_of_dataset import divided_importance_job
    from napari_channelmix.drl import latents_job, load_disentangler
    from napari_channelmix.pcim import explain_job

    torch.set_num_threads(1)
    cells = synthetic_plate(wells=8, cells_per_well=20, side=200, crop=32).cells
    some = cells.subset(np.arange(0, len(cells), 2))

    def training(of: Any, epochs: int) -> Any:
        settings = ClassifierSettings(network="tiny", epochs=epochs, patience=epochs)
        return measured_training_job(of, settings=settings), training_workload(of, settings)

    def importance(of: Any, seeds: int) -> Any:
        settings = ImportanceSettings(network="tiny", epochs=3, seeds=seeds)
        return divided_importance_job(of, settings=settings), importance_workload(of, settings)

    model = train_classifier(some, network="tiny", epochs=2)

    def maps(of: Any) -> Any:
        return explain_job(model, of), explain_workload(model, len(of), of.crop, "pcim")

    source = load_disentangler("texture-sprites")

    def latents(of: Any) -> Any:
        return latents_job(of, source), latents_workload(of, "texture-sprites", 0)

    runs = {
        "training": (training(some, 4), training(cells, 6), training(cells, 12)),
        "maps": tuple(maps(some.subset(slice(count))) for count in (10, 30, 80)),
        "latents": tuple(latents(cells.subset(slice(0, None, step))) for step in (3, 2, 1)),
        "importance": tuple(importance(cells, seeds) for seeds in (1, 2)),
    }
    for name, sizes in runs.items():
        for at, (job, work) in enumerate(sizes):
            found = timed(job, work, remember=at > 0)
            foretold, took = found["foretold"], found["took"]
            ratio = (
                "" if foretold is None else f", foretold {foretold:.1f} s ({foretold / took:.2f})"
            )
            left = ", ".join(
                f"{share:.0%}: {'-' if error is None else f'{error:+.2f}'}"
                for share, error in found["error_of_time_left"].items()
            )
            print(f"{name}: took {took:.1f} s{ratio}; error of the time left: {left}", flush=True)


if __name__ == "__main__":
    main()
