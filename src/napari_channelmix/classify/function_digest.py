"""What a Python function that was handed over is known by: its code, and all that it refers to.

A function that says the same in another session is then known again, and work on it goes on. Where
it refers to anything that cannot be known for certain, such as an object with a state of its own,
there is no digest: rather begun anew than gone on with another function's results.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from dis import get_instructions
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

__all__ = ["function_digest"]

# Values inside values, and functions that call functions, are followed so far.
DEEPEST = 12
# Names of what reads a file, or code: what is in it may change at any time.
READERS = frozenset(
    {"fromfile", "genfromtxt", "getattr", "import_module", "imread", "load", "loadtxt", "memmap"}
    | {"open", "read_bytes", "read_csv", "read_text", "__import__"}
)
PLAIN = (bool, int, float, complex, str, bytes, type(None), type(Ellipsis))


class _Unknown(Exception):
    """Something that the function refers to is not known for certain."""


def function_digest(function: Callable[..., Any]) -> str:
    """SHA-256 of a plain Python function; empty where it is not known what decides its answers.

    Counted are its code, its defaults, and the values of what it refers to: numbers, texts, tuples,
    lists and mappings of them, arrays, other plain functions, and installed libraries by name and
    version. Nothing is known of one that refers to anything else: an object, a class, a module of
    its maker, a file.

    Examples
    --------
    >>> def scores(crops):
    ...     return crops.mean(axis=(2, 3))
    >>> same = scores
    >>> function_digest(scores) == function_digest(same) != ""
    True
    """
    if not isinstance(function, FunctionType):
        return ""
    digest = hashlib.sha256(f"python {sys.version_info[:2]}".encode())
    try:
        _take(digest, function, 0, set())
    except _Unknown:
        return ""
    return digest.hexdigest()


def _take(digest: Any, value: Any, depth: int, seen: set[int]) -> None:
    """Add a value, with all that it holds.

    Raises
    ------
    _Unknown
    """
    if depth > DEEPEST:
        raise _Unknown
    kind = type(value)
    digest.update(f"<{kind.__name__}>".encode())
    if isinstance(value, PLAIN):
        digest.update(repr(value).encode("utf-8", "surrogatepass"))
    elif kind in (tuple, list):
        digest.update(f"{len(value)}".encode())
        for part in value:
            _take(digest, part, depth + 1, seen)
    elif kind is dict:
        for key in sorted(value, key=repr):
            _take(digest, key, depth + 1, seen)
            _take(digest, value[key], depth + 1, seen)
    elif kind in (set, frozenset):
        for part in sorted(map(repr, value)):
            digest.update(part.encode())
        if not all(isinstance(part, PLAIN) for part in value):
            raise _Unknown
    elif kind is np.ndarray and value.dtype != object:
        digest.update(f"{value.dtype} {value.shape}".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    elif isinstance(value, np.generic):
        digest.update(f"{value.dtype} {value!r}".encode())
    elif kind is ModuleType:
        version = _installed(value.__name__)
        if version is None:
            raise _Unknown
        digest.update(f"{value.__name__} {version}".encode())
    elif kind in (BuiltinFunctionType, np.ufunc):
        # A method has an object behind it, and ``numpy.frompyfunc`` gives a function of anything.
        of_object = not isinstance(getattr(value, "__self__", None), ModuleType | None)
        if of_object or (kind is np.ufunc and getattr(np, value.__name__, None) is not value):
            raise _Unknown
        digest.update(f"{getattr(value, '__module__', '')} {value.__name__}".encode())
    elif kind is FunctionType:
        _take_function(digest, value, depth, seen)
    else:
        raise _Unknown


def _take_function(digest: Any, function: FunctionType, depth: int, seen: set[int]) -> None:
    version = _installed(function.__module__ or "")
    if version is not None and depth:
        # One of a library is known by its name and the version of that.
        digest.update(f"{function.__module__} {function.__qualname__} {version}".encode())
        return
    if id(function) in seen:
        # It calls itself.
        return
    seen.add(id(function))
    _take(digest, function.__defaults__, depth + 1, seen)
    _take(digest, function.__kwdefaults__, depth + 1, seen)
    for cell in function.__closure__ or ():
        try:
            _take(digest, cell.cell_contents, depth + 1, seen)
        except ValueError:
            # Not filled yet.
            raise _Unknown from None
    _take_code(digest, function.__code__, function.__globals__, depth, seen)


def _installed(module: str) -> str | None:
    """The version of the library that a module is of; None for code that may change at any time."""
    root = module.partition(".")[0]
    if root in sys.stdlib_module_names and root != "__main__":
        return ""
    library = sys.modules.get(root)
    if "site-packages" not in str(getattr(library, "__file__", "")):
        return None
    version = getattr(library, "__version__", None)
    return None if version is None else str(version)


def _take_code(
    digest: Any, code: CodeType, known: dict[str, Any], depth: int, seen: set[int]
) -> None:
    digest.update(code.co_code)
    digest.update(f"{code.co_names} {code.co_varnames} {code.co_freevars}".encode())
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            _take_code(digest, constant, known, depth, seen)
        else:
            _take(digest, constant, depth + 1, seen)
    if any(
        step.opname == "IMPORT_NAME" and _installed(str(step.argval)) is None
        for step in get_instructions(code)
    ):
        # Imported when it is called: what that module does may change at any time.
        raise _Unknown
    for name in code.co_names:
        if name in READERS:
            raise _Unknown
        # Names that are no globals are attributes, which the names themselves say, or built in.
        if name in ("globals", "eval", "exec", "vars") and name not in known:
            raise _Unknown
        if name in known:
            _take(digest, known[name], depth + 1, seen)
