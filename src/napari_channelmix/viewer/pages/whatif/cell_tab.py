"""One cell: before and after, probabilities beside, a slider for each edit."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_channelmix.phenotypes.held_out import cell_in_words
from napari_channelmix.viewer.charts.change_bars import ChangeBars
from napari_channelmix.viewer.charts.thumbnails import Thumbnails, Tile
from napari_channelmix.viewer.page_parts.base_page import form
from napari_channelmix.viewer.pages.whatif.axis_sliders import EditSliders
from napari_channelmix.viewer.pages.whatif.cell_pictures import (
    color_image,
    outline_image,
    picture_of,
)
from napari_channelmix.viewer.pages.whatif.opened_cell import verdict
from napari_channelmix.viewer.widgets.combo_box import choice
from napari_channelmix.viewer.widgets.notice import Notice
from napari_channelmix.viewer.widgets.theme import chart_colors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

    from napari_channelmix.data.crop_rendering import Look
    from napari_channelmix.viewer.pages.whatif.opened_cell import OpenedCell
    from napari_channelmix.whatif.crops import CellCrops, Scope

__all__ = ["CellTab"]

BEFORE, AFTER = 0, 1
# Width of the two pictures.
PICTURES = 174
SCOPES: dict[str, str] = {
    "cell": "this cell",
    "crop": "all cells in the crop",
    "neighbours": "only neighbours",
}
# In the title; the tooltip says what it means.
TRAINED = {"yes": "training cell", "same group": "of a training group", "no": "held out"}
CLICK = "Click a cell in the image, then move a slider."


class CellTab(QWidget):
    """Shows an opened cell and what the sliders make of it.

    Signals
    -------
    moved()
        Sliders or scope were changed; see `moves` and `scope`.
    smallest_requested()
        The button that looks for the smallest change.
    layers_requested(bool)
        The button for the layers.
    """

    moved = Signal()
    smallest_requested = Signal()
    layers_requested = Signal(bool)

    def __init__(self, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.opened: OpenedCell | None = None
        #: The edited cell, and what the classifier says of it, as far as it was asked.
        self.crops: CellCrops | None = None
        self.after: npt.NDArray[np.float32] | None = None
        self._looks: tuple[Look | None, ...] = ()
        self.title = QLabel()
        self.title.setWordWrap(True)
        self.pictures = Thumbnails("The cell before and after the edit", 64)
        self.pictures.setFixedWidth(PICTURES)
        self.bars = ChangeBars(theme)
        self.verdict = QLabel()
        self.verdict.setWordWrap(True)
        self.lines = Notice()
        self.scope_box = choice("What the edits change: the cell in the middle, or others as well")
        for value, text in SCOPES.items():
            self.scope_box.addItem(text, value)
        self.sliders = EditSliders(theme)
        self.smallest = QPushButton("Find the smallest change")
        self.smallest.setToolTip(
            "Look for the smallest edit on each axis that changes the class of this cell"
        )
        self.reset = QPushButton("Back to the cell")
        self.reset.setToolTip("Put all sliders back: the cell as it is")
        self.layers = QPushButton("Before and after as layers")
        self.layers.setCheckable(True)
        self.layers.setToolTip("Two image layers that lie on the cell. Press again to remove them")
        self.sentences = Notice(lines=5)
        self._build()
        self.sliders.moved.connect(self._moved)
        self.scope_box.currentIndexChanged.connect(self._scope_changed)
        self.smallest.clicked.connect(self.smallest_requested)
        self.reset.clicked.connect(self.go_back)
        self.layers.clicked.connect(self.layers_requested)
        self.clear()

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.pictures)
        row.addWidget(self.bars, 1)
        # Room for two lines, always: the sliders below stay where they are.
        self.verdict.setMinimumHeight(2 * self.verdict.fontMetrics().lineSpacing() + 12)
        self.verdict.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.verdict.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        rows = form()
        rows.addRow("Edit", self.scope_box)
        buttons = QHBoxLayout()
        buttons.addWidget(self.smallest, 1)
        buttons.addWidget(self.reset)
        self.controls = QWidget()
        below = QVBoxLayout(self.controls)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(6)
        below.addLayout(buttons)
        below.addWidget(self.sentences)
        below.addLayout(rows)
        below.addWidget(self.sliders)
        below.addWidget(self.layers)
        column.addWidget(self.title)
        column.addLayout(row)
        column.addWidget(self.verdict)
        column.addWidget(self.lines)
        column.addWidget(self.controls)

    # ---------------------------------------------------------------- what is shown

    @property
    def scope(self) -> Scope:
        """What the edits change."""
        scope: Scope = self.scope_box.currentData()
        return scope

    @property
    def moves(self) -> dict[str, float]:
        """Amounts of the axes that are moved."""
        return self.sliders.moves

    def clear(self) -> None:
        """No cell is opened; the room is kept."""
        self.opened = self.crops = self.after = None
        self.title.setText(CLICK)
        self.pictures.show_tiles([Tile(None, title="before"), Tile(None, title="after")])
        self.bars.show_probabilities((), None, None)
        self.verdict.setText("")
        self.lines.clear_line()
        self.sentences.clear_line()
        self.controls.setVisible(False)
        self.mark_layers(False)

    def begin(self, name: str) -> None:
        """Say which cell is about to be opened; what is there stays until it is."""
        self.title.setText(f"<b>Cell {html.escape(name)}</b>: reading…")
        self.controls.setEnabled(False)

    def show_cell(self, opened: OpenedCell, label: str, looks: Sequence[Look | None]) -> None:
        """Show a cell as it is; ``label`` is the class it was given."""
        self.opened, self.after = opened, None
        self.crops = opened.crops
        self._looks = tuple(looks)
        parts = [f"<b>Cell {html.escape(opened.name)}</b>"]
        if label:
            parts.append(f"labelled {html.escape(label)}")
        if opened.training in TRAINED:
            parts.append(TRAINED[opened.training])
        self.title.setText(" · ".join(parts))
        self.title.setToolTip(cell_in_words(opened.training))
        image = color_image(picture_of(opened.crops.pixels[0], self._looks))
        self.pictures.show_tiles(
            [
                Tile(image, title="before", tip="The cell as it is; the line: what is edited"),
                Tile(image, title="after", tip="The cell with the edits of the sliders"),
            ]
        )
        self._outline()
        self.sliders.show_ranges(opened.ranges, self._shown())
        self.sentences.clear_line()
        self.lines.say("\n".join(opened.lines), "info")
        self.controls.setVisible(True)
        self.controls.setEnabled(True)
        self.show_answer(opened.before)
        self.mark_layers(False)

    def show_looks(self, looks: Sequence[Look | None]) -> None:
        """Other colours or limits of the channels."""
        if self.opened is None or tuple(looks) == self._looks:
            return
        self._looks = tuple(looks)
        self.pictures.tiles[BEFORE].below = color_image(
            picture_of(self.opened.crops.pixels[0], self._looks)
        )
        self.show_edit(self.crops or self.opened.crops)
        self.pictures.update()
        self.sliders.prefer(self._shown())

    def _shown(self) -> list[str]:
        """The channels that the pictures show."""
        opened = self.opened
        channels = () if opened is None else opened.crops.channels
        return [name for name, look in zip(channels, self._looks, strict=False) if look is not None]

    def show_edit(self, crops: CellCrops) -> None:
        """Draw the cell with an edit."""
        self.crops = crops
        self.pictures.tiles[AFTER].below = color_image(picture_of(crops.pixels[0], self._looks))
        self.pictures.update(self.pictures.place(AFTER))

    def show_answer(self, after: npt.NDArray[np.float32]) -> None:
        """Show what the classifier says of the cell with the edits."""
        opened = self.opened
        if opened is None:
            return
        self.after = after
        self.bars.show_probabilities(opened.classes, opened.before, after)
        self.verdict.setText(verdict(opened, after, self.moves))
        self.reset.setEnabled(bool(self.moves))

    def picture(self, edited: bool) -> npt.NDArray[np.uint8]:
        """The cell (H, W, 3) as it is drawn, before or after the edit."""
        assert self.opened is not None and self.crops is not None
        crops = self.crops if edited else self.opened.crops
        return picture_of(crops.pixels[0], self._looks)

    def show_sentences(self, lines: Sequence[str], found: bool) -> None:
        """Say what the search for the smallest change came to."""
        self.sentences.say("\n".join(lines), "good" if found else "info")

    def mark_layers(self, shown: bool) -> None:
        """Say whether the layers are there."""
        with QSignalBlocker(self.layers):
            self.layers.setChecked(shown)
        self.layers.setText("Remove the layers" if shown else "Before and after as layers")

    def show_palette(self, palette: Sequence[str]) -> None:
        """Take the order of the classes: positions are colours."""
        self.bars.show_palette(palette)

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        self.bars.follow_theme(theme)
        self.sliders.follow_theme(theme)
        self._outline()

    def _outline(self) -> None:
        if self.opened is None:
            return
        mask = self.opened.scoped[self.scope].region[0]
        color = chart_colors(self._theme).second
        self.pictures.tiles[BEFORE].over = outline_image(mask, color)
        self.pictures.update()

    # ---------------------------------------------------------------- what the user does

    def _moved(self) -> None:
        self.reset.setEnabled(bool(self.moves))
        self.moved.emit()

    def _scope_changed(self) -> None:
        self._outline()
        self.moved.emit()

    def show_moves(self, moves: Mapping[str, float], scope: Scope | None = None) -> None:
        """Put the sliders to these amounts, and have the edit made."""
        self.sliders.show_moves(moves)
        if scope is not None:
            with QSignalBlocker(self.scope_box):
                self.scope_box.setCurrentIndex(self.scope_box.findData(scope))
            self._outline()
        self._moved()

    def go_back(self) -> None:
        """Put all sliders back."""
        self.sentences.clear_line()
        self.show_moves({})
