"""What is installed here, whether a window can open, which devices there are, and why not more."""

from __future__ import annotations

import os
import platform
import sys
from typing import Any

from napari_channelmix.provenance import package_version, provenance

__all__ = ["SCHEMA", "examine", "report"]

SCHEMA = "napari-channelmix/doctor/1"

LIBRARIES = (
    "napari-channelmix",
    "torch",
    "napari",
    "numpy",
    "pandas",
    "scikit-image",
    "tifffile",
    "zarr",
    "pyqtgraph",
    "safetensors",
)
EXTRAS = {
    "monai": "zoo",
    "onnxruntime": "onnx",
    "imagecodecs": "io",
    "captum": "compare",
    "h5py": "anndata",
}
BINDINGS = ("PyQt6", "PySide6", "PyQt5")


def examine() -> dict[str, Any]:
    """Everything worth knowing when something does not work, ready for JSON."""
    import torch

    from napari_channelmix.classify.device import unavailable_reason

    devices: dict[str, str] = {"cpu": f"yes, {os.cpu_count()} cores"}
    for name in ("cuda", "mps"):
        reason = unavailable_reason(name)
        devices[name] = f"no: {reason}" if reason else "yes"
    if unavailable_reason("cuda") is None:
        devices["cuda"] = f"yes, {torch.cuda.get_device_name(0)}"
    bindings = {
        name: _binding(name, version) for name in BINDINGS if (version := package_version(name))
    }
    return {
        "schema": SCHEMA,
        "python": f"{platform.python_version()} ({platform.platform()})",
        "libraries": {name: package_version(name) or "missing" for name in LIBRARIES},
        "extras": {
            name: package_version(name) or f"not installed (extra '{extra}')"
            for name, extra in EXTRAS.items()
        },
        "qt": bindings or {"none": "no Qt binding: pip install 'napari-channelmix[all]'"},
        "window": window_trouble() or "yes",
        "gl": _gl(bool(bindings)),
        "devices": devices,
        "threads": torch.get_num_threads(),
        "provenance": provenance(),
    }


def _binding(name: str, version: str) -> str:
    """Version of a Qt binding, with a warning where it does not go with this Python."""
    release = tuple(int(part) for part in version.split(".")[:2])
    if name == "PySide6" and release >= (6, 12) and sys.version_info < (3, 12):
        # It loses a reference to None at every call, and Python before 3.12 counts them.
        return f"{version}: aborts with Python before 3.12; pip install 'PySide6<6.12'"
    return version


def window_trouble() -> str | None:
    """Why no window can be opened here, or None where one can."""
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return "no display (DISPLAY is not set); a virtual one will do: xvfb-run -a COMMAND"
    if os.environ.get("QT_QPA_PLATFORM") == "offscreen":
        return "QT_QPA_PLATFORM=offscreen has no OpenGL; unset it and use xvfb-run"
    return None


def _gl(bound: bool) -> str:
    """Version of OpenGL in a hidden context, asked for in a process of its own: it may crash."""
    if window_trouble() or not bound:
        return "not asked (no window)"
    import subprocess

    question = (
        "from vispy import app; app.use_app(); from vispy.gloo import gl\n"
        "canvas = app.Canvas(show=False); canvas.set_current()\n"
        "print(gl.glGetParameter(gl.GL_VERSION))"
    )
    try:
        answer = subprocess.run(
            [sys.executable, "-c", question], capture_output=True, text=True, timeout=60, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        return f"failed: {type(error).__name__}; is an OpenGL driver installed?"
    return answer.stdout.strip() or "unknown"


def report(findings: dict[str, Any]) -> str:
    """The findings for a person, a line each."""
    lines = []
    for name, value in findings.items():
        if name in ("schema", "provenance"):
            continue
        if isinstance(value, dict):
            lines.append(f"{name}:")
            lines += [f"  {key:<18} {text}" for key, text in value.items()]
        else:
            lines.append(f"{name + ':':<20} {value}")
    return "\n".join(lines)
