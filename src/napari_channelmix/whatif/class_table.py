"""Rows of a channel and a class each, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SAMPLED", "ChannelOfClass", "by_class", "rows_frame", "wants_matrix"]

#: What is said beside values that are not exact.
SAMPLED = "sampled, ± sampling error"


# Up to so many channels and classes bars for one class at a time say as much as a matrix.
FEW_CHANNELS, FEW_CLASSES = 8, 2


def wants_matrix(channels: int, classes: int) -> bool:
    """Whether figures of channels by classes are shown as a matrix: above 8 channels or 2 classes.

    Examples
    --------
    >>> wants_matrix(4, 2), wants_matrix(9, 2), wants_matrix(4, 3)
    (False, True, True)
    """
    return channels > FEW_CHANNELS or classes > FEW_CLASSES


class ChannelOfClass(Protocol):
    """A row of figures."""

    @property
    def channel(self) -> str:
        """Its channel."""
        ...

    @property
    def class_name(self) -> str:
        """Its class."""
        ...


def by_class(
    rows: Sequence[ChannelOfClass],
    channels: Sequence[str],
    classes: Sequence[str],
    name: str,
    kind: type,
) -> pd.DataFrame:
    """One figure of all rows: channels down, classes across.

    Parameters
    ----------
    rows : sequence
        One for each channel and class; others are left out.
    channels, classes : sequence of str
    name : str
        Of the attribute.
    kind : type
        Of the figure.
    """
    import pandas as pd

    known = {(row.channel, row.class_name): getattr(row, name) for row in rows}
    columns = {c: [known[channel, c] for channel in channels] for c in classes}
    index = pd.Index(list(channels), name="channel")
    return pd.DataFrame(columns, index=index, columns=list(classes)).astype(kind)


def rows_frame(rows: Sequence[Any]) -> pd.DataFrame:
    """A line for each row, a column for each of its fields."""
    import pandas as pd

    return pd.DataFrame([asdict(row) for row in rows])
