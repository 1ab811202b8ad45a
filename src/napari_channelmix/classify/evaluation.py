"""How well a classifier does on cells whose classes are known."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.classify.accuracy import AccuracyEstimate, estimate_accuracy
from napari_channelmix.classify.calibration_metrics import calibration_of
from napari_channelmix.classify.class_precision import precision_warnings
from napari_channelmix.classify.intervals import FEW_GROUPS
from napari_channelmix.classify.model_hash import model_hash
from napari_channelmix.classify.plausibility import class_order_line, plausibility_job
from napari_channelmix.data.required_cells import refuse_no_cells
from napari_channelmix.data.values import same_class
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, drain, part
from napari_channelmix.phenotypes.confusion import (
    Confusion,
    class_places,
    confusion_of,
    matching,
)
from napari_channelmix.phenotypes.held_out import UNKNOWN, YES, held_out_of
from napari_channelmix.provenance import provenance
from napari_channelmix.settings import EvaluationSettings, as_dict, merged, takes_settings
from napari_channelmix.shown_result import ShownResult
from napari_channelmix.wording import chance_shown, counted, listed, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy.typing as npt
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from napari_channelmix.classify.calibration import Calibration
    from napari_channelmix.classify.classifier import Classifier
    from napari_channelmix.classify.foreign import ForeignClassifier
    from napari_channelmix.classify.predictor import Called
    from napari_channelmix.classify.priors import Prior
    from napari_channelmix.classify.shift import DataShift
    from napari_channelmix.data import Cells
    from napari_channelmix.progress_bar import ShowProgress
    from napari_channelmix.result_display import Summary

__all__ = ["SCHEMA", "Evaluation", "evaluate", "evaluate_job"]

SCHEMA = "napari-channelmix/evaluation/1"

# Accuracy lost without a difference in the pixels that is worth a line.
LOST = 0.1
# With fewer cells, or fewer of the second class, to be at chance says nothing.
LEAST, LEAST_OF_A_CLASS = 20, 5


@dataclass(frozen=True, repr=False)
class Evaluation(ShownResult):
    """A classifier measured on cells with classes.

    Attributes
    ----------
    name : str
        Of the data set.
    estimate : AccuracyEstimate
        On the cells with a class that the classifier knows, with intervals over their groups. It,
        ``confusion`` and ``confidence`` are of predictions with the balanced prior, in which
        classes weigh alike.
    confusion : Confusion
        Rows are the classes the cells were given.
    confidence : float
        Mean probability of the called class.
    unlabelled : int
        Cells without a class.
    trained_on : int or None
        Cells with a class that the classifier was trained on; None where that is not known. They
        are left out of all figures where others are there, unless all were asked for.
    unknown : dict of str to int
        Cells of classes that the classifier does not know.
    shift : DataShift
        How the cells differ from those of training.
    warnings : tuple of str
    provenance : dict
    prior : Prior or None
        With which prior probabilities are shown.
    calibration : Calibration or None
        Whether these agree with the classes of the cells; None for a model of independent labels.
    calibrated : str
        Whether the classifier was calibrated, in words; empty for a model made elsewhere.

    Examples
    --------
    >>> evaluation = cm.evaluate(rule, cells)
    >>> evaluation.accuracy, evaluation.n, evaluation.groups
    (1.0, 40, 10)
    """

    name: str
    estimate: AccuracyEstimate
    confusion: Confusion = field(repr=False)
    confidence: float
    unlabelled: int
    unknown: Mapping[str, int]
    shift: DataShift = field(repr=False)
    warnings: tuple[str, ...]
    provenance: dict[str, Any] = field(repr=False, compare=False)
    prior: Prior | None = None
    calibration: Calibration | None = field(default=None, repr=False)
    calibrated: str = ""
    trained_on: int | None = None

    @property
    def probability_lines(self) -> tuple[str, ...]:
        """Prior, calibration and what it was measured on, a line each."""
        lines = [] if self.prior is None else [f"probabilities: {self.prior.text()}"]
        lines += [self.calibrated] if self.calibrated else []
        lines += [] if self.calibration is None else [f"on these cells: {self.calibration.text()}"]
        return tuple(lines)

    @property
    def n(self) -> int:
        """Cells with a class that the classifier knows."""
        return self.estimate.n_cells

    @property
    def groups(self) -> int:
        """Their groups."""
        return self.estimate.n_groups

    @property
    def accuracy(self) -> float:
        """Balanced: mean recall over the classes that occur."""
        return self.estimate.balanced

    @property
    def interval(self) -> tuple[float, float]:
        """95 %, over groups; see `classify.intervals`."""
        return self.estimate.low, self.estimate.high

    @property
    def chance(self) -> float:
        """Balanced accuracy of a guess."""
        return self.estimate.chance

    @property
    def recall(self) -> dict[str, float | None]:
        """By class of the classifier; None for one that does not occur."""
        return self.estimate.recall

    @property
    def counts(self) -> dict[str, int]:
        """Cells given each class of the classifier."""
        return {row.name: row.n_cells for row in self.estimate.per_class}

    @property
    def words(self) -> str:
        """Accuracy, interval, what it was measured on, and the mean confidence, in a line."""
        estimate = self.estimate
        return (
            f"balanced accuracy {estimate.balanced:.3f} ({estimate.interval_text}, chance "
            f"{chance_shown(estimate.chance)}; {estimate.measured_on(held_out=False)}); mean "
            f"confidence {self.confidence:.3f}"
        )

    def summary(self) -> Summary:
        """What is shown of it in a notebook."""
        from napari_channelmix.classify.result_summaries import evaluation_summary

        return evaluation_summary(self)

    def to_frame(self) -> pd.DataFrame:
        """A row per class: ``class_name``, ``recall``, ``low``, ``high``, ``n_cells``, groups."""
        from napari_channelmix.classify.result_summaries import recall_frame

        return recall_frame(self.estimate, tuple(row.name for row in self.estimate.per_class))

    def plot(self, ax: Axes | None = None) -> Figure:
        """The confusion matrix: labels against predictions, in cells.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; default: a figure of its own.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from napari_channelmix.charts import matrix_figure

        summary = self.summary()
        counts, title = self.confusion.counts, "; ".join([summary.title, *summary.facts])
        names = self.confusion.rows, self.confusion.columns
        return matrix_figure(counts, *names, title, summary.warnings, ax)

    def save(self, folder: str | Path) -> tuple[Path, ...]:
        """Write ``evaluation.json``, ``evaluation.csv`` and ``evaluation.png`` into a folder.

        Raises
        ------
        SaveError
            Disk full, folder read-only and the like.
        """
        from napari_channelmix.data.result_files import save_result

        return save_result(folder, "evaluation", self.as_dict(), self.to_frame(), self.plot())

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
            "estimate": self.estimate.as_dict(),
            "confusion": {
                "rows": list(self.confusion.rows),
                "columns": list(self.confusion.columns),
                "counts": self.confusion.counts.tolist(),
            },
            "confidence": self.confidence,
            "unlabelled": self.unlabelled,
            "trained_on": self.trained_on,
            "unknown": dict(self.unknown),
            "data_shift": self.shift.as_dict(),
            "prior": None if self.prior is None else self.prior.as_dict(),
            "calibration": None if self.calibration is None else self.calibration.as_dict(),
            "calibrated": self.calibrated,
            "warnings": list(self.warnings),
            "provenance": self.provenance,
        }


@takes_settings(EvaluationSettings)
def evaluate(
    model: Classifier | ForeignClassifier,
    cells: Cells,
    *,
    settings: EvaluationSettings | None = None,
    progress: ShowProgress = None,
    **options: Any,
) -> Evaluation:
    """Measure a classifier on cells whose classes are known.

    Parameters
    ----------
    model : Classifier or ForeignClassifier
    cells : Cells
        Their classes are matched with those of the model by name; cells without a class, or with
        one that the model does not know, are counted and left out of the accuracy.
    settings : EvaluationSettings, optional
    progress : bool or callable, optional
        True: a bar, also in a notebook; a function: called with each `Progress`.
    **options
        Single settings, such as ``only="all"``; see `EvaluationSettings`.

    Returns
    -------
    Evaluation

    Raises
    ------
    DataError
        No cell has a class, or none that the model knows.
    ModelError
        Channels that are missing, crops of another size than those of training; a setting outside
        its bounds.

    Examples
    --------
    >>> result = cm.evaluate(rule, cells)
    >>> result.to_frame()[["class_name", "recall", "n_cells"]].values.tolist()
    [['low', 1.0, 20], ['high', 1.0, 20]]
    """
    return drain(evaluate_job(model, cells, settings=settings, **options), progress)


def evaluate_job(
    model: Classifier | ForeignClassifier,
    cells: Cells,
    *,
    settings: EvaluationSettings | None = None,
    **options: Any,
) -> Job[Evaluation]:
    """`evaluate` as a job: a step for each batch."""
    chosen = merged(EvaluationSettings, settings, options)
    seed, only = chosen.seed, chosen.only
    refuse_no_cells(cells)
    places = class_places(cells.classes, model.classes)
    labels = matching(cells.labels, cells.classes, model.classes)
    usable = labels >= 0
    counts = cells.class_counts
    unknown = {
        name: counts[name]
        for name, place in zip(cells.classes, places, strict=True)
        if counts[name] and place < 0
    }
    if not (cells.labels >= 0).any():
        raise DataError(
            f"{cells.name}: no cell has a class to evaluate with; name the column of the classes "
            'with label = "..." in the data-set file'
        )
    if not usable.any():
        raise DataError(
            f"{cells.name}: none of the classes {listed(unknown, 5)} is one of the model's "
            f"({listed(model.classes, 5)}); classes are matched by name"
        )
    called = yield from part(model.call_job(cells, prior=chosen.prior), 0, 99, 100)
    marks = called.training[usable]
    trained = None if (marks == UNKNOWN).any() else int((marks == YES).sum())
    held_out = held_out_of(marks, "accuracy is", only)
    # What is known of the training says more than that its cells are not known.
    before = _seen_before(model, cells) if trained is None else ()
    # Of models made elsewhere it is said anyway that nothing is known of their training.
    elsewhere = not hasattr(model, "network")
    usable[usable] = held_out.chosen
    codes = called.balanced.argmax(axis=1)
    estimate = estimate_accuracy(labels[usable], codes[usable], cells.groups[usable], model.classes)
    order = class_order_line(labels[usable], codes[usable], model.classes)
    job = plausibility_job(model, cells, seed=seed, channels_only=True)
    warnings = (
        *(before or ((held_out.line,) if held_out.line and not elsewhere else ())),
        *((order,) if order else _against_chance(estimate)),
        *(yield from part(job, 99, 1, 100)),
        *precision_warnings(
            labels[usable],
            codes[usable],
            called.probabilities[usable].argmax(axis=1),
            cells.groups[usable],
            model.classes,
            called.prior,
        ),
        *_warnings(model, cells, estimate, unknown, called),
    )
    return Evaluation(
        name=cells.name,
        estimate=estimate,
        confusion=confusion_of(
            np.where(usable | (labels < 0), cells.labels, -1), cells.classes, codes, model.classes
        ),
        confidence=float(called.balanced[usable].max(axis=1).mean()),
        unlabelled=int((cells.labels < 0).sum()),
        unknown=unknown,
        shift=called.shift,
        warnings=warnings,
        provenance=provenance(
            model=model_hash(model),
            data=cells.fingerprint,
            seed=seed,
            settings={"only": only},
            # How the prior came about is said of it.
            request=as_dict(chosen, ["prior"]),
        ),
        trained_on=trained,
        prior=called.prior,
        calibration=_calibration(model, called, np.where(usable, labels, -1), cells, seed),
        calibrated=getattr(model, "calibration_text", ""),
    )


def _calibration(
    model: Any, called: Called, labels: npt.NDArray[np.int64], cells: Cells, seed: int
) -> Calibration | None:
    """Whether probabilities as they are shown agree with the classes of the cells."""
    reading, labelled = getattr(model, "reading", None), labels >= 0
    if reading is not None and reading.independent:
        return None
    calibration = calibration_of(
        called.probabilities[labelled],
        labels[labelled],
        cells.groups[labelled],
        model.classes,
        seed=seed,
    )
    # Of the data set of the training, what was held out is what the temperature was fitted on.
    fitted, held_out = (
        getattr(model, "calibration", None),
        getattr(model, "record", {}).get("held_out") or {},
    )
    same = (
        fitted is not None
        and fitted.n_cells == held_out.get("n_test")
        and getattr(model, "provenance", {}).get("cells") == cells.fingerprint
    )
    return replace(
        calibration,
        temperature=getattr(model, "temperature", 1.0),
        prior=called.prior.text(),
        cross_fitted=not same,
    )


def _seen_before(model: Any, cells: Cells) -> tuple[str, ...]:
    """That the cells are those of the training, which were not all held out."""
    if getattr(model, "provenance", {}).get("cells") != cells.fingerprint:
        return ()
    held_out = getattr(model, "record", {}).get("held_out") or {}
    trained, n, accuracy = (held_out.get(key) for key in ("n_train", "n_test", "balanced_accuracy"))
    if not trained or accuracy is None:
        return (
            "the classifier was trained on cells of this data set; it is not known on which, "
            "and this accuracy may be too good",
        )
    return (
        f"the classifier was trained on {trained} of these cells, so this accuracy is too good; on "
        f"the {n} held-out cells it was {accuracy:.3f}",
    )


def _against_chance(estimate: AccuracyEstimate) -> tuple[str, ...]:
    """That a model knows nothing of these classes, or has them the wrong way round."""
    sizes = sorted(row.n_cells for row in estimate.per_class)
    few = estimate.n_cells < LEAST or len(sizes) < 2 or sizes[-2] < LEAST_OF_A_CLASS
    if few or not estimate.chance_text:
        return ()
    reach = f"the model, with balanced accuracy {estimate.balanced:.3f}, is {estimate.chance_text}"
    if estimate.high < estimate.chance:
        return (f"{reach}: are its classes named rightly?",)
    if estimate.n_groups < FEW_GROUPS:
        # The accuracy may be high all the same; of the groups it is said that they are few.
        return (reach,)
    return (f"{reach}: are its classes and channels those of these cells?",)


def _warnings(
    model: Classifier | ForeignClassifier,
    cells: Cells,
    estimate: AccuracyEstimate,
    unknown: Mapping[str, int],
    called: Called,
) -> tuple[str, ...]:
    shift, places = called.shift, class_places(cells.classes, model.classes)
    lines = [*cells.warnings, *called.lines]
    for name, place in zip(cells.classes, places, strict=True):
        if place >= 0 and cells.class_counts[name] and not same_class(name, model.classes[place]):
            lines.append(
                f"class {quoted(name)} of the cells is taken for the model's class "
                f"{quoted(model.classes[place])}"
            )
    if unknown:
        parts = [f"{name} ({counted(count, 'cell')})" for name, count in unknown.items()]
        lines.append(f"classes that the model does not know are left out: {listed(parts, 5)}")
    if estimate.warning:
        lines.append(estimate.warning)
    then = (getattr(model, "record", {}).get("held_out") or {}).get("balanced_accuracy")
    if then is not None and not shift.warnings and estimate.high < then - LOST:
        lines.append(
            "the pixels are like those of training, yet balanced accuracy is "
            f"{estimate.balanced:.3f} "
            f"({then:.3f} on held-out cells at training): are classes, channels or masks meant "
            "in the same way?"
        )
    return tuple(dict.fromkeys(lines))
