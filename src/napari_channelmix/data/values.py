"""What a value of a table, a features column or an array means: a class, an id, a number.

One rule for every entrance: data-set tables, annotation files, features of layers, label arrays.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from napari_channelmix.errors import DataError
from napari_channelmix.wording import counted, quoted

__all__ = [
    "BLANKS",
    "LARGEST",
    "MISSING_NAMES",
    "class_name",
    "number",
    "same_class",
    "similar_names",
    "similar_warnings",
    "whole_number",
]

# Texts that stand for 'no class', in lower case. pandas writes <NA> and NaT.
MISSING_NAMES = frozenset({"", "na", "n/a", "#n/a", "nan", "none", "null", "<na>", "nat"})

# Places and sizes beyond it (in pixels or micrometres) are mistakes, and overflow in sums.
LARGEST = 1e9
MANY = 20_000

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)
_NUMBER_WITH_COMMA = re.compile(r"[+-]?(?:\d+,?\d*|,\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)
# What is a blank to the eye, and nothing to str.strip().
BLANKS = "".join(
    map(
        chr,
        [
            *range(9, 14),
            *range(28, 33),
            0x85,
            0xA0,
            0x1680,
            *range(0x2000, 0x200E),
            0x2028,
            0x2029,
            0x202F,
            0x205F,
            0x2060,
            0x3000,
            0xFEFF,
        ],
    )
)

_WHOLE = re.compile(r"([+-]?\d+)(?:\.0*)?")


def class_name(value: Any) -> str | None:
    """The class that a value names.

    Parameters
    ----------
    value : object
        A text, a number, a boolean, or something that pandas takes for missing.

    Returns
    -------
    str or None
        Text without blanks around it; whole numbers without a decimal part, so that ``1``,
        ``1.0`` and ``"1.0"`` are one class; None for a missing value and for the texts in
        `MISSING_NAMES`, whatever their case. Our definition.

    Examples
    --------
    >>> class_name(" pos "), class_name("1.0"), class_name(1.0), class_name("NA")
    ('pos', '1', '1', None)
    """
    if value is None:
        return None
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        number = float(value)
        if math.isnan(number):
            return None
        return str(int(number)) if number.is_integer() else repr(number)
    # An accented letter is one character or two, by the system that a text comes from.
    text = unicodedata.normalize("NFC", str(value).strip(BLANKS))
    if text.lower() in MISSING_NAMES:
        return None
    whole = _WHOLE.fullmatch(text)
    # Only a decimal part is dropped: '01' may be a name that is told apart from '1'.
    return whole[1] if whole and "." in text else text


def same_class(first: Any, other: Any) -> bool:
    """Whether two values name one class, as `class_name` reads them; a text may be a name."""
    return (class_name(first) or first) == (class_name(other) or other)


def whole_number(value: Any) -> int | None:
    """The id that a value gives, such as that of a label.

    Parameters
    ----------
    value : object
        A whole number, as a number or as text in plain digits (``"12"``, ``"12.0"``).

    Returns
    -------
    int or None
        None for a missing value. Text is never rounded or cut: ``"1,000"`` is refused.

    Raises
    ------
    DataError
        A value that is no whole number, or one of 2**63 and more.

    Examples
    --------
    >>> whole_number("12"), whole_number(12.0), whole_number(float("nan"))
    (12, 12, None)
    """
    if isinstance(value, (bool, np.bool_)):
        raise DataError(f"{value!r} is not a whole number")
    if isinstance(value, (int, np.integer)):
        number = int(value)
    else:
        name = class_name(value)
        if name is None:
            return None
        whole = _WHOLE.fullmatch(name)
        if whole is None:
            raise DataError(f"{quoted(name)} is not a whole number")
        if len(name) > 25:
            raise DataError(f"an id of {len(name)} digits is too large; the largest is 2**63 - 1")
        number = int(whole[1])
    if not -(2**63) <= number < 2**63:
        raise DataError(f"the id {number} is too large; the largest is 2**63 - 1")
    return number


def similar_names(names: Iterable[str]) -> Sequence[tuple[str, ...]]:
    """Names that may be one class written in two ways.

    They differ only in case, in blanks and underscores, in kinds of dashes, in
    characters that look alike (as ligatures and wide letters do), or in the way a number is
    written (``0.5``, ``0,50``).

    Returns
    -------
    sequence of tuple of str
        Each tuple holds two or more names, in their order; empty where all names are distinct.

    Examples
    --------
    >>> similar_names(["Live", "dead", "live", "de ad"])
    [('Live', 'live'), ('dead', 'de ad')]
    """
    by_key: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        by_key.setdefault(_key(name), []).append(name)
    return [tuple(group) for group in by_key.values() if len(group) > 1]


def _key(name: str) -> str:
    """What names that may be one have in common."""
    text = unicodedata.normalize("NFKC", name)
    # Minus signs and dashes are one sign, and an underscore stands for a blank.
    text = "".join("-" if unicodedata.category(c) == "Pd" or c == "\u2212" else c for c in text)
    text = "".join(
        c for c in text if not c.isspace() and c != "_" and unicodedata.category(c) != "Cf"
    )
    if re.fullmatch(r"[+-]?\d{1,300}([.,]\d{0,300})?", text, re.ASCII):
        return repr(float(text.replace(",", ".")))
    return text.casefold()


def number(value: Any, *, decimal_comma: bool = False, largest: float = LARGEST) -> float:
    """The number that a text gives: plain digits, one decimal sign, perhaps an exponent.

    Parameters
    ----------
    value : object
        A text, or a number.
    decimal_comma : bool
        Whether a comma may be the decimal sign, as in tables whose separator is none.
    largest : float
        Bound of the absolute value.

    Raises
    ------
    DataError
        Anything else: thousands separators (``"1,000"``, ``"1.234,5"``), ``"1_000"``, NaN,
        infinity, a value beyond the bound. Our definition.

    Examples
    --------
    >>> number(" 1.5"), number("-1e3"), number("60,5", decimal_comma=True)
    (1.5, -1000.0, 60.5)
    """
    text = (
        repr(float(value)) if isinstance(value, (float, np.floating)) else str(value).strip(BLANKS)
    )
    plain = _NUMBER.fullmatch(text) if len(text) <= 400 else None
    if plain is None and decimal_comma and len(text) <= 400:
        plain = _NUMBER_WITH_COMMA.fullmatch(text)
        text = text.replace(",", ".")
    if plain is None:
        comma = re.fullmatch(r"[+-]?\d+([.,]\d+)*,\d+", text, re.ASCII)
        hint = "; write it with a decimal point and without thousands separators" if comma else ""
        raise DataError(f"{quoted(value)} is not a number{hint}")
    result = float(text)
    if not abs(result) <= largest:
        raise DataError(f"{quoted(value)} is beyond the bound of {largest:g}")
    return result


def similar_warnings(counts: Mapping[str, int], what: str, rows: str = "row") -> tuple[str, ...]:
    """A line for names that may be one, written in two ways.

    Parameters
    ----------
    counts : mapping of str to int
        How many rows, or cells, each name has.
    what : str
        What they name, in the plural. More than `MANY` are numbers of rows or the like, and are
        not looked through.
    rows : str
        What is counted, in the singular.
    """
    if len(counts) > MANY:
        return ()
    return tuple(
        f"{what} "
        + " and ".join(f"{quoted(name)} ({counted(counts[name], rows)})" for name in group[:4])
        + " differ only in case, blanks or form and are kept apart; write them alike if they "
        "are one"
        for group in similar_names(counts)[:5]
    )
