"""Which of our layers the user removed: told once, when napari is done with all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer

from napari_channelmix.viewer import layers

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_channelmix.viewer.page_parts.base_page import Page

__all__ = ["Removals"]


class Removals:
    """Nothing but a note is made while napari removes layers; the event loop does the rest.

    Parameters
    ----------
    page : Page
        As long as it lives, removals are heard.
    tell : callable
        Gets the roles of our layers that are gone; empty where the layers were others'.
    """

    def __init__(self, page: Page, tell: Callable[[frozenset[str]], object]) -> None:
        self._viewer, self._tell = page.viewer, tell
        self._roles: set[str] = set()
        self._soon = QTimer(page)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._look)
        page.follow(page.viewer.layers.events.removed, self._removed)

    def _removed(self, event: Any) -> None:
        self._roles.add(layers.role_of(event.value))
        self._soon.start(0)

    def _look(self) -> None:
        roles, self._roles = self._roles - {""}, set()
        # One may have taken the place of another meanwhile.
        gone = (role for role in roles if layers.find_ours(self._viewer, role) is None)
        self._tell(frozenset(gone))
