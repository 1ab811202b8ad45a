"""The config: data sets, each with classifier, importance, predictions, explanations, latents.

The first data set stands at the top, as in configs of earlier versions, which know one alone; the
others follow under ``others``. Every part may be absent.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from napari_channelmix.bounds import (
    Finite,
    Flag,
    Index,
    LongText,
    Name,
    PathText,
    Positive,
    Size,
    Threads,
)
from napari_channelmix.errors import ModelError
from napari_channelmix.settings import (
    ChannelSettings,
    ClassifierSettings,
    Device,
    ExplainSettings,
    ImportanceSettings,
    LatentsSettings,
    Only,
    PredictSettings,
    TransplantSettings,
    WhatIfSettings,
    settings,
)
from napari_channelmix.settings.audit import AuditSettings
from napari_channelmix.settings.channels import Players
from napari_channelmix.settings.model_output import Output
from napari_channelmix.settings.scaling import ScalingSettings
from napari_channelmix.wording import problem

__all__ = [
    "SCHEMA",
    "AuditPart",
    "ClassifiedPart",
    "ClassifierPart",
    "Config",
    "DataPart",
    "DataSetConfig",
    "ExplanationPart",
    "ImportancePart",
    "LatentsPart",
    "ModelChannelsPart",
    "PredictionsPart",
    "TrainingPart",
    "TransplantsPart",
    "WhatIfPart",
]

SCHEMA = "napari-channelmix/config/1"
# Parts that ask a classifier about cells that are changed on purpose.
ASKED = ("what_if", "transplants", "model_channels", "audit")

# Lists of a config: channels, classes, explanations.
Names = Annotated[tuple[Name, ...], Field(max_length=10_000)]
Numbers = Annotated[tuple[Finite, ...], Field(max_length=10_000)]


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
    channels : tuple of str
        Those that were used, in their order, among those of the data-set file.
    classes : tuple of str
        For the reader; the data-set file decides.
    scaling : str or None
        How pixels are scaled, in words; for the reader.
    scaled_as : str or None
        The settings of the scaling, as `open_dataset` takes them, where they were chosen; None: as
        the data-set file says.
    """

    dataset: PathText
    name: Name = ""
    fingerprint: Name | None = None
    n: Size | None = None
    channels: Names = ()
    classes: Names = ()
    scaling: LongText | None = None
    scaled_as: LongText | None = None

    @field_validator("scaled_as")
    @classmethod
    def _of_a_scaling(cls, text: str | None) -> str | None:
        if text is not None:
            try:
                ScalingSettings.from_text(text)
            except ModelError as error:
                raise ValueError(str(error).removeprefix("scaling: ")) from None
        return text


@settings
class TrainingPart(ClassifierSettings):
    """How a classifier is trained; see `train_classifier` and `Cells.split`.

    ``seed`` is that of the split and of the training; ``threads`` are those it was computed with.
    """

    threads: Threads = 0


PriorPart = (
    Literal["training", "balanced", "estimated"]
    | Annotated[dict[Name, Finite], Field(min_length=1, max_length=10_000)]
)


class ClassifierPart(_Part):
    """A classifier: how it is trained, or the file it is in.

    Attributes
    ----------
    training : TrainingPart or None
    file : str or None
        A bundle (``.cmx``), a model made elsewhere, or a function as ``module:name`` or
        ``file.py:name``.
    sha256 : str or None
        What decides its answers (`classify.model_hash.model_hash`); a file with another one is
        not run.
    channels, classes, mean, std, output, select, size, resize
        Of a model made elsewhere; see `load_model`. ``scores`` is the old word for logits.
    prior : str, dict of str to float, or None
        With which prior probabilities are shown; see `Classifier.predict_proba`.
    accuracy : float or None
        Balanced accuracy that was found, for comparison.
    """

    training: TrainingPart | None = None
    file: PathText | None = None
    sha256: Name | None = None
    channels: Names | None = None
    classes: Names | None = None
    mean: Numbers | None = None
    std: Annotated[tuple[Positive, ...], Field(max_length=10_000)] | None = None
    output: Output = "auto"
    select: Index | Name | None = None
    size: tuple[Size, Size] | None = None
    resize: Flag = False
    prior: PriorPart | None = None
    accuracy: Finite | None = None

    @model_validator(mode="after")
    def _exactly_one_origin(self) -> ClassifierPart:
        if (self.training is None) == (self.file is None):
            raise ValueError("give either training (how) or file (where)")
        return self


@settings
class ImportancePart(ImportanceSettings):
    """How channel importance is found; see `channel_importance`.

    ``threads`` are those it was computed with; ``share`` is what was found, for comparison.
    """

    threads: Threads = 0
    share: Annotated[dict[Name, Finite], Field(max_length=10_000)] | None = None


@settings
class PredictionsPart(PredictSettings):
    """The cells of the data set are classified; see `predict_cells`.

    Attributes
    ----------
    classifier : str or None
        Name of the data set whose classifier it is; None: that of this one, or else the only one
        that there is.
    prior : str, dict of str to float, or None
        With which prior; None: the usual one.
    called : dict of str to int or None
        Cells that were called each class, for comparison.
    """

    classifier: Name | None = None
    prior: PriorPart | None = None
    called: Annotated[dict[Name, Index], Field(max_length=10_000)] | None = None


@settings
class ExplanationPart(ExplainSettings):
    """Which cells are explained, and how; see `explain`.

    Attributes
    ----------
    cells : tuple of int or None
        Positions in the data set; None: all.
    classifier : str or None
        As of `PredictionsPart`.
    prior : str, dict of str to float, or None
        With which prior the called class is found; None: that of the classifier's part.
    """

    cells: Annotated[tuple[Index, ...], Field(max_length=10_000_000)] | None = None
    only: Only = "all"
    prior: PriorPart | None = None
    classifier: Name | None = None


class _View(_Part):
    """As of `drl.View.as_dict`."""

    channels: Annotated[Names, Field(min_length=1)]
    weights: tuple[Annotated[tuple[Finite, ...], Field(min_length=1, max_length=3)], ...]
    natural: Flag

    @model_validator(mode="after")
    def _matching(self) -> _View:
        if len(self.weights) != len(self.channels):
            raise ValueError(
                f"weights has {len(self.weights)} rows for {len(self.channels)} channels"
            )
        if len(set(map(len, self.weights))) > 1:
            raise ValueError("weights has rows of different lengths")
        return self


@settings
class LatentsPart(LatentsSettings):
    """How the latents are found; see `latents`.

    Attributes
    ----------
    view : dict or None
        As of `drl.View.as_dict`; None: what the disentangler takes by itself.
    """

    view: dict[str, Any] | None = None
    threads: Threads = 0

    @field_validator("view")
    @classmethod
    def _of_a_view(cls, view: dict[str, Any] | None) -> dict[str, Any] | None:
        if view is not None:
            try:
                _View.model_validate(view)
            except ValidationError as error:
                raise ValueError(problem(error, "a view")) from None
        return view


@settings
class WhatIfPart(WhatIfSettings):
    """Which cells are edited, and how; see `what_if`.

    Attributes
    ----------
    classifier : str or None
        As of `PredictionsPart`.
    prior : str, dict of str to float, or None
        As of `PredictionsPart`.
    transplants, channels : bool
        Also `transplant`, and `channel_shapley`, with the same ``only``, ``seed`` and, where one is
        named, ``prior``.
    players : mapping of str to sequence of str
        Groups of channels of the latter; see `ChannelSettings`.
    """

    axes: Annotated[tuple[Name, ...], Field(max_length=10_000)] | None = None
    prior: PriorPart | None = None
    classifier: Name | None = None
    transplants: Flag = False
    channels: Flag = False
    players: Players = ()


@settings
class _WithClassifier:
    """The classifier that is measured, and its prior; both as of `PredictionsPart`."""

    prior: PriorPart | None = None
    classifier: Name | None = None


@settings
class TransplantsPart(_WithClassifier, TransplantSettings):
    """How parts of cells are taken from cells of other classes; see `transplant`."""


@settings
class ModelChannelsPart(_WithClassifier, ChannelSettings):
    """How the channels of a classifier are measured; see `channel_shapley`."""


@settings
class AuditPart(AuditSettings):
    """How a classifier is audited for shortcuts; see `audit`.

    Attributes
    ----------
    classifier : str or None
        As of `PredictionsPart`.
    mapped : tuple of int
        Positions of the cells that are explained for the check of the attribution; empty: it is
        not made.
    """

    classifier: Name | None = None
    mapped: Annotated[tuple[Index, ...], Field(max_length=1_000_000)] = ()


#: Parts that need a classifier.
ClassifiedPart = (
    PredictionsPart | ExplanationPart | WhatIfPart | TransplantsPart | ModelChannelsPart | AuditPart
)


class DataSetConfig(_Part):
    """A data set, and what was done with it, as far as it can be done again.

    Attributes
    ----------
    data : DataPart
    classifier : ClassifierPart or None
        Trained on this data set, or opened with it.
    importance, predictions, explanations, latents, what_if, transplants, model_channels, audit
        Of this data set.
    """

    data: DataPart
    classifier: ClassifierPart | None = None
    importance: ImportancePart | None = None
    predictions: PredictionsPart | None = None
    explanations: Annotated[tuple[ExplanationPart, ...], Field(max_length=1000)] = ()
    latents: LatentsPart | None = None
    what_if: WhatIfPart | None = None
    transplants: TransplantsPart | None = None
    model_channels: ModelChannelsPart | None = None
    audit: AuditPart | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts that do something, in the order in which they are done."""
        names = ("classifier", "importance", "predictions", "explanations", "latents", *ASKED)
        return tuple(name for name in names if getattr(self, name))

    @property
    def classified(self) -> tuple[ClassifiedPart, ...]:
        """Parts that need a classifier, of this data set or another."""
        first = () if self.predictions is None else (self.predictions,)
        asked = (getattr(self, name) for name in ASKED)
        return (*first, *self.explanations, *(part for part in asked if part is not None))


class Config(DataSetConfig):
    """All that a session did, as far as it can be done again.

    Attributes
    ----------
    made, versions
        When, and with which packages; for the reader.
    others : tuple of DataSetConfig
        Further data sets; with these, every data set has a name of its own (``data.name``).
    notes : tuple of str
        Why numbers may come out differently, a line each.
    """

    form: Literal["napari-channelmix/config/1"] = Field(
        default="napari-channelmix/config/1", alias="schema"
    )
    made: Name = ""
    versions: Annotated[dict[Name, Name | None], Field(max_length=1000)] = {}
    device: Device = "auto"
    others: Annotated[tuple[DataSetConfig, ...], Field(max_length=1000)] = ()
    notes: Annotated[tuple[LongText, ...], Field(max_length=10_000)] = ()

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @model_validator(mode="after")
    def _whole(self) -> Config:
        names = [data_set.data.name for data_set in self.data_sets]
        if self.others and len({*names, ""}) < len(names) + 1:
            raise ValueError("each of several data sets needs a name of its own (data.name)")
        for data_set in self.data_sets:
            for part in data_set.classified:
                self.owner_of(data_set, part)
        return self

    @property
    def data_sets(self) -> tuple[DataSetConfig, ...]:
        """All data sets, the first one included."""
        return (self, *self.others)

    def owner_of(self, used: DataSetConfig, part: ClassifiedPart) -> int:
        """Which of ``data_sets`` the classifier of a part belongs to.

        Parameters
        ----------
        used : DataSetConfig
            The data set that the part is of.
        part : PredictionsPart, ExplanationPart, WhatIfPart or another that needs a classifier
        """
        what = {PredictionsPart: "predictions", ExplanationPart: "explanations"}.get(
            type(part), "answers of what-if"
        )
        having = [
            index
            for index, data_set in enumerate(self.data_sets)
            if data_set.classifier is not None
        ]
        if not having:
            raise ValueError(f"{what} need a classifier")
        if part.classifier is not None:
            named = [
                index for index in having if self.data_sets[index].data.name == part.classifier
            ]
            if not named:
                raise ValueError(
                    f"no data set {part.classifier!r} has a classifier, which {what} "
                    f"of {used.data.name!r} name"
                )
            return named[0]
        own = [index for index in having if self.data_sets[index] is used]
        if own or len(having) == 1:
            return (own or having)[0]
        raise ValueError(f"{what} of {used.data.name!r}: say the classifier of which data set")
