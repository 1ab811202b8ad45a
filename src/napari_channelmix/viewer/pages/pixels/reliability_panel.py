"""How far a map can be trusted: two curves, a few figures, and what they mean in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyqtgraph as pg
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_channelmix.viewer.charts.small_plot import color_axes, small_plot
from napari_channelmix.viewer.widgets.notice import Notice
from napari_channelmix.viewer.widgets.theme import chart_colors

if TYPE_CHECKING:
    from napari_channelmix.pcim.scores import Fidelity
    from napari_channelmix.viewer.session.explanation import Explanation

__all__ = ["ReliabilityPanel"]

HEIGHT = 122
PLOT_TIP = (
    "Probability of the class as the map's highest pixels are inserted into an empty image "
    "(insertion), or deleted from the cell (deletion). The farther apart the lines, the better"
)
FIGURES_TIP = (
    "Gap between the curves: area between insertion and deletion (symmetric relevance gain), -1 to "
    "1; higher is better, and random maps show the chance level. Random network: similarity to the "
    "map of a network with random weights; lower is better. Stable under noise: share of the map's "
    "strongest tenth that stays in place, higher is better. Last: the gap for each way to replace "
    "a removed pixel; the mean is over the ways that no method works with"
)


class ReliabilityPanel(QWidget):
    """Fills as the tests of a map come in; its size stays, so that nothing jumps."""

    def __init__(self, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = Notice()
        self.plot = small_plot("Insertion and deletion curves", PLOT_TIP, HEIGHT)
        self.legend = QLabel()
        self.legend.setToolTip("Legend of the chart")
        self.figures = QLabel()
        self.figures.setWordWrap(True)
        self.figures.setToolTip(FIGURES_TIP)
        # Room for the lines that most of them have in the end.
        for label in (self.words, self.figures):
            label.setMinimumHeight(2 * label.fontMetrics().lineSpacing() + 2)
        self.figures.setMinimumHeight(4 * self.figures.fontMetrics().lineSpacing() + 2)
        self._theme = theme
        self._build()
        self.inserting = self.plot.plot([], [])
        self.deleting = self.plot.plot([], [])
        self.follow_theme(theme)
        self.show_explanation(None)

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for widget in (self.words, self.plot, self.legend, self.figures):
            column.addWidget(widget)

    def show_explanation(self, explanation: Explanation | None) -> None:
        """Show what is known of a map so far."""
        fidelity = None if explanation is None else explanation.fidelity
        if fidelity is None:
            self.inserting.setData([], [])
            self.deleting.setData([], [])
        else:
            for line, curves in (
                (self.inserting, fidelity.mean_inserting),
                (self.deleting, fidelity.mean_deleting),
            ):
                line.setData(fidelity.shares, curves[0])
        self.figures.setText(self._figures(explanation))
        tested = None if explanation is None else explanation.reliability
        if tested is None:
            waiting = "Each map is tested when it is finished."
            lines = (
                (waiting,)
                if explanation is None
                else ("The map is being tested…", *explanation.caveats)
            )
            self.words.say("\n".join(lines), "info" if len(lines) == 1 else "warning")
            return
        lines, kind = tested.words(0), tested.verdict(0)
        if kind == "good" and explanation is not None and explanation.doubts:
            # What the labels say against the model stands with the cell.
            lines, kind = (*lines, "But the labels contradict the model: see above."), "warning"
        self.words.say("\n".join(lines), kind)

    def stopped(self, explanation: Explanation | None = None) -> None:
        """Say that the tests were not carried to their end."""
        lines = ["The tests were stopped; click the cell again to go on."]
        self.words.say(
            "\n".join([*lines, *(explanation.caveats if explanation else ())]), "warning"
        )

    def _figures(self, explanation: Explanation | None) -> str:
        if explanation is None or explanation.fidelity is None:
            return ""
        gap = f"<b>gap between the curves {float(explanation.fidelity.srg[0]):.2f}</b>"
        tested = explanation.reliability
        by_reference = _by_reference(explanation.fidelity)
        if tested is None:
            return f"{gap}{by_reference}"
        chance = tested.against_chance
        against = f"(tested {chance.gain[0]:.2f}, random maps 0 ± {chance.spread[0]:.2f})"
        random_network = (
            "random network: no weights to test"
            if tested.randomisation is None
            else f"random network {tested.randomisation[0]:.2f}"
        )
        noise = f"stable under noise {tested.staying[0]:.0%}"
        # Each stays on one line; the gap and what it is held against may stand on two.
        first, *others = (f"<nobr>{part}</nobr>" for part in (gap, against, random_network, noise))
        return f"{first} {' · '.join(others)}{by_reference}"

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        colors = chart_colors(theme)
        color_axes(self.plot, colors, "probability", "share of the pixels")
        self.inserting.setPen(pg.mkPen(colors.bar, width=2))
        self.deleting.setPen(pg.mkPen(colors.second, width=2))
        self.legend.setText(
            f'<span style="color:{colors.bar}">━</span> insertion&nbsp;&nbsp; '
            f'<span style="color:{colors.second}">━</span> deletion'
        )


def _by_reference(fidelity: Fidelity) -> str:
    """The gap of the first cell for each kind of replaced pixel, as a line of its own."""
    parts = [
        f"<nobr>{kind} {gap + 0.0:.2f}{'' if in_mean else ' (not in the mean)'}</nobr>"
        for kind, gap, in_mean in zip(
            fidelity.references,
            fidelity.srg_by_reference[:, 0].round(2),
            fidelity.counted,
            strict=True,
        )
    ]
    return f"<br>gap by what replaces a pixel: {' · '.join(parts)}"
