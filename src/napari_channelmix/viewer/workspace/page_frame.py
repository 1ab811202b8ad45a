"""Where a page stands in the workspace: its title, its empty state, and the page itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QMargins, Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QDockWidget,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_channelmix.viewer.widgets.theme import chart_colors
from napari_channelmix.viewer.workspace.guide import PageGuide
from napari_channelmix.viewer.workspace.icons import icon
from napari_channelmix.viewer.workspace.page_state import PageState

if TYPE_CHECKING:
    from napari_channelmix.viewer.workspace.page_list import PageInfo

__all__ = ["PageFrame"]

# Around a page beside the rail.
MARGIN = 2


class PageFrame(QWidget):
    """Title, guide and page; while the page is out in a dock of its own, the way to it.

    Attributes
    ----------
    page : Page or None
        The widget, once it was made; the same one here and in a dock of its own.
    dock : QDockWidget or None
        The dock of its own.
    """

    take_out_requested = Signal()
    put_back_requested = Signal()
    front_requested = Signal()

    def __init__(self, info: PageInfo, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.info = info
        self.page: Any = None
        self.dock: QDockWidget | None = None
        self.state = PageState("ready", "")
        # Whether the user wants to see the page though something is missing.
        self.anyway = False
        # Narrowest that the page was made for, and its margins, in a dock of its own.
        self._width, self._margins = 0, QMargins()
        self.title = QLabel(f"<b>{info.title}</b>")
        self.title.setToolTip(info.question)
        self.take_out = QToolButton()
        self.take_out.setAutoRaise(True)
        self.take_out.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.take_out.setAccessibleName(f"Take '{info.title}' out")
        self.take_out.setToolTip(
            "Take this page out into a window of its own; close that window to put it back"
        )
        self.guide = PageGuide(info)
        self.away = QWidget()
        words = QLabel("This page is in a window of its own.")
        words.setWordWrap(True)
        self.to_front, self.put_back = QPushButton("Show it"), QPushButton("Put it back")
        self.to_front.setToolTip("Bring the page to the front")
        self.put_back.setToolTip("Put the page back here; it stays as it is")
        inside = QVBoxLayout(self.away)
        inside.setContentsMargins(8, 2, 8, 4)
        for widget in (words, self.to_front, self.put_back):
            inside.addWidget(widget)
        row = QHBoxLayout()
        row.setContentsMargins(8, 0, 4, 0)
        row.addWidget(self.title, 1)
        row.addWidget(self.take_out)
        self._holder = QVBoxLayout()
        self._holder.setContentsMargins(0, 0, 0, 0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(row)
        column.addWidget(self.guide)
        column.addWidget(self.away)
        column.addLayout(self._holder, 1)
        self._below = QWidget()
        column.addWidget(self._below, 1)
        self.take_out.clicked.connect(self.take_out_requested)
        self.put_back.clicked.connect(self.put_back_requested)
        self.to_front.clicked.connect(self.front_requested)
        self.guide.anyway_requested.connect(self.show_anyway)
        self.follow_theme(theme)
        self._arrange()

    @property
    def wants_page(self) -> bool:
        """Whether the page is to be shown here, and has to be made for that."""
        return self.dock is None and (self.anyway or self.state.kind != "blocked")

    @property
    def shows_page(self) -> bool:
        """Whether the page itself stands here."""
        return self.page is not None and self.wants_page

    def hold(self, page: Any) -> None:
        """Take a page in."""
        self._remember(page)
        self.page, self.dock = page, None
        # Beside the rail there is less room than in a dock of its own.
        page.setMinimumWidth(0)
        page.column.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        self._holder.addWidget(page)
        self._arrange()

    def let_go(self, page: Any, dock: QDockWidget) -> None:
        """The page is in a dock of its own now."""
        self._remember(page)
        self.page, self.dock = page, dock
        page.setMinimumWidth(self._width)
        page.column.setContentsMargins(self._margins)
        page.show()
        self._arrange()

    def forget(self) -> None:
        """The page is no longer this workspace's."""
        self.page = self.dock = None
        self._arrange()

    def _remember(self, page: Any) -> None:
        if self.page is not page:
            self._width, self._margins = page.minimumWidth(), page.column.contentsMargins()

    def show_state(self, state: PageState) -> None:
        """Show how the page stands."""
        if state.kind != self.state.kind:
            self.anyway = False
        self.state = state
        self._arrange()

    def show_anyway(self) -> None:
        """Show the page though something is missing."""
        self.anyway = True
        self._arrange()

    def _arrange(self) -> None:
        out = self.dock is not None
        self.take_out.setEnabled(not out)
        self.away.setVisible(out)
        self.guide.show_state(self.state, alone=not self.wants_page)
        if out:
            self.guide.hide()
        elif self.page is not None:
            self.page.setVisible(self.wants_page)
        self._below.setVisible(not self.shows_page)

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        color = QColor(chart_colors(theme).text)
        self.take_out.setIcon(icon("take-out", color, self.devicePixelRatioF()))
