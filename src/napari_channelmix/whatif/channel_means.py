"""Mean light of each class in each channel, and how far a plain rule on such means goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.held_out_accuracy import HeldOutAnswers
from napari_channelmix.classify.predictor import matched
from napari_channelmix.classify.stratified_sample import drawn_equally
from napari_channelmix.data.crop_outlines import LABELLED, LightScale, crop_outlines
from napari_channelmix.data.required_cells import refuse_no_cells
from napari_channelmix.data.split import cross_validation_folds
from napari_channelmix.data.statistics import constant_lines
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress, drain, part
from napari_channelmix.provenance import provenance
from napari_channelmix.settings.channels import ChannelMeansSettings
from napari_channelmix.settings.fields import as_dict, merged, takes_settings
from napari_channelmix.whatif.asking import asker_job, refuse_no_classifier
from napari_channelmix.whatif.blended_calls import probabilities_job
from napari_channelmix.whatif.cell_choice import chosen_cells_job
from napari_channelmix.whatif.channel_means_result import ChannelMeans, MeanRow, is_as_good
from napari_channelmix.whatif.group_intervals import class_means
from napari_channelmix.wording import counted, fraction

if TYPE_CHECKING:
    from napari_channelmix.classify.accuracy import AccuracyDifference, AccuracyEstimate
    from napari_channelmix.classify.predictor import Predictor
    from napari_channelmix.data import Cells
    from napari_channelmix.progress_bar import ShowProgress

__all__ = ["channel_means", "channel_means_job"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# Cells that are read in one step, at most.
BATCH = 256
# A few very bright cells must not decide: z-scores are cut here.
FAR = 5.0
# Spreads below this share of the light are rounding.
ROUNDING = 1e-9
# Crops that are held at once, in bytes.
BLOCK_BYTES = 2**27


@takes_settings(ChannelMeansSettings)
def channel_means(
    cells: Cells,
    model: Predictor | None = None,
    *,
    settings: ChannelMeansSettings | None = None,
    progress: ShowProgress = None,
    **options: Any,
) -> ChannelMeans:
    """Measure how bright each class is in each channel, and how far means alone tell classes.

    The mean of each channel over the pixels of the cell (its label; the whole crop where there is
    no label image) is put in units of its spread over the cells. The check is a logistic
    regression on these means (scikit-learn's, every class weighing the same; z-scores cut at 5), on
    held-out groups: on the cells that ``model`` was not trained on, learnt from those that it was
    trained on; without such a model on folds of whole groups. Where it is as good as a network, a
    table of means says what there is to say. Our definition.

    Parameters
    ----------
    cells : Cells
        Those with a class are used.
    model : Classifier or ForeignClassifier, optional
        Its accuracy on the same cells stands beside that of the regression.
    settings : ChannelMeansSettings, optional
    progress : bool or callable, optional
        True: a bar, also in a notebook; a function: called with each `Progress`.
    **options
        Single settings, such as ``folds=3``.

    Returns
    -------
    ChannelMeans

    Raises
    ------
    DataError
        No cells, no class, NaN in pixels.
    ModelError
        Channels that the model needs and the cells lack; crops of another size.

    Examples
    --------
    >>> import napari_channelmix as cm
    >>> result = cm.channel_means(cells)
    >>> result.matrix().round(1).loc["GFP"].tolist()
    [-1.0, 1.0]
    >>> result.linear.balanced
    1.0
    """
    return drain(channel_means_job(cells, model, settings=settings, **options), progress)


def channel_means_job(
    cells: Cells,
    model: Predictor | None = None,
    *,
    settings: ChannelMeansSettings | None = None,
    **options: Any,
) -> Job[ChannelMeans]:
    """`channel_means` as a job: measure the cells, learn the regression, ask the model."""
    chosen = merged(ChannelMeansSettings, settings, options)
    refuse_no_cells(cells)
    if model is not None:
        refuse_no_classifier(model)
        cells = matched(cells, model.channels, model.who, model.neighbours, model.scaling)
    known = cells.labelled()
    if not len(known):
        raise DataError(f"{cells.name}: no cell has a class, so there is no class to measure")
    rng = np.random.default_rng(chosen.seed)
    used = known.subset(drawn_equally(known.labels, chosen.limit, rng))
    light = yield from part(_light_job(used), 0, 60, 100)
    labels, groups = used.labels, np.asarray(used.groups)
    spread = light.std(axis=0)
    # Means of one value over masks of different sizes differ in their last digits.
    constant = spread <= ROUNDING * np.abs(light).max(axis=0)
    scores = np.where(constant, 0.0, light - light.mean(axis=0)) / np.where(constant, 1.0, spread)
    means = class_means(scores, labels, groups, len(used.classes))
    rows = tuple(
        MeanRow(
            channel,
            name,
            float(means.mean[code, place]),
            float(means.low[code, place]),
            float(means.high[code, place]),
            int(means.n[code]),
            int(means.n_groups[code]),
        )
        for code, name in enumerate(used.classes)
        for place, channel in enumerate(used.channels)
    )
    warnings = list(constant_lines(used.channels, constant, "a mean"))
    check = yield from part(_check_job(used, scores, model, chosen, warnings), 60, 40, 100)
    linear, network, ahead = check
    about = provenance(data=cells.fingerprint, settings=as_dict(chosen), seed=chosen.seed)
    lines = _lines(linear, network, ahead)
    return ChannelMeans(
        used.channels,
        used.classes,
        rows,
        linear,
        network,
        ahead,
        lines,
        tuple(warnings),
        provenance=about,
    )


def _light_job(cells: Cells) -> Job[FloatArray]:
    """Mean of each channel over the pixels of each cell (N, C), raw units."""
    outlined = any(field.labels is not None for field in cells.fields)
    scale = LightScale.of_cells(cells) if outlined else None
    light = np.zeros((len(cells), len(cells.channels)))
    size = min(BATCH, _at_once(cells))
    for start in range(0, len(cells), size):
        rows = np.arange(start, min(start + size, len(cells)))
        crops = cells.read(rows)
        inside = np.ones((len(rows), *crops.shape[2:]))
        if scale is not None:
            outlines = crop_outlines(cells, rows, crops, scale)
            own = outlines.origin == LABELLED
            inside[own] = outlines.cell[own]
        weight = inside / inside.sum(axis=(1, 2), keepdims=True)
        light[rows] = np.einsum("nchw,nhw->nc", crops, weight)
        yield Progress(len(rows) + start, len(cells), "measuring the cells")
    return light


def _at_once(cells: Cells) -> int:
    """How many crops are held at once."""
    return max(1, BLOCK_BYTES // (4 * len(cells.channels) * cells.crop**2))


Check = tuple["AccuracyEstimate | None", "AccuracyEstimate | None", "AccuracyDifference | None"]


def _check_job(
    cells: Cells,
    scores: FloatArray,
    model: Predictor | None,
    settings: ChannelMeansSettings,
    warnings: list[str],
) -> Job[Check]:
    """Accuracies of the regression and of the model on the same cells, and their difference."""
    labels = cells.labels
    if len(np.unique(labels)) < 2:
        warnings.append("the cells are of one class: there is nothing to tell apart")
        return None, None, None
    asker = called = None
    held = np.arange(len(cells))
    if model is not None:
        asker, fitting = yield from part(asker_job(model, cells, "balanced"), 0, 5, 100)
        sample = yield from part(chosen_cells_job(model, fitting, settings.only), 5, 5, 100)
        held, warnings[len(warnings) :] = sample.positions, [sample.line]
        called = np.full(len(cells), -1, np.int64)
        size, answers = _at_once(cells), []
        for start in range(0, len(held), size):
            pixels = fitting.read(held[start : start + size])
            asking = part(probabilities_job(asker, pixels), start, len(pixels), len(held))
            answers.append((yield from part(asking, 10, 40, 100)))
        names = {name: code for code, name in enumerate(cells.classes)}
        codes = np.array([names.get(name, -1) for name in asker.classes])
        called[held] = codes[np.concatenate(answers).argmax(axis=1)]
    yield Progress(50, 100, "a regression on the means")
    try:
        folds = _folds(cells, held, settings)
    except DataError as error:
        warnings.append(f"no regression on the means was learnt: {error}")
        return None, None, None
    linear = _regression(scores, labels, folds)
    judge = HeldOutAnswers(labels, np.asarray(cells.groups), folds >= 0, cells.classes)
    yield Progress(100, 100, "a regression on the means")
    if called is None:
        return judge.accuracy(linear), None, None
    return judge.accuracy(linear), judge.accuracy(called), judge.ahead(linear, called)


def _regression(scores: FloatArray, labels: IntArray, folds: IntArray) -> IntArray:
    """Class (N,) of each cell by a logistic regression, called while it was held out; else -1."""
    from sklearn.linear_model import LogisticRegression

    called = np.full(len(labels), -1, np.int64)
    for fold in np.unique(folds[folds >= 0]):
        train, test = folds != fold, folds == fold
        mean, spread = scores[train].mean(axis=0), scores[train].std(axis=0)
        scaled = np.clip((scores - mean) / np.where(spread > 0, spread, 1.0), -FAR, FAR)
        head = LogisticRegression(class_weight="balanced", tol=1e-3, max_iter=500)
        called[test] = head.fit(scaled[train], labels[train]).predict(scaled[test])
    return called


def _folds(cells: Cells, held: IntArray, settings: ChannelMeansSettings) -> IntArray:
    """In which fold each cell is held out; -1 for those that are only learnt from."""
    folds = np.full(len(cells), -1, np.int64)
    rest = np.setdiff1d(np.arange(len(cells)), held)
    if set(np.unique(cells.labels[held])) <= set(np.unique(cells.labels[rest])):
        folds[held] = 0
        return folds
    # Of each cell whether it is in the fold: those that the model was trained on stay out.
    for number, flags in enumerate(cross_validation_folds(cells, settings.folds, settings.seed)):
        folds[flags] = number
    folds[rest] = -1
    return folds


def _lines(
    linear: AccuracyEstimate | None,
    network: AccuracyEstimate | None,
    ahead: AccuracyDifference | None,
) -> tuple[str, ...]:
    """How good the regression is, beside the model where there is one."""
    if linear is None:
        return ()
    on = f"{counted(linear.n_cells, 'cell')}, {counted(linear.n_groups, 'group')}"
    if network is None or ahead is None:
        return (f"a logistic regression on cell means reaches {linear.short_text} ({on})",)
    against = (
        f"{fraction(linear.balanced)} against {fraction(network.balanced)}; difference "
        f"{fraction(ahead.difference)}, {fraction(ahead.low)} to {fraction(ahead.high)}; {on}"
    )
    known = "is not as good as" if ahead.high < 0 else "is not told from"
    if is_as_good(ahead):
        known = "is as good as"
    return (f"a logistic regression on cell means {known} the network ({against})",)
