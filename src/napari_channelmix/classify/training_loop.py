"""The one training loop: classifier, mixing layer and latents are all learnt here."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from napari_channelmix.classify.checkpoint import Checkpoint
from napari_channelmix.errors import ModelError
from napari_channelmix.jobs import Job, Progress, mapped
from napari_channelmix.settings import TrainingSettings

__all__ = ["Learner", "TrainingRecord", "TrainingSettings", "fit"]


@dataclass
class TrainingRecord:
    """What happened: the metrics of each epoch and which epoch was kept."""

    history: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    stopped: str = "all epochs done"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


class Learner(Protocol):
    """What the loop needs to know of the thing that learns."""

    @property
    def module(self) -> nn.Module:
        """What is trained, in place."""
        ...

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Groups for the optimiser; ``rate`` in a group multiplies the learning rate."""
        ...

    def steps(self) -> int:
        """Batches in an epoch."""
        ...

    def batches(self, epoch: int) -> Iterator[Any]:
        """The batches of an epoch: the same ones whenever it is asked for the same epoch."""
        ...

    def loss(self, batch: Any) -> Tensor:
        """Loss of a batch, a scalar."""
        ...

    def validate(self) -> Job[dict[str, float]]:
        """Metrics on held-out data; ``score`` is the one to raise."""
        ...


def fit(
    learner: Learner,
    settings: TrainingSettings,
    *,
    device: torch.device,
    seed: int = 0,
    checkpoint: Path | None = None,
    key: str = "",
    fused: bool = False,
) -> Job[TrainingRecord]:
    """Train in place, keep the weights of the best epoch, and say what happened.

    For each epoch: step over its batches; validate; remember the best weights; write a checkpoint;
    stop when nothing got better for ``patience`` epochs.

    Parameters
    ----------
    learner : Learner
        Its module is trained; it ends with the weights of the best epoch.
    settings : TrainingSettings
    device : torch.device
        Where the module already is; mixed precision is used on CUDA.
    seed : int
        Decides what the network itself draws, as in dropout; torch's random state is left alone.
    checkpoint : path, optional
        File to go on from, where it exists and was made for the same ``key``; it stays there at
        the end, for the caller to remove once the result is safe.
    key : str
        What the training depends on (data, settings, seed), as text.
    fused : bool
        Whether the optimiser changes all weights in one go on the CPU: faster for small networks,
        and rounded differently.

    Yields
    ------
    Progress
        After every step, and after every epoch with ``metrics`` epoch, loss and those of
        `Learner.validate`.

    Raises
    ------
    ModelError
        Loss that is no longer a number.
    """
    module, steps = learner.module, learner.steps()
    total = settings.epochs * steps
    # None lets torch choose.
    in_one_go = True if fused and device.type == "cpu" else None
    optimizer = torch.optim.AdamW(_groups(learner, settings), fused=in_one_go)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, _warm_cosine(total, warm=steps))
    scaler = torch.amp.GradScaler(enabled=device.type == "cuda")
    record, best = TrainingRecord(), _copy(module)
    best_score = -math.inf
    if checkpoint is not None:
        state = Checkpoint(checkpoint, key, module, optimizer, schedule, scaler)
        restored = state.restore(settings.epochs, steps)
        if restored is not None:
            record, best, best_score = (
                TrainingRecord(**restored.record),
                restored.best,
                restored.best_score,
            )
        for metrics in record.history:
            yield Progress(metrics["epoch"] * steps, total, "picking up where it stopped", metrics)
    for epoch in range(len(record.history), settings.epochs):
        if epoch - record.best_epoch >= settings.patience and record.history:
            record.stopped = f"no better for {settings.patience} epochs"
            break
        stage = f"training, epoch {epoch + 1} of {settings.epochs}"
        module.train()
        losses = []
        for step, batch in enumerate(learner.batches(epoch), start=1):
            optimizer.zero_grad(set_to_none=True)
            with _drawing_from(seed, epoch * steps + step, device):
                with torch.autocast(device.type, enabled=device.type == "cuda"):
                    loss = learner.loss(batch)
                scaler.scale(loss).backward()
            if settings.clip is not None:
                scaler.unscale_(optimizer)
                nn.utils.clip_grad_norm_(module.parameters(), settings.clip)
            scaler.step(optimizer)
            scaler.update()
            schedule.step()
            losses.append(loss.detach())
            yield Progress(epoch * steps + step, total, stage)
        mean_loss = float(torch.stack(losses).mean())
        if not math.isfinite(mean_loss):
            raise ModelError(
                f"training diverged in epoch {epoch + 1} (loss {mean_loss}); "
                "lower the learning rate, or look for extreme pixel values"
            )
        module.eval()
        trained = Progress((epoch + 1) * steps, total, stage)
        measured = yield from mapped(learner.validate(), _always(trained))
        score = measured["score"]
        if not all(math.isfinite(value) for value in measured.values()):
            raise ModelError(
                f"training diverged in epoch {epoch + 1} (validation {measured}); "
                "lower the learning rate, or look for extreme pixel values"
            )
        metrics = {"epoch": epoch + 1.0, "loss": mean_loss, **measured}
        record.history.append(metrics)
        if score > best_score:
            record.best_epoch, best_score, best = epoch + 1, score, _copy(module)
        if checkpoint is not None:
            state.write(record.as_dict(), best, best_score)
        yield Progress((epoch + 1) * steps, total, stage, metrics)
    module.load_state_dict(best)
    module.eval()
    return record


def _always(step: Progress) -> Callable[[Progress], Progress]:
    """For a job inside that adds nothing to the progress."""
    return lambda _: step


@contextlib.contextmanager
def _drawing_from(seed: int, step: int, device: torch.device) -> Iterator[None]:
    """Random numbers of one step, the same whether or not the training was interrupted."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed * 1_000_003 + step)
        yield


def _groups(learner: Learner, settings: TrainingSettings) -> list[dict[str, Any]]:
    groups = []
    for group in learner.parameter_groups():
        options = {"lr": settings.rate * group.pop("rate", 1.0), "weight_decay": settings.decay}
        groups.append({**options, **group})
    return groups


def _warm_cosine(total: int, warm: int) -> Callable[[int], float]:
    def factor(step: int) -> float:
        if step < warm:
            return (step + 1) / warm
        return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, total - warm)))

    return factor


def _copy(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in module.state_dict().items()}
