"""What each channel contributes to the prediction of a cell: Shapley values of its probability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.channel_games import EXACT_CHANNELS
from napari_channelmix.classify.channel_values import pair_values_job
from napari_channelmix.classify.predictor import Predictor, training_marks_job
from napari_channelmix.classify.stratified_sample import drawn_equally
from napari_channelmix.errors import DataError, ModelError
from napari_channelmix.jobs import Job, drain, part
from napari_channelmix.phenotypes.held_out import cell_in_words
from napari_channelmix.whatif.asking import asker_job
from napari_channelmix.whatif.blended_calls import AskedBlends
from napari_channelmix.whatif.group_intervals import ClassMeans, class_means

if TYPE_CHECKING:
    from napari_channelmix.classify.priors import PriorChoice
    from napari_channelmix.data import Cells
    from napari_channelmix.whatif.asking import Asker

__all__ = ["CellChannels", "channels_of_cell", "channels_of_cell_job", "shapley_of_cell_job"]

FloatArray = npt.NDArray[np.float32]

# Donors of a cell.
DONORS = 32
# Orders and their reverses of each, for more than 8 channels.
ORDERS = 4


@dataclass(frozen=True)
class CellChannels:
    """What each channel contributes to the prediction of one cell.

    Attributes
    ----------
    position : int
        Of the cell in its data set.
    channels : tuple of str
        C names.
    class_name : str
        What the classifier calls the cell.
    probability : float
        Of that class.
    value, low, high : tuple of float
        (C,) Shapley values in units of probability, and 95 % intervals over donors. They sum to
        the probability less the mean one of the donors.
    n_donors : int
    line : str
        Whether the classifier was trained on the cell.
    """

    position: int
    channels: tuple[str, ...]
    class_name: str
    probability: float
    value: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    n_donors: int
    line: str


def channels_of_cell(
    model: Predictor,
    cells: Cells,
    position: int,
    *,
    prior: PriorChoice = "balanced",
    seed: int = 0,
) -> CellChannels:
    """What each channel contributes to the prediction of one cell, in a moment.

    The value of a subset of the channels is the probability of the class that the cell is called,
    when its other channels are those of another cell; see `shapley_of_cell_job`. Donors are 32
    other cells, of each class equally many where classes are known, and of other groups where
    there are any.

    Parameters
    ----------
    model : Classifier or ForeignClassifier
    cells : Cells
    position : int
    prior : str, mapping of str to float, or Prior, optional
    seed : int
        Of the donors.

    Raises
    ------
    DataError
        No such cell; no other cell.
    ModelError
        One channel only; as `channel_shapley`.

    Examples
    --------
    >>> import numpy as np
    >>> import napari_channelmix as cm
    >>> from napari_channelmix.classify import ForeignClassifier
    >>> def rule(crops):
    ...     high = crops[:, 0].mean(axis=(1, 2)) > 2
    ...     return np.stack([~high, high], axis=1).astype(np.float32)
    >>> labels = np.arange(40) % 2
    >>> crops = np.random.default_rng(0).normal(size=(40, 2, 8, 8)).astype(np.float32)
    >>> crops[:, 0] += 4.0 * labels[:, None, None]
    >>> cells = cm.Cells.from_array(crops, ["GFP", "DNA"], labels, ["low", "high"])
    >>> names = ("GFP", "DNA"), ("low", "high")
    >>> model = ForeignClassifier(rule, *names, np.zeros(2), np.ones(2), "probabilities", "a rule")
    >>> result = channels_of_cell(model, cells, 1)
    >>> result.class_name, result.value
    ('high', (0.5, 0.0))
    """
    return drain(channels_of_cell_job(model, cells, position, prior=prior, seed=seed))


def channels_of_cell_job(
    model: Predictor,
    cells: Cells,
    position: int,
    *,
    prior: PriorChoice = "balanced",
    seed: int = 0,
) -> Job[CellChannels]:
    """`channels_of_cell` as a job."""
    if not 0 <= position < len(cells):
        raise DataError(f"{cells.name} has no cell {position}; it has {len(cells):,} cells")
    if len(model.channels) < 2:
        raise ModelError(
            f"{model.who} has one channel ({', '.join(model.channels)}): there is nothing to "
            "compare it with"
        )
    asker, fitting = yield from part(asker_job(model, cells, prior), 0, 1, 10)
    others = np.flatnonzero(np.arange(len(cells)) != position)
    groups = np.asarray(cells.groups)
    elsewhere = others[groups[others] != groups[position]]
    others = elsewhere if len(elsewhere) else others
    if not len(others):
        raise DataError(f"{cells.name} has one cell: there is no other to take channels from")
    rng = np.random.default_rng(seed)
    donors = others[drawn_equally(cells.labels[others], DONORS, rng)]
    marks = yield from part(training_marks_job(model, fitting.subset([position])), 1, 1, 10)
    crops = fitting.read(np.array([position, *donors]))
    asker.refuse_unsteady(crops[:1])
    probabilities = asker(crops[:1])[0]
    job = shapley_of_cell_job(asker, crops[0], crops[1:], seed=seed)
    values = yield from part(job, 2, 8, 10)
    called = int(probabilities.argmax())
    value, low, high = (
        tuple(float(figure) for figure in of[0]) for of in (values.mean, values.low, values.high)
    )
    return CellChannels(
        position,
        asker.channels,
        asker.classes[called],
        float(probabilities[called]),
        value,
        low,
        high,
        len(donors),
        cell_in_words(str(marks[0])),
    )


def shapley_of_cell_job(
    asker: Asker,
    crop: FloatArray,
    donors: FloatArray,
    *,
    seed: int = 0,
) -> Job[ClassMeans]:
    """Shapley values of the channels for the prediction of one cell, as a job.

    The value of a subset is the probability of the class that the whole cell is called, when the
    other channels are those of a donor. Our definition.

    Parameters
    ----------
    asker : Asker
    crop : (C, H, W) float32 array
        The cell, raw units.
    donors : (D, C, H, W) float32 array
        Other cells, of other classes as well; the first 32 are used.
    seed : int
        Of the orders, for more than 8 channels: four and their reverses for each donor.

    Returns
    -------
    ClassMeans
        ``mean[0]`` (C,) with its interval over the donors. The sum is the probability of the whole
        cell less the mean one of the donors.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_channelmix.classify import ForeignClassifier
    >>> from napari_channelmix.jobs import drain
    >>> from napari_channelmix.whatif.asking import Asker
    >>> def rule(crops):
    ...     high = crops[:, 0].mean(axis=(1, 2)) > 2
    ...     return np.stack([~high, high], axis=1).astype(np.float32)
    >>> names = ("GFP", "DNA"), ("low", "high")
    >>> model = ForeignClassifier(rule, *names, np.zeros(2), np.ones(2), "probabilities", "a rule")
    >>> donors = np.zeros((4, 2, 8, 8), np.float32)
    >>> job = shapley_of_cell_job(Asker(model, model.prior_of()), donors[0] + 5, donors)
    >>> drain(job).mean[0].tolist()
    [1.0, 0.0]
    """
    given = np.asarray(donors[:DONORS], np.float32)
    pixels = np.concatenate([np.asarray(crop, np.float32)[None], given])
    exact = len(crop) <= EXACT_CHANNELS
    donor = np.tile(np.arange(1, len(pixels)), 1 if exact else ORDERS)
    cell, players = np.zeros(len(donor), np.int64), [[place] for place in range(len(crop))]
    answers = asker(pixels)
    values = yield from pair_values_job(
        AskedBlends(asker, pixels, cell, donor, players),
        np.full(len(donor), int(answers[0].argmax())),
        answers[cell],
        answers[donor],
        len(crop),
        exact=exact,
        rng=np.random.default_rng(seed),
    )
    return class_means(values.probability, cell, donor, 1)
