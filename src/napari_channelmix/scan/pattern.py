"""How file names are read: a template, a preset, or a regular expression with named groups.

A template is the name with its parts in braces: ``{well}_s{field}_w{channel}``. What a part may
hold follows a colon: ``{channel:ch#}`` is ``ch`` and digits, ``{time:4}`` four digits. What stands
in ``<`` and ``>`` may be absent, and ``*`` is anything. A ``/`` divides folders.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from napari_channelmix.data.image_formats import TIFF_SUFFIXES
from napari_channelmix.data.image_planes import PICTURE_SUFFIXES
from napari_channelmix.data.vendor_files import READERS
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress, drain
from napari_channelmix.scan.bounded_matching import bounded_matches_job
from napari_channelmix.scan.roles import Role
from napari_channelmix.wording import quoted

__all__ = ["PARTS", "SUFFIXES", "Parts", "Pattern", "plain_name", "stem_of"]

# Parts of a name by what they are called in templates, regular expressions and columns.
PARTS: dict[str, Role] = {
    "plate": Role.PLATE,
    "well": Role.WELL,
    "row": Role.WELL_ROW,
    "column": Role.WELL_COLUMN,
    "field": Role.FIELD,
    "site": Role.FIELD,
    "channel": Role.CHANNEL,
    "plane": Role.PLANE,
    "z": Role.PLANE,
    "time": Role.TIME,
    "t": Role.TIME,
    "class": Role.CLASS,
    "dose": Role.DOSE,
    "group": Role.GROUP,
    "split": Role.SPLIT,
    "cell": Role.OBJECT,
    "ignore": Role.IGNORE,
}
# Files that are read as images; the longest suffix first.
SUFFIXES = (
    ".ome.tiff",
    ".ome.tif",
    ".ome.zarr",
    *TIFF_SUFFIXES,
    *PICTURE_SUFFIXES,
    ".zarr",
    *READERS,
)
# Characters of a template or a regular expression, and parts in it.
LONGEST, MOST_PARTS = 1000, 20
# Parts of any text that a template may hold before its matching is bounded by a clock.
FREE_PARTS = 2

_WELL = r"(?:a[a-f]|[a-z])[ _-]{0,3}0{0,2}[1-9]\d?(?!\d)"
_TEXT = r"[^/]+?"
_KINDS = {
    "text": _TEXT,
    "word": r"[^/_\s-]+",
    "letter": r"[a-z]{1,2}",
    "letters": r"[a-z]+",
    "digits": r"\d+",
    "well": _WELL,
    "guid": r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}",
}
# What a part holds where a template does not say.
_USUAL = {
    Role.WELL: _WELL,
    Role.WELL_ROW: r"(?:[a-z]{1,2}|\d{1,2})",
    Role.WELL_COLUMN: r"\d{1,2}",
    Role.FIELD: rf"(?:\d+|{_TEXT})",
    Role.PLANE: rf"(?:\d+|{_TEXT})",
    Role.TIME: rf"(?:\d+|{_TEXT})",
}
_TOKEN = re.compile(r"\{([^{}]*)\}|([<>*])|([^{}<>*]+)")

Parts: TypeAlias = dict[str, str]


@dataclass(frozen=True)
class Pattern:
    """How the names of files are read.

    Attributes
    ----------
    name : str
        As a person reads it: the name of a preset, or the pattern itself.
    text : str
        The template or the regular expression.
    expression : str
        Regular expression that is compared with the end of a path, without regard to capitals.
    roles : mapping of str to Role
        Of its parts.
    bounded : bool
        Whether matching could take long and is ended after some seconds.

    Examples
    --------
    >>> pattern = Pattern.from_template("{well}_s{field}_w{channel}.tif")
    >>> pattern.matches(["day 1/B03_s2_w1.tif", "notes.tif"])
    [{'well': 'B03', 'field': '2', 'channel': '1'}, None]
    """

    name: str
    text: str
    expression: str
    roles: Mapping[str, Role]
    bounded: bool = True

    @classmethod
    def from_template(cls, template: str, name: str = "") -> Pattern:
        """A pattern from a name with its parts in braces.

        Parts are ``plate``, ``well``, ``row`` and ``column`` (of a well), ``field`` or ``site``,
        ``channel``, ``plane``, ``time``, ``class``, ``dose``, ``group``, ``split``, ``cell``, and
        any other word, which becomes a column of its own; ``{}`` is left out. The suffix of the
        file may be given or not. What else a template may hold is in docs/importing.md.

        Parameters
        ----------
        template : str
        name : str, optional
            As a person reads it; default: the template.

        Raises
        ------
        DataError
            Braces that do not close, a part named twice, no part at all, or more than 20.

        Examples
        --------
        >>> pattern = Pattern.from_template("{well}<_z{plane:#}>_{}_{channel:ch#}.tif")
        >>> pattern.matches(["A01_z02_x_ch1.tif", "A01_y_ch2.tif"])
        [{'well': 'A01', 'plane': '02', 'channel': 'ch1'}, {'well': 'A01', 'plane': '', \
'channel': 'ch2'}]
        """
        text = unicodedata.normalize("NFC", template.strip())
        _refuse_long(text)
        pieces: list[str] = []
        roles: dict[str, Role] = {}
        free = end = 0
        optional, start_of_optional = False, 0
        for token in _TOKEN.finditer(_without_suffix(text)):
            if token.start() != end:
                raise _template_error(text, "has a brace without its other one")
            end = token.end()
            part, sign, literal = token.groups()
            if literal is not None:
                pieces.append(re.escape(literal))
            elif sign == "*":
                free += 1
                pieces.append("[^/]*?")
            elif sign is not None:
                if optional == (sign == "<"):
                    raise _template_error(text, "has < and > that do not pair")
                optional = sign == "<"
                if optional:
                    start_of_optional = len(pieces)
                # A part of any text is left out where the rest fits without it.
                lazy = any(_TEXT in piece for piece in pieces[start_of_optional:])
                pieces.append("(?:" if optional else ")??" if lazy else ")?")
            else:
                expression, column, role, is_free = _part(text, part, roles)
                free += is_free
                pieces.append(expression)
                roles |= {} if role is Role.IGNORE else {column: role}
        if optional or end != len(_without_suffix(text)):
            raise _template_error(text, "has < and > or braces that do not pair")
        if not roles:
            raise _template_error(text, "names no part, such as {well} or {channel}")
        if len(roles) > MOST_PARTS:
            raise _template_error(text, f"names more than {MOST_PARTS} parts")
        return cls(name or text, text, "".join(pieces), roles, free > FREE_PARTS)

    @classmethod
    def from_expression(cls, expression: str, name: str = "") -> Pattern:
        """A pattern from a regular expression with named groups, ``(?P<well>[A-H][0-9]+)_...``.

        It is compared with the whole name without its suffix, or where it holds a ``/`` with as
        many folders; without regard to capitals. It runs in a process of its own, which is ended
        after some seconds: a pattern may take for ever.

        Parameters
        ----------
        expression : str
        name : str, optional
            As a person reads it; default: the expression.

        Raises
        ------
        DataError
            No regular expression, or none with named groups.

        Examples
        --------
        >>> Pattern.from_expression("(?P<well>[A-H][0-9]+)-(?P<stain>.+)").roles
        {'well': <Role.WELL: 'well'>, 'stain': <Role.KEY: 'keep'>}
        """
        _refuse_long(expression)
        try:
            groups = re.compile(expression, re.IGNORECASE).groupindex
        except (re.error, RecursionError, OverflowError) as error:
            raise DataError(
                f"pattern {quoted(expression)}: no regular expression: {error}"
            ) from None
        if not groups:
            raise DataError(
                f"pattern {quoted(expression)}: has no named group, such as (?P<well>[A-H]\\d+)"
            )
        roles = {name: PARTS.get(name.casefold(), Role.KEY) for name in groups}
        return cls(name or expression, expression, expression, roles)

    @property
    def depth(self) -> int:
        """Folders that the pattern reads above the file."""
        return self.text.count("/")

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.expression, re.IGNORECASE)

    def matches(self, paths: Sequence[str]) -> list[Parts | None]:
        """Parts of each path, or None where it does not fit; texts as the names have them.

        Parameters
        ----------
        paths : sequence of str
            With ``/`` between folders.

        Raises
        ------
        DataError
            The pattern takes longer than some seconds.
        """
        return drain(self.matches_job(paths))

    def matches_job(self, paths: Sequence[str]) -> Job[list[Parts | None]]:
        """`matches` as a job."""
        ends = [self._end(path) for path in paths]
        if self.bounded:
            return (yield from bounded_matches_job(self.expression, ends))
        matched: list[Parts | None] = []
        for count, text in enumerate(ends):
            if count % 2000 == 0:
                yield Progress(count, len(ends), "reading names")
            match = None if text is None else self._compiled.fullmatch(text)
            matched.append(
                None if match is None else {k: v or "" for k, v in match.groupdict().items()}
            )
        return matched

    def fits(self, path: str) -> bool:
        """Whether one path is read by this pattern."""
        return self.matches([path])[0] is not None

    def _end(self, path: str) -> str | None:
        """The part of a path that is compared: as many folders as the pattern has."""
        folders = path.split("/")
        if len(folders) <= self.depth:
            return None
        return plain_name("/".join([*folders[-self.depth - 1 : -1], stem_of(folders[-1])]))


def plain_name(text: str) -> str:
    """A name with its accents in one form, as systems write them in two."""
    return unicodedata.normalize("NFC", text)


def stem_of(name: str) -> str:
    """A file name without the suffix of an image."""
    return _without_suffix(name)


def _without_suffix(text: str) -> str:
    lower = text.casefold()
    suffix = next((one for one in SUFFIXES if lower.endswith(one)), "")
    return text[: len(text) - len(suffix)]


def _refuse_long(text: str) -> None:
    if len(text) > LONGEST:
        raise DataError(f"pattern {quoted(text)}: is longer than {LONGEST} characters")


def _template_error(text: str, why: str) -> DataError:
    return DataError(f"pattern {quoted(text, 100)}: {why}")


def _part(text: str, part: str, roles: Mapping[str, Role]) -> tuple[str, str, Role, bool]:
    """Regular expression, column, role of one part in braces, and whether it may hold anything."""
    column, _, kind = (piece.strip() for piece in part.partition(":"))
    role = PARTS.get(column.casefold(), Role.KEY) if column else Role.IGNORE
    column = re.sub(r"\W+", "_", column)
    if column and not column.isidentifier():
        raise _template_error(text, f"names a part {quoted(part)}; a part is a word")
    if column in roles:
        raise _template_error(text, f"names {quoted(column)} twice")
    free = False
    if kind in _KINDS:
        expression = _KINDS[kind]
        free = kind == "text"
    elif kind.isdecimal() and 0 < int(kind) < 100:
        expression = rf"\d{{{int(kind)}}}"
    elif kind:
        expression = re.sub(r"(\\?#)+", r"\\d+", re.escape(kind))
    else:
        expression = _USUAL.get(role, _TEXT)
        free = _TEXT in expression
    name = "" if role is Role.IGNORE else f"?P<{column}>"
    return f"({name or '?:'}{expression})", column, role, free
