"""Old names of modules still work, and say what the new ones are."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from napari_channelmix import _moved
from napari_channelmix._moved import EMPTIED, MOVED, PACKAGE, RENAMED


def test_an_old_name_gives_the_module_of_the_new_name() -> None:
    with pytest.warns(DeprecationWarning, match="classify.sealed is now .*classify.weights_file"):
        sys.modules.pop(f"{PACKAGE}.classify.sealed", None)
        old = importlib.import_module(f"{PACKAGE}.classify.sealed")
    new = importlib.import_module(f"{PACKAGE}.classify.weights_file")
    assert old is new
    assert new.__spec__ is not None
    assert new.__spec__.name == f"{PACKAGE}.classify.weights_file"


@pytest.mark.parametrize("old", sorted(MOVED))
def test_no_old_name_hides_a_module_and_every_new_one_exists(old: str) -> None:
    assert importlib.util.find_spec(f"{PACKAGE}.{MOVED[old]}") is not None
    known = [finder for finder in sys.meta_path if not isinstance(finder, _moved.OldNames)]
    parent = importlib.util.find_spec(f"{PACKAGE}.{old}".rpartition(".")[0])
    assert parent is not None
    assert all(
        finder.find_spec(f"{PACKAGE}.{old}", parent.submodule_search_locations, None) is None
        for finder in known
    )


def test_modules_of_packages_that_are_gone_are_there_and_other_names_are_not() -> None:
    assert all(name not in MOVED for name in EMPTIED)
    script = (
        "from napari_channelmix.viewer.latents import axes\n"
        "from napari_channelmix.viewer.session import Session, session_of\n"
        "from napari_channelmix.viewer.explain_dock import ExplainDock\n"
        "from napari_channelmix.viewer.pages.pixels.page import PixelsPage\n"
        "assert ExplainDock is PixelsPage\n"
        "import napari_channelmix.viewer.charts.latent_axes as new\n"
        "assert axes is new\n"
        "try:\n    import napari_channelmix.viewer.nonsense\n"
        "except ModuleNotFoundError:\n    print('fine')\n"
    )
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], text=True, capture_output=True, check=True
    )
    assert result.stdout == "fine\n"


@pytest.mark.parametrize(("old", "classes"), sorted(RENAMED.items()))
def test_renamed_classes_exist(old: str, classes: dict[str, str]) -> None:
    module = importlib.import_module(f"{PACKAGE}.{MOVED[old]}")
    assert all(hasattr(module, name) for name in classes.values())


def test_no_text_refers_to_an_old_name() -> None:
    root = Path(__file__).parents[1]
    files = [root / "README.md", root / "CONTRIBUTING.md", *root.glob("docs/*.md")]
    files += [path for name in ("src", "benchmarks") for path in root.glob(f"{name}/**/*.py")]
    # A word alone may mean anything, such as `files`.
    quoted = re.compile(rf"`(?:{PACKAGE}\.)?((?:\w+\.)+\w+)`")
    old = tuple(f"{name}." for name in MOVED)
    matches = [
        f"{path.relative_to(root)}: {name}"
        for path in files
        for name in quoted.findall(path.read_text(encoding="utf-8"))
        if f"{name}.".startswith(old)
    ]
    assert matches == []
