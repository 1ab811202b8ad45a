"""The run about all cells, with a note where its prior is another than the chosen one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_channelmix.computing import leave_a_core
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.settings import WhatIfSettings, merged
from napari_channelmix.viewer.page_parts.prior_menu import explained_prior
from napari_channelmix.viewer.pages.whatif.decision_tab import DecisionTab
from napari_channelmix.viewer.pages.whatif.run_tab import TabRun

if TYPE_CHECKING:
    from napari_channelmix.classify.priors import Prior
    from napari_channelmix.data import Cells
    from napari_channelmix.viewer.page_parts.base_page import Page
    from napari_channelmix.viewer.session.trained import Trained
    from napari_channelmix.viewer.tasks.task_bar import TaskBar
    from napari_channelmix.whatif.result import WhatIf

__all__ = ["AllCells"]


class AllCells(TabRun):
    """The tab 'All cells' of a page, and its task."""

    tab: DecisionTab

    def __init__(self, page: Page) -> None:
        session, theme = page.session, page.viewer.theme

        def tab(bar: TaskBar) -> DecisionTab:
            return DecisionTab(theme, bar)

        def job(trained: Trained, cells: Cells, settings: WhatIfSettings) -> Job[WhatIf]:
            return _all_cells_job(trained, cells, settings, explained_prior(session))

        super().__init__(page, "editing all cells", "result", tab, job)

    def show(self, _: object = None) -> None:
        """Show the answers of the classifier in use."""
        super().show()
        self.tab.note_prior(explained_prior(self._session))


def _all_cells_job(
    trained: Trained, cells: Cells, settings: WhatIfSettings, prior: Prior | None
) -> Job[WhatIf]:
    yield Progress(0, 1, "getting ready")
    from napari_channelmix.whatif.what_if import what_if_job

    # The window needs one, for the sliders.
    leave_a_core()
    chosen = merged(WhatIfSettings, settings, {"prior": prior})
    return (yield from what_if_job(trained.classifier, cells, settings=chosen))
