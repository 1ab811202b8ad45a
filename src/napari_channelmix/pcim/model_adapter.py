"""The subject of an explanation: a classifier of any kind, seen as scores of image tensors."""

from __future__ import annotations

import contextlib
import itertools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from napari_channelmix.classify.callables import (
    Estimator,
    failed,
    is_out_of_memory,
    refuse_no_model,
)
from napari_channelmix.classify.classifier import Classifier
from napari_channelmix.classify.foreign import ForeignClassifier
from napari_channelmix.classify.inference import for_inference
from napari_channelmix.classify.output_probe import Ask, inferred_reading
from napari_channelmix.classify.outputs import Reading, output_named
from napari_channelmix.classify.predictor import Predictor
from napari_channelmix.classify.scored_module import ScoredModule
from napari_channelmix.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari_channelmix.classify.output_selection import Select

__all__ = ["PROBE", "Subject", "numbered", "subject_of"]

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Subject:
    """A classifier as the solvers see it.

    Attributes
    ----------
    scores : callable
        Images (N, C, H, W) on the scale of ``prepare`` to class scores (N, K): logits where the
        model gives them, else logarithms of its probabilities.
    prepare : callable
        Crops (N, C, H, W) in raw units to the tensor that ``scores`` takes.
    network : torch.nn.Module or None
        Where there is one, it gives the same as ``scores``, and can be differentiated.
    channels : tuple of str or None
        None where any will do.
    classes : tuple of str
    device : torch.device
        Where it computes; a network is there while it is `at_rest`.
    who : str
        What messages call it.
    reading : Reading
        What the model's numbers mean.
    select : int, str or None
        Which of its outputs is used.
    notes : tuple of str
        What should be known of it before a map is read.
    """

    scores: Callable[[Tensor], Tensor] = field(repr=False)
    prepare: Callable[[FloatArray], Tensor] = field(repr=False)
    network: nn.Module | None = field(repr=False)
    channels: tuple[str, ...] | None
    classes: tuple[str, ...]
    device: torch.device
    who: str
    reading: Reading = field(default_factory=lambda: Reading("logits", 2))
    select: Select = None
    notes: tuple[str, ...] = ()

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

    @property
    def alone(self) -> bool:
        """Whether the network is given one crop at once, since it takes no more."""
        return isinstance(self.network, ScoredModule) and self.network.alone

    @contextlib.contextmanager
    def at_rest(self) -> Iterator[bool]:
        """On its device, in evaluation mode, no gradients for weights; all is as before afterwards.

        Yields whether the network was in training mode.
        """
        if self.network is None:
            yield False
            return
        modes = {module: getattr(module, "training", False) for module in self.network.modules()}
        grad_flags = {weight: weight.requires_grad for weight in self.network.parameters()}
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
            for weight, flag in grad_flags.items():
                weight.requires_grad_(flag)

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


def subject_of(
    model: Any,
    crops: FloatArray,
    device: torch.device | None = None,
    *,
    output: str = "auto",
    select: Select = None,
    reading: Reading | None = None,
    alone: bool = False,
) -> Subject:
    """See a classifier as a subject.

    Parameters
    ----------
    model : Classifier, ForeignClassifier, torch.nn.Module, estimator or callable
        A module gets the crops as they are, in the dtype of its weights. A callable gets them as
        a NumPy array, an estimator as `callables.Estimator` says.
    crops : (n, C, H, W) float32 array
        A few crops to try a model on.
    device : torch.device, optional
        Where to compute, for models that are PyTorch's. A Classifier stays there; a module is
        there only while it is asked.
    output, select
        As for `load_model`; a Classifier and a ForeignClassifier bring theirs.
    reading : Reading, optional
        What the numbers mean, where that is known from a model of the same kind.
    alone : bool
        With a ``reading``: whether a module takes one crop at once and no more.

    Raises
    ------
    ModelError
        Something that cannot be called, fails, or gives scores of a wrong shape or NaN; an output
        whose meaning stays in doubt.
    """
    output = output_named(output)
    if isinstance(model, Predictor):
        if output != "auto" or select is not None:
            raise ModelError(
                f"{model.who} is loaded already: give output and select to load_model instead"
            )
        return _of_predictor(model, crops, device)
    refuse_no_model(model)
    if isinstance(model, nn.Module):
        return _of_module(model, crops, device, output, select, reading, alone)
    function: Any = model
    names: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()
    if Estimator.fits(model):
        function = Estimator(model)
        names, notes = function.classes, function.notes(crops.shape[1])
        output = function.output if output == "auto" else output
    who = "the function" if function is model else "the estimator"
    ask = Ask(function, who, select, output)
    reading = reading or inferred_reading(ask, crops[:PROBE], output, who, names)

    def scores(x: Tensor) -> Tensor:
        answers = ask(x.numpy().copy())
        reading.check(answers, who)
        return reading.scores(answers)

    notes = (*(f"{who}: {line}" for line in notes), *reading.warnings)
    return Subject(
        scores,
        torch.from_numpy,
        None,
        None,
        names or numbered(reading.classes),
        torch.device("cpu"),
        who,
        reading,
        select,
        notes,
    )


def _of_predictor(model: Any, crops: FloatArray, device: torch.device | None) -> Subject:
    if isinstance(model, Classifier):
        if device is not None:
            model.to(device)
        reading = Reading("logits", len(model.classes))
        return Subject(
            for_inference(model.network),
            model.normalise,
            model.network,
            model.channels,
            model.classes,
            model.device,
            "the classifier",
            reading,
        )
    cpu = torch.device("cpu")
    if isinstance(model, ForeignClassifier):
        reading = model.find_out(crops[:PROBE])
        network = None if model.no_gradient(crops) else model.scored(crops)
        if network is not None:
            return _of_wrapped(model, network, device)
        return Subject(
            lambda x: model.scores(x.numpy().copy()),
            torch.from_numpy,
            None,
            model.channels,
            model.classes,
            cpu,
            model.who,
            reading,
            model.select,
            model.warnings if model.module is None else (*model.warnings, _why_not(model, crops)),
        )
    reading = Reading("probabilities", len(model.classes))

    def scores(x: Tensor) -> Tensor:
        return reading.scores(torch.from_numpy(model.predict_proba(x.numpy().copy())))

    return Subject(
        scores, torch.from_numpy, None, model.channels, model.classes, cpu, model.who, reading
    )


def _why_not(model: ForeignClassifier, crops: FloatArray) -> str:
    return f"{model.who}: {model.no_gradient(crops)}"


def _of_wrapped(
    model: ForeignClassifier, network: ScoredModule, device: torch.device | None
) -> Subject:
    """A model made elsewhere through which gradients pass; it is moved only while it is asked."""
    movable = device is not None and model.model.inner.kind != "export"
    place = device if movable and device is not None else model.device
    assert network.reading is not None

    def prepare(some: FloatArray) -> Tensor:
        return torch.from_numpy(model.normalise(some)).to(place)

    return Subject(
        network,
        prepare,
        network,
        model.channels,
        model.classes,
        place,
        model.who,
        network.reading,
        model.select,
        model.warnings,
    )


def _of_module(
    module: nn.Module,
    crops: FloatArray,
    device: torch.device | None,
    output: str,
    select: Select,
    reading: Reading | None,
    alone: bool,
) -> Subject:
    who = "the network"
    if any(map(is_lazy, module.parameters())):
        raise ModelError(
            f"{who} has lazy layers without weights yet; call it once with a batch of crops first"
        )
    home = _home(module)
    place = torch.device("cpu") if home is None else device or home

    def prepare(some: FloatArray) -> Tensor:
        return torch.from_numpy(some).to(place)

    scored = ScoredModule(module, who, output, select)
    scored.alone = alone
    subject = Subject(scored, prepare, scored, None, (), place, who)

    def ask(some: FloatArray) -> Tensor:
        try:
            with torch.inference_mode():
                return scored.answers(prepare(some)).cpu()
        except ModelError:
            raise
        # A stranger's module may raise anything.
        except Exception as error:
            if is_out_of_memory(error):
                raise
            raise failed(who, error, some.shape) from error

    with subject.at_rest():
        try:
            reading = reading or inferred_reading(ask, crops[:PROBE], output, who)
        except ModelError as error:
            if not error.__cause__ or is_out_of_memory(error):
                raise
            advice = _channels_last(scored, prepare, crops)
            if advice:
                raise ModelError(f"{error}; {advice}") from error
            # Some take one crop at once and no more.
            scored.alone = True
            try:
                reading = inferred_reading(ask, crops[:PROBE], output, who)
            except ModelError as other:
                raise (error if other.__cause__ else other) from error.__cause__
    scored.reading = reading
    return replace(
        subject,
        classes=numbered(reading.classes),
        reading=reading,
        select=select,
        notes=reading.warnings,
    )


def _channels_last(
    scored: ScoredModule, prepare: Callable[[FloatArray], Tensor], crops: FloatArray
) -> str:
    """Advice where a module takes the same crops with their channels last."""
    try:
        with torch.inference_mode():
            scored.answers(prepare(np.ascontiguousarray(crops[:2].transpose(0, 2, 3, 1))))
    # It need not take them: nothing is said then.
    except Exception:
        return ""
    return (
        "it takes crops with the channels last (N, H, W, C): wrap it in a module that permutes "
        "(N, C, H, W) to that"
    )


def _home(module: nn.Module) -> torch.device | None:
    """Where the weights of a module are; None where it has none."""
    tensor = next(itertools.chain(module.parameters(), module.buffers()), None)
    return None if tensor is None else tensor.device


def numbered(count: int) -> tuple[str, ...]:
    """Names of classes that have none."""
    return tuple(f"class {i}" for i in range(count))


# Crops on which a model is tried.
PROBE = 32
