"""The bar chart of channel importance, for print."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from napari_channelmix.dcmix.result import ChannelImportance

__all__ = ["BLUE", "ORANGE", "importance_figure"]

# Okabe and Ito's colour-blind-safe blue and vermilion.
BLUE, ORANGE = "#0072B2", "#D55E00"
# Of channels of which nothing is known.
GREY = "#8C8C8C"


def importance_figure(importance: ChannelImportance) -> Figure:
    """Bars of the shares with their spread, Shapley markers, decoys, and the gate above.

    In the order of the answer that is reliable; channels that are not above their negative control
    are grey.
    """
    order = list(importance.order)
    names = [importance.channels[i] for i in order]
    share, spread = np.array(importance.share)[order], np.array(importance.share_sd)[order]
    figure = Figure(figsize=(max(5.0, 1.6 + 0.8 * len(names)), 4.2), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(names))
    faint = 1.0 if importance.shares_readable else 0.45
    bars = axes.bar(
        places,
        share,
        yerr=spread,
        capsize=4,
        color=BLUE,
        alpha=faint,
        width=0.6,
        label="share in the mix (sd over repeats)",
    )
    low = _not_above(importance)
    for place in low:
        bars[place].set_color(GREY)
    if low:
        axes.bar([0], [0], color=GREY, label="not above its negative control")
    if importance.decoy is not None:
        # Each channel has its own: a bar is judged by the line across it.
        axes.hlines(
            np.array(importance.decoy)[order],
            places - 0.45,
            places + 0.45,
            color="0.4",
            linestyle="--",
            linewidth=1,
            label="its negative control",
        )
    axes.set_xticks(
        places,
        names,
        rotation=30 if max(map(len, names)) > 6 else 0,
        ha="right" if max(map(len, names)) > 6 else "center",
    )
    for place in low:
        axes.get_xticklabels()[place].set_color(GREY)
    axes.set_ylabel("share")
    axes.set_ylim(min(0.0, *(share - spread)), None)
    handles, labels = axes.get_legend_handles_labels()
    if importance.shapley is not None:
        right = axes.twinx()
        values = np.array(importance.shapley)[order]
        errors = np.array(importance.shapley_sd)[order]
        right.errorbar(
            places,
            values,
            yerr=errors,
            fmt="D",
            color=ORANGE,
            capsize=3,
            label="Shapley value (plain network)",
        )
        right.set_ylabel("Shapley value (balanced accuracy)")
        _same_zero(axes, right)
        more, more_labels = right.get_legend_handles_labels()
        handles, labels = handles + more, labels + more_labels
    axes.legend(handles, labels, loc="upper right", fontsize="small")
    mixed, plain = importance.accuracy["mixed"], importance.accuracy["plain"]
    title = (
        f"balanced accuracy: mixed {mixed:.2f}, plain {plain:.2f}; {len(importance.seeds)} repeats"
    )
    width = int(13.5 * figure.get_figwidth())
    said = ""
    if not importance.shares_readable:
        said = f"Not reliable: {importance.gate}"
    elif importance.caveat:
        said = importance.verdict or importance.caveat
    if said:
        title = f"{_folded(said, width)}\n{title}"
    axes.set_title(title, fontsize="small", loc="left", color=ORANGE if said else "black")
    return figure


def _not_above(importance: ChannelImportance) -> list[int]:
    """Places of the bars that are not above their negative control."""
    above = importance.above_control
    if above is None:
        return []
    return [place for place, channel in enumerate(importance.order) if not above[channel]]


def _same_zero(left, right) -> None:  # type: ignore[no-untyped-def]
    """Put the zero of both axes at one height."""
    limits = []
    for axis in (left, right):
        low = min(axis.get_ylim()[0], 0.0)
        # Even where all values lie below zero, some room is left above it.
        limits.append((low, max(axis.get_ylim()[1], -0.25 * low)))
    below = max(-low / (high - low) for low, high in limits)
    for axis, (low, high) in zip((left, right), limits, strict=True):
        top = max(high, -low * (1 - below) / below) if below else high
        axis.set_ylim(-top * below / (1 - below), top)


def _folded(text: str, width: int) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(text, width))
