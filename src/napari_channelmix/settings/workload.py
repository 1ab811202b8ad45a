"""How much there is to do for a job with these settings: see `napari_channelmix.duration`."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.duration import Workload

if TYPE_CHECKING:
    from napari_channelmix.settings.importance import ImportanceSettings
    from napari_channelmix.settings.training import NetworkSettings

__all__ = ["explain_workload", "importance_workload", "latents_workload", "training_workload"]


def training_workload(cells: Any, settings: NetworkSettings, mixes: int = 0) -> Workload:
    """Of a classifier: cells with a class x epochs x pixels of a crop.

    Parameters
    ----------
    cells : Cells
    settings : NetworkSettings
    mixes : int
        Blended images in front of the network.
    """
    like = f"{settings.network}, {'mixed' if mixes else 'plain'}, {settings.device}"
    return Workload("training", like, _trained(cells, settings), _gpu(settings.device))


def importance_workload(cells: Any, settings: ImportanceSettings) -> Workload:
    """Of channel importance: the same x repeats x networks of a repeat (two; three with decoys).

    Shapley values ask for every set of channels, so runs are alike that have as many of them.
    """
    like = f"{settings.network}, {settings.device}"
    if settings.shapley:
        like += f", Shapley values of {len(cells.channels)} channels"
    networks = 2 + settings.decoys
    units = _trained(cells, settings) * settings.seeds * networks
    return Workload("importance", like, units, _gpu(settings.device))


def explain_workload(
    classifier: Any, cells: int, crop: int, method: str, device: str = "auto"
) -> Workload:
    """Of the maps of so many cells: cells x pixels of a crop."""
    spec = getattr(classifier, "spec", None)
    network = type(classifier).__name__ if spec is None else spec.name
    like = f"{network}, {method}, {device}"
    return Workload("explain", like, float(max(1, cells) * crop**2), _gpu(device))


def latents_workload(
    cells: Any,
    model: str | Path,
    epochs: int,
    device: str = "auto",
    pixels: bool = False,
    features: str | None = None,
    drawing_steps: int = 0,
) -> Workload:
    """Of latents: cells, x epochs where the encoder is fine-tuned.

    What separates the classes is worked out where there are classes, so that runs are alike that
    have as many.
    """
    like = f"{Path(model).name}, {device}, {len(cells.classes)} classes"
    like += ", fine-tuned" * bool(epochs) + ", pixels" * pixels
    like += f", features of {Path(features).name}" if features else ""
    # Steps of learning to draw take the same time whatever the number of cells.
    like += f", drawn in {drawing_steps} steps" * bool(drawing_steps)
    return Workload("latents", like, len(cells) * max(1, epochs), _gpu(device))


def _trained(cells: Any, settings: NetworkSettings) -> float:
    labelled = int(np.count_nonzero(cells.labels >= 0))
    # The held-out cells are classified once, which is little beside many epochs.
    return float(max(1, labelled) * settings.epochs * cells.crop**2)


def _gpu(device: str) -> bool:
    """Whether a job may run on a graphics card, as far as can be said without loading PyTorch."""
    if device != "auto":
        return device != "cpu"
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "cuda"):
        return bool(torch.cuda.is_available()) or sys.platform == "darwin"
    return _has_gpu()


@cache
def _has_gpu() -> bool:
    known = importlib.util.find_spec("torch") is not None
    return known and (sys.platform == "darwin" or Path("/dev/nvidia0").exists())
