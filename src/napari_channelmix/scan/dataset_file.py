"""The text of a data-set file, and paths that stay right where it is written."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["moved_paths", "toml_text"]


def moved_paths(paths: pd.Series[str], folder: Path, target: Path) -> list[str]:
    """Paths relative to ``folder`` as paths relative to ``target``."""
    if folder.absolute() == target.absolute():
        return [Path(text).as_posix() if text else "" for text in paths]
    try:
        start = os.path.relpath(folder, target)
    except ValueError:  # another drive of Windows
        start = str(folder.absolute())
    return [Path(os.path.normpath(Path(start) / text)).as_posix() if text else "" for text in paths]


def toml_text(content: Mapping[str, Any]) -> str:
    """The data-set file as text; sections last."""
    lines = [f"{_key(key)} = {_value(value)}" for key, value in content.items() if not _part(value)]
    for key, value in content.items():
        if _part(value):
            lines += ["", f"[{_key(key)}]"]
            lines += [f"{_key(name)} = {_value(one)}" for name, one in value.items()]
    return "\n".join(lines) + "\n"


def _part(value: object) -> bool:
    return isinstance(value, Mapping)


def _key(key: str) -> str:
    plain = key.replace("_", "").replace("-", "")
    return key if plain.isascii() and plain.isalnum() else _value(key)


def _value(value: object) -> str:
    """A value of TOML; JSON's are such, but for a character that TOML wants escaped."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
