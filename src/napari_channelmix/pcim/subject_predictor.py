"""A subject of an explanation as what predicts the classes of crops."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from napari_channelmix.classify.predictor import Predictor

if TYPE_CHECKING:
    from napari_channelmix.pcim.model_adapter import Subject

__all__ = ["SubjectPredictor"]

FloatArray = npt.NDArray[np.float32]


class SubjectPredictor(Predictor):
    """A subject as a predictor."""

    def __init__(
        self, subject: Subject, channels: tuple[str, ...], classes: tuple[str, ...]
    ) -> None:
        self.subject, self.channels, self.classes = subject, channels, classes
        self.reading = subject.reading

    def _probabilities(self, crops: FloatArray) -> FloatArray:
        with torch.inference_mode():
            scores = self.subject.checked_scores(self.subject.prepare(crops))
            shown: FloatArray = self.subject.reading.probabilities(scores).float().cpu().numpy()
        return shown
