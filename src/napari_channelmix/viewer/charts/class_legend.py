"""Which colour is which class, in a line: the same on every page."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QLabel, QWidget

from napari_channelmix.viewer.charts.colors import class_hex, palette_of
from napari_channelmix.wording import middle_cut

if TYPE_CHECKING:
    from napari_channelmix.viewer.session.session import Session

__all__ = ["ClassLegend", "session_palette"]

# Classes that are named; how many others there are is said, and the tooltip names them.
MOST = 12
# Letters of a name where there are more classes than these: two names then fit beside each other.
FEW, LETTERS = 8, 18
UNBROKEN = "\u2060…\u2060"
NO_CLASS = "no class"


def session_palette(session: Session) -> tuple[str, ...]:
    """All classes of a session; positions are colours: those of the cells, predicted, known."""
    cells, predictions, trained = session.cells, session.predictions, session.trained
    return palette_of(
        () if cells is None else cells.classes,
        (
            *(() if predictions is None else predictions.classes),
            *(() if trained is None else trained.classifier.classes),
        ),
    )


class ClassLegend(QLabel):
    """A square and a name for each class; hidden where there are none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWordWrap(True)
        self.setVisible(False)

    def show_classes(
        self, classes: Sequence[str], where: str, *, no_class: bool = False, note: str = ""
    ) -> None:
        """Name the classes; their positions are their colours.

        Parameters
        ----------
        classes : sequence of str
            As `charts.colors.palette_of` gives them, so that every page has one order.
        where : str
            What has these colours, in words.
        no_class : bool
            Whether cells without a class are shown, too.
        note : str
            A line below.
        """
        shown = [*enumerate(classes[:MOST]), *([(-1, NO_CLASS)] if no_class else [])]
        parts = [
            f'<nobr><span style="color:{class_hex(code)}">■</span> '
            f"{html.escape(name if len(classes) <= FEW else _short(name))}</nobr>"
            for code, name in shown
        ]
        if len(classes) > MOST:
            parts.append(f"and {len(classes) - MOST} more")
        text = "&nbsp; ".join([f"{html.escape(where)}:", *parts]) if parts else ""
        self.setText("<br>".join(line for line in (text, html.escape(note)) if line))
        names = ", ".join([*classes, *([NO_CLASS] if no_class else [])])
        self.setToolTip(f"{where}: {names}" if parts else note)
        self.setAccessibleName(f"Colours of the classes: {names}")
        self.setVisible(bool(parts or note))


def _short(name: str) -> str:
    # Qt would break the line behind the dots.
    return middle_cut(name, LETTERS).replace("…", UNBROKEN)
