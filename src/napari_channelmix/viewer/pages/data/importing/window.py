"""The preview of an import: what was understood, how it can be changed, and Open."""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QStringListModel, Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListView,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from napari_channelmix.errors import ChannelMixError
from napari_channelmix.scan.plate_layout import PlateLayout
from napari_channelmix.scan.roles import Role
from napari_channelmix.scan.well_classes import with_layout
from napari_channelmix.viewer.pages.data.importing.entries_table import EntriesView
from napari_channelmix.viewer.pages.data.importing.field_images import FieldImages
from napari_channelmix.viewer.pages.data.importing.jobs import open_saved_job, save_job
from napari_channelmix.viewer.pages.data.importing.layout_dialog import ask_layout
from napari_channelmix.viewer.pages.data.importing.pattern_example import PatternExample
from napari_channelmix.viewer.pages.data.importing.preview import preview_job
from napari_channelmix.viewer.pages.data.importing.questions import SidePanel, asks_about_names
from napari_channelmix.viewer.pages.data.importing.well_classes import WellClasses
from napari_channelmix.viewer.tasks import Task
from napari_channelmix.viewer.tasks.task_bar import TaskBar
from napari_channelmix.viewer.widgets import file_dialogs
from napari_channelmix.viewer.widgets.accessible_names import name_controls
from napari_channelmix.viewer.widgets.notice import Notice
from napari_channelmix.viewer.widgets.secondary_text import show_secondary
from napari_channelmix.viewer.widgets.theme import chart_colors

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtGui import QCloseEvent

    from napari_channelmix.data import Cells
    from napari_channelmix.jobs import Job
    from napari_channelmix.scan.pattern import Pattern
    from napari_channelmix.scan.scan import Scan
    from napari_channelmix.viewer.pages.data.importing.preview import Change, Preview
    from napari_channelmix.viewer.session.session import Session

__all__ = ["ImportWindow"]

SIZE = (940, 580)
# Lines of what was left out that are listed.
MOST = 5000
FILES, WELLS, IMAGES, LEFT_OUT = "Files", "Classes of wells", "Images", "Left out"
# Places of the tabs.
OF_WELLS, OF_LEFT_OUT = 1, 3
NOT_WRITABLE = "Nothing can be written beside the images: it is opened without a data-set file."
LOST = "'Close' leaves this window: what was changed in it is lost then, unless it was saved."
TOML = "Data-set files (*.toml)"


class ImportWindow(QWidget):
    """What was understood of files, before it is a data set.

    ``opened`` gives the cells and where they come from; ``data_set_requested`` the path of a
    data-set file that is to be opened instead.

    Parameters
    ----------
    session, theme, parent
    read_again : callable
        A job that reads the files anew: by a pattern, or as at first where it is None.
    """

    opened = Signal(object, str)
    data_set_requested = Signal(object)

    def __init__(
        self,
        session: Session,
        theme: str,
        parent: QWidget | None,
        read_again: Callable[[Pattern | None], Job[Scan]],
    ) -> None:
        # Above the main window, but both can be used.
        super().__init__(parent, Qt.WindowType.Dialog)
        self._read_with = read_again
        self._link = ""
        self.preview: Preview | None = None
        self.task = Task(session)
        # Made of the scan that is shown, one after the other; a new one never drops another.
        self._changes: list[Change] = []
        self._layout = PlateLayout()
        self._changed_by_user = False
        # Where the data-set file goes, as long as the user has not chosen another place.
        self._proposed = ""
        self.sentence, self.detail = QLabel(), QLabel()
        self.existing = QLabel()
        self.table = EntriesView()
        self.wells = WellClasses()
        self.images = FieldImages(session)
        self.left_out = QListView()
        self.pattern = PatternExample()
        self.by_example = QPushButton("Mark parts of a name…")
        self.side = SidePanel()
        self.questions, self.channels = self.side.questions, self.side.channels
        self.notice = Notice(lines=2)
        self.bar = TaskBar(self.task)
        self.path = QLineEdit()
        self.path_label, self.elsewhere = QLabel("Data-set file"), QPushButton("Change…")
        self.leave, self.save = QPushButton("Close"), QPushButton("Save…")
        self.open = QPushButton("Open")
        self._build()
        self.follow_theme(theme)
        self._connect()
        self.resize(*SIZE)

    def follow_theme(self, theme: str) -> None:
        """Write in the colours of a theme what napari's style does not colour."""
        self._link = chart_colors(theme).text
        show_secondary(self.detail, theme)
        self.side.follow_theme(theme)
        if self.preview is not None:
            self._show_existing(self.preview.data_set)

    # ---------------------------------------------------------------- what stands where

    def _build(self) -> None:
        for label in (self.sentence, self.detail, self.existing):
            label.setWordWrap(True)
        self.sentence.setTextFormat(Qt.TextFormat.RichText)
        self.sentence.setToolTip("What was understood of the files")
        self.existing.setTextFormat(Qt.TextFormat.RichText)
        self.existing.setToolTip("Open the data set as it was saved")
        self.detail.setTextFormat(Qt.TextFormat.PlainText)
        self.by_example.setCheckable(True)
        self.by_example.setToolTip(
            "Where the names are read wrongly: mark the well, the channel and so on in one of them"
        )
        self.left_out.setModel(QStringListModel(self))
        self.left_out.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.left_out.setUniformItemSizes(True)
        self.left_out.setAccessibleName("Files that were left out, with the reasons")
        self.path.setToolTip("The data-set file that 'Open' writes, with its table beside it")
        self.path.setAccessibleName("Data-set file")
        self.elsewhere.setToolTip("Write the data-set file elsewhere")
        self.leave.setToolTip("Close this window; nothing is written")
        self.save.setToolTip("Write the data-set file without opening it")
        head = QHBoxLayout()
        words = QVBoxLayout()
        words.setSpacing(2)
        for label in (self.sentence, self.detail, self.existing):
            words.addWidget(label)
        head.addLayout(words, 1)
        head.addWidget(self.by_example, 0, Qt.AlignmentFlag.AlignTop)
        files = QWidget()
        inside = QVBoxLayout(files)
        inside.setContentsMargins(0, 6, 0, 0)
        inside.setSpacing(6)
        inside.addWidget(self.pattern)
        inside.addWidget(self.table, 1)
        self.pattern.setVisible(False)
        self.tabs = QTabWidget()
        for widget, title in (
            (files, FILES),
            (self.wells, WELLS),
            (self.images, IMAGES),
            (self.left_out, LEFT_OUT),
        ):
            self.tabs.addTab(widget, title)
        middle = QHBoxLayout()
        middle.setSpacing(12)
        middle.addWidget(self.tabs, 1)
        middle.addWidget(self.side)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 14, 12)
        column.setSpacing(8)
        column.addLayout(head)
        column.addLayout(middle, 1)
        column.addWidget(self.notice)
        column.addWidget(self.bar)
        column.addLayout(self._below())

    def _below(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addWidget(self.path_label)
        row.addWidget(self.path, 1)
        row.addWidget(self.elsewhere)
        row.addSpacing(12)
        for button in (self.leave, self.save, self.open):
            button.setMinimumWidth(76)
            row.addWidget(button)
        self.open.setDefault(True)
        return row

    def _connect(self) -> None:
        self.table.role_chosen.connect(
            lambda column, role: self.change(lambda scan: scan.with_role(column, role))
        )
        self.table.row_chosen.connect(self._example)
        self.questions.answered.connect(
            lambda name, option: self.change(lambda scan: scan.with_choice(name, option))
        )
        self.channels.renamed.connect(
            lambda channel, name: self.change(lambda scan: scan.with_channel_name(channel, name))
        )
        self.by_example.toggled.connect(self._show_pattern)
        self.pattern.marked.connect(self._learn)
        self.pattern.cleared.connect(lambda: self.change(lambda _: self._read_with(None)))
        self.wells.given.connect(self._give_classes)
        self.wells.import_requested.connect(self._import_layout)
        self.existing.linkActivated.connect(self._open_existing)
        self.elsewhere.clicked.connect(self._choose_path)
        self.path.textEdited.connect(lambda _: self._ready())
        self.leave.clicked.connect(self.close)
        self.save.clicked.connect(self._save)
        self.open.clicked.connect(self._open)
        self.task.started.connect(self._ready)
        self.task.ended.connect(self._ready)

    # ---------------------------------------------------------------- what is shown

    def show_preview(self, preview: Preview) -> None:
        """Show what was understood."""
        before, self.preview = self.preview, preview
        scan = preview.scan
        self.setWindowTitle(f"Import {scan.source.name}")
        self.sentence.setText(f"<b>{html.escape(preview.sentence)}</b>")
        self.detail.setText(f"{preview.detail} · {scan.source}")
        self._show_existing(preview.data_set)
        self.table.show_scan(scan)
        self.side.show_scan(scan)
        self._show_left_out(scan)
        self.images.show_scan(scan)
        self.wells.show_wells(preview.wells)
        self.tabs.setTabVisible(OF_WELLS, len(preview.wells) > 1)
        self._show_path(preview.path)
        if before is None:
            self._begin(scan)
        self._tell_problems()
        name_controls(self)

    def _begin(self, scan: Scan) -> None:
        """The tab and the example that are wanted first."""
        by_names = Role.OBJECT not in scan.roles.values() and scan.source.is_dir()
        self.by_example.setVisible(by_names)
        self._example(0)
        if by_names and asks_about_names(scan):
            self.by_example.setChecked(True)
        elif self.tabs.isTabVisible(OF_WELLS) and Role.CLASS not in scan.roles.values():
            # Without classes there is nothing to be learnt.
            self.tabs.setCurrentIndex(OF_WELLS)

    def _show_existing(self, path: Path | None) -> None:
        self.existing.setVisible(path is not None)
        if path is not None:
            self.existing.setText(
                f"This folder has a data-set file: <a href='#' style='color: {self._link}'>open "
                f"{html.escape(path.name)}</a> as it was saved."
            )

    def _show_left_out(self, scan: Scan) -> None:
        lines = [f"{one.path}: {one.reason}" for one in scan.left_out[:MOST]]
        if len(scan.left_out) > MOST:
            lines.append(f"and {len(scan.left_out) - MOST:,} more")
        model = self.left_out.model()
        assert isinstance(model, QStringListModel)
        model.setStringList(lines)
        self.tabs.setTabVisible(OF_LEFT_OUT, bool(lines))
        self.tabs.setTabText(OF_LEFT_OUT, f"{LEFT_OUT} ({len(scan.left_out):,})")

    def _show_path(self, path: Path | None) -> None:
        """The place that is proposed, unless the user has chosen another."""
        if self.path.text() == self._proposed:
            self._proposed = "" if path is None else str(path)
            self.path.setText(self._proposed)
        self.path.setPlaceholderText("" if path is not None else "no file is written")

    def _tell_problems(self) -> None:
        preview = self.preview
        if preview is None:
            return
        if preview.problems:
            self.notice.say("\n".join(preview.problems), "warning")
        elif preview.path is None and not self.path.text():
            self.notice.say(NOT_WRITABLE, "info")
        else:
            self.notice.clear_line()
        self._ready()

    def _ready(self, _: object = None) -> None:
        preview = self.preview
        why = ""
        if preview is None or self.task.busy:
            why = "The files are being read"
        elif preview.problems:
            why = preview.problems[0]
        for button, does in (
            (self.open, "Write the data-set file and open it: all pages then work on its cells"),
            (self.save, "Write the data-set file without opening it"),
        ):
            button.setEnabled(not why)
            button.setToolTip(why or does)

    # ---------------------------------------------------------------- what is changed

    def change(self, change: Change) -> None:
        """Change the scan, and show what is then understood."""
        preview = self.preview
        if preview is None:
            return
        self._changes.append(change)
        self._changed_by_user = True
        made = len(self._changes)
        self.task.run(
            "reading the change",
            preview_job(preview.scan, tuple(self._changes), self._layout),
            lambda result: self._changed(result, made),
            on_error=self._refused,
        )

    def _changed(self, preview: Preview, made: int) -> None:
        del self._changes[:made]
        self.show_preview(preview)

    def _refused(self, line: str) -> None:
        """A change that cannot be made: what is shown is what was understood before."""
        self._changes.clear()
        if self.preview is not None:
            self.show_preview(self.preview)
        self.notice.say(line, "error")

    def _example(self, row: int) -> None:
        preview = self.preview
        if preview is None or self.pattern.spans or not 0 <= row < len(preview.scan.entries):
            return
        columns = preview.scan.image_columns
        if columns:
            self.pattern.show_name(str(preview.scan.entries[columns[0]].iloc[row]))

    def _show_pattern(self, shown: bool) -> None:
        self.pattern.setVisible(shown)
        if shown:
            self.tabs.setCurrentIndex(0)

    def _learn(self, name: str, spans: dict[str, tuple[int, int]]) -> None:
        from napari_channelmix.scan.learn_pattern import learn_pattern

        try:
            pattern = learn_pattern(name, spans)
        except ChannelMixError as error:
            self.notice.say(str(error), "error")
            return
        self.change(lambda _: self._read_with(pattern))

    def _give_classes(self, layout: PlateLayout) -> None:
        self._layout = layout
        self.change(lambda scan: with_layout(scan, layout))

    def _import_layout(self) -> None:
        preview = self.preview
        path = file_dialogs.ask_open(
            self, "Classes of wells", "Tables (*.csv *.tsv *.txt);;All files (*)"
        )
        if path is None or preview is None:
            return
        try:
            layout = ask_layout(self, path, preview.wells)
        except ChannelMixError as error:
            self.notice.say(str(error), "error")
            return
        if layout is not None:
            self._give_classes(layout)

    # ---------------------------------------------------------------- what comes of it

    def _target(self) -> Path | None:
        """Where the data-set file is to be written; None: nowhere."""
        text = self.path.text().strip()
        return Path(text).expanduser() if text else None

    def _choose_path(self) -> None:
        path = file_dialogs.ask_save(
            self, "Data-set file", self.path.text() or "dataset.toml", TOML
        )
        if path is not None:
            self.path.setText(str(path if path.suffix else path.with_suffix(".toml")))
            self._tell_problems()

    def _save(self) -> None:
        preview = self.preview
        path = file_dialogs.ask_save(
            self, "Save the data-set file", self.path.text() or "dataset.toml", TOML
        )
        if path is None or preview is None:
            return
        # Label images may have to be drawn, which takes long.
        self.task.run(
            "writing the data-set file",
            save_job(preview.scan, path if path.suffix else path.with_suffix(".toml")),
            lambda line: self.notice.say(line, "good"),
            on_error=lambda line: self.notice.say(line, "error"),
        )

    def _open(self) -> None:
        preview, path = self.preview, self._target()
        if preview is None:
            return
        scan = preview.scan
        job = scan.cells_job() if path is None else open_saved_job(scan, path)
        source = str(scan.source if path is None else path)
        self.task.run(
            "opening the data set",
            job,
            lambda cells: self._opened(cells, source),
            on_error=lambda line: self.notice.say(line, "error"),
        )

    def _opened(self, cells: Cells, source: str) -> None:
        self.close()
        self.opened.emit(cells, source)

    def _open_existing(self, _: str = "") -> None:
        path = None if self.preview is None else self.preview.data_set
        if path is not None:
            self.close()
            self.data_set_requested.emit(path)

    def move_to_middle(self) -> None:
        """Stand in the middle of the main window, and within the screen."""
        parent = self.parentWidget()
        if parent is None:
            return
        around = parent.window().frameGeometry()
        corner = around.center() - self.rect().center()
        screen = parent.screen()
        if screen is not None:
            free = screen.availableGeometry()
            corner.setX(max(free.left(), min(corner.x(), free.right() - self.width())))
            corner.setY(max(free.top(), min(corner.y(), free.bottom() - self.height())))
        self.move(corner)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop what is being read."""
        self.task.stop()
        self.images.task.stop()
        super().closeEvent(event)

    def keyPressEvent(self, event: Any) -> None:
        """Escape closes the window, unless something was changed in it."""
        if event.key() == Qt.Key.Key_Escape:
            if self._changed_by_user:
                self.notice.say(LOST, "info")
            else:
                self.close()
            return
        super().keyPressEvent(event)
