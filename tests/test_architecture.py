"""The house as docs/architecture.md draws it: its figures are measured, its names exist."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

import napari_channelmix

ROOT = Path(__file__).resolve().parents[1]
SOURCE = Path(napari_channelmix.__file__).parent

pytest.importorskip("grimp")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("architecture", ROOT / "scripts/architecture.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["architecture"] = module
    spec.loader.exec_module(module)
    return module


def test_generated_parts_of_the_documents_are_up_to_date(script: ModuleType) -> None:
    for path, text in script.generated(SOURCE).items():
        assert without_line_counts(path.read_text(encoding="utf-8")) == without_line_counts(text), (
            f"{path.name} is out of date: python scripts/architecture.py --write"
        )


def without_line_counts(text: str) -> list[str]:
    """Every change of the code would change them."""
    rows = (line for line in text.splitlines() if line.startswith("| "))
    lines = [line for line in text.splitlines() if not line.startswith("| ")]
    return [*lines, *(row for row in rows if " lines" not in row.split("|")[1])]


def test_viewer_packages_form_no_circle_and_no_page_imports_another(script: ModuleType) -> None:
    measures = script.measure(SOURCE)
    assert measures.unit_circles == 0
    assert measures.page_imports == 0
    assert measures.loose == 0


def test_a_circle_is_counted(script: ModuleType) -> None:
    graph = script.nx.DiGraph([("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")])
    assert script.circles(graph) == [["a", "b", "c"]]


def test_paths_that_the_document_names_exist() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    paths = re.findall(r"`((?:[a-z_]+/)+(?:[a-z_]+\.py)?)`", text)
    assert len(paths) > 20
    missing = [path for path in paths if not (SOURCE / path).exists()]
    missing = [path for path in missing if not (SOURCE / "viewer" / path).exists()]
    missing = [path for path in missing if not (ROOT / path).exists()]
    assert missing == []


def test_code_that_the_glossary_names_exists() -> None:
    text = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    named = re.findall(r"`([A-Z]\w+)(?:\.(\w+))?`", text)
    code = "\n".join(path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py"))
    classes = set(re.findall(r"^(?:class (\w+)|(Job)\b)", code, re.MULTILINE))
    known = {name for pair in classes for name in pair if name}
    assert len(named) > 20
    assert [name for name, _ in named if name not in known] == []
    members = {member for _, member in named if member}
    assert [name for name in members if not re.search(rf"\b{name}\b", code)] == []
    paths = re.findall(r"`((?:[a-z_]+/)+(?:[a-z_]+\.py)?|[a-z_]+\.py)`", text)
    assert [path for path in paths if not (SOURCE / path).exists()] == []
