"""The sliders of all axes, and what is said of those that are left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_channelmix.viewer.page_parts.moved_sliders import MovedSliders
from napari_channelmix.viewer.pages.latents.slider import AxisSlider

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_channelmix.viewer.charts.latent_axes import Axis

__all__ = ["Sliders"]


class Sliders(MovedSliders):
    """A slider for each active axis; below are named those that do not do what they say.

    And the axes that are inactive.
    """

    def __init__(self, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.sliders: tuple[AxisSlider, ...] = ()
        self.inactive = QLabel()
        self.inactive.setWordWrap(True)
        self.inactive.setToolTip("These latents do not vary among the cells, or are unused")
        self.doubts = QLabel()
        self.doubts.setWordWrap(True)
        self.doubts.setToolTip(
            "Measured on drawings of cells: what a slider changes beside what its name says"
        )
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(1)
        for label in (self.doubts, self.inactive):
            self._column.addWidget(label)
            label.setVisible(False)

    def show_axes(
        self, axes: Sequence[Axis], inactive: Sequence[str], doubts: Sequence[str] = ()
    ) -> None:
        """Show other axes; ``doubts`` say of sliders that they do not do what they say."""
        self.moves.clear()
        for old in self.sliders:
            self._column.removeWidget(old)
            old.hide()
            old.deleteLater()
        self.sliders = tuple(AxisSlider(axis, self._theme) for axis in axes)
        for index, slider in enumerate(self.sliders):
            self._column.insertWidget(index, slider)
            slider.moved.connect(self.note_move)
            slider.taken.connect(self.taken)
        self.inactive.setText(_in_words(axes, inactive))
        self.doubts.setText(
            f"In these drawings sliders do not do what they say: {'; '.join(doubts)}."
            if doubts
            else ""
        )
        for label in (self.doubts, self.inactive):
            label.setVisible(bool(label.text()))

    def show_cell(self, cell: int) -> None:
        """Mark a cell on all axes, and go there."""
        self.moves.clear()
        for slider in self.sliders:
            slider.show_cell(float(slider.axis.values[cell]))

    def reset(self) -> None:
        """Go back to the cell; nobody is told."""
        self.moves.clear()
        for slider in self.sliders:
            if slider.own is not None:
                slider.show_cell(slider.own)

    def of(self, name: str) -> AxisSlider:
        """The slider of an axis."""
        return next(slider for slider in self.sliders if slider.axis.name == name)

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        for slider in self.sliders:
            slider.follow_theme(theme)

    def home_of(self, name: str) -> float | None:
        """Where the cell itself lies on an axis."""
        return self.of(name).own


def _in_words(axes: Sequence[Axis], inactive: Sequence[str]) -> str:
    if not inactive:
        return ""
    # A name is never torn apart at the end of a line.
    names = ", ".join(name.replace(" ", "\N{NO-BREAK SPACE}") for name in inactive)
    if not axes:
        return f"Nothing to move: {names} are the same in all cells."
    return f"Inactive, the same in all cells: {names}."
