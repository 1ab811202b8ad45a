"""The switch that makes clicks explain cells, and when it may."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_channelmix.viewer.selection.click_mode import ClickMode, ClickWords

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtWidgets import QWidget

    from napari_channelmix.viewer.session.session import Session

__all__ = ["ExplainMode"]

WORDS = ClickWords(
    on="Click a cell to explain",
    off="Explain cells by a click",
    tip="While this is on and the page in front, a click on a cell explains it; Shift-click "
    "selects cells for 'Explain selected'; a drag still moves the image",
    does="explain",
)


class ExplainMode(ClickMode):
    """`ClickMode` of the page 'Pixels': a classifier is needed, and a field of view.

    Parameters
    ----------
    viewer, session, chosen, missed
        As for `CellClicks`.
    """

    def __init__(
        self,
        viewer: Any,
        session: Session,
        chosen: Callable[[int, bool], object],
        missed: Callable[[str], object],
        parent: QWidget | None = None,
    ) -> None:
        def ready() -> bool:
            return session.trained is not None and session.shown is not None

        super().__init__(viewer, session, WORDS, ready, chosen, missed, parent)
