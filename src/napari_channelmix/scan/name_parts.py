"""Names without a known pattern: their parts, and what each seems to say."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from napari_channelmix.scan import vocabulary
from napari_channelmix.scan.roles import Role
from napari_channelmix.scan.wells import well_name

__all__ = ["Part", "alike", "parts_of", "role_of", "without_word"]

_SEPARATORS = re.compile(r"[_\s.,()\[\]{}+&=#@;~]+|-+")
# A few groups of letters and digits without a separator: A01f00d0, s1w2.
_GROUPS = re.compile(r"[^\W\d_]+\d+")
# Share of the names that may have fewer parts than the others.
ODD = 0.25
# Share of the names that may lack what the same part of all others has.
FEW = 0.125
# Channels at most, where some of their names are known and others are not.
CHANNELS = 12
# Rows of wells that are also letters before a number.
_LETTERS = {name for name in vocabulary.PREFIXES if len(name) == 1} | {"p", "m", "x", "y", "d"}


@dataclass(frozen=True)
class Part:
    """One part of the names.

    Attributes
    ----------
    number : int
        Its place in the name, from 1.
    values : tuple of str
        Of each name.
    role : Role or None
        What it says; None where that is not clear.
    """

    number: int
    values: tuple[str, ...]
    role: Role | None = None

    @property
    def distinct(self) -> list[str]:
        """Its values, each once, in the order in which they come."""
        return list(dict.fromkeys(self.values))


def alike(stems: Sequence[str]) -> tuple[list[int], list[Part]]:
    """The names that are made alike, and their parts.

    Few names (up to a quarter) with fewer parts than the others, or up to an eighth without a well
    or a number where the others have one, are made otherwise. Our definition.

    Returns
    -------
    tuple of (list of int, list of Part)
        Places of the names in ``stems``, and the parts of these.
    """
    places = list(range(len(stems)))
    sizes = [len(_divided(stem)) for stem in stems]
    counts = Counter(sizes)
    enough = [size for size, count in counts.items() if count > ODD * len(stems)]
    if not enough:
        return places, []
    size = min(enough)
    places = [place for place in places if sizes[place] >= size]
    parts = parts_of([stems[place] for place in places])
    odd: set[int] = set()
    for part in parts:
        for fits in (_is_well, _kind_of_most(part)):
            others = [place for place, value in enumerate(part.values) if not fits(value)]
            if 0 < len(others) <= FEW * len(part.values):
                odd.update(others)
                break
    if odd and len(odd) <= FEW * len(places):
        places = [place for at, place in enumerate(places) if at not in odd]
        parts = parts_of([stems[place] for place in places])
    return places, parts


def _is_well(value: str) -> bool:
    return well_name(value) is not None


def _kind_of_most(part: Part) -> Callable[[str], bool]:
    """Whether a value has the same letters before its number as most values."""
    pairs = Counter(pair[0] for value in part.values if (pair := vocabulary.prefixed(value)))
    prefix = pairs.most_common(1)[0][0] if pairs else None

    def fits(value: str) -> bool:
        pair = vocabulary.prefixed(value)
        return pair is not None and pair[0] == prefix

    return fits


def parts_of(stems: Sequence[str]) -> list[Part]:
    """Names divided at their separators and aligned from the end.

    Names with more parts than the others keep the surplus in their first part. Our definition.
    """
    rows = [_divided(stem) for stem in stems]
    size = min(map(len, rows), default=0)
    if not size:
        return []
    aligned = []
    for stem, row in zip(stems, rows, strict=True):
        surplus = len(row) - size
        if surplus:
            # The text up to the next part, with its separators.
            row = (stem[: _end_of(vocabulary.protected(stem), surplus + 1)], *row[surplus + 1 :])
        aligned.append(row)
    columns = [column for each in zip(*aligned, strict=True) for column in _groups_apart(each)]
    return [Part(number, without_word(values)) for number, values in enumerate(columns, 1)]


def without_word(values: Sequence[str]) -> tuple[str, ...]:
    """Parts or folders called ``well A01`` by the well alone."""
    distinct = dict.fromkeys(values)
    known = {value: re.fullmatch(r"wells?[ _-]*(.+)", value, re.IGNORECASE) for value in distinct}
    if all(match is not None and well_name(match[1]) for match in known.values()):
        return tuple(match[1] for value in values if (match := known[value]) is not None)
    return tuple(values)


@lru_cache(2**16)
def _divided(stem: str) -> tuple[str, ...]:
    parts = _SEPARATORS.split(vocabulary.protected(stem))
    return tuple(vocabulary.restored(part) for part in parts if part)


def _end_of(stem: str, parts: int) -> int:
    """Where the first parts of a name end."""
    end = 0
    for count, match in enumerate(re.finditer(rf"(?:(?!{_SEPARATORS.pattern}).)+", stem), 1):
        end = match.end()
        if count == parts:
            break
    return end


def _groups_apart(values: Sequence[str]) -> list[tuple[str, ...]]:
    """A part of several letters with numbers as parts of its own, where all names agree."""
    groups = {value: _GROUPS.findall(value) for value in dict.fromkeys(values)}
    whole = all("".join(group) == value for value, group in groups.items())
    letters = {
        tuple(re.sub(r"\d", "", one).casefold() for one in group[1:]) for group in groups.values()
    }
    if not whole or len(letters) != 1 or not next(iter(letters)):
        return [tuple(values)]
    return [tuple(column) for column in zip(*(groups[value] for value in values), strict=True)]


def role_of(values: Sequence[str]) -> Role | None:
    """What a part says, by its distinct values alone; None where they do not tell.

    Values such as ``C01`` that are a well of one row or a channel stay open.
    """
    some = [value for value in values if value]
    if not some:
        return None
    if all(map(vocabulary.is_guid, some)):
        return Role.IGNORE
    if all(map(vocabulary.is_date, some)):
        return Role.KEY
    if all(map(vocabulary.is_split, some)):
        return Role.SPLIT
    known = sum(map(vocabulary.is_channel, some))
    if known == len(some):
        return Role.CHANNEL
    certain = any(map(vocabulary.is_certain_channel, some))
    if len(some) <= CHANNELS and (certain or known >= max(2, len(some) / 2)):
        return Role.CHANNEL
    if all(re.match(r"channel[ _-]?[^\W\d]", value, re.IGNORECASE) for value in some):
        return Role.CHANNEL
    if _are_wells(some):
        return Role.WELL
    pairs = [vocabulary.prefixed(value) for value in some]
    letters = {pair[0] if pair else "" for pair in pairs}
    if len(letters) == 1:
        prefix = next(iter(letters))
        role = vocabulary.PREFIXES.get(prefix)
        # A single letter and many digits is a date, an hour, an identifier.
        if len(prefix) == 1 and any(pair and len(pair[1]) > 4 for pair in pairs):
            role = None
        capital = len(prefix) == 1 and some[0][0].isupper() and all(map(well_name, some))
        if role is not None and not capital:
            return role
    # `w1DAPI`: a number and a name.
    if all(re.match(r"(?:w|ch?)\d+[ _-]?[^\W\d]", value, re.IGNORECASE) for value in some):
        return Role.CHANNEL
    if all(map(vocabulary.dose_like, some)):
        return Role.DOSE
    if sum(map(vocabulary.is_class, some)) >= max(1, len(some) / 2):
        return Role.CLASS
    return None


def _are_wells(values: Sequence[str]) -> bool:
    names = [well_name(value) for value in values]
    if not all(names):
        return False
    rows = {name[:-2] for name in names if name}
    padded = all(re.search(r"\D0\d|\D\d\d", value) for value in values)
    if len(rows) > 1:
        return True
    # Of one row: `A01` is a well, `s1` and `C1` may be something else.
    return padded and next(iter(rows)).casefold() not in _LETTERS and values[0][0].isupper()
