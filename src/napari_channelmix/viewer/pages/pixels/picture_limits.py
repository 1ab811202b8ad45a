"""Black and white of the pictures of cells as the classifier gets them, as a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_channelmix.data.display_limits import display_limits_job

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.data.display_limits import DisplayLimits
    from napari_channelmix.jobs import Job

__all__ = ["model_limits_job"]


def model_limits_job(model: Any, cells: Cells) -> Job[DisplayLimits | None]:
    """The limits of each channel of a model, in its order; of scaled pixels where it scales them.

    Parameters
    ----------
    model : Classifier or ForeignClassifier
    cells : Cells

    Returns
    -------
    DisplayLimits or None
        None where the cells lack one of its channels.

    Raises
    ------
    ModelError
        Pixels that are scaled otherwise than those of its training.
    """
    from napari_channelmix.classify.scaled_pixels import scaled_alike

    if not set(model.channels) <= set(cells.channels):
        return None
    fitting = scaled_alike(cells.with_channels(model.channels), model.scaling, model.who)
    return (yield from display_limits_job(fitting))
