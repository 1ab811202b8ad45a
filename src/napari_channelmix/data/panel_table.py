"""The panel table: what each channel of an image stains, which are used, and what belongs together.

A CSV file with the columns ``channel`` (as the images name it), ``marker`` (what it is called from
then on), ``use`` (yes or no) and ``group`` (such as lineage or compartment); all but the first may
be absent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from napari_channelmix.data.channel_choice import refuse_unknown
from napari_channelmix.errors import DataError
from napari_channelmix.wording import listed, path_shown, quoted

if TYPE_CHECKING:
    from napari_channelmix.data.table_files import TextTable

__all__ = ["COLUMNS", "PanelRow", "PanelTable", "read_panel_table", "text_panel_table"]

#: Columns of a panel table.
COLUMNS = ("channel", "marker", "use", "group")
# Words in the column 'use'; an empty one is 'no' where the column is there.
YES = ("yes", "y", "true", "t", "1", "1.0", "x", "use", "used", "keep")
NO = ("", "no", "n", "false", "f", "0", "0.0", "drop", "-", "na", "nan", "none")


@dataclass(frozen=True)
class PanelRow:
    """What a panel table says of one channel.

    Attributes
    ----------
    channel : str
        As the images name it.
    marker : str
        What it is called from then on.
    use : bool
    group : str
        Empty for none.
    """

    channel: str
    marker: str
    use: bool = True
    group: str = ""


@dataclass(frozen=True)
class PanelTable:
    r"""A panel table, checked in itself; `names_in` holds it against the channels of images.

    Attributes
    ----------
    name : str
        The file, for messages.
    rows : tuple of PanelRow
        In the order of the table.

    Examples
    --------
    >>> panel = text_panel_table("channel,marker,use,group\nC1,DAPI,yes,\nC2,CD8,yes,T\nC3,AF,no,")
    >>> panel.used(("C1", "C2", "C3")), panel.names_in(("C1", "C2", "C3")), panel.groups
    (('C1', 'C2'), {'C1': 'DAPI', 'C2': 'CD8', 'C3': 'AF'}, {'CD8': 'T'})
    """

    name: str
    rows: tuple[PanelRow, ...]

    def __post_init__(self) -> None:
        first: dict[str, int] = {}
        for place, row in enumerate(self.rows):
            if row.channel in first:
                raise DataError(f"{self.name}: channel {quoted(row.channel)} has two rows")
            first[row.channel] = place
        by_marker: dict[str, str] = {}
        for row in self.rows:
            if not row.use:
                continue
            other = by_marker.setdefault(row.marker, row.channel)
            if other != row.channel:
                raise DataError(
                    f"{self.name}: the channels {quoted(other)} and {quoted(row.channel)} have one "
                    f"marker name, {quoted(row.marker)}; give them different ones"
                )

    @property
    def groups(self) -> dict[str, str]:
        """Group of each marker that is used and has one."""
        return {row.marker: row.group for row in self.rows if row.use and row.group}

    def used(self, channels: Sequence[str]) -> tuple[str, ...]:
        """Those of the channels of images that are used; ones without a row are.

        Raises
        ------
        DataError
            As `names_in`; none that is used.
        """
        self.names_in(channels)
        dropped = {row.channel for row in self.rows if not row.use}
        used = tuple(name for name in channels if name not in dropped)
        if not used:
            raise DataError(
                f"{self.name}: no channel is used; write yes in the column 'use' of those that are"
            )
        return used

    def names_in(self, channels: Sequence[str]) -> dict[str, str]:
        """What each of the channels of images is called; one without a row keeps its name.

        Raises
        ------
        DataError
            Rows of channels that the images do not have; a marker that is called like a channel
            without a row.
        """
        refuse_unknown([row.channel for row in self.rows], channels, self.name)
        markers = {row.channel: row.marker for row in self.rows}
        taken = {row.marker: row.channel for row in self.rows if row.use}
        for name in channels:
            if name not in markers and name in taken:
                raise DataError(
                    f"{self.name}: channel {quoted(taken[name])} is called {quoted(name)}, and so "
                    "is a channel without a row; give it a row, or another marker name"
                )
        return {name: markers.get(name, name) for name in channels}

    def without_row(self, channels: Sequence[str]) -> tuple[str, ...]:
        """Channels of images that have no row: they are used, under their own names."""
        named = {row.channel for row in self.rows}
        return tuple(name for name in channels if name not in named)


def read_panel_table(path: str | Path) -> PanelTable:
    """Read a panel table from a file (CSV or TSV).

    Raises
    ------
    DataError
        One line: a file that cannot be read, unknown columns, two rows of one channel, two
        channels of one marker name.
    """
    from napari_channelmix.data.table_files import read_table

    return _checked(read_table(path, COLUMNS), path_shown(path))


def text_panel_table(text: str, name: str = "panel table") -> PanelTable:
    """A panel table out of a text, such as that of the clipboard; see `read_panel_table`."""
    from napari_channelmix.data.table_files import table_of_text

    return _checked(table_of_text(Path(name), text, COLUMNS), name)


def _checked(table: TextTable, name: str) -> PanelTable:
    """The rows of a table of texts."""
    columns = {str(column).strip().casefold(): str(column) for column in table.rows.columns}
    unknown = [own for key, own in columns.items() if key not in COLUMNS]
    if table.twice or len(columns) < table.rows.shape[1]:
        twice = next(iter(table.twice), "")
        raise DataError(f"{name}: two columns are called {quoted(twice or 'the same')}")
    if unknown:
        several = "columns" if len(unknown) > 1 else "column"
        raise DataError(
            f"{name}: unknown {several} {listed(map(quoted, unknown), 6)}; a panel table has "
            f"{', '.join(COLUMNS)}"
        )
    if "channel" not in columns:
        raise DataError(
            f"{name}: no column 'channel', the names of the channels in the images; a panel table "
            f"has {', '.join(COLUMNS)}"
        )
    texts = {
        key: [text.strip() for text in map(str, table.rows[own])] for key, own in columns.items()
    }
    rows = []
    for place, channel in enumerate(texts["channel"]):
        line = table.rows.index[place]
        own = {key: values[place] for key, values in texts.items()}
        if not channel:
            if any(own.values()):
                raise DataError(f"{name}, line {line}: the channel has no name")
            continue
        rows.append(
            PanelRow(
                channel,
                own.get("marker") or channel,
                _used(own["use"], name, int(line)) if "use" in own else True,
                own.get("group", ""),
            )
        )
    if not rows:
        raise DataError(f"{name}: names no channel")
    return PanelTable(name, tuple(rows))


def _used(text: str, name: str, line: int) -> bool:
    word = text.casefold()
    if word in YES:
        return True
    if word in NO:
        return False
    raise DataError(f"{name}, line {line}: use is {quoted(text)}; write yes or no")
