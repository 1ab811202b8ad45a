"""Page 'Report': hand on what was found, and write down how to do it again.

1. What there is, is listed as it is found (`reproduce.items`).
2. A button takes a snapshot of the session (`reproduce.snapshot`) and starts a job on it.
3. A report is one page of HTML (`reproduce.telling`); a script, a config and a command line all
   come from one config (`reproduce.recipe`), which needs the cells in a data-set file.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer, QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QApplication, QGridLayout, QHBoxLayout, QLabel, QPushButton

from napari_channelmix.errors import ChannelMixError
from napari_channelmix.viewer import layers
from napari_channelmix.viewer.page_parts.base_page import Page, group
from napari_channelmix.viewer.pages.report.config_job import CLOSED, ELSEWHERE, config_job, doable
from napari_channelmix.viewer.pages.report.export_list import ExportList
from napari_channelmix.viewer.pages.report.exports import Exported, export_job, items_of
from napari_channelmix.viewer.pages.report.predictions_panel import PredictionsPanel
from napari_channelmix.viewer.pages.report.report_job import page_file_job
from napari_channelmix.viewer.pages.report.snapshot import Snapshot, snapshot_of
from napari_channelmix.viewer.widgets import file_dialogs
from napari_channelmix.viewer.widgets.notice import Notice

if TYPE_CHECKING:
    from collections.abc import Callable

    import napari

    from napari_channelmix.config import Config
    from napari_channelmix.data import Cells

__all__ = ["ReportPage"]

NO_CELLS = "Nothing to report yet: open a data set, or use layers, on the page 'Data'."
# Milliseconds in which changes are gathered: results come many at a time.
PAUSE = 120


class ReportPage(Page):
    """Report, script and config, exports."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer)
        self.contents = QLabel()
        self.contents.setWordWrap(True)
        self.contents.setToolTip("The report contains only the results that exist")
        self.report = QPushButton("Export report…")
        self.report.setToolTip("Write the report as one HTML file")
        self.open = QPushButton("Open")
        self.where = Notice()
        self.save_data = QPushButton("Save data set…")
        self.save_data.setToolTip(
            "Write the cells with images, outlines and classes into an empty folder; the script "
            "then reads them from there"
        )
        self.copy_script = QPushButton("Copy as script")
        self.copy_script.setToolTip("Copy a Python script that reproduces the results")
        self.save_script = QPushButton("Save script…")
        self.save_script.setToolTip("Save the same script (.py)")
        self.save_config = QPushButton("Save as config…")
        self.save_config.setToolTip(
            "All settings as JSON, for the command 'napari-channelmix run' and cm.run_config"
        )
        self.copy_command = QPushButton("Copy as command line")
        self.reason = QLabel()
        self.reason.setWordWrap(True)
        self.predictions = PredictionsPanel(
            self.session, *self.add_task(one_thread=True), self.notice
        )
        self.list = ExportList()
        self.export = QPushButton("Export…")
        self.why_no_export = QLabel()
        self.why_no_export.setWordWrap(True)
        # The page that was written last, and the config.
        self.page: Path | None = None
        self.config_file: Path | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(PAUSE)
        self._soon.timeout.connect(self._fill)
        self._build()
        self._connect()
        self._fill()

    def _build(self) -> None:
        box, inside = group("Report")
        inside.addWidget(self.contents)
        row = QHBoxLayout()
        row.addWidget(self.report, 1)
        row.addWidget(self.open)
        inside.addLayout(row)
        self.column.addWidget(box)
        box, inside = group("Reproduce")
        inside.addWidget(self.where)
        inside.addWidget(self.save_data)
        grid = QGridLayout()
        for index, button in enumerate(
            (self.copy_script, self.save_script, self.copy_command, self.save_config)
        ):
            grid.addWidget(button, index // 2, index % 2)
        inside.addLayout(grid)
        inside.addWidget(self.reason)
        self.column.addWidget(box)
        box, inside = group("Predictions of all cells")
        inside.addWidget(self.predictions)
        self.column.addWidget(box)
        box, inside = group("Export")
        inside.addWidget(self.list)
        inside.addWidget(self.export)
        inside.addWidget(self.why_no_export)
        self.column.addWidget(box)
        self.column.addStretch(1)

    def _connect(self) -> None:
        self.report.clicked.connect(self._ask_report)
        self.open.clicked.connect(self.open_page)
        self.save_data.clicked.connect(self._ask_data)
        self.copy_script.clicked.connect(lambda: self._with_config(self.copy_text))
        self.save_script.clicked.connect(self._ask_script)
        self.save_config.clicked.connect(self._ask_config)
        self.copy_command.clicked.connect(self.copy_command_line)
        self.export.clicked.connect(self._ask_export)
        self.list.changed.connect(self._fill_buttons)
        session = self.session
        for signal in (
            session.cells_changed,
            session.source_changed,
            session.trained_changed,
            session.predictions_changed,
            session.importance_changed,
            session.latents_changed,
            session.explained_changed,
            session.saved_changed,
            session.running_changed,
            session.data_sets_changed,
            self.viewer.layers.events.inserted,
            self.viewer.layers.events.removed,
        ):
            self.follow(signal, self._later)
        self.follow(session.replaced, self._forget)
        self.task.ended.connect(self._later)

    # ---------------------------------------------------------------- report

    def _ask_report(self) -> None:
        path = file_dialogs.ask_save(self, "Export the report", "report.html", "Pages (*.html)")
        if path is not None:
            self.write_report(path if path.suffix else path.with_suffix(".html"))

    def write_report(self, path: Path) -> None:
        """Write the report to a file."""
        snapshot = self.snapshot()
        if snapshot is not None:
            self.task.run(
                "writing the report",
                page_file_job(snapshot, path),
                self._reported,
                on_error=self.fail,
            )

    def _reported(self, path: Path) -> None:
        self.page = path
        size = path.stat().st_size / 2**20
        self.notice.say(f"Written: {path} ({size:.1f} MB). 'Open' shows it in the browser.", "good")

    def open_page(self) -> None:
        """Show the report that was written last in the browser."""
        if self.page is None or not self.page.is_file():
            self.page = None
            self.fail("The report no longer exists; export it again.")
            self._fill_buttons()
            return
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.page)))

    # ---------------------------------------------------------------- data set

    def _ask_data(self) -> None:
        folder = file_dialogs.ask_folder(self, "Save the cells into an empty folder")
        if folder is not None:
            self.save_data_to(folder)

    def save_data_to(self, folder: Path) -> None:
        """Save the cells as a data set, which script and config then name."""
        cells = self.session.cells
        if cells is None:
            return
        try:
            taken = folder.is_dir() and any(folder.iterdir())
        except OSError as error:
            self.fail(f"{folder} cannot be read: {error.strerror}; choose another folder")
            return
        if taken:
            self.fail(f"{folder} is not empty; choose an empty folder, or make a new one")
            return
        from napari_channelmix.data import save_dataset_job

        self.task.run(
            "saving the data set",
            save_dataset_job(cells, folder),
            lambda path: self._saved(cells, path),
            on_error=self.fail,
        )

    def _saved(self, cells: Cells, path: Path) -> None:
        self.session.saved = (cells, path)
        self.notice.say(f"Saved {path}; script and config now name it.", "good")

    # ---------------------------------------------------------------- script, config, command line

    def _with_config(self, use: Callable[[Config], object]) -> None:
        snapshot = self.snapshot()
        if snapshot is not None and not doable(snapshot):
            self.task.run("writing the config", config_job(snapshot), use, on_error=self._no_config)

    def _no_config(self, line: str) -> None:
        self.fail(line)
        if "save" in line and ELSEWHERE not in line and CLOSED not in line:
            self.save_data.setVisible(True)
            self.save_data.setFocus()

    def copy_text(self, config: Config) -> None:
        """Put the script on the clipboard."""
        from napari_channelmix.config import script_of

        self._copy(script_of(config), "The script is on the clipboard", config)

    def _ask_script(self) -> None:
        path = file_dialogs.ask_save(self, "Save the script", "again.py", "Python (*.py)")
        if path is not None:
            self.write_script(path if path.suffix else path.with_suffix(".py"))

    def write_script(self, path: Path) -> None:
        """Write the script to a file."""
        from napari_channelmix.atomic_write import write_text
        from napari_channelmix.config import script_of

        self._with_config(
            lambda config: self._write(lambda: write_text(path, script_of(config)), config)
        )

    def _ask_config(self) -> None:
        path = file_dialogs.ask_save(self, "Save the config", "config.json", "Configs (*.json)")
        if path is not None:
            self.write_config(path if path.suffix else path.with_suffix(".json"))

    def write_config(self, path: Path, *, then_copy: bool = False) -> None:
        """Write the config to a file; where asked, copy the command line for it."""
        from napari_channelmix.config import write_config

        def use(config: Config) -> None:
            if self._write(lambda: write_config(config, path), config):
                self.config_file = path
                if then_copy:
                    self._copy(
                        command_line(path),
                        f"Saved {path}; its command line is on the clipboard",
                        config,
                    )

        self._with_config(use)

    def copy_command_line(self) -> None:
        """Save the config where the user says, and copy the command line that runs it."""
        path = file_dialogs.ask_save(
            self, "Save the config for the command line", "config.json", "Configs (*.json)"
        )
        if path is not None:
            self.write_config(path if path.suffix else path.with_suffix(".json"), then_copy=True)

    def _write(self, write: Callable[[], Path], config: Config) -> bool:
        try:
            path = write()
        except ChannelMixError as error:
            self.fail(str(error))
            return False
        self._done(f"Saved {path}", config)
        return True

    def _copy(self, text: str, message: str, config: Config) -> None:
        clipboard = QApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(text)
            self._done(message, config)

    def _done(self, message: str, config: Config) -> None:
        if config.notes:
            self.notice.say("\n".join((f"{message}. Warning:", *config.notes)), "warning")
        else:
            self.notice.say(f"{message}.", "good")

    # ---------------------------------------------------------------- export

    def _ask_export(self) -> None:
        folder = file_dialogs.ask_folder(self, "Export into a folder")
        if folder is not None:
            self.export_to(folder)

    def export_to(self, folder: Path) -> None:
        """Write the ticked results into a folder."""
        # The rows may be older than what is shown by now, and know no pixels.
        self._fill(pixels=True)
        chosen = self.list.chosen
        if chosen:
            self.task.run(
                "exporting",
                export_job(chosen, folder),
                lambda exported: self._exported(exported, folder),
                on_error=self.fail,
            )

    def _exported(self, exported: Exported, folder: Path) -> None:
        # Those of several data sets are in folders of their own.
        names = ", ".join(
            (path.relative_to(folder) if path.is_relative_to(folder) else path).as_posix()
            for path in exported.files
        )
        lines = (f"Written to {folder}: {names}.", *exported.notes)
        self.notice.say("\n".join(lines), "info" if exported.notes else "good")

    # ---------------------------------------------------------------- what is there

    def snapshot(self, *, pixels: bool = False) -> Snapshot | None:
        """What the session and the viewer hold now; pictures with their pixels where asked."""
        return snapshot_of(self.session, layers.result_images(self.viewer, copied=pixels))

    def _later(self, _: object = None) -> None:
        self._soon.start()

    def _forget(self, _: object = None) -> None:
        self.task.stop()

    def _fill(self, *, pixels: bool = False) -> None:
        snapshot = self.snapshot(pixels=pixels)
        self.list.show_items(() if snapshot is None else items_of(snapshot))
        self._fill_buttons()

    def _fill_buttons(self) -> None:
        snapshot, busy = self.snapshot(), self.task.busy
        self.predictions.fill()
        self.contents.setText(NO_CELLS if snapshot is None else _contents(snapshot))
        self.report.setEnabled(snapshot is not None and not busy)
        self.open.setEnabled(self.page is not None)
        self.open.setToolTip(
            f"Show {self.page} in the browser" if self.page else "Export a report first"
        )
        why = NO_CELLS if snapshot is None else doable(snapshot)
        for button in (self.copy_script, self.save_script, self.save_config, self.copy_command):
            button.setEnabled(not why and not busy)
        self.copy_command.setToolTip(
            "Save the config, and copy the command that runs it without a window"
        )
        self.reason.setText(why)
        self.reason.setVisible(bool(why) and snapshot is not None)
        self._say_where(snapshot)
        self.export.setEnabled(bool(self.list.chosen) and not busy)
        reason = "" if snapshot is not None else NO_CELLS
        if not reason and not self.list.chosen:
            reason = "Nothing is ticked."
        self.why_no_export.setText(reason)
        self.why_no_export.setVisible(bool(reason) and snapshot is not None)
        self.export.setToolTip(reason or "Write the ticked results into a folder")

    def _say_where(self, snapshot: Snapshot | None) -> None:
        """Where script and config would find the cells."""
        needed = (
            snapshot is not None
            and snapshot in snapshot.recorded
            and (snapshot.dataset is None or snapshot.edited)
        )
        self.save_data.setVisible(needed)
        self.save_data.setEnabled(needed and not self.task.busy)
        if snapshot is None:
            self.where.clear_line()
            return
        recorded = snapshot.recorded
        several = len(snapshot.data_sets) > 1
        unsaved = [data_set for data_set in recorded if data_set.dataset is None or data_set.edited]
        if unsaved:
            lines = [_unsaved(data_set, several) for data_set in unsaved]
            self.where.say("\n".join(lines), "warning")
        elif several:
            lines = [f"{data_set.title}: {data_set.dataset}" for data_set in recorded]
            self.where.say("\n".join(("The cells are read from", *lines)))
        else:
            self.where.say(f"The cells are read from {snapshot.dataset}")


def _contents(snapshot: Snapshot) -> str:
    """What the report says; of several data sets, a line for each."""
    if len(snapshot.data_sets) < 2:
        return f"It contains {_listed(snapshot.contents)}."
    shown = [data_set for data_set in snapshot.data_sets if data_set.in_use or data_set.results]
    return "It contains\n" + "\n".join(
        f"{data_set.title}: {_listed(data_set.contents)}" for data_set in shown
    )


def _unsaved(data_set: Snapshot, several: bool) -> str:
    """Why a script could not read the cells of a data set, and what to do."""
    if data_set.dataset is None:
        which = f"The cells of {data_set.title}" if several else "These cells"
        text = f"{which} are in no data-set file. Save them as a data set first, so that a script "
        text += "can read them."
    else:
        which = f" of {data_set.title}" if several else ""
        text = (
            f"Classes{which} were changed since {data_set.dataset.name} was opened. Save the "
            "data set "
            "as it is now, so that a script can read it."
        )
    if data_set.closed:
        return f"The cells of {data_set.title} are in no data-set file as they were: {CLOSED}."
    if not data_set.in_use:
        text += " For that, choose it on the page 'Data'; or close it there."
    return text


def command_line(config: Path) -> str:
    """What runs a config in a terminal."""
    out = config.with_suffix("")
    return f"napari-channelmix run {shlex.quote(str(config))} --out {shlex.quote(str(out))}"


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
