"""What may import what, and what a bare import costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "napari_channelmix"


def test_importing_the_package_loads_no_torch_qt_or_napari() -> None:
    script = "import sys, napari_channelmix; print(*sorted(sys.modules))"
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in answer.stdout.split()}
    heavy = {"torch", "napari", "qtpy", "PyQt5", "PyQt6", "PySide2", "PySide6"}
    assert "napari_channelmix" in loaded
    assert not loaded & heavy


def test_rooms_keep_the_import_contracts() -> None:
    pytest.importorskip("importlinter", reason="import-linter is not installed")
    # In a process of its own: it configures logging, which would mute other tests' loggers.
    script = "import sys; from importlinter import cli; sys.exit(cli.lint_imports(no_cache=True))"
    answer = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stdout


@pytest.mark.parametrize(
    "line",
    [
        "from PyQt6.QtCore import QObject",
        "import PySide6",
        "from qtpy import sip",
        "from qtpy.QtCore import pyqtSignal",
    ],
)
def test_a_line_for_a_single_qt_binding_is_refused(line: str) -> None:
    answer = _banned("--stdin-filename", str(PACKAGE / "viewer" / "new.py"), "-", text=line)
    assert answer.returncode == 1 and "TID251" in answer.stdout, answer.stdout + answer.stderr


def test_no_file_names_a_single_qt_binding() -> None:
    folders = [str(ROOT / name) for name in ("src", "tests", "scripts", "benchmarks")]
    answer = _banned(*folders)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def _banned(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    """What ruff says about imports that pyproject.toml bans."""
    pytest.importorskip("ruff", reason="ruff is not installed")
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--select", "TID251"]
    return subprocess.run(
        [*command, *arguments], cwd=ROOT, input=text, capture_output=True, text=True, check=False
    )


def test_no_module_is_called_utils() -> None:
    names = {path.stem for path in PACKAGE.rglob("*") if "__pycache__" not in path.parts}
    assert not names & {"common", "helpers", "misc", "util", "utils"}


def test_manifest_is_valid_and_names_what_exists() -> None:
    npe2 = pytest.importorskip("npe2")
    manifest = npe2.PluginManifest.from_file(PACKAGE / "napari.yaml")
    assert manifest.name == "napari-channelmix"
    manifest.validate_imports()


@pytest.mark.skipif(sys.platform == "win32", reason="git may check links out as plain files")
def test_manifest_at_the_top_is_the_one_in_the_package() -> None:
    assert (ROOT / "napari.yaml").resolve() == PACKAGE / "napari.yaml"
