"""Reads the cell that is looked at in a worker, so that its own pixels can be edited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_channelmix.jobs import Job, Progress
from napari_channelmix.viewer.charts.class_legend import session_palette
from napari_channelmix.viewer.page_parts.prior_menu import explained_prior
from napari_channelmix.viewer.tasks.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_channelmix.classify.priors import Prior
    from napari_channelmix.drl import Latents
    from napari_channelmix.viewer.page_parts.base_page import Page
    from napari_channelmix.viewer.pages.latents.cell_tab import CellPage
    from napari_channelmix.viewer.pages.latents.real_edits import RealCell
    from napari_channelmix.viewer.session.trained import Trained

__all__ = ["RealCellReading"]


class RealCellReading:
    """One cell at a time; a new one stops the one before.

    Parameters
    ----------
    page : Page
    tab : CellPage
        Shows it.
    front : callable
        Whether the page is in front: else nothing is read.
    """

    def __init__(self, page: Page, tab: CellPage, front: Callable[[], bool]) -> None:
        self._page, self._tab, self._front = page, tab, front
        self.task = task = Task(page.session, one_thread=True)
        page.destroyed.connect(lambda *_: task.abandon())

    def read(self, cell: int | None) -> None:
        """Find out how edits of a cell's own pixels move its latents; None: of none."""
        session = self._page.session
        latents, trained = session.latents, session.trained
        self.task.stop()
        self._tab.show_real(None)
        if latents is None or cell is None or not self._front():
            return
        palette = session_palette(session)

        def known(real: RealCell) -> None:
            self._tab.real_box.show_palette(palette)
            self._tab.show_real(real)

        self.task.run(
            "reading the cell",
            _real_cell_job(latents, cell, trained, explained_prior(session)),
            known,
            on_error=self._page.fail,
        )


def _real_cell_job(
    latents: Latents, cell: int, trained: Trained | None, prior: Prior | None
) -> Job[RealCell]:
    yield Progress(0, 1, "reading the cell")
    # PyTorch is loaded with it.
    from napari_channelmix.viewer.pages.latents.real_edits import real_cell_job

    model = None if trained is None else trained.classifier
    return (yield from real_cell_job(latents, cell, model, prior))
