"""The subject of an explanation: a classifier of any kind, seen as scores of image tensors."""

from __future__ import annotations

import contextlib
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from napari_channelmix.classify.classifier import Classifier, Predictor
from napari_channelmix.errors import ModelError
from napari_channelmix.pcim.memory import is_out_of_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Subject", "subject_of"]

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Subject:
    """A classifier as the solvers see it.

    Attributes
    ----------
    scores : callable
        Images (N, C, H, W) on the scale of ``prepare`` to class scores (N, K) before the softmax.
    prepare : callable
        Crops (N, C, H, W) in raw units to the tensor that ``scores`` takes.
    network : torch.nn.Module or None
        Where there is one, ``scores`` can be differentiated.
    channels : tuple of str or None
        None where any will do.
    classes : tuple of str
    device : torch.device
        Where it computes; a network is there while it is `at_rest`.
    who : str
        What messages call it.
    """

    scores: Callable[[Tensor], Tensor] = field(repr=False)
    prepare: Callable[[Floats], Tensor] = field(repr=False)
    network: nn.Module | None = field(repr=False)
    channels: tuple[str, ...] | None
    classes: tuple[str, ...]
    device: torch.device
    who: str

    def checked_scores(self, x: Tensor) -> Tensor:
        """``scores`` in a form that can be relied on.

        Raises
        ------
        ModelError
            A network that cannot take the crops, or gives scores that are NaN or infinite.
        """
        try:
            scores = self.scores(x).float()
        except (RuntimeError, ValueError) as error:
            if isinstance(error, ModelError):
                raise
            reason = str(error).splitlines()[0]
            raise ModelError(
                f"{self.who} cannot take crops of {x.shape[2]} x {x.shape[3]} pixels: {reason}"
            ) from error
        if not torch.isfinite(scores).all():
            raise ModelError(f"{self.who} gave scores that are NaN or infinite")
        return scores

    @contextlib.contextmanager
    def at_rest(self) -> Iterator[bool]:
        """On its device, in evaluation mode, no gradients for weights; all is as before afterwards.

        Yields whether the network was in training mode.
        """
        if self.network is None:
            yield False
            return
        modes = {module: module.training for module in self.network.modules()}
        wanted = {weight: weight.requires_grad for weight in self.network.parameters()}
        home = _home(self.network) or self.device
        try:
            if home != self.device:
                self.network.to(self.device)
            self.network.eval().requires_grad_(False)
            yield any(modes.values())
        finally:
            if home != self.device:
                self.network.to(home)
            for module, mode in modes.items():
                module.training = mode
            for weight, asked in wanted.items():
                weight.requires_grad_(asked)

    @contextlib.contextmanager
    def differentiated(self) -> Iterator[None]:
        """Gradients of ``scores`` are asked for.

        Raises
        ------
        ModelError
            A network that gives none.
        """
        try:
            with torch.enable_grad():
                yield
        except RuntimeError as error:
            if is_out_of_memory(error):
                raise
            reason = str(error).partition("\n")[0]
            raise ModelError(
                f'{self.who} gives no gradient ({reason}); use mode="blackbox"'
            ) from error


def subject_of(model: Any, crops: Floats, device: torch.device | None = None) -> Subject:
    """See a classifier as a subject.

    Parameters
    ----------
    model : Classifier, ForeignClassifier, torch.nn.Module or callable
        A module gets the crops as they are and gives scores before the softmax. A callable gets
        them as a NumPy array and gives scores or probabilities (N, K); rows that are not negative
        and sum to 1 are taken as probabilities.
    crops : (n, C, H, W) float32 array
        A few crops to try a module or a callable on.
    device : torch.device, optional
        Where to compute, for models that are PyTorch's. A Classifier stays there; a module is
        there only while it is asked.

    Raises
    ------
    ModelError
        Something that cannot be called, fails, or gives scores of a wrong shape or NaN.
    """
    if isinstance(model, Classifier):
        if device is not None:
            model.to(device)
        return Subject(model.network, model.normalise, model.network, model.channels,
                       model.classes, model.device, "the classifier")  # fmt: skip
    if isinstance(model, nn.Module):
        return _of_module(model, crops, device)
    cpu = torch.device("cpu")
    if isinstance(model, Predictor):

        def log_probabilities(x: Tensor) -> Tensor:
            return _log(torch.from_numpy(model.predict_proba(x.numpy().copy())))

        return Subject(log_probabilities, torch.from_numpy, None, model.channels, model.classes,
                       cpu, model._who)  # fmt: skip
    if not callable(model):
        raise ModelError(f"a classifier or a function is needed, not {type(model).__name__}")
    scored = _Function(model)
    classes = scored(torch.from_numpy(crops[:2])).shape[1]
    return Subject(scored, torch.from_numpy, None, None, _numbered(classes), cpu, "the function")


def _of_module(module: nn.Module, crops: Floats, device: torch.device | None) -> Subject:
    home = _home(module)
    place = torch.device("cpu") if home is None else device or home

    def prepare(some: Floats) -> Tensor:
        return torch.from_numpy(some).to(place)

    subject = Subject(module, prepare, module, None, (), place, "the network")
    with subject.at_rest(), torch.inference_mode():
        try:
            scores = module(prepare(crops[:2]))
        # A stranger's module may raise anything.
        except Exception as error:
            raise ModelError(f"the network failed: {type(error).__name__}: {error}") from error
    if not isinstance(scores, Tensor) or scores.ndim != 2 or len(scores) != len(crops[:2]):
        shape = tuple(scores.shape) if isinstance(scores, Tensor) else type(scores).__name__
        raise ModelError(f"the network must give scores (N, K) for {len(crops[:2])} crops, "
                         f"not {shape}")  # fmt: skip
    return Subject(module, prepare, module, None, _numbered(scores.shape[1]), place, "the network")


def _home(module: nn.Module) -> torch.device | None:
    """Where the weights of a module are; None where it has none."""
    held = next(itertools.chain(module.parameters(), module.buffers()), None)
    return None if held is None else held.device


class _Function:
    """A user's function, checked at each call."""

    def __init__(self, function: Callable[[Floats], npt.ArrayLike]) -> None:
        self.function = function
        self.classes: int | None = None
        self.gives_probabilities: bool | None = None

    def __call__(self, x: Tensor) -> Tensor:
        try:
            scores = np.asarray(self.function(x.numpy().copy()), dtype=np.float64)
        # A stranger's function may raise anything.
        except Exception as error:
            raise ModelError(f"the function failed: {type(error).__name__}: {error}") from error
        if (
            scores.ndim != 2
            or len(scores) != len(x)
            or scores.shape[1] != (self.classes or scores.shape[1])
        ):
            columns = self.classes or "K"
            raise ModelError(
                f"the function gave scores of shape {scores.shape} for {len(x)} crops; "
                f"it must give ({len(x)}, {columns})"
            )
        if not np.isfinite(scores).all():
            raise ModelError("the function gave scores that are NaN or infinite")
        self.classes = scores.shape[1]
        if self.gives_probabilities is None:
            self.gives_probabilities = bool(
                (scores >= 0).all() and (np.abs(scores.sum(axis=1) - 1) < 1e-3).all()
            )
        found = torch.from_numpy(scores.astype(np.float32))
        return _log(found) if self.gives_probabilities else found


def _log(probabilities: Tensor) -> Tensor:
    # A probability of 0 would make differences of scores infinite.
    return probabilities.clamp_min(1e-6).log()


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(f"class {i}" for i in range(count))
