"""What this computer can compute with, why not with more, and a way to get memory back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from napari_channelmix.viewer.page_parts.device_job import devices_job
from napari_channelmix.viewer.pages.classifier.free_memory import free_memory, in_words
from napari_channelmix.viewer.session.preferences import PREFERENCES, Preferences
from napari_channelmix.viewer.tasks.task import Task
from napari_channelmix.viewer.widgets.folding import Folding

if TYPE_CHECKING:
    from napari_channelmix.viewer.session.session import Session

__all__ = ["ComputerBox"]

WHERE = "Change these under File > Preferences > ChannelMix."


class ComputerBox(Folding):
    """Closed until it is asked for: PyTorch is loaded to find out about devices."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__("This computer", parent)
        self.setToolTip("Devices, threads, memory")
        self._session = session
        self.task = Task(session)
        self.devices = QLabel("Looking for devices…")
        self.devices.setTextFormat(Qt.TextFormat.PlainText)
        self.devices.setToolTip("The devices of this computer, and why one cannot be used")
        self.preferred = QLabel()
        self.preferred.setToolTip(WHERE)
        self.free = QPushButton("Free memory")
        self.free.setToolTip(
            "Clear cached maps and images, and reserved memory of the graphics card; results stay"
        )
        self.freed = QLabel()
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        for label in (self.devices, self.preferred, self.freed):
            label.setWordWrap(True)
        for widget in (self.devices, self.preferred, self.free, self.freed):
            column.addWidget(widget)
        self.freed.setVisible(False)
        self.addWidget(content)
        self._queried = False
        self.toggled.connect(self._opened)
        self.free.clicked.connect(self._free)
        self.fill(PREFERENCES.now)

    def _opened(self, is_open: bool) -> None:
        if is_open and not self._queried:
            self._queried = True
            self.task.run("looking for devices", devices_job(), self.show_devices)

    def show_devices(self, reasons: dict[str, str | None]) -> None:
        """Say of each device whether it can be used, and why not."""
        self.devices.setText(
            "\n".join(
                f"{name}: {'yes' if reason is None else f'no, {reason}'}"
                for name, reason in reasons.items()
            )
        )

    def fill(self, preferences: Preferences) -> None:
        """Say what is preferred."""
        cap = (
            f"{preferences.memory:g} GiB of memory at most"
            if preferences.memory
            else "no cap on memory"
        )
        threads = (
            f"{preferences.threads} threads"
            if preferences.threads
            else "threads chosen by each job"
        )
        maps = (
            f"up to {preferences.size} MiB of maps are kept"
            if preferences.keep
            else "no maps are kept"
        )
        self.preferred.setText(
            f"'auto' is {_auto(preferences.device)}; {threads}; {cap}; {maps}. {WHERE}"
        )

    def _free(self) -> None:
        freed = free_memory(self._session)
        self.freed.setText(f"Freed {in_words(freed)}." if freed else "There was nothing to free.")
        self.freed.setVisible(True)


def _auto(device: str) -> str:
    return "the fastest device" if device == "auto" else device
