"""What each channel contributes to the decision about a cell: a bar for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_channelmix.viewer.charts.interval_bars import Bar
from napari_channelmix.viewer.charts.long_bars import LongBars
from napari_channelmix.viewer.widgets.row_choice import FEW
from napari_channelmix.viewer.widgets.theme import chart_colors

if TYPE_CHECKING:
    from napari_channelmix.pcim.channel_contributions import ChannelContributions
    from napari_channelmix.viewer.session.explanation import Explanation

__all__ = ["ContributionBars"]

TIP = (
    "How far the probability falls when a channel is taken from cells that are predicted "
    "otherwise: the decision needs that channel. Line: 95 % interval. Tick: the same with cells of "
    "the same prediction, which is what the exchange itself does. Grey: not above that"
)
WAITING = "Channels of this decision"


class ContributionBars(QWidget):
    """A sentence and the bars; as high before they are known as afterwards."""

    def __init__(self, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.line = QLabel(WAITING)
        self.line.setWordWrap(True)
        self.line.setToolTip(TIP)
        self.bars = LongBars("Channel contributions", theme, (0.0, 0.2))
        self._quiet = chart_colors(theme).line
        self._shown: ChannelContributions | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.line)
        column.addWidget(self.bars)

    def clear(self) -> None:
        """No figure is left in sight; the rows stay."""
        self._shown = None
        self.line.setText(WAITING)
        self.bars.show_bars([Bar(bar.name, 0.0, "", tip=TIP) for bar in self.bars.rows])

    def show_explanation(self, explanation: Explanation) -> None:
        """Show what is known so far; nothing of a cell with one channel."""
        self._shown = contributions = explanation.contributions
        nothing = explanation.contributions_known and contributions is None
        self.setVisible(len(explanation.channels) > 1 and not nothing)
        if contributions is None:
            self.line.setText(WAITING)
            self.bars.show_bars([Bar(name, 0.0, "", tip=TIP) for name in explanation.channels])
            return
        self.line.setText(contributions.sentence)
        self._draw()

    def _draw(self) -> None:
        shown = self._shown
        if shown is not None:
            rows = list(range(len(shown.fall)))
            if len(rows) > FEW:
                # The first of them are in sight: those that decide, not those of the file.
                rows = shown.order.tolist()
            self.bars.show_bars([_bar(shown, row, self._quiet) for row in rows])

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        self._quiet = chart_colors(theme).line
        self.bars.follow_theme(theme)
        self._draw()


def _bar(contributions: ChannelContributions, row: int, quiet: str) -> Bar:
    fall, sham = float(contributions.fall[row]), float(contributions.sham[row])
    low, high = float(contributions.low[row]), float(contributions.high[row])
    name = contributions.channels[row]
    known = bool(np.isfinite([low, high]).all())
    between = f" ({100 * low:.0f} to {100 * high:.0f})" if known else ""
    lines = [
        f"{name}: the probability falls by {100 * fall:.0f} points{between} with that of "
        f"{contributions.donors} cells predicted otherwise"
    ]
    if np.isfinite(sham):
        lines.append(
            f"by {100 * sham:.0f} points with that of {contributions.sham_donors} cells of the "
            "same prediction (tick)"
        )
    if contributions.evidence is not None:
        lines.append(
            f"it has {100 * contributions.evidence[row]:.0f} % of the evidence of the maps"
        )
    return Bar(
        name,
        fall,
        f"{-100 * fall:+.0f} pts".replace("-", "\N{MINUS SIGN}") if abs(fall) > 0.005 else "0 pts",
        (low, high) if known else None,
        strong=bool(contributions.above[row]),
        # The chart's own colour would be taken for that of a class beside it.
        color="" if contributions.above[row] else quiet,
        tip="\n".join(lines),
        floor=sham if np.isfinite(sham) else None,
    )
