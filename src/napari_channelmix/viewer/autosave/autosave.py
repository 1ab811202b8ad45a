"""Annotations are kept every few seconds, and found again when the same data set is opened.

1. Other cells are opened: what is unsaved of those before is written; the classes the cells come
   with are noted, and a file of an earlier day is looked for and read (`jobs.restore_job`).
2. What it says is applied as one change, which can be taken back.
3. A change of classes starts the clock; when it strikes, what differs from the classes the cells
   came with is written (`jobs.keep_job`), to the first place that takes it (`places`).
4. At the end, with the dock or the window, what is unsaved is written at once.
"""

from __future__ import annotations

import contextlib
import time
import weakref
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication

from napari_channelmix.data.annotations import changed_cells
from napari_channelmix.jobs import drain
from napari_channelmix.viewer.autosave.close_warning import UnsavedWork
from napari_channelmix.viewer.autosave.jobs import (
    Restored,
    SaveResult,
    Unreadable,
    keep_job,
    named_again,
    restore_job,
)
from napari_channelmix.viewer.autosave.location import Places
from napari_channelmix.viewer.session.per_viewer import PerViewer
from napari_channelmix.viewer.session.session import session_of
from napari_channelmix.viewer.tasks.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd

    from napari_channelmix.data import Cells
    from napari_channelmix.jobs import Job
    from napari_channelmix.viewer.session.session import Session

__all__ = ["PAUSE", "Autosave", "autosave_of"]

# Milliseconds from a change to the file; many changes meanwhile are written together.
PAUSE = 3000


class Autosave:
    """Keeps the annotations of one viewer, whichever docks are open.

    Signals
    -------
    reported(str, str)
        News for the user in a line, and their kind as for `Notice`.
    changed
        ``state`` (a line) or ``path`` (of the file) says something else.
    """

    reported = Signal(str, str)
    changed = Signal()

    def __init__(self, session: Session) -> None:
        self.session = session
        self.unsaved = UnsavedWork()
        # The cells with the classes they came with.
        self._before: Cells | None = None
        self._places: Places | None = None
        self._unfit: pd.DataFrame | None = None
        self._earlier: tuple[Any, int] | None = None
        self._known: dict[Path, int] = {}
        self._opening = self._restoring = self._applying = False
        # What is to be written, and what is being written.
        self._dirty = False
        self._writing: Job[SaveResult] | None = None
        self._warned: set[str] = set()
        self.state, self.path = "", ""
        self.news: tuple[str, str] = ("", "info")
        self._reader, self._writer = Task(session), Task(session)
        self._clock = QTimer()
        self._clock.setSingleShot(True)
        self._clock.setInterval(PAUSE)
        # Qt would hold this object, and with it all cells, for as long as it lives itself.
        reference = weakref.ref(self)
        self._clock.timeout.connect(lambda: _if_there(reference, Autosave._strike))
        session.replaced.connect(self._leave)
        session.cells_changed.connect(self._opened)
        session.edited.connect(self._edited)
        application = QApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(lambda: _if_there(reference, Autosave.finish))
        self._opened(session.cells)

    # ---------------------------------------------------------------- opening

    def _leave(self) -> None:
        self.finish()
        self._opening = True
        self._reader.stop()
        self._before = self._places = self._unfit = self._earlier = None
        self._restoring = False
        self._warned.clear()
        self._tell("", "info")
        self._say_state("")
        # The same cells opened again are no change that anybody hears of.
        QTimer.singleShot(0, self._settle)

    def _settle(self) -> None:
        if self._opening:
            self._opened(self.session.cells)

    def _opened(self, cells: Cells | None) -> None:
        """Note what the cells come with, before anybody changes it."""
        if cells is None or not (self._opening or self._before is None):
            return
        self._opening = False
        # Of a data set that was open before, cells may have been given classes already.
        before = self.session.original
        if before is None or not _same_cells(before, cells):
            before = cells
        self._before = before
        places = self._places = Places(before, self.session.source)
        path = places.latest_file
        # What is not read now is not known, and copied before it is replaced.
        self._known = {file: mtime for file, mtime in places.written().items() if file == path}
        if path is None:
            return
        self._restoring = True
        # After those who open the cells are done.
        job = restore_job(path, before, places.names)
        QTimer.singleShot(0, lambda: self._read(before, path, job))

    def _read(self, cells: Cells, path: Path, job: Job[Restored | Unreadable]) -> None:
        if self._before is cells:
            self._reader.run(
                "reading the annotations",
                job,
                lambda loaded: self._restore(cells, loaded),
                on_error=lambda line: self._not_read(path, line),
            )

    def _not_read(self, path: Path, line: str) -> None:
        self._restoring = False
        if self._places is not None:
            # What could not be read is not written over.
            self._places.without(path)
        self._tell(line, "error")

    def _restore(self, before: Cells, loaded: Restored | Unreadable) -> None:
        now, places = self.session.cells, self._places
        self._restoring = False
        if self._before is not before or now is None or places is None:
            return
        if isinstance(loaded, Unreadable):
            if loaded.moved is None:
                places.without(loaded.path)
            note = f"it is kept as {loaded.moved.name}" if loaded.moved else "it is left as it is"
            self._tell(
                f"The annotations of an earlier session cannot be read ({loaded.why}); {note}.",
                "warning",
            )
            return
        if not _same_cells(now, before):
            return
        self._unfit = loaded.unfit if len(loaded.unfit) else None
        self._earlier = (loaded.path, len(loaded.annotations) + len(loaded.unfit))
        # What was given since then is newer.
        older = ~np.isin(loaded.cell_indices, changed_cells(before, now))
        class_names = loaded.annotations.rows["class"][older].tolist()
        labels, classes = named_again(
            now, loaded.cell_indices[older], class_names, loaded.annotations.palette
        )
        self._applying = True
        changes = self.session.edits.undoable
        self.session.classify(labels, classes)
        self._applying = False
        self._say_state(f"Saved in {places.in_words(loaded.path)}.", loaded.path)
        lines = []
        if self.session.edits.undoable > changes:
            what = _counted(len(loaded.annotations)) if len(loaded.annotations) else "your classes,"
            lines.append(f"Restored {what} saved {loaded.saved:%Y-%m-%d %H:%M}.")
        if len(loaded.unfit):
            lines.append(
                f"{len(loaded.unfit):,} more fit no cell that is there now; they stay in the file."
            )
        if lines:
            self._tell(" ".join(lines), "warning" if len(loaded.unfit) else "good")

    # ---------------------------------------------------------------- keeping

    def _edited(self) -> None:
        if self._applying or self._before is None:
            return
        self._dirty = True
        if not self._clock.isActive():
            self._clock.start()

    def _strike(self) -> None:
        if self._restoring or self._writing is not None:
            self._clock.start()
            return
        job = self._job()
        if job is not None:
            self._dirty, self._writing = False, job
            self._writer.run("saving the annotations", job, self._written, on_error=self._broken)

    def _job(self) -> Job[SaveResult] | None:
        before, now, places = self._before, self.session.cells, self._places
        if not self._dirty or before is None or now is None or places is None:
            return None
        if not _same_cells(now, before):
            return None
        return keep_job(
            before, now, places.files, places.names, self._unfit, self._earlier, dict(self._known)
        )

    def _written(self, saved: SaveResult) -> None:
        self._writing = None
        if saved.path is None:
            self._dirty = True
            self._not_saved(saved)
            return
        self._earlier = None
        if self._places is not None:
            self._known |= {
                file: mtime for file, mtime in self._places.written().items() if file == saved.path
            }
        self.unsaved.note("")
        if saved.troubles and "elsewhere" not in self._warned:
            self._warned.add("elsewhere")
            self._tell(
                f"{saved.troubles[0]}. Your annotations are saved in {saved.path} instead.",
                "warning",
            )
        if saved.other is not None and "other" not in self._warned:
            self._warned.add("other")
            self._tell(
                f"{saved.path.name} held annotations that are not in this window, from another one "
                f"or another person; they are kept in {saved.other.name}.",
                "warning",
            )
        where = "" if self._places is None else self._places.in_words(saved.path)
        self._say_state(
            f"{_counted(saved.count)} saved {datetime.now():%H:%M:%S} in {where}.", saved.path
        )

    def _broken(self, line: str) -> None:
        self._writing, self._dirty = None, True
        self._not_saved(SaveResult(None, 0, (line,)))

    def _not_saved(self, attempt: SaveResult) -> None:
        what = _counted(attempt.count) if attempt.count else "Annotations"
        self.unsaved.note(f"saving {what.lower()} of cells, see the page 'Annotate':")
        self._say_state("Not saved. The next change tries again.")
        if "nowhere" not in self._warned:
            self._warned.add("nowhere")
            cause = attempt.troubles[-1] if attempt.troubles else "no folder can be written"
            self._tell(
                f"{what} could not be saved: {cause}. Export them, or save the data set elsewhere.",
                "error",
            )

    def finish(self) -> None:
        """Write at once what is unsaved: the cells or the window are about to go."""
        self._clock.stop()
        if self._writing is not None:
            self._writer.stop()
            _end(self._writing)
            self._writing, self._dirty = None, True
        job = None if self._restoring else self._job()
        if job is not None:
            self._dirty = False
            self._written(drain(job))

    def _tell(self, text: str, kind: str) -> None:
        self.news = (text, kind)
        self.reported.emit(text, kind)

    def _say_state(self, text: str, path: Path | None = None) -> None:
        self.state, self.path = text, "" if path is None else str(path)
        self.changed.emit()


def _if_there(reference: weakref.ref[Autosave], method: Callable[[Autosave], object]) -> None:
    autosave = reference()
    if autosave is not None:
        method(autosave)


def _same_cells(cells: Cells, other: Cells) -> bool:
    """Whether two sets differ in their classes or channels only; by identity, arrays are long."""
    return cells.fields is other.fields and len(cells) == len(other)


def _counted(count: int) -> str:
    return f"{count:,} annotation{'' if count == 1 else 's'}"


def _end(job: Job[SaveResult]) -> None:
    """Close a job that a thread may be in: its step comes to its end first, and no other begins."""
    while True:
        try:
            job.close()
        except ValueError:
            time.sleep(0.002)
        else:
            return


def _end_autosave(autosave: Autosave) -> None:
    # At the very end, Qt may be gone before the viewer.
    with contextlib.suppress(RuntimeError):
        autosave.finish()


_AUTOSAVES = PerViewer(lambda viewer: Autosave(session_of(viewer)), _end_autosave)


def autosave_of(viewer: Any) -> Autosave:
    """What keeps the annotations of a viewer; begun with its first dock that is about cells."""
    return _AUTOSAVES(viewer)
