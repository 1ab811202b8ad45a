"""The jobs of the page Channels; PyTorch is imported where one begins, never with the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress, part
from napari_channelmix.viewer.session.preferences import PREFERENCES
from napari_channelmix.whatif.class_table import wants_matrix

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from napari_channelmix.classify import Classifier
    from napari_channelmix.classify.predictor import Predictor
    from napari_channelmix.data import Cells
    from napari_channelmix.dcmix import ChannelImportance
    from napari_channelmix.settings import ImportanceSettings
    from napari_channelmix.whatif.cell_shapley import CellChannels
    from napari_channelmix.whatif.channel_means_result import ChannelMeans
    from napari_channelmix.whatif.channel_shapley_result import ChannelShapley

__all__ = [
    "cache_folder",
    "cell_channels_job",
    "classifier_channels_job",
    "importance_job",
    "mixed_job",
]

# Most cells whose light is measured beside the matrix: a check, not a figure of its own.
MEASURED = 5000
# Rows of a plane that are blended at once.
STRIPE = 256


def cache_folder() -> Path | None:
    """Where the pages keep finished repeats of channel importance, or None where nothing is kept.

    A folder per version: another one may find something else in the same cells. None where the
    preferences say so, or where it cannot be made.
    """
    if not PREFERENCES.now.keep:
        return None
    from platformdirs import user_cache_path

    from napari_channelmix.provenance import package_version

    folder = user_cache_path("napari-channelmix", appauthor=False) / "importance"
    folder = folder / (package_version("napari-channelmix") or "0+unknown")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder


def importance_job(
    cells: Cells, chosen: ImportanceSettings, parts: Path | None = None
) -> Job[ChannelImportance]:
    """Learn channel importance over the repeats; finished ones are kept."""
    yield Progress(0, 100, "loading PyTorch")
    from napari_channelmix.dcmix.importance_of_dataset import divided_importance_job

    return (yield from divided_importance_job(cells, settings=chosen, parts=parts))


def classifier_channels_job(
    model: Predictor, cells: Cells, players: Mapping[str, Sequence[str]] | None = None
) -> Job[tuple[ChannelShapley, ChannelMeans | None]]:
    """Ask a finished classifier which channels it decides by.

    ``players``: groups of channels that are exchanged together; see `ChannelSettings`. Where a
    matrix is shown, how bright each class is in each channel is measured as well; None
    where no cell has a class.
    """
    yield Progress(0, 100, "loading PyTorch")
    from napari_channelmix.whatif.channel_means import channel_means_job
    from napari_channelmix.whatif.channel_shapley import channel_shapley_job

    asking = channel_shapley_job(model, cells, players=players or {})
    result = yield from part(asking, 0, 75, 100)
    if not wants_matrix(len(result.channels), len(result.classes)):
        return result, None
    try:
        measured = channel_means_job(cells, model, limit=MEASURED)
        return result, (yield from part(measured, 75, 25, 100))
    except DataError:
        return result, None


def cell_channels_job(model: Predictor, cells: Cells, position: int) -> Job[CellChannels]:
    """Ask a finished classifier which channels it calls one cell by."""
    yield Progress(0, 100, "loading PyTorch")
    from napari_channelmix.whatif.cell_shapley import channels_of_cell_job

    return (yield from channels_of_cell_job(model, cells, position))


def mixed_job(classifier: Classifier, cells: Cells, field: int) -> Job[npt.NDArray[np.float32]]:
    """The blended images (mixes, Y, X) of a whole field of view, in normalised units.

    Blending is pixel by pixel, so the plane is done in stripes.

    Raises
    ------
    ModelError, DataError
        A classifier without a mixing layer, or for channels these cells lack.
    """
    from napari_channelmix.classify.predictor import matched

    cells = matched(
        cells, classifier.channels, neighbours=classifier.neighbours, scaling=classifier.scaling
    )
    field_of_view = cells.fields[field]
    height, width = field_of_view.shape
    stripes = []
    for top in range(0, height, STRIPE):
        box = (top, 0, min(top + STRIPE, height), width)
        pixels = cells.scaling.apply(field_of_view.read(box, cells.planes)[None], cells.channels)
        stripes.append(classifier.blend(pixels)[0])
        yield Progress(box[2], height, "blending the channels")
    return np.concatenate(stripes, axis=1)
