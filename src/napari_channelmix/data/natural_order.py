"""The order in which people put names: 10 after 9."""

from __future__ import annotations

import re

__all__ = ["natural_key"]


def natural_key(name: str) -> list[tuple[int, float, str]]:
    """Sort key that compares the numbers within names as numbers.

    Examples
    --------
    >>> sorted(["dose 10", "dose 9", "dose 9.5"], key=natural_key)
    ['dose 9', 'dose 9.5', 'dose 10']
    """
    pieces = re.split(r"(\d+(?:\.\d+)?)", name)
    return [(0, float(p), "") if i % 2 else (1, 0.0, p) for i, p in enumerate(pieces) if p]
