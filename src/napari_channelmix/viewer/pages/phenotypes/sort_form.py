"""In which order the cells stand, and which of them are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtGui import QStandardItemModel
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from napari_channelmix.viewer.pages.phenotypes.cell_facts import NO_CLASS
from napari_channelmix.viewer.pages.phenotypes.class_menu import ClassMenu
from napari_channelmix.viewer.pages.phenotypes.sorting import (
    ORDERS,
    Choice,
    Filter,
    choices_of,
    reason_not_possible,
)
from napari_channelmix.viewer.widgets.combo_box import choice

if TYPE_CHECKING:
    from napari_channelmix.viewer.pages.phenotypes.cell_facts import Facts
    from napari_channelmix.viewer.pages.phenotypes.sorting import Order

__all__ = ["OrderForm"]


class OrderForm(QWidget):
    """Order and filter; `changed` tells that cells are to be arranged anew."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._facts: Facts | None = None
        self._seed = 0
        # Whether the user chose an order: until then contradictions come first.
        self._order_chosen = False
        self.pair: tuple[int, int] | None = None
        self.group: int | None = None
        self._only: tuple[int, ...] | None = None
        self.order = choice("The order of the cells; some need predictions or latents")
        for order in ORDERS:
            self.order.addItem(order.title, order.key)
        self.of = choice("Which class, or which latent")
        self.turn = QToolButton()
        self.turn.setCheckable(True)
        self.turn.setToolTip("Reverse the order")
        self.turn.setAccessibleName("Reverse the order")
        self.classes = ClassMenu("Classes", "Show only cells of these classes")
        self.predicted = ClassMenu("Predicted", "Show only cells predicted as these classes")
        self.only = QCheckBox("Only selected")
        self.only.setToolTip("Show only the selected cells. Default: off")
        self.held_out = QCheckBox("Held-out cells only, where predictions count")
        self.held_out.setChecked(True)
        self.held_out.setToolTip(
            "Orders by prediction, and the confusion matrix, use only cells that the classifier "
            "was not trained on. Default: on"
        )
        self.held_out.setVisible(False)
        self.pair_chip, self.group_chip = _chip(), _chip()
        self._build()
        self.order.currentIndexChanged.connect(self._order_changed)
        self.order.activated.connect(self._choose_order)
        self.turn.clicked.connect(self._choose_order)
        self.of.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.turn.toggled.connect(self._direction_changed)
        self.classes.changed.connect(self.changed)
        self.predicted.changed.connect(self.changed)
        self.held_out.toggled.connect(lambda _: self.changed.emit())
        self.pair_chip.clicked.connect(lambda: self.choose_pair(None))
        self.group_chip.clicked.connect(lambda: self.choose_group(None))
        self._arrow()

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(5)
        row = QHBoxLayout()
        row.addWidget(self.order, 3)
        row.addWidget(self.of, 2)
        row.addWidget(self.turn)
        column.addLayout(row)
        row = QHBoxLayout()
        # Three in a narrow row.
        row.setSpacing(2)
        row.addWidget(self.classes, 1)
        row.addWidget(self.predicted, 1)
        row.addWidget(self.only)
        column.addLayout(row)
        column.addWidget(self.held_out)
        column.addWidget(self.pair_chip)
        column.addWidget(self.group_chip)

    # ---------------------------------------------------------------- what is chosen

    @property
    def choice(self) -> Choice:
        """The order that is chosen; that of the data set where it is not possible."""
        key = self.order.currentData()
        chosen = Choice(key, self.of.currentText(), self.turn.isChecked(), self._seed)
        return Choice() if reason_not_possible(chosen.order, self._facts) else chosen

    @property
    def filter(self) -> Filter:
        """The cells that are shown."""
        judged = self.choice.order.needs == "predictions" or self.pair is not None
        return Filter(
            self.classes.chosen,
            self.predicted.chosen,
            self.pair,
            self.group,
            self._only,
            judged and self.held_out_only,
        )

    @property
    def held_out_only(self) -> bool:
        """Whether what judges the classifier leaves out the cells that it was trained on."""
        facts = self._facts
        divided = facts is not None and not facts.held_out.chosen.all()
        return divided and self.held_out.isChecked()

    def choose_order(self, key: str) -> None:
        """Put the cells in another order."""
        self._choose_order()
        self.order.setCurrentIndex(self.order.findData(key))

    def _choose_order(self, _: object = None) -> None:
        self._order_chosen = True

    def propose_order(self, facts: Facts | None) -> None:
        """Contradictions first, the surest of them, unless the user chose another order."""
        if self._order_chosen:
            return
        both = (
            facts is not None and facts.predictions is not None and bool((facts.labels >= 0).any())
        )
        with QSignalBlocker(self.order):
            self.order.setCurrentIndex(self.order.findData("disagreement" if both else "data"))
        self._take_direction()
        self._offer()

    def choose_pair(self, pair: tuple[int, int] | None) -> None:
        """Show a field of the confusion matrix alone, a label and a prediction; None: all."""
        self.pair = pair
        self._say_chips()
        self.changed.emit()

    def choose_class(self, name: str) -> None:
        """Show the cells of a class alone: those labelled so, or predicted so where none is."""
        facts = self._facts
        if facts is None:
            return
        classes, predicted = facts.cells.classes, facts.predicted_classes
        labelled = name in classes and bool((facts.labels == classes.index(name)).any())
        with QSignalBlocker(self.classes), QSignalBlocker(self.predicted):
            self.classes.choose(frozenset({classes.index(name)}) if labelled else None)
            called = name in predicted and not labelled
            self.predicted.choose(frozenset({predicted.index(name)}) if called else None)
        # What narrowed the cells down before would hide some of them.
        self.pair, self.group = None, None
        self._say_chips()
        self.show_only(None)

    def choose_group(self, group: int | None) -> None:
        """Show a group alone; None: all."""
        self.group = group
        self._say_chips()
        self.changed.emit()

    def show_only(self, cells: tuple[int, ...] | None) -> None:
        """Show these cells alone; None: all."""
        self._only = cells
        with QSignalBlocker(self.only):
            self.only.setChecked(cells is not None)
        self.changed.emit()

    def shuffle(self) -> None:
        """Another random order."""
        self._seed += 1

    # ---------------------------------------------------------------- what is there

    def show_facts(self, facts: Facts | None, *, other_cells: bool) -> None:
        """Offer what is possible; other cells are shown all, in the order that was chosen."""
        before, self._facts = self._facts, facts
        palettes = [
            () if entry is None else (*entry.cells.classes, *entry.predicted_classes)
            for entry in (before, facts)
        ]
        if other_cells or palettes[0] != palettes[1]:
            # Positions mean other classes now.
            self.pair = None
        if other_cells:
            self.group, self._only = None, None
            with QSignalBlocker(self.only):
                self.only.setChecked(False)
        classes = () if facts is None else facts.cells.classes
        self.classes.fill(
            [*enumerate(classes), (-1, NO_CLASS)] if classes else [],
            keep=not other_cells,
            why="no cell has a class yet",
        )
        predicted = () if facts is None else facts.predicted_classes
        colors = [] if facts is None else [facts.palette.index(name) for name in predicted]
        self.predicted.fill(
            list(enumerate(predicted)),
            keep=not other_cells,
            colors=colors,
            why="no predictions yet",
        )
        self.only.setEnabled(facts is not None)
        self.held_out.setVisible(facts is not None and not facts.held_out.chosen.all())
        model = self.order.model()
        for index, order in enumerate(ORDERS):
            why = reason_not_possible(order, facts)
            assert isinstance(model, QStandardItemModel)
            model.item(index).setEnabled(not why)
            model.item(index).setToolTip(f"Not possible: {why}" if why else order.tip)
            self.order.setItemText(
                index, f"{order.title} ({why.split(':')[0]})" if why else order.title
            )
        if reason_not_possible(self._chosen, facts):
            with QSignalBlocker(self.order):
                self.order.setCurrentIndex(0)
            self._take_direction()
        self._offer()
        self._say_chips()

    @property
    def _chosen(self) -> Order:
        return ORDERS[max(self.order.currentIndex(), 0)]

    def _offer(self) -> None:
        names = list(choices_of(self._chosen, self._facts))
        with QSignalBlocker(self.of):
            before = self.of.currentText()
            self.of.clear()
            self.of.addItems(names)
            if before in names:
                self.of.setCurrentIndex(names.index(before))
        self.of.setVisible(bool(names))

    def _say_chips(self) -> None:
        facts = self._facts
        pair = group = ""
        if facts is not None and self.pair is not None and facts.predictions is not None:
            row, column = self.pair
            if row < len(facts.cells.classes) and column < len(facts.predicted_classes):
                pair = f"{facts.cells.classes[row]}, predicted {facts.predicted_classes[column]}"
        if facts is not None and self.group is not None:
            kind = facts.grouping.kind.capitalize()
            group = f"{kind} {facts.grouping.names[self.group]}"
        for chip, text in ((self.pair_chip, pair), (self.group_chip, group)):
            chip.setText(f"{text}  ×")
            chip.setVisible(bool(text))

    # ---------------------------------------------------------------- slots

    def _order_changed(self, _: object) -> None:
        self._take_direction()
        self._offer()
        if self._chosen.key == "random":
            self.shuffle()
        self.changed.emit()

    def _take_direction(self) -> None:
        with QSignalBlocker(self.turn):
            self.turn.setChecked(self._chosen.descending)
        self._arrow()

    def _direction_changed(self, _: bool) -> None:
        self._arrow()
        self.changed.emit()

    def _arrow(self) -> None:
        down = self.turn.isChecked()
        self.turn.setArrowType(Qt.ArrowType.DownArrow if down else Qt.ArrowType.UpArrow)
        self.turn.setEnabled(self._chosen.key != "random")


def _chip() -> QPushButton:
    """What narrows the cells down from elsewhere; a click takes it away."""
    chip = QPushButton()
    chip.setToolTip("Only these cells are shown; press to show all")
    chip.setVisible(False)
    return chip
