"""A config on disk: JSON whose paths are relative to it, read with care."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from napari_channelmix.atomic_write import file_stems, write_json
from napari_channelmix.config.schema import SCHEMA, Config
from napari_channelmix.errors import ConfigError
from napari_channelmix.stored_files import MIB, parsed_json, read_text
from napari_channelmix.wording import path_shown, problem, quoted, shown_error

__all__ = ["as_json", "folder_names", "read_config", "write_config"]

# A function by its module, or by the path of its file.
FUNCTION = re.compile(r"(.*\.py):(\w+)|[\w.]+:\w+", re.DOTALL)
# Bytes of a config.
LONGEST = 16 * MIB
KIND = "a config (JSON)"

# What a reader looks for first.
HEAD = ("schema", "made", "versions", "device")
# Where paths stand in a config.
PLACES = (
    ("data", "dataset"),
    ("classifier", "file"),
    ("classifier", "training", "weights"),
    ("latents", "model"),
    ("latents", "features"),
)


def write_config(config: Config, path: str | Path) -> Path:
    """Write a config; paths in it become relative to the file, where that is possible.

    Raises
    ------
    SaveError
        Disk full, folder read-only and the like.
    """
    path = Path(path)
    return write_json(path, as_json(config, path.resolve().parent))


def as_json(config: Config, folder: Path | None = None) -> dict[str, Any]:
    """A config as JSON knows it; with a folder, paths are relative to that."""
    content = config.model_dump(mode="json", by_alias=True, exclude_none=True)
    if not config.others:
        # As versions that know one data set read it.
        del content["others"]
    content = {name: content[name] for name in HEAD if name in content} | content
    if folder is not None:
        _moved(content, lambda text: _relative(text, folder))
    return content


def folder_names(config: Config) -> tuple[str, ...]:
    """A folder for what is found of each data set: none for a single one, else by its name."""
    if not config.others:
        return ("",)
    return file_stems([data_set.data.name for data_set in config.data_sets], unnamed="data set")


def read_config(path: str | Path) -> Config:
    """Read a config; relative paths in it are taken from where the file lies.

    Raises
    ------
    ConfigError
        A file that is missing, no JSON, of another schema, or with keys or values that are not
        known; one line that names the key.
    """
    shown = path_shown(path)
    text = read_text(path, most=LONGEST, error=ConfigError, name="a config", what=KIND)
    try:
        content = parsed_json(text)
    except ValueError as error:
        raise ConfigError(f"{shown}: not {KIND}: {shown_error(error)}") from error
    schema = content.get("schema") if isinstance(content, dict) else None
    if schema != SCHEMA:
        raise ConfigError(f"{shown}: {_other_schema(schema)}")
    folder = Path(path).resolve().parent
    _moved(content, lambda text: os.path.normpath(folder / text))
    try:
        return Config.model_validate(content)
    except ValidationError as error:
        says = problem(error, "a config; take it out or correct it")
        raise ConfigError(f"{shown}: {says}") from error


def _other_schema(schema: object) -> str:
    stem = SCHEMA.rpartition("/")[0]
    if isinstance(schema, str) and schema.rpartition("/")[0] == stem:
        return (
            f"made by another version (schema {quoted(schema)}; this one reads {SCHEMA}); "
            "use the napari-channelmix it was made with, or save it anew"
        )
    return f"not a config: its schema is {quoted(schema)}, not {SCHEMA!r}"


def _moved(content: dict[str, Any], change: Callable[[str], str]) -> None:
    """Change the paths of a config in place; names of models and functions stay."""
    others = content.get("others")
    data_sets = [content, *(others if isinstance(others, list) else [])]
    for data_set in data_sets:
        if isinstance(data_set, dict):
            _move_paths_of(data_set, change)


def _move_paths_of(content: dict[str, Any], change: Callable[[str], str]) -> None:
    """The same for one data set of a config."""
    for *parts, key in PLACES:
        inside: Any = content
        for name in parts:
            inside = inside.get(name) if isinstance(inside, dict) else None
        text = inside.get(key) if isinstance(inside, dict) else None
        if not isinstance(text, str) or not text or (parts == ["latents"] and not _is_path(text)):
            continue
        function = FUNCTION.fullmatch(text)
        if function is None or parts != ["classifier"]:
            inside[key] = change(text)
        elif function[1]:
            inside[key] = f"{change(function[1])}:{function[2]}"


def _is_path(text: str) -> bool:
    return text.endswith((".safetensors", ".cmx")) or "/" in text or "\\" in text


def _relative(text: str, folder: Path) -> str:
    path = Path(text)
    if not path.is_absolute():
        return text
    path = path.resolve()
    try:
        shared = Path(os.path.commonpath([path, folder]))
    except ValueError:
        # Another drive.
        return str(path)
    # What has but the root in common moves together with nothing.
    if shared == Path(shared.anchor):
        return str(path)
    return Path(os.path.relpath(path, folder)).as_posix()
