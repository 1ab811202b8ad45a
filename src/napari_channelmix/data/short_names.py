"""Names without what all begin with: ``20260211_exp7_DAPI`` is ``DAPI`` among its kind."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["short_names"]

# A word with what separates it from the next.
WORD = re.compile(r"[^\s_.\-:|/]*[\s_.\-:|/]*")
# A name of numbers alone says nothing: the word before it stays.
NUMBER = re.compile(r"\W*\d*\W*")


def short_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names without the words that all of them begin with.

    Words end at blanks and at ``_ . - : | /``. What is left is never empty, never the same for
    two names that differ, and never a number alone, which keeps the word before it. One name stays
    as it is.

    Examples
    --------
    >>> short_names(["20260211_exp7_DAPI", "20260211_exp7_GFP"])
    ('DAPI', 'GFP')
    >>> short_names(["plate3 channel 1", "plate3 channel 2"])
    ('channel 1', 'channel 2')
    >>> short_names(["DAPI", "GFP"])
    ('DAPI', 'GFP')
    """
    words = [[word for word in WORD.findall(name) if word] for name in names]
    if len({*names}) < 2:
        return tuple(names)
    common = 0
    while all(len(own) > common + 1 for own in words) and len({o[common] for o in words}) == 1:
        common += 1
    short = ["".join(own[common:]) for own in words]
    if common and any(NUMBER.fullmatch(text) for text in short):
        short = ["".join(own[common - 1 :]) for own in words]
    return tuple(short)
