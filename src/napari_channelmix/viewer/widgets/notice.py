"""A line for the user: what went wrong, what to mind, what was done."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Literal

from qtpy.QtCore import QEvent, QRect, Qt
from qtpy.QtGui import QColor, QPainter
from qtpy.QtWidgets import QLabel, QSizePolicy, QWidget

if TYPE_CHECKING:
    from qtpy.QtGui import QPaintEvent

__all__ = ["Kind", "Notice", "breakable", "tinted"]

Kind = Literal["good", "info", "warning", "error"]

# Okabe and Ito's, which colour-blind people can tell apart.
EDGES: dict[Kind, str] = {
    "good": "#009E73",
    "info": "#0072B2",
    "warning": "#E69F00",
    "error": "#D55E00",
}
# Share of the edge's colour in the ground: enough to be seen, little enough to read on.
SHARE = 0.16
EDGE = 4
# Lines of text that a folded notice takes at most, and about how many letters each holds.
LINES, LETTERS = 7, 48
# Folding that saves fewer lines is not worth a click.
WORTH = 2
# Lines that are shown of an entry that is cut.
BEGINNING = 3
# Qt breaks a text at blanks, slashes and hyphens only: what is longer would make the page wider.
UNBROKEN = re.compile(r"[^\s/-]{41,}")


def tinted(ground: QColor, kind: Kind) -> QColor:
    """Ground of a notice: the theme's own, dark or light, with a breath of the kind's colour."""
    edge = QColor(EDGES[kind])
    mixed = (
        round((1 - SHARE) * below + SHARE * above)
        for below, above in zip(ground.getRgb()[:3], edge.getRgb()[:3], strict=True)
    )
    return QColor(*mixed)


class Notice(QLabel):
    """Text on a tinted ground; hidden while there is nothing to say.

    Every line of the text is an entry. Where they are many, the first are shown and a link unfolds
    the others: the page above must stay in sight. The ground is mixed when it is painted, from what
    the theme gives to the widget around it, so a change of theme is followed by itself.
    """

    def __init__(self, parent: QWidget | None = None, *, lines: int = LINES) -> None:
        super().__init__(parent)
        # Lines that it takes at most while it is folded.
        self.lines = lines
        self.kind: Kind = "info"
        self.unfolded = False
        self._text = ""
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
            | Qt.TextInteractionFlag.LinksAccessibleByMouse
            | Qt.TextInteractionFlag.LinksAccessibleByKeyboard
        )
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        # napari's style would fill the label with the ground of the page.
        self.setStyleSheet("QLabel { background: transparent; padding: 5px 7px 5px 11px; }")
        self.linkActivated.connect(lambda _: self.unfold(not self.unfolded))
        self.setVisible(False)

    def text(self) -> str:
        """All that is said, also what is folded away."""
        return self._text

    def say(self, text: str, kind: Kind = "info") -> None:
        """Show a text, one entry a line; an empty one hides the line."""
        if text != self._text:
            self.unfolded = False
        self.kind, self._text = kind, text
        self._show()
        self.setVisible(bool(text))
        self.update()

    def unfold(self, whole: bool) -> None:
        """Show all entries, or the first only."""
        self.unfolded = whole
        self._show()

    @property
    def folded(self) -> int:
        """How many entries the link hides, or would hide."""
        entries = self._text.splitlines()
        rows = [_rows(entry) for entry in entries]
        shown = 1
        while shown < len(rows) and sum(rows[: shown + 1]) <= self.lines:
            shown += 1
        return len(rows) - shown if sum(rows[shown:]) >= WORTH else 0

    def _show(self) -> None:
        entries = [breakable(entry) for entry in self._text.splitlines()]
        many, plain = len(entries) > 1, "\n".join(entries)
        self.setTextFormat(Qt.TextFormat.RichText if many else Qt.TextFormat.PlainText)
        self.setText(self._entries(entries) if many else plain)
        self.setToolTip(self._text if plain != self._text else "")
        self.setAccessibleName(self._text if many else "")

    def _entries(self, entries: list[str]) -> str:
        """Entries apart from each other, and the link below them."""
        folded = self.folded
        shown = entries if self.unfolded else entries[: len(entries) - folded]
        room = self.lines - sum(map(_rows, shown))
        if folded and not self.unfolded and room >= WORTH:
            # Of a long entry at least how it begins.
            shown = [*shown, entries[len(shown)][: min(room, BEGINNING) * LETTERS - 1] + "…"]
        parts = [html.escape(entry) for entry in shown]
        if folded:
            words = "Show less" if self.unfolded else f"Show {folded} more"
            color = self.palette().windowText().color().name()
            parts.append(f'<a href="#" style="color: {color}">{words}</a>')
        first, *rest = parts
        below = "".join(f'<p style="margin: 4px 0 0 0">{entry}</p>' for entry in rest)
        return f'<p style="margin: 0">{first}</p>{below}'

    def changeEvent(self, event: QEvent) -> None:
        """The link has the colour of the text, in every theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and "\n" in self._text:
            self._show()

    def clear_line(self) -> None:
        """Hide the line."""
        self.say("")

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the ground, its edge, and the text upon it."""
        around = self.parentWidget() or self
        painter = QPainter(self)
        painter.fillRect(self.rect(), tinted(around.palette().window().color(), self.kind))
        painter.fillRect(QRect(0, 0, EDGE, self.height()), QColor(EDGES[self.kind]))
        painter.end()
        super().paintEvent(event)


def _rows(entry: str) -> int:
    """About how many lines an entry takes."""
    return -(-max(1, len(entry)) // LETTERS)


def breakable(line: str) -> str:
    """A line whose longest words are cut in their middle."""
    return UNBROKEN.sub(lambda match: f"{match[0][:16]}…{match[0][-20:]}", line)
