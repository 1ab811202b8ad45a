"""Choose among the channels of a data set that is open: the list, and cells of what is ticked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from napari_channelmix.data.channel_notes import channel_notes_job
from napari_channelmix.data.panel_table import PanelRow, PanelTable
from napari_channelmix.errors import DataError
from napari_channelmix.viewer import layers
from napari_channelmix.viewer.pages.data.channel_list import (
    FULL_NAME,
    GROUP,
    ChannelList,
    is_ticked,
)
from napari_channelmix.viewer.pages.data.channel_tools import ChannelTools
from napari_channelmix.viewer.pages.data.data_set_scaling import scaled_as_before_job
from napari_channelmix.viewer.pages.data.listed_notes import ListedNotes
from napari_channelmix.viewer.pages.data.merging import replaceable
from napari_channelmix.viewer.pages.data.open_jobs import Opened
from napari_channelmix.viewer.session.session import session_of
from napari_channelmix.viewer.widgets.folding import Folding
from napari_channelmix.viewer.widgets.notice import breakable
from napari_channelmix.wording import listed

if TYPE_CHECKING:
    from collections.abc import Hashable

    from napari_channelmix.data import Cells
    from napari_channelmix.data.channel_notes import ChannelNotes
    from napari_channelmix.jobs import Job
    from napari_channelmix.viewer.session.session import Session
    from napari_channelmix.viewer.session.shown import Shown

__all__ = ["ChannelChoice", "DataSetChannels", "shown_job", "use_choice"]

# Added to where the cells came from, as soon as their channels are called otherwise than there.
RENAMED = ", channels renamed"


@dataclass(frozen=True, eq=False)
class ChannelChoice:
    """What was chosen of a data set.

    Attributes
    ----------
    cells : Cells
        With the channels chosen, and the classes that the data set came with.
    every : Cells
        The data set with all of its channels.
    renamed : bool
        Whether channels are called otherwise than in the data set.
    """

    cells: Cells
    every: Cells
    renamed: bool


def choice_of(every: Cells, rows: tuple[PanelRow, ...]) -> ChannelChoice:
    """The channels of some rows of a list, in their order, called as they are there.

    Raises
    ------
    DataError
        Nothing ticked, two channels of one name.
    """
    if not any(row.use for row in rows):
        raise DataError("tick at least one channel")
    cells = every.with_channels([row.channel for row in rows])
    cells = cells.with_panel(PanelTable("the list of channels", rows))
    renamed = any(row.use and row.marker != row.channel for row in rows)
    return ChannelChoice(cells, every, renamed)


def shown_job(choice: ChannelChoice, before: Cells, field: int) -> Job[Opened]:
    """The cells chosen and the pixels of the field of view that was shown before.

    ``before``: those in use so far, whose scaling stays where it was chosen.
    """
    cells = yield from scaled_as_before_job(choice.cells, before, choice.every)
    return Opened(cells, (yield from layers.field_job(cells, field)))


def use_choice(session: Session, choice: ChannelChoice, shown: Shown | None) -> str:
    """Take the channels chosen in use, and say what became of classes and results.

    Classes stay. Nothing that was found is dropped: a data set with results stays open beside.
    """
    before, state = session.cells, session.of(session.data_set)
    if before is None or state is None:
        return ""
    # Sources of cells that were renamed already say so.
    source = state.source.removesuffix(RENAMED) + (RENAMED if choice.renamed else "")
    instead = replaceable(session)
    session.open(choice.cells, source, shown, instead=instead)
    # As a change, so that it is kept with the others.
    session.classify(before.labels, before.classes)
    names = choice.cells.channels
    lines = [f"{len(names)} of {len(choice.every.channels)} channels are in use."]
    if not instead:
        lines.append(f"{state.name} stays open with {listed(state.results, 6)}, as it was.")
    trained = session.trained
    if trained is not None:
        missing = [name for name in trained.classifier.channels if name not in names]
        if missing:
            lines.append(
                f"The classifier in use needs {listed(missing, 4)}, which these cells no longer "
                "have: train one on them."
            )
    if choice.renamed:
        lines.append(
            "Channels have other names than in the file: for a script or a config, 'Save data "
            "set…' on the page 'Report'."
        )
    return " ".join(lines)


class DataSetChannels(Folding):
    """The channels of the data set in use, also those that were left out, folded away."""

    # A `ChannelChoice`, and why there is none.
    chosen = Signal(object)
    refused = Signal(str)

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__("Channels", parent)
        self.setToolTip("Which channels of the data set are used, and what they are called")
        self.session = session_of(viewer)
        # Cells of some channels, as they were opened, and the data set with all of them.
        self._every: WeakKeyDictionary[Cells, Cells] = WeakKeyDictionary()
        self._listed: Cells | None = None
        self.list = ChannelList()
        self.list.setToolTip(
            "Tick the channels, with Shift a range; drag to reorder; double-click to give a "
            "channel another name"
        )
        self.tools = ChannelTools(self.list)
        self.notes = ListedNotes(viewer, self.tools, self._notes_wanted, self)
        self.use = QPushButton("Use these channels")
        self.use.setToolTip(
            "All pages then work on cells of the channels ticked. Classes of cells stay; a data "
            "set with results stays open beside"
        )
        self.reason = QLabel()
        self.reason.setWordWrap(True)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        for part in (self.tools, self.list, self.reason, self.use):
            column.addWidget(part)
        self.addWidget(inside)
        self.list.itemChanged.connect(lambda _: self._check())
        self.tools.panel_applied.connect(self._check)
        self.list.model().rowsMoved.connect(lambda *_: self._check())
        self.toggled.connect(lambda _: self._unfolded())
        self.use.clicked.connect(self._use)

    @property
    def every(self) -> Cells | None:
        """The data set in use with all of its channels, and the classes it came with."""
        original = self.session.original
        return None if original is None else self._every.get(original, original)

    def remember(self, cells: Cells, every: Cells) -> None:
        """Note which data set cells are of, as their pixels are scaled otherwise."""
        if cells is not every:
            self._every[cells] = every

    def fill(self) -> None:
        """List the channels of the data set in use, ticked where they are used."""
        original, every = self.session.original, self.every
        if original is None or every is None or original is self._listed:
            return
        self._listed = original
        used = dict(zip(original.planes, original.channels, strict=True))
        full = dict(zip(every.planes, every.channels, strict=True))
        # In the order of the file, unless another one was chosen.
        ordered = sorted(used, key=every.planes.index)
        planes = every.planes
        if list(used) != ordered:
            planes = (*used, *(plane for plane in planes if plane not in used))
        self.tools.take_notes(None)
        with QSignalBlocker(self.list):
            self.list.clear()
            for plane in planes:
                name = used.get(plane, full[plane])
                self.list.add(name, plane, full=full[plane], checked=plane in used)
            groups = {**every.group_of_channel, **original.group_of_channel}
            for item in self.list.items():
                item.setData(GROUP, groups.get(item.text(), ""))
                self.list.set_note(item, "", "")
        self.list.fit()
        self.tools.refresh()
        self._check()
        self.notes.listed()

    def _rows(self) -> tuple[PanelRow, ...]:
        return tuple(
            PanelRow(
                str(item.data(FULL_NAME)),
                item.text().strip() or str(item.data(FULL_NAME)),
                is_ticked(item),
                str(item.data(GROUP) or ""),
            )
            for item in self.list.items()
        )

    def choose(self) -> ChannelChoice:
        """What is ticked, as cells; nothing is read.

        Raises
        ------
        DataError
            Why it cannot be used.
        """
        if self.every is None:
            raise DataError("open a data set first")
        return choice_of(self.every, self._rows())

    def _check(self) -> None:
        """Say how many are used, and why what is ticked cannot be."""
        cells, every = self.session.original, self.every
        if cells is None or every is None:
            return
        all_used = len(cells.channels) == len(every.channels)
        of_all = "" if all_used else f" of {len(every.channels)}"
        self.setText(f"Channels: {len(cells.channels)}{of_all} in use")
        why, same = "", True
        try:
            chosen = self.choose().cells
            same = (chosen.channels, chosen.planes) == (cells.channels, cells.planes)
            same &= chosen.channel_groups == cells.channel_groups
        except DataError as error:
            why = str(error)
        self.reason.setText(breakable(why))
        self.reason.setVisible(bool(why))
        self.use.setEnabled(not why and not same)

    def _use(self) -> None:
        try:
            choice = self.choose()
        except DataError as error:
            self.refused.emit(str(error))
            return
        cells, every = choice.cells, choice.every
        # All of them, as they came: the very data set again, unless its groups are others.
        same_groups = cells.channel_groups == every.channel_groups
        if cells.planes == every.planes and same_groups and not choice.renamed:
            choice = ChannelChoice(every, every, renamed=False)
        if choice.cells is not choice.every:
            self._every[choice.cells] = choice.every
        self.chosen.emit(choice)

    def _unfolded(self) -> None:
        self.list.fit()
        self.notes.listed()

    def _notes_wanted(self) -> tuple[Hashable, Job[ChannelNotes]]:
        if self.every is None:
            raise DataError("open a data set first")
        return id(self.every), channel_notes_job(self.every)
