"""Sliders for all axes of a cell: the most useful ones first, the others under 'More'."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_channelmix.data.display_channels import MOST_TOGETHER
from napari_channelmix.data.nuclear_channel import nuclear_channel
from napari_channelmix.viewer.page_parts.moved_sliders import MovedSliders
from napari_channelmix.viewer.pages.whatif.axis_slider import EditSlider
from napari_channelmix.viewer.widgets.folding import Folding
from napari_channelmix.viewer.widgets.secondary_text import show_secondary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_channelmix.viewer.pages.whatif.opened_cell import AxisRange
    from napari_channelmix.whatif.axes import Axis

__all__ = ["EditSliders", "first_axes"]

TITLES = {
    "channel": "Channels",
    "shape": "Shape",
    "surroundings": "Surroundings",
    "acquisition": "Acquisition",
}
# How many sliders of each group are always in sight.
ACROSS = "nucleus against cytoplasm"
KINDS = ("brightness", ACROSS, "rim", "level", "detail")
FIRST = {"channel": 5, "shape": 2, "surroundings": 1, "acquisition": 1}


def first_axes(ranges: Sequence[AxisRange], shown: Sequence[str] = ()) -> tuple[str, ...]:
    """Names of the axes that are always in sight.

    Of the channels: one kind of edit for every channel before the next kind, as far as there is
    room; others than the nuclear one first where light is moved out of the nucleus. Of more than
    six channels the edits of those in ``shown`` come first.
    """
    chosen: list[str] = []
    channels = tuple(dict.fromkeys(b.axis.channel for b in ranges if b.axis.channel is not None))
    nuclear = nuclear_channel(channels)
    for family, most in FIRST.items():
        own = [bounds for bounds in ranges if bounds.axis.family == family]
        if family == "channel":
            own.sort(key=lambda bounds: _rank(bounds.axis, nuclear))
            if len(channels) > MOST_TOGETHER:
                own.sort(key=lambda bounds: bounds.axis.channel not in shown)
                most = max(most, len(shown))
        chosen += [bounds.name for bounds in own[:most]]
    return tuple(chosen)


def _rank(axis: Axis, nuclear: str | None) -> tuple[int, bool]:
    return _kind(axis), KINDS[_kind(axis) :][:1] == (ACROSS,) and axis.channel == nuclear


def _kind(axis: Axis) -> int:
    """The place of an edit of a channel among the kinds of edits."""
    kind = axis.name.removeprefix(f"{axis.channel} ")
    return KINDS.index(kind) if kind in KINDS else len(KINDS)


class EditSliders(MovedSliders):
    """Sliders in groups."""

    def __init__(self, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.sliders: dict[str, EditSlider] = {}
        self._headings: list[QLabel] = []
        # Of the groups that are always in sight.
        self._heading_of: dict[str, QLabel] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self.more = Folding("More")
        self.more.setToolTip("Edits that are asked for less often")
        self._first, self._others = QWidget(), QWidget()
        for part in (self._first, self._others):
            column = QVBoxLayout(part)
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(0)
        self.more.addWidget(self._others)
        self._column.addWidget(self._first)
        self._column.addWidget(self.more)
        self.more.setVisible(False)

    def show_ranges(self, ranges: Sequence[AxisRange], shown: Sequence[str] = ()) -> None:
        """Show the axes of a cell, which is as it is; first those of the channels ``shown``."""
        self.moves.clear()
        names = [bounds.name for bounds in ranges]
        if names == list(self.sliders):
            for bounds in ranges:
                self.sliders[bounds.name].show_range(bounds)
            self.prefer(shown)
            return
        for part in (self._first, self._others):
            _empty(part)
        self._headings.clear()
        self._heading_of.clear()
        self.sliders = {}
        first = first_axes(ranges, shown)
        for bounds in ranges:
            slider = EditSlider(bounds, self._theme)
            slider.moved.connect(self.note_move)
            slider.taken.connect(self.taken)
            self.sliders[bounds.name] = slider
        self._fill(self._first, [bounds for bounds in ranges if bounds.name in first])
        others = [bounds for bounds in ranges if bounds.name not in first]
        self._fill(self._others, others)
        self.more.setText(f"More ({len(others)})")
        self.more.setVisible(bool(others))
        self.follow_theme(self._theme)

    def _fill(self, part: QWidget, ranges: Sequence[AxisRange]) -> None:
        column = part.layout()
        assert column is not None
        for family, title in TITLES.items():
            own = [bounds for bounds in ranges if bounds.axis.family == family]
            if own:
                heading = QLabel(title)
                self._headings.append(heading)
                if part is self._first:
                    self._heading_of[family] = heading
                column.addWidget(heading)
            for bounds in own:
                column.addWidget(self.sliders[bounds.name])

    def show_moves(self, moves: Mapping[str, float]) -> None:
        """Put the sliders to these amounts, all others back; nobody is told."""
        self.moves = {name: amount for name, amount in moves.items() if name in self.sliders}
        for name, slider in self.sliders.items():
            slider.go_to(self.moves.get(name, slider.home))
            if name in self.moves and self._others.isAncestorOf(slider):
                self._bring_up(slider)

    def prefer(self, shown: Sequence[str]) -> None:
        """Bring the first edits of these channels in sight, where channels are many."""
        ranges = [slider.bounds for slider in self.sliders.values()]
        if len({bounds.axis.channel for bounds in ranges} - {None}) <= MOST_TOGETHER:
            return
        of_channels = [
            name
            for name in first_axes(ranges, shown)
            if self.sliders[name].bounds.axis.channel in shown
        ]
        for name in reversed(of_channels):
            if self._others.isAncestorOf(self.sliders[name]):
                self._bring_up(self.sliders[name])

    def _bring_up(self, slider: EditSlider) -> None:
        """Move a slider from 'More' to the others of its group."""
        column = self._first.layout()
        assert isinstance(column, QVBoxLayout)
        heading = self._heading_of.get(slider.bounds.axis.family)
        place = 0 if heading is None else column.indexOf(heading) + 1
        column.insertWidget(place, slider)

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        for slider in self.sliders.values():
            slider.follow_theme(theme)
        for heading in self._headings:
            show_secondary(heading, theme)

    def home_of(self, name: str) -> float | None:
        """The amount that leaves the cell as it is."""
        return self.sliders[name].home


def _empty(part: QWidget) -> None:
    column = part.layout()
    assert column is not None
    while column.count():
        item = column.takeAt(0)
        widget = None if item is None else item.widget()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
