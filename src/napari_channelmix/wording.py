"""Values and paths as error messages quote them: short, on one line, whatever they hold."""

from __future__ import annotations

import os
import reprlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydantic import ValidationError

__all__ = [
    "brief",
    "chance_shown",
    "counted",
    "fraction",
    "listed",
    "middle_cut",
    "path_shown",
    "problem",
    "quoted",
    "sampled_line",
    "sentence",
    "sentences",
    "shown_error",
]

# Characters of a value that are quoted, and of a path and a problem that are shown.
QUOTED, PATH, PROBLEM = 40, 240, 300

_BRIEF = reprlib.Repr()
_BRIEF.maxlevel, _BRIEF.maxlist, _BRIEF.maxdict, _BRIEF.maxtuple = 2, 3, 3, 3
_BRIEF.maxstring = _BRIEF.maxother = QUOTED


def quoted(value: object, most: int = QUOTED) -> str:
    """A value in quotes where it is text, cut where it is long, never on several lines."""
    if isinstance(value, str):
        return repr(_cut(value, most))
    if isinstance(value, int) and value.bit_length() > 200:
        # Python refuses to write out thousands of digits.
        return f"{'-' if value < 0 else ''}2**{value.bit_length() - 1} or so"
    text = _BRIEF.repr(value)
    return _cut(text, most)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."


def brief(value: object) -> str:
    """A value as `quoted`, text without its quotes."""
    return quoted(value)[1:-1] if isinstance(value, str) else quoted(value)


def middle_cut(text: str, most: int) -> str:
    """A text without its middle where it is longer than ``most``; alike names differ at their ends.

    Examples
    --------
    >>> middle_cut("CD4 positive T helper cell", 13)
    'CD4 po…r cell'
    """
    if len(text) <= most:
        return text
    behind = (most - 1) // 2
    return f"{text[: most - 1 - behind]}…{text[len(text) - behind :]}"


def listed(names: Iterable[object], most: int = 12) -> str:
    """Names for a message: each cut where it is long, and the first ones where they are many."""
    every = [str(name) for name in names]
    shown = [_cut(name, QUOTED + 2) for name in every[:most]]
    more = f" and {len(every) - most:,} more" if len(every) > most else ""
    return ", ".join(shown) + more


def counted(count: int, what: str, verb: str = "") -> str:
    """A number with its noun, and a verb: ``1 row has``, ``2,000 rows have``."""
    noun = f"{count:,} {what}{'' if count == 1 else 's'}"
    if not verb:
        return noun
    return f"{noun} {verb if count != 1 else _OF_ONE.get(verb, f'{verb}s')}"


_OF_ONE = {"have": "has", "are": "is", "were": "was"}


def fraction(value: float) -> str:
    """A fraction or a difference of two, with two digits and no leading zero: ``.97``, ``-.03``."""
    text = f"{abs(value):.2f}"
    text = text[1:] if text.startswith("0.") else text
    return f"-{text}" if value < 0 and float(text) > 0 else text


def chance_shown(value: float) -> str:
    """What a guess reaches: two digits behind the point, or one that is not 0: ``0.14``, ``0.003``.

    Examples
    --------
    >>> chance_shown(1 / 7), chance_shown(1 / 300)
    ('0.14', '0.003')
    """
    return f"{value:.2f}" if value >= 0.01 or value <= 0 else f"{value:.1g}"


def path_shown(path: str | os.PathLike[str]) -> str:
    """A path on one line: the middle of a very long one is left out, bad characters escaped."""
    text = os.fspath(path).encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
    half = PATH // 2
    return text if len(text) <= PATH else f"{text[:half]}...{text[-half:]}"


def problem(error: ValidationError, kind: str = "", *, sections: bool = False) -> str:
    """The first problem of a file, as a user of it would put it.

    Parameters
    ----------
    error : pydantic.ValidationError
    kind : str
        What a key that is not known is none of, such as ``the data-set file``.
    sections : bool
        Whether the first of several keys is a section in square brackets, as in TOML.
    """
    first = error.errors(include_url=False)[0]
    keys = [_cut(key, QUOTED) for key in map(str, first["loc"])]
    if sections and len(keys) > 1:
        where, colon = f"[{keys[0]}] {'.'.join(keys[1:])}", ""
    else:
        where, colon = ".".join(keys), "" if sections else ":"
    if first["type"] == "missing":
        message = f"{where} is missing"
    elif first["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        message = f"{where} is not a key of {kind}"
    elif first["type"] == "value_error":
        message = f"{where}{colon} {first['ctx']['error']}" if where else str(first["ctx"]["error"])
    else:
        wrong = f"{first['msg'][:1].lower()}{first['msg'][1:]}, not {quoted(first['input'])}"
        message = f"{where}{colon} {wrong}" if where else wrong
    return _cut(message, PROBLEM)


def shown_error(error: BaseException) -> str:
    """What an error of a library says, cut."""
    text = str(error) or type(error).__name__
    return _cut(text, PROBLEM)


def sampled_line(errors: Sequence[float] | None) -> str:
    """That the Shapley values are sampled, and how well; empty where they are exact.

    Examples
    --------
    >>> sampled_line([0.004, 0.0121])
    'Shapley values are sampled, ± sampling error: 0.012 at most'
    """
    if not errors:
        return ""
    return f"Shapley values are sampled, ± sampling error: {max(errors):.3f} at most"


def sentence(line: str) -> str:
    """A line as a sentence, with a capital and a full stop.

    Examples
    --------
    >>> sentence("figures are of 360 cells")
    'Figures are of 360 cells.'
    """
    return f"{line[:1].upper()}{line[1:].removesuffix('.')}."


def sentences(lines: Sequence[str]) -> tuple[str, ...]:
    """Each line as a `sentence`."""
    return tuple(sentence(line) for line in lines)
