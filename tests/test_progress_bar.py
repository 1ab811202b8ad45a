"""Progress of blocking calls: quiet, a bar, or a function; stopping leaves nothing half done."""

import subprocess
import sys

import pytest

import napari_channelmix as cm
from napari_channelmix.data.samples import synthetic_plate
from napari_channelmix.jobs import Progress, drain


def counting_job(closed):
    try:
        for step in range(3):
            yield Progress(step, 4, f"step {step}", note="an address" if step else "")
        return "result"
    finally:
        closed.append(True)


@pytest.fixture(scope="module")
def cells():
    return synthetic_plate(wells=4, cells_per_well=3, side=64, crop=16).cells


def test_a_job_is_quiet_unless_progress_is_wanted(capsys):
    for choice in (None, False):
        assert drain(counting_job([]), choice) == "result"
    output = capsys.readouterr()
    assert (output.out, output.err) == ("", "")


def test_a_function_gets_every_step():
    steps = []
    assert drain(counting_job([]), steps.append) == "result"
    assert [(step.fraction, step.stage) for step in steps] == [
        (0, "step 0"),
        (0.25, "step 1"),
        (0.5, "step 2"),
    ]


def test_a_bar_shows_the_stage_and_each_note_once(capsys):
    assert drain(counting_job([]), True) == "result"
    output = capsys.readouterr()
    assert "50%" in output.err and "step 2" in output.err
    assert output.out.count("an address") == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, StopIteration])
def test_raising_in_the_function_closes_the_job_and_reaches_the_caller(error):
    closed = []

    def stop(step):
        if step.done == 1:
            raise error

    # A StopIteration must not look like the end of the job.
    with pytest.raises(error):
        drain(counting_job(closed), stop)
    assert closed == [True]


def test_something_else_is_refused_and_the_job_is_closed():
    closed = []
    job = counting_job(closed)
    with pytest.raises(TypeError, match="not str"):
        drain(job, "yes")
    assert next(job, "closed") == "closed"


def test_a_training_that_is_stopped_goes_on_from_its_checkpoint(cells, tmp_path):
    checkpoint, stages = tmp_path / "training", []

    def stop(step):
        if "epoch 2" in step.stage:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cm.train_classifier(cells, network="tiny", epochs=3, checkpoint=checkpoint, progress=stop)
    assert checkpoint.exists()
    options = {"network": "tiny", "epochs": 3, "checkpoint": checkpoint}
    cm.train_classifier(cells, **options, progress=lambda step: stages.append(step.stage))
    assert not checkpoint.exists()
    assert not any("epoch 1 of" in stage for stage in stages)


def test_a_prediction_that_is_stopped_writes_no_table(cells, tmp_path):
    model = cm.train_classifier(cells, network="tiny", epochs=1)

    def stop(step):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cm.predict_cells(model, cells, tmp_path / "cells.csv", progress=stop)
    assert not (tmp_path / "cells.csv").exists()


def test_the_package_runs_as_a_command():
    command = [sys.executable, "-m", "napari_channelmix", "train", "--help"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0 and "--epochs" in result.stdout
