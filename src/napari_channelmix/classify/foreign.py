"""Models made elsewhere: ONNX files, TorchScript and torch.export files, Python functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_channelmix.classify.bundle import load_bundle
from napari_channelmix.classify.model_files import (
    file_kind,
    function_name,
    is_there,
    refuse_weights,
)
from napari_channelmix.classify.opened_model import OpenedModel
from napari_channelmix.classify.output_probe import Ask, inferred_reading
from napari_channelmix.classify.outputs import Output, Reading, output_named, reading_of
from napari_channelmix.classify.predictor import Predictor
from napari_channelmix.data import Cells
from napari_channelmix.errors import BundleError, ModelError

if TYPE_CHECKING:
    from napari_channelmix.classify.classifier import Classifier
    from napari_channelmix.classify.output_selection import Select

__all__ = ["ForeignClassifier", "Output", "load_model"]

FloatArray = npt.NDArray[np.float32]
Predict = Callable[[FloatArray], Any]


class _Known:
    """What was found out about a model while it was asked."""

    def __init__(self) -> None:
        self.reading: Reading | None = None


@dataclass(frozen=True, eq=False)
class ForeignClassifier(Predictor):
    """A classifier that only predicts; what is inside is not ours.

    Attributes
    ----------
    function : callable
        Takes normalised crops (n, C, H, W) float32, gives (n, K) numbers.
    channels, classes : tuple of str
    mean, std : (C,) float64 arrays
        ``(x - mean) / std`` is what the function gets; 0 and 1 leave raw units.
    output : Output
        What the function gives; ``auto`` is found out from the first crops.
    source : str
        Where it came from, for messages and provenance.
    select : int, str or None
        Which of several outputs.
    notes : tuple of str
        How it is asked, where that must be known to trust it.
    """

    function: Predict = field(repr=False)
    channels: tuple[str, ...]
    classes: tuple[str, ...]
    mean: npt.NDArray[np.float64] = field(repr=False)
    std: npt.NDArray[np.float64] = field(repr=False)
    output: Output
    source: str
    select: Select = None
    notes: tuple[str, ...] = ()
    _known: _Known = field(default_factory=_Known, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse an output that is not known; the old word for logits is read as such."""
        object.__setattr__(self, "output", output_named(self.output))

    @property
    def who(self) -> str:
        """What messages call it."""
        return self.source

    @property
    def reading(self) -> Reading | None:
        """What its numbers mean; None while that is to be found out and nothing was asked yet."""
        return self._known.reading

    @property
    def warnings(self) -> tuple[str, ...]:
        """What should be known before it is trusted, as far as it was asked."""
        return (*self.notes, *(self.reading.warnings if self.reading else ()))

    def answers(self, crops: FloatArray) -> Tensor:
        """What it gives for crops (n, C, H, W) in raw units: (n, K), before any conversion.

        Raises
        ------
        ModelError
            Crops of another shape or with NaN; a model that raises or gives no such table.
        """
        if crops.ndim != 4 or crops.shape[1] != len(self.channels):
            raise ModelError(
                f"{self.source} takes crops of shape (N, {len(self.channels)}, H, W), "
                f"not {crops.shape}"
            )
        if not np.isfinite(crops).all():
            raise ModelError("the crops have NaN or infinite pixels")
        scaled = (crops - self.mean[:, None, None]) / self.std[:, None, None]
        return self._ask(scaled.astype(np.float32))

    @property
    def _ask(self) -> Ask:
        return Ask(self.function, self.source, self.select, self.output, len(self.classes))

    def find_out(self, crops: FloatArray) -> Reading:
        """What its numbers mean, from crops (n, C, H, W) in raw units where it is not known yet.

        Raises
        ------
        ModelError
            As `outputs.reading_of`.
        """
        if self._known.reading is None:
            self._known.reading = inferred_reading(
                self.answers, crops, self.output, self.source, self.classes
            )
        return self._known.reading

    def scores(self, crops: FloatArray) -> Tensor:
        """Scores (n, K) whose log odds are the evidence: logits where there are logits."""
        if self.output == "auto":
            self.find_out(crops)
        answers = self.answers(crops)
        if self._known.reading is None:
            self._known.reading = reading_of(
                answers, self.output, self.source, classes=self.classes
            )
        reading = self._known.reading
        reading.check(answers, self.source)
        return reading.scores(answers)

    def _probabilities(self, crops: FloatArray) -> FloatArray:
        scores = self.scores(crops)
        assert self._known.reading is not None
        return self._known.reading.probabilities(scores).to(torch.float32).numpy()

    def _prepare(self, source: Cells | FloatArray) -> None:
        """What the numbers mean is found out from cells all over."""
        if self.output == "auto" and self._known.reading is None and len(source):
            self.find_out(_probe(source))

    def _prepare_for_workers(self, source: Cells) -> None:
        """It is found out here, also where it was said: so it is one for all workers."""
        if self._known.reading is None and len(source):
            self.scores(_probe(source))


def _probe(source: Cells | FloatArray) -> FloatArray:
    """Some crops, from all over the cells."""
    some = np.linspace(0, len(source) - 1, min(PROBE, len(source))).astype(np.int64)
    return source.read(some) if isinstance(source, Cells) else source[some]


# Crops from which the meaning of the output is found out.
PROBE = 32


def load_model(
    source: str | Path,
    *,
    channels: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
    mean: npt.ArrayLike = 0.0,
    std: npt.ArrayLike = 1.0,
    output: Output = "auto",
    select: Select = None,
    allow_code: bool = False,
) -> Classifier | ForeignClassifier:
    """Load a classifier.

    Parameters
    ----------
    source : path or str
        A bundle (``.cmx``), an ONNX file (``.onnx``), a TorchScript file (``.pt``, ``.ts``), a
        torch.export file (``.pt2``), or ``"module:name"`` or ``"file.py:name"`` for a Python
        function that takes crops (n, C, H, W) and gives (n, K), a torch module, or an estimator
        in the manner of scikit-learn.
    channels, classes : sequence of str
        Names the model does not carry itself; needed for all but bundles, the classes also not
        for an estimator that has ``classes_``.
    mean, std : float or (C,) arrays
        Normalisation in front of the model, in raw units; the default leaves raw units.
    output : str
        What the model gives. ``logits`` (before a softmax; ``scores`` is the old word),
        ``probabilities`` (after it), ``sigmoid`` (a probability for each of several independent
        labels), ``sigmoid_logits`` (those before the sigmoid), ``one_logit`` or
        ``one_probability`` (one column, for the second of two classes). ``auto``: found out from
        the first crops, and refused where it stays in doubt.
    select : int or str, optional
        Which of several outputs, by position or name.
    allow_code : bool
        Consent to run code of the model's maker. TorchScript and torch.export files and Python
        functions can do anything on this machine; ONNX files and bundles cannot.

    Raises
    ------
    BundleError
        A bundle that is truncated, altered, too new, or no bundle; a pickle.
    ModelError
        Names missing, consent missing, or a file that cannot be loaded.
    """
    text, path = str(source), Path(source)
    # One name is a name, not as many as it has letters.
    channels = [channels] if isinstance(channels, str) else channels
    classes = [classes] if isinstance(classes, str) else classes
    named = function_name(text)
    output = output_named(output)  # type: ignore[assignment]
    kind = "function" if named else file_kind(path)
    if not named:
        if not is_there(path):
            raise BundleError(f"{text[:200]}: no such file")
        refuse_weights(path)
    if kind == "bundle":
        return load_bundle(path)
    if not channels or not (classes or (named and allow_code)):
        raise ModelError(f"{text}: name the channels and the classes; only bundles carry them")
    function = OpenedModel(text, kind, len(channels), named, allow_code=allow_code)
    notes: tuple[str, ...] = ()
    if function.estimator is not None:
        estimator = function.estimator
        classes = _same_classes(classes, estimator.classes, text)
        notes = tuple(f"{text}: {line}" for line in estimator.notes)
        output = estimator.output if output == "auto" else output  # type: ignore[assignment]
    if not classes:
        raise ModelError(f"{text}: name the classes")
    for what, names in (("channels", channels), ("classes", classes)):
        if len(set(names)) < len(names):
            raise ModelError(f"{text}: two {what} have one name: {', '.join(names)}")
    return ForeignClassifier(
        function,
        tuple(channels),
        tuple(classes),
        _for_each(mean, channels, "mean"),
        _for_each(std, channels, "std"),
        output,
        text,
        select,
        notes,
    )


def _same_classes(
    named: Sequence[str] | None, own: tuple[str, ...] | None, text: str
) -> Sequence[str] | None:
    """The classes of an estimator, in its order; those that were named must be as many."""
    if not named or own is None:
        return named or own
    if set(named) == set(own) and tuple(named) != own:
        raise ModelError(
            f"{text}: its classes are in the order {', '.join(own)}, and named as "
            f"{', '.join(named)}; name them in its order"
        )
    return named


def _for_each(value: npt.ArrayLike, channels: Sequence[str], what: str) -> npt.NDArray[np.float64]:
    """One number for each channel, from one for all or one for each."""
    numbers = np.asarray(value, dtype=np.float64)
    if numbers.shape not in ((), (1,), (len(channels),)):
        raise ModelError(f"{what} has {numbers.size} numbers for {len(channels)} channels")
    if not np.isfinite(numbers).all() or (what == "std" and (numbers <= 0).any()):
        raise ModelError(f"{what} must be finite{', above 0' if what == 'std' else ''}: {numbers}")
    return np.broadcast_to(numbers, (len(channels),))
