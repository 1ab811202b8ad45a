"""A checkpoint is gone on from where it is whole and of the same training; else it is passed over.

`test_training` shows that a training that goes on ends as one that was never stopped.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from napari_channelmix.classify.checkpoint import FORMAT, SCHEMA, Checkpoint
from napari_channelmix.classify.weights_file import read_sealed, write_sealed

RECORD = {"history": [{"epoch": 1.0, "score": 0.5}], "best_epoch": 1, "stopped": "all epochs done"}
STEPS = 3


def parts(path: Path, seed: int = 0) -> Checkpoint:
    torch.manual_seed(seed)
    module = nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(module.parameters())
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (1 + step))
    return Checkpoint(path, "key", module, optimizer, schedule, torch.amp.GradScaler(enabled=False))


@pytest.fixture
def written(tmp_path: Path) -> Checkpoint:
    made = parts(tmp_path / "a.partial")
    for _ in range(STEPS):
        made.module(torch.ones(1, 3)).sum().backward()
        made.optimizer.step()
        made.schedule.step()
    best = {name: value + 1 for name, value in made.module.state_dict().items()}
    made.write(RECORD, best, 0.5)
    return made


def test_all_that_the_loop_holds_comes_back(written: Checkpoint) -> None:
    other = parts(written.path, seed=1)
    kept = other.restore(epochs=2, steps=STEPS)
    assert kept is not None
    assert (kept.record, kept.best_score) == (RECORD, 0.5)
    for name, value in written.module.state_dict().items():
        assert torch.equal(other.module.state_dict()[name], value)
        assert torch.equal(kept.best[name], value + 1)
    assert other.schedule.last_epoch == STEPS
    assert other.optimizer.param_groups[0]["lr"] == pytest.approx(1e-3 / (1 + STEPS))
    ours, theirs = (one.optimizer.state_dict()["state"] for one in (written, other))
    assert all(torch.equal(ours[i][name], theirs[i][name]) for i in ours for name in ours[i])


def spoilt(path: Path, how: str) -> None:
    text, weights = read_sealed(path, FORMAT, SCHEMA, "checkpoint")
    about: dict[str, Any] = json.loads(text)
    if how == "shape":
        weights["now.weight"] = torch.zeros(4, 3)
    elif how == "adam":
        weights["adam.0.exp_avg"] = torch.zeros(7)
    elif how == "more":
        weights["adam.9.exp_avg"] = torch.zeros(2, 3)
    elif how == "missing":
        del weights["best.bias"]
    elif how == "nan":
        weights["now.bias"] = torch.full((2,), torch.nan)
    elif how == "key":
        about["key"] = "another"
    elif how == "steps":
        about["steps"] = 4
    elif how == "epochs":
        about["record"]["history"] *= 3
    elif how == "best":
        about["record"]["best_epoch"] = 2
    elif how == "type":
        about["record"]["history"] = [{"epoch": "one"}]
    elif how == "unnamed":
        about["record"]["history"] = [{"score": 1.0}]
    else:
        about["best_score"] = None
    write_sealed(path, FORMAT, SCHEMA, json.dumps(about), weights)


@pytest.mark.parametrize(
    "how",
    [
        "shape",
        "adam",
        "more",
        "missing",
        "nan",
        "key",
        "steps",
        "epochs",
        "best",
        "type",
        "unnamed",
        "score",
    ],
)
def test_one_that_does_not_fit_changes_nothing(written: Checkpoint, how: str) -> None:
    spoilt(written.path, how)
    other = parts(written.path, seed=1)
    before = {name: value.clone() for name, value in other.module.state_dict().items()}
    assert other.restore(epochs=2, steps=STEPS) is None
    assert all(torch.equal(before[name], of) for name, of in other.module.state_dict().items())
    assert not other.optimizer.state_dict()["state"]


@pytest.mark.parametrize("content", [b"", b"\x80" * 99, b"x" * 10_000])
def test_a_damaged_or_missing_one_is_passed_over(tmp_path: Path, content: bytes) -> None:
    made = parts(tmp_path / "a.partial")
    assert made.restore(epochs=2, steps=STEPS) is None
    made.path.write_bytes(content)
    assert made.restore(epochs=2, steps=STEPS) is None
