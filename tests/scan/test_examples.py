"""The examples in the documentation of the room `scan/` are true."""

import doctest
import importlib

import pytest

from .made_images import made_folder

MODULES = (
    "described",
    "doses",
    "folder",
    "learn_pattern",
    "label_files",
    "pattern",
    "presets",
    "questions",
    "roles",
    "scan",
    "wells",
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_true(name, tmp_path):
    module = importlib.import_module(f"napari_channelmix.scan.{name}")
    files = [f"{w}_z{z}_ch{c}.tif" for w in ("A01", "B02") for z in (1, 2) for c in (1, 5)]
    result = doctest.testmod(module, extraglobs={"folder": made_folder(tmp_path, files)})
    assert result.attempted > 0 and result.failed == 0
