"""Checkpoints: all that the training loop holds between two epochs, in one sealed file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor, nn

from napari_channelmix.bounds import Finite, Index, Name
from napari_channelmix.classify.weights_file import (
    described,
    read_sealed,
    refuse_other_tensors,
    write_sealed,
)
from napari_channelmix.errors import BundleError
from napari_channelmix.stored_files import Stored

__all__ = ["Checkpoint", "StoppedTraining"]

FORMAT = "napari-channelmix checkpoint"
SCHEMA = 1


class _Record(Stored):
    """As of `TrainingRecord.as_dict`."""

    history: Annotated[list[dict[Name, Finite]], Field(min_length=1)]
    best_epoch: Index
    stopped: str


class _About(Stored):
    key: str
    record: _Record
    best_score: Finite
    steps: Index
    scaler: dict[str, float]


@dataclass(frozen=True, eq=False)
class StoppedTraining:
    """Where a training stopped: its record, the best weights so far and their score."""

    record: dict[str, Any]
    best: dict[str, Tensor]
    best_score: float


class Checkpoint:
    """Writes what the loop holds, and puts it back."""

    def __init__(
        self,
        path: Path,
        key: str,
        module: nn.Module,
        optimizer: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.LambdaLR,
        scaler: torch.amp.GradScaler,
    ) -> None:
        self.path, self.key, self.scaler = path, key, scaler
        self.module, self.optimizer, self.schedule = module, optimizer, schedule

    def write(self, record: dict[str, Any], best: dict[str, Tensor], best_score: float) -> None:
        """Replace the file.

        Raises
        ------
        SaveError
            Disk full and the like; the file that was there is intact.
        """
        tensors = {f"now.{name}": value for name, value in self.module.state_dict().items()}
        tensors |= {f"best.{name}": value for name, value in best.items()}
        for index, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"adam.{index}.{name}": value for name, value in state.items()}
        about = {
            "key": self.key,
            "record": record,
            "best_score": best_score,
            "steps": self.schedule.last_epoch,
            "scaler": self.scaler.state_dict(),
        }
        contiguous = {name: value.contiguous() for name, value in tensors.items()}
        write_sealed(self.path, FORMAT, SCHEMA, json.dumps(about), contiguous)

    def restore(self, epochs: int, steps: int) -> StoppedTraining | None:
        """Go on from the file; None where there is none that is usable, and nothing is changed.

        Parameters
        ----------
        epochs : int
            Most epochs of this training.
        steps : int
            Batches in an epoch.
        """
        try:
            text, tensors = read_sealed(self.path, FORMAT, SCHEMA, "checkpoint")
            about = described(text, _About, path=self.path)
            record = about.record
            done = len(record.history)
            if about.key != self.key or done > epochs or about.steps != done * steps:
                return None
            if not 1 <= record.best_epoch <= done or any(
                "epoch" not in entry for entry in record.history
            ):
                return None
            self._refuse_others(tensors)
        except BundleError:
            return None
        device = next(self.module.parameters()).device
        self.module.load_state_dict(_under("now.", tensors))
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in _under("adam.", tensors).items():
            index, what = name.split(".", 1)
            state.setdefault(int(index), {})[what] = value
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": state, "param_groups": groups})
        for parameter, slots in self.optimizer.state.items():
            for what, value in slots.items():
                if value.shape == parameter.shape:
                    # In the weights' own order of memory: fused steps take both as they lie there.
                    slots[what] = torch.empty_like(parameter.detach()).copy_(value)
        if about.scaler and self.scaler.is_enabled():
            self.scaler.load_state_dict(about.scaler)
        self.schedule.last_epoch = about.steps
        for group, rate in zip(self.optimizer.param_groups, self._rates(), strict=True):
            group["lr"] = rate
        best = {name: value.to(device) for name, value in _under("best.", tensors).items()}
        return StoppedTraining(record.model_dump(), best, about.best_score)

    def _refuse_others(self, tensors: Mapping[str, Tensor]) -> None:
        """Refuse tensors that are not those of this module and its optimiser."""
        own = self.module.state_dict()
        needed = {f"now.{name}": value for name, value in own.items()}
        needed |= {f"best.{name}": value for name, value in own.items()}
        parameters = [weight for group in self.optimizer.param_groups for weight in group["params"]]
        for index, parameter in enumerate(parameters):
            needed[f"adam.{index}.step"] = torch.zeros((), dtype=torch.float32)
            needed |= {f"adam.{index}.{name}": parameter for name in ("exp_avg", "exp_avg_sq")}
        refuse_other_tensors(tensors, needed, path=self.path, what="checkpoint")

    def _rates(self) -> list[float]:
        step = self.schedule.last_epoch
        pairs = zip(self.schedule.base_lrs, self.schedule.lr_lambdas, strict=True)
        return [float(base) * factor(step) for base, factor in pairs]


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name[len(prefix) :]: v for name, v in tensors.items() if name.startswith(prefix)}
