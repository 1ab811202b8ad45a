"""How long a run will take, at the button that starts it."""

from __future__ import annotations

from qtpy.QtWidgets import QLabel, QWidget

from napari_channelmix.duration import Workload, estimate
from napari_channelmix.viewer.widgets.secondary_text import show_secondary

__all__ = ["RunTimeLine"]

TIP = (
    "'about': from the last run of this kind on this computer, in proportion to cells and epochs, "
    "rounded up. 'at least': no run of this kind was timed yet, and no processor is faster"
)
UNKNOWN = "How long it takes is not known before the first run."


class RunTimeLine(QLabel):
    """One line; empty where there is nothing to run."""

    def __init__(self, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWordWrap(True)
        self.setToolTip(TIP)
        self.follow_theme(theme)
        self.show_work(None)

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        show_secondary(self, theme)

    def show_work(self, work: Workload | None, subject: str = "") -> None:
        """Say how long this takes; None: nothing can be run. ``subject``: what is meant."""
        estimated = None if work is None else estimate(work)
        takes = f"{subject}: {estimated.text}." if estimated and subject else ""
        takes = takes or (f"Takes {estimated.text}." if estimated else UNKNOWN)
        text = "" if work is None else takes
        self.setText(text)
        self.setVisible(bool(text))
