"""The whole way of a newcomer, from 'Open Sample' to the report, by mouse and keys."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture
def walk(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script as a module; it belongs to no package."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("tour")


@pytest.mark.slow
@pytest.mark.usefixtures("quick_learners")
def test_a_newcomer_comes_from_the_sample_to_the_report(
    walk: Any, viewer: Any, tmp_path: Path
) -> None:
    taken: list[str] = []
    # Names a folder to look at what the test saw.
    pictures = os.environ.get("CHANNELMIX_PICTURES")

    def take(name: str) -> None:
        taken.append(name)
        if pictures:
            walk.picture(viewer, Path(pictures) / f"tour-{name}.png")

    folder = tmp_path / "written"
    folder.mkdir()
    walk.tour(walk.Hand(viewer, folder, take))
    assert taken[0] == "sample" and taken[-1] == "report-and-script"
    assert {path.name for path in folder.iterdir()} == {"report.html", "again.py", "data"}
