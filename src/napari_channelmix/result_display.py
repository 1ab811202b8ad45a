"""What a result shows of itself in a notebook: a line and a card of HTML, the same for all results.

A result says once what is to be shown of it, as a `Summary`; the line and the card are made of that
here, the chart in `charts`. The card holds no script, and names and texts in it are escaped.
"""

from __future__ import annotations

import base64
import html
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = ["Bar", "Bars", "Picture", "Summary", "known"]

# What a card shows at most: a notebook is read, and saved with it.
BARS, ROWS, COLUMNS, LINES, WARNINGS, LETTERS = 24, 12, 10, 14, 6, 400
# Width and height of the drawing of a bar, in pixels.
WIDTH, HEIGHT = 180, 14
BLUE, GREY, RED, AMBER = "#0072B2", "#8C8C8C", "#B3261E", "#9A6700"


@dataclass(frozen=True)
class Bar:
    """A figure with its interval.

    Attributes
    ----------
    name : str
    value : float or None
        None, as NaN: not known.
    low, high : float or None
        Ends of its interval; None where there is none.
    reference : float or None
        What it is to be compared with, such as the sham, chance or the negative control.
    note : str
        Of what it is: cells, groups.
    readable : bool
        Whether it may be read; the bar is grey where it may not.
    """

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    reference: float | None = None
    note: str = ""
    readable: bool = True


@dataclass(frozen=True)
class Bars:
    """A chart of bars, for the card and for `matplotlib`.

    Attributes
    ----------
    rows : sequence of Bar
    unit : str
        What the figures are.
    interval : str
        What the ends are, such as ``95 % interval over groups``.
    reference : str
        What the mark across a bar is; empty where there is none.
    """

    rows: Sequence[Bar]
    unit: str
    interval: str = ""
    reference: str = ""

    @property
    def range(self) -> tuple[float, float]:
        """Lowest and highest figure that is drawn; 0 is always among them."""
        numbers = [0.0] + [
            float(number)
            for row in self.rows
            for number in (row.value, row.low, row.high, row.reference)
            if known(number)
        ]
        low, high = min(numbers), max(numbers)
        return low, high if high > low else low + 1.0


@dataclass(frozen=True)
class Picture:
    """A small picture in a card: PNG, and what it shows."""

    png: bytes = field(repr=False)
    caption: str


@dataclass(frozen=True, eq=False)
class Summary:
    """What a result shows of itself.

    Attributes
    ----------
    title : str
        What it is, in the words of the window.
    facts : sequence of str
        Of what: numbers of cells and groups, classes, and the main figure with its interval.
    warnings : sequence of str
        What speaks against reading it; shown first.
    lines : sequence of str
        What it says, in sentences.
    bars : Bars or None
    frame : pandas.DataFrame or None
        A small table.
    pictures : sequence of Picture
    """

    title: str
    facts: Sequence[str] = ()
    warnings: Sequence[str] = ()
    lines: Sequence[str] = ()
    bars: Bars | None = None
    frame: pd.DataFrame | None = field(default=None, repr=False)
    pictures: Sequence[Picture] = ()

    def line(self, name: str) -> str:
        """The summary in a line, such as ``Panel(channels: GFP; n = 60; 1 warning)``."""
        count = len(self.warnings)
        parts = list(self.facts)
        if count:
            parts.append(f"{count} warning{'s' if count > 1 else ''}")
        return f"{name}({short('; '.join(parts).replace(chr(10), ' '))})"

    def html(self) -> str:
        """The card."""
        facts = " · ".join(escaped(fact) for fact in self.facts)
        head = f"<div><b>{escaped(self.title)}</b>{' · ' if facts else ''}{facts}</div>"
        parts = [head, _warnings_html(self.warnings)]
        parts += [
            f'<figure style="margin:4px 0"><img alt="{escaped(picture.caption)}" '
            f'style="max-width:100%" src="data:image/png;base64,'
            f'{base64.b64encode(picture.png).decode("ascii")}"/>'
            f"<figcaption>{escaped(picture.caption)}</figcaption></figure>"
            for picture in self.pictures
        ]
        parts.append("" if self.bars is None else _bars_html(self.bars))
        shown, more = self.lines[:LINES], len(self.lines) - LINES
        parts += [f"<div>{escaped(line)}</div>" for line in shown]
        if more > 0:
            parts.append(f"<div>and {more} more in <code>.lines</code></div>")
        parts.append("" if self.frame is None else _frame_html(self.frame))
        return f'<div class="channelmix" style="line-height:1.5">{"".join(parts)}</div>'


def known(number: float | None) -> TypeGuard[float]:
    """Whether a figure is there: no None, NaN or infinity."""
    return number is not None and math.isfinite(number)


def short(text: str, most: int = LETTERS) -> str:
    """A text, cut where it is long."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def escaped(text: object) -> str:
    """A text for HTML, cut where it is long."""
    return html.escape(short(str(text)), quote=True)


def number_text(number: float | None) -> str:
    """A figure as people read it."""
    return f"{number:.3g}" if number is not None and known(number) else "not known"


def _warnings_html(warnings: Sequence[str]) -> str:
    lines = [f"<div>Warning: {escaped(line)}</div>" for line in warnings[:WARNINGS]]
    if len(warnings) > WARNINGS:
        lines.append(f"<div>and {len(warnings) - WARNINGS} warnings more</div>")
    return f'<div style="color:{RED}">{"".join(lines)}</div>' if lines else ""


def _bars_html(bars: Bars) -> str:
    low, high = bars.range
    head = f"{bars.unit} ({bars.interval})" if bars.interval else bars.unit
    if bars.reference:
        head += f"; | {bars.reference}"
    rows = []
    for row in bars.rows[:BARS]:
        ends = ""
        if known(row.low) and known(row.high):
            ends = f" ({number_text(row.low)} to {number_text(row.high)})"
        faint = "" if row.readable else f' style="color:{GREY}"'
        rows.append(
            f"<tr{faint}><td>{escaped(row.name)}</td><td>{_drawn(row, low, high)}</td>"
            f"<td>{number_text(row.value)}{ends}</td><td>{escaped(row.note)}</td></tr>"
        )
    if len(bars.rows) > BARS:
        rows.append(f"<tr><td>and {len(bars.rows) - BARS} more</td></tr>")
    heads = f"<tr><th></th><th></th><th>{escaped(head)}</th><th></th></tr>"
    return f"<table>{heads}{''.join(rows)}</table>"


def _drawn(row: Bar, low: float, high: float) -> str:
    """The bar as SVG: from 0 to the value, its interval as a line, the reference as a mark."""

    def place(number: float | None) -> float:
        return 2 + (WIDTH - 4) * (float(number or 0.0) - low) / (high - low)

    middle, shapes = HEIGHT / 2, []
    if known(row.value):
        ends = sorted((place(0.0), place(row.value)))
        color = BLUE if row.readable else GREY
        shapes.append(
            f'<rect x="{ends[0]:.1f}" y="2" width="{max(ends[1] - ends[0], 1):.1f}" '
            f'height="{HEIGHT - 4}" fill="{color}" fill-opacity="0.7"/>'
        )
    if known(row.low) and known(row.high):
        shapes.append(
            f'<line x1="{place(row.low):.1f}" x2="{place(row.high):.1f}" y1="{middle}" '
            f'y2="{middle}" stroke="currentColor"/>'
        )
    if known(row.reference):
        x = place(row.reference)
        shapes.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{HEIGHT}" stroke="{AMBER}" '
            'stroke-width="2"/>'
        )
    return f'<svg width="{WIDTH}" height="{HEIGHT}">{"".join(shapes)}</svg>'


def _frame_html(frame: pd.DataFrame) -> str:
    head = "".join(f"<th>{escaped(short(str(name), 60))}</th>" for name in frame.columns[:COLUMNS])
    rows = []
    for values in frame.head(ROWS).itertuples(index=False):
        cells = "".join(f"<td>{_value_html(value)}</td>" for value in values[:COLUMNS])
        rows.append(f"<tr>{cells}</tr>")
    rest = []
    if len(frame) > ROWS:
        rest.append(f"{len(frame) - ROWS:,} more rows")
    if len(frame.columns) > COLUMNS:
        rest.append(f"{len(frame.columns) - COLUMNS:,} more columns")
    more = f"<div>{' and '.join(rest)} in <code>.to_frame()</code></div>" if rest else ""
    return f"<table><tr>{head}</tr>{''.join(rows)}</table>{more}"


def _value_html(value: Any) -> str:
    if isinstance(value, float) or hasattr(value, "dtype"):
        try:
            return f"{float(value):.4g}" if math.isfinite(float(value)) else "–"
        except (TypeError, ValueError):
            pass
    return escaped(short(str(value), 60))
