"""Figures of a set and network, kept in a file as soon as they are there."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import napari_channelmix

__all__ = ["Results", "code_digest"]


@cache
def code_digest(only: tuple[str, ...] = ()) -> str:
    """A number of the code that makes and scores maps: figures of two states are never mixed.

    Of the room ``pcim``, or of some of its modules; comments and docstrings do not count.
    """
    folder = Path(napari_channelmix.__file__).parent / "pcim"
    content = hashlib.sha256()
    for path in sorted(folder.glob("*.py")):
        if not only or path.stem in only:
            tree = ast.parse(path.read_text("utf-8"))
            for node in ast.walk(tree):
                body = getattr(node, "body", None)
                if isinstance(body, list) and body and _is_text(body[0]):
                    node.body = body[1:] or [ast.Pass()]  # type: ignore[attr-defined]
            content.update(path.name.encode() + ast.dump(tree).encode())
    return content.hexdigest()[:12]


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


class Results:
    """Parts by name; those of other settings, or of other code, are dropped.

    Parameters
    ----------
    path : Path
    settings : dict
        Of the run.
    code_of : callable
        Of the name of a part: the code that it depends on.
    """

    def __init__(self, path: Path, settings: dict[str, Any], code_of: Callable[[str], str]) -> None:
        self._path, self._code_of = path, code_of
        stored = json.loads(path.read_text("utf-8")) if path.exists() else {}
        same = stored.get("settings") == settings
        self._content: dict[str, Any] = {
            name: part
            for name, part in (stored.items() if same else ())
            if isinstance(part, dict) and part.get("code") == code_of(name)
        }
        self._content["settings"] = settings

    @classmethod
    def stored(cls, path: Path) -> Results:
        """Those of a file, as they are."""
        results = cls.__new__(cls)
        results._path = path
        results._content = json.loads(path.read_text("utf-8"))
        return results

    def __contains__(self, name: str) -> bool:
        return name in self._content

    def __getitem__(self, name: str) -> Any:
        return self._content[name]

    def under(self, prefix: str) -> dict[str, Any]:
        """Parts whose names begin with it, without it."""
        parts = self._content.items()
        return {name[len(prefix) :]: part for name, part in parts if name.startswith(prefix)}

    def put(self, name: str, part: dict[str, Any]) -> None:
        """Add a part; the file is replaced at once, never half written."""
        self._content[name] = {**plain(part), "code": self._code_of(name)}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        other = self._path.with_suffix(".part")
        other.write_text(json.dumps(self._content) + "\n", "utf-8")
        other.replace(self._path)

    def line(self, name: str) -> str:
        """Its numbers in a line, means of the lists."""
        return ", ".join(
            f"{key} {short(value)}"
            for key, value in self._content[name].items()
            if not isinstance(value, dict) and key != "code"
        )


def short(value: Any) -> str:
    if isinstance(value, list):
        value = float(np.mean(value))
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, np.ndarray):
        return np.round(value, 5).tolist()
    return value.item() if isinstance(value, np.generic) else value
