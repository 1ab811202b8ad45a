"""The result of channel importance: an immutable table with its errors, its gate and its origin."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from napari_channelmix.atomic_write import write_json, write_text, write_whole
from napari_channelmix.classify.accuracy import AccuracyEstimate
from napari_channelmix.classify.intervals import TOO_FEW_GROUPS, few_groups_text
from napari_channelmix.data.csv_text import csv_text
from napari_channelmix.dcmix.effects import effect_sentences, effects_frame
from napari_channelmix.dcmix.reliability import Gate
from napari_channelmix.dcmix.stored import SCHEMA, ImportanceFile
from napari_channelmix.shown_result import BarsResult
from napari_channelmix.stored_files import read_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from napari_channelmix.classify.classifier import Classifier
    from napari_channelmix.dcmix.separability import Separability
    from napari_channelmix.dcmix.single_channels import ChannelsAlone
    from napari_channelmix.result_display import Summary

__all__ = ["SCHEMA", "Answer", "ChannelImportance"]

Answer = Literal["share", "shapley", "none"]


@dataclass(frozen=True, repr=False)
class ChannelImportance(BarsResult):
    """Which channels a classifier needs, by two answers that do not share their weaknesses.

    Attributes
    ----------
    channels : tuple of str
        C names.
    share, share_sd : tuple of float
        (C,) share of the channel in the blended image, mean and standard deviation over the
        repeats, which hold out different groups; the means sum to 1. With decoys, of the mix that
        holds them too, so that ``share`` and ``decoy`` are of one fit and on one scale.
    shapley, shapley_sd : tuple of float or None
        (C,) what the channel adds to the balanced accuracy of the all-channel network.
    per_class : dict of str to tuple of float
        (C,) Shapley values for the recall of each class; empty without Shapley.
    decoy : tuple of float or None
        (C,) share of the channel's decoy (the same channel of another cell, of another group where
        cells come in groups), on the scale on which the channels sum to 1: the negative control,
        what a channel gets that carries nothing.
    p_value : tuple of float or None
        (C,) the larger of ``p_decoy`` and ``p_alone``, after Holm's correction for all channels;
        see `dcmix.p_values`. None where the test was not calibrated, groups are too few for a
        small one, or the gate is closed: ``p_value_reason`` says why.
    accuracy : dict
        ``mixed`` and ``plain``: balanced accuracy of the predictions for held-out cells, of all
        repeats together.
    recall : dict of dict
        ``mixed`` and ``plain``: recall of each class, likewise.
    gate : str
        ``"ok"``, or the reason why the shares must not be read.
    seeds : tuple of int
        One for each repeat.
    share_of_seed : tuple of tuple of float
        (S, C), for those who want the points behind the bars.
    n_train, n_test : int
        Cells that a repeat learns from (mean over the repeats), and cells that were held out in
        any repeat.
    warnings : tuple of str
    provenance : dict
    classifiers : tuple of Classifier
        The mixed one of each repeat; empty for a result from a file.
    estimates : dict of str to AccuracyEstimate
        ``mixed`` and ``plain``: their accuracy with its interval over resampled groups, per class
        too. Empty for a file of an earlier version, as what follows.
    whole, nothing : float or None
        Balanced accuracy of the all-channel network with all channels and with none: the Shapley
        values sum to their difference.
    share_alone : tuple of float or None
        (C,) shares in the mix without decoys, the one whose accuracy and blended image are shown.
    division : str
        What was held out, in a line.
    verdict : str
        The gate in a few plain words, such as ``Reliable``.
    p_value_reason : str
        Why there is no ``p_value``; empty where there is.
    not_learnt : dict of str to str
        Classes of which nothing can be said, and why; they are not in ``per_class``.
    accuracy_p : dict of str to float
        ``mixed`` and ``plain``: one-sided p of the accuracy, from labels permuted between groups.
    above_decoy, above_zero : tuple of bool or None
        (C,) whether the share of a channel stands above its decoy, and its Shapley value above 0,
        by the spread over the repeats; see `dcmix.above_control`.
    alone : ChannelsAlone or None
        Accuracy of plain classifiers that see each channel alone, and all without it. None where
        it was not asked for, while a run is under way, and for a file of an earlier version.
    separability : Separability or None
        Whether the class can be read from one number of one channel; None likewise.
    alone_scaled : ChannelsAlone or None
        ``alone`` with each channel scaled group by group: only where the class can be read from
        one number.
    p_decoy, p_alone : tuple of float or None
        (C,) of the share against its decoy, and of the channel by itself against labels permuted
        between groups; without correction. None as ``p_value``, and for a file of an earlier
        version.
    direction : dict of str to tuple of float or None
        (C,) for each class from -1 to 1: above 0 where more light of the channel makes the class
        more probable, below 0 where less does, mean over the repeats; None where the channel
        changes nothing. See `classify.channel_values.agreement`. Empty without Shapley.
    effects_readable : dict of str to tuple of bool
        (C,) for each class whether its effects may be read; see `dcmix.effects`.
    sampling_error : tuple of float or None
        (C,) standard error of ``shapley`` by the orders that were drawn; None where it is exact.

    Examples
    --------
    >>> quick = {"network": "tiny", "epochs": 1, "shapley": False, "decoys": False}
    >>> importance = cm.channel_importance(cells, seeds=2, **quick)
    >>> importance.channels, round(sum(importance.share), 6)
    (('GFP', 'DNA'), 1.0)
    """

    channels: tuple[str, ...]
    share: tuple[float, ...]
    share_sd: tuple[float, ...]
    shapley: tuple[float, ...] | None
    shapley_sd: tuple[float, ...] | None
    per_class: dict[str, tuple[float, ...]]
    decoy: tuple[float, ...] | None
    p_value: tuple[float, ...] | None
    accuracy: dict[str, float]
    recall: dict[str, dict[str, float | None]]
    gate: str
    seeds: tuple[int, ...]
    share_of_seed: tuple[tuple[float, ...], ...]
    n_train: int
    n_test: int
    warnings: tuple[str, ...]
    provenance: dict[str, Any] = field(repr=False, compare=False)
    classifiers: tuple[Classifier, ...] = field(default=(), repr=False, compare=False)
    estimates: dict[str, AccuracyEstimate] = field(default_factory=dict)
    whole: float | None = None
    nothing: float | None = None
    share_alone: tuple[float, ...] | None = None
    division: str = ""
    verdict: str = ""
    p_value_reason: str = ""
    not_learnt: dict[str, str] = field(default_factory=dict)
    accuracy_p: dict[str, float] = field(default_factory=dict)
    above_decoy: tuple[bool, ...] | None = None
    above_zero: tuple[bool, ...] | None = None
    alone: ChannelsAlone | None = None
    separability: Separability | None = None
    alone_scaled: ChannelsAlone | None = None
    p_decoy: tuple[float, ...] | None = None
    p_alone: tuple[float, ...] | None = None
    direction: dict[str, tuple[float | None, ...]] = field(default_factory=dict)
    effects_readable: dict[str, tuple[bool, ...]] = field(default_factory=dict)
    sampling_error: tuple[float, ...] | None = None

    def effects(self) -> pd.DataFrame:
        """Effect of each channel on the recall of each class: + needs it, - needs its absence.

        Rows are channels in the order of the data set, columns the classes that were learnt; see
        `dcmix.effects`.
        """
        return effects_frame(self.channels, self.per_class, self.direction)

    @property
    def effect_sentences(self) -> tuple[str, ...]:
        """For each class what it needs, and what absent, by the effects that may be read."""
        return effect_sentences(self.effects(), self.effects_readable)

    @property
    def open(self) -> bool:
        """Whether the shares may be read; a question about what they mean does not forbid it."""
        return self.gate == "ok" or self.asks

    @property
    def shares_readable(self) -> bool:
        """Whether the shares mean something: `open`, or for all but some classes, or a few groups.

        `caveat` says what they must be read with.
        """
        return self.open or self._gate.opens

    @property
    def caveat(self) -> str:
        """What must be kept in mind with shares that are readable; empty where nothing is."""
        return self.gate if self.shares_readable and self.gate != "ok" else ""

    @property
    def _gate(self) -> Gate:
        return Gate(self.verdict, self.gate)

    @property
    def asks(self) -> bool:
        """Whether the gate asks if the class is only a stain or a batch."""
        return bool(self.question) and self.gate == self.question

    @property
    def question(self) -> str:
        """Whether the class is read from one number; empty where it is not, or nothing is known."""
        return "" if self.separability is None else self.separability.sentence

    @property
    def answer(self) -> Answer:
        """The answer that is reliable.

        ``share`` where blending costs nothing, else ``shapley``; ``none`` where nothing can be
        read, or the Shapley values were not asked for.
        """
        if self.shares_readable:
            return "share"
        return "shapley" if self._gate.blending_costs and self.shapley is not None else "none"

    @property
    def not_computed(self) -> str:
        """That the values which are to be read are not there; empty where they are, or none are."""
        if self.shares_readable or self.shapley is not None or not self._gate.blending_costs:
            return ""
        return "They were not computed: run again with Shapley values"

    @property
    def order(self) -> tuple[int, ...]:
        """Positions of the channels, the most important first by the answer that is reliable.

        In the order of the data set where there is none.
        """
        values = {"share": self.share, "shapley": self.shapley, "none": None}[self.answer]
        if values is None:
            return tuple(range(len(self.channels)))
        return tuple(int(i) for i in np.argsort(-np.array(values), kind="stable"))

    @property
    def above_control(self) -> tuple[bool, ...] | None:
        """(C,) whether each channel stands above its negative control, by the reliable answer.

        The control of a share is its decoy, that of a Shapley value is 0. None where nothing is
        known of it.
        """
        known = {"share": self.above_decoy, "shapley": self.above_zero, "none": None}
        return known[self.answer]

    @property
    def alone_unreadable(self) -> str:
        """That the accuracies alone and without must not be read, and why; empty where they may."""
        if self.alone is None:
            return ""
        whole = self.alone.whole
        if not (self.shares_readable or self._gate.blending_costs):
            reason = self.verdict.partition(": ")[2] or self.gate
        elif whole.low <= whole.chance:
            reason = "with all channels too, they are not known to be above chance"
        elif whole.n_groups < TOO_FEW_GROUPS:
            reason = few_groups_text(whole.n_groups, whole.n_cells)
        else:
            reason = ""
        return f"Not to be read: {reason}" if reason else ""

    @property
    def sentences(self) -> tuple[str, ...]:
        """What else is to be said, a line each: one number, channels alone, negative controls."""
        lines: list[str] = []
        if self.separability is not None:
            lines += self.separability.sentences
        if self.alone_scaled is not None:
            lines += [f"Scaled per group: {line}" for line in self.alone_scaled.sentences]
        if self.alone is not None and self.answer != "none":
            lines += self.alone.sentences
        low = [
            name
            for name, above in zip(self.channels, self.above_control or (), strict=False)
            if not above
        ]
        lines += self._not_above(low)
        return tuple(line[:1].upper() + line[1:] for line in lines)

    def _not_above(self, low: Sequence[str]) -> list[str]:
        """Of channels that do not stand above their control, and what else is known of them."""
        if self.answer != "share":
            return [f"Not above zero, so nothing is known of: {', '.join(low)}"] if low else []
        known = {
            name for name, above in zip(self.channels, self.above_zero or (), strict=False) if above
        }
        if self.alone is not None:
            known |= set(self.alone.necessary)
        used = [name for name in low if name in known]
        rest = [name for name in low if name not in known]
        lines = []
        if used:
            lines.append(
                "The share cannot be told from its negative control, though the accuracy says that "
                f"the channel is used: {', '.join(used)}"
            )
        if rest:
            lines.append(
                f"Not above its negative control, so nothing is known of: {', '.join(rest)}"
            )
        return lines

    @property
    def accuracy_lines(self) -> tuple[str, ...]:
        """What was held out, and the accuracy of either network with its interval, a line each."""
        lines = [self.division] if self.division else []
        networks = (
            ("plain", "all-channel network", "channels apart"),
            ("mixed", "channel-mixing network", "one blended image"),
        )
        for kind, name, seen in networks:
            estimate = self.estimates.get(kind)
            # What speaks against an interval is among the warnings.
            balanced = f"balanced accuracy {self.accuracy[kind]:.3f}"
            measured = replace(estimate, warning="").text() if estimate else balanced
            p_value = self.accuracy_p.get(kind)
            p_text = f", {_p(p_value)}" if p_value is not None else ""
            lines.append(f"{name} ({seen}): {measured}{p_text}")
        return tuple(lines)

    def with_classifiers(self, classifiers: Sequence[Classifier]) -> ChannelImportance:
        """The same with the mixed classifiers of the seeds, for the blended image."""
        return replace(self, classifiers=tuple(classifiers))

    def to_frame(self) -> pd.DataFrame:
        """A row per channel, in the order of `order`."""
        columns: dict[str, Any] = {"share": self.share, "share_sd": self.share_sd}
        if self.shapley is not None:
            columns |= {"shapley": self.shapley, "shapley_sd": self.shapley_sd}
        if self.decoy is not None:
            columns["decoy"] = self.decoy
        if self.p_value is not None:
            columns["p_value"] = self.p_value
        if self.p_decoy is not None and self.p_alone is not None:
            columns |= {"p_decoy": self.p_decoy, "p_alone": self.p_alone}
        if self.alone is not None:
            for kind in ("alone", "without"):
                accuracies = [entry.accuracy for entry in getattr(self.alone, kind)]
                columns[f"accuracy_{kind}"] = [entry.balanced for entry in accuracies]
                columns[f"accuracy_{kind}_low"] = [entry.low for entry in accuracies]
                columns[f"accuracy_{kind}_high"] = [entry.high for entry in accuracies]
            columns["accuracy_alone_readable"] = not self.alone_unreadable
        columns |= {f"shapley of {name}": values for name, values in self.per_class.items()}
        if self.sampling_error is not None:
            columns["shapley_sampling_error"] = self.sampling_error
        if self.direction:
            effects = self.effects()
            columns |= {f"effect on {name}": effects[name].tolist() for name in effects}
        if self.above_control is not None:
            columns["above_control"] = self.above_control
        table = pd.DataFrame(columns, index=pd.Index(self.channels, name="channel"))
        return table.iloc[list(self.order)]

    def to_dict(self) -> dict[str, Any]:
        """As in ``importance.json``."""
        listed = (
            "channels",
            "share",
            "share_sd",
            "p_value",
            "shapley",
            "shapley_sd",
            "decoy",
            "seeds",
            "share_of_seed",
            "warnings",
            "above_decoy",
            "above_zero",
            "p_decoy",
            "p_alone",
            "sampling_error",
            "sentences",
        )
        content: dict[str, Any] = {"schema": SCHEMA}
        for name in listed:
            value = getattr(self, name)
            content[name] = None if value is None else json.loads(json.dumps(value))
        return {
            **content,
            **{
                kind: {name: list(values) for name, values in getattr(self, kind).items()}
                for kind in ("per_class", "direction", "effects_readable")
            },
            "accuracy": self.accuracy,
            "recall": self.recall,
            "gate": self.gate,
            "n_train": self.n_train,
            "n_test": self.n_test,
            "estimates": {kind: estimate.as_dict() for kind, estimate in self.estimates.items()},
            "whole": self.whole,
            "nothing": self.nothing,
            "share_alone": None if self.share_alone is None else list(self.share_alone),
            "division": self.division,
            "verdict": self.verdict,
            "p_value_reason": self.p_value_reason,
            "shares_readable": self.shares_readable,
            "alone_unreadable": self.alone_unreadable,
            "not_learnt": self.not_learnt,
            "accuracy_p": self.accuracy_p,
            **{
                name: None if (value := getattr(self, name)) is None else value.as_dict()
                for name in ("alone", "separability", "alone_scaled")
            },
            "provenance": self.provenance,
        }

    def summary(self) -> Summary:
        """What is shown of it in a notebook."""
        from napari_channelmix.dcmix.result_summary import importance_summary

        return importance_summary(self)

    def plot(self, ax: Axes | None = None) -> Figure:
        """As `figure`; with ``ax``, the bars of the answer that is reliable are drawn there."""
        return self.figure() if ax is None else super().plot(ax)

    def figure(self) -> Figure:
        """The bar chart, for print; see `napari_channelmix.dcmix.chart`."""
        from napari_channelmix.dcmix.chart import ImportanceBars, importance_figure

        order = list(self.order)

        def ordered(values: Sequence[float] | None) -> npt.NDArray[np.float64] | None:
            return None if values is None else np.array(values, np.float64)[order]

        above = self.above_control
        low = () if above is None else tuple(np.flatnonzero(~np.array(above)[order]).tolist())
        warning = ""
        if not self.shares_readable:
            warning = f"{self.verdict or 'Not reliable'}: {self.gate}"
        elif self.caveat:
            warning = self.verdict or self.caveat
        return importance_figure(
            ImportanceBars(
                channels=tuple(self.channels[i] for i in order),
                share=np.array(self.share, np.float64)[order],
                share_sd=np.array(self.share_sd, np.float64)[order],
                decoy=ordered(self.decoy),
                shapley=ordered(self.shapley),
                shapley_sd=ordered(self.shapley_sd),
                not_above=low,
                readable=self.shares_readable,
                warning=warning,
                title=(
                    f"balanced accuracy: channel-mixing {self.accuracy['mixed']:.2f}, all-channel "
                    f"{self.accuracy['plain']:.2f}; {len(self.seeds)} repeats"
                    + ("; channels in the order of the data set" if self.answer == "none" else "")
                ),
            )
        )

    def save(self, folder: str | Path) -> tuple[Path, ...]:
        """Write ``importance.json``, ``.csv``, ``.png`` and ``.svg`` into a folder.

        Raises
        ------
        SaveError
            Disk full and the like; files that were there are intact.
        """
        folder = Path(folder)
        figure = self.figure()
        return (
            write_json(folder / "importance.json", self.to_dict()),
            write_text(folder / "importance.csv", csv_text(self.to_frame(), index=True)),
            write_whole(
                folder / "importance.png", lambda path: figure.savefig(path, dpi=150, format="png")
            ),
            write_whole(folder / "importance.svg", lambda path: figure.savefig(path, format="svg")),
        )

    @classmethod
    def load(cls, path: str | Path) -> ChannelImportance:
        """Read ``importance.json``.

        Raises
        ------
        DataError
            Not such a file; the line names the key that is wrong.
        """
        stored = read_json(
            path, ImportanceFile, what="an importance.json", advice="run 'importance' again"
        )
        content = {
            name: getattr(stored, name)
            for name in type(stored).model_fields
            if name not in ("form", "estimates")
        }
        estimates = {
            kind: AccuracyEstimate.from_dict(estimate.model_dump())
            for kind, estimate in stored.estimates.items()
        }
        return cls(**content, estimates=estimates)


def _p(value: float) -> str:
    return f"p = {value:.2g}" if value >= 0.001 else "p < 0.001"
