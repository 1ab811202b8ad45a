"""Transplants: a channel, or a part of it, taken from an aligned cell of another class."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.channel_games import drawn_donors
from napari_channelmix.classify.classifier import Classifier
from napari_channelmix.classify.foreign import ForeignClassifier
from napari_channelmix.classify.model_hash import model_hash
from napari_channelmix.classify.stratified_sample import drawn_equally
from napari_channelmix.data.statistics import constant_lines
from napari_channelmix.errors import ModelError
from napari_channelmix.jobs import Job, Progress, drain, part
from napari_channelmix.provenance import provenance
from napari_channelmix.settings.channels import TransplantSettings
from napari_channelmix.settings.fields import as_dict, merged, takes_settings
from napari_channelmix.whatif.alignment import best_alignment
from napari_channelmix.whatif.asking import Asker, asker_job
from napari_channelmix.whatif.blended_calls import probabilities_job
from napari_channelmix.whatif.cell_choice import ChosenCells, chosen_cells_job
from napari_channelmix.whatif.crops import CellCrops, cell_crops
from napari_channelmix.whatif.group_intervals import class_shares
from napari_channelmix.whatif.transplanted_pixels import Pairs, compartments_of, transplanted
from napari_channelmix.whatif.transplants_result import (
    ANY_CLASS,
    WHOLE,
    TransplantRow,
    Transplants,
)
from napari_channelmix.wording import counted, fraction

if TYPE_CHECKING:
    from napari_channelmix.classify.predictor import Predictor
    from napari_channelmix.data import Cells
    from napari_channelmix.progress_bar import ShowProgress

__all__ = ["transplant", "transplant_job"]

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

# Cells that are called, to choose among, for each cell that is used.
CALLED_FOR_EACH = 8
STEADY_CELLS, BATCH = 16, 128
# Fewer donors than these may not speak for their class.
FEW_DONORS = 5


@takes_settings(TransplantSettings)
def transplant(
    model: Predictor,
    cells: Cells,
    *,
    settings: TransplantSettings | None = None,
    progress: ShowProgress = None,
    **options: Any,
) -> Transplants:
    """Ask a classifier about cells that have a channel of a real cell of another class.

    Each cell gets, one at a time, a channel, or only its nucleus, ring or background, of the best
    matching of 25 cells that are called another class: in eight flips and turns, the one whose
    outline, and whose nuclei together with those of neighbours, overlap most; one of both by 0.6
    at least. Beside it stands the sham: the same with donors of the cell's own class, since no two
    cells line up exactly. Our definition.

    Parameters
    ----------
    model : Classifier or ForeignClassifier
    cells : Cells
        Held-out cells are taken that are called as they are labelled, where labels are known.
    settings : TransplantSettings, optional
    progress : bool or callable, optional
        True: a bar, also in a notebook; a function: called with each `Progress`.
    **options
        Single settings, such as ``limit=30``.

    Returns
    -------
    Transplants

    Raises
    ------
    DataError
        No cells, NaN in pixels.
    ModelError
        All cells are called the same; channels that are missing; crops of another size; a model
        that changes its answer from call to call.

    Examples
    --------
    >>> import numpy as np
    >>> import napari_channelmix as cm
    >>> from napari_channelmix.classify import ForeignClassifier
    >>> def rule(crops):
    ...     high = crops[:, 0].mean(axis=(1, 2)) > 2
    ...     return np.stack([~high, high], axis=1).astype(np.float32)
    >>> labels = np.arange(40) % 2
    >>> crops = np.random.default_rng(0).normal(0, 0.1, size=(40, 2, 12, 12))
    >>> crops[:, :, 3:9, 3:9] += 10
    >>> crops[:, 0] *= labels[:, None, None]
    >>> wells = [str(number // 4) for number in range(40)]
    >>> cells = cm.Cells.from_array(crops, ["GFP", "DNA"], labels, ["low", "high"], wells)
    >>> names = ("GFP", "DNA"), ("low", "high")
    >>> model = ForeignClassifier(rule, *names, np.zeros(2), np.ones(2), "probabilities", "a rule")
    >>> result = cm.transplant(model, cells, compartments=False)
    >>> result.by_part[["part", "share", "n", "sham"]].values.tolist()
    [['GFP', 1.0, 40, 0.0], ['DNA', 0.0, 40, 0.0]]
    """
    return drain(transplant_job(model, cells, settings=settings, **options), progress)


def transplant_job(
    model: Predictor,
    cells: Cells,
    *,
    settings: TransplantSettings | None = None,
    **options: Any,
) -> Job[Transplants]:
    """`transplant` as a job.

    Choose held-out cells and predict them; align donors of each class; exchange each part; count
    the predictions that change.
    """
    chosen = merged(TransplantSettings, settings, options)
    asker, fitting = yield from part(asker_job(model, cells, chosen.prior), 0, 5, 100)
    sample = yield from part(chosen_cells_job(model, fitting, chosen.only), 5, 10, 100)
    crops, called, rows, line = yield from part(
        _called_job(asker, fitting, sample, chosen), 15, 20, 100
    )
    groups = sample.groups[rows]
    yield Progress(35, 100, "aligning donors")
    pairs = {
        (own, other): _paired(crops, called, groups, own, other, chosen)
        for own in np.unique(called).tolist()
        for other in np.unique(called).tolist()
    }
    parts = compartments_of(crops) if chosen.compartments else {}
    regions = {WHOLE: None, **parts}
    counted_calls = yield from part(
        _counted_job(asker, crops, called, groups, pairs, regions, chosen.warp), 40, 60, 100
    )
    result = Transplants(
        asker.channels,
        asker.classes,
        tuple(counted_calls),
        asker.asked,
        provenance=provenance(
            model=model_hash(model) if isinstance(model, Classifier | ForeignClassifier) else "",
            data=fitting.fingerprint,
            prior=asker.prior.as_dict(),
            settings=as_dict(chosen, leave_out=("prior",)),
        ),
    )
    warnings = tuple(_warnings(asker, crops, called, sample, pairs))
    return replace(result, lines=(*_lines(result), line), warnings=warnings)


def _called_job(
    asker: Asker, cells: Cells, sample: ChosenCells, settings: TransplantSettings
) -> Job[tuple[CellCrops, IntArray, IntArray, str]]:
    """Crops of the cells that take part, what they are called, and which of the sample they are."""
    rng = np.random.default_rng(settings.seed)
    limit = settings.limit * len(asker.classes)
    some = drawn_equally(sample.labels, CALLED_FOR_EACH * limit, rng)
    pixels = cells.read(sample.positions[some])
    asker.refuse_unsteady(pixels[:STEADY_CELLS])
    probabilities = yield from probabilities_job(asker, pixels)
    called = np.asarray(probabilities.argmax(axis=1), np.int64)
    line = sample.line
    if sample.labelled:
        right = called == sample.labels[some]
        if len(np.unique(called[right])) > 1:
            known = f"{int(right.sum()):,} of {len(right):,}"
            line += f"; transplants are of those predicted as labelled ({known})"
            some, pixels, called = some[right], pixels[right], called[right]
    if len(np.unique(called)) < 2:
        raise ModelError(
            f"{asker.model.who} predicts {_every(len(called))} as {_first(asker, called)}: "
            "there is no cell of another class to take a channel from"
        )
    # Twice as many as get a channel: all of them may be donors.
    used = drawn_equally(called, 2 * limit, rng)
    yield Progress(1, 1, "finding outlines")
    crops = cell_crops(cells, sample.positions[some[used]], crops=pixels[used])
    return crops, called[used], some[used], line


def _every(count: int) -> str:
    return "the only cell" if count == 1 else f"all {counted(count, 'cell')}"


def _first(asker: Asker, called: IntArray) -> str:
    return asker.classes[int(called[0])] if len(called) else "nothing"


def _paired(
    crops: CellCrops,
    called: IntArray,
    groups: npt.NDArray[Any],
    own: int,
    other: int,
    settings: TransplantSettings,
) -> Pairs:
    """Cells that are called ``own``, each with its best donor that is called ``other``."""
    rng = np.random.default_rng((settings.seed, own, other))
    cells = np.flatnonzero(called == own)
    cells = np.sort(rng.permutation(cells)[: settings.limit])
    receivers = np.repeat(cells, settings.donors)
    donors = drawn_donors(receivers, np.full(len(receivers), other), called, rng, groups)
    nuclei = None if crops.nuclei is None else (crops.nuclei[cells], crops.nuclei)
    candidates = donors.reshape(len(cells), settings.donors)
    best = best_alignment(crops.cell[cells], crops.cell, candidates, nuclei)
    kept = (best.donor >= 0) & (best.overlap >= settings.overlap)
    return Pairs(cells[kept], best.donor[kept], best.view[kept], best.overlap[kept])


def _counted_job(
    asker: Asker,
    crops: CellCrops,
    called: IntArray,
    groups: npt.NDArray[Any],
    pairs: dict[tuple[int, int], Pairs],
    regions: dict[str, Mask | None],
    warp: bool,
) -> Job[list[TransplantRow]]:
    """Ask about every part of every pair, and count."""
    rows: list[TransplantRow] = []
    every = Pairs(
        *(
            np.concatenate([getattr(of, name) for of in pairs.values()])
            for name in ("cells", "donors", "view", "overlap")
        )
    )
    total = len(asker.channels) * len(regions)
    for index, channel in enumerate(asker.channels):
        for place, (compartment, region) in enumerate(regions.items()):
            after = np.zeros(len(every), np.int64)
            for start in range(0, len(every), BATCH):
                stop = min(start + BATCH, len(every))
                some = Pairs(
                    every.cells[start:stop],
                    every.donors[start:stop],
                    every.view[start:stop],
                    every.overlap[start:stop],
                )
                edited = transplanted(crops, some, index, region, warp=warp)
                after[start:stop] = asker.calls(edited)
                done = index * len(regions) + place + stop / max(len(every), 1)
                yield Progress(done, total, f"transplanting {channel}")
            rows += _rows(asker.classes, channel, compartment, every, called, groups, after)
    return rows


def _rows(
    classes: tuple[str, ...],
    channel: str,
    compartment: str,
    pairs: Pairs,
    called: IntArray,
    groups: npt.NDArray[Any],
    after: IntArray,
) -> Iterator[TransplantRow]:
    """A row for all pairs of classes, then one for each."""
    name = channel if compartment == WHOLE else f"{channel} {compartment}"
    own, other = called[pairs.cells], called[pairs.donors]
    flipped, count = after != own, len(classes)
    same = own == other
    sham = class_shares(
        flipped[same], own[same], groups[pairs.cells[same]], count, pairs.cells[same]
    )
    # Every pair of classes as a class of its own.
    code = own * count + other
    rows = np.flatnonzero(~same)
    for value in (-1, *np.unique(code[rows]).tolist()):
        of = rows if value < 0 else rows[code[rows] == value]
        cells = pairs.cells[of]
        first, second = (-1, -1) if value < 0 else divmod(value, count)
        swap = class_shares(flipped[of], code[of], groups[cells], count**2, cells)
        share, low, high = (float(figure[value]) for figure in (swap.mean, swap.low, swap.high))
        yield TransplantRow(
            part=name,
            channel=channel,
            compartment=compartment,
            from_class=ANY_CLASS if value < 0 else classes[first],
            to_class=ANY_CLASS if value < 0 else classes[second],
            share=share,
            low=low,
            high=high,
            as_donor=float(
                class_shares(after[of] == other[of], code[of], groups[cells], count**2, cells).mean[
                    value
                ]
            ),
            n=int(swap.n[value]),
            n_groups=int(swap.n_groups[value]),
            n_donors=len(np.unique(pairs.donors[of])),
            sham=float(sham.mean[first]),
            sham_low=float(sham.low[first]),
            sham_high=float(sham.high[first]),
            sham_n=int(sham.n[first]),
            alignment=float(pairs.overlap[of].mean()) if len(of) else float("nan"),
            above_sham=bool(low > sham.high[first]),
        )


def _lines(result: Transplants) -> list[str]:
    rows = [row for row in result.rows if row.from_class == ANY_CLASS and row.share == row.share]
    whole = sorted((row for row in rows if row.compartment == WHOLE), key=lambda row: -row.share)
    if not whole:
        return ["no donor lies as any cell: nothing could be transplanted"]
    deciding = [row for row in whole if row.above_sham]
    if not deciding:
        best = whole[0]
        if all(row.sham != row.sham for row in whole):
            return [
                "whether a channel of another class changes more predictions than one of the same "
                f"class does is not known: no two cells of a class lie alike ({best.part} "
                f"{_figures(best)})"
            ]
        return [
            f"no channel of another class changes more predictions than one of the same class does "
            f"({best.part} {_figures(best)}; same class {_sham_text(best)})"
        ]
    lines = []
    for row in deciding[:3]:
        lines.append(
            f"{row.part} of an aligned cell of another class changes the prediction of "
            f"{_figures(row)} of {counted(row.n, 'cell')}; of the same class {_sham_text(row)}"
        )
        parts = [
            other
            for other in rows
            if other.channel == row.channel and other.compartment != WHOLE and other.above_sham
        ]
        if parts:
            best = max(parts, key=lambda other: other.share)
            lines[-1] += f"; its {best.compartment} alone {fraction(best.share)}"
    return lines


def _sham_text(row: TransplantRow) -> str:
    return "not known" if row.sham != row.sham else fraction(row.sham)


def _figures(row: TransplantRow) -> str:
    return f"{fraction(row.share)} ({fraction(row.low)} to {fraction(row.high)})"


def _warnings(
    asker: Asker,
    crops: CellCrops,
    called: IntArray,
    sample: ChosenCells,
    pairs: dict[tuple[int, int], Pairs],
) -> Iterator[str]:
    yield from asker.model.warnings
    if sample.groups_line:
        yield sample.groups_line
    discs = int(crops.disc.sum())
    if discs:
        yield (
            f"the outline of {counted(discs, 'cell')} of {len(crops):,} is not known: a disc "
            "stands for it, so these are aligned by their middle alone"
        )
    for code in np.unique(called).tolist():
        name, count = asker.classes[code], int((called == code).sum())
        if count == 1:
            yield f"{name} has one cell: its figures say nothing of others, and it has no sham"
        elif not len(pairs[code, code]):
            yield f"no two cells predicted as {name} lie alike: it has no sham"
        donors = np.unique(
            np.concatenate([of.donors for (own, to), of in pairs.items() if to == code != own])
        )
        if len(donors) < FEW_DONORS:
            yield (
                f"channels of {name} come from {counted(len(donors), 'cell')} only: what they do "
                "may be theirs, not that of their class"
            )
    left = [asker.classes[k] for k in range(len(asker.classes)) if not (called == k).any()]
    if left:
        yield f"no cell is predicted as {' or '.join(left)}, so nothing is taken from it"
    spread = np.ptp(crops.pixels, axis=(0, 2, 3))
    yield from constant_lines(asker.channels, spread == 0, "a transplant")
