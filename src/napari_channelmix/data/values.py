"""What a value of a table, a features column or an array means: a class name, or the id of a cell.

One rule for every entrance: data-set tables, annotation files, features of layers, label arrays.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from napari_channelmix.errors import DataError

__all__ = ["MISSING_NAMES", "class_name", "similar_names", "whole_number"]

# Texts that stand for 'no class', in lower case. pandas writes <NA> and NaT.
MISSING_NAMES = frozenset({"", "na", "n/a", "#n/a", "nan", "none", "null", "<na>", "nat"})

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
    text = str(value).strip()
    if text.lower() in MISSING_NAMES:
        return None
    whole = _WHOLE.fullmatch(text)
    # Only a decimal part is dropped: '01' may be a name that is told apart from '1'.
    return whole[1] if whole and "." in text else text


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
            shown = name if len(name) <= 40 else f"{name[:37]}..."
            raise DataError(f"{shown!r} is not a whole number")
        if len(name) > 25:
            raise DataError(f"an id of {len(name)} digits is too large; the largest is 2**63 - 1")
        number = int(whole[1])
    if not -(2**63) <= number < 2**63:
        raise DataError(f"the id {number} is too large; the largest is 2**63 - 1")
    return number


def similar_names(names: Iterable[str]) -> Sequence[tuple[str, ...]]:
    """Names that differ only in case or in blanks, which may be one class written in two ways.

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
        by_key.setdefault("".join(name.split()).casefold(), []).append(name)
    return [tuple(group) for group in by_key.values() if len(group) > 1]
