"""The runs about all cells, each with its tab."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from napari_channelmix.viewer.pages.whatif.all_cells import AllCells
from napari_channelmix.viewer.pages.whatif.run_tab import TabRun
from napari_channelmix.viewer.pages.whatif.shortcuts_tab import (
    ShortcutsTab,
    audit_of_session_job,
)
from napari_channelmix.viewer.pages.whatif.transplants_tab import (
    TransplantsTab,
    transplants_of_session_job,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_channelmix.viewer.page_parts.base_page import Page

__all__ = ["TABS", "Runs", "runs_of"]

#: Titles and tooltips of the tabs; the first is of single cells.
TABS = (
    ("This cell", "Edit the cell that was clicked, and ask the classifier again"),
    ("All cells", "Which edits flip the decision about held-out cells"),
    ("Transplants", "Which channel of a cell of another class flips the decision"),
    ("Shortcuts", "Does the classifier look at the cell, or at what goes along with it?"),
)


class Runs(NamedTuple):
    """In the order of the tabs."""

    all_cells: AllCells
    transplants: TabRun
    shortcuts: TabRun

    def forget(self) -> None:
        """Other cells, or another classifier; what the session keeps is shown where it fits."""
        for run in self:
            run.show()

    def fill(self, palette: Sequence[str]) -> None:
        """Take the order of the classes, and say which run is at work."""
        for run in self:
            run.tab.show_palette(palette)
            run.tab.fill(run.task.busy)

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        for run in self:
            run.tab.follow_theme(theme)


def runs_of(page: Page) -> Runs:
    """Make the tabs and tasks of a page."""
    return Runs(
        AllCells(page),
        TabRun(
            page,
            "transplanting channels",
            "transplants",
            lambda bar: TransplantsTab(page.viewer.theme, bar),
            lambda *given: transplants_of_session_job(page.session, *given),
        ),
        TabRun(
            page,
            "looking for shortcuts",
            "audit",
            ShortcutsTab,
            lambda *given: audit_of_session_job(page.session, *given),
        ),
    )
