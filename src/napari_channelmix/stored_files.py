"""Our own files, read again: none of them is trusted.

JSON and TOML that this package reads goes through here. A file is looked at before it is opened
(a pipe would wait for ever), and its size, the depth of its nesting and its encoding before it is
parsed; what it holds is then checked against a schema. What is wrong is one line.
"""

from __future__ import annotations

import json
import re
import stat
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from napari_channelmix.errors import ChannelMixError, DataError
from napari_channelmix.wording import path_shown, problem, quoted, shown_error

__all__ = [
    "DEPTH",
    "MIB",
    "Origin",
    "Stored",
    "checked_as",
    "parsed_json",
    "read_content",
    "read_json",
    "read_text",
    "read_toml",
    "regular_file",
    "validated",
]

MIB = 2**20
# The longest JSON that is read where nothing else is said: results of a data set.
LONGEST = 256 * MIB
# The longest data-set file.
LONGEST_TOML = MIB
# Brackets within brackets.
DEPTH = 64

# All repetitions are possessive: no text takes longer than one look at each character.
_JSON = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|(?P<open>[\[{])|[\]}]', re.DOTALL)
_KEY = r"""(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')"""
_TOML = re.compile(
    # Text and comments: brackets and dots in them nest nothing.
    r'"""(?:[^"\\]++|\\.|"(?!""))*+(?:"""|\\?\Z)'
    r"|'''(?:[^']++|'(?!''))*+(?:'''|\Z)"
    rf"|(?P<deep>{_KEY}(?:[ \t]*+\.[ \t]*+{_KEY}){{{DEPTH},}}+)"
    r"""|"(?:[^"\\\n]++|\\.)*+(?:"|\\?\Z|(?=\n))|'[^'\n]*+(?:'|\Z|(?=\n))"""
    r"|\#[^\n]*+|[A-Za-z0-9_-]++|(?P<open>[\[{])|[\]}]",
    re.DOTALL,
)

ErrorType = Callable[[str], ChannelMixError]
Model = TypeVar("Model", bound=BaseModel)


class Stored(BaseModel):
    """Base of what is read again from a file; keys that a newer version added are passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


def regular_file(path: str | Path, *, most: int, error: ErrorType, name: str = "a file") -> Path:
    """Refuse what cannot be read without waiting, or would not fit into memory.

    Parameters
    ----------
    path : path
    most : int
        Bytes.
    error : type of exception
    name : str
        What it should be, as in ``name the data-set file``.
    """
    shown = path_shown(path)
    try:
        status = Path(path).stat()
    except FileNotFoundError:
        raise error(f"{shown}: no such file") from None
    except OSError as problem_:
        raise error(f"{shown}: cannot be read ({problem_.strerror or problem_})") from problem_
    except ValueError:
        raise error(f"{shown}: no file can be called so, it holds a NUL character") from None
    if stat.S_ISDIR(status.st_mode):
        raise error(f"{shown}: cannot be read, it is a folder; name {name}")
    if not stat.S_ISREG(status.st_mode):
        raise error(f"{shown}: cannot be read, it is a pipe or a device; name {name}")
    if status.st_size > most:
        raise error(
            f"{shown}: too large ({status.st_size / MIB:.0f} MiB; {name} has {most / MIB:.0f} MiB "
            "at most)"
        )
    return Path(path)


def read_text(
    path: str | Path,
    *,
    most: int = LONGEST,
    error: ErrorType = DataError,
    name: str = "a file",
    what: str = "text",
) -> str:
    """UTF-8 text of a file, with or without the mark at its beginning; see `regular_file`."""
    path = regular_file(path, most=most, error=error, name=name)
    shown = path_shown(path)
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as problem_:
        raise error(f"{shown}: cannot be read ({problem_.strerror or problem_})") from problem_
    if len(content) > most:
        raise error(f"{shown}: too large ({name} has {most / MIB:.0f} MiB at most)")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise error(f"{shown}: not {what}: its text is not UTF-8; save it as UTF-8") from None


def parsed_json(text: str) -> Any:
    """What JSON text holds.

    Raises
    ------
    ValueError
        No JSON, nested too deep, NaN or infinity, a key twice, half a surrogate pair.
    """
    _refuse_deep_json(text)
    try:
        content = json.loads(
            text, parse_constant=_no_constant, object_pairs_hook=_no_key_twice, parse_float=_finite
        )
    except RecursionError:
        raise ValueError("nested too deep") from None
    if "\\u" in text or "\\U" in text:
        _refuse_surrogates(content)
    return content


def _refuse_deep_json(text: str) -> None:
    if text.count("[") + text.count("{") <= DEPTH:
        return
    depth = 0
    for match in _JSON.finditer(text):
        if match.lastgroup == "open":
            depth += 1
            if depth > DEPTH:
                raise ValueError(f"nested more than {DEPTH} deep")
        elif match.group() in ("]", "}"):
            depth -= 1


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is no number of JSON")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"the number {text[:20]} is too large")
    return number


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {quoted(twice)} stands there twice")
    return content


def _refuse_surrogates(content: Any) -> None:
    try:
        json.dumps(content, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("text with half a surrogate pair") from None


def checked_as(model: type[BaseModel]) -> AfterValidator:
    """For a part of a schema that is kept as it is, with all its keys, where it fits ``model``."""

    def check(content: dict[str, Any]) -> dict[str, Any]:
        try:
            model.model_validate(content)
        except ValidationError as problem_:
            raise ValueError(problem(problem_)) from None
        return content

    return AfterValidator(check)


class Origin(Stored):
    """What `provenance` has of every result, and readers rely on."""

    made: str = ""
    versions: dict[str, str | None] | None = None
    settings: dict[str, Any] | None = None


def validated(
    content: Any, model: type[Model], *, where: str, error: ErrorType = DataError, advice: str = ""
) -> Model:
    """Content as a schema has it.

    Raises
    ------
    ChannelMixError
        Of the type ``error``: ``where``, the key, what is wrong with it, and the advice.
    """
    more = f"; {advice}" if advice else ""
    if not isinstance(content, dict):
        raise error(f"{where}: holds {_kind(content)} where keys with values belong{more}")
    try:
        return model.model_validate(content)
    except ValidationError as problem_:
        raise error(f"{where}: {problem(problem_)}{more}") from problem_


def _kind(content: object) -> str:
    kinds = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return kinds.get(type(content), "a number")


def read_content(
    path: str | Path,
    model: type[BaseModel],
    *,
    error: ErrorType = DataError,
    what: str = "JSON",
    advice: str = "",
    most: int = LONGEST,
) -> dict[str, Any]:
    """A file of JSON as it is, checked against a schema; see `read_json`."""
    content = _content(path, error, what, advice, most)
    validated(content, model, where=path_shown(path), error=error, advice=advice)
    return dict(content)


def read_json(
    path: str | Path,
    model: type[Model],
    *,
    error: ErrorType = DataError,
    what: str = "JSON",
    advice: str = "",
    most: int = LONGEST,
) -> Model:
    """A file of JSON as a schema has it.

    Parameters
    ----------
    path : path
    model : type of pydantic model
    error : type of exception
        What is raised, a `ChannelMixError`.
    what : str
        What the file should be, such as ``an importance.json``.
    advice : str
        What to do; ends the message.
    most : int
        Bytes that are read.

    Raises
    ------
    ChannelMixError
        One line: a file that is missing, no regular one, too large, not UTF-8, no JSON, nested too
        deep, or with values that do not fit the schema.
    """
    content = _content(path, error, what, advice, most)
    return validated(content, model, where=path_shown(path), error=error, advice=advice)


def _content(path: str | Path, error: ErrorType, what: str, advice: str, most: int) -> Any:
    text = read_text(path, most=most, error=error, name=what, what=what)
    more = f"; {advice}" if advice else ""
    try:
        return parsed_json(text)
    except ValueError as problem_:
        raise error(f"{path_shown(path)}: not {what}: {shown_error(problem_)}{more}") from None


def read_toml(
    path: str | Path,
    *,
    error: ErrorType = DataError,
    name: str = "a file of TOML",
    what: str = "TOML",
    most: int = LONGEST_TOML,
) -> dict[str, Any]:
    """What a file of TOML holds; ``name`` as in ``name the data-set file``, ``what`` it should be.

    Raises
    ------
    ChannelMixError
        As `read_json`.
    """
    text = read_text(path, most=most, error=error, name=name, what=what)
    try:
        _refuse_deep_toml(text)
        return tomllib.loads(text)
    except RecursionError:
        raise error(f"{path_shown(path)}: not {what}: nested too deep") from None
    except ValueError as problem_:
        raise error(f"{path_shown(path)}: not {what}: {shown_error(problem_)}") from None


def _refuse_deep_toml(text: str) -> None:
    depth = 0
    for match in _TOML.finditer(text):
        if match.lastgroup == "deep":
            raise ValueError(f"a key of more than {DEPTH} parts")
        if match.lastgroup == "open":
            depth += 1
            if depth > DEPTH:
                raise ValueError(f"nested more than {DEPTH} deep")
        elif match.group() in ("]", "}"):
            depth -= 1
