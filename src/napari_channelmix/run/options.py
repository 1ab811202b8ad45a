"""Options of the command line, from the settings objects of the jobs."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from typing import Any, TypeVar

from napari_channelmix.bounds import argument_within
from napari_channelmix.settings import Setting, fields_of

__all__ = ["add_options", "settings_from"]

Settings = TypeVar("Settings")


def add_options(
    parser: argparse.ArgumentParser,
    settings: type,
    *,
    leave_out: Collection[str] = (),
    heading: str = "",
) -> None:
    """Add an option for each setting that is for people.

    ``held_out`` becomes ``--held-out SHARE``; a setting that is on, ``shapley``, becomes
    ``--no-shapley``. Those that few people change stand in a group of their own.

    Parameters
    ----------
    parser : argparse.ArgumentParser
    settings : type
        A settings object's class.
    leave_out : collection of str
        Settings that the parser has already, or that this command has not.
    heading : str
        A group of their own for all of them.
    """
    own = parser.add_argument_group(heading) if heading else None
    rest = own or parser.add_argument_group("more settings")
    for field in fields_of(settings):
        if field.about is None or field.kind == "other" or field.name in leave_out:
            continue
        _add(rest if field.about.advanced else own or parser, field)


def _add(place: Any, field: Setting) -> None:
    about = field.about
    assert about is not None
    option = f"--{field.name.replace('_', '-')}"
    if field.kind == "flag":
        if field.default:
            place.add_argument(
                f"--no-{option[2:]}",
                dest=field.name,
                action="store_false",
                help=about.off or f"not: {about.help}",
            )
        else:
            place.add_argument(option, action="store_true", help=about.help)
        return
    shown = "" if field.default in (None, "") else f" (default: {field.default})"
    more: dict[str, Any] = {"default": field.default, "help": f"{about.help}{shown}"}
    if about.metavar:
        more["metavar"] = about.metavar
    if field.kind == "choice":
        more["choices"] = field.choices
    elif field.bounds is not None:
        more["type"] = argument_within(field.bounds, field.name)
    place.add_argument(option, **more)


def settings_from(args: argparse.Namespace, settings: type[Settings], **overrides: Any) -> Settings:
    """The settings that were given on the command line; ``overrides`` wins.

    Raises
    ------
    ModelError
        A value outside its bounds.
    """
    names = [field.name for field in fields_of(settings) if hasattr(args, field.name)]
    return settings(**{**{name: getattr(args, name) for name in names}, **overrides})
