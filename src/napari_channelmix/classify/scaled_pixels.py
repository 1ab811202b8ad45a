"""Whether pixels were scaled in training, and cells that are scaled alike; others are refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from napari_channelmix.errors import ModelError

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.data.pixel_scaling import PixelScaling

__all__ = ["scaled_alike"]


def scaled_alike(cells: Cells, scaling: PixelScaling | None, who: str) -> Cells:
    """The cells with their pixels scaled as those of training.

    Cells that are not scaled are scaled with the values of training.

    Parameters
    ----------
    cells : Cells
        With the channels of the classifier.
    scaling : PixelScaling or None
        That of training, empty for raw pixels; None where it is not known: cells stay as they are.
    who : str
        What messages call the classifier.

    Raises
    ------
    ModelError
        Cells that are scaled otherwise, or that are scaled where training cells were not.
    """
    if scaling is None or cells.scaling.same(scaling, cells.channels):
        return cells
    own = cells.scaling.of_channels(cells.channels)
    if not own:
        return replace(cells, scaling=scaling.of_channels(cells.channels))
    if not scaling:
        raise ModelError(
            f"{who} was trained on pixels as they are in the files, those of {cells.name} are "
            f"scaled ({own.text}); open it without [scaling] (--scaling none), or train again"
        )
    raise ModelError(
        f"{who} was trained on pixels scaled with other values ({scaling.text}) than those of "
        f"{cells.name} ({own.text}); open it without [scaling] (--scaling none): they are then "
        "scaled as in training"
    )
