"""Channels by classes: signed effects on the recall, and mean z-scores beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.matrix_rows import row_order
from napari_channelmix.whatif.class_table import wants_matrix
from napari_channelmix.wording import sentences

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_channelmix.report.findings import Findings
    from napari_channelmix.whatif.channel_means_result import ChannelMeans
    from napari_channelmix.whatif.channel_shapley_result import ChannelShapley

__all__ = ["channel_matrix_section"]

# Rows that are shown in any case, and at most: a page of print, and three.
ROWS, MOST = 40, 120
# Classes up to which both matrices stand side by side.
BESIDE = 8
# The least value with the full colour, of effects and of z-scores; how strong that is, and the
# strongest of what must not be read: letters stay legible on both.
LEAST_EFFECT, LEAST_SCORE, STRONGEST, PALE = 0.1, 1.0, 0.62, 0.12
# Of one bright channel of a rare class all other z-scores would be pale.
BRIGHT = 0.98
MINUS = "\N{MINUS SIGN}"

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


def channel_matrix_section(findings: Findings) -> dict[str, Any] | None:
    """The matrices, where there are more than two classes or eight channels.

    Rows stand by the largest effect that can be read. Channels without such an effect are left out
    where there are many.
    """
    result, means = findings.channel_shapley, findings.channel_means
    if result is None or not wants_matrix(len(result.channels), len(result.classes)):
        return None
    values, readable = result.effects().to_numpy(float), result.readable().to_numpy(bool)
    order = row_order(values, readable)
    read = int(readable.any(axis=1).sum())
    shown = order[: min(MOST, max(ROWS, read))]
    parts = [
        {
            "title": "effect on the recall of the class",
            "classes": result.classes,
            "rows": _fields(values, readable, shown, 2, LEAST_EFFECT),
        }
    ]
    if means is not None and set(result.channels) <= set(means.channels):
        # Groups of channels have no mean of their own.
        of = [means.channels.index(name) for name in result.channels]
        scores = means.matrix().to_numpy(float)[of]
        told = means.readable().to_numpy(bool)[of]
        parts.append(
            {
                "title": "mean z-score",
                "classes": means.classes,
                "rows": _fields(scores, told, shown, 1, LEAST_SCORE, BRIGHT),
            }
        )
    beside = sum(len(part["classes"]) for part in parts) <= 2 * BESIDE
    names = [result.channels[row] for row in shown]
    left = len(order) - len(shown)
    sampled = not result.exact
    return {
        "tables": [(names, parts)] if beside else [(names, [part]) for part in parts],
        "sentences": sentences(result.sentences),
        "linear": () if means is None else sentences(_new_lines(means, result)),
        "left": left,
        "left_read": read > len(shown),
        "sampled": sampled,
        "error": max((row.sampling_error for row in result.rows), default=0.0) if sampled else 0.0,
        "scores": len(parts) > 1,
    }


def _new_lines(means: ChannelMeans, result: ChannelShapley) -> list[str]:
    """What the means say that the channels of the classifier do not say as well."""
    return [line for line in (*means.lines, *means.warnings) if line not in result.lines]


def _fields(
    values: FloatArray,
    readable: BoolArray,
    shown: Sequence[int],
    digits: int,
    least: float,
    most: float = 1.0,
) -> list[list[tuple[str, str, float]]]:
    """Of each row that is shown its fields: figure, sign as a name, strength of the colour.

    ``most``: the quantile of the absolute values that has the full colour.
    """
    known = np.abs(values[np.isfinite(values)])
    limit = max(least, float(np.quantile(known, most)) if known.size else 0.0)
    return [
        [
            _field(float(value), bool(told), digits, limit)
            for value, told in zip(values[row], readable[row], strict=True)
        ]
        for row in shown
    ]


def _field(value: float, told: bool, digits: int, limit: float) -> tuple[str, str, float]:
    if not np.isfinite(value):
        return "", "none", 0.0
    share = min(1.0, abs(value) / limit)
    sign = "over" if value > 0 else "under"
    if not told:
        return "", sign, round(PALE * share, 3)
    text = f"{abs(value):.{digits}f}"
    text = text[1:] if text.startswith("0.") else text
    mark = "+" if value > 0 else MINUS
    return f"{mark}{text}", sign, round(STRONGEST * (0.2 + 0.8 * share), 3)
