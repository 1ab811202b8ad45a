"""Controls that training and channel importance share: network and device."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING, Any, cast

from qtpy.QtWidgets import QComboBox, QSpinBox, QWidget

from napari_channelmix.viewer.page_parts.device_job import devices_job
from napari_channelmix.viewer.session.preferences import PREFERENCES, Preferences
from napari_channelmix.viewer.tasks.task import Task

if TYPE_CHECKING:
    from qtpy.QtGui import QStandardItemModel

    from napari_channelmix.viewer.page_parts.base_page import Page
    from napari_channelmix.viewer.session.session import Session

__all__ = ["DeviceBox", "NetworkBox", "follow_seed", "reason_not_ready", "whole"]

# As `classify.network_names` gives them; written down here, since asking would load PyTorch.
BUILT_IN = ("small", "tiny", "medium")
FROM_MONAI = ("resnet18", "resnet50", "densenet121", "efficientnet-b0")


class NetworkBox(QComboBox):
    """Networks by name; those of MONAI are off where it is not installed, and say so."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.addItems([*BUILT_IN, *FROM_MONAI])
        self.setToolTip(
            "The network: 'small' fits crops of 24 to 128 pixels; 'tiny' is faster; "
            "the others need more cells and time"
        )
        if importlib.util.find_spec("monai") is None:
            for name in FROM_MONAI:
                _switch_off(self, name, "needs MONAI: pip install 'napari-channelmix[zoo]'")


class DeviceBox(QComboBox):
    """Devices; one that is missing is off and says why, once PyTorch could be asked."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.task = Task(session)
        self._queried = False
        self.addItems(["auto", "cpu", "cuda", "mps"])
        self.setToolTip(
            "Where to compute; 'auto': the device of the preferences, else a graphics card where "
            "there is one"
        )

    def showPopup(self) -> None:
        """Ask PyTorch when the list is first opened: loading it earlier would delay the page."""
        if not self._queried:
            self._queried = True
            if "torch" in sys.modules:
                self.take(_now())
            else:
                self.task.run("looking for devices", devices_job(), self.take)
        super().showPopup()

    def take(self, reasons: dict[str, str | None]) -> None:
        """Switch off the devices that are missing."""
        for name, reason in reasons.items():
            if reason is not None:
                _switch_off(self, name, f"{name}: {reason}")


def _now() -> dict[str, str | None]:
    from napari_channelmix.jobs import drain

    return drain(devices_job())


def _switch_off(box: QComboBox, name: str, reason: str) -> None:
    index = box.findText(name)
    item = cast("QStandardItemModel", box.model()).item(index)
    if item is not None:
        item.setEnabled(False)
        item.setToolTip(reason)
    if box.currentIndex() == index:
        box.setCurrentIndex(0)


def whole(low: int, high: int, value: int, tip: str) -> QSpinBox:
    """A box for whole numbers."""
    box = QSpinBox()
    box.setRange(low, high)
    box.setValue(value)
    box.setToolTip(tip)
    return box


def reason_not_ready(session: Session) -> str:
    """Why nothing can be learnt from the session's cells yet, or an empty text."""
    cells: Any = session.cells
    if cells is None:
        return "First open a data set or use layers on the page 'Data'."
    used = [name for name, count in cells.class_counts.items() if count]
    if len(used) < 2:
        return "Two classes are needed: create them on the page 'Annotate' and label some cells."
    return ""


def follow_seed(page: Page, box: QSpinBox) -> None:
    """Begin with the preferred seed, and follow it until the user has chosen another one."""
    box.setValue(PREFERENCES.now.seed)
    preferred = box.value()

    def changed(preferences: Preferences) -> None:
        nonlocal preferred
        if box.value() == preferred:
            box.setValue(preferences.seed)
        preferred = preferences.seed

    page.follow(PREFERENCES.changed, changed)
