"""From files that were chosen or dropped to a data set: read, previewed, opened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Image

from napari_channelmix.errors import DataError
from napari_channelmix.viewer import layers
from napari_channelmix.viewer.pages.data.importing.jobs import scan_job, source_of
from napari_channelmix.viewer.pages.data.importing.preview import Preview, preview_job
from napari_channelmix.viewer.pages.data.importing.window import ImportWindow
from napari_channelmix.wording import counted, path_shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qtpy.QtWidgets import QWidget

    from napari_channelmix.data import Cells
    from napari_channelmix.jobs import Job
    from napari_channelmix.viewer.pages.data.importing.jobs import Source
    from napari_channelmix.viewer.session.session import Session
    from napari_channelmix.viewer.tasks import Task

__all__ = ["FileImport", "dropped_paths"]

MIXED = (
    "these files are no data set together: drop one folder, one table, one data-set file, or "
    "images of one folder"
)
UNKNOWN = "no folder, table, image or data-set file; choose one of these"


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
    points_added : callable
        Gets a line where a table became points over an image that is open.
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
        points_added: Callable[[str], object],
        failed: Callable[[str], object],
    ) -> None:
        self._viewer, self._session, self._task, self._parent = viewer, session, task, parent
        self._open_file, self._open_cells, self._failed = open_file, open_cells, failed
        self._points_added = points_added
        self.window: ImportWindow | None = None

    def open(self, paths: Sequence[Path]) -> None:
        """Open a data-set file, or show what a folder, a table or images hold."""
        source = source_of(paths)
        if source is None:
            self._failed(_refusal(paths))
        elif source.kind == "data set":
            self._open_file(source.path)
        else:
            images = self._images if source.kind == "table" else []
            job: Job[Any] = preview_job(scan_job(source))
            self._task.run(
                f"reading {source.path.name}",
                _or_reason(job) if images else job,
                lambda result: self._read(result, source),
                on_error=self._failed,
            )

    @property
    def _images(self) -> list[Image]:
        """Images of the viewer that are the user's."""
        return [
            layer
            for layer in self._viewer.layers
            if isinstance(layer, Image) and not layers.role_of(layer) and not layers.is_own(layer)
        ]

    def _read(self, result: Preview | DataError, source: Source) -> None:
        """Show what was read; a table that names no images is about those that are open."""
        if isinstance(result, Preview) and (source.kind != "table" or result.scan.image_columns):
            self._show(result, source)
            return
        try:
            image = self._image_meant()
            points = layers.points_of_table(source.path, image)
        except DataError as error:
            self._failed(str(error))
            return
        self._viewer.add_layer(points)
        said = f"{source.path.name}: {counted(len(points.data), 'point')} over layer {image.name!r}"
        how = points.metadata.get(layers.POSITIONS)
        self._points_added(f"{said}; {how}." if how else f"{said}.")

    def _image_meant(self) -> Image:
        """The image that a table is about: the one selected, or all where they lie alike."""
        images, active = self._images, self._viewer.layers.selection.active
        if active in images:
            return active
        places = {(layer.data.shape[-2:], str(layer.extent.world.tolist())) for layer in images}
        if len(places) != 1:
            raise DataError(
                "the table names no image files: select the image layer that it is about, then "
                "open it again"
            )
        return images[0]

    def _show(self, preview: Preview, source: Source) -> None:
        self.close()
        window = ImportWindow(
            self._session,
            self._viewer.theme,
            self._parent,
            lambda pattern: scan_job(source, pattern),
        )
        window.opened.connect(self._opened)
        window.data_set_requested.connect(self._open_file)
        self.window = window
        window.show_preview(preview)
        window.move_to_middle()
        window.show()
        window.raise_()
        window.activateWindow()

    def follow_theme(self, theme: str) -> None:
        """Show the preview in the colours of a theme."""
        if self.window is not None:
            self.window.follow_theme(theme)

    def _opened(self, cells: Cells, source: str) -> None:
        self.close()
        self._open_cells(cells, source)

    def close(self) -> None:
        """Close the preview, and stop what it reads."""
        window, self.window = self.window, None
        if window is not None:
            window.close()
            window.deleteLater()


def _refusal(paths: Sequence[Path]) -> str:
    """Why files cannot be opened together."""
    if len(paths) != 1:
        return MIXED
    why = UNKNOWN if paths[0].exists() else "it is not there any more; open it again"
    return f"{path_shown(paths[0])}: {why}"


def _or_reason(job: Job[Preview]) -> Job[Preview | DataError]:
    """A job whose refusal is a result: there is another way to read the file."""
    try:
        return (yield from job)
    except DataError as error:
        return error


def dropped_paths(event: Any) -> tuple[Path, ...]:
    """The files and folders that are being dropped."""
    data = event.mimeData()
    urls = data.urls() if data is not None and data.hasUrls() else []
    return tuple(Path(url.toLocalFile()) for url in urls if url.isLocalFile())
