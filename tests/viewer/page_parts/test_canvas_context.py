"""Layers may be removed in any order, at any moment: the window lives on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtGui import QOpenGLContext

from napari_channelmix.viewer.page_parts.base_page import Page

from ..conftest import canvas_of

SCRIPT = Path(__file__).parent.with_name("deleting.py")
# Seeds, and orders of each. What went wrong before did so within the first few orders.
RUNS = [(0, 25), (1, 25)] if os.environ.get("SLOW") else [(0, 8)]


@pytest.mark.slow
@pytest.mark.timeout(620)
@pytest.mark.parametrize(("seed", "orders"), RUNS)
def test_random_orders_of_deleting_layers(seed: int, orders: int, tmp_path: Path) -> None:
    folders = {f"XDG_{what}_HOME": str(tmp_path) for what in ("DATA", "CACHE", "CONFIG")}
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(seed), str(orders)],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, **folders},
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, f"survived {orders}"), done.stderr[-3000:]
    assert "Traceback" not in done.stderr, done.stderr[-3000:]


def test_a_layer_is_removed_in_the_context_of_the_canvas(viewer: Any, dock: Any) -> None:
    dock(Page)
    canvas = canvas_of(viewer)
    heard: list[bool] = []
    viewer.layers.events.removing.connect(
        lambda _: heard.append(QOpenGLContext.currentContext() == canvas.context()),
        position="last",
    )
    for image in np.zeros((2, 8, 8)):
        viewer.add_image(image)
    canvas.doneCurrent()
    viewer.layers.remove(viewer.layers[0])
    canvas.doneCurrent()
    viewer.layers.clear()
    assert heard == [True, True]
