"""Classes of all cells into one file, computed chunk by chunk, on workers where that is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from napari_channelmix.jobs import Job, Progress
from napari_channelmix.settings import PredictSettings, merged
from napari_channelmix.viewer.page_parts.base_page import form
from napari_channelmix.viewer.widgets import file_dialogs
from napari_channelmix.viewer.widgets.folding import Folding
from napari_channelmix.viewer.widgets.job_form import JobForm
from napari_channelmix.wording import counted, listed

if TYPE_CHECKING:
    from pathlib import Path

    from napari_channelmix.data import Cells
    from napari_channelmix.viewer.session.session import Session, Trained
    from napari_channelmix.viewer.tasks.task import Task
    from napari_channelmix.viewer.tasks.task_bar import TaskBar
    from napari_channelmix.viewer.widgets.notice import Notice

__all__ = ["PredictionsPanel"]

KINDS = "Parquet (*.parquet);;CSV (*.csv);;AnnData (*.h5ad)"
SUFFIXES = (".parquet", ".csv", ".h5ad")


class PredictionsPanel(QWidget):
    """The button 'Save predictions…', and its settings.

    Parameters
    ----------
    session : Session
    task, task_bar : Task, TaskBar
        Its own: a report can be written meanwhile.
    notice : Notice
        Where results and errors are said.
    """

    def __init__(self, session: Session, task: Task, task_bar: TaskBar, notice: Notice) -> None:
        super().__init__()
        self._session, self.task, self.task_bar, self._notice = session, task, task_bar, notice
        self.settings = JobForm(PredictSettings, self)
        self.save = QPushButton("Save predictions…")
        self.save.setToolTip(
            "Classify the cells of the data set and write a row for each: class, probabilities, "
            "margin, training or held-out, place, and the columns of your own table (.csv, "
            ".parquet or .h5ad). Pixels are read chunk by chunk; what was stopped goes on where "
            "the same file is chosen again"
        )
        self.reason = QLabel()
        self.reason.setWordWrap(True)
        rows = form()
        self.settings.add_to(rows, ["only"])
        inner = form()
        self.settings.add_to(inner)
        content = QWidget()
        content.setLayout(inner)
        more = Folding("More settings")
        more.setToolTip("Where the predictions are computed")
        more.addWidget(content)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(rows)
        column.addWidget(more)
        column.addWidget(self.save)
        column.addWidget(self.reason)
        column.addWidget(task_bar)
        self.save.clicked.connect(self._ask)
        task.started.connect(self.fill)
        task.ended.connect(self._ended)
        self.fill()

    def _ask(self) -> None:
        path = file_dialogs.ask_save(self, "Save the predictions", "cells.parquet", KINDS)
        if path is not None:
            self.save_to(path if path.suffix else path.with_suffix(".parquet"))

    def save_to(self, path: Path) -> None:
        """Classify the cells and write them to a file; its suffix says which kind."""
        trained, cells = self._session.trained, self._session.cells
        if trained is None or cells is None:
            return
        if path.suffix.lower() not in SUFFIXES:
            self._notice.say(f"{path.name}: name a file {listed(SUFFIXES)}", "error")
            return
        # A choice that was made for another classifier means nothing to one made elsewhere.
        own = hasattr(trained.classifier, "temperature")
        prior = self._session.prior if own else None
        settings = merged(PredictSettings, self.settings.value, {"prior": prior})
        self.task.run(
            "saving the predictions",
            predictions_job(trained, cells, path, settings),
            self._saved,
            on_error=lambda line: self._notice.say(line, "error"),
            data_set=self._session.data_set,
        )

    def _saved(self, predicted: Any) -> None:
        count = int(predicted.content["n"])
        names = listed(path.name for path in predicted.files)
        folder = predicted.files[0].parent
        lines = (f"Saved {counted(count, 'cell')}: {names} in {folder}",)
        left_out = predicted.content.get("left_out")
        warnings = (*([left_out] if left_out else []), *predicted.content["warnings"])
        self._notice.say("\n".join((*lines, *warnings)), "warning" if warnings else "good")

    def _ended(self, how: str) -> None:
        self.fill()
        if how == "cancelled":
            self._notice.say(
                "Stopped; the predictions that were made are kept beside the file. Save to the "
                "same file to go on."
            )

    def fill(self, _: object = None) -> None:
        """Bring the button up to date."""
        session = self._session
        why = ""
        if session.cells is None:
            why = "Open a data set first."
        elif session.trained is None:
            why = "Train a classifier, or open one, on the page 'Classifier'."
        self.save.setEnabled(not why and not self.task.busy)
        self.reason.setText(why)
        self.reason.setVisible(bool(why))


def predictions_job(
    trained: Trained, cells: Cells, path: Path, settings: PredictSettings
) -> Job[Any]:
    """The job, of which PyTorch is a part."""
    yield Progress(0, 1, "loading PyTorch")
    from napari_channelmix.report.predict_dataset import predict_cells_job

    return (yield from predict_cells_job(trained.classifier, cells, path, settings=settings))
