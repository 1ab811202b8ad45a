from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "src"

SCRIPT = """
import sys, time
import napari
viewer = napari.Viewer(show=False)
from qtpy.QtWidgets import QApplication
times = []
start = time.perf_counter()
from napari_channelmix.viewer.page_parts.open_page import open_workspace
workspace = open_workspace(viewer)
QApplication.processEvents()
times.append(time.perf_counter() - start)
start = time.perf_counter()
workspace.show_page("Data")
times.append(time.perf_counter() - start)
for module, name in (
    ("images_dock", "DataPage"), ("classifier_dock", "ClassifierPage"),
    ("importance_dock", "ChannelsPage"), ("explain_dock", "PixelsPage"),
    ("latents_dock", "LatentsPage"), ("annotate_dock", "AnnotatePage"),
    ("phenotypes_dock", "PhenotypesPage"), ("reproduce_dock", "ReportPage"),
    ("pages.whatif.page", "WhatIfPage"),
):
    start = time.perf_counter()
    kind = getattr(__import__(f"napari_channelmix.viewer.{module}", fromlist=[name]), name)
    viewer.window.add_dock_widget(kind(viewer), name=name)
    times.append(time.perf_counter() - start)
QApplication.processEvents()
print(*times, "torch" in sys.modules, "sklearn" in sys.modules, "matplotlib" in sys.modules)
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
    *times, torch, _, matplotlib = answer.stdout.split()
    assert torch == "False" and matplotlib == "False"
    # 0.3 s each on an idle machine; this one may be busy.
    assert max(map(float, times)) < 1.0, times
