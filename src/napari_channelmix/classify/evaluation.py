"""How well a classifier does on cells whose classes are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.classify.identity import model_hash
from napari_channelmix.classify.intervals import FEW_GROUPS, accuracy_interval
from napari_channelmix.classify.metrics import accuracy_of
from napari_channelmix.classify.plausibility import class_order_line, plausibility_job
from napari_channelmix.data.values import same_class
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, drain, part
from napari_channelmix.phenotypes.confusion import (
    Confusion,
    class_places,
    confusion_of,
    matching,
)
from napari_channelmix.provenance import provenance
from napari_channelmix.wording import counted, listed, quoted

if TYPE_CHECKING:
    from napari_channelmix.classify.classifier import Called, Classifier
    from napari_channelmix.classify.foreign import ForeignClassifier
    from napari_channelmix.classify.shift import DataShift
    from napari_channelmix.data import Cells

__all__ = ["SCHEMA", "Evaluation", "evaluate", "evaluate_job"]

SCHEMA = "napari-channelmix/evaluation/1"

# Accuracy lost without a difference in the pixels that is worth a line.
LOST = 0.1
# With fewer cells, or fewer of the second class, to be at chance says nothing.
LEAST, LEAST_OF_A_CLASS = 20, 5


@dataclass(frozen=True)
class Evaluation:
    """A classifier measured on cells with classes.

    Attributes
    ----------
    name : str
        Of the data set.
    n, groups : int
        Cells with a class that the classifier knows, and their groups.
    accuracy : float
        Balanced: mean recall over the classes that occur.
    interval : (float, float)
        95 %, from whole groups; see `classify.intervals`.
    chance : float
    recall : dict of str to float or None
        By class; None for one that does not occur.
    counts : dict of str to int
        Cells given each class of the classifier.
    confusion : Confusion
        Rows are the classes the cells were given.
    confidence : float
        Mean probability of the called class.
    unlabelled : int
        Cells without a class.
    unknown : dict of str to int
        Cells of classes that the classifier does not know.
    shift : DataShift
        How the cells differ from those of training.
    warnings : tuple of str
    provenance : dict
    """

    name: str
    n: int
    groups: int
    accuracy: float
    interval: tuple[float, float]
    chance: float
    recall: Mapping[str, float | None]
    counts: Mapping[str, int]
    confusion: Confusion = field(repr=False)
    confidence: float
    unlabelled: int
    unknown: Mapping[str, int]
    shift: DataShift = field(repr=False)
    warnings: tuple[str, ...]
    provenance: dict[str, Any] = field(repr=False, compare=False)

    @property
    def words(self) -> str:
        """Accuracy, interval and what it was measured on, in a sentence."""
        low, high = self.interval
        return (
            f"balanced accuracy {self.accuracy:.3f} (95 % interval {low:.3f} to {high:.3f}, "
            f"chance {self.chance:.2f}) on {self.n} cells of {self.groups} groups; mean "
            f"confidence {self.confidence:.3f}"
        )

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "schema": SCHEMA,
            "data": self.name,
            "n": self.n,
            "groups": self.groups,
            "accuracy": self.accuracy,
            "interval": list(self.interval),
            "chance": self.chance,
            "recall": dict(self.recall),
            "counts": dict(self.counts),
            "confusion": {
                "rows": list(self.confusion.rows),
                "columns": list(self.confusion.columns),
                "counts": self.confusion.counts.tolist(),
            },
            "confidence": self.confidence,
            "unlabelled": self.unlabelled,
            "unknown": dict(self.unknown),
            "data_shift": self.shift.as_dict(),
            "warnings": list(self.warnings),
            "provenance": self.provenance,
        }


def evaluate(model: Classifier | ForeignClassifier, cells: Cells, *, seed: int = 0) -> Evaluation:
    """Measure a classifier on cells whose classes are known.

    Parameters
    ----------
    model : Classifier or ForeignClassifier
    cells : Cells
        Their classes are matched with those of the model by name; cells without a class, or with
        one that the model does not know, are counted and left out of the accuracy.
    seed : int
        Of the interval.

    Returns
    -------
    Evaluation

    Raises
    ------
    DataError
        No cell has a class, or none that the model knows.
    ModelError
        Channels that are missing, crops of another size than those of training.
    """
    return drain(evaluate_job(model, cells, seed=seed))


def evaluate_job(
    model: Classifier | ForeignClassifier, cells: Cells, *, seed: int = 0
) -> Job[Evaluation]:
    """`evaluate` as a job: a step for each batch."""
    places = class_places(cells.classes, model.classes)
    labels = matching(cells.labels, cells.classes, model.classes)
    given = labels >= 0
    counts = cells.class_counts
    unknown = {name: counts[name] for name, place in zip(cells.classes, places, strict=True)
               if counts[name] and place < 0}  # fmt: skip
    if not (cells.labels >= 0).any():
        raise DataError(
            f"{cells.name}: no cell has a class to evaluate with; name the column of the classes "
            'with label = "..." in the data-set file'
        )
    if not given.any():
        raise DataError(
            f"{cells.name}: none of the classes {listed(unknown, 5)} is one of the model's "
            f"({listed(model.classes, 5)}); classes are matched by name"
        )
    called = yield from part(model.call_job(cells), 0, 99, 100)
    codes = called.probabilities.argmax(axis=1)
    count, groups = len(model.classes), cells.groups[given]
    found = accuracy_of(labels[given], codes[given], count)
    interval = accuracy_interval(labels[given], codes[given], groups, count)
    whole = len(np.unique(groups))
    sizes = np.sort(np.bincount(labels[given], minlength=count))
    enough = given.sum() >= LEAST and sizes[-2:].min() >= LEAST_OF_A_CLASS and count > 1
    order = class_order_line(labels[given], codes[given], model.classes)
    at_chance = _at_chance(found.balanced, interval, found.chance) if enough else ()
    job = plausibility_job(model, cells, seed=seed, channels_only=True)
    warnings = (
        *_seen_before(model, cells),
        *((order,) if order else at_chance),
        *(yield from part(job, 99, 1, 100)),
        *_warnings(model, cells, found.balanced, interval[1], whole, unknown, called),
    )
    return Evaluation(
        name=cells.name,
        n=int(given.sum()),
        groups=whole,
        accuracy=found.balanced,
        interval=interval,
        chance=found.chance,
        recall=dict(zip(model.classes, found.as_dict()["recall"], strict=True)),
        counts={
            name: int(total)
            for name, total in zip(
                model.classes, np.bincount(labels[given], minlength=count), strict=True
            )
        },
        confusion=confusion_of(cells.labels, cells.classes, codes, model.classes),
        confidence=float(called.probabilities[given].max(axis=1).mean()),
        unlabelled=int((cells.labels < 0).sum()),
        unknown=unknown,
        shift=called.shift,
        warnings=warnings,
        provenance=provenance(
            model=model_hash(model), data=cells.fingerprint, seed=seed, settings={}
        ),
    )


def _seen_before(model: Any, cells: Cells) -> tuple[str, ...]:
    """That the cells are those of the training, which were not all held out."""
    if getattr(model, "provenance", {}).get("cells") != cells.fingerprint:
        return ()
    held_out = getattr(model, "record", {}).get("held_out") or {}
    trained, n, accuracy = (held_out.get(key) for key in ("n_train", "n_test", "balanced_accuracy"))
    if not trained or accuracy is None:
        return ()
    return (
        f"the classifier was trained on {trained} of these cells, so this accuracy is too good; on "
        f"the {n} held-out cells it was {accuracy:.3f}",
    )


def _at_chance(accuracy: float, interval: tuple[float, float], chance: float) -> tuple[str, ...]:
    """That a model knows nothing of these classes, or has them the wrong way round."""
    reach = f"balanced accuracy {accuracy:.3f}, chance {chance:.2f}"
    if interval[1] < chance:
        return (f"the model does worse than chance ({reach}): are its classes named rightly?",)
    if interval[0] <= chance:
        return (f"the model does no better than chance ({reach}): are its classes and channels "
                "those of these cells?",)  # fmt: skip
    return ()


def _warnings(
    model: Classifier | ForeignClassifier,
    cells: Cells,
    accuracy: float,
    highest: float,
    groups: int,
    unknown: Mapping[str, int],
    called: Called,
) -> tuple[str, ...]:
    shift, places = called.shift, class_places(cells.classes, model.classes)
    lines = [*cells.warnings, *called.lines]
    for name, place in zip(cells.classes, places, strict=True):
        if place >= 0 and cells.class_counts[name] and not same_class(name, model.classes[place]):
            lines.append(f"class {quoted(name)} of the cells is taken for the model's class "
                         f"{quoted(model.classes[place])}")  # fmt: skip
    if unknown:
        parts = [f"{name} ({counted(count, 'cell')})" for name, count in unknown.items()]
        lines.append(f"classes that the model does not know are left out: {listed(parts, 5)}")
    there = {place for name, place in zip(cells.classes, places, strict=True)
             if cells.class_counts[name]}  # fmt: skip
    absent = [name for at, name in enumerate(model.classes) if at not in there]
    if absent:
        lines.append(f"no cell has the class {listed(absent, 5)}: nothing is known of it here")
    if groups < FEW_GROUPS:
        lines.append(f"{groups} group{'s' if groups > 1 else ''} only: the interval says little of "
                     "other wells, slides or days")  # fmt: skip
    elif groups == len(cells) and groups > 1:
        lines.append("no groups are known: the interval takes the cells for independent, and may "
                     "be too narrow (name a group column)")  # fmt: skip
    then = (getattr(model, "record", {}).get("held_out") or {}).get("balanced_accuracy")
    if then is not None and not shift.warnings and highest < then - LOST:
        lines.append(
            f"the pixels are like those of training, yet balanced accuracy is {accuracy:.3f} "
            f"({then:.3f} on held-out cells at training): are classes, channels or masks meant "
            "in the same way?"
        )
    return tuple(dict.fromkeys(lines))
