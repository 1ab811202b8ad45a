"""Charts of results, drawn with matplotlib; nothing here goes through pyplot."""

from __future__ import annotations

import io
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from napari_channelmix.result_display import BLUE, GREY, RED, Bars, known

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

__all__ = [
    "ShownFigure",
    "bars_figure",
    "contact_sheet",
    "literal",
    "matrix_figure",
    "picture_figure",
    "ranges_figure",
    "signed_matrix_figure",
    "write_counts",
]

# Okabe and Ito's colour-blind-safe colours.
COLORS = (BLUE, "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", "#999999")
# Bars, and letters of a name on a line; classes up to which a matrix has all its numbers, and up to
# which it is drawn wide.
BARS, LETTERS, NUMBERED, WIDE = 40, 40, 15, 12
# Rows of a matrix that have names, spread evenly, and rows of ranges.
NAMED, RANGES = 30, 60
# Cells in a row of a sheet.
ACROSS = 6


class ShownFigure(Figure):
    """A figure that a notebook shows, also where pyplot was never imported."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=100)
        return buffer.getvalue()


def bars_figure(
    bars: Bars, title: str, warnings: Sequence[str] = (), ax: Axes | None = None
) -> Figure:
    """Bars with their intervals and references, the first on top.

    Parameters
    ----------
    bars : Bars
    title : str
    warnings : sequence of str
        The first stands above the chart, with the number of the others.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default: a figure of its own.

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = list(bars.rows[:BARS])
    names = [_name_on_lines(row.name, row.note) for row in rows]
    lines = max((name.count("\n") + 1 for name in names), default=1)
    axes = ax or new_axes(7.2, 1.5 + max(0.32, 0.15 * lines + 0.05) * max(len(rows), 2))
    places = np.arange(len(rows))
    values = np.array([row.value if known(row.value) else np.nan for row in rows], np.float64)
    colors = [BLUE if row.readable else GREY for row in rows]
    axes.barh(places, values, color=colors, height=0.6, alpha=0.75)
    for place, row in zip(places.tolist(), rows, strict=True):
        if known(row.low) and known(row.high):
            axes.hlines(place, row.low, row.high, color="black", linewidth=1.2)
        if known(row.reference):
            ends = place - 0.4, place + 0.4
            axes.vlines(row.reference, *ends, color=COLORS[5], linewidth=2)
    axes.set_yticks(places, names, fontsize="small")
    axes.invert_yaxis()
    axes.axvline(0, color="black", linewidth=0.8)
    interval = f"; line: {bars.interval}" if bars.interval else ""
    reference = f"; orange: {bars.reference}" if bars.reference else ""
    axes.set_xlabel(_folded(f"{bars.unit}{interval}{reference}", 60), fontsize="small")
    more = len(bars.rows) - len(rows)
    title += f"; the first {len(rows)} of {len(bars.rows)} are shown" if more else ""
    _titled(axes, title, warnings, ax is None)
    if not rows:
        axes.text(0.5, 0.5, "nothing was measured", transform=axes.transAxes, ha="center")
    return _figure_of(axes)


def matrix_figure(
    counts: npt.ArrayLike,
    rows: Sequence[str],
    columns: Sequence[str],
    title: str,
    warnings: Sequence[str] = (),
    ax: Axes | None = None,
) -> Figure:
    """Counts (R, C) of labels against predictions; the tint is the share of the row.

    Of more than 30 classes every second, third, ... has its name beside it, and no field its
    count; of more than 15 fields without cells have none.
    """
    table = np.asarray(counts, dtype=np.int64)
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    many = max(table.shape) > WIDE
    # Drawn wider, the letters of many classes would be too small on a page of print.
    side = max(3.4, 1.8 + (0.34 if many else 0.55) * min(max(table.shape), NAMED))
    step = -(-max(table.shape) // NAMED)
    axes = ax or new_axes(side + 1.6, side + 0.4)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    names = [_name(name) for name in columns]
    places = range(0, len(names), step)
    turned = {"rotation": 90} if many else {"rotation": 45, "ha": "right"}
    axes.set_xticks(places, names[::step], fontsize="small", **turned)
    totals = table.sum(axis=1).tolist()
    names = [f"{_name(name)} (n = {total})" for name, total in zip(rows, totals, strict=True)]
    axes.set_yticks(range(0, len(names), step), names[::step], fontsize="small")
    axes.set_xlabel("predicted")
    axes.set_ylabel("label")
    if max(table.shape) <= NAMED:
        size = "x-small" if many else "medium"
        write_counts(axes, table, shares, size, zeros=max(table.shape) <= NUMBERED)
    _titled(axes, title, warnings, ax is None)
    return _figure_of(axes)


def write_counts(
    axes: Axes,
    counts: npt.NDArray[np.int64],
    shares: npt.NDArray[np.float64],
    size: str,
    *,
    zeros: bool,
) -> None:
    """Write counts (R, C) into the fields of a matrix, white where the tint (R, C) is dark."""
    for (row, column), count in np.ndenumerate(counts):
        if count or zeros:
            ink = "white" if shares[row, column] > 0.55 else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=ink, fontsize=size)


def signed_matrix_figure(
    values: npt.ArrayLike,
    readable: npt.ArrayLike,
    rows: Sequence[str],
    columns: Sequence[str],
    unit: str,
    title: str,
    warnings: Sequence[str] = (),
    ax: Axes | None = None,
) -> Figure:
    """Values (R, C) in two colours: orange above 0, blue below, paler the nearer to it.

    What may not be read is paler still and hatched; NaN is grey. Of many rows the first 60 are
    drawn, and that is said.
    """
    from matplotlib.colors import LinearSegmentedColormap, Normalize
    from matplotlib.patches import Rectangle

    table, known_ = np.asarray(values, np.float64), np.asarray(readable, bool)
    if len(rows) > RANGES:
        title += f"; the first {RANGES} of {len(rows)} rows"
        table, known_, rows = table[:RANGES], known_[:RANGES], rows[:RANGES]
    largest = float(np.nanmax(np.abs(table), initial=0.0)) or 1.0
    colors = LinearSegmentedColormap.from_list("signed", [COLORS[0], "white", COLORS[1]])
    scale = Normalize(-largest, largest)
    many = len(columns) > WIDE
    width = 3.4 + (0.22 if many else 0.5) * len(columns)
    longest = max((len(_name(name)) for name in columns), default=0)
    # Names that stand on end take room from the fields.
    height = 1.9 + 0.2 * max(len(rows), 4) + (0.06 * longest if many else 0.0)
    axes = ax or new_axes(width, height)
    painted = colors(scale(np.nan_to_num(table)))
    painted[..., :3] = np.where(known_[..., None], painted[..., :3], 1 - (1 - painted[..., :3]) / 3)
    painted[np.isnan(table)] = (0.8, 0.8, 0.8, 1.0)
    axes.imshow(painted, aspect="auto", interpolation="nearest")
    for row, column in np.argwhere(~known_):
        patch = Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, hatch="//", linewidth=0)
        patch.set_edgecolor("#DDDDDD")
        axes.add_patch(patch)
    turned = {"rotation": 90} if many else {"rotation": 45, "ha": "right"}
    axes.set_xticks(range(len(columns)), [_name(name) for name in columns], fontsize=8, **turned)
    axes.set_yticks(range(len(rows)), [_name(name) for name in rows], fontsize=7)
    axes.set_xlabel(_folded(unit, 60), fontsize="small")
    figure = _figure_of(axes)
    from matplotlib.cm import ScalarMappable

    figure.colorbar(ScalarMappable(scale, colors), ax=axes, shrink=0.6)
    _titled(axes, title, warnings, ax is None)
    return figure


def ranges_figure(
    names: Sequence[str],
    ranges: dict[str, npt.NDArray[np.float64]],
    unit: str,
    title: str,
    warnings: Sequence[str] = (),
    ax: Axes | None = None,
) -> Figure:
    """Points with ranges of several classes beside each other.

    Parameters
    ----------
    names : sequence of R str
        A row each.
    ranges : dict of str to (R, 3) arrays
        Of each class: lower end, middle, upper end.
    unit : str
    title : str
    warnings : sequence of str
    ax : matplotlib.axes.Axes, optional
    """
    classes = len(ranges)
    # As many as have a colour of their own.
    ranges = dict(list(ranges.items())[: len(COLORS)])
    title += f"; the first {len(ranges)} of {classes} classes" if classes > len(ranges) else ""
    title += f"; the first {RANGES} of {len(names)} rows" if len(names) > RANGES else ""
    names = names[:RANGES]
    count = max(len(ranges), 1)
    axes = ax or new_axes(6.4, 1.5 + 0.22 * max(len(names), 2) * (1 + 0.4 * count))
    places = np.arange(len(names))
    for index, (kind, every) in enumerate(ranges.items()):
        ends = every[:RANGES]
        shift = 0.6 * ((index + 0.5) / count - 0.5)
        color = COLORS[index % len(COLORS)]
        axes.hlines(places + shift, ends[:, 0], ends[:, 2], color=color)
        axes.plot(ends[:, 1], places + shift, "o", color=color, label=_name(kind), markersize=4)
    axes.set_yticks(places, [_name(name) for name in names], fontsize="small")
    axes.invert_yaxis()
    axes.set_xlabel(_folded(unit, 80), fontsize="small")
    if ranges:
        axes.legend(fontsize="x-small")
    _titled(axes, title, warnings, ax is None)
    return _figure_of(axes)


def contact_sheet(
    pictures: Sequence[npt.NDArray[Any]], titles: Sequence[str], heading: str
) -> Figure:
    """Pictures (H, W) or (H, W, 3), values 0 to 1, in rows of six."""
    across = min(ACROSS, max(len(pictures), 1))
    rows = max(-(-len(pictures) // across), 1)
    figure = ShownFigure(figsize=(1.5 * across, 0.5 + 1.75 * rows), layout="constrained")
    figure.suptitle(_folded(heading, 22 * across), fontsize="small")
    panels = figure.subplots(rows, across, squeeze=False)
    for panel in panels.flat:
        panel.set_axis_off()
    for panel, picture, title in zip(panels.flat, pictures, titles, strict=False):
        panel.imshow(picture, cmap="gray", vmin=0, vmax=1)
        panel.set_title(_folded(title, 22), fontsize="x-small", loc="left")
    return figure


def picture_figure(
    picture: npt.NDArray[Any], title: str, warnings: Sequence[str] = (), ax: Axes | None = None
) -> Figure:
    """One picture (H, W) or (H, W, 3), values 0 to 1."""
    axes = ax or new_axes(5.5, 5.8 * picture.shape[0] / picture.shape[1] + 0.6)
    axes.imshow(picture, cmap="gray", vmin=0, vmax=1)
    axes.set_axis_off()
    _titled(axes, title, warnings, ax is None)
    return _figure_of(axes)


def new_axes(width: float, height: float) -> Axes:
    """Axes of a figure of their own, in inches."""
    figure = ShownFigure(figsize=(width, height), layout="constrained")
    axes: Axes = figure.subplots()
    return axes


def literal(text: str) -> str:
    """A text that matplotlib draws as it is: a dollar sign would begin a formula."""
    return text.replace("$", r"\$")


def _figure_of(axes: Axes) -> Figure:
    figure = axes.get_figure(root=True)
    assert figure is not None
    return figure


def _titled(axes: Axes, title: str, warnings: Sequence[str], own: bool) -> None:
    """The title and the first warning: above the figure where it is ours, else above the axes."""
    figure = _figure_of(axes)
    width = int(13 * figure.get_figwidth()) if own else 60
    lines = [_folded(title, width)]
    if warnings:
        others = f" (and {len(warnings) - 1} more)" if len(warnings) > 1 else ""
        lines.insert(0, _folded(f"Warning: {warnings[0]}{others}", width))
    text, color = "\n".join(lines), RED if warnings else "black"
    if own:
        figure.suptitle(text, fontsize="small", x=0.01, ha="left", color=color)
    else:
        axes.set_title(text, fontsize="small", loc="left", color=color)


def _name(name: str, note: str = "") -> str:
    cut = literal(textwrap.shorten(name, LETTERS, placeholder="…"))
    return f"{cut}\n{literal(note)}" if note else cut


def _name_on_lines(name: str, note: str = "") -> str:
    """A name on two lines where it is long: what tells it from others may stand at its end."""
    lines = textwrap.wrap(name, LETTERS, max_lines=2, placeholder=" …") or [""]
    return literal("\n".join([*lines, *([note] if note else [])]))


def _folded(text: str, width: int) -> str:
    return literal("\n".join(textwrap.wrap(text, width, max_lines=6, placeholder=" …")))
