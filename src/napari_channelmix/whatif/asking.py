"""The classifier as it is asked about crops that were edited: only its answers are needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.predictor import Predictor, matched
from napari_channelmix.data.required_cells import refuse_no_cells
from napari_channelmix.errors import ModelError
from napari_channelmix.jobs import Job, drain

if TYPE_CHECKING:
    from napari_channelmix.classify.priors import Prior, PriorChoice
    from napari_channelmix.data import Cells

__all__ = ["Asker", "asker_job"]

FloatArray = npt.NDArray[np.float32]

BATCH = 256
# Probabilities of the same crops that differ by more than this are of a model that is not steady.
STEADY = 1e-3


class Asker:
    """A classifier, and which shares of the classes its probabilities take for granted.

    Attributes
    ----------
    model : Predictor
        `Classifier` or `ForeignClassifier`.
    prior : Prior
    asked : int
        Crops that it was asked about so far.
    """

    def __init__(self, model: Predictor, prior: Prior, batch: int = BATCH) -> None:
        self.model, self.prior, self.asked, self._batch = model, prior, 0, batch

    @property
    def channels(self) -> tuple[str, ...]:
        """Channels that the model needs, in its order."""
        return self.model.channels

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of its K classes."""
        return self.model.classes

    def __call__(self, pixels: FloatArray) -> FloatArray:
        """Class probabilities (n, K) of crops (n, C, H, W) in raw units.

        Raises
        ------
        ModelError
            As `Predictor.predict_proba`.
        """
        self.asked += len(pixels)
        balanced = drain(self.model.predict_job(pixels, self._batch, prior="balanced"))
        return self.prior.applied(balanced)

    def calls(self, pixels: FloatArray) -> npt.NDArray[np.int64]:
        """Most probable class (n,) of each crop."""
        return np.asarray(self(pixels).argmax(axis=1), np.int64)

    def refuse_unsteady(self, pixels: FloatArray) -> None:
        """Ask twice about the same crops: all together, then half by half.

        Raises
        ------
        ModelError
            A model whose answers change from call to call, or with the other crops of a call, such
            as one left in training mode.
        """
        if not len(pixels):
            return
        together, half = self(pixels), max(1, len(pixels) // 2)
        if len(pixels) == 1:
            # Beside another one, of half the light.
            again = self(np.concatenate([pixels, pixels / 2]))[:1]
        else:
            again = np.concatenate([self(pixels[:half]), self(pixels[half:])])
        off = float(np.abs(together - again).max())
        if off > STEADY:
            raise ModelError(
                f"{self.model.who} changes its answer from call to call (probabilities of the same "
                f"crops differ by up to {off:.2g}, asked again or beside other crops), so no edit "
                "can be told from its noise; switch off dropout, random augmentation and "
                "normalisation by the batch (model.eval())"
            )


def refuse_no_classifier(model: object) -> None:
    """Refuse what is no classifier of ours, such as a module or an estimator.

    Raises
    ------
    ModelError
    """
    if not hasattr(model, "refuse_other_crops"):
        raise ModelError(
            f"a {type(model).__name__} cannot be asked about cells as it is; open its file with "
            "load_model, or make a classifier of it with wrap"
        )


def asker_job(
    model: Predictor, cells: Cells, prior: PriorChoice = None
) -> Job[tuple[Asker, Cells]]:
    """A classifier to ask about some cells, and the cells with its channels in its order; a job.

    Raises
    ------
    ModelError
        Channels that are missing, crops of another size, a prior that is none; no classifier.
    DataError
        No `Cells`.
    """
    refuse_no_cells(cells)
    refuse_no_classifier(model)
    model.refuse_other_crops(cells.crop, cells.crop)
    fitting = matched(cells, model.channels, model.who, model.neighbours, model.scaling)
    known = yield from model.prior_job(fitting, prior)
    return Asker(model, known), fitting
