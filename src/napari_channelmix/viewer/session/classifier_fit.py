"""Whether the classifier in use can be asked about the cells in use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_channelmix.errors import ChannelMixError

if TYPE_CHECKING:
    from napari_channelmix.viewer.session.session import Session

__all__ = ["reason_not_fitting"]


def reason_not_fitting(session: Session) -> str:
    """Why it cannot, as where channels are missing or crops have another size; else empty.

    Also empty where there is no classifier or no cells. No pixels are read.
    """
    trained, cells = session.trained, session.cells
    if trained is None or cells is None:
        return ""
    fitting: Any = getattr(trained.classifier, "fitting", None)
    if fitting is None:
        return ""
    try:
        fitting(cells)
    except ChannelMixError as error:
        return str(error)
    return ""
