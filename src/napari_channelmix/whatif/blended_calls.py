"""What a classifier calls cells of which some channels are another cell's."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.jobs import Job, Progress

if TYPE_CHECKING:
    from napari_channelmix.whatif.asking import Asker

__all__ = ["blend_batch", "blended_probabilities", "probabilities_job"]

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
BATCH = 256


def blended_probabilities(
    asker: Asker, pixels: FloatArray, donors: FloatArray
) -> Callable[[BoolArray], FloatArray]:
    """Probabilities of crops in which the channels outside a subset are those of donors.

    Any model is asked about the blended crops; where the network is one of ours, its first
    convolution is computed once for each channel (`classify.channel_games.blended_scores`).

    Parameters
    ----------
    asker : Asker
    pixels, donors : (n, C, H, W) float32 arrays
        Raw units.

    Returns
    -------
    callable
        From a subset (C,) of channels that are the cell's own to probabilities (n, K).
    """
    from napari_channelmix.classify.channel_games import blended_scores
    from napari_channelmix.classify.classifier import Classifier
    from napari_channelmix.classify.networks import SmallNetwork

    model = asker.model
    if not (isinstance(model, Classifier) and isinstance(model.network, SmallNetwork)):
        return lambda present: asker(np.where(present[:, None, None], pixels, donors))
    scores = blended_scores(model.network, model.normalise(pixels), model.normalise(donors))

    def of_sums(present: BoolArray) -> FloatArray:
        asker.asked += len(pixels)
        return asker.prior.applied(model.balanced(scores(present)))

    return of_sums


def blend_batch(asker: Asker, crop: FloatArray) -> int:
    """How many cells to blend at once; ``crop`` (1, C, H, W) is one of them."""
    from napari_channelmix.classify.channel_games import at_once
    from napari_channelmix.classify.classifier import Classifier

    if not isinstance(asker.model, Classifier):
        return BATCH
    return at_once(asker.model.network, asker.model.normalise(crop))


def probabilities_job(
    asker: Asker, pixels: FloatArray, stage: str = "classifying the cells"
) -> Job[FloatArray]:
    """Probabilities (n, K) of crops as they are, as a job: a step for each batch."""
    parts = [np.zeros((0, len(asker.classes)), np.float32)]
    for start in range(0, len(pixels), BATCH):
        parts.append(asker(pixels[start : start + BATCH]))
        yield Progress(min(start + BATCH, len(pixels)), len(pixels), stage)
    return np.concatenate(parts)
