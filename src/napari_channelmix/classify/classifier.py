"""A classifier: a network that knows its channels, their statistics, its classes and its origin."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from napari_channelmix.classify.accuracy import stored_estimate
from napari_channelmix.classify.bundle_file import write_bundle
from napari_channelmix.classify.calibrate import calibrated_record, not_held_out
from napari_channelmix.classify.calibration import Calibration
from napari_channelmix.classify.crops import normalised
from napari_channelmix.classify.mixing import ChannelMix, MixedNetwork
from napari_channelmix.classify.predictor import Predictor, training_marks_job
from napari_channelmix.classify.priors import (
    PRIORS,
    Prior,
    PriorChoice,
    balanced_prior,
    estimated_prior,
    given_prior,
)
from napari_channelmix.data.borders import BACKGROUND
from napari_channelmix.data.neighbours import KEEP
from napari_channelmix.data.pixel_scaling import RAW, PixelScaling
from napari_channelmix.errors import DataError, ModelError
from napari_channelmix.jobs import Job, drain, part
from napari_channelmix.phenotypes.adjusted import HeldOutCalls
from napari_channelmix.phenotypes.confusion import matching
from napari_channelmix.phenotypes.held_out import YES
from napari_channelmix.shown_result import BarsResult
from napari_channelmix.wording import quoted

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from napari_channelmix.classify.accuracy import AccuracyEstimate
    from napari_channelmix.classify.networks import NetworkSpec
    from napari_channelmix.classify.training_cells import TrainingCells
    from napari_channelmix.classify.training_data import TrainingData
    from napari_channelmix.data import Cells
    from napari_channelmix.progress_bar import ShowProgress
    from napari_channelmix.result_display import Summary

__all__ = ["Classifier"]

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Classifier(BarsResult, Predictor):
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

    Examples
    --------
    >>> model = cm.train_classifier(train, network="tiny", epochs=1)
    >>> model.channels, model.classes, model.crop
    (('GFP', 'DNA'), ('low', 'high'), 12)
    >>> model.predict_proba(test).shape
    (20, 2)
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

    @property
    def mirrored_borders(self) -> bool:
        """Whether crops at borders were filled with mirror images in training."""
        return self.record.get("border") != BACKGROUND

    @property
    def neighbours(self) -> str:
        """Whether other objects within the training crops were kept or hidden: keep, hide."""
        # Bundles of earlier versions do not say: nothing was hidden then.
        return str(self.record.get("neighbours", KEEP))

    @property
    def scaling(self) -> PixelScaling:
        """How pixels were scaled in training; empty for not at all, as in earlier versions."""
        content = self.record.get("scaling")
        return RAW if content is None else PixelScaling.from_dict(content)

    def __repr__(self) -> str:
        """Network, channels, classes, crop and accuracy."""
        accuracy = self.accuracy
        measured = "accuracy not measured" if accuracy is None else accuracy.text()
        return (
            f"Classifier({self.spec.name!r}, channels={self.channels}, classes={self.classes}, "
            f"crop={self.crop}; {measured})"
        )

    def summary(self) -> Summary:
        """What is shown of it in a notebook."""
        from napari_channelmix.classify.result_summaries import classifier_summary

        return classifier_summary(self)

    def to_frame(self) -> pd.DataFrame:
        """A row per class: ``class_name``, ``recall``, ``low``, ``high``, ``n_cells``, groups.

        On the cells that were held out of its training; NaN where that was not measured.
        """
        from napari_channelmix.classify.result_summaries import recall_frame

        return recall_frame(self.accuracy, self.classes)

    def __getstate__(self) -> dict[str, Any]:
        """As it is, its network on the CPU: another process may have no such device."""
        state = dict(vars(self))
        if self.device.type != "cpu":
            state["network"] = copy.deepcopy(self.network).cpu()
        return state

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.network.parameters()).device

    def no_gradient(self, crops: FloatArray) -> str:
        """Empty: its network has gradients; see `Predictor`."""
        return ""

    @property
    def may_have_gradients(self) -> bool:
        """Always; see `Predictor`."""
        return True

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

    def _probabilities(self, crops: FloatArray) -> FloatArray:
        with torch.inference_mode():
            scores = self.network(self.normalise(crops))
        return self.balanced(scores)

    def balanced(self, scores: Tensor) -> FloatArray:
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
        calibration = self.calibration
        if calibration is None:
            return "not calibrated: its probabilities may be overconfident"
        held_out = "" if calibration.doubt else "held-out "
        text = (
            f"calibrated on {calibration.n_cells:,} {held_out}cells of {calibration.n_groups:,} "
            "groups"
        )
        if f"{calibration.temperature:.2f}" != "1.00":
            was = "overconfident" if calibration.temperature > 1 else "underconfident"
            text += (
                f" (the network was {was}: its scores are divided by {calibration.temperature:.2f})"
            )
        return f"{text}; {calibration.doubt}" if calibration.doubt else text

    @property
    def held_out_calls(self) -> HeldOutCalls | None:
        """Labels against calls on held-out cells by group; None where that is not known."""
        content = (self.record.get("held_out") or {}).get("calls")
        return None if content is None else HeldOutCalls.from_rows(content, self.classes)

    def calibrate(
        self, cells: Cells, *, seed: int = 0, progress: ShowProgress = None
    ) -> Classifier:
        """The same classifier, its temperature fitted on cells that training never saw.

        Parameters
        ----------
        cells : Cells
            With classes; whole groups (wells) that are not among those of training.
        seed : int
            Of the parts that are left out by turns, and of the intervals.
        progress : bool or callable, optional
            True: a bar, also in a notebook; a function: called with each `Progress`.

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
        return drain(self.calibrate_job(cells, seed=seed), progress)

    def calibrate_job(self, cells: Cells, *, seed: int = 0) -> Job[Classifier]:
        """`calibrate` as a job: a step for each batch."""
        bare = replace(
            self, record={name: of for name, of in self.record.items() if name != "calibration"}
        )
        labels = matching(cells.labels, cells.classes, self.classes)
        if not (labels >= 0).any():
            raise DataError(f"{cells.name}: no cell has a class that the classifier knows")
        labelled = np.flatnonzero(labels >= 0)
        marks = yield from part(training_marks_job(bare, cells.subset(labelled)), 0, 1, 2)
        rows = labelled[marks != YES]
        if not len(rows):
            raise DataError(
                f"{cells.name}: the classifier was trained on every cell that has a class, so none "
                "is held out; calibrate on held-out cells, such as the second part of "
                "cells.split()"
            )
        held_out = cells.subset(rows)
        probabilities = yield from part(bare.predict_job(held_out, prior="balanced"), 1, 1, 2)
        record = calibrated_record(
            bare.record,
            probabilities,
            labels[rows],
            held_out.groups,
            self.classes,
            bare.prior_of(),
            0 if self.training_data is None else self.training_data.n,
            doubt=not_held_out(marks),
            seed=seed,
        )
        return replace(self, record=record)

    def prior_of(self, choice: PriorChoice = None, balanced: FloatArray | None = None) -> Prior:
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

    def blend(self, crops: npt.ArrayLike) -> FloatArray:
        """The blended images (N, mixes, H, W) that the network sees, in normalised units.

        Raises
        ------
        ModelError
            A classifier without a mixing layer.
        """
        if self.mixing is None:
            raise ModelError("this classifier has no mixing layer; train it with mixing")
        with torch.inference_mode():
            blended: FloatArray = self.mixing(self.normalise(crops)).cpu().numpy()
        return blended

    def to(self, device: torch.device) -> Classifier:
        """Move the network; the classifier itself is returned."""
        self.network.to(device)
        return self

    def save(self, path: str | Path) -> Path:
        """Write a bundle (``.cmx``), whole or not at all.

        Raises
        ------
        SaveError
            Disk full and the like; a file that was there is intact.
        """
        return write_bundle(path, self.as_dict(), self.network)

    def as_dict(self) -> dict[str, Any]:
        """All but the weights, for JSON, as a bundle says it of itself; see `bundle_file`."""
        content = {
            "network": self.spec.as_dict(),
            "channels": self.channels,
            "classes": self.classes,
            "mean": self.mean.tolist(),
            "std": self.std.tolist(),
            "crop": self.crop,
            "provenance": self.provenance,
            "record": self.record,
        }
        if self.training_data is not None:
            content["data"] = self.training_data.as_dict()
        if self.training_cells is not None:
            content["trained_on"] = self.training_cells.as_dict()
        return content
