"""The result of channel importance: an immutable table with its errors, its gate and its origin."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from napari_channelmix.data.csv_text import csv_text
from napari_channelmix.dcmix.decoys import decoy_p_values, holm
from napari_channelmix.dcmix.stored import SCHEMA, ImportanceFile
from napari_channelmix.files import write_json, write_text, write_whole
from napari_channelmix.readers import read_json

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from napari_channelmix.classify.classifier import Classifier
    from napari_channelmix.data import Cells

__all__ = ["SCHEMA", "ChannelImportance", "summarised"]

# A mixed network this much below the plain one has not seen what the plain one sees.
GATE = 0.05
# Fewer give no spread worth the name, and the p-values were calibrated with this many.
ENOUGH_SEEDS = 4


@dataclass(frozen=True)
class ChannelImportance:
    """Which channels a classifier needs, by two answers that do not share their weaknesses.

    Attributes
    ----------
    channels : tuple of str
        C names.
    share, share_sd : tuple of float
        (C,) share of the channel in the blended image, mean and standard deviation over the seeds;
        the means sum to 1.
    shapley, shapley_sd : tuple of float or None
        (C,) what the channel adds to the balanced accuracy of the plain network.
    per_class : dict of str to tuple of float
        (C,) Shapley values for the recall of each class; empty without Shapley.
    decoy : tuple of float or None
        (C,) share of the channel's decoy (the same channel of another cell), on the scale on which
        the channels sum to 1: what a channel gets that carries nothing.
    p_value : tuple of float or None
        (C,) chance that a channel without a link to the label gets such a share, after Holm's
        correction for all channels; see `dcmix.decoys`. None where the test was not calibrated:
        cells that come in groups, fewer than 4 seeds, other than the usual mix and networks.
    accuracy : dict
        ``mixed`` and ``plain``: balanced accuracy on held-out cells, mean over the seeds.
    recall : dict of dict
        ``mixed`` and ``plain``: recall of each class, mean over the seeds.
    gate : str
        ``"ok"``, or the reason why the shares must not be read.
    seeds : tuple of int
    share_of_seed : tuple of tuple of float
        (S, C), for those who want the points behind the bars.
    n_train, n_test : int
    warnings : tuple of str
    provenance : dict
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

    @property
    def order(self) -> tuple[int, ...]:
        """Positions of the channels, largest share first."""
        return tuple(int(i) for i in np.argsort(-np.array(self.share), kind="stable"))

    @property
    def open(self) -> bool:
        """Whether the shares may be read."""
        return self.gate == "ok"

    def with_classifiers(self, classifiers: Sequence[Classifier]) -> ChannelImportance:
        """The same with the mixed classifiers of the seeds, for the blended image."""
        return replace(self, classifiers=tuple(classifiers))

    def to_frame(self) -> pd.DataFrame:
        """A row per channel, in the order of the data set."""
        columns: dict[str, Any] = {"share": self.share, "share_sd": self.share_sd}
        if self.shapley is not None:
            columns |= {"shapley": self.shapley, "shapley_sd": self.shapley_sd}
        if self.decoy is not None:
            columns["decoy"] = self.decoy
        if self.p_value is not None:
            columns["p_value"] = self.p_value
        columns |= {f"shapley of {name}": values for name, values in self.per_class.items()}
        return pd.DataFrame(columns, index=pd.Index(self.channels, name="channel"))

    def to_dict(self) -> dict[str, Any]:
        """As in ``importance.json``."""
        listed = ("channels", "share", "share_sd", "p_value", "shapley", "shapley_sd", "decoy",
                  "seeds", "share_of_seed", "warnings")  # fmt: skip
        content: dict[str, Any] = {"schema": SCHEMA}
        for name in listed:
            value = getattr(self, name)
            content[name] = None if value is None else json.loads(json.dumps(value))
        return {
            **content,
            "per_class": {name: list(values) for name, values in self.per_class.items()},
            "accuracy": self.accuracy,
            "recall": self.recall,
            "gate": self.gate,
            "n_train": self.n_train,
            "n_test": self.n_test,
            "provenance": self.provenance,
        }

    def figure(self) -> Figure:
        """The bar chart, for print; see `napari_channelmix.dcmix.chart`."""
        from napari_channelmix.dcmix.chart import importance_figure

        return importance_figure(self)

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
            write_whole(folder / "importance.png",
                        lambda path: figure.savefig(path, dpi=150, format="png")),
            write_whole(folder / "importance.svg", lambda path: figure.savefig(path, format="svg")),
        )  # fmt: skip

    @classmethod
    def load(cls, path: str | Path) -> ChannelImportance:
        """Read ``importance.json``.

        Raises
        ------
        DataError
            Not such a file; the line names the key that is wrong.
        """
        stored = read_json(path, ImportanceFile, what="an importance.json",
                           advice="run 'importance' again")  # fmt: skip
        return cls(**{name: getattr(stored, name) for name in type(stored).model_fields
                      if name != "form"})  # fmt: skip


def summarised(
    seeds: Sequence[dict[str, Any]],
    train: Cells,
    test: Cells,
    warnings: Sequence[str],
    provenance: dict[str, Any],
    *,
    calibrated: bool,
) -> ChannelImportance:
    """Put the results of the seeds together: means, spreads, gate, warnings.

    ``calibrated`` says whether p-values may be shown for this kind of data and settings.
    """
    share = np.array([one["share"] for one in seeds])
    accuracy = {
        kind: float(np.mean([one[kind]["balanced"] for one in seeds]))
        for kind in ("mixed", "plain")
    }
    recall = {
        kind: {
            name: _mean([one[kind]["recall"][code] for one in seeds])
            for code, name in enumerate(train.classes)
        }
        for kind in ("mixed", "plain")
    }
    shapley = np.array([one["shapley"] for one in seeds]) if _all(seeds, "shapley") else None
    per_class = {}
    if shapley is not None:
        values = np.array([one["shapley_per_class"] for one in seeds], dtype=np.float64)
        for code, name in enumerate(train.classes):
            if np.isfinite(values[:, code]).all():
                per_class[name] = _floats(values[:, code].mean(axis=0))
    decoys = np.array([one["decoys"] for one in seeds]) if _all(seeds, "decoys") else None
    p_value = None
    if calibrated and decoys is not None and len(seeds) >= ENOUGH_SEEDS:
        beside = np.array([one["decoy_share"] for one in seeds])
        p_value = _floats(holm(decoy_p_values(beside, decoys)))
    said = [*warnings, *(line for one in seeds for line in one["warnings"])]
    if len(seeds) < ENOUGH_SEEDS:
        said.append(
            f"{len(seeds)} {'seed is' if len(seeds) == 1 else 'seeds are'} too few for an error "
            f"bar; use {ENOUGH_SEEDS} or more"
        )
    return ChannelImportance(
        channels=train.channels,
        share=_floats(share.mean(axis=0)),
        share_sd=_floats(_sd(share)),
        shapley=None if shapley is None else _floats(shapley.mean(axis=0)),
        shapley_sd=None if shapley is None else _floats(_sd(shapley)),
        per_class=per_class,
        decoy=None if decoys is None else _floats(decoys.mean(axis=0)),
        p_value=p_value,
        accuracy=accuracy,
        recall=recall,
        gate=_gate(seeds, accuracy, recall),
        seeds=tuple(one["seed"] for one in seeds),
        share_of_seed=tuple(_floats(one) for one in share),
        n_train=len(train),
        n_test=len(test),
        warnings=tuple(dict.fromkeys(said)),
        provenance=provenance,
    )


def _gate(
    seeds: Sequence[dict[str, Any]],
    accuracy: dict[str, float],
    recall: dict[str, dict[str, float | None]],
) -> str:
    """``ok``, or why the shares must not be read.

    Our definition. Both networks at chance: there was nothing to learn. The mixed one at chance, or
    more than 0.05 below the plain one: a blended image does not hold what the classifier uses. At
    chance is less than two standard errors, or less than 0.05, above it.
    """
    chance = float(np.mean([one["plain"]["chance"] for one in seeds]))
    at_chance = {}
    for kind, value in accuracy.items():
        error = float(np.mean([one[kind]["error"] for one in seeds]))
        at_chance[kind] = value - chance < max(GATE, 2 * error)
    figures = f"mixed {accuracy['mixed']:.2f}, plain {accuracy['plain']:.2f}, chance {chance:.2f}"
    if all(at_chance.values()):
        return (
            f"accuracy is at chance ({figures}): these channels do not tell the classes apart, "
            "so nothing can be read from the shares"
        )
    if at_chance["mixed"]:
        return (
            f"the mixed network is at chance ({figures}): one blended image does not hold what "
            "the plain network uses; read the Shapley values, not the shares"
        )
    if accuracy["mixed"] < accuracy["plain"] - GATE:
        losses = {
            name: (recall["plain"][name] or 0.0) - (mixed or 0.0)
            for name, mixed in recall["mixed"].items()
        }
        worst = sorted((n for n in losses if losses[n] > GATE), key=lambda n: -losses[n])
        which = ", ".join(f"{name} -{losses[name]:.2f}" for name in worst)
        return (
            f"mixing to one image costs accuracy (mixed {accuracy['mixed']:.2f}, plain "
            f"{accuracy['plain']:.2f}{'; recall lost: ' + which if which else ''}): "
            "read the shares beside the Shapley values, not alone"
        )
    return "ok"


def _all(seeds: Sequence[dict[str, Any]], name: str) -> bool:
    return all(one[name] is not None for one in seeds)


def _mean(values: Sequence[float | None]) -> float | None:
    """Mean over the seeds; None for a class that does not occur among the held-out cells."""
    there = [value for value in values if value is not None]
    return float(np.mean(there)) if there else None


def _sd(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    if len(values) < 2:
        return np.zeros(values.shape[1])
    deviations: npt.NDArray[np.float64] = values.std(axis=0, ddof=1)
    return deviations


def _floats(values: npt.ArrayLike) -> tuple[float, ...]:
    return tuple(float(value) for value in np.asarray(values))
