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

from napari_channelmix.classify.accuracy import stored_estimate
from napari_channelmix.classify.calibration import Calibration
from napari_channelmix.classify.crops import normalised
from napari_channelmix.classify.mixing import ChannelMix, MixedNetwork
from napari_channelmix.classify.priors import (
    PRIORS,
    Prior,
    PriorChoice,
    balanced_prior,
    estimated_prior,
    given_prior,
    own_prior,
)
from napari_channelmix.classify.shift import DataShift, Observer, say
from napari_channelmix.classify.training_cells import Digests, TrainingCells, crop_digests
from napari_channelmix.data import Cells
from napari_channelmix.errors import ModelError
from napari_channelmix.jobs import Job, Progress, drain
from napari_channelmix.phenotypes.adjusted import HeldOutCalls
from napari_channelmix.phenotypes.held_out import UNKNOWN, Marks
from napari_channelmix.wording import quoted

if TYPE_CHECKING:
    from napari_channelmix.classify.accuracy import AccuracyEstimate
    from napari_channelmix.classify.networks import NetworkSpec
    from napari_channelmix.classify.training_data import TrainingData

__all__ = ["Called", "Classifier", "Predictor", "matched"]

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

    probabilities: Floats = field(repr=False)
    shift: DataShift
    warnings: tuple[str, ...]
    prior: Prior
    balanced: Floats = field(repr=False)
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
    def _probabilities(self, crops: Floats) -> Floats:
        """Class probabilities (n, K) of one batch of crops (n, C, H, W) in raw units.

        With the balanced prior, where the prior is known.
        """

    def prior_of(self, choice: PriorChoice = None, balanced: Floats | None = None) -> Prior:
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
                f"{self._who}: the class shares it was trained on are not known, so its "
                "probabilities cannot be corrected for others; leave the prior out"
            )
        return own_prior(self.classes)

    @property
    def _who(self) -> str:
        """What messages call it."""
        return "the classifier"

    @property
    def warnings(self) -> tuple[str, ...]:
        """What should be known before it is trusted, as far as it was asked."""
        return ()

    def _prepare(self, source: Cells | Floats) -> None:  # noqa: B027
        """Look at the cells before the first batch, where that is needed."""

    def refuse_other_crops(self, height: int, width: int) -> None:  # noqa: B027
        """Refuse crops of another size than those of training; here nothing is known of that.

        Raises
        ------
        ModelError
            One line with both sizes and the remedy.
        """

    def fitting(self, cells: Cells | npt.ArrayLike) -> tuple[Cells | Floats, np.dtype[Any] | None]:
        """The cells with the channels of the classifier, or an array as float32; and its dtype.

        Raises
        ------
        ModelError
            Channels that are missing, crops of another size than those of training.
        """
        if isinstance(cells, Cells):
            self.refuse_other_crops(cells.crop, cells.crop)
            return matched(cells, self.channels, self._who), None
        crops = np.asarray(cells)
        if crops.ndim == 4:
            self.refuse_other_crops(*crops.shape[2:])
        return crops.astype(np.float32, copy=False), crops.dtype

    def predict_proba(
        self, cells: Cells | npt.ArrayLike, batch: int = 256, *, prior: PriorChoice = None
    ) -> Floats:
        """Class probabilities.

        Cells that are not like those of training are warned of, once, by a `DataShiftWarning`
        with a line for each difference; see `compare`.

        Parameters
        ----------
        cells : Cells or (n, C, H, W) array
            Cells may have their channels in any order, and more of them; an array must have those
            of the classifier, in raw units.
        batch : int
            Crops computed at once.
        prior : str, mapping of str to float, or Prior, optional
            How frequent the classes are before a cell is seen. ``training`` (the default): as
            among the labelled training cells; ``balanced``: all alike; ``estimated``: as these
            cells themselves say, by expectation maximisation; or a share for each class. See
            `classify.priors`. Models made elsewhere have no prior that is known: theirs are left
            as they are.

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
        called = drain(self.call_job(cells, batch, prior=prior))
        say(called.shift, called.warnings)
        return called.probabilities

    def predict(
        self, cells: Cells | npt.ArrayLike, *, prior: PriorChoice = None
    ) -> npt.NDArray[np.int64]:
        """Most probable class of each cell (n,), a position in ``classes``.

        It follows the prior, as the probabilities do. Balanced accuracy is of the calls with
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
    ) -> Job[Floats]:
        """Class probabilities as a job, a step for each batch; nothing is compared."""
        source, _ = self.fitting(cells)
        self._refuse_prior(prior)
        balanced = yield from self._call_job(source, batch, None)
        return self.prior_of(prior, balanced).applied(balanced)

    def call_job(
        self, cells: Cells | npt.ArrayLike, batch: int = 256, *, prior: PriorChoice = None
    ) -> Job[Called]:
        """Class probabilities, and how the cells differ from those of training, as a job.

        Pixels are read once for both.
        """
        source, dtype = self.fitting(cells)
        self._refuse_prior(prior)
        observer = Observer(self, source, dtype=dtype)
        digests: list[Digests] = []
        balanced = yield from self._call_job(source, batch, observer, digests)
        known = self.prior_of(prior, balanced)
        shown = known.applied(balanced)
        shift = observer.shift(shown, balanced)
        marks = np.full(len(shown), UNKNOWN)
        if self.training_cells is not None and digests:
            groups = cells.groups.tolist() if isinstance(cells, Cells) else None
            marks = self.training_cells.marks(np.concatenate(digests), groups)
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

    def _call_job(
        self,
        source: Cells | Floats,
        batch: int,
        observer: Observer | None,
        digests: list[Digests] | None = None,
    ) -> Job[Floats]:
        self._prepare(source)
        parts = [np.zeros((0, len(self.classes)), dtype=np.float32)]
        for start in range(0, len(source), batch):
            some = slice(start, start + batch)
            crops = source.read(some) if isinstance(source, Cells) else source[some]
            parts.append(self._probabilities(crops))
            if observer is not None:
                observer.add(crops)
            if digests is not None and self.training_cells is not None:
                digests.append(crop_digests(crops))
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
        Training history and accuracies; ``calibration`` where it was measured on held-out cells.
    training_data : TrainingData or None
        What the training cells were like; None where the bundle is of an earlier version.
    training_cells : TrainingCells or None
        Which cells they were, as digests; None where the bundle is of an earlier version.
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
    training_data: TrainingData | None = field(default=None, repr=False)
    training_cells: TrainingCells | None = field(default=None, repr=False)

    @property
    def accuracy(self) -> AccuracyEstimate | None:
        """On the cells that were held out of its training; None where it was not measured."""
        return stored_estimate(self.record.get("held_out") or {}, self.classes)

    def __repr__(self) -> str:
        """Network, channels, classes, crop and accuracy."""
        accuracy = self.accuracy
        measured = "accuracy not measured" if accuracy is None else accuracy.text()
        return (
            f"Classifier({self.spec.name!r}, channels={self.channels}, classes={self.classes}, "
            f"crop={self.crop}; {measured})"
        )

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.network.parameters()).device

    @property
    def mixing(self) -> ChannelMix | None:
        """The mixing layer, where the classifier has one."""
        return self.network.mixing if isinstance(self.network, MixedNetwork) else None

    def refuse_other_crops(self, height: int, width: int) -> None:
        """Refuse crops of another size than those of training; see `Predictor`."""
        if (height, width) != (self.crop, self.crop):
            size = str(height) if height == width else f"{height} x {width}"
            raise ModelError(
                f"the model was trained on crops of {self.crop} pixels, these are {size}; set "
                f"crop = {self.crop} under [cells], or cut out crops of that side "
                "('Crop' in the window)"
            )

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
        return self.balanced(scores)

    def balanced(self, scores: Tensor) -> Floats:
        """Probabilities (N, K) with the balanced prior, from scores (N, K) of the network."""
        return torch.softmax(scores.float() / self.temperature, dim=1).cpu().numpy()

    @property
    def calibration(self) -> Calibration | None:
        """What was found on held-out groups; None where it was never calibrated."""
        content = self.record.get("calibration")
        return None if content is None else Calibration.from_dict(content)

    @property
    def temperature(self) -> float:
        """What scores are divided by before the softmax; 1 where it was never calibrated."""
        return float((self.record.get("calibration") or {}).get("temperature", 1.0))

    @property
    def calibration_text(self) -> str:
        """Whether, and on what, it was calibrated, in words."""
        found = self.calibration
        if found is None:
            return "not calibrated: its probabilities may be too sure"
        held_out = "" if found.doubt else "held-out "
        text = f"calibrated on {found.n_cells} {held_out}cells of {found.n_groups} groups"
        if f"{found.temperature:.2f}" != "1.00":
            was = "sure" if found.temperature > 1 else "unsure"
            text += (
                f" (the network was too {was}: its scores are divided by {found.temperature:.2f})"
            )
        return f"{text}; {found.doubt}" if found.doubt else text

    @property
    def held_out_calls(self) -> HeldOutCalls | None:
        """Labels against calls on held-out cells by group; None where that is not known."""
        content = (self.record.get("held_out") or {}).get("calls")
        return None if content is None else HeldOutCalls.from_rows(content, self.classes)

    def calibrate(self, cells: Cells, *, seed: int = 0) -> Classifier:
        """The same classifier, its temperature fitted on cells that training never saw.

        Parameters
        ----------
        cells : Cells
            With classes; whole groups (wells) that are not among those of training.
        seed : int
            Of the parts that are left out by turns, and of the intervals.

        Returns
        -------
        Classifier
            With a `calibration` of these cells; and with figures of its accuracy on them and the
            calls that fractions of groups are adjusted by, where it had none.

        Raises
        ------
        DataError
            No cell has a class that the classifier knows, or it was trained on all of them.
        ModelError
            As `predict_proba`.

        Notes
        -----
        Cells that it was trained on are known by their pixels and left out. Where that is not
        known, or cells share a group with those, the figures say so.
        """
        from napari_channelmix.classify.calibration import calibrate_job

        return drain(calibrate_job(self, cells, seed=seed))

    def prior_of(self, choice: PriorChoice = None, balanced: Floats | None = None) -> Prior:
        """The prior that is meant; see `Predictor.prior_of`."""
        if isinstance(choice, Prior):
            return choice.checked(self.classes)
        if choice is None or choice == "training":
            known = self.training_data
            if known is None:
                return balanced_prior(
                    self.classes, "the bundle does not say how frequent classes were in training"
                )
            shares = tuple(known.class_shares.get(name, 0.0) for name in self.classes)
            return Prior("training", self.classes, shares)
        if choice == "balanced":
            return balanced_prior(self.classes)
        if choice == "estimated":
            if balanced is None:
                raise ModelError("the prior can be estimated only of cells that are classified")
            return estimated_prior(self.classes, balanced)
        if isinstance(choice, str):
            raise ModelError(
                f"prior {quoted(choice)} is unknown; use {', '.join(PRIORS)} or a "
                "share for each class"
            )
        return given_prior(self.classes, choice)

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
