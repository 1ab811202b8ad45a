"""Questions of a scan, with their options, and what was left out with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from napari_channelmix.errors import DataError
from napari_channelmix.wording import listed, path_shown, quoted

__all__ = ["Choice", "LeftOut", "left_out_lines"]

# Lines of what was left out that are shown with the cells.
MOST_LINES = 8


@dataclass(frozen=True)
class LeftOut:
    """A file, folder or row that was not understood.

    Attributes
    ----------
    path : str
        Relative to the folder of the scan.
    reason : str
        In a few words, such as ``"a thumbnail"``.

    Examples
    --------
    >>> LeftOut("Thumbs.db", "a file of the system").path
    'Thumbs.db'
    """

    path: str
    reason: str


def left_out_lines(left_out: Sequence[LeftOut]) -> tuple[str, ...]:
    """What was left out in a few lines: one for each reason, with the first and the number of it.

    Examples
    --------
    >>> left_out_lines([LeftOut("a.txt", "no image"), LeftOut("b.txt", "no image")])
    ('left out: a.txt and 1 more (no image)',)
    """
    by_reason: dict[str, list[str]] = {}
    for item in left_out:
        by_reason.setdefault(item.reason, []).append(item.path)
    lines = [
        f"left out: {path_shown(paths[0])}{f' and {len(paths) - 1:,} more' if paths[1:] else ''} "
        f"({reason})"
        for reason, paths in by_reason.items()
    ]
    more = len(lines) - MOST_LINES
    return (*lines[:MOST_LINES], *([f"left out for {more} further reasons"] if more > 0 else []))


@dataclass(frozen=True)
class Choice:
    """One question about what was understood.

    Attributes
    ----------
    name : str
        What it is called in Python and on the command line, such as ``"planes"``.
    text : str
        The question as a person reads it.
    options : tuple of str
    chosen : str or None
        The answer, or what is proposed; None where only the user can tell: the scan cannot be
        used before.

    Examples
    --------
    >>> question = Choice("axes", "What are the axes?", ("CYX (3 channels)", "YXC (4 channels)"))
    >>> question.chosen is None, question.option("yxc")
    (True, 'YXC (4 channels)')
    """

    name: str
    text: str
    options: tuple[str, ...]
    chosen: str | None = None

    def option(self, text: str) -> str:
        """The option that a text names: itself, or words that no other option holds.

        Parameters
        ----------
        text : str
            Capitals do not count; ``3`` and ``03`` are one word.

        Raises
        ------
        DataError
            No option, or several; the line lists them.

        Examples
        --------
        >>> planes = Choice("planes", "Planes?", ("each plane", "plane 3 only", "plane 30 only"))
        >>> planes.option("3"), planes.option("EACH")
        ('plane 3 only', 'each plane')
        """
        asked = text.strip().casefold()
        same = [option for option in self.options if option.casefold() == asked]
        words = asked.split()
        holding = same or [
            option for option in self.options if words and _holds(option.casefold().split(), words)
        ]
        if len(holding) != 1:
            why = "names several options" if holding else "is no option"
            options = listed([quoted(option) for option in self.options])
            raise DataError(f"choice {quoted(self.name)}: {quoted(text)} {why}; options: {options}")
        return holding[0]


def _holds(words: list[str], part: list[str]) -> bool:
    """Whether words stand in others, one after the other; ``3`` and ``03`` are one."""
    words, part = ([word.lstrip("0") or "0" for word in each] for each in (words, part))
    size = len(part)
    return any(words[start : start + size] == part for start in range(len(words) - size + 1))
