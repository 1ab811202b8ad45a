"""What predicts the classes of cells, whatever is inside, and compares them with training."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.neighbours import prepared_alike
from napari_channelmix.classify.prediction_chunks import (
    BATCH,
    CollectedPredictions,
    PredictionTask,
    pass_order,
    predict_chunk_job,
    prediction_chunks,
)
from napari_channelmix.classify.priors import Prior, PriorChoice, own_prior
from napari_channelmix.classify.scaled_pixels import scaled_alike
from napari_channelmix.classify.shift import DataShift, Observer, say
from napari_channelmix.classify.training_cells import TrainingCells, crop_digests
from napari_channelmix.data import Cells
from napari_channelmix.errors import ModelError
from napari_channelmix.jobs import Job, Progress, drain, mapped
from napari_channelmix.phenotypes.held_out import UNKNOWN, Marks

if TYPE_CHECKING:
    from napari_channelmix.classify.training_data import TrainingData
    from napari_channelmix.data.pixel_scaling import PixelScaling
    from napari_channelmix.progress_bar import ShowProgress

__all__ = ["Called", "Predictor", "data_shift_job", "matched", "training_marks_job"]

FloatArray = npt.NDArray[np.float32]


def matched(
    cells: Cells,
    channels: Sequence[str],
    who: str = "the classifier",
    neighbours: str = "",
    scaling: PixelScaling | None = None,
) -> Cells:
    """The cells with the channels a classifier was trained on, in its order.

    With ``neighbours`` of a classifier that learnt each cell alone, they are shown alone too. With
    the ``scaling`` of its training pixels, theirs are scaled alike; see `scaled_alike`.

    Raises
    ------
    ModelError
        Where one of them is missing; others may be there and are left out. Pixels that are scaled
        otherwise.
    DataError
        Cells without outlines, for a classifier that learnt cells alone.
    """
    missing = [name for name in channels if name not in cells.channels]
    if missing:
        raise ModelError(
            f"{who} needs the channels {', '.join(channels)}; {cells.name} has "
            f"{', '.join(cells.channels)} (missing: {', '.join(missing)})"
        )
    alike = scaled_alike(cells.with_channels(channels), scaling, who)
    return prepared_alike(alike, neighbours)


@dataclass(frozen=True, eq=False)
class Called:
    """Class probabilities (N, K) of cells, and how these differ from the training cells.

    Attributes
    ----------
    probabilities : (N, K) float32 array
    shift : DataShift
    warnings : tuple of str
        What speaks against the classifier itself; see `Predictor.warnings`.
    prior : Prior
        Which shares of the classes the probabilities take for granted.
    balanced : (N, K) float32 array
        The probabilities with the balanced prior; as the model gives them, for one made elsewhere.
    training : (N,) array of str
        Whether each cell was trained on: ``yes``, ``same group``, ``no`` or ``unknown``; see
        `training_cells`.
    """

    probabilities: FloatArray = field(repr=False)
    shift: DataShift
    warnings: tuple[str, ...]
    prior: Prior
    balanced: FloatArray = field(repr=False)
    training: Marks = field(default_factory=lambda: np.zeros(0, dtype="<U10"), repr=False)

    @property
    def codes(self) -> npt.NDArray[np.int64]:
        """Most probable class of each cell (N,)."""
        return np.asarray(self.probabilities.argmax(axis=1), dtype=np.int64)

    @property
    def lines(self) -> tuple[str, ...]:
        """All that is worth saying."""
        return (*self.warnings, *self.shift.lines)


class Predictor(ABC):
    """What predicts the classes of cells, whatever is inside."""

    channels: tuple[str, ...]
    classes: tuple[str, ...]
    mean: npt.NDArray[np.float64]
    std: npt.NDArray[np.float64]
    #: What is known of the training cells; None for models made elsewhere or saved long ago.
    training_data: TrainingData | None = None
    #: Which cells those were, as digests; None where that is not known.
    training_cells: TrainingCells | None = None

    @abstractmethod
    def _probabilities(self, crops: FloatArray) -> FloatArray:
        """Class probabilities (n, K) of one batch of crops (n, C, H, W) in raw units.

        With the balanced prior, where the prior is known.
        """

    def prior_of(self, choice: PriorChoice = None, balanced: FloatArray | None = None) -> Prior:
        """The prior that is meant; here none is known, and probabilities stay as they are.

        Parameters
        ----------
        choice : str, mapping of str to float, Prior or None
            ``training`` (None as well), ``balanced``, ``estimated``, or shares by class.
        balanced : (N, K) array, optional
            What the classifier says of the cells, for ``estimated``.

        Raises
        ------
        ModelError
            A name that is not known, shares that are none; for a model made elsewhere anything
            that would need its prior.
        """
        if isinstance(choice, Prior):
            return choice.checked(self.classes)
        if choice not in (None, "training", "balanced"):
            raise ModelError(
                f"{self.who}: the class shares it was trained on are not known, so its "
                "probabilities cannot be corrected for others; leave the prior out"
            )
        return own_prior(self.classes)

    @property
    def who(self) -> str:
        """What messages call it."""
        return "the classifier"

    @property
    def mirrored_borders(self) -> bool:
        """Whether it is known to have learnt borders that were filled with mirror images."""
        return False

    @property
    def neighbours(self) -> str:
        """Whether neighbours were hidden in its training crops; empty where it is not known."""
        return ""

    @property
    def scaling(self) -> PixelScaling | None:
        """How pixels were scaled in training, empty for not at all; None where it is not known."""
        return None

    def no_gradient(self, crops: FloatArray) -> str:
        """Why it gives no gradients, from a few crops in raw units; empty where it gives them."""
        return "it gives predictions only"

    @property
    def may_have_gradients(self) -> bool:
        """Whether it can be asked for gradients, as far as is known before it is asked."""
        return False

    @property
    def warnings(self) -> tuple[str, ...]:
        """What should be known before it is trusted, as far as it was asked."""
        return ()

    def _prepare(self, source: Cells | FloatArray) -> None:  # noqa: B027
        """Look at the cells before the first batch, where that is needed."""

    def _prepare_for_workers(self, source: Cells) -> None:  # noqa: B027
        """Find out here what workers would find out each for itself."""

    def refuse_other_crops(self, height: int, width: int) -> None:  # noqa: B027
        """Refuse crops of another size than those of training; here nothing is known of that.

        Raises
        ------
        ModelError
            One line with both sizes and the remedy.
        """

    def fitting(
        self, cells: Cells | npt.ArrayLike
    ) -> tuple[Cells | FloatArray, np.dtype[Any] | None]:
        """The cells with the channels of the classifier, or an array as float32; and its dtype.

        Raises
        ------
        ModelError
            Channels that are missing, crops of another size than those of training.
        """
        if isinstance(cells, Cells):
            self.refuse_other_crops(cells.crop, cells.crop)
            return matched(cells, self.channels, self.who, self.neighbours, self.scaling), None
        crops = np.asarray(cells)
        if crops.dtype.kind not in "biuf":
            raise ModelError(
                f"{self.who}: give Cells or an array (n, C, H, W) of numbers, not "
                f"{type(cells).__name__}"
            )
        if self.scaling and crops.dtype.kind != "f":
            raise ModelError(
                f"{self.who} was trained on scaled pixels ({self.scaling.text}), and an array of "
                "whole numbers has none; give Cells, or scaling.apply(crops, channels) of the "
                "classifier's own with crops of float32"
            )
        if crops.ndim == 4:
            self.refuse_other_crops(*crops.shape[2:])
        return crops.astype(np.float32, copy=False), crops.dtype

    def predict_proba(
        self,
        cells: Cells | npt.ArrayLike,
        batch: int = 256,
        *,
        prior: PriorChoice = None,
        progress: ShowProgress = None,
    ) -> FloatArray:
        """Class probabilities.

        Cells that are not like those of training are warned of, once, by a `DataShiftWarning`
        with a line for each difference; see `compare`.

        Parameters
        ----------
        cells : Cells or (n, C, H, W) array
            Cells may have their channels in any order, and more of them; an array must have those
            of the classifier, in raw units, or scaled by ``scaling`` where training cells were.
        batch : int
            Crops computed at once.
        prior : str, mapping of str to float, or Prior, optional
            How frequent the classes are before a cell is seen. ``training`` (the default): as
            among the labelled training cells; ``balanced``: all alike; ``estimated``: as these
            cells themselves say, by expectation maximisation; or a share for each class. See
            `classify.priors`. Models made elsewhere have no prior that is known: theirs are left
            as they are.
        progress : bool or callable, optional
            True: a bar, also in a notebook; a function: called with each `Progress`.

        Returns
        -------
        (n, K) float32 array

        Raises
        ------
        ModelError
            Channels that are missing, crops of another size or shape, NaN; a prior that is none;
            and where a model made elsewhere raises, or gives another shape, NaN, or no
            probabilities.
        """
        called = drain(self.call_job(cells, batch, prior=prior), progress)
        say(called.shift, called.warnings)
        return called.probabilities

    def predict(
        self, cells: Cells | npt.ArrayLike, *, prior: PriorChoice = None
    ) -> npt.NDArray[np.int64]:
        """Most probable class of each cell (n,), a position in ``classes``.

        It follows the prior, as the probabilities do. Balanced accuracy is of the predictions with
        ``prior="balanced"``.
        """
        called = drain(self.call_job(cells, prior=prior))
        say(called.shift, called.warnings)
        return called.codes

    def compare(self, cells: Cells | npt.ArrayLike) -> DataShift:
        """How cells differ from those of training, and what became of the calls.

        Raises
        ------
        ModelError
            As `predict_proba`.
        """
        return drain(self.call_job(cells)).shift

    def predict_job(
        self, cells: Cells | npt.ArrayLike, batch: int = 256, *, prior: PriorChoice = None
    ) -> Job[FloatArray]:
        """Class probabilities as a job, a step for each batch; nothing is compared."""
        source, _ = self.fitting(cells)
        self._refuse_prior(prior)
        collected = yield from self._collected_job(source, batch, None)
        return self.prior_of(prior, collected.balanced).applied(collected.balanced)

    def call_job(
        self, cells: Cells | npt.ArrayLike, batch: int = 256, *, prior: PriorChoice = None
    ) -> Job[Called]:
        """Class probabilities, and how the cells differ from those of training, as a job.

        Pixels are read once for both.
        """
        source, dtype = self.fitting(cells)
        self._refuse_prior(prior)
        observer = Observer(self, source, dtype=dtype)
        collected = yield from self._collected_job(source, batch, observer)
        groups = cells.groups.tolist() if isinstance(cells, Cells) else None
        return self.called(collected, groups, prior)

    def prediction_task(
        self, cells: Cells, *, prior: PriorChoice = None, device: str = ""
    ) -> PredictionTask:
        """What workers need to classify the cells, once it is known that they can be.

        Raises
        ------
        ModelError
            As `predict_proba`.
        """
        source, _ = self.fitting(cells)
        self._refuse_prior(prior)
        assert isinstance(source, Cells)
        self._prepare(source)
        self._prepare_for_workers(source)
        return PredictionTask(self, source, Observer(self, source), device=device)

    def called(
        self,
        collected: CollectedPredictions,
        groups: Sequence[str] | None = None,
        prior: PriorChoice = None,
    ) -> Called:
        """What follows from the predictions of all cells, which were compared with training.

        Parameters
        ----------
        collected : CollectedPredictions
        groups : sequence of N str, optional
            Groups of the cells.
        prior : str, mapping of str to float, or Prior, optional
        """
        balanced, observer = collected.balanced, collected.observer
        assert observer is not None
        known = self.prior_of(prior, balanced)
        shown = known.applied(balanced)
        shift = observer.shift(shown, balanced)
        marks = np.full(len(shown), UNKNOWN)
        if self.training_cells is not None and collected.digests is not None and len(shown):
            marks = self.training_cells.marks(collected.digests, groups)
        return Called(shown, shift, self.warnings, known, balanced, marks)

    def prior_job(self, cells: Cells | npt.ArrayLike, choice: PriorChoice = None) -> Job[Prior]:
        """The prior that is meant, as a job: one that is estimated is so from the cells."""
        self._refuse_prior(choice)
        if choice != "estimated":
            return self.prior_of(choice)
        return self.prior_of(choice, (yield from self.predict_job(cells, prior="balanced")))

    def _refuse_prior(self, choice: PriorChoice) -> None:
        """Say what is wrong with a prior before a cell is read."""
        self.prior_of(choice, np.zeros((0, len(self.classes)), np.float32))

    def _collected_job(
        self, source: Cells | FloatArray, batch: int, observer: Observer | None
    ) -> Job[CollectedPredictions]:
        """Classify all cells, chunk by chunk."""
        self._prepare(source)
        task = PredictionTask(self, source, observer, batch)
        collected, done = CollectedPredictions(self, observer, len(source)), 0
        for positions in prediction_chunks(source, batch):
            placed = partial(_placed, done, len(positions), len(source))
            collected.take((yield from mapped(predict_chunk_job(task, positions), placed)))
            done += len(positions)
        return collected


def _placed(done: int, size: int, total: int, step: Progress) -> Progress:
    now = done + round(size * step.fraction)
    stage = f"classifying the cells, {now:,} of {total:,}"
    return replace(step, done=now, total=total, stage=stage)


def data_shift_job(
    model: Predictor,
    cells: Cells | npt.ArrayLike,
    probabilities: FloatArray | None = None,
    only: npt.NDArray[np.int64] | None = None,
    batch: int = BATCH,
    balanced: FloatArray | None = None,
) -> Job[DataShift]:
    """Compare cells with those a classifier was trained on, as a job.

    Parameters
    ----------
    model : Classifier or ForeignClassifier
    cells : Cells or (N, C, H, W) array
        As for `Predictor.predict_proba`.
    probabilities : (N, K) array, optional
        What the classifier says of them, to see what a difference did.
    only : (N,) int array, optional
        Positions of the cells that are meant; default: all.
    batch : int
        Crops read at once.
    balanced : (N, K) array, optional
        The probabilities with the balanced prior.

    Raises
    ------
    ModelError
        Channels that are missing, crops of another size.
    """
    source, dtype = model.fitting(cells)
    observer = Observer(model, source, only, dtype)
    order = pass_order(source, only)
    for start in range(0, len(order) if observer.useful else 0, batch):
        rows = order[start : start + batch]
        some = rows if only is None else np.asarray(only)[rows]
        observer.add(source.read(some) if isinstance(source, Cells) else source[some], rows)
        done, count = start + len(rows), len(order)
        yield Progress(done, count, f"comparing with training, {done:,} of {count:,}")
    return observer.shift(probabilities, balanced)


def training_marks_job(model: Predictor, cells: Cells) -> Job[Marks]:
    """Read the cells to see which of them a classifier was trained on; a job.

    Nothing is read where the classifier does not know.

    Raises
    ------
    ModelError
        Channels that are missing, crops of another size.
    """
    known = model.training_cells
    if known is None:
        return np.full(len(cells), UNKNOWN)
    source, _ = model.fitting(cells)
    digests, done = np.empty(len(cells), dtype=np.uint64), 0
    assert isinstance(source, Cells)
    for positions, crops in source.passes(BATCH):
        digests[positions] = crop_digests(crops)
        done += len(positions)
        stage = f"looking for cells that were trained on, {done:,} of {len(cells):,}"
        yield Progress(done, len(cells), stage)
    return known.marks(digests, cells.groups.tolist())
