"""Samples of the page 'Images and cells': each title leads to cells that are made here."""

from __future__ import annotations

import pytest

from napari_channelmix.data import multiplex_sample, samples
from napari_channelmix.jobs import Job, Progress, drain
from napari_channelmix.viewer.pages.data.dataset_panel import SAMPLES
from napari_channelmix.viewer.pages.data.open_jobs import sample_job


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_is_a_function_that_makes_one(name: str) -> None:
    module = samples if hasattr(samples, name) else multiplex_sample
    assert callable(getattr(module, name))


def test_the_multiplex_tissue_is_made_field_by_field_and_can_be_stopped() -> None:
    job = sample_job("multiplex_tissue")
    steps = [next(job) for _ in range(3)]
    job.close()
    assert all(isinstance(step, Progress) for step in steps)
    assert steps[-1].stage == "drawing field 2 of 10"


def test_a_classifier_can_be_trained_on_the_multiplex_tissue(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small = multiplex_sample.multiplex_tissue(cells=40, channels=12)
    assert small.cells.statistics().constant == (multiplex_sample.BLANK,)

    def made() -> Job[samples.Sample]:
        yield Progress(0, 1, "drawing")
        return small

    monkeypatch.setattr(multiplex_sample, "multiplex_tissue_job", made)
    cells = drain(sample_job("multiplex_tissue"))
    assert len(cells.channels) == 11
    cells.statistics().refuse_constant()
