from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "src"

SCRIPT = """
import sys
from time import process_time as now
start = now()
import napari
viewer = napari.Viewer(show=False)
from qtpy.QtWidgets import QApplication
QApplication.processEvents()
times = [now() - start]
start = now()
from napari_channelmix.viewer.page_parts.open_page import open_workspace
workspace = open_workspace(viewer)
QApplication.processEvents()
times.append(now() - start)
start = now()
workspace.show_page("Data")
times.append(now() - start)
for module, name in (
    ("images_dock", "DataPage"), ("classifier_dock", "ClassifierPage"),
    ("importance_dock", "ChannelsPage"), ("explain_dock", "PixelsPage"),
    ("latents_dock", "LatentsPage"), ("annotate_dock", "AnnotatePage"),
    ("phenotypes_dock", "PhenotypesPage"), ("reproduce_dock", "ReportPage"),
    ("pages.whatif.page", "WhatIfPage"),
):
    start = now()
    kind = getattr(__import__(f"napari_channelmix.viewer.{module}", fromlist=[name]), name)
    viewer.window.add_dock_widget(kind(viewer), name=name)
    times.append(now() - start)
QApplication.processEvents()
libraries = "torch", "scipy.ndimage", "matplotlib"
print(*times, *(name in sys.modules for name in libraries))
viewer.close()
"""


def test_the_workspace_and_each_dock_open_fast_and_without_torch() -> None:
    paths = os.pathsep.join([str(SOURCE), os.environ.get("PYTHONPATH", "")])
    answer = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    *times, torch, scipy, matplotlib = answer.stdout.split()
    assert torch == scipy == matplotlib == "False"
    napari, *opened = map(float, times)
    # Processor time, against that of napari itself: machines differ, and are busy. The workspace
    # comes with most of our modules.
    assert opened[0] < 0.6 * napari and max(opened[1:]) < 0.3 * napari, times
