"""A button with a list of classes, of which some may be chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QMenu, QSizePolicy, QToolButton, QWidget

from napari_channelmix.viewer.charts.class_swatch import swatch
from napari_channelmix.viewer.widgets.menu_arrow import leave_room_for_arrow

if TYPE_CHECKING:
    from qtpy.QtGui import QAction

__all__ = ["ClassMenu"]

LONGEST = 14


class ClassMenu(QToolButton):
    """All classes, or some of them.

    Signals
    -------
    changed()
        Others are chosen; see `chosen`.
    """

    changed = Signal()

    def __init__(self, title: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title, self._tip = title, tip
        #: Codes of the classes that are chosen; None for all.
        self.chosen: frozenset[int] | None = None
        self._offered: list[tuple[int, str]] = []
        self._menu = QMenu(self)
        self._menu.setToolTipsVisible(True)
        self.setMenu(self._menu)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        leave_room_for_arrow(self)
        self.fill([])

    def fill(
        self,
        offered: Sequence[tuple[int, str]],
        *,
        keep: bool = True,
        colors: Sequence[int] | None = None,
        why: str = "",
    ) -> None:
        """Offer classes, codes and names; what was chosen by name stays so where ``keep`` is set.

        ``colors`` are positions of the colours, where they are not the codes; ``why`` says why
        there is nothing to choose.
        """
        names = self._names()
        self._offered = list(offered)
        remaining = frozenset(code for code, name in self._offered if name in names)
        self.chosen = remaining if keep and names and remaining else None
        self._menu.clear()
        everything = self._menu.addAction("All")
        everything.setCheckable(True)
        everything.triggered.connect(lambda _: self.choose(None))
        self._menu.addSeparator()
        for index, (code, name) in enumerate(self._offered):
            color = colors[index] if colors is not None else code
            action = self._menu.addAction(swatch(color), name.replace("&", "&&"))
            action.setCheckable(True)
            action.setData(code)
            action.triggered.connect(lambda _, code=code: self._toggle(code))
        self.setEnabled(bool(self._offered))
        self.setToolTip(self._tip if self._offered else f"{self._tip}: {why}")
        self._say()

    def choose(self, codes: frozenset[int] | None) -> None:
        """Choose these classes; none of them, or all, is no choice."""
        every = frozenset(code for code, _ in self._offered)
        self.chosen = None if not codes or codes == every else codes
        self._say()
        self.changed.emit()

    def actions_of_classes(self) -> list[QAction]:
        """The entries of the classes."""
        return [action for action in self._menu.actions() if action.data() is not None]

    def _toggle(self, code: int) -> None:
        # From all to one: that is what somebody means who picks a class.
        before = self.chosen or frozenset()
        self.choose(before ^ {code})

    def _names(self) -> set[str]:
        chosen = self.chosen or frozenset()
        return {name for code, name in self._offered if code in chosen}

    def _say(self) -> None:
        chosen = self.chosen
        for action in self._menu.actions():
            code = action.data()
            action.setChecked(
                chosen is None if code is None else chosen is not None and code in chosen
            )
        names = [name for code, name in self._offered if chosen is not None and code in chosen]
        text = "all" if chosen is None else names[0] if len(names) == 1 else f"{len(names)} classes"
        if len(text) > LONGEST:
            text = f"{text[: LONGEST - 1]}…"
        self.setText(f"{self._title}: {text}")
