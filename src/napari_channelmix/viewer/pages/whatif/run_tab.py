"""A tab that asks one question about all cells: its settings, its run, its result above them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from napari_channelmix.viewer.page_parts.base_page import form, group
from napari_channelmix.viewer.widgets.folding import Folding
from napari_channelmix.viewer.widgets.job_form import JobForm
from napari_channelmix.viewer.widgets.notice import Notice
from napari_channelmix.wording import sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_channelmix.data import Cells
    from napari_channelmix.jobs import Job
    from napari_channelmix.viewer.page_parts.base_page import Page
    from napari_channelmix.viewer.session.trained import Trained
    from napari_channelmix.viewer.tasks.task_bar import TaskBar

__all__ = ["CAPTION", "REPLACED", "RunTab", "TabRun"]

#: What bars of flips show; the tooltip of a bar has its figures.
CAPTION = (
    "Share of the cells that flip. Line: 95 % interval over groups; dots: sham; grey: not above it"
)
# A classifier that is gone takes its answers with it.
REPLACED = "The classifier was replaced meanwhile: its answers are dropped. Run again."


class RunTab(QWidget):
    """Result first, then the box with settings and button.

    Parameters
    ----------
    settings : type
        The settings object of the job.
    title, hint, label, tip : str
        Of the box, what is asked, and the button's.
    names : sequence of str
        Settings that stand above 'More settings'.
    leave_out : sequence of str
        Settings without a control.
    bar : TaskBar

    Signals
    -------
    run_requested()
    """

    run_requested = Signal()

    def __init__(
        self,
        settings: type[Any],
        *,
        title: str,
        hint: str,
        label: str,
        tip: str,
        names: Sequence[str],
        leave_out: Sequence[str],
        bar: TaskBar,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._label = label
        self.hint = QLabel(hint)
        self.hint.setWordWrap(True)
        self.form: JobForm[Any] = JobForm(settings, self, leave_out=leave_out)
        self.run = QPushButton(label)
        self.run.setToolTip(tip)
        self.run.clicked.connect(self.run_requested)
        self.warnings = Notice(lines=4)
        self.boxes: list[QWidget] = []
        self.run_box, inside = group(title)
        rows, more, others = form(), QWidget(), form()
        self.form.add_to(rows, names)
        self.form.add_to(others)
        more.setLayout(others)
        folded = Folding("More settings")
        folded.setToolTip("Which cells, random seed and the like")
        folded.addWidget(more)
        inside.addWidget(self.hint)
        inside.addLayout(rows)
        inside.addWidget(folded)
        inside.addWidget(self.run)
        inside.addWidget(bar)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self._column.addWidget(self.warnings)
        self._column.addWidget(self.run_box)

    def add_result(self, title: str, tip: str = "") -> QVBoxLayout:
        """A box for a part of the result, above the settings; gives its layout."""
        box, inside = group(title, tip)
        self._column.insertWidget(len(self.boxes), box)
        self.boxes.append(box)
        return inside

    @property
    def settings(self) -> Any:
        """What was chosen."""
        return self.form.value

    def fill(self, busy: bool) -> None:
        """A run is at work, or may be begun."""
        self.run.setEnabled(not busy)

    def show_result(self, result: Any) -> None:
        """Show a result; None takes it away."""
        for box in self.boxes:
            box.setVisible(result is not None)
        self.hint.setVisible(result is None)
        self.run.setText(self._label if result is None else "Run again")
        warnings = () if result is None else result.warnings
        self.warnings.say("\n".join(sentence(line) for line in warnings if line), "warning")

    def show_palette(self, palette: Sequence[str]) -> None:
        """Take the order of the classes: positions are colours."""

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""


class TabRun:
    """The task of a tab whose answer the session keeps with its data set.

    Parameters
    ----------
    page : Page
    name : str
        Of the task.
    answer : {"result", "transplants", "audit"}
        Which of `WhatIfAnswers` it is.
    make_tab : callable
        Gives the tab for its task bar.
    job : callable
        ``job(trained, cells, settings)``.
    """

    def __init__(
        self,
        page: Page,
        name: str,
        answer: str,
        make_tab: Callable[[TaskBar], RunTab],
        job: Callable[[Trained, Cells, Any], Job[Any]],
    ) -> None:
        self._page, self._session = page, page.session
        self._name, self._answer, self._job = name, answer, job
        self.task, bar = page.add_task(one_thread=True)
        self.tab = make_tab(bar)
        self.tab.run_requested.connect(self.run)
        self.task.ended.connect(self._ended)
        page.follow(self._session.what_if_changed, self.show)
        self.tab.show_result(None)

    @property
    def result(self) -> Any:
        """The answer of the classifier in use about the data set in use; None: not asked."""
        answers = self._session.what_if
        mine = answers is not None and answers.trained is self._session.trained
        return getattr(answers, self._answer) if mine else None

    def run(self) -> None:
        """Begin."""
        session = self._session
        cells, trained = session.cells, session.trained
        if cells is None or trained is None:
            return
        data_set = session.data_set

        def answered(result: Any) -> None:
            if session.uses(trained) or any(trained is known for known in session.classifiers):
                session.keep_answer(data_set, trained, **{self._answer: result})
            else:
                self._page.notice.say(REPLACED)

        self.task.run(
            self._name,
            self._job(trained, cells, self.tab.settings),
            answered,
            on_error=self._page.fail,
            data_set=data_set,
        )

    def show(self, _: object = None) -> None:
        """Show the answer of the classifier in use."""
        self.tab.show_result(self.result)

    def _ended(self, how: str) -> None:
        if how == "cancelled":
            kept = " The earlier answers are kept." if self.result is not None else ""
            self._page.notice.say(f"Stopped.{kept}")
