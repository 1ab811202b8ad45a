"""Page 'Phenotypes': look through all cells, question labels and predictions, put them right.

1. What the session knows of the cells is brought together (`cell_facts`).
2. Order and filter say which cells stand in the gallery, and where (`sorting`).
3. A field of the confusion matrix, a group or a dose that is clicked narrows them down.
4. A click selects a cell, here and everywhere (`linking`), and the viewer goes there (`going`).
5. Classes that are given change the session; the cells stay where they are until sorted again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSlider,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from napari_channelmix.viewer import layers
from napari_channelmix.viewer.charts.class_legend import ClassLegend
from napari_channelmix.viewer.page_parts.base_page import Page
from napari_channelmix.viewer.page_parts.removed_layers import Removals
from napari_channelmix.viewer.pages.phenotypes.cell_facts import Facts
from napari_channelmix.viewer.pages.phenotypes.coloring import CODES, SCORES, Coloring
from napari_channelmix.viewer.pages.phenotypes.colors_tab import ColorsPage
from napari_channelmix.viewer.pages.phenotypes.confusion_tab import ConfusionPage
from napari_channelmix.viewer.pages.phenotypes.gallery import LARGEST, SMALLEST, Gallery
from napari_channelmix.viewer.pages.phenotypes.groups_tab import GroupsPage
from napari_channelmix.viewer.pages.phenotypes.relabel import Relabel
from napari_channelmix.viewer.pages.phenotypes.sort_form import OrderForm
from napari_channelmix.viewer.pages.phenotypes.sorting import arranged
from napari_channelmix.viewer.selection.click_mode import ClickMode, ClickWords
from napari_channelmix.viewer.selection.navigation import Going
from napari_channelmix.viewer.session.cell_sources import same_pixels
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    import napari

__all__ = ["PhenotypesPage"]

WORDS = ClickWords(
    on="Selecting: click cells in the image",
    off="Select cells by a click in the viewer",
    tip="While this is on and the page in front, a click on a cell selects it and the gallery "
    "scrolls to it; Shift-click adds one; a drag still moves the image",
    does="select",
)
PAGES = (
    ("Order", "The order of the cells, and which are shown"),
    ("Confusion", "Labels against predictions; a field shows its cells"),
    ("Groups", "Fractions of the classes in each group, and against a dose"),
    ("Colours", "Colour the cells in the viewer by class, margin, latent and more"),
)
# Milliseconds in which changes are gathered; and until the viewer follows the arrow keys.
PAUSE, REST = 60, 120
SIDE = 64


class PhenotypesPage(Page):
    """Pages that ask, and the gallery that answers."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer)
        theme = self.viewer.theme
        self.facts: Facts | None = None
        self.tabs = QTabBar()
        self.form = OrderForm()
        self.confusion = ConfusionPage(theme)
        self.groups = GroupsPage(theme)
        self.colors = ColorsPage()
        self.pages: tuple[QWidget, ...] = (self.form, self.confusion, self.groups, self.colors)
        self.gallery = Gallery(theme)
        self.legend = ClassLegend()
        self.relabel = Relabel(self.session)
        self.toggle = ClickMode(
            self.viewer, self.session, WORDS, self._ready, self._clicked, self.notice.say
        )
        self.count = QLabel()
        self.again = QPushButton("Sort again")
        self.side = QSlider(Qt.Orientation.Horizontal)
        self.going = Going(self.viewer, self.session, self.fail)
        self.coloring = Coloring(self.viewer)
        # What tells of the looks of the channels that are shown.
        # Cells that were shown before; they are arranged anew where others are.
        self._cells: Any = None
        self._predictions: Any = None
        self._latents: Any = None
        self._visit: int | None = None
        self._soon, self._rest = self._timer(PAUSE, self.refresh), self._timer(REST, self._go)
        self._look_soon = self._timer(PAUSE, self._look)
        self._build()
        self._connect()
        self._shown_changed()
        self.refresh()

    def _timer(self, pause: int, slot: Any) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(pause)
        timer.timeout.connect(slot)
        return timer

    def _build(self) -> None:
        for title, tip in PAGES:
            self.tabs.setTabToolTip(self.tabs.addTab(title), tip)
        self.tabs.setAccessibleName("Parts of the page")
        self.again.setToolTip("Classes or the selection changed since the cells were put in order")
        self.again.setVisible(False)
        self.side.setRange(SMALLEST, LARGEST)
        self.side.setValue(SIDE)
        self.side.setFixedWidth(90)
        self.side.setToolTip(f"Side of the crops on the screen, in pixels. Default: {SIDE}")
        self.side.setAccessibleName("Size of the crops")
        self.count.setWordWrap(True)
        self.count.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.column.addWidget(self.tabs)
        for page in self.pages:
            self.column.addWidget(page)
        row = QHBoxLayout()
        row.addWidget(self.count, 1)
        row.addWidget(self.again)
        row.addWidget(self.side)
        below = QVBoxLayout()
        below.setSpacing(4)
        below.addLayout(row)
        below.addWidget(self.gallery, 1)
        below.addWidget(self.legend)
        below.addWidget(self.relabel)
        below.addWidget(self.toggle)
        self.column.addLayout(below, 1)
        self.turn(0)

    def _connect(self) -> None:
        self.tabs.currentChanged.connect(self.turn)
        self.form.changed.connect(self.arrange)
        self.form.only.toggled.connect(self._only)
        self.form.held_out.toggled.connect(self._count)
        self.again.clicked.connect(self._sort_again)
        self.side.valueChanged.connect(self.gallery.resize_tiles)
        self.confusion.pair_chosen.connect(self.form.choose_pair)
        self.groups.group_chosen.connect(self.form.choose_group)
        self.groups.reported.connect(self.notice.say)
        self.colors.changed.connect(self._color)
        self.gallery.selected.connect(lambda cells: self.session.select(*cells))
        self.gallery.visited.connect(self._visited)
        self.gallery.class_typed.connect(self.relabel.give)
        self.gallery.menu_requested.connect(self.relabel.ask)
        self.relabel.reported.connect(self.notice.say)
        session = self.session
        for signal in (
            session.cells_changed,
            session.predictions_changed,
            session.latents_changed,
            session.trained_changed,
        ):
            self.follow(signal, self._later)
        self.follow(session.shown_changed, self._shown_changed)
        self.follow(session.display.changed, self._looks_changed)
        self.follow(session.selected_changed, self._selected_changed)
        self.follow(session.edited, self.relabel.fill)
        self.follow(session.replaced, self._forget)
        self.follow(session.freeing, self._free)
        self.follow(session.painting_changed, self.toggle.give_way)
        self.follow(self.viewer.events.theme, self._theme_changed)
        self._removals = Removals(self, self._layers_removed)

    # ---------------------------------------------------------------- what is there

    def _later(self, _: object = None) -> None:
        self._soon.start()

    def refresh(self) -> None:
        """Bring everything up to date with the session now."""
        self._soon.stop()
        session = self.session
        facts = self.facts = Facts.of(session, self.facts)
        other = not same_pixels(session.cells, self._cells)
        new = (
            other
            or session.predictions is not self._predictions
            or (session.latents is None) != (self._latents is None)
        )
        self._cells, self._latents = session.cells, session.latents
        self._predictions = session.predictions
        self.form.show_facts(facts, other_cells=other)
        self._count()
        self.groups.show_facts(facts)
        self.colors.show_facts(facts)
        self._show_legend()
        self.relabel.fill()
        self.toggle.fit()
        if new:
            self.form.propose_order(facts)
            self._look()
            self.arrange()
        elif facts is not None:
            self.gallery.inform(facts)
            self.again.setVisible(True)
        self._color()

    def _count(self, _: object = None) -> None:
        """Count labels against predictions."""
        self.confusion.show_facts(
            self.facts, self.session.trained, held_out=self.form.held_out.isChecked()
        )

    def _show_legend(self) -> None:
        """Say which colour of the borders and corners is which class."""
        facts = self.facts
        labelled = facts is not None and bool((facts.labels >= 0).any())
        apart = facts is not None and bool(facts.called_apart.any())
        where = (
            "Border: class; corner: another prediction"
            if labelled and apart
            else "Corner: predicted class"
            if apart
            else "Border: class"
        )
        shown = facts.palette if facts is not None and (labelled or apart) else ()
        self.legend.show_classes(shown, where)

    def show_class(self, name: str) -> None:
        """Show the cells of a class alone: those labelled so, else those predicted so."""
        self.refresh()
        if self.facts is not None:
            self.tabs.setCurrentIndex(0)
            self.form.choose_class(name)

    def arrange(self) -> None:
        """Put the cells in the order and through the filter that are chosen."""
        facts = self.facts
        which = self.form.filter
        self.confusion.frame(which.pair)
        self.groups.mark(which.group)
        self.again.setVisible(False)
        if facts is None:
            self.gallery.arrange(None, self.gallery.order[:0])
            self.count.setText("No cells yet: open a data set on the page 'Data'.")
            return
        order = arranged(facts, self.form.choice, which)
        self.gallery.arrange(facts, order)
        self.gallery.show_selected(self.session.selected)
        what = "cell" if len(facts) == 1 else "cells"
        shown = (
            f"{len(order):,}" if len(order) == len(facts) else (f"{len(order):,} of {len(facts):,}")
        )
        words = self.form.choice.words
        if self.form.choice.key == "disagreement":
            count = int(facts.differs[order].sum())
            words += f": {counted(count, 'prediction', 'differ')} from the label"
        self.count.setText(f"{shown} {what}, {words}")

    def _sort_again(self, _: object = None) -> None:
        self.form.shuffle()
        if self.form.only.isChecked():
            self.form.show_only(self.session.selected)
        else:
            self.arrange()

    def _only(self, on: bool) -> None:
        # As they are selected now: else each click would take the others away.
        self.form.show_only(self.session.selected if on else None)

    def _forget(self, _: object = None) -> None:
        """Other cells are about to take the place of these."""
        self.going.task.stop()
        self._rest.stop()
        self.gallery.halt()

    def _free(self, freed: list[int]) -> None:
        """Crops that are kept can be read again, and those in sight are."""
        freed.append(self.gallery.free())

    # ---------------------------------------------------------------- the picture

    def _shown_changed(self, _: object = None) -> None:
        looks = ("visible", "colormap", "contrast_limits", "gamma", "opacity")
        self.follow_images(looks, self._looks_changed)
        self.toggle.fit()
        self._look()
        self._color()

    def _looks_changed(self, _: object = None) -> None:
        self._look_soon.start()

    def _look(self) -> None:
        """Draw the crops as the layers draw the channels."""
        self._look_soon.stop()
        cells = self.session.cells
        if cells is not None:
            session = self.session
            looks = layers.looks_of(self.viewer, cells, session.shown, session.display.together)
            self.gallery.show_looks(looks)

    def _color(self) -> None:
        facts, (what, of) = self.facts, self.colors.coloring
        # What is about to be brought up to date is not drawn before.
        if facts is not None and len(facts) != len(self.session.cells or ()):
            return
        self.colors.say(self.coloring.show(facts, self.session.shown, what, of))

    def _layers_removed(self, roles: frozenset[str]) -> None:
        """The user took layers of ours away, or those of channels."""
        what, _ = self.colors.coloring
        codes = what in ("labels", "predictions", "disagreement")
        if what != "nothing" and (CODES if codes else SCORES) in roles:
            self.colors.forget()
        self._look_soon.start()

    # ---------------------------------------------------------------- selection

    def _ready(self) -> bool:
        return self.session.cells is not None and self.session.shown is not None

    def _clicked(self, cell: int, more: bool) -> None:
        """A cell in the picture: with Shift one more, or one less."""
        self.notice.clear_line()
        if more:
            self.session.toggle(cell)
        else:
            self.session.select(cell)

    def _selected_changed(self, _: object = None) -> None:
        if self._visit not in self.session.selected:
            # Another cell was chosen elsewhere while the keys were at rest.
            self._rest.stop()
        self.gallery.show_selected(self.session.selected)
        self.relabel.fill()
        if self.form.only.isChecked():
            self.again.setVisible(True)

    def _visited(self, cell: int) -> None:
        self._visit = cell
        self._rest.start()

    def _go(self) -> None:
        cells = self.session.cells
        if cells is not None and self._visit is not None and self._visit < len(cells):
            self.notice.clear_line()
            self.going.to(self._visit)

    # ---------------------------------------------------------------- the page

    def turn(self, index: int) -> None:
        """Show one of the pages."""
        for place, page in enumerate(self.pages):
            page.setVisible(place == index)

    def front_changed(self, front: bool) -> None:
        """Listen to clicks while in front of the other docks."""
        self.toggle.come_to_front(front)

    def _theme_changed(self, event: Any) -> None:
        theme = self.viewer.theme
        for widget in (self.gallery, self.confusion, self.groups):
            widget.follow_theme(theme)

    def halt(self) -> None:
        """Stop every work of this dock, and listening."""
        super().halt()
        for timer in (self._soon, self._rest, self._look_soon):
            timer.stop()
        self.going.task.stop()
        self.gallery.halt()
        self.toggle.clicks.switch(False)
