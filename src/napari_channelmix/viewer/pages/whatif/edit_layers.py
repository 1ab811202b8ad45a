"""The cell before and after an edit, as two layers that lie on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer

from napari_channelmix.viewer.layers import PictureLayer
from napari_channelmix.viewer.page_parts.removed_layers import Removals
from napari_channelmix.viewer.session.shown import LAYERS_GONE

if TYPE_CHECKING:
    from napari_channelmix.viewer.page_parts.base_page import Page
    from napari_channelmix.viewer.pages.whatif.cell_tab import CellTab

__all__ = ["AFTER", "BEFORE", "EditLayers"]

#: Roles of the layers, which are their names as well.
BEFORE, AFTER = "what if: before", "what if: after"
# Milliseconds of rest until the layers follow the sliders: drawing them takes longer than an edit.
REST = 200
ELSEWHERE = "This cell is in another field of view: go there first."


class EditLayers:
    """Adds both, keeps the second one true to the sliders, takes them away.

    Parameters
    ----------
    page : Page
    tab : CellTab
        Its button asks for the layers, and says whether they are there.
    """

    def __init__(self, page: Page, tab: CellTab) -> None:
        self._page, self._tab = page, tab
        self.before = PictureLayer(page.viewer, BEFORE, BEFORE)
        self.after = PictureLayer(page.viewer, AFTER, AFTER)
        self._rest = QTimer(page)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST)
        self._rest.timeout.connect(self._update)
        self._removals = Removals(page, self._removed)
        tab.layers_requested.connect(self._requested)

    @property
    def there(self) -> bool:
        """Whether the user has not removed them."""
        return self.before.layer is not None or self.after.layer is not None

    def follow_edit(self) -> None:
        """The edit is another one: show it once the sliders rest."""
        if self.there:
            self._rest.start()

    def clear(self) -> None:
        """Take both away."""
        self._rest.stop()
        self.before.clear()
        self.after.clear()
        self._tab.mark_layers(False)

    def _requested(self, on: bool) -> None:
        page, opened = self._page, self._tab.opened
        shown = page.session.shown
        if not on or shown is None or opened is None:
            self.clear()
        elif not shown.is_in(page.viewer.layers):
            page.fail(LAYERS_GONE)
        elif opened.field_number != shown.field:
            page.notice.say(ELSEWHERE)
        else:
            # Hide the upper one to see the lower one.
            self.before.lay(shown, opened.box, self._tab.picture(edited=False))
            self.after.lay(shown, opened.box, self._tab.picture(edited=True))
        self._tab.mark_layers(self.there)

    def _update(self) -> None:
        if self.there and self._tab.opened is not None:
            self.after.show(self._tab.picture(edited=True))

    def _removed(self, roles: frozenset[str]) -> None:
        if roles & {BEFORE, AFTER}:
            self._tab.mark_layers(self.there)
