"""The shortcut audit: whether the classifier decides by the cell, a card of checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QLabel, QVBoxLayout

from napari_channelmix.computing import leave_a_core
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.settings.audit import AuditSettings
from napari_channelmix.viewer.pages.whatif.run_tab import RunTab
from napari_channelmix.viewer.widgets.notice import Kind, Notice
from napari_channelmix.wording import sentence

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.viewer.session.session import Session
    from napari_channelmix.viewer.session.trained import Trained
    from napari_channelmix.viewer.tasks.task_bar import TaskBar
    from napari_channelmix.whatif.audit_result import Audit

__all__ = ["ShortcutsTab", "audit_of_session_job"]

KINDS: dict[str, Kind] = {
    "red": "error",
    "amber": "warning",
    "green": "good",
    "not tested": "info",
}
WORDS = {
    "red": "Problem",
    "amber": "Doubt",
    "green": "Tested, fine",
    "not tested": "Not tested",
}
HINT = (
    "Does the classifier look at the cell, or at what goes along with it: background, neighbours, "
    "illumination, stain? The cell is removed, neighbours are removed, the light is changed, and "
    "the classifier is asked again."
)


class ShortcutsTab(RunTab):
    """A line for each check: its word, its question, its answer."""

    def __init__(self, bar: TaskBar) -> None:
        super().__init__(
            AuditSettings,
            title="Look for shortcuts",
            hint=HINT,
            label="Look for shortcuts",
            tip="Ask the classifier about held-out cells that were removed or changed",
            names=("limit",),
            leave_out=(),
            bar=bar,
        )
        inside = self.add_result(
            "Shortcuts", "Green only where it was tested and nothing was found"
        )
        self.whole = QLabel()
        self.whole.setWordWrap(True)
        inside.addWidget(self.whole)
        self._checks = QVBoxLayout()
        self._checks.setSpacing(5)
        inside.addLayout(self._checks)
        self.notices: list[Notice] = []

    def show_result(self, result: Audit | None) -> None:
        """Show the card, what was found first; None takes it away."""
        super().show_result(result)
        for notice in self.notices:
            self._checks.removeWidget(notice)
            notice.hide()
            notice.deleteLater()
        self.notices = []
        if result is None:
            return
        whole = result.accuracy.text(held_out=False)
        self.whole.setText(sentence(whole))
        order = list(KINDS)
        for check in sorted(result.checks, key=lambda check: order.index(check.answer)):
            notice = Notice(lines=8)
            lines = [f"{WORDS[check.answer]}: {check.question}", sentence(check.line)]
            # What holds for the whole card is said once, above it.
            if check.warning and check.warning not in whole:
                lines.append(sentence(check.warning))
            self._checks.addWidget(notice)
            notice.say("\n".join(lines), KINDS[check.answer])
            self.notices.append(notice)


def audit_of_session_job(
    session: Session, trained: Trained, cells: Cells, settings: AuditSettings
) -> Job[Audit]:
    """Audit a classifier; maps of cells that were explained before are looked at as well."""
    # Of these cells: once the job is at work, others may be in use.
    explained = session.explained if session.explained_by is trained else ()
    known = {each.cell: each.map for each in explained if each.map is not None}

    def job() -> Job[Audit]:
        yield Progress(0, 1, "getting ready")
        import numpy as np

        from napari_channelmix.whatif.audit import audit_job

        leave_a_core()
        maps: dict[str, Any] = {}
        if known:
            maps = {"maps": np.stack(list(known.values())), "mapped": np.array(list(known))}
        return (yield from audit_job(trained.classifier, cells, settings=settings, **maps))

    return job()
