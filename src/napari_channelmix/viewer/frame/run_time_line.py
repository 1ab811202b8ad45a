"""How long a run will take, at the button that starts it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QLabel, QWidget

from napari_channelmix.duration import Workload, estimate
from napari_channelmix.viewer.widgets.secondary_text import show_secondary

if TYPE_CHECKING:
    from napari_channelmix.viewer.frame.page import Dock

__all__ = ["RunTimeLine"]

TIP = (
    "'about': from the last run of this kind on this computer, in proportion to cells and epochs, "
    "rounded up. 'at least': no run of this kind was timed yet, and no processor is faster"
)
UNKNOWN = "How long it takes is not known before the first run."


class RunTimeLine(QLabel):
    """One line; empty where there is nothing to run.

    Parameters
    ----------
    page : Dock
        As long as it lives, the line has the colours of the viewer's theme.
    """

    def __init__(self, page: Dock, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWordWrap(True)
        self.setToolTip(TIP)
        viewer = page.viewer
        show_secondary(self, viewer.theme)
        page.follow(viewer.events.theme, lambda _: show_secondary(self, viewer.theme))
        self.show_work(None)

    def show_work(self, work: Workload | None, subject: str = "") -> None:
        """Say how long this takes; None: nothing can be run. ``subject``: what is meant."""
        found = None if work is None else estimate(work)
        takes = f"{subject}: {found.text}." if found and subject else ""
        takes = takes or (f"Takes {found.text}." if found else UNKNOWN)
        text = "" if work is None else takes
        self.setText(text)
        self.setVisible(bool(text))
