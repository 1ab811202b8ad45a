"""What a page answers, what it waits for, and the button that goes on: its empty state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_channelmix.viewer.workspace.page_list import page_info

if TYPE_CHECKING:
    from napari_channelmix.viewer.workspace.page_list import PageInfo
    from napari_channelmix.viewer.workspace.page_state import PageState
    from napari_channelmix.viewer.workspace.steps import Action

__all__ = ["PageGuide"]

# Actions that are worth a line, and those with a button of their own; for the others the page has
# what is needed.
QUICK, WITH_BUTTON = ("sample", "train"), ("train",)


class PageGuide(QWidget):
    """Stands above a page until the page is done; alone where something is missing."""

    # An `Action` that was pressed; key of a page to go to; the page is wanted as it is.
    action_requested = Signal(object)
    page_requested = Signal(str)
    anyway_requested = Signal()

    def __init__(self, page: PageInfo, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.page = page
        self._state: PageState | None = None
        self.question, self.missing = QLabel(), QLabel()
        for label in (self.question, self.missing):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        self.question.setText(page.question)
        self.button, self.anyway = QPushButton(), QPushButton("Show the page anyway")
        self.anyway.setToolTip("Show the page as it is, with what cannot be used yet")
        self.button.clicked.connect(self._pressed)
        self.anyway.clicked.connect(self.anyway_requested)
        row = QHBoxLayout()
        row.addWidget(self.button)
        row.addWidget(self.anyway)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 2, 8, 4)
        column.setSpacing(6)
        column.addWidget(self.question)
        column.addWidget(self.missing)
        column.addLayout(row)

    def show_state(self, state: PageState, *, alone: bool) -> None:
        """Show how the page stands; ``alone``: the page itself is not shown."""
        self._state = state
        blocked = state.kind == "blocked"
        action = self._action
        self.missing.setText(state.line)
        self.missing.setVisible(blocked or action is not None)
        if blocked:
            there = page_info(state.mended_on)
            label = state.actions[0].label if state.actions else f"Go to '{there.title}'"
            self.button.setText(label)
            self.button.setToolTip(f"Go to the page '{there.title}'")
        elif action is not None:
            self.button.setText(action.label)
            self.button.setToolTip(action.tip)
        self.button.setVisible(blocked or (action is not None and action.kind in WITH_BUTTON))
        self.anyway.setVisible(blocked and alone)
        self.setVisible(state.kind != "done")

    @property
    def _action(self) -> Action | None:
        """The action that a newcomer wants, where it is worth a line."""
        actions = () if self._state is None else self._state.actions
        return next((action for action in actions if action.kind in QUICK), None)

    def _pressed(self) -> None:
        state, action = self._state, self._action
        if state is not None and state.kind == "blocked":
            self.page_requested.emit(state.mended_on)
        elif action is not None:
            self.action_requested.emit(action)
