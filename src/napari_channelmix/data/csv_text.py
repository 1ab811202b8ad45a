"""Tables as CSV text that a spreadsheet opens without taking a name for a formula.

Spreadsheets run a cell that begins with ``= + - @``, a tab or a return. Text that does so gets an
apostrophe in front, as spreadsheets themselves mark text; reading takes one apostrophe away again
(`unescaped`), so that a name comes back as it was. Numbers are never touched, nor is text that is
a plain number, such as ``-1.5``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["csv_blocks", "csv_text", "escaped", "unescaped"]

# The wide forms are taken for the others by spreadsheets in East Asian settings.
_FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")  # noqa: RUF001
_ESCAPED = re.compile("'+[=+\\-@\t\r\n＝＋－＠]")  # noqa: RUF001
# Of texts of a column, a line each.
_ANY_FORMULA = re.compile("^'*[=+\\-@\t\r＝＋－＠]", re.MULTILINE)  # noqa: RUF001
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
# Rows that become text at once.
BLOCK = 20_000


def escaped(value: Any) -> Any:
    """A cell for a spreadsheet: text that it would take for a formula gets an apostrophe in front.

    Text of the form that this gives (``'=live``) gets one more, so that no two texts become one.

    Examples
    --------
    >>> escaped("=live"), escaped("'=live"), escaped("-1.5"), escaped(-1.5), escaped("it's")
    ("'=live", "''=live", '-1.5', -1.5, "it's")
    """
    if isinstance(value, str) and _FORMULA.match(value) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value


def unescaped(text: str) -> str:
    """The text that `escaped` wrote.

    Examples
    --------
    >>> unescaped("'=live"), unescaped("''=live"), unescaped("'quoted'"), unescaped("-1.5")
    ('=live', "'=live", "'quoted'", '-1.5')
    """
    return text[1:] if text.startswith("'") and _ESCAPED.match(text) else text


def csv_text(table: pd.DataFrame, *, index: bool = False, separator: str = ",") -> str:
    """A table as CSV: lines end with CR LF, text is `escaped`, in the head and the index too."""
    return "".join(csv_blocks(table, index=index, separator=separator))


def csv_blocks(table: pd.DataFrame, *, index: bool = False, separator: str = ",") -> Iterator[str]:
    """`csv_text` in pieces of some 20,000 rows, the head before the first."""
    for start in range(0, max(len(table), 1), BLOCK):
        block = table.iloc[start : start + BLOCK]
        yield _block_text(block, index=index, separator=separator, head=not start)


def _escaped(values: list[Any]) -> list[Any]:
    """The cells of a column for a spreadsheet."""
    if set(map(type, values)) == {str}:
        joined = "\n".join(values)
        if joined.count("\n") == len(values) - 1 and not _ANY_FORMULA.search(joined):
            return values
    return [escaped(value) for value in values]


def _block_text(table: pd.DataFrame, *, index: bool, separator: str, head: bool) -> str:
    import pandas as pd

    def safe(column: pd.Series[Any]) -> pd.Series[Any]:
        if pd.api.types.is_numeric_dtype(column.dtype):
            return column
        return pd.Series(_escaped(column.tolist()), index=column.index, dtype=object)

    shown = pd.DataFrame(
        {place: safe(table.iloc[:, place]) for place in range(table.shape[1])}, index=table.index
    )
    shown.columns = pd.Index([escaped(name) for name in table.columns], dtype=object)
    if index:
        shown.index = pd.Index(
            [escaped(name) for name in table.index], dtype=object, name=escaped(table.index.name)
        )
    # With other ends of lines, a return within a name would not be quoted, and end its line.
    return shown.to_csv(index=index, sep=separator, lineterminator="\r\n", header=head)
