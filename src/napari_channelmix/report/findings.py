"""All that a report may say, brought together; what is not there is None or empty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from napari_channelmix.classify.accuracy import AccuracyEstimate
    from napari_channelmix.classify.calibration import Calibration
    from napari_channelmix.classify.priors import Prior
    from napari_channelmix.config import Config
    from napari_channelmix.data import Cells
    from napari_channelmix.data.display_channels import DisplayChannels
    from napari_channelmix.dcmix import ChannelImportance
    from napari_channelmix.phenotypes.adjusted import HeldOutCalls
    from napari_channelmix.whatif.audit_result import Audit
    from napari_channelmix.whatif.channel_means_result import ChannelMeans
    from napari_channelmix.whatif.channel_shapley_result import ChannelShapley
    from napari_channelmix.whatif.result import WhatIf
    from napari_channelmix.whatif.transplants_result import Transplants

__all__ = ["ClassifierFacts", "Example", "Findings", "LatentsFacts"]

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class ClassifierFacts:
    """A classifier in figures.

    Attributes
    ----------
    source : str
        Where it came from, in words.
    channels, classes : tuple of str
    sha256 : str
        See `classify.model_hash.model_hash`.
    network : str
        Its kind, in words.
    held_out : dict
        ``balanced_accuracy``, ``chance``, ``recall``, ``estimate``, ``confusion``, ``n_train``,
        ``n_test``, measured on held-out cells; empty where that is not known.
    history : sequence of dict
        Metrics of each epoch.
    warnings : sequence of str
    provenance : dict
    calibration : Calibration or None
        Whether its probabilities mean what they say, on held-out cells.
    calibrated : str
        The same in words; empty for a model made elsewhere.
    """

    source: str
    channels: tuple[str, ...]
    classes: tuple[str, ...]
    sha256: str = ""
    network: str = ""
    held_out: Mapping[str, Any] = field(default_factory=dict)
    history: Sequence[Mapping[str, float]] = ()
    warnings: Sequence[str] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict, repr=False)
    calibration: Calibration | None = field(default=None, repr=False)
    calibrated: str = ""

    @property
    def held_out_calls(self) -> HeldOutCalls | None:
        """Labels against calls on held-out cells by group; None where that is not known."""
        from napari_channelmix.phenotypes.adjusted import HeldOutCalls

        content = self.held_out.get("calls")
        return None if content is None else HeldOutCalls.from_rows(content, self.classes)

    @property
    def accuracy(self) -> AccuracyEstimate | None:
        """On held-out cells, with intervals; None where that is not known."""
        from napari_channelmix.classify.accuracy import stored_estimate

        return stored_estimate(self.held_out, self.classes)

    @classmethod
    def of(
        cls, model: Any, source: str, held_out: Mapping[str, Any] | None = None
    ) -> ClassifierFacts:
        """Of a classifier; ``held_out`` where it does not carry the figures itself."""
        from napari_channelmix.classify import Classifier
        from napari_channelmix.classify.model_hash import model_hash

        if not isinstance(model, Classifier):
            return cls(
                source,
                tuple(model.channels),
                tuple(model.classes),
                model_hash(model),
                "made elsewhere"
                + ("" if model.may_have_gradients else "; it gives predictions only"),
            )
        record, spec = model.record, model.spec
        scaled = f"; pixels {model.scaling.text}" if model.scaling else ""
        mixing = f", {spec.mixes} blended image(s) in front" if spec.mixes else ""
        return cls(
            source,
            model.channels,
            model.classes,
            model_hash(model),
            f"{spec.name}{mixing}{scaled}",
            record.get("held_out") or held_out or {},
            record.get("history", ()),
            record.get("warnings", ()),
            model.provenance,
            model.calibration,
            model.calibration_text,
        )


@dataclass(frozen=True, eq=False)
class Example:
    """A cell that was explained.

    Attributes
    ----------
    cell : int
        Its position in the data set.
    crops : (C, H, W) float32 array
        Raw units.
    map : (H, W) float32 array
    target : str
        The class that is explained.
    probabilities : dict of str to float
        By class.
    label, group : str
    words : tuple of str
        How far the map can be trusted, a plain sentence each; empty where it was not tested.
    scores : dict of str to float
        Such as ``srg``.
    method : str
    training : str
        Whether it was trained on; empty where it was not asked.
    magnitude : (H, W) float32 array or None
        How much evidence there is at a pixel, for the class or against it.
    shares : tuple of str
        Where the evidence lies, a sentence each; empty where it was not counted.
    """

    cell: int
    crops: FloatArray = field(repr=False)
    map: FloatArray = field(repr=False)
    target: str
    probabilities: Mapping[str, float]
    label: str = ""
    group: str = ""
    words: tuple[str, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    method: str = ""
    training: str = ""
    magnitude: FloatArray | None = field(default=None, repr=False)
    shares: tuple[str, ...] = ()


@dataclass(frozen=True)
class LatentsFacts:
    """The latents of a data set, as ``latents.json`` has them.

    Attributes
    ----------
    content : dict
    sheet : bytes
        The traversals of typical cells, as PNG; empty where there are none.
    """

    content: Mapping[str, Any]
    sheet: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, eq=False)
class Findings:
    """All that is known of a data set.

    Attributes
    ----------
    cells : Cells
    source : str
        Where they came from, in words.
    classifier : ClassifierFacts or None
    probabilities : (N, K) float32 array or None
        Of all cells, in the order of the classifier's classes, with the ``prior``.
    balanced : (N, K) float32 array or None
        The same as ``probabilities`` with the balanced prior, for adjusted fractions.
    prior : Prior or None
    importance : ChannelImportance or None
    examples : tuple of Example
    explained : dict
        Of all maps together: ``n``, ``method``, ``mode``, ``scores``, ``warnings``.
    latents : LatentsFacts or None
    config : Config or None
        To do it all again.
    notes : tuple of str
        What the reader should mind.
    training : sequence of N str or None
        Whether the classifier was trained on each cell; see `phenotypes.held_out`.
    name : str
        What the data set is called here, where there are several; else the cells' name.
    classifier_of : str
        The data set that the classifier belongs to, where that is another one.
    own_classifier : ClassifierFacts or None
        That of this data set, where its cells were classified with another one's.
    what_if : WhatIf or None
    transplants : Transplants or None
    channel_shapley : ChannelShapley or None
        Of the classifier in hand.
    channel_means : ChannelMeans or None
        How bright each class is in each channel.
    audit : Audit or None
    display : DisplayChannels or None
        The channels that pictures of cells show; None: those that are proposed.
    others : tuple of Findings
        Of further data sets, for the same page; the config of this one is that of all.
    """

    cells: Cells
    source: str = ""
    classifier: ClassifierFacts | None = None
    probabilities: FloatArray | None = field(default=None, repr=False)
    importance: ChannelImportance | None = None
    examples: tuple[Example, ...] = ()
    explained: Mapping[str, Any] = field(default_factory=dict)
    latents: LatentsFacts | None = None
    config: Config | None = None
    notes: tuple[str, ...] = ()
    balanced: FloatArray | None = field(default=None, repr=False)
    prior: Prior | None = None
    training: Sequence[str] | None = field(default=None, repr=False)
    name: str = ""
    classifier_of: str = ""
    own_classifier: ClassifierFacts | None = None
    what_if: WhatIf | None = None
    transplants: Transplants | None = None
    channel_shapley: ChannelShapley | None = None
    channel_means: ChannelMeans | None = None
    audit: Audit | None = None
    display: DisplayChannels | None = None
    others: tuple[Findings, ...] = ()

    @property
    def data_sets(self) -> tuple[Findings, ...]:
        """What is known of each data set, this one included."""
        return (self, *self.others)

    @property
    def title(self) -> str:
        """The name of the data set."""
        return self.name or self.cells.name
