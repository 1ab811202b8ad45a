"""Keys of the page Annotate: digits for classes, undo and redo; in the canvas as well.

1 to 9 are the first nine classes, 0 is none; with Alt, 1 to 9 and 0 are the tenth to the 19th.

napari has no use for a plugin's keys in the manifest, and its layers come before the viewer's own
bindings. So the keys are heard before the canvas gets them, and left to it whenever they may be
meant for something else.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QKeyEvent, QKeySequence
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QLineEdit,
    QMainWindow,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_channelmix.viewer.pages.annotate.undo_target import Latest

__all__ = ["KEYS", "WITH_ALT", "AnnotateKeys"]

#: Classes that have a key of their own: by a digit, and by one with Alt.
KEYS, WITH_ALT = 9, 10
TEXTS = (QLineEdit, QAbstractSpinBox, QPlainTextEdit, QTextEdit)


class AnnotateKeys(QObject):
    """Hears the keys of a page and of the canvas while the page is in front.

    Parameters
    ----------
    page : Page
    viewer : napari viewer
    classed : callable
        Gets the position of a class, or -1, for a digit, with Alt or without.
    latest : Latest
        Knows what Undo and Redo are about; where it knows of nothing, they are left to napari.
    """

    def __init__(
        self,
        page: QWidget,
        viewer: Any,
        classed: Callable[[int], object],
        latest: Latest,
    ) -> None:
        super().__init__(page)
        self._page, self._viewer, self._latest = page, viewer, latest
        self._classed = classed
        self._heard: list[QWidget] = []

    def listen(self, on: bool) -> None:
        """Begin or end to hear keys."""
        if on == bool(self._heard):
            return
        if not on:
            for widget in self._heard:
                # Some may be gone by now.
                with contextlib.suppress(RuntimeError):
                    widget.removeEventFilter(self)
            self._heard = []
            return
        # Not the widget's own window: a page that floats is one.
        window: QWidget | None = self._page
        while window is not None and not isinstance(window, QMainWindow):
            window = window.parentWidget()
        center = None if window is None else window.centralWidget()
        inside = [] if center is None else [center, *center.findChildren(QWidget)]
        # Lists of the page take digits for a search in their rows.
        own = [self._page, *self._page.findChildren(QWidget)]
        self._heard = [target for target in (*inside, *own) if not isinstance(target, TEXTS)]
        for widget in self._heard:
            widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the keys that are ours."""
        kind = event.type()
        if kind not in (QEvent.Type.KeyPress, QEvent.Type.ShortcutOverride) or not isinstance(
            event, QKeyEvent
        ):
            return False
        do = self._meant(event)
        if do is None:
            return False
        if kind == QEvent.Type.ShortcutOverride:
            # No shortcut then takes the key before it arrives here.
            event.accept()
        elif not event.isAutoRepeat():
            do()
        return True

    def _meant(self, event: QKeyEvent) -> Callable[[], object] | None:
        """What a key is to do, if it is ours."""
        if isinstance(QApplication.focusWidget(), TEXTS):
            return None
        if event.matches(QKeySequence.StandardKey.Undo):
            return self._latest.undo if self._latest.undoable else None
        # The platform's own keys for it differ: Ctrl+Y here, Ctrl+Shift+Z there.
        both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
        again = event.key() == Qt.Key.Key_Z and event.modifiers() == both
        if again or event.matches(QKeySequence.StandardKey.Redo):
            return self._latest.redo if self._latest.redoable else None
        active = self._viewer.layers.selection.active
        if active is not None and str(active.mode) != "pan_zoom":
            return None
        plain = event.modifiers() in (
            Qt.KeyboardModifier.NoModifier,
            Qt.KeyboardModifier.KeypadModifier,
        )
        digit = int(event.key()) - int(Qt.Key.Key_0)
        if not 0 <= digit <= 9:
            return None
        if plain:
            return lambda: self._classed(digit - 1)
        rest = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if rest == Qt.KeyboardModifier.AltModifier:
            return lambda: self._classed(KEYS + (digit - 1) % WITH_ALT)
        return None
