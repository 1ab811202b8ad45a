"""From files that were chosen or dropped to a data set: read, previewed, opened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_channelmix.viewer.pages.data.import_jobs import scan_job, source_of
from napari_channelmix.viewer.pages.data.import_preview import preview_job
from napari_channelmix.viewer.pages.data.import_window import ImportWindow

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qtpy.QtWidgets import QWidget

    from napari_channelmix.data import Cells
    from napari_channelmix.viewer.pages.data.import_jobs import Source
    from napari_channelmix.viewer.pages.data.import_preview import Preview
    from napari_channelmix.viewer.session.session import Session
    from napari_channelmix.viewer.tasks import Task

__all__ = ["FileImport", "dropped_paths"]

MIXED = (
    "these files are no data set together: drop one folder, one table, one data-set file, or "
    "images of one folder"
)


class FileImport:
    """Reads what was chosen as a task of the page, and shows the preview.

    Parameters
    ----------
    viewer, session
    task : Task
        Of the page: it shows how far reading is, and can be cancelled.
    parent : QWidget
        Before which the preview is shown.
    open_file : callable
        Gets the path of a data-set file.
    open_cells : callable
        Gets the cells of an import and where they come from.
    failed : callable
        Gets the reason in a line where files cannot be read.
    """

    def __init__(
        self,
        viewer: Any,
        session: Session,
        task: Task,
        parent: QWidget,
        *,
        open_file: Callable[[Path], object],
        open_cells: Callable[[Cells, str], object],
        failed: Callable[[str], object],
    ) -> None:
        self._viewer, self._session, self._task, self._parent = viewer, session, task, parent
        self._open_file, self._open_cells, self._failed = open_file, open_cells, failed
        self.window: ImportWindow | None = None

    def open(self, paths: Sequence[Path]) -> None:
        """Open a data-set file, or show what a folder, a table or images hold."""
        source = source_of(paths)
        if source is None:
            self._failed(MIXED)
        elif source.kind == "data set":
            self._open_file(source.path)
        else:
            self._task.run(
                f"reading {source.path.name}",
                preview_job(scan_job(source)),
                lambda preview: self._show(preview, source),
                on_error=self._failed,
            )

    def _show(self, preview: Preview, source: Source) -> None:
        self.close()
        window = ImportWindow(
            self._session,
            self._viewer.theme,
            self._parent,
            lambda pattern: scan_job(source, pattern),
        )
        window.opened.connect(self._open_cells)
        window.data_set_requested.connect(self._open_file)
        self.window = window
        window.show_preview(preview)
        window.show()
        window.raise_()
        window.activateWindow()

    def close(self) -> None:
        """Close the preview, and stop what it reads."""
        window, self.window = self.window, None
        if window is not None:
            window.close()
            window.deleteLater()


def dropped_paths(event: Any) -> tuple[Path, ...]:
    """The files and folders that are being dropped."""
    data = event.mimeData()
    urls = data.urls() if data is not None and data.hasUrls() else []
    return tuple(Path(url.toLocalFile()) for url in urls if url.isLocalFile())
