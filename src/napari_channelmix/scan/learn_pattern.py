"""A pattern from one name in which a person marked the well, the channel and so on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise

from napari_channelmix.errors import DataError
from napari_channelmix.scan.pattern import PARTS, Pattern, plain_name, stem_of
from napari_channelmix.scan.roles import Role
from napari_channelmix.scan.vocabulary import is_guid, protected, restored
from napari_channelmix.scan.wells import well_name
from napari_channelmix.wording import quoted

__all__ = ["learn_pattern"]

_SEPARATORS = re.compile(r"([_\s.,()\[\]+&=#@;~/-]+)")
# Roles by the words of `Role`, such as "well row", and by those of templates.
_BY_ROLE = {str(role): next((n for n, r in PARTS.items() if r is role), "") for role in Role}
# Letters before a number that belong to the marked part: `ch2`, `w10`.
MOST_LETTERS = 3
# Words between two marks that are columns of their own.
MOST_WORDS = 2


def learn_pattern(name: str, marks: Mapping[str, str | tuple[int, int]]) -> Pattern:
    """A pattern that reads all names of the style of one example.

    Marked parts hold what such a part may hold (a well; digits of any number; a text), what lies
    between them stays what it is, and every other part of the name becomes a column of its own:
    digits stay digits, words may be any. What precedes the first mark may have any number of
    parts. Our definition.

    Parameters
    ----------
    name : str
        A file name, or a path with ``/`` between folders; folders are read as far up as a mark
        lies.
    marks : mapping of str to (str or tuple of int)
        What a part says (``"well"``, ``"channel"``, ``"field"``, ... as in templates), and the
        part: its text, or where it begins and ends in ``name``.

    Returns
    -------
    Pattern
        Its ``text`` is a template, which can be written down and used again.

    Raises
    ------
    DataError
        No mark, a text that is not in the name or is there more than once, marks that overlap, or
        a word that is not known.

    Examples
    --------
    >>> pattern = learn_pattern("plate7 B03-site4.w2.tif", {"well": "B03", "channel": "w2"})
    >>> pattern.text
    '{part_1:text} {well}-{part_2:word}.{channel:w#}'
    >>> pattern.matches(["plate12 C11-site10.w1.tif"])[0]["well"]
    'C11'
    """
    spans = sorted(
        (*_span(name, what, mark), _part_name(what)) for what, mark in marks.items() if mark
    )
    if not spans:
        raise DataError(f"{quoted(name, 100)}: nothing is marked; mark the well or the channel")
    for (_, end, one), (start, _, other) in pairwise(spans):
        if start < end:
            raise DataError(f"{quoted(name, 100)}: the marks of {one} and {other} overlap")
    names = [what for *_, what in spans]
    if len(set(names)) < len(names):
        raise DataError(f"{quoted(name, 100)}: two parts are marked as the same")
    # Folders above the first mark tell nothing.
    begin = name.rfind("/", 0, spans[0][0]) + 1
    pieces: list[str] = []
    counter = [0]
    place = begin
    for start, end, what in spans:
        pieces.append(_between(name[place:start], counter, first=place == begin))
        pieces.append(_marked(name, start, end, what))
        place = end
    rest = name[place:]
    tail = rest[: len(rest) - (len(name) - len(stem_of(name)))] if len(stem_of(name)) else rest
    pieces.append(_between(tail, counter, first=False, last=True))
    template = "".join(pieces)
    pattern = Pattern.from_template(template, f"names like {name[begin:]}")
    if not pattern.fits(name):
        raise DataError(
            f"{quoted(name, 100)}: the marks do not make a pattern ({quoted(template, 100)}); mark "
            "whole parts, from one separator to the next"
        )
    return pattern


def _part_name(what: str) -> str:
    word = what.strip().casefold()
    word = _BY_ROLE.get(word) or word.replace(" ", "_")
    if not word.isidentifier():
        raise DataError(f"{quoted(what)} is no name of a part; use {', '.join(PARTS)}")
    return word


def _span(name: str, what: str, mark: str | tuple[int, int]) -> tuple[int, int]:
    if isinstance(mark, str):
        starts = [match.start() for match in re.finditer(f"(?={re.escape(mark)})", name)]
        whole = [start for start in starts if _is_whole(name, start, start + len(mark))]
        starts = whole or starts
        if len(starts) != 1:
            why = "is there more than once; give its place" if starts else "is not in the name"
            raise DataError(f"{quoted(name, 100)}: the mark of {what}, {quoted(mark)}, {why}")
        return starts[0], starts[0] + len(mark)
    start, end = mark
    if not 0 <= start < end <= len(name):
        raise DataError(f"{quoted(name, 100)}: the mark of {what} lies outside the name")
    return start, end


def _is_whole(name: str, start: int, end: int) -> bool:
    """Whether a text lies between separators."""
    before, after = name[:start][-1:], name[end:][:1]
    return not before.isalnum() and not after.isalnum()


def _marked(name: str, start: int, end: int, what: str) -> str:
    text = plain_name(name[start:end])
    role = PARTS.get(what, Role.KEY)
    if role is Role.WELL and well_name(text):
        return "{well}" if what == "well" else f"{{{what}:well}}"
    if text.isdecimal() and (name[:start][-1:].isdecimal() or name[end:][:1].isdecimal()):
        # Nothing but its width divides it from the number beside it.
        return f"{{{what}:{len(text)}}}"
    numbered = re.fullmatch(r"([^\W\d_]*)\d+", text)
    if numbered and len(numbered[1]) <= MOST_LETTERS:
        return f"{{{what}:{numbered[1]}#}}"
    if text.isalpha() and role is Role.WELL_ROW:
        return f"{{{what}:letter}}"
    return f"{{{what}:text}}"


def _between(text: str, counter: list[int], *, first: bool, last: bool = False) -> str:
    """The parts that were not marked: digits stay digits, words may be any, separators stay."""
    if not text:
        return ""
    tokens = [restored(token) for token in _SEPARATORS.split(protected(plain_name(text)))]
    if first:
        # Any number of parts before the first mark.
        head, separator = text, ""
        if len(tokens) > 1 and not tokens[-1]:
            head, separator = "".join(tokens[:-2]), tokens[-2]
        if "/" in text or not head:
            return _all_generalised(tokens, counter, first=first, last=last)
        counter[0] += 1
        kept = re.search(r"[^\W\d_]+$", head)
        if not separator and kept:
            # The letters right before the mark belong to it: `well` in `wellB03`.
            rest = head[: kept.start()]
            word = _escaped(kept[0])
            return f"<{{part_{counter[0]}:text}}>{word}" if rest else word
        return f"{{part_{counter[0]}:text}}{_escaped(separator)}"
    return _all_generalised(tokens, counter, first=first, last=last)


def _all_generalised(tokens: list[str], counter: list[int], *, first: bool, last: bool) -> str:
    words = [place for place, token in enumerate(tokens) if place % 2 == 0 and token]
    if len(words) > MOST_WORDS and words[0] > 0 and words[-1] < len(tokens) - 1:
        # Several words between two marks are one text: there may be more or fewer of them.
        counter[0] += 1
        before, after = tokens[: words[0]], tokens[words[-1] + 1 :]
        return _escaped("".join(before)) + f"{{part_{counter[0]}:text}}" + _escaped("".join(after))
    pieces = []
    for place, token in enumerate(tokens):
        if place % 2 or not token:
            pieces.append(_escaped(token))
            continue
        touches = (place == 0 and not first) or (place == len(tokens) - 1 and not last)
        pieces.append(_beside_a_mark(token, counter) if touches else _generalised(token, counter))
    return "".join(pieces)


def _beside_a_mark(token: str, counter: list[int]) -> str:
    """A part without a separator to the mark: its letters belong to the style."""
    if token.isdecimal():
        counter[0] += 1
        return f"{{part_{counter[0]}:{len(token)}}}"
    pieces = []
    for piece in re.split(r"(\d+)", token):
        if piece.isdecimal():
            counter[0] += 1
            pieces.append(f"{{part_{counter[0]}:#}}")
        else:
            pieces.append(_escaped(piece))
    return "".join(pieces)


def _generalised(token: str, counter: list[int]) -> str:
    counter[0] += 1
    column = f"part_{counter[0]}"
    if is_guid(token):
        counter[0] -= 1
        return "{:guid}"
    return f"{{{column}:{'#' if token.isdecimal() else 'word' if _is_word(token) else 'text'}}}"


def _is_word(token: str) -> bool:
    return _SEPARATORS.search(token) is None


def _escaped(text: str) -> str:
    """Text as a template takes it for itself; its signs become anything."""
    return re.sub(r"[{}<>*]", "*", text)
