"""What classifiers and their measures show of themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_channelmix.result_display import Bar, Bars, Summary
from napari_channelmix.wording import chance_shown, counted, listed

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.classify.accuracy import AccuracyEstimate

__all__ = ["classifier_summary", "evaluation_summary", "recall_frame", "shift_summary"]

# Classes that are named.
CLASSES = 8


def classifier_summary(model: Any) -> Summary:
    """Of a `Classifier`: what it takes and gives, and its accuracy on held-out cells."""
    estimate = model.accuracy
    facts = [
        f"network {model.spec.name}",
        f"channels: {', '.join(model.channels)}",
        f"classes: {listed(model.classes, CLASSES)}",
        f"crops of {model.crop} pixels",
    ]
    if model.scaling:
        facts.append(f"pixels {model.scaling.text}")
    lines = [model.calibration_text]
    if estimate is None:
        return Summary(
            "Classifier",
            facts,
            ("accuracy not measured: use evaluate() on cells that it was not trained on",),
            lines,
        )
    facts.append(_accuracy_fact(estimate))
    warnings = (estimate.warning,) if estimate.warning else ()
    return Summary("Classifier", facts, warnings, lines, _recall_bars(estimate))


def evaluation_summary(result: Any) -> Summary:
    """Of an `Evaluation`: balanced accuracy and the recall of each class."""
    estimate = result.estimate
    warnings = [estimate.warning] if estimate.warning else []
    warnings += [line for line in result.warnings if line not in warnings]
    facts = (result.name, _accuracy_fact(estimate), f"chance {chance_shown(estimate.chance)}")
    lines = [f"mean confidence {result.confidence:.3f}", *result.probability_lines]
    return Summary("Evaluation", facts, warnings, lines, _recall_bars(estimate))


def shift_summary(shift: Any) -> Summary:
    """Of a `DataShift`: how the cells differ, and a row for each channel."""
    facts = [f"n = {shift.n:,} cells", f"{len(shift.strange):,} unlike those of training"]
    if shift.accuracy is not None and shift.accuracy_interval is not None:
        low, high = shift.accuracy_interval
        facts.append(f"balanced accuracy {shift.accuracy:.3f} ({low:.2f} to {high:.2f})")
    lines = (shift.limits,) if shift.limits else ()
    if not shift.warnings and shift.per_channel:
        lines = ("no difference from the cells of training was found", *lines)
    bars = Bars(
        [
            Bar(
                row.channel,
                row.distance,
                None,
                None,
                row.limit,
                f"{row.figure}: mean {row.mean:.4g}, in training {row.training_mean:.4g}",
                row.distance > row.limit,
            )
            for row in shift.per_channel
        ],
        "distance from training, in ordinary differences of groups; grey: below the limit",
        reference="limit",
    )
    return Summary("Data shift", facts, shift.warnings, lines, bars)


def recall_frame(estimate: AccuracyEstimate | None, classes: tuple[str, ...]) -> pd.DataFrame:
    """A row per class: ``class_name``, ``recall``, ``low``, ``high``, ``n_cells``, ``n_groups``.

    Classes that were not measured have NaN and 0.
    """
    import pandas as pd

    rows = {} if estimate is None else {row.name: row for row in estimate.per_class}
    names = ("recall", "low", "high", "n_cells", "n_groups")
    empty = dict(zip(names, (float("nan"),) * 3 + (0, 0), strict=True))
    return pd.DataFrame(
        [
            {
                "class_name": name,
                **(
                    empty
                    if name not in rows
                    else {
                        column: empty[column] if value is None else value
                        for column in names
                        for value in [getattr(rows[name], column)]
                    }
                ),
            }
            for name in classes
        ],
        columns=["class_name", *names],
    )


def _recall_bars(estimate: AccuracyEstimate) -> Bars:
    total = Bar(
        "balanced accuracy",
        estimate.balanced,
        estimate.low,
        estimate.high,
        estimate.chance,
        f"{estimate.n_cells:,} cells, {counted(estimate.n_groups, 'group')}",
        not estimate.at_chance,
    )
    rows = [
        Bar(
            row.name,
            row.recall,
            row.low,
            row.high,
            None,
            f"{row.n_cells:,} cells, {counted(row.n_groups, 'group')}",
        )
        for row in estimate.per_class
    ]
    interval = f"{100 * estimate.level:g} % interval over groups"
    return Bars([total, *rows], "recall", interval, "chance")


def _accuracy_fact(estimate: AccuracyEstimate) -> str:
    return (
        f"balanced accuracy {estimate.balanced:.3f} ({estimate.low:.2f} to {estimate.high:.2f}; "
        f"{estimate.n_cells:,} cells, {counted(estimate.n_groups, 'group')})"
    )
