"""The training loop: best weights, early stop, cancelling, checkpoints, loss astray."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from napari_channelmix.classify.training_loop import TrainingRecord, TrainingSettings, fit
from napari_channelmix.errors import ModelError
from napari_channelmix.jobs import Job, Progress, drain

CPU = torch.device("cpu")


class Scripted:
    """A learner whose validation scores are given; it notes its weights at each validation."""

    def __init__(self, scores: list[float], losses: dict[int, float] | None = None) -> None:
        torch.manual_seed(0)
        self.module: nn.Module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
        self.scores, self.losses = scores, losses or {}
        self.seen: list[dict[str, Tensor]] = []
        self.epochs: list[int] = []

    def parameter_groups(self) -> list[dict[str, Any]]:
        first, *rest = self.module.parameters()
        return [{"params": [first], "rate": 5.0, "weight_decay": 0.0}, {"params": rest}]

    def steps(self) -> int:
        return 3

    def batches(self, epoch: int) -> Iterator[Tensor]:
        self.epochs.append(epoch)
        generator = torch.Generator().manual_seed(epoch)
        for _ in range(3):
            yield torch.randn(6, 3, generator=generator)

    def loss(self, batch: Tensor) -> Tensor:
        extra = self.losses.get(self.epochs[-1], 0.0)
        return (self.module(batch) - batch.sum(dim=1, keepdim=True)).square().mean() + extra

    def validate(self) -> Job[dict[str, float]]:
        assert not self.module.training
        yield Progress(1, 1, "validating")
        self.seen.append({k: v.clone() for k, v in self.module.state_dict().items()})
        return {"score": self.scores[self.epochs[-1]]}


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


SIX = TrainingSettings(epochs=6, patience=6)
RISING = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]


def test_the_weights_of_the_best_epoch_are_kept() -> None:
    learner = Scripted([0.1, 0.5, 0.9, 0.3, 0.2, 0.1])
    record = drain(fit(learner, SIX, device=CPU))
    assert record.best_epoch == 3
    assert record.stopped == "all epochs done"
    assert same(learner.module.state_dict(), learner.seen[2])
    assert not same(learner.seen[2], learner.seen[5])
    assert not learner.module.training


def test_among_equal_epochs_the_first_is_kept() -> None:
    assert drain(fit(Scripted([0.5] * 6), SIX, device=CPU)).best_epoch == 1


def test_training_stops_when_nothing_got_better_for_the_patience() -> None:
    learner = Scripted([0.1, 0.9, 0.3, 0.3, 0.3, 0.95])
    record = drain(fit(learner, replace(SIX, patience=3), device=CPU))
    assert len(record.history) == 5
    assert record.best_epoch == 2
    assert record.stopped == "no better for 3 epochs"


def test_progress_comes_at_every_step_and_never_goes_back() -> None:
    steps = list(fit(Scripted(RISING), SIX, device=CPU))
    assert {step.total for step in steps} == {18}
    done = [step.done for step in steps]
    assert done == sorted(done)
    assert set(done) == set(range(1, 19))
    epochs = [step.metrics for step in steps if step.metrics]
    assert [one["epoch"] for one in epochs] == [1, 2, 3, 4, 5, 6]
    assert [one["score"] for one in epochs] == RISING


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_is_one_line(bad: float) -> None:
    says = r"diverged in epoch 3 \(loss (nan|inf)\); lower the learning rate"
    with pytest.raises(ModelError, match=says) as said:
        drain(fit(Scripted(RISING, {2: bad}), SIX, device=CPU))
    assert "\n" not in str(said.value)


def test_a_validation_score_that_is_no_number_is_one_line() -> None:
    with pytest.raises(ModelError, match=r"diverged in epoch 2 \(validation .*nan"):
        drain(fit(Scripted([0.1, float("nan")]), SIX, device=CPU))


@pytest.mark.parametrize("steps", [1, 4, 5, 9, 14])
def test_a_training_that_was_cancelled_goes_on_to_exactly_the_same_weights(
    tmp_path: Path, steps: int
) -> None:
    scores = [0.1, 0.9, 0.3, 0.4, 0.95, 0.2]
    whole = Scripted(scores)
    wanted = drain(fit(whole, SIX, device=CPU))
    path = tmp_path / "training.safetensors"
    job = fit(Scripted(scores), SIX, device=CPU, checkpoint=path, key="same")
    for _ in range(steps):
        next(job)
    job.close()
    finished = steps // 5
    assert path.exists() == (finished > 0)
    assert set(tmp_path.iterdir()) <= {path}, "no half-written file is left"
    again = Scripted(scores)
    shown = list(fit(again, SIX, device=CPU, checkpoint=path, key="same"))
    assert again.epochs == list(range(finished, 6))
    assert same(again.module.state_dict(), whole.module.state_dict())
    metrics = [step.metrics for step in shown if step.metrics]
    assert metrics == wanted.history, "curves of a resumed training are whole"
    assert path.exists(), "the checkpoint stays until the result is safe"
    done = Scripted(scores)
    drain(fit(done, SIX, device=CPU, checkpoint=path, key="same"))
    assert not done.epochs, "a training that was done is not done again"
    assert same(done.module.state_dict(), whole.module.state_dict())


def test_a_resumed_training_gives_the_same_record(tmp_path: Path) -> None:
    wanted = drain(fit(Scripted(RISING), SIX, device=CPU))
    path = tmp_path / "c.safetensors"
    job = fit(Scripted(RISING), SIX, device=CPU, checkpoint=path, key="k")
    for _ in range(10):
        next(job)
    job.close()
    record = drain(fit(Scripted(RISING), SIX, device=CPU, checkpoint=path, key="k"))
    assert record.as_dict() == wanted.as_dict()


@pytest.mark.parametrize("spoil", ["key", "truncated", "text"])
def test_a_checkpoint_that_does_not_fit_is_ignored(tmp_path: Path, spoil: str) -> None:
    path = tmp_path / "c.safetensors"
    job = fit(Scripted(RISING), SIX, device=CPU, checkpoint=path, key="one")
    for _ in range(10):
        next(job)
    job.close()
    if spoil == "truncated":
        path.write_bytes(path.read_bytes()[:-100])
    elif spoil == "text":
        path.write_text("hello")
    learner = Scripted(RISING)
    key = "other" if spoil == "key" else "one"
    drain(fit(learner, SIX, device=CPU, checkpoint=path, key=key))
    assert learner.epochs == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"epochs": 0}, "epochs must be 1 or more, not 0"),
        ({"patience": -1}, "patience must be 1 or more"),
        ({"batch": 0}, "batch must be 1 or more"),
        ({"rate": 0.0}, "rate must lie between 0 and 1"),
        ({"rate": float("nan")}, "rate must lie between 0 and 1"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ModelError, match=says):
        TrainingSettings(**settings)


def test_a_record_is_json_ready() -> None:
    assert TrainingRecord().as_dict() == {
        "history": [],
        "best_epoch": 0,
        "stopped": "all epochs done",
    }


# ---------------------------------------------------------------- the formulas, by hand


def test_settings_are_the_documented_ones_unless_asked_otherwise() -> None:
    assert TrainingSettings() == TrainingSettings(
        epochs=40, patience=10, batch=64, rate=2e-3, decay=1e-3, clip=None
    )


class Slope:
    """One weight ``w`` from 1 and a loss ``slope * w``, so that every gradient is ``slope``.

    Each epoch has two steps. The learning rate of the weight is ``rate`` times that of the
    settings.
    """

    def __init__(self, slope: float = 3.0, rate: float = 1.0, **group: float) -> None:
        self.module = nn.Linear(1, 1, bias=False)
        nn.init.ones_(self.module.weight)
        self.slope, self.rate, self.group = slope, rate, group
        self.weights: list[float] = []
        self.drawn: list[float] = []

    def parameter_groups(self) -> list[dict[str, Any]]:
        return [{"params": [self.module.weight], "rate": self.rate, **self.group}]

    def steps(self) -> int:
        return 2

    def batches(self, epoch: int) -> Iterator[float]:
        yield from (self.slope, self.slope)

    def loss(self, batch: float) -> Tensor:
        self.weights.append(self.module.weight.item())
        self.drawn.append(torch.rand(()).item())
        return batch * self.module.weight.sum()

    def validate(self) -> Job[dict[str, float]]:
        yield from ()
        return {"score": -self.module.weight.item()}


def shares_of_rate(total: int, warm: int) -> list[float]:
    """Rises in a line to 1 over ``warm`` steps, falls along half a cosine to 2 % at the end."""
    rising = [(step + 1) / warm for step in range(warm)]
    falling = [
        0.02 + 0.98 * (1 + math.cos(math.pi * at / (total - warm))) / 2
        for at in range(total - warm)
    ]
    return rising + falling


def test_the_learning_rate_warms_up_over_an_epoch_and_falls_along_a_cosine() -> None:
    assert shares_of_rate(6, 2) == pytest.approx([0.5, 1, 1, 0.8565, 0.51, 0.1635], abs=1e-4)
    # With a gradient that is always the same, a step of Adam is the learning rate.
    learner = Slope()
    settings = TrainingSettings(epochs=3, rate=0.01, decay=0.0)
    drain(fit(learner, settings, device=CPU))
    steps = [before - after for before, after in pairwise(learner.weights)]
    assert steps == pytest.approx([0.01 * share for share in shares_of_rate(6, 2)[:5]], rel=1e-4)


def test_decay_pulls_in_units_of_the_learning_rate_and_groups_have_their_own() -> None:
    settings = TrainingSettings(epochs=3, rate=0.01, decay=0.5)
    for learner, decay in ((Slope(rate=4.0), 0.5), (Slope(rate=4.0, weight_decay=0.0), 0.0)):
        drain(fit(learner, settings, device=CPU))
        w = 1.0
        for share, found in zip(shares_of_rate(6, 2), learner.weights, strict=True):
            assert found == pytest.approx(w, rel=1e-5)
            rate = 4.0 * 0.01 * share
            w = w * (1 - rate * decay) - rate


@pytest.mark.parametrize(("clip", "norm"), [(0.5, 0.5), (9.0, 3.0), (None, 3.0)])
def test_a_gradient_is_cut_to_the_norm_that_is_asked_for(clip: float | None, norm: float) -> None:
    learner = Slope(slope=-3.0)
    for _ in fit(learner, TrainingSettings(epochs=1, clip=clip), device=CPU):
        assert learner.module.weight.grad is not None
        assert learner.module.weight.grad.norm().item() == pytest.approx(norm, rel=1e-4)


def test_what_a_network_draws_depends_on_seed_and_step_alone() -> None:
    learner = Slope()
    drain(fit(learner, TrainingSettings(epochs=2), device=CPU, seed=5))
    wanted = []
    for step in (1, 2, 3, 4):
        generator = torch.Generator().manual_seed(5 * 1_000_003 + step)
        wanted.append(float(torch.rand((), generator=generator)))
    assert learner.drawn == wanted
