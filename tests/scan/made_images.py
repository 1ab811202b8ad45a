"""Folders of small images for the tests of scans."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import tifffile

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def made_folder(folder, names, side=8):
    """Write images of one value each, 1, 2, ... in the order of the names; other files as text."""
    for number, name in enumerate(names, 1):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix.lower() in (".tif", ".tiff"):
            tifffile.imwrite(path, np.full((side, side), number, np.uint16))
        else:
            path.write_text("text", encoding="utf-8")
    return folder


def scan_styles():
    """The styles of the benchmark, with their truths."""
    if "scan_styles" not in sys.modules:
        spec = importlib.util.spec_from_file_location("scan_styles", BENCHMARKS / "scan_styles.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules["scan_styles"] = module
        spec.loader.exec_module(module)
    return sys.modules["scan_styles"]
