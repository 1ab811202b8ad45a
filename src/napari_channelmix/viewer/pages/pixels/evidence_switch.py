"""Which evidence the pictures and layers of page 'Pixels' show, and what their colours mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QRadioButton, QVBoxLayout, QWidget

from napari_channelmix.evidence_colors import evidence_legend
from napari_channelmix.viewer.widgets.colored_text import marked

if TYPE_CHECKING:
    from napari_channelmix.evidence_colors import EvidenceView

__all__ = ["EvidenceSwitch"]

# Characters of a line of the legend.
LONGEST = 40
TITLES: dict[EvidenceView, str] = {
    "signed": "For and against",
    "for": "For",
    "magnitude": "Magnitude",
}
TIPS: dict[EvidenceView, str] = {
    "signed": "Evidence for the class in one colour, against it in another, on one scale. Default",
    "for": "Evidence for the class only, on the same scale",
    "magnitude": (
        "Where there is evidence at all, for or against the class, of all channels together. It "
        "follows the contrast of the image more than what the classifier learnt: use it to see "
        "whether the classifier looks at the cell or beside it, not to tell classes apart"
    ),
}


class EvidenceSwitch(QWidget):
    """Three buttons of which one is on, and the legend; ``changed`` tells the new view."""

    changed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.buttons: dict[EvidenceView, QRadioButton] = {}
        self._group = QButtonGroup(self)
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        for view, title in TITLES.items():
            button = QRadioButton(title)
            button.setToolTip(TIPS[view])
            self.buttons[view] = button
            self._group.addButton(button)
            row.addWidget(button)
        row.addStretch(1)
        self.legend = QLabel()
        self.legend.setToolTip("The colours of the maps, in the pictures and in the layers")
        self.legend.setWordWrap(True)
        # Of two lines in a narrow dock, whichever view is shown: nothing below jumps.
        self.legend.setMinimumHeight(2 * self.legend.fontMetrics().lineSpacing() + 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(row)
        column.addWidget(self.legend)
        self._target = ""
        self.buttons["signed"].setChecked(True)
        self.show_target("")
        self._group.buttonToggled.connect(self._toggled)

    @property
    def view(self) -> EvidenceView:
        """What is shown now."""
        return next(view for view, button in self.buttons.items() if button.isChecked())

    def show_target(self, target: str) -> None:
        """Name the class that is explained in the legend; empty: none yet."""
        self._target = target
        legend = evidence_legend(self.view, target)
        self.legend.setText(marked("■", legend, LONGEST))
        self.legend.setAccessibleName("; ".join(words for _, words in legend))

    def _toggled(self, _: object, checked: bool) -> None:
        if checked:
            self.show_target(self._target)
            self.changed.emit(self.view)
