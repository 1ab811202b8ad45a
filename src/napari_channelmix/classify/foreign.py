"""Models made elsewhere, with names for their channels and classes, and a normalisation."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from napari_channelmix.classify.callables import is_out_of_memory
from napari_channelmix.classify.model_function import (
    ModelFunction,
    ModuleFunction,
    PlainFunction,
    Resized,
    device_of,
    in_evaluation_mode,
    resized,
)
from napari_channelmix.classify.output_probe import Ask, inferred_reading
from napari_channelmix.classify.outputs import Output, Reading, output_named
from napari_channelmix.classify.predictor import Predictor
from napari_channelmix.classify.scored_module import ScoredModule, gradient_problem
from napari_channelmix.classify.wrapped_bundle import save_wrapped
from napari_channelmix.data import Cells
from napari_channelmix.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

    from napari_channelmix.classify.model_function import Size
    from napari_channelmix.classify.output_selection import Select

__all__ = ["ForeignClassifier", "Output"]

FloatArray = npt.NDArray[np.float32]
Predict = Callable[[FloatArray], Any]


class _Known:
    """What was found out about a model while it was asked."""

    def __init__(self) -> None:
        self.reading: Reading | None = None
        # Why it has no gradients, empty where it has; None while it was not asked for any.
        self.no_gradient: str | None = None
        # Whether its module takes one crop at once.
        self.alone = False
        self.token = uuid.uuid4().hex


@dataclass(frozen=True, eq=False)
class ForeignClassifier(Predictor):
    """A model made elsewhere as a classifier: with names, and a normalisation in front of it.

    Where a torch module is inside, it also has gradients; see `module`.

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
    size : (int, int) or None
        Height and width of the crops it takes; None: those that the model states itself, else any.
    resize : bool
        Whether other crops are resized to that, normalised already; else they are refused.
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
    size: tuple[int, int] | None = None
    resize: bool = False
    _known: _Known = field(default_factory=_Known, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse an output that is not known; the old word for logits is read as such."""
        object.__setattr__(self, "output", output_named(self.output))

    @property
    def model(self) -> ModelFunction:
        """What is inside, as it is asked."""
        return (
            self.function
            if isinstance(self.function, ModelFunction)
            else PlainFunction(self.function)
        )

    @property
    def module(self) -> nn.Module | None:
        """The torch module inside, for normalised crops of any size it takes; None: predicts only.

        Whether gradients pass through it is known once it was asked; see `no_gradient`.
        """
        module = self.model.module
        size = self.sides
        if module is None or not self.resize or None in size:
            return module
        return Resized(module, (int(size[0] or 0), int(size[1] or 0)))

    @property
    def may_have_gradients(self) -> bool:
        """Whether there is a module, and none of its gradients failed yet."""
        return self.module is not None and not self._known.no_gradient

    @property
    def token(self) -> str:
        """What it is known by where its content cannot be: a number of its own."""
        return self._known.token

    @property
    def is_centred(self) -> bool:
        """Whether its normalisation has a mean, so that 0 stands for the mean of its training."""
        return bool((self.mean != 0).any())

    @property
    def is_scaled(self) -> bool:
        """Whether its normalisation has a spread, so that 1 stands for that of its training."""
        return bool((self.std != 1).any())

    @property
    def sides(self) -> Size:
        """Height and width of the crops it takes; None for what is free."""
        return self.size or self.model.size

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        module = self.model.module
        return torch.device("cpu") if module is None else device_of(module)

    def to(self, device: torch.device) -> ForeignClassifier:
        """Move the module, where there is one that can be moved; the classifier is returned."""
        module = self.model.module
        # Exported programs name the device of their constants.
        if module is not None and self.model.inner.kind != "export":
            module.to(device)
        return self

    def with_module(self, module: nn.Module) -> ForeignClassifier:
        """The same with a module in place of `module`, whose numbers mean the same."""
        function = ModuleFunction(module, self.source)
        # Where crops are resized, the module does it.
        size = None if self.resize else self.size
        other = replace(self, function=function, size=size, resize=False)
        other._known.reading, other._known.alone = self._known.reading, self._known.alone
        return other

    def refuse_other_crops(self, height: int, width: int) -> None:
        """Refuse crops of another size than the model takes; see `Predictor`."""
        wanted = self.sides
        if self.resize or all(
            want in (None, have) for want, have in zip(wanted, (height, width), strict=True)
        ):
            return
        sides = " x ".join("any" if side is None else str(side) for side in wanted)
        remedy = "make the cells with that crop size"
        if wanted[0] == wanted[1]:
            remedy += f" (crop = {wanted[0]} under [cells])"
        raise ModelError(
            f"{self.source} takes crops of {sides} pixels, and these are {height} x {width}; "
            f"{remedy}, or let them be resized (resize=True in wrap)"
        )

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
        self.refuse_other_crops(*crops.shape[2:])
        scaled = self._as_taken(crops)
        try:
            return self._ask(scaled)
        except ModelError as error:
            if error.__cause__ is None or is_out_of_memory(error):
                raise
            advice = self._advice(scaled[:1])
            if not advice:
                raise
            raise ModelError(f"{error}; {advice}") from error.__cause__

    def normalise(self, crops: FloatArray) -> FloatArray:
        """Crops (n, C, H, W) in raw units as `module` takes them."""
        return ((crops - self.mean[:, None, None]) / self.std[:, None, None]).astype(np.float32)

    def _as_taken(self, crops: FloatArray) -> FloatArray:
        """The same, resized where that was said."""
        scaled = self.normalise(crops)
        size = self.sides
        if not self.resize or None in size:
            return scaled
        return resized(torch.from_numpy(scaled), (int(size[0] or 0), int(size[1] or 0))).numpy()

    def _advice(self, crop: FloatArray) -> str:
        """What a module that failed takes instead, by trying; empty where that is not known."""
        if self.model.module is None or None not in self.sides:
            return ""
        last = np.ascontiguousarray(crop.transpose(0, 2, 3, 1))
        if self._takes(last):
            return (
                "it takes crops with the channels last (N, H, W, C): wrap it in a module that "
                "permutes (N, C, H, W) to that"
            )
        fitting = [
            side
            for side in TRIED_SIDES
            if self._takes(resized(torch.from_numpy(crop), (side, side)).numpy())
        ]
        if not fitting:
            return ""
        sides = " or ".join(map(str, fitting[:3]))
        return (
            f"it takes crops of {sides} pixels: make the cells with that crop size, or let them be "
            f"resized (size={fitting[0]}, resize=True in wrap)"
        )

    def _takes(self, crop: FloatArray) -> bool:
        """Whether the model gives an answer to a crop of this shape."""
        try:
            self._ask(crop)
        # A stranger's module may raise anything.
        except Exception:
            return False
        return True

    def raw_answers(self, crops: FloatArray) -> Tensor:
        """What the model gives for crops that are normalised already: (n, K).

        Raises
        ------
        ModelError
            As `answers`.
        """
        return self._ask(crops)

    def save(self, path: str | Path, network: str = "") -> Path:
        """Write a bundle (``.cmx``), whole or not at all, where that needs no pickle.

        That is for ONNX models, and for networks that can be built by a name.

        Parameters
        ----------
        path : path
        network : str
            The name of its network (`network_names`), such as ``timm:resnet18``; default: it is
            found among ours and by what networks of timm say of themselves.

        Raises
        ------
        ModelError
            A model of another kind; the line names the way.
        SaveError
            Disk full and the like; a file that was there is intact.
        """
        return save_wrapped(self, path, network)

    def no_gradient(self, crops: FloatArray) -> str:
        """Why it has no gradients, from a few crops in raw units; empty where it has.

        Raises
        ------
        ModelError
            As `find_out`.
        """
        if self._known.no_gradient is None:
            scored = self.scored(crops)
            if scored is None:
                self._known.no_gradient = "it gives predictions only"
                return self._known.no_gradient
            x = torch.from_numpy(self.normalise(crops[:2])).to(device_of(scored))
            with in_evaluation_mode(scored):
                problem = gradient_problem(scored, x)
                if problem and not scored.alone:
                    # Some take one crop at once and no more.
                    scored.alone = True
                    self._known.alone = not gradient_problem(scored, x)
                    problem = "" if self._known.alone else problem
            self._known.no_gradient = problem and f"it gives no gradients ({problem})"
        return self._known.no_gradient

    def scored(self, crops: FloatArray) -> ScoredModule | None:
        """The module as one that gives scores (N, K) of normalised crops; None without one.

        Raises
        ------
        ModelError
            As `find_out`.
        """
        module = self.module
        if module is None:
            return None
        reading = self.find_out(crops)
        scored = ScoredModule(module, self.source, str(self.output), self.select)
        scored.reading = reading
        scored.alone = self._known.alone or self.model.alone
        return scored

    @property
    def _ask(self) -> Ask:
        return Ask(self.model, self.source, self.select, self.output, len(self.classes))

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
        reading = self.find_out(_probe(crops))
        answers = self.answers(crops)
        reading.check(answers, self.source)
        return reading.scores(answers)

    def _probabilities(self, crops: FloatArray) -> FloatArray:
        scores = self.scores(crops)
        assert self._known.reading is not None
        return self._known.reading.probabilities(scores).to(torch.float32).numpy()

    def _prepare(self, source: Cells | FloatArray) -> None:
        """What the numbers mean, and whether they can be repeated, is found out from all over."""
        if self._known.reading is None and len(source):
            self.find_out(_probe(source))


def _probe(source: Cells | FloatArray) -> FloatArray:
    """Some crops, from all over the cells."""
    some = np.linspace(0, len(source) - 1, min(PROBE, len(source))).astype(np.int64)
    return source.read(some) if isinstance(source, Cells) else source[some]


# Crops from which the meaning of the output is found out.
PROBE = 32
# Sides of crops that are tried where a module fails, those of well-known networks.
TRIED_SIDES = (224, 256, 299, 128, 96, 64, 48, 32, 28)
