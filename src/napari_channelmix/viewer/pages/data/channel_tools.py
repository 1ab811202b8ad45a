"""Tools above a list of channels: all, none, invert, filter, panel table, leaving out by notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_channelmix.data.panel_table import PanelTable, read_panel_table, text_panel_table
from napari_channelmix.errors import DataError
from napari_channelmix.viewer.pages.data.channel_list import (
    FULL_NAME,
    GROUP,
    NOTE,
    WHOLE_NOTE,
    ChannelList,
    is_ticked,
)
from napari_channelmix.viewer.widgets import file_dialogs
from napari_channelmix.viewer.widgets.menu_arrow import leave_room_for_arrow
from napari_channelmix.viewer.widgets.name_filter import NameFilter
from napari_channelmix.viewer.widgets.notice import breakable
from napari_channelmix.wording import counted, listed

if TYPE_CHECKING:
    from pathlib import Path

    from napari_channelmix.data.channel_notes import ChannelNotes

__all__ = ["FEW", "ChannelTools"]

# Channels up to which a list needs no tools.
FEW = 5
# Titles of the notes that can be left out, and their kinds.
LEFT_OUT = {
    "Constant channels and copies": ("constant", "copy"),
    "Channels with hot pixels": ("hot pixels",),
    "Dim channels": ("dim",),
    "All of these": ("constant", "copy", "hot pixels", "dim"),
}


class ChannelTools(QWidget):
    """Buttons for a `ChannelList`; ``panel_applied`` when names and ticks came from a table."""

    panel_applied = Signal()

    def __init__(self, channels: ChannelList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.list = channels
        self.notes: ChannelNotes | None = None
        self.filter = NameFilter()
        self.filter.setPlaceholderText("Filter by name, group or note")
        self.filter.setToolTip("Show only channels with this text; buttons act on those in sight")
        self.filter.textChanged.connect(lambda _: self.refresh())
        self.all, self.none, self.invert = (QPushButton(t) for t in ("All", "None", "Invert"))
        for button, tip in (
            (self.all, "Tick all channels in sight. Shift and a click tick a range"),
            (self.none, "Untick all channels in sight"),
            (self.invert, "Tick what is not ticked, among the channels in sight"),
        ):
            button.setToolTip(tip)
        self.all.clicked.connect(lambda: self.list.tick(lambda _: True))
        self.none.clicked.connect(lambda: self.list.tick(lambda _: False))
        self.invert.clicked.connect(lambda: self.list.tick(lambda item: not is_ticked(item)))
        self.panel = QPushButton("Panel table")
        self.panel.setToolTip(
            "A table (CSV) with the columns channel, marker, use, group: it names, ticks and "
            "groups the channels"
        )
        menu = QMenu(self.panel)
        menu.setToolTipsVisible(True)
        menu.addAction("Open…").triggered.connect(lambda _=False: self._ask())
        paste = menu.addAction("Paste")
        paste.setToolTip("The table that was copied in a spreadsheet")
        paste.triggered.connect(lambda _=False: self.paste())
        self.panel.setMenu(menu)
        self.leave_out = QPushButton("Leave out")
        self.leave_out.setToolTip("Untick the channels that the notes speak against")
        self._left_out = QMenu(self.leave_out)
        self._left_out.aboutToShow.connect(self._fill_left_out)
        self.leave_out.setMenu(self._left_out)
        for each in (self.panel, self.leave_out):
            leave_room_for_arrow(each)
        self.text = QLabel()
        self.text.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.filter)
        for row in ((self.all, self.none, self.invert), (self.panel, self.leave_out)):
            line = QHBoxLayout()
            line.setSpacing(4)
            for button in row:
                line.addWidget(button, 1)
            column.addLayout(line)
        column.addWidget(self.text)
        self.list.itemChanged.connect(lambda _: self._count())
        self._error = ""
        self.refresh()

    def refresh(self) -> None:
        """Filter anew, as rows come and go; hidden while there are few channels."""
        many = self.list.count() > FEW
        self.setVisible(many)
        if not many and self.filter.text():
            with QSignalBlocker(self.filter):
                self.filter.clear()
        self.list.filter(self.filter.text())
        self._count()

    def _count(self) -> None:
        items = list(self.list.items())
        ticked, shown = sum(map(is_ticked, items)), sum(not item.isHidden() for item in items)
        line = f"{ticked} of {counted(len(items), 'channel')} ticked"
        if shown < len(items):
            line += f"; {shown} in sight"
        self.text.setText(breakable("\n".join(filter(None, [line, self._error]))))

    # ---------------------------------------------------------------- notes

    def take_notes(self, notes: ChannelNotes | None) -> None:
        """Write notes beside the channels; None takes them away."""
        self.notes = notes
        for item, name in zip(self.list.items(), self._names_noted(), strict=True):
            own = () if notes is None else notes.of(name)
            short = ", ".join(note.short for note in own)
            self.list.set_note(item, short, "; ".join(note.text for note in own))
        self.leave_out.setEnabled(notes is not None and bool(notes.noted()))
        self.refresh()

    def _names_noted(self) -> list[str]:
        """The name under which each row was looked at: its own, whatever it is called now."""
        return [str(item.data(FULL_NAME) or item.text()) for item in self.list.items()]

    def _fill_left_out(self) -> None:
        self._left_out.clear()
        for title, kinds in LEFT_OUT.items():
            names = () if self.notes is None else self.notes.noted(*kinds)
            if names:
                action = self._left_out.addAction(f"{title}: {listed(names, 5)}".replace("&", "&&"))
                action.triggered.connect(lambda _=False, kinds=kinds: self.untick_noted(*kinds))

    def untick_noted(self, *kinds: str) -> None:
        """Untick the channels that have a note of one of these kinds."""
        noted = set() if self.notes is None else {*self.notes.noted(*kinds)}
        names = self._names_noted()
        self.list.tick(
            lambda item: is_ticked(item) and names[self.list.row(item)] not in noted, hidden=True
        )

    # ---------------------------------------------------------------- the panel table

    def _ask(self) -> None:
        path = file_dialogs.ask_open(
            self, "Open a panel table", "Tables (*.csv *.tsv *.txt);;All files (*)"
        )
        if path is not None:
            self.open_panel(path)

    def open_panel(self, path: str | Path) -> None:
        """Take names, ticks and groups from a panel table in a file."""
        try:
            self.apply(read_panel_table(path))
        except DataError as error:
            self._say(str(error))

    def paste(self) -> None:
        """Take them from the clipboard."""
        clipboard = QApplication.clipboard()
        text = "" if clipboard is None else clipboard.text()
        if not text.strip():
            self._say("the clipboard holds no text: copy the panel table first")
            return
        try:
            self.apply(text_panel_table(text, "pasted table"))
        except DataError as error:
            self._say(str(error))

    def apply(self, panel: PanelTable) -> None:
        """Name, tick and group the channels as a panel table says.

        Raises
        ------
        DataError
            Rows of channels that are not in the list, names that would not differ; nothing is
            changed then.
        """
        rows = {row.channel: row for row in panel.rows}
        items = list(self.list.items())
        # A channel is known by its name in the file, and by the one that is shown.
        names = [
            next((n for n in (item.data(FULL_NAME), item.text()) if n in rows), own)
            for item, own in zip(items, self._names_noted(), strict=True)
        ]
        renamed = panel.names_in(names)
        with QSignalBlocker(self.list):
            for item, name in zip(items, names, strict=True):
                row = rows.get(name)
                if row is not None:
                    item.setText(renamed[name])
                    item.setData(GROUP, row.group)
                    used = Qt.CheckState.Checked if row.use else Qt.CheckState.Unchecked
                    item.setCheckState(used)
        for item in items:
            self.list.set_note(item, item.data(NOTE) or "", item.data(WHOLE_NOTE) or "")
        rest = panel.without_row(names)
        self._say(f"{panel.name} has no row for {listed(rest, 6)}" if rest else "")
        self.panel_applied.emit()

    def _say(self, text: str) -> None:
        self._error = text
        self._count()
