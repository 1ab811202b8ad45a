"""Which colour is which class, in a line."""

from __future__ import annotations

import html
from collections.abc import Sequence

from qtpy.QtWidgets import QLabel, QWidget

from napari_channelmix.viewer.charts.colors import class_hex

__all__ = ["ClassLegend"]

# Classes that are named; how many others there are is said, and the tooltip names them.
MOST = 8


class ClassLegend(QLabel):
    """A square and a name for each class; hidden where there are none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWordWrap(True)
        self.setVisible(False)

    def show_classes(self, classes: Sequence[str], where: str) -> None:
        """Name the classes; their positions are their colours.

        Parameters
        ----------
        classes : sequence of str
        where : str
            What has these colours, in words.
        """
        parts = [
            f'<nobr><span style="color:{class_hex(code)}">■</span> {html.escape(name)}</nobr>'
            for code, name in enumerate(classes[:MOST])
        ]
        if len(classes) > MOST:
            parts.append(f"and {len(classes) - MOST} more")
        self.setText("&nbsp; ".join([f"{html.escape(where)}:", *parts]) if parts else "")
        names = ", ".join(classes)
        self.setToolTip(f"{where}: {names}")
        self.setAccessibleName(f"Colours of the classes: {names}")
        self.setVisible(bool(parts))
