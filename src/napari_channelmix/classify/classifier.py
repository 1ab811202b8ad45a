"""A classifier: a network that knows its channels, their statistics, its classes and its origin."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from napari_channelmix.classify.crops import normalised
from napari_channelmix.classify.mixing import ChannelMix, MixedNetwork
from napari_channelmix.data import Cells
from napari_channelmix.errors import ModelError
from napari_channelmix.jobs import Job, Progress, drain

if TYPE_CHECKING:
    from napari_channelmix.classify.networks import NetworkSpec

__all__ = ["Classifier", "Predictor", "matched"]

Floats = npt.NDArray[np.float32]


def matched(cells: Cells, channels: Sequence[str], who: str = "the classifier") -> Cells:
    """The cells with the channels a classifier was trained on, in its order.

    Raises
    ------
    ModelError
        Where one of them is missing; others may be there and are left out.
    """
    missing = [name for name in channels if name not in cells.channels]
    if missing:
        raise ModelError(
            f"{who} needs the channels {', '.join(channels)}; {cells.name} has "
            f"{', '.join(cells.channels)} (missing: {', '.join(missing)})"
        )
    return cells.with_channels(channels)


class Predictor(ABC):
    """What predicts the classes of cells, whatever is inside."""

    channels: tuple[str, ...]
    classes: tuple[str, ...]

    @abstractmethod
    def _probabilities(self, crops: Floats) -> Floats:
        """Class probabilities (n, K) of one batch of crops (n, C, H, W) in raw units."""

    @property
    def _who(self) -> str:
        """What messages call it."""
        return "the classifier"

    def predict_proba(self, cells: Cells | npt.ArrayLike, batch: int = 256) -> Floats:
        """Class probabilities.

        Parameters
        ----------
        cells : Cells or (n, C, H, W) array
            Cells may have their channels in any order, and more of them; an array must have those
            of the classifier, in raw units.
        batch : int
            Crops computed at once.

        Returns
        -------
        (n, K) float32 array

        Raises
        ------
        ModelError
            Channels that are missing, crops of another shape, NaN; and where a model made
            elsewhere raises, or gives another shape, NaN, or no probabilities.
        """
        return drain(self.predict_job(cells, batch))

    def predict(self, cells: Cells | npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Most probable class of each cell (n,), a position in ``classes``."""
        return np.asarray(self.predict_proba(cells).argmax(axis=1), dtype=np.int64)

    def predict_job(self, cells: Cells | npt.ArrayLike, batch: int = 256) -> Job[Floats]:
        """`predict_proba` as a job: a step for each batch."""
        if isinstance(cells, Cells):
            cells = matched(cells, self.channels, self._who)
        source = cells if isinstance(cells, Cells) else np.asarray(cells, dtype=np.float32)
        parts = [np.zeros((0, len(self.classes)), dtype=np.float32)]
        for start in range(0, len(source), batch):
            some = slice(start, start + batch)
            crops = source.read(some) if isinstance(source, Cells) else source[some]
            parts.append(self._probabilities(crops))
            yield Progress(min(start + batch, len(source)), len(source), "classifying the cells")
        return np.concatenate(parts)


@dataclass(frozen=True, eq=False)
class Classifier(Predictor):
    """A trained classifier of cells.

    Attributes
    ----------
    network : torch.nn.Module
        Takes normalised crops (N, C, H, W), gives class scores (N, K) before the softmax.
    spec : NetworkSpec
        How to build the network again.
    channels, classes : tuple of str
        Names of the C channels and the K classes.
    mean, std : (C,) float64 arrays
        Of the training cells, in raw units; ``(x - mean) / std`` goes into the network.
    crop : int
        Side of the crops it was trained on, in pixels.
    provenance : dict
        Versions, settings, seed, data signature.
    record : dict
        Training history and accuracies.
    """

    network: nn.Module = field(repr=False)
    spec: NetworkSpec
    channels: tuple[str, ...]
    classes: tuple[str, ...]
    mean: npt.NDArray[np.float64] = field(repr=False)
    std: npt.NDArray[np.float64] = field(repr=False)
    crop: int
    provenance: dict[str, Any] = field(default_factory=dict, repr=False)
    record: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.network.parameters()).device

    @property
    def mixing(self) -> ChannelMix | None:
        """The mixing layer, where the classifier has one."""
        return self.network.mixing if isinstance(self.network, MixedNetwork) else None

    def normalise(self, crops: npt.ArrayLike) -> Tensor:
        """Crops (N, C, H, W) in raw units as the network takes them, on its device.

        Raises
        ------
        ModelError
            Another number of channels or dimensions, NaN or infinite values.
        """
        pixels = np.asarray(crops, dtype=np.float32)
        if pixels.ndim != 4 or pixels.shape[1] != len(self.channels):
            raise ModelError(
                f"the classifier takes crops of shape (N, {len(self.channels)}, H, W) with the "
                f"channels {', '.join(self.channels)}, not {pixels.shape}"
            )
        if not np.isfinite(pixels).all():
            raise ModelError("the crops have NaN or infinite pixels")
        return normalised(pixels, self.mean, self.std).to(self.device)

    def _probabilities(self, crops: Floats) -> Floats:
        with torch.inference_mode():
            scores = self.network(self.normalise(crops))
        return torch.softmax(scores.float(), dim=1).cpu().numpy()

    def blend(self, crops: npt.ArrayLike) -> Floats:
        """The blended images (N, mixes, H, W) that the network sees, in normalised units.

        Raises
        ------
        ModelError
            A classifier without a mixing layer.
        """
        if self.mixing is None:
            raise ModelError("this classifier has no mixing layer; train it with mixing")
        with torch.inference_mode():
            blended: Floats = self.mixing(self.normalise(crops)).cpu().numpy()
        return blended

    def to(self, device: torch.device) -> Classifier:
        """Move the network; the classifier itself is returned."""
        self.network.to(device)
        return self

    def save(self, path: str | Path) -> Path:
        """Write a bundle (``.cmx``); see `napari_channelmix.classify.bundle`."""
        from napari_channelmix.classify.bundle import save_bundle

        return save_bundle(self, path)
