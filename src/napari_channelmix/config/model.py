"""The config: data, classifier, importance, explanations, latents; each part may be absent."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = [
    "SCHEMA",
    "ClassifierPart",
    "Config",
    "DataPart",
    "ExplanationPart",
    "ImportancePart",
    "LatentsPart",
    "TrainingPart",
]

SCHEMA = "napari-channelmix/config/1"

Device = Literal["auto", "cpu", "cuda", "mps"]
Share = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0)]
Threads = Annotated[int, Field(ge=0)]


class _Part(BaseModel):
    # A misspelt setting must not be passed over in silence.
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataPart(_Part):
    """The cells: a data-set file, and what it held.

    Attributes
    ----------
    dataset : str
        Path of the data-set file; in a file of JSON relative to that, where that is possible.
    name : str
    fingerprint : str or None
        `Cells.fingerprint`; where the data set has another one now, it is not run.
    n : int or None
        Number of cells.
    channels, classes : tuple of str
        For the reader; the data-set file decides.
    """

    dataset: str
    name: str = ""
    fingerprint: str | None = None
    n: int | None = None
    channels: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()


class TrainingPart(_Part):
    """How a classifier is trained; see `train_classifier` and `Cells.split`.

    ``seed`` is that of the split and of the training; ``threads`` are those it was computed with.
    """

    network: str = "small"
    epochs: Count = 40
    patience: Count = 10
    batch: Count = 64
    rate: float = 2e-3
    decay: float = 1e-3
    clip: float | None = None
    mixes: Annotated[int, Field(ge=0)] = 0
    constraint: Literal["softmax", "nonneg", "over"] = "softmax"
    held_out: Share = 0.25
    seed: Seed = 0
    device: Device = "auto"
    threads: Threads = 0


class ClassifierPart(_Part):
    """A classifier: how it is trained, or the file it is in.

    Attributes
    ----------
    training : TrainingPart or None
    file : str or None
        A bundle (``.cmx``), a model made elsewhere, or a function as ``module:name`` or
        ``file.py:name``.
    sha256 : str or None
        What decides its answers (`classify.identity.model_hash`); a file with another one is
        not run.
    channels, classes, mean, std, output, select
        Of a model made elsewhere; see `load_model`. ``scores`` is the old word for logits.
    accuracy : float or None
        Balanced accuracy that was found, for comparison.
    """

    training: TrainingPart | None = None
    file: str | None = None
    sha256: str | None = None
    channels: tuple[str, ...] | None = None
    classes: tuple[str, ...] | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    output: Literal[
        "auto", "logits", "probabilities", "sigmoid", "sigmoid_logits", "one_logit",
        "one_probability", "scores",
    ] = "auto"  # fmt: skip
    select: int | str | None = None
    accuracy: float | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> ClassifierPart:
        if (self.training is None) == (self.file is None):
            raise ValueError("give either training (how) or file (where)")
        return self


class ImportancePart(_Part):
    """How channel importance is found; see `channel_importance`.

    ``share`` is what was found, for comparison.
    """

    network: str = "small"
    epochs: Count = 40
    patience: Count = 10
    batch: Count = 64
    rate: float = 2e-3
    decay: float = 1e-3
    clip: float | None = None
    seeds: Count = 4
    seed: Seed = 0
    shapley: bool = True
    decoys: bool = True
    mixes: Count = 1
    constraint: Literal["softmax", "nonneg", "over"] = "softmax"
    held_out: Share = 0.25
    device: Device = "auto"
    threads: Threads = 0
    share: dict[str, float] | None = None


class ExplanationPart(_Part):
    """Which cells are explained, and how; see `explain`.

    Attributes
    ----------
    cells : tuple of int or None
        Positions in the data set; None: all.
    """

    cells: tuple[int, ...] | None = None
    target: str | None = None
    versus: str | None = None
    method: str = "pcim"
    mode: Literal["autograd", "blackbox"] = "autograd"
    channels: Literal["shared", "separate"] = "shared"
    forwards: Annotated[int, Field(ge=2)] = 1000
    seed: Seed = 0


class LatentsPart(_Part):
    """How the latents are found; see `latents`.

    Attributes
    ----------
    model : str
        Name of a disentangler that comes with the package, or the path of one.
    view : dict or None
        As of `drl.View.as_dict`; None: what the disentangler takes by itself.
    limit : int or None
        Encode this many cells, one from each of as many equal stretches of the data set.
    """

    model: str = "texture-sprites"
    view: dict[str, Any] | None = None
    finetune: Annotated[int, Field(ge=0)] = 0
    limit: Count | None = None
    seed: Seed = 0
    threads: Threads = 0


class Config(_Part):
    """All that a session did, as far as it can be done again.

    Attributes
    ----------
    made, versions
        When, and with which packages; for the reader.
    notes : tuple of str
        Why numbers may come out differently, a line each.
    """

    form: Literal["napari-channelmix/config/1"] = Field(
        default="napari-channelmix/config/1", alias="schema"
    )
    made: str = ""
    versions: dict[str, str | None] = {}
    device: Device = "auto"
    data: DataPart
    classifier: ClassifierPart | None = None
    importance: ImportancePart | None = None
    explanations: tuple[ExplanationPart, ...] = ()
    latents: LatentsPart | None = None
    notes: tuple[str, ...] = ()

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @model_validator(mode="after")
    def _explained_by_something(self) -> Config:
        if self.explanations and self.classifier is None:
            raise ValueError("explanations need a classifier")
        return self

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts that do something, in the order in which they are done."""
        names = ("classifier", "importance", "explanations", "latents")
        return tuple(name for name in names if getattr(self, name))
