"""Columns of texts read all at once, by the rules that `values` has for one text.

What is wrong is only marked: whoever needs the value reads that one text and is told why.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.values import LARGEST, number, whole_number
from napari_channelmix.errors import DataError

__all__ = [
    "Identifiers",
    "alike",
    "different",
    "first_of_each",
    "identifiers_of",
    "numbers_of",
    "trimmed",
]

Texts = npt.NDArray[np.object_]
Doubles = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
V = TypeVar("V")

# Anything but what plain numbers are made of, and an exponent that is none to `number`.
_NOT_PLAIN = re.compile(r"[^0-9.+\-eE\n]|[eE][+-]?\d{5}", re.ASCII)
_NOT_DIGITS = re.compile(r"[^0-9.\n]", re.ASCII)
_NO_PART = re.compile(r"\.0*$", re.MULTILINE)
# Characters of a number, and of an id that surely fits 64 bits.
LONGEST_NUMBER, LONGEST_ID = 400, 18


def numbers_of(texts: Texts, *, decimal_comma: bool = False) -> Doubles:
    """The numbers (N,) of texts, as `values.number` reads each; NaN where that would refuse one.

    Parameters
    ----------
    texts : (N,) array of str
    decimal_comma : bool
        As of `values.number`.

    Examples
    --------
    >>> numbers_of(np.array(["1.5", "-1e3", "1_000", "nan"], object)).tolist()
    [1.5, -1000.0, nan, nan]
    """
    joined = "\n".join(texts)
    if decimal_comma:
        joined = joined.replace(",", ".")
    parts = joined.split("\n")
    plain = len(parts) == len(texts) and not _NOT_PLAIN.search(joined)
    if plain and max(map(len, parts), default=0) <= LONGEST_NUMBER:
        try:
            result = np.fromiter(map(float, parts), dtype=np.float64, count=len(parts))
        except ValueError:
            pass
        else:
            result[~(np.abs(result) <= LARGEST)] = np.nan
            return result

    def read(text: str) -> float:
        try:
            return number(text, decimal_comma=decimal_comma)
        except DataError:
            return float("nan")

    return np.array(_each_once(texts, read), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Identifiers:
    """Ids in a column of texts.

    Attributes
    ----------
    values : (N,) int64 array
        0 where there is none.
    known : (N,) bool array
        Where there is one.
    wrong : (N,) bool array
        Where the text is no id.
    """

    values: IntArray
    known: Bools
    wrong: Bools


def identifiers_of(texts: Texts) -> Identifiers:
    """The ids of texts (N,), as `values.whole_number` reads each.

    Examples
    --------
    >>> identifiers_of(np.array(["12", "", "7.0", "x"], object)).values.tolist()
    [12, 0, 7, 0]
    """
    known = np.fromiter(map(bool, texts), dtype=np.bool_, count=len(texts))
    joined = "\n".join(texts)
    if not _NOT_DIGITS.search(joined):
        # An empty text is no id; those that are only a decimal sign fail.
        parts = (_NO_PART.sub("", joined) if "." in joined else joined).split("\n")
        if len(parts) == len(texts) and max(map(len, parts), default=0) <= LONGEST_ID:
            try:
                filled = (
                    parts
                    if known.all()
                    else [part if there else "0" for part, there in zip(parts, known, strict=True)]
                )
                values = np.fromiter(map(int, filled), dtype=np.int64, count=len(parts))
            except ValueError:
                pass
            else:
                return Identifiers(values, known, np.zeros(len(texts), dtype=np.bool_))

    def read(text: str) -> tuple[int, bool, bool]:
        try:
            value = whole_number(text)
        except DataError:
            return 0, False, True
        return (0, False, False) if value is None else (value, True, False)

    columns = list(zip(*_each_once(texts, read), strict=True)) or [(), (), ()]
    return Identifiers(
        np.array(columns[0], dtype=np.int64),
        np.array(columns[1], dtype=np.bool_),
        np.array(columns[2], dtype=np.bool_),
    )


def trimmed(texts: Texts, blanks: str) -> Texts:
    """The texts without blanks around them; the same array where none holds any."""
    joined = "\n".join(texts)
    clean = joined.count("\n") == max(len(texts) - 1, 0)
    if clean and not any(blank in joined for blank in blanks if blank != "\n"):
        return texts
    result = np.empty(len(texts), dtype=object)
    result[:] = _each_once(texts, lambda text: text.strip(blanks))
    return result


def different(texts: Texts, most: int) -> list[str]:
    """The first ``most`` different texts, in their order.

    Examples
    --------
    >>> different(np.array(["b", "a", "b", "c"], object), 2)
    ['b', 'a']
    """
    # Most columns show them soon.
    kinds = dict.fromkeys(texts[: 4 * most])
    if len(kinds) < most < len(texts):
        kinds = dict.fromkeys(texts)
    return list(kinds)[:most]


def _each_once(texts: Texts, rule: Callable[[str], V]) -> list[V]:
    """What a rule makes of texts; it sees each text once."""
    known: dict[str, V] = {}
    for text in texts:
        if text not in known:
            known[text] = rule(text)
    return [known[text] for text in texts]


def alike(columns: Sequence[npt.NDArray[np.generic] | Texts], count: int) -> IntArray:
    """Which of ``count`` rows have the same values in all columns: a number for each row.

    Numbers count from 0 in the order in which rows of a kind come first.

    Examples
    --------
    >>> alike([np.array(["b", "a", "b"], object), np.array([1, 1, 1])], 3).tolist()
    [0, 1, 0]
    """
    import pandas as pd

    codes = np.zeros(count, dtype=np.int64)
    for values in columns:
        own, kinds = pd.factorize(values, use_na_sentinel=False)
        # Neither of the two is larger than the number of rows: their product fits 64 bits.
        both = codes * (len(kinds) + 1) + own
        codes = np.asarray(pd.factorize(both)[0], dtype=np.int64)
    return codes


def first_of_each(codes: IntArray) -> IntArray:
    """The position of the first row of each number that `alike` gives."""
    firsts = np.zeros(int(codes.max(initial=-1)) + 1, dtype=np.int64)
    # Of several values for one place the last counts.
    firsts[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    return firsts
