"""A cell in its channels with the map over each: those first that decide, with number and sign."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QLabel, QVBoxLayout, QWidget

from napari_channelmix.evidence_colors import map_limit
from napari_channelmix.viewer.charts.attribution_colormap import evidence_image
from napari_channelmix.viewer.charts.thumbnails import (
    Thumbnails,
    Tile,
    grey_image,
    grey_levels,
)
from napari_channelmix.viewer.pages.pixels.map_scaling import scaled

if TYPE_CHECKING:
    from qtpy.QtGui import QImage

    from napari_channelmix.evidence_colors import EvidenceView
    from napari_channelmix.viewer.session.explanation import Explanation

__all__ = ["TOP", "ChannelTiles"]

#: Tiles that are shown where there are more channels.
TOP = 8
WAITING = "…"
WORDS_TIP = (
    "The channels that the decision needs: + its light, \N{MINUS SIGN} its absence, no sign: "
    "neither more nor less of it alone. Channels that do no more than their sham are left out"
)
NO_MORE = "no more than its sham does: not to be read"


class ChannelTiles(QWidget):
    """Tiles in the order of what the channels contribute; the first eight, or all.

    Signals
    -------
    channel_chosen(str)
        A tile was clicked; there is a map of each channel.
    """

    channel_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setToolTip(WORDS_TIP)
        self.strip = Thumbnails("The cell in each channel, with the map over it")
        self.all = QCheckBox()
        self.all.setAccessibleName("Show every channel")
        self.all.setToolTip(
            f"Show every channel, in the order of what each contributes; else the first "
            f"{TOP}. Default: off"
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for widget in (self.words, self.strip, self.all):
            column.addWidget(widget)
        self._explanation: Explanation | None = None
        self._view: EvidenceView = "signed"
        #: Positions of the channels that have a tile, in their order.
        self.shown: tuple[int, ...] = ()
        self._channel = ""
        self._below: dict[int, QImage] = {}
        self.strip.chosen.connect(self._chosen)
        self.all.toggled.connect(lambda _: self._refill())
        self.clear()

    def clear(self) -> None:
        """No map and no figure is left in sight; the room they took is kept."""
        self._explanation = None
        self.words.setText("")
        self.words.setVisible(False)
        self.strip.cover([None] * len(self.strip.tiles))
        for tile in self.strip.tiles:
            tile.note = WAITING if tile.note else ""
            tile.mark = WAITING if tile.mark else ""

    def empty(self) -> None:
        """Not even the cell itself is left."""
        self.clear()
        names = [tile.title for tile in self.strip.tiles]
        self.strip.show_tiles([Tile(None, title=name) for name in names])

    def show_explanation(self, explanation: Explanation) -> None:
        """Show what is known of a cell so far; only what is new is drawn again."""
        before, self._explanation = self._explanation, explanation
        if before is None or before.crops is not explanation.crops:
            self._below = {}
        anew = before is None or any(
            getattr(before, what) is not getattr(explanation, what)
            for what in ("crops", "contributions", "channel_reliability")
        )
        if anew or before is None or before.contributions_known != explanation.contributions_known:
            self._refill()
            return
        maps = ("map", "magnitude", "channel_maps")
        if any(getattr(before, what) is not getattr(explanation, what) for what in maps):
            self._cover()

    def show_view(self, view: EvidenceView) -> None:
        """Show other evidence over the channels."""
        self._view = view
        self._cover()

    def frame(self, channel: str) -> None:
        """Set off the channel whose map is in the picture; empty: none."""
        self._channel = channel
        names = [] if self._explanation is None else list(self._explanation.channels)
        index = names.index(channel) if channel in names else -1
        self.strip.frame(self.shown.index(index) if index in self.shown else None)

    # ---------------------------------------------------------------- tiles

    def _refill(self) -> None:
        explanation = self._explanation
        if explanation is None:
            return
        count = len(explanation.channels)
        self.all.setVisible(count > TOP)
        self.all.setText(f"All {count} channels")
        order = range(count)
        if explanation.contributions is not None:
            order = explanation.contributions.order.tolist()
        self.shown = tuple(order if self.all.isChecked() else list(order)[:TOP])
        self.strip.show_tiles([self._tile(explanation, index) for index in self.shown])
        self.strip.make_pressable(explanation.question.channels == "separate" and count > 1)
        self.words.setText(_in_words(explanation))
        self.words.setVisible(count > TOP)
        self._cover()
        self.frame(self._channel)
        description = "; ".join(f"{tile.title} {tile.note}" for tile in self.strip.tiles)
        self.strip.setAccessibleDescription(description)

    def _picture(self, explanation: Explanation, index: int) -> QImage:
        """The cell in a channel, made when it is first shown."""
        if index not in self._below:
            levels = grey_levels(explanation.crops, explanation.limits)
            self._below |= {n: grey_image(levels[n]) for n in self.shown if n not in self._below}
        return self._below[index]

    def _tile(self, explanation: Explanation, index: int) -> Tile:
        name, contributions = explanation.channels[index], explanation.contributions
        tile = Tile(self._picture(explanation, index), title=name)
        tips = [f"{name}, cell {explanation.name}"]
        if explanation.limits is not None:
            tips.append(f"Grey values {explanation.limits.text(name)}")
        if contributions is not None:
            tile.title = contributions.signed_name(index)
            tile.note, line = contributions.figure(index), contributions.line(index)
            tips.append(line)
        elif not explanation.contributions_known and len(explanation.channels) > 1:
            tile.note = WAITING
        tested = explanation.channel_reliability
        if tested is not None and explanation.channel_maps is not None:
            tile.mark = tested.mark(name)
            tips.append(tested.line(name))
        elif explanation.question.channels == "separate" and len(explanation.channels) > 1:
            tile.mark = WAITING
        tile.tip = "\n".join(tips)
        return tile

    def _cover(self) -> None:
        explanation = self._explanation
        if explanation is None or explanation.map is None:
            return
        self.strip.cover(_overlays(explanation, self._view, self.shown))

    def _chosen(self, place: int) -> None:
        explanation = self._explanation
        if explanation is not None and place < len(self.shown):
            self.channel_chosen.emit(explanation.channels[self.shown[place]])


def _in_words(explanation: Explanation) -> str:
    contributions = explanation.contributions
    if contributions is None or explanation.target is None or not contributions.words:
        return ""
    target = html.escape(explanation.classes[explanation.target])
    return f"<b>{target}</b> here by: {html.escape(contributions.words)}"


def _overlays(
    explanation: Explanation, view: EvidenceView, shown: tuple[int, ...]
) -> list[QImage | None]:
    """The cell's map over every channel, or each channel's own; the magnitude is of all."""
    assert explanation.map is not None
    if view == "magnitude" and explanation.magnitude is not None:
        return [evidence_image(scaled(explanation.magnitude), view)] * len(shown)
    if explanation.channel_maps is None:
        return [evidence_image(scaled(explanation.map), view)] * len(shown)
    # One scale for all: a channel that says little has a pale map.
    limit = map_limit(explanation.channel_maps)
    maps = explanation.channel_maps[np.array(shown, np.int64)]
    return [evidence_image(scaled(each, limit), view) for each in maps]
