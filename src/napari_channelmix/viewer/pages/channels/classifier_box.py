"""Channels of the classifier in use: Shapley values and exchanges, in seconds, for each class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_channelmix.data.cell_names import cell_name
from napari_channelmix.viewer.charts.interval_bars import Bar
from napari_channelmix.viewer.charts.long_bars import LongBars
from napari_channelmix.viewer.pages.channels.effect_fields import counted_groups
from napari_channelmix.viewer.pages.channels.jobs import (
    cell_channels_job,
    classifier_channels_job,
)
from napari_channelmix.viewer.pages.channels.matrix_panel import MatrixPanel
from napari_channelmix.viewer.widgets.combo_box import choice
from napari_channelmix.viewer.widgets.folding import Folding
from napari_channelmix.viewer.widgets.notice import Notice
from napari_channelmix.viewer.widgets.secondary_text import show_secondary
from napari_channelmix.whatif.class_table import SAMPLED, wants_matrix
from napari_channelmix.wording import counted, fraction, sentence

if TYPE_CHECKING:
    from napari_channelmix.viewer.session.session import Session
    from napari_channelmix.viewer.tasks.task import Task
    from napari_channelmix.viewer.tasks.task_bar import TaskBar
    from napari_channelmix.whatif.cell_shapley import CellChannels
    from napari_channelmix.whatif.channel_means_result import ChannelMeans
    from napari_channelmix.whatif.channel_shapley_result import ChannelRow, ChannelShapley

__all__ = ["ClassifierChannels"]

VALUES = "Contribution to accuracy (Shapley value)"
SWAPS = "Predictions that change with this channel of a cell of another class"
SHAM = "dotted: of a cell of the same class"
EVERY = "all classes"
INTRO = "Which channels does the classifier in use decide by? Asked on held-out cells, in seconds."


class ClassifierChannels(QWidget):
    """A button; the matrix of channels by classes; what a channel adds, what its exchange changes.

    The matrix is shown where there are more than two classes or eight channels; the charts of one
    class at a time are folded away below it then.

    Parameters
    ----------
    session : Session
    theme : str

    Signals
    -------
    field_chosen(str, tuple)
        A field of the matrix was pressed: its class, and its channel, or those of its group.
    """

    field_chosen = Signal(str, tuple)

    def __init__(self, session: Session, theme: str, task: Task, bar: TaskBar) -> None:
        super().__init__()
        self._session, self.task = session, task
        self.result: ChannelShapley | None = None
        self.means: ChannelMeans | None = None
        self.matrix = MatrixPanel(theme)
        self.sentences = QLabel()
        self.sentences.setWordWrap(True)
        self.sentences.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.sentences.setToolTip("Channels whose effect can be read, the largest first")
        self.linear = Notice()
        self._running = 0
        self.intro = QLabel(INTRO)
        self.intro.setWordWrap(True)
        self.button = QPushButton("Ask the classifier")
        self.button.setToolTip(
            "Replace channels of held-out cells by those of other cells, and see what becomes of "
            "the predictions; nothing is trained"
        )
        self.together = QCheckBox("Channels of a group together")
        self.together.setToolTip(
            "Exchange the channels of each group of the panel table together, and value the group "
            "as one; channels without a group are on their own. Default: off"
        )
        self.reason = QLabel()
        self.reason.setWordWrap(True)
        self.cell_button = QPushButton("Ask about the selected cell")
        self.cell_title, self.cell_line = QLabel(), QLabel()
        self.cell_values = LongBars("Shapley value of each channel for the cell", theme, (0.0, 0.1))
        self.classes = choice("Of which class the charts are")
        self.bars_part = Folding("Bars of one class, with exchanges")
        self.bars_part.setToolTip("Values with their intervals, and what exchanges change")
        self.values = LongBars("Shapley value of each channel", theme, (0.0, 0.1))
        self.swaps = LongBars("Share of predictions that change", theme, (0.0, 1.0))
        self.value_title, self.swap_title = QLabel(VALUES), QLabel(SWAPS)
        self.sham = QLabel(SHAM)
        self.cell_line.setWordWrap(True)
        for label in (self.value_title, self.swap_title, self.cell_title):
            label.setWordWrap(True)
            label.setStyleSheet("QLabel { font-weight: bold; }")
        self.lines = QLabel()
        self.lines.setWordWrap(True)
        self.lines.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.warnings = Notice(lines=3)
        self.failed = Notice()
        self._build(bar)
        self.follow_theme(theme)
        self.button.clicked.connect(self.start)
        self.cell_button.clicked.connect(self.start_cell)
        self.matrix.field_chosen.connect(self._field_chosen)
        self.classes.currentIndexChanged.connect(self._draw)
        task.ended.connect(lambda _: self.fill())
        self.show_cell(None)
        self.fill()

    def _build(self, bar: TaskBar) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(5)
        self.answer = QWidget()
        inside = QVBoxLayout(self.answer)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(4)
        for shown in (self.matrix, self.sentences, self.linear):
            inside.addWidget(shown)
        bars = QWidget()
        below = QVBoxLayout(bars)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(4)
        row = QHBoxLayout()
        row.addWidget(QLabel("Class"))
        row.addWidget(self.classes, 1)
        below.addLayout(row)
        for part in (self.value_title, self.values, self.swap_title, self.swaps, self.sham):
            below.addWidget(part)
        self.bars_part.addWidget(bars)
        inside.addWidget(self.bars_part)
        inside.addWidget(self.lines)
        inside.addWidget(self.warnings)
        self.cell_answer = QWidget()
        inside = QVBoxLayout(self.cell_answer)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(4)
        for shown_of_cell in (self.cell_title, self.cell_values, self.cell_line):
            inside.addWidget(shown_of_cell)
        buttons = (self.button, self.cell_button)
        for widget in (
            self.intro,
            self.answer,
            self.cell_answer,
            self.together,
            *buttons,
            self.reason,
            self.failed,
            bar,
        ):
            column.addWidget(widget)

    # ---------------------------------------------------------------- the run

    def start(self) -> None:
        """Ask the classifier in use about the cells in use."""
        cells, trained = self._session.cells, self._session.trained
        if cells is None or trained is None:
            return
        self.failed.clear_line()
        self._running = self._session.data_set
        self.task.run(
            "channels of this classifier",
            classifier_channels_job(trained.classifier, cells, self._players()),
            lambda answer: self._finished(answer[0], answer[1], trained),
            on_error=lambda line: self.failed.say(line, "error"),
            data_set=self._running,
        )
        self.fill()

    def _groups(self) -> dict[str, tuple[str, ...]]:
        """Groups of the panel table, with those of their channels that the classifier sees."""
        cells, trained = self._session.cells, self._session.trained
        if cells is None or trained is None:
            return {}
        seen = trained.classifier.channels
        groups = {
            name: tuple(channel for channel in channels if channel in seen)
            for name, channels in cells.channel_groups.items()
        }
        return {name: channels for name, channels in groups.items() if channels}

    def _players(self) -> dict[str, tuple[str, ...]]:
        return self._groups() if self.together.isChecked() else {}

    def _finished(self, result: ChannelShapley, means: ChannelMeans | None, trained: Any) -> None:
        # Kept with the cells that were asked about; others may be in use by now.
        self._session.keep_answer(self._running, trained, channels=result, means=means)

    def show_kept(self, _: object = None) -> None:
        """Show what the classifier in use answered about the data set in use, where it did."""
        answers = self._session.what_if
        mine = answers is not None and answers.trained is self._session.trained
        result = answers.channels if answers is not None and mine else None
        means = answers.means if answers is not None and mine else None
        if result is self.result and means is self.means:
            self.fill()
        else:
            self.show_result(result, means)

    def start_cell(self) -> None:
        """Ask the classifier in use about the cell that is selected."""
        cells, trained, selected = (
            self._session.cells,
            self._session.trained,
            self._session.selected,
        )
        if cells is None or trained is None or not selected:
            return
        self.failed.clear_line()
        self._running = self._session.data_set
        self.task.run(
            "channels of a cell",
            cell_channels_job(trained.classifier, cells, selected[0]),
            lambda result: self._cell_finished(result, trained),
            on_error=lambda line: self.failed.say(line, "error"),
            data_set=self._running,
        )
        self.fill()

    def _cell_finished(self, result: CellChannels, trained: Any) -> None:
        if trained is self._session.trained and self._running == self._session.data_set:
            self.show_cell(result)

    def clear(self) -> None:
        """What was shown is of another classifier, or of other cells."""
        self.task.stop()
        self.failed.clear_line()
        self.show_cell(None)
        self.show_kept()

    # ---------------------------------------------------------------- what is shown

    def fill(self) -> None:
        """Say why it cannot be asked, where it cannot."""
        why = self._unavailable()
        self.button.setEnabled(not why and not self.task.busy)
        selected = bool(self._session.selected)
        self.cell_button.setEnabled(not why and not self.task.busy and selected)
        self.cell_button.setToolTip(
            "What each channel contributes to the prediction of the selected cell"
            if selected
            else "Select a cell first: click it in the picture"
        )
        self.button.setText("Ask again" if self.result is not None else "Ask the classifier")
        self.together.setVisible(bool(self._groups()))
        self.reason.setText(why)
        self.reason.setVisible(bool(why))
        self.intro.setVisible(self.result is None)
        self.answer.setVisible(self.result is not None)

    def _unavailable(self) -> str:
        cells, trained = self._session.cells, self._session.trained
        if cells is None or trained is None:
            return "There is no classifier yet: train or load one on the page 'Classifier'."
        needed = trained.classifier.channels
        if len(needed) < 2:
            return "The classifier sees one channel: there is nothing to compare it with."
        missing = [name for name in needed if name not in cells.channels]
        if missing:
            return f"These cells lack channels of the classifier: {', '.join(missing)}."
        return ""

    def show_result(self, result: ChannelShapley | None, means: ChannelMeans | None = None) -> None:
        """Show a result, and how bright the classes are; None empties the charts."""
        self.result, self.means = result, means
        large = result is not None and wants_matrix(len(result.channels), len(result.classes))
        self.matrix.show_result(result if large else None, means if large else None)
        self.matrix.setVisible(large)
        fold = self.bars_part.collapse if large else self.bars_part.expand
        fold(animate=False)
        self.classes.blockSignals(True)
        self.classes.clear()
        if result is not None:
            self.classes.addItems([EVERY, *result.classes])
            needs = result.sentences if large else ()
            self.sentences.setText("\n".join(sentence(line) for line in needs))
            lines = [line for line in result.lines if line not in needs]
            self.lines.setText("\n".join(f"• {sentence(line)}" for line in lines))
            text = "\n".join(f"• {sentence(line)}" for line in result.warnings)
            self.warnings.say(text, "warning") if text else self.warnings.clear_line()
        self.sentences.setVisible(large and bool(self.sentences.text()))
        self._say_linear(means if large else None)
        self.classes.blockSignals(False)
        self._draw()
        self.fill()

    def _say_linear(self, means: ChannelMeans | None) -> None:
        """Say whether a plain rule on the means of the channels goes as far."""
        lines = () if means is None else (*means.lines, *means.warnings)
        # Which cells figures are of is said once.
        told = () if self.result is None else self.result.lines
        text = "\n".join(sentence(line) for line in lines if line not in told)
        self.linear.say(text, "info")

    def _field_chosen(self, class_name: str, channel: str) -> None:
        members = {} if self.result is None else self.result.players
        self.field_chosen.emit(class_name, tuple(members.get(channel, (channel,))))

    def show_cell(self, result: CellChannels | None) -> None:
        """Show what each channel contributes to the call of one cell; None hides it."""
        self.cell_answer.setVisible(result is not None)
        cells = self._session.cells
        if result is None or cells is None:
            self.cell_values.show_bars(())
            return
        self.cell_title.setText(
            f"Cell {cell_name(cells, result.position)}: contribution to {result.class_name} "
            f"({fraction(result.probability)}); {counted(result.n_donors, 'other cell')}"
        )
        order = sorted(range(len(result.channels)), key=lambda c: -abs(result.value[c]))
        self.cell_values.show_bars([_cell_bar(result, index) for index in order])
        self.cell_line.setText(result.line)

    def _draw(self, _: object = None) -> None:
        if self.result is None:
            self.values.show_bars(())
            self.swaps.show_bars(())
            return
        rows = self.result.of_class(self.classes.currentText() or EVERY)
        known = [row for row in rows if row.value == row.value]
        known.sort(key=lambda row: -row.value)
        self.values.show_bars([_value_bar(row) for row in known])
        swapped = [row for row in rows if row.swap == row.swap]
        swapped.sort(key=lambda row: -row.swap)
        self.swaps.show_bars([_swap_bar(row) for row in swapped])
        first = rows[0]
        sampled = "" if self.result.exact else f"; {SAMPLED}"
        cells = counted_groups(first.n, first.n_groups)
        self.value_title.setText(f"{VALUES}{sampled}; {cells}")
        self.swap_title.setText(f"{SWAPS}; {counted(first.swap_n, 'cell')}")
        for part in (self.swap_title, self.swaps, self.sham):
            part.setVisible(bool(swapped))

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        self.matrix.follow_theme(theme)
        self.values.follow_theme(theme)
        self.swaps.follow_theme(theme)
        self.cell_values.follow_theme(theme)
        show_secondary(self.sham, theme)


def _value_bar(row: ChannelRow) -> Bar:
    known = row.low == row.low
    tip = f"{row.channel}: {fraction(row.value)} of recall"
    if known:
        tip += f" (95 % interval {fraction(row.low)} to {fraction(row.high)})"
    if row.sampling_error > 0:
        tip += f", sampled, ± {row.sampling_error:.3f}"
    return Bar(
        row.channel,
        row.value,
        fraction(row.value),
        (row.low, row.high) if known else None,
        tip=f"{tip}; {counted_groups(row.n, row.n_groups)}",
    )


def _cell_bar(result: CellChannels, index: int) -> Bar:
    value, low, high = (of[index] for of in (result.value, result.low, result.high))
    tip = (
        f"{result.channels[index]}: {fraction(value)} of the probability of {result.class_name} "
        f"(95 % interval over other cells {fraction(low)} to {fraction(high)})"
    )
    return Bar(
        result.channels[index],
        value,
        fraction(value),
        (low, high) if low == low else None,
        tip=tip,
    )


def _swap_bar(row: ChannelRow) -> Bar:
    tip = (
        f"{row.channel} of a cell of another class changes the prediction of {fraction(row.swap)} "
        f"(95 % interval {fraction(row.swap_low)} to {fraction(row.swap_high)}) of "
        f"{counted(row.swap_n, 'cell')}"
    )
    sham = row.sham == row.sham
    if sham:
        tip += f"; of a cell of the same class: {fraction(row.sham)}"
    return Bar(
        row.channel,
        row.swap,
        f"{100 * row.swap:.0f} %",
        (row.swap_low, row.swap_high),
        strong=True,
        tip=tip,
        floor=row.sham if sham else None,
    )
