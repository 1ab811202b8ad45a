"""Settings objects: a setting is declared once, with its default, its bounds and a line of help.

Python, the command line, configs, scripts and the forms of the window all read this declaration, so
none of them repeats it::

    @settings
    class ExampleSettings:
        epochs: Annotated[Epochs, About("Epochs", "Most passes over the training cells")] = 40
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    TypeVar,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import ConfigDict, ValidationError
from pydantic.dataclasses import dataclass as validated_dataclass

from napari_channelmix.bounds import Bounds
from napari_channelmix.errors import ModelError
from napari_channelmix.wording import problem, quoted

__all__ = [
    "About",
    "Setting",
    "as_dict",
    "fields_of",
    "merged",
    "settings",
    "settings_of",
    "takes_settings",
]

Kind = Literal["whole number", "number", "flag", "choice", "text", "other"]
Settings = TypeVar("Settings")
Function = TypeVar("Function", bound=Callable[..., Any])

# The entry of a docstring that stands for single settings, with the lines that belong to it.
_OPTIONS = re.compile(
    r"^(?P<indent> *)\*\*(options|settings)\n(?:(?P=indent) +\S.*\n)+", re.MULTILINE
)


@dataclass(frozen=True)
class About:
    """What a person reads of a setting.

    Attributes
    ----------
    label : str
        Beside its control in a form; ``Repeats``.
    help : str
        One line: what it does, and in which unit.
    off : str
        For a setting that is on: what it means to switch it off, as the command line puts it.
    metavar : str
        What the command line calls its value.
    advanced : bool
        Whether few people change it: it stands apart in forms and in ``--help``.
    """

    label: str
    help: str
    off: str = ""
    metavar: str = ""
    advanced: bool = False


@dataclass(frozen=True)
class Setting:
    """One setting of a settings object.

    Attributes
    ----------
    name : str
        In Python, in a config and, with ``-`` for ``_``, on the command line.
    default : object
    kind : {"whole number", "number", "flag", "choice", "text", "other"}
        ``other`` can be given in Python and in a config only.
    about : About or None
        None: not for people, such as a list of cells.
    bounds : Bounds or None
        Of a number.
    choices : tuple of str
        Of a choice.
    optional : bool
        Whether None is allowed.
    """

    name: str
    default: Any
    kind: Kind
    about: About | None = None
    bounds: Bounds | None = None
    choices: tuple[str, ...] = ()
    optional: bool = False


@dataclass_transform(frozen_default=True)
def settings(cls: type[Settings]) -> type[Settings]:
    """Make a class a settings object: frozen, its values checked when it is made.

    Raises
    ------
    ModelError
        When one is made in Python: a value outside its bounds, in one line.
    TypeError
        A value that is given by position, or by the name of no setting.
    """
    made: Any = validated_dataclass(frozen=True, config=ConfigDict(extra="forbid"))(cls)
    checked_init = made.__init__

    def __init__(self: Any, *args: Any, **values: Any) -> None:
        if args:
            # Their order is no promise: a new setting may stand between others.
            raise TypeError(f"the settings of {cls.__name__} are given by name, not by position")
        try:
            checked_init(self, **values)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            if first["type"] == "unexpected_keyword_argument":
                raise _unknown(made, str(first["loc"][0])) from None
            raise ModelError(_refusal(error, made)) from None

    made.__init__ = __init__
    made.__signature__ = inspect.Signature(_parameters(made))
    checked: type[Settings] = made
    return checked


def _unknown(cls: type, name: str) -> TypeError:
    names = ", ".join(sorted(field.name for field in dataclasses.fields(cls)))
    return TypeError(f"unexpected keyword argument {name!r}; the settings are {names}")


def _parameters(cls: type) -> list[inspect.Parameter]:
    """The settings as parameters of a function, each with its type."""
    kind = inspect.Parameter.KEYWORD_ONLY
    return [
        inspect.Parameter(row.name, kind, default=row.default, annotation=_type_of(row))
        for row in fields_of(cls)
    ]


def _type_of(row: Setting) -> Any:
    """The type of a setting, without its bounds."""
    kinds: dict[Kind, Any] = {"whole number": int, "number": float, "flag": bool, "text": str}
    kind = Literal[row.choices] if row.kind == "choice" else kinds.get(row.kind, Any)
    # Anything may be None without a word.
    return kind | None if row.optional and kind is not Any else kind


def _type_text(row: Setting) -> str:
    """The type of a setting as docstrings have it: ``int``, ``float or None``, ``{'a', 'b'}``."""
    names: dict[Kind, str] = {
        "whole number": "int",
        "number": "float",
        "flag": "bool",
        "choice": "{" + ", ".join(repr(choice) for choice in row.choices) + "}",
        "text": "str",
        "other": "object",
    }
    return f"{names[row.kind]} or None" if row.optional else names[row.kind]


def _described(doc: str, cls: type, names: Collection[str]) -> str:
    """A docstring with the settings as an entry each, behind that of the options.

    It is left as it is where it has no entry of options.
    """
    match = _OPTIONS.search(doc)
    if match is None:
        return doc
    indent = match["indent"]
    lines = []
    for row in fields_of(cls):
        if row.name in names:
            lines.append(f"{indent}{row.name} : {_type_text(row)}, default {row.default!r}\n")
            if row.about is not None:
                lines.append(f"{indent}    {row.about.help[:1].upper()}{row.about.help[1:]}.\n")
    return doc[: match.end()] + "".join(lines) + doc[match.end() :]


def _refusal(error: ValidationError, cls: type) -> str:
    """The first value that is refused; a number is called by the label of its bounds."""
    first = error.errors(include_url=False)[0]
    if not first["loc"]:
        # Of several values that do not go together, which `__post_init__` refuses.
        return str(first["ctx"]["error"])
    field = next(row for row in fields_of(cls) if row.name == first["loc"][0])
    if field.kind == "choice":
        return f"{field.name} {quoted(first['input'])} is unknown; use {', '.join(field.choices)}"
    text = problem(error, "the settings").partition(": ")[2]
    label = "" if field.bounds is None else field.bounds.label
    return f"{label or field.name} {text}"


def fields_of(cls: type) -> tuple[Setting, ...]:
    """The settings of a settings object, in the order in which they are declared."""
    hints = get_type_hints(cls, include_extras=True)
    return tuple(
        _field(field.name, hints[field.name], field.default)
        for field in dataclasses.fields(cls)
        if field.default is not dataclasses.MISSING
    )


def _field(name: str, hint: Any, default: Any) -> Setting:
    plain, extras = _unwrapped(hint)
    optional = False
    if get_origin(plain) in (Union, UnionType):
        inner = [arg for arg in get_args(plain) if arg is not NoneType]
        optional = len(inner) < len(get_args(plain))
        plain, more = _unwrapped(inner[0]) if len(inner) == 1 else (None, ())
        extras = (*extras, *more)
    about = next((extra for extra in extras if isinstance(extra, About)), None)
    bounds = next((extra for extra in extras if isinstance(extra, Bounds)), None)
    choices = get_args(plain) if get_origin(plain) is Literal else ()
    kind: Kind = "other"
    if choices:
        kind = "choice"
    elif plain is bool:
        kind = "flag"
    elif plain is str:
        kind = "text"
    elif bounds is not None:
        kind = "whole number" if bounds.whole else "number"
    return Setting(name, default, kind, about, bounds, choices, optional)


def _unwrapped(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """A type without its annotations, and the annotations."""
    if get_origin(hint) is Annotated:
        plain, *extras = get_args(hint)
        return plain, tuple(extras)
    return hint, ()


def as_dict(values: Any, leave_out: Collection[str] = ()) -> dict[str, Any]:
    """Settings of a settings object by name, for JSON and provenance."""
    return {
        field.name: getattr(values, field.name)
        for field in dataclasses.fields(values)
        if field.name not in leave_out
    }


def merged(cls: type[Settings], given: Any, options: Mapping[str, Any]) -> Settings:
    """Settings of a job from what a caller in Python gave.

    Parameters
    ----------
    cls : type
        The settings object of the job.
    given : settings object or None
        One of ``cls``, or of a class that ``cls`` extends; the other settings are then the usual
        ones.
    options : mapping
        Single settings, which win.

    Raises
    ------
    ModelError
        A value outside its bounds.
    TypeError
        An option that is no setting of ``cls``, or another kind of settings object.
    """
    kind: Any = cls
    values = dict(options)
    if given is not None:
        if not (dataclasses.is_dataclass(given) and issubclass(kind, type(given))):
            raise TypeError(f"settings must be {kind.__name__}, not {type(given).__name__}")
        values = {**as_dict(given), **values}
    result: Settings = kind(**values)
    return result


def settings_of(cls: type[Settings], source: Any, **changes: Any) -> Settings:
    """The settings of ``cls`` from an object that has them and more, such as a part of a config.

    Parameters
    ----------
    cls : type
        The settings object that is made.
    source : object
        With an attribute for each setting.
    **changes
        Settings that differ.
    """
    kind: Any = cls
    values = {field.name: getattr(source, field.name) for field in dataclasses.fields(kind)}
    result: Settings = kind(**{**values, **changes})
    return result


def takes_settings(
    cls: type[Any], leave_out: Collection[str] = ()
) -> Callable[[Function], Function]:
    """Show the settings of ``cls`` in signature and docstring of what takes them as options.

    A setting that the function also takes by position, with None for 'not given', keeps its place
    there and shows the default of the setting.
    """

    def decorate(function: Function) -> Function:
        signature = inspect.signature(function)
        single = {row.name: row for row in _parameters(cls) if row.name not in leave_out}
        own = [
            value.replace(default=single.pop(value.name).default) if value.name in single else value
            for value in signature.parameters.values()
            if value.kind != value.VAR_KEYWORD
        ]
        every: Any = signature.replace(parameters=[*own, *single.values()])
        function.__signature__ = every  # type: ignore[attr-defined]
        function.__doc__ = _described(function.__doc__ or "", cls, single) or None
        return function

    return decorate
