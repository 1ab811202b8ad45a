"""The bar chart of channel importance, for print."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.charts import ShownFigure, literal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["BLUE", "ORANGE", "ImportanceBars", "importance_figure"]

# Okabe and Ito's colour-blind-safe blue and vermilion.
BLUE, ORANGE = "#0072B2", "#D55E00"
# Of channels of which nothing is known.
GREY = "#8C8C8C"
# Up to so many channels stand beside each other; of more, so many below each other, each with room
# for letters of 8 points on a page of print.
UPRIGHT, BELOW = 12, 40
WIDTH, ROW = 7.0, 0.17


@dataclass(frozen=True, eq=False)
class ImportanceBars:
    """What the chart shows, channels in the order of the bars.

    Attributes
    ----------
    channels : tuple of C str
    share, share_sd : (C,) arrays
    decoy : (C,) array or None
        Share of each channel's negative control.
    shapley, shapley_sd : (C,) arrays or None
    not_above : tuple of int
        Bars that are not above their negative control.
    readable : bool
        Whether the shares may be read.
    warning : str
        What must be known before the chart is read, or empty.
    title : str
    """

    channels: tuple[str, ...]
    share: npt.NDArray[np.float64]
    share_sd: npt.NDArray[np.float64]
    decoy: npt.NDArray[np.float64] | None
    shapley: npt.NDArray[np.float64] | None
    shapley_sd: npt.NDArray[np.float64] | None
    not_above: tuple[int, ...]
    readable: bool
    warning: str
    title: str


def importance_figure(shown: ImportanceBars) -> Figure:
    """Bars of the shares with their spread, Shapley markers, decoys, and the warning above.

    Bars that are not above their negative control are grey. Of more than 12 channels the first 40
    stand below each other.
    """
    if len(shown.channels) > UPRIGHT:
        return _long_figure(shown)
    names, share, spread, low = shown.channels, shown.share, shown.share_sd, shown.not_above
    figure = ShownFigure(figsize=(max(5.0, 1.6 + 0.8 * len(names)), 4.2), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(names))
    faint = 1.0 if shown.readable else 0.45
    bars = axes.bar(
        places,
        share,
        yerr=spread,
        capsize=4,
        color=BLUE,
        alpha=faint,
        width=0.6,
        label="share of the blended image (sd over repeats)",
    )
    for place in low:
        bars[place].set_color(GREY)
    if low:
        axes.bar([0], [0], color=GREY, label="not above its negative control")
    if shown.decoy is not None:
        # Each channel has its own: a bar is judged by the line across it.
        axes.hlines(
            shown.decoy,
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
    if shown.shapley is not None and shown.shapley_sd is not None:
        right = axes.twinx()
        right.errorbar(
            places,
            shown.shapley,
            yerr=shown.shapley_sd,
            fmt="D",
            color=ORANGE,
            capsize=3,
            label="Shapley value (all-channel network)",
        )
        right.set_ylabel("Shapley value (balanced accuracy)")
        _same_zero(axes, right)
        more, more_labels = right.get_legend_handles_labels()
        handles, labels = handles + more, labels + more_labels
    axes.legend(handles, labels, loc="upper right", fontsize="small")
    title = shown.title
    if shown.warning:
        width = int(13.5 * figure.get_figwidth())
        title = f"{_folded(shown.warning, width)}\n{title}"
    color = ORANGE if shown.warning else "black"
    axes.set_title(title, fontsize="small", loc="left", color=color)
    return figure


def _long_figure(shown: ImportanceBars) -> Figure:
    """Many channels: a row each, the first on top; shares below, Shapley values above."""
    rows = min(len(shown.channels), BELOW)
    names, places = shown.channels[:rows], np.arange(rows)
    share, spread = shown.share[:rows], shown.share_sd[:rows]
    figure = ShownFigure(figsize=(WIDTH, 1.9 + ROW * rows), layout="constrained")
    axes = figure.subplots()
    colors = [GREY if place in shown.not_above else BLUE for place in places.tolist()]
    axes.barh(
        places,
        share,
        xerr=spread,
        capsize=2,
        color=colors,
        alpha=1.0 if shown.readable else 0.45,
        height=0.7,
        label="share of the blended image (sd over repeats)",
        error_kw={"linewidth": 0.8},
    )
    if any(place < rows for place in shown.not_above):
        axes.barh([0], [0], color=GREY, label="not above its negative control")
    if shown.decoy is not None:
        axes.vlines(
            shown.decoy[:rows],
            places - 0.45,
            places + 0.45,
            color="0.4",
            linestyle="--",
            linewidth=1,
            label="its negative control",
        )
    axes.set_yticks(places, [literal(name) for name in names], fontsize=8)
    axes.set_ylim(rows - 0.4, -0.6)
    axes.set_xlim(min(0.0, *(share - spread)), None)
    axes.set_xlabel("share", fontsize=8)
    axes.tick_params(axis="x", labelsize=8)
    handles, labels = axes.get_legend_handles_labels()
    if shown.shapley is not None and shown.shapley_sd is not None:
        above = axes.twiny()
        above.errorbar(
            shown.shapley[:rows],
            places,
            xerr=shown.shapley_sd[:rows],
            fmt="D",
            markersize=4,
            color=ORANGE,
            capsize=2,
            linewidth=0.8,
            label="Shapley value (all-channel network)",
        )
        above.set_xlabel("Shapley value (balanced accuracy)", fontsize=8)
        above.tick_params(axis="x", labelsize=8)
        _same_zero(axes, above, "x")
        more, more_labels = above.get_legend_handles_labels()
        handles, labels = handles + more, labels + more_labels
    axes.legend(handles, labels, loc="lower right", fontsize=8)
    left = len(shown.channels) - rows
    title = f"{shown.title}; the first {rows} of {rows + left} channels" if left else shown.title
    lines = [_folded(shown.warning, 95)] if shown.warning else []
    color = ORANGE if shown.warning else "black"
    text = "\n".join([*lines, _folded(title, 95)])
    figure.suptitle(text, fontsize=9, x=0.01, ha="left", color=color)
    return figure


def _same_zero(first: Any, second: Any, axis: str = "y") -> None:
    """Put the zero of two axes at one place."""
    limits = []
    for axes in (first, second):
        low, high = getattr(axes, f"get_{axis}lim")()
        low = min(low, 0.0)
        # Even where all values lie below zero, some room is left above it.
        limits.append((low, max(high, -0.25 * low)))
    below = max(-low / (high - low) for low, high in limits)
    for axes, (low, high) in zip((first, second), limits, strict=True):
        top = max(high, -low * (1 - below) / below) if below else high
        getattr(axes, f"set_{axis}lim")(-top * below / (1 - below), top)


def _folded(text: str, width: int) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(text, width))
