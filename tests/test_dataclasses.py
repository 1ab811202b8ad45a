"""Data classes that hold arrays or tables compare by identity: never by element, never an error."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import napari_channelmix

SOURCE = Path(napari_channelmix.__file__).parent

# Types of fields that compare element by element, or not at all.
ARRAYS = re.compile(
    r"\b(NDArray|ndarray|DataFrame|Series|Tensor|\w+Array|Doubles|Mask|Bytes|Module)\b"
)
# What a field that is called takes and gives is not held.
CALLED = re.compile(r"Callable\[\[.*?\], [^\]]*\]")


def test_data_classes_that_hold_arrays_compare_by_identity() -> None:
    looked_at, wrong = 0, []
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.ClassDef):
                continue
            made_by = [ast.unparse(one) for one in node.decorator_list]
            held = [
                ast.unparse(one.annotation) for one in node.body if isinstance(one, ast.AnnAssign)
            ]
            arrays = any(ARRAYS.search(CALLED.sub("", one)) for one in held)
            if arrays and any("dataclass" in one for one in made_by):
                looked_at += 1
                if not any("eq=False" in one for one in made_by):
                    wrong.append(f"{path.relative_to(SOURCE)}: {node.name}")
    assert looked_at > 40
    assert wrong == []
