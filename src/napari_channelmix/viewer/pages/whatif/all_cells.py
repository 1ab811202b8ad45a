"""The run about all cells: begins it, keeps its answers with the session, shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_channelmix.computing import leave_a_core
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.settings import WhatIfSettings, merged
from napari_channelmix.viewer.page_parts.prior_menu import explained_prior
from napari_channelmix.viewer.pages.whatif.decision_tab import DecisionTab
from napari_channelmix.viewer.session.what_if_answers import WhatIfAnswers

if TYPE_CHECKING:
    from napari_channelmix.classify.priors import Prior
    from napari_channelmix.data import Cells
    from napari_channelmix.viewer.page_parts.base_page import Page
    from napari_channelmix.viewer.session.trained import Trained
    from napari_channelmix.whatif.result import WhatIf

__all__ = ["AllCells"]


# A classifier that is gone takes its answers with it.
REPLACED = "The classifier was replaced meanwhile: its answers are dropped. Run again."


class AllCells:
    """The tab 'All cells' of a page, and its task."""

    def __init__(self, page: Page) -> None:
        self._page, self._session = page, page.session
        self.task, bar = page.add_task(one_thread=True)
        self.tab = DecisionTab(page.viewer.theme, bar)
        self.tab.run_requested.connect(self.run)
        self.task.ended.connect(self._ended)
        page.follow(self._session.what_if_changed, self.show)

    def run(self) -> None:
        """Edit held-out cells along all axes, and ask about them."""
        session = self._session
        cells, trained = session.cells, session.trained
        if cells is None or trained is None:
            return
        data_set, settings = session.data_set, self.tab.settings

        def answered(result: WhatIf) -> None:
            if session.uses(trained) or any(trained is known for known in session.classifiers):
                session.put(data_set, what_if=WhatIfAnswers(result, trained))
            else:
                self._page.notice.say(REPLACED)

        self.task.run(
            "editing all cells",
            _all_cells_job(trained, cells, settings, explained_prior(session)),
            answered,
            on_error=self._page.fail,
            data_set=data_set,
        )

    def show(self, _: object = None) -> None:
        """Show the answers of the classifier in use."""
        answers = self._session.what_if
        mine = answers is not None and answers.trained is self._session.trained
        self.tab.show_result(answers.result if answers is not None and mine else None)
        self.tab.note_prior(explained_prior(self._session))

    def _ended(self, how: str) -> None:
        if how == "cancelled":
            kept = " The earlier answers are kept." if self._session.what_if is not None else ""
            self._page.notice.say(f"Stopped.{kept}")


def _all_cells_job(
    trained: Trained, cells: Cells, settings: WhatIfSettings, prior: Prior | None
) -> Job[WhatIf]:
    yield Progress(0, 1, "getting ready")
    from napari_channelmix.whatif.what_if import what_if_job

    # The window needs one, for the sliders.
    leave_a_core()
    chosen = merged(WhatIfSettings, settings, {"prior": prior})
    return (yield from what_if_job(trained.classifier, cells, settings=chosen))
