"""What a model is called with, and called how: dtype, fixed sizes, one line for what goes wrong."""

from __future__ import annotations

import types
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from napari_channelmix.data.values import class_name
from napari_channelmix.errors import ChannelMixError, ModelError

__all__ = [
    "Estimator",
    "cast_to",
    "failed",
    "in_pieces",
    "input_dtype",
    "is_out_of_memory",
    "refuse_no_model",
    "refuse_size",
]

FloatArray = npt.NDArray[np.float32]
Predict = Callable[[FloatArray], Any]

# Letters of a stranger's message that are shown.
SHOWN = 300
# How far blended crops may leave the range of whole numbers, as a share of it.
BEYOND = 0.1


def refuse_no_model(model: Any) -> None:
    """Refuse what looks like a model and is none.

    Raises
    ------
    ModelError
        A state dict, a class, or anything that cannot be asked.
    """
    if isinstance(model, Mapping):
        weights = [name for name, value in model.items() if isinstance(value, (Tensor, Mapping))]
        if weights:
            raise ModelError(
                "this is a state dict: weights without a network; build the network, then "
                "network.load_state_dict(...), and give the network"
            )
    if isinstance(model, type):
        raise ModelError(
            f"{model.__name__} is a class, not a model; make one of it first: {model.__name__}(...)"
        )
    asks = ("predict_proba", "decision_function")
    if not callable(model) and not any(callable(getattr(model, name, None)) for name in asks):
        if callable(getattr(model, "predict", None)):
            raise ModelError(
                f"{type(model).__name__} has predict alone, which gives no scores; use an "
                "estimator with predict_proba or decision_function"
            )
        raise ModelError(f"a classifier or a function is needed, not {type(model).__name__}")


def failed(who: str, error: Exception, shape: tuple[int, ...]) -> ModelError:
    """What a stranger's exception says, in one line with what it was given."""
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    if "Input" in reason and "contains NaN" in reason:
        reason = (
            "its features have NaN: put what fills them in first in a Pipeline (SimpleImputer), or "
            f"leave those cells out ({reason.split('. ')[0]})"
        )
    reason = reason if len(reason) <= SHOWN else f"{reason[:SHOWN]}…"
    sizes = " x ".join(map(str, shape))
    return ModelError(f"{who} failed: {reason} (it was given crops of {sizes}: N, C, H, W)")


def refuse_size(shape: Sequence[int | None], expected: Sequence[Any], who: str) -> None:
    """Refuse crops whose sizes are not those that a model states.

    Parameters
    ----------
    shape : (N, C, H, W)
        None where it is not known yet.
    expected : sequence
        What the model states; what is no number above 0 is free.

    Raises
    ------
    ModelError
        With both shapes, and whether the model has its channels last.
    """
    fixed = [size if isinstance(size, int) and size > 0 else None for size in expected]
    if len(fixed) != 4:
        raise ModelError(
            f"{who} takes arrays of {len(fixed)} axes, not crops (N, C, H, W); wrap it in a "
            "function that takes crops"
        )
    if _agree(shape, fixed):
        return
    if _agree((shape[0], *shape[2:], shape[1]), fixed) and fixed[3] == shape[1]:
        height, width = fixed[1] or "any", fixed[2] or "any"
        raise ModelError(
            f"{who} takes crops with the channels last (N, {height}, {width}, {fixed[3]}), and "
            "crops here have them first (N, C, H, W); export it with the channels first"
        )
    if not _agree(shape[1:2], fixed[1:2]):
        raise ModelError(
            f"{who} takes {fixed[1]} channels, and {shape[1]} are named; name those it was made for"
        )
    raise ModelError(
        f"{who} takes crops of {fixed[2] or 'any'} x {fixed[3] or 'any'} pixels, and these are "
        f"{shape[2]} x {shape[3]}; make the cells with that crop size"
    )


def _agree(shape: Sequence[int | None], fixed: Sequence[int | None]) -> bool:
    """Whether sizes are the same where both are known, but for the number of crops."""
    pairs = list(zip(shape, fixed, strict=True))
    return all(None in pair or pair[0] == pair[1] for pair in pairs[1:] or pairs)


def in_pieces(ask: Callable[[Any], Any], size: int) -> Callable[[Any], Any]:
    """A model that takes exactly ``size`` crops at once, for any number of them.

    The last piece is filled with its last crop; those answers are cut off again.
    """

    def predict(crops: Any) -> Any:
        parts = []
        for start in range(0, len(crops), size):
            piece = crops[start : start + size]
            short = size - len(piece)
            full = np.concatenate([piece, np.repeat(piece[-1:], short, axis=0)]) if short else piece
            parts.append(_first_of(ask(full), len(piece)))
        return _joined(parts)

    return predict


def _first_of(result: Any, count: int) -> Any:
    """What was answered to the first crops, in each of the outputs."""
    if isinstance(result, Mapping):
        return {key: _first_of(output, count) for key, output in result.items()}
    if isinstance(result, (tuple, list)):
        return tuple(_first_of(output, count) for output in result)
    return result[:count] if getattr(result, "ndim", 0) else result


def _joined(parts: list[Any]) -> Any:
    first = parts[0]
    if isinstance(first, Mapping):
        return {key: _joined([part[key] for part in parts]) for key in first}
    if isinstance(first, tuple):
        return tuple(_joined(list(some)) for some in zip(*parts, strict=True))
    if isinstance(first, Tensor):
        return torch.cat(parts) if first.ndim else first
    return np.concatenate(parts) if getattr(first, "ndim", 0) else first


def cast_to(crops: FloatArray, dtype: Any, who: str) -> npt.NDArray[Any]:
    """Crops in the dtype that a model takes; whole numbers are rounded.

    Raises
    ------
    ModelError
        Values far outside the range of whole numbers.
    """
    target = np.dtype(dtype)
    if target.kind not in "iu":
        return crops.astype(target, copy=False)
    about = np.iinfo(target)
    room = BEYOND * (float(about.max) - float(about.min))
    least, most = float(crops.min()), float(crops.max())
    if least < about.min - room or most > about.max + room:
        raise ModelError(
            f"{who} takes pixels of {target} ({about.min} to {about.max}), and these run from "
            f"{least:.6g} to {most:.6g}; give the mean and std that bring them into that range"
        )
    return np.clip(np.rint(crops), about.min, about.max).astype(target)


def input_dtype(module: nn.Module) -> torch.dtype:
    """The dtype of a network's weights, which its input must have; float32 without weights."""
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.is_floating_point():
            return tensor.dtype
    return torch.float32


def is_out_of_memory(error: BaseException | None) -> bool:
    """Whether a device or the machine had no memory left, also where an error says so for it."""
    if isinstance(error, ChannelMixError):
        return is_out_of_memory(error.__cause__)
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or (
        isinstance(error, RuntimeError) and "out of memory" in str(error).lower()
    )


class Estimator:
    """An estimator in the manner of scikit-learn as a function of crops (n, C, H, W).

    ``predict_proba`` is asked, else ``decision_function``. An estimator that was fitted on tables
    with C x H x W columns gets each crop as a row, channel by channel.

    Attributes
    ----------
    classes : tuple of str or None
        From its ``classes_``.
    """

    def __init__(self, estimator: Any) -> None:
        ask = getattr(estimator, "predict_proba", None)
        self._method = ask if callable(ask) else estimator.decision_function
        known = getattr(estimator, "classes_", None)
        if isinstance(known, list) and any(np.ndim(labels) for labels in known):
            raise ModelError(
                f"{type(estimator).__name__} predicts {len(known)} labels of each cell; wrap the "
                "estimator of one of them"
            )
        self.classes = None if known is None else tuple(class_name(label) or "" for label in known)
        # Where it is left open, a decision function of one column is told by its name.
        self.output = "auto" if callable(ask) else "one_logit" if self._two else "logits"
        self._features = getattr(estimator, "n_features_in_", None)
        self._steps = len(getattr(estimator, "steps", ()))
        self._has_probabilities = callable(ask)

    def notes(self, channels: int) -> tuple[str, ...]:
        """How it is asked about crops of C channels, where that must be known to trust it."""
        notes = []
        if not self._has_probabilities:
            notes.append(
                "it has a decision function and no probabilities: those shown are the sigmoid or "
                "softmax of it"
            )
        if self._features is not None and not (self._steps and self._features == channels):
            notes.append(
                "each crop was given to it as a row of numbers, channel by channel, rows of pixels "
                "first"
            )
        return tuple(notes)

    @property
    def _two(self) -> bool:
        return self.classes is not None and len(self.classes) == 2

    def __call__(self, crops: FloatArray) -> Any:
        """Probabilities, or the decision function, of crops (n, C, H, W)."""
        if self._features is None:
            return self._column(self._answer(crops))
        size = int(np.prod(crops.shape[1:]))
        if self._steps and self._features == crops.shape[1] != size:
            # A Pipeline whose first step was fitted on crops: that step makes the features.
            return self._column(self._answer(crops))
        if size != self._features:
            raise ModelError(
                f"the estimator takes rows of {self._features} numbers, and a crop of "
                f"{' x '.join(map(str, crops.shape[1:]))} has {size}; wrap it in a function that "
                "makes its features of crops, or fit it in a Pipeline whose first step does "
                "(FunctionTransformer)"
            )
        return self._column(self._answer(crops.reshape(len(crops), size)))

    def _answer(self, crops: FloatArray) -> Any:
        with warnings.catch_warnings():
            # Crops have no names of columns; their order is told in `notes`.
            warnings.filterwarnings("ignore", "X does not have valid feature names", UserWarning)
            return self._method(crops)

    def _column(self, answers: Any) -> Any:
        # A decision function of two classes gives one number for each, without an axis.
        flat = self.output == "one_logit" and np.ndim(answers) == 1
        return np.asarray(answers)[:, None] if flat else answers

    @staticmethod
    def fits(model: Any) -> bool:
        """Whether a model is to be asked in this manner."""
        if isinstance(model, (nn.Module, types.FunctionType, type)):
            return False
        return callable(getattr(model, "predict_proba", None)) or (
            not callable(model) and callable(getattr(model, "decision_function", None))
        )
