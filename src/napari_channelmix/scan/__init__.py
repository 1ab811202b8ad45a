"""What lies in a folder, a plate or a table that was not made for us becomes a data set."""

from napari_channelmix.scan.folder import scan_folder, scan_folder_job
from napari_channelmix.scan.learn_pattern import learn_pattern
from napari_channelmix.scan.pattern import Pattern
from napari_channelmix.scan.questions import Choice, LeftOut
from napari_channelmix.scan.roles import Role
from napari_channelmix.scan.scan import Scan
from napari_channelmix.settings.scan import ScanSettings

__all__ = [
    "Choice",
    "LeftOut",
    "Pattern",
    "Role",
    "Scan",
    "ScanSettings",
    "learn_pattern",
    "scan_folder",
    "scan_folder_job",
]
