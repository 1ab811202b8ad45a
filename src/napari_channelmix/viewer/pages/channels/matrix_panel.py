"""The matrix of channels by classes with what chooses its rows: order, name, and how many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_channelmix.matrix_rows import ROW_ORDERS, row_order
from napari_channelmix.viewer.charts.effect_matrix import EffectMatrix
from napari_channelmix.viewer.pages.channels.effect_fields import (
    EFFECT_COLORS,
    SCORE_COLORS,
    effect_fields,
    score_fields,
)
from napari_channelmix.viewer.widgets.combo_box import choice
from napari_channelmix.viewer.widgets.row_choice import FEW, RowChoice
from napari_channelmix.viewer.widgets.secondary_text import show_secondary
from napari_channelmix.viewer.widgets.theme import chart_colors

if TYPE_CHECKING:
    from napari_channelmix.viewer.charts.effect_matrix import MatrixFields
    from napari_channelmix.whatif.channel_means_result import ChannelMeans
    from napari_channelmix.whatif.channel_shapley_result import ChannelShapley

__all__ = ["MatrixPanel"]

EFFECTS, SCORES = "Signed effects", "Mean z-scores"
ORDERS: dict[str, str] = {
    "effect": "By effect",
    "clustered": "Clustered",
    "data set": "As they come",
}
HINT = "Point at a field for its figures; click it to see the cells of the class in that channel."


class MatrixPanel(QWidget):
    """Signed effects, or mean z-scores, of all channels for all classes.

    Signals
    -------
    field_chosen(str, str)
        A field was pressed: its class and its channel.
    """

    field_chosen = Signal(str, str)

    def __init__(self, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._effects: MatrixFields | None = None
        self._scores: MatrixFields | None = None
        self.kind = choice(
            "Signed effects, on the recall: Shapley value of the channel for the class, with the "
            "sign of its direction. Mean z-scores: how bright the cells of the class are, whatever "
            "the classifier does"
        )
        self.order = choice(
            "The order of the channels: by effect, the strongest first; clustered, alike ones "
            "together; as they come in the data set"
        )
        for key in ROW_ORDERS:
            self.order.addItem(ORDERS[key], key)
        self.choice = RowChoice(self)
        self.matrix = EffectMatrix("Channels by classes", theme)
        self.legend, self.hover = QLabel(), QLabel(HINT)
        for label in (self.legend, self.hover):
            label.setWordWrap(True)
        self.hover.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._build()
        self.follow_theme(theme)
        self.kind.currentIndexChanged.connect(self._other_kind)
        self.order.currentIndexChanged.connect(self._arrange)
        self.choice.changed.connect(self._arrange)
        self.matrix.described.connect(lambda text: self.hover.setText(text or HINT))
        self.matrix.pressed.connect(self._pressed)

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.kind, 5)
        row.addWidget(self.order, 4)
        column.addLayout(row)
        column.addWidget(self.choice.name)
        for part in (self.matrix, self.choice.more, self.legend, self.hover):
            column.addWidget(part)
        # What is below stays where it is while fields are pointed at.
        self.hover.setMinimumHeight(4 * self.hover.fontMetrics().lineSpacing())

    # ---------------------------------------------------------------- what is shown

    def show_result(self, result: ChannelShapley | None, means: ChannelMeans | None) -> None:
        """Show other figures; None empties the matrix."""
        self._effects = None if result is None else effect_fields(result)
        self._scores = None if means is None else score_fields(means)
        kept = self.kind.currentData()
        with QSignalBlocker(self.kind):
            self.kind.clear()
            if self._effects is not None:
                self.kind.addItem(EFFECTS, "effects")
            if self._scores is not None:
                self.kind.addItem(SCORES, "scores")
            self.kind.setCurrentIndex(max(0, self.kind.findData(kept)))
        self.kind.setEnabled(self.kind.count() > 1)
        self._other_kind()

    @property
    def fields(self) -> MatrixFields | None:
        """The figures that are shown."""
        return self._scores if self.kind.currentData() == "scores" else self._effects

    def _other_kind(self, _: object = None) -> None:
        self.matrix.show_fields(self.fields)
        self.matrix.frame(None)
        self._arrange()
        self._say_legend()

    def _arrange(self, _: object = None) -> None:
        """Show the rows that are chosen, in their order."""
        fields, first = self.fields, self._effects
        if fields is None:
            self.choice.choose(())
            return
        if first is None or first.rows != fields.rows:
            first = fields
        # Both matrices stand in one order: what is looked up stays where it is.
        strongest = row_order(first.values, first.readable)
        read = int(first.readable[list(strongest[FEW:])].any(axis=1).sum())
        rest = f"{read} can be read" if read else "none can be read"
        places = self.choice.choose([fields.rows[row] for row in strongest], rest)
        kept = {strongest[place] for place in places}
        order = row_order(first.values, first.readable, self.order.currentData())
        self.matrix.show_rows([row for row in order if row in kept])

    def _say_legend(self) -> None:
        colors = chart_colors(self._theme)
        above, below = SCORE_COLORS if self.fields is self._scores else EFFECT_COLORS
        parts = [
            f'<span style="color:{colors.second}">■</span> {above}',
            f'<span style="color:{colors.bar}">■</span> {below}',
            "pale: not to be read (95 % interval over groups holds 0)",
        ]
        if self.fields is self._effects:
            parts.append(f'<span style="color:{colors.line}">■</span> direction not known')
        self.legend.setText("&nbsp;&nbsp; ".join(parts))
        self.legend.setVisible(self.fields is not None)

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        self.matrix.follow_theme(theme)
        show_secondary(self.hover, theme)
        self._say_legend()

    def _pressed(self, row: int, column: int) -> None:
        fields = self.fields
        if fields is not None:
            self.matrix.frame((row, column))
            self.field_chosen.emit(fields.columns[column], fields.rows[row])
