"""What would change the classifier's mind: edits, exchanged parts, channels of this classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.report.pictures import data_uri, svg_of
from napari_channelmix.report.what_if_figure import what_if_figure
from napari_channelmix.whatif.class_table import SAMPLED, wants_matrix
from napari_channelmix.wording import counted, sentences

if TYPE_CHECKING:
    from napari_channelmix.report.findings import Findings
    from napari_channelmix.whatif.channel_shapley_result import ChannelRow

__all__ = ["model_channels_section", "transplants_section", "what_if_section"]

# Rows of a table at most, and sentences.
ROWS, LINES = 20, 40


def what_if_section(findings: Findings) -> dict[str, Any] | None:
    """The matrix and the curves, and what moves the decision most."""
    result = findings.what_if
    if result is None:
        return None
    rows = []
    order = result.flips.sort_values("difference", ascending=False, kind="stable")
    edited = order[order["family"] != "sham"]
    for row in edited.head(ROWS).itertuples():
        figures = [
            row.from_class,
            row.to_class or "-",
            _share(row.share, row.low, row.high),
            _share(row.sham, row.sham_low, row.sham_high),
            str(row.n),
            row.scope,
        ]
        rows.append((row.axis, figures, bool(row.above_sham)))
    kind = counted(result.groups, result.group_kind)
    return {
        "subject": f"{counted(result.n, 'cell')} of {kind} were edited, and asked about again. "
        "Grey rows are not above their sham.",
        "chart": data_uri("image/svg+xml", svg_of(what_if_figure(result))),
        "lines": sentences(result.lines[:LINES]),
        "head": ["axis", "predicted", "becomes", "flip", "sham", "n", "edited"],
        "rows": rows,
        "more": max(0, len(edited) - ROWS),
        "warnings": result.warnings,
    }


def transplants_section(findings: Findings) -> dict[str, Any] | None:
    """Which part of a cell of another class changes the prediction."""
    result = findings.transplants
    if result is None:
        return None
    table = result.by_part.sort_values("share", ascending=False, kind="stable")
    rows = [
        (
            row.part,
            [
                _share(row.share, row.low, row.high),
                _share(row.sham, row.sham_low, row.sham_high),
                str(row.n),
                str(row.n_groups),
                f"{row.alignment:.2f}",
            ],
            bool(row.above_sham),
        )
        for row in table.head(ROWS).itertuples()
    ]
    return {
        "lines": sentences(result.lines),
        "head": ["part", "prediction changes", "sham", "n", "groups", "overlap"],
        "rows": rows,
        "warnings": result.warnings,
    }


def model_channels_section(findings: Findings) -> dict[str, Any] | None:
    """How important each channel is for the classifier in hand."""
    result = findings.channel_shapley
    if result is None:
        return None
    rows = [
        (
            row.channel,
            [
                _value(row, exact=result.exact),
                _share(row.swap, row.swap_low, row.swap_high),
                _share(row.sham, row.sham_low, row.sham_high),
                str(row.n),
                str(row.n_groups),
            ],
            row.low > 0,
        )
        for row in sorted(result.of_class(), key=lambda row: -row.value)
    ]
    value = "Shapley value" if result.exact else f"Shapley value ({SAMPLED})"
    # Beside the matrix the sentences of the classes stand already.
    matrix = wants_matrix(len(result.channels), len(result.classes))
    told = set(result.sentences) if matrix else set()
    return {
        "lines": sentences([line for line in result.lines if line not in told]),
        "head": ["channel", value, "channel swap", "sham", "n", "groups"],
        "rows": rows,
        "warnings": result.warnings,
    }


def _value(row: ChannelRow, *, exact: bool) -> str:
    """A Shapley value with its sampling error, where it has one, and its interval."""
    error = "" if exact else f" ± {row.sampling_error:.3f}"
    return f"{row.value:+.3f}{error} ({row.low:+.3f} to {row.high:+.3f})"


def _share(value: Any, low: Any, high: Any) -> str:
    """A share in per cent, with its interval where there is one."""
    if not np.isfinite(value):
        return "-"
    text = f"{100 * value:.0f} %"
    known = np.isfinite(low) and np.isfinite(high)
    return f"{text} ({100 * low:.0f} to {100 * high:.0f})" if known else text
