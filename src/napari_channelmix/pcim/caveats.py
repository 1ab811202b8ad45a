"""What to mind beside a faithful map: close predictions, and what limits the classifier.

A map may show truly what a classifier needs for a prediction that is close to undecided, or what a
classifier of a handful of cells has learnt. That does not speak against the map (`pcim.doubts`
does), but against reading the class from it; so it stands beside the words about the map.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.classifier import Classifier
from napari_channelmix.classify.outputs import Reading
from napari_channelmix.classify.sampling import classifier_limits
from napari_channelmix.pcim.flatness import named_cells
from napari_channelmix.phenotypes.label_quality import margin
from napari_channelmix.wording import counted, sentences

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_channelmix.pcim.attribution import Attribution

__all__ = [
    "CLOSE",
    "attribution_caveats",
    "call_caveats",
    "caveat_lines",
    "close_calls",
    "model_limits",
    "sentences",
]

BoolArray = npt.NDArray[np.bool_]

# A prediction is close where its class lies less than this ahead of the next: of two, below 60 %.
# Our choice: where probabilities are calibrated, two in five such predictions are wrong.
CLOSE = 0.2


def close_calls(
    probabilities: npt.ArrayLike, target: npt.ArrayLike, *, independent: bool = False
) -> BoolArray:
    """Which calls (N,) are close to undecided.

    The most probable class lies less than 0.2 ahead of the next one; for independent labels, the
    probability of the explained one is less than 0.1 from a half. Our definition.

    Parameters
    ----------
    probabilities : (N, K) array
        As they are shown.
    target : (N,) int array
        Classes that are explained.
    independent : bool
        Whether several classes may be true of a cell.
    """
    values = np.asarray(probabilities, dtype=np.float64)
    if independent:
        own = values[np.arange(len(values)), np.asarray(target, np.int64)]
        return np.asarray(np.abs(own - 0.5) < CLOSE / 2)
    return np.asarray(margin(values) < CLOSE)


def call_caveats(
    model: Any,
    classes: Sequence[str],
    probabilities: npt.ArrayLike,
    target: npt.ArrayLike,
    output: str = "",
) -> tuple[tuple[str, ...], ...]:
    """What to mind beside the map of each cell, without capital and full stop; our definition.

    That its call is close, and what limits the classifier; see `close_calls` and
    `classify.sampling.classifier_limits`.

    Parameters
    ----------
    model : Classifier, ForeignClassifier or any other model
    classes : sequence of K str
    probabilities : (N, K) array
    target : (N,) int array
    output : str
        What the numbers of the model mean, as `Attribution.output` has it. Where it is empty,
        several classes may be true of a cell only if the model itself says so.
    """
    values, independent = np.asarray(probabilities, np.float64), _is_independent(model, output)
    close = close_calls(values, target, independent=independent)
    limits = model_limits(model)
    return tuple(
        ((_call_text(classes, row, of, independent=independent),) if uncertain else ()) + limits
        for row, of, uncertain in zip(
            values, np.asarray(target, np.int64).tolist(), close.tolist(), strict=True
        )
    )


def caveat_lines(
    model: Any,
    classes: Sequence[str],
    probabilities: npt.ArrayLike,
    target: npt.ArrayLike,
    names: Callable[[int], object],
    output: str = "",
) -> tuple[str, ...]:
    """The same of all cells together, for warnings.

    ``names`` gives what a cell is called, by its place among them.
    """
    values = np.asarray(probabilities, np.float64)
    independent = _is_independent(model, output)
    close = np.flatnonzero(close_calls(values, target, independent=independent))
    limits = model_limits(model)
    if not len(close):
        return limits
    if len(values) == 1:
        return tuple(call_caveats(model, classes, values, target, output)[0])
    called = named_cells([names(int(row)) for row in close])
    what = (
        f"close to undecided (less than {50 * CLOSE:.0f} % from a half"
        if independent
        else f"close to undecided (less than {100 * CLOSE:.0f} % between the two most "
        "probable classes"
    )
    return (
        f"{len(close):,} of {counted(len(values), 'prediction')} "
        f"{'is' if len(close) == 1 else 'are'} {what}; {called}): "
        "a map may be faithful and say nothing of the class",
        *limits,
    )


def model_limits(model: Any) -> tuple[str, ...]:
    """What limits a classifier of ours; nothing is known of any other model."""
    return classifier_limits(model) if isinstance(model, Classifier) else ()


def attribution_caveats(attribution: Attribution) -> tuple[tuple[str, ...], ...]:
    """`call_caveats` of an attribution."""
    return call_caveats(
        attribution.source.model,
        attribution.classes,
        attribution.probabilities,
        attribution.target,
        attribution.output,
    )


def _is_independent(model: Any, output: str) -> bool:
    """Whether several classes may be true of a cell."""
    if output:
        return Reading.text_is_independent(output)
    return bool(getattr(getattr(model, "reading", None), "independent", False))


def _call_text(
    classes: Sequence[str], row: npt.NDArray[np.float64], target: int, *, independent: bool
) -> str:
    if independent:
        return f"the prediction is close to undecided: {classes[target]} {100 * row[target]:.1f} %"
    first, second = np.argsort(-row, kind="stable")[:2].tolist()
    return (
        "the prediction is close to undecided: "
        f"{classes[first]} {100 * row[first]:.1f} %, {classes[second]} {100 * row[second]:.1f} %"
    )
