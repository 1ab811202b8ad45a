"""From cells to latents, as a job.

1. Cut out the cells, at one scale and brightness for all.
2. Fine-tune a copy of the disentangler on them, where asked for.
3. Encode every cell.
4. Weigh each latent's name.
5. Where there are classes, see what tells them apart, beside hand-crafted features.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.drl.cell_chunks import (
    CellTask,
    DrawnChunk,
    EncodedChunk,
    PicturesOfChunk,
    cell_chunks,
    encoded_chunk_job,
    kept_chunks_job,
)
from napari_channelmix.drl.channel_view import View, default_view
from napari_channelmix.drl.finetune import Finetuned, finetune_job
from napari_channelmix.drl.finetuned_cells import differences_from_tuning, remembering
from napari_channelmix.drl.latent_code import title_of
from napari_channelmix.drl.latents import UNDER_WAY, Latents
from napari_channelmix.drl.learnt_drawing import learnt_drawing_job, worst_text
from napari_channelmix.drl.preparation import (
    Prepared,
    preparation_job,
    prepared_job,
    some_pictures_job,
)
from napari_channelmix.drl.quality import associations_job
from napari_channelmix.drl.reconstruction import reconstruction_job
from napari_channelmix.drl.separation import PixelTest, Separation, separation_job
from napari_channelmix.drl.store import load_disentangler
from napari_channelmix.drl.traversal import FEW
from napari_channelmix.drl.trust import trust
from napari_channelmix.errors import DataError, ModelError
from napari_channelmix.jobs import Job, Progress, drain, part
from napari_channelmix.provenance import provenance
from napari_channelmix.settings import (
    OF_THE_CLUSTER,
    ClusterSettings,
    EncodingSettings,
    as_dict,
    merged,
    settings_of,
    takes_settings,
)

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.drl.disentangler import Disentangler

__all__ = ["latents", "latents_job"]

FloatArray = npt.NDArray[np.float32]

# Pairs of sprites that measure what fine-tuning did to the names.
DRIFT_PAIRS = 1000
# Cells whose figures are averaged at a time, in double precision.
BLOCK = 65_536
# How long the parts take beside each other: pictures of the cells, fine-tuning, what measures the
# names, and what separates the classes, where that is to be found.
PREPARING, TUNING, MEASURING, DRAWING, SEPARATING = 10, 40, 4, 60, 40


@takes_settings(EncodingSettings)
def latents(
    cells: Cells,
    model: Disentangler | str | Path | None = None,
    *,
    view: View | str | None = None,
    settings: EncodingSettings | None = None,
    separate: bool = True,
    device: str = "auto",
    tune: Callable[..., Job[Finetuned[Disentangler]]] = finetune_job,
    parts: Path | None = None,
    drawn: Path | None = None,
    **options: Any,
) -> Latents:
    """`latents_job`, to its end."""
    job = latents_job(
        cells,
        model,
        view=view,
        settings=settings,
        separate=separate,
        device=device,
        tune=tune,
        parts=parts,
        drawn=drawn,
        **options,
    )
    return drain(job)


def latents_job(
    cells: Cells,
    model: Disentangler | str | Path | None = None,
    *,
    view: View | str | None = None,
    settings: EncodingSettings | None = None,
    separate: bool = True,
    device: str = "auto",
    tune: Callable[..., Job[Finetuned[Disentangler]]] = finetune_job,
    parts: Path | None = None,
    drawn: Path | None = None,
    **options: Any,
) -> Job[Latents]:
    """Latents of a data set, as a job.

    ``partial`` of its progress is the result without what separates the classes, which takes
    longest and comes last.

    Parameters
    ----------
    cells : Cells
    model : Disentangler, or name, or path, optional
        See `load_disentangler`.
    view : View or str, optional
        What of the channels is looked at; a str is the name of one channel.
    settings : EncodingSettings, optional
        How the cells are encoded.
    separate : bool
        Whether to see what tells the classes apart.
    device : {"auto", "cpu", "cuda", "mps"}
        For fine-tuning, and for the classifier of the pixels.
    tune : callable
        What does the fine-tuning, called as `finetune_job`, such as one that keeps what it made.
    parts : path, optional
        Folder in which cells that are drawn and encoded are kept, chunk by chunk, so that a run
        that was stopped goes on; the caller removes it.
    drawn : path, optional
        File in which learning to draw is kept, so that it goes on where it was stopped; the caller
        removes it.
    **options
        Single settings, such as ``finetune=20``; see `EncodingSettings`.

    Raises
    ------
    DataError, ModelError
        As `prepare_job`, `load_disentangler` and `finetune_job`.
    ClusterError
        With ``workers`` or a ``scheduler``: as `cluster.chunks_job`.
    """
    named_model = {"model": str(model)} if isinstance(model, str | Path) else {}
    chosen = merged(EncodingSettings, settings, {**named_model, **options})
    finetune, seed = chosen.finetune, chosen.seed
    if model is None or isinstance(model, str | Path):
        source = load_disentangler(chosen.model)
    else:
        source = model
        chosen = replace(chosen, model=source.name)
    if not isinstance(view, View):
        view = default_view(source, cells, view)
    if view.depth != source.shape[0]:
        raise DataError(
            f"{source.name} need images of {source.shape[0]} channels, the view gives {view.depth}"
        )
    classed = separate and len(set(cells.labels.tolist()) - {-1}) > 1
    tuned_at = PREPARING + (TUNING if finetune and len(cells) > 1 else 0)
    draws_at = tuned_at + MEASURING
    separates_at = draws_at + (DRAWING if chosen.drawing == "residual" else 0)
    total = separates_at + (SEPARATING if classed else 0)
    looking = PREPARING / 10
    how = yield from part(preparation_job(cells, view), 0, looking, total)
    tunes = bool(finetune) and len(cells) > 1
    cluster = settings_of(ClusterSettings, chosen)
    encoding = _Encoding(len(cells), len(source.names))
    # Encoded as they are drawn, but where the weights are still to be fine-tuned.
    drawing = prepared_job(
        cells,
        how,
        None if tunes else source,
        None if tunes else encoding.take,
        cluster=cluster,
        parts=None if parts is None else parts / "drawn",
    )
    prepared = yield from part(drawing, looking, PREPARING - looking, total)
    unlike = differences_from_tuning(source, cells, view)
    warnings = [*cells.warnings, *prepared.warnings, *unlike]
    finetuned = Finetuned(source)
    if tunes:
        pictures = yield from part(some_pictures_job(prepared), PREPARING, 0, total)
        if len(pictures) < len(cells):
            warnings.append(
                f"fine-tuned on {len(pictures):,} of {len(cells):,} cells, spread evenly: pictures "
                "of more do not fit into memory"
            )
        finetuned = yield from part(
            tune(source, pictures, epochs=finetune, seed=seed, device=device),
            PREPARING,
            TUNING,
            total,
        )
        if finetuned.source_note:
            warnings.append(finetuned.source_note)
    of = (
        finetuned.disentangler
        if finetuned.disentangler is source
        else remembering(finetuned.disentangler, cells, view)
    )
    if tunes:
        job = _encoded(of, cells, prepared, encoding, cluster, parts)
        yield from part(job, tuned_at, 0, total)
    values, spread = encoding.values, encoding.spread
    kl = _divergence(values, spread)
    half = MEASURING / 2
    before = _associations(source)
    if before is None:
        measuring = associations_job(source, pairs=DRIFT_PAIRS)
        before = yield from part(measuring, tuned_at, half, total, "sprites: ")
    now = before
    # The card of weights that came fine-tuned is that of the weights they were made from.
    if of is not source or "finetuned" in of.about:
        measuring = associations_job(of, pairs=DRIFT_PAIRS)
        now = yield from part(measuring, tuned_at + half, half, total, "sprites: ")
    comparing = reconstruction_job(of, prepared.pictures, values, cells.groups)
    reconstruction = yield from part(comparing, tuned_at + MEASURING, 0, total)
    judged = trust(
        of.names,
        values.astype(np.float64),
        kl,
        prepared.features,
        before,
        now,
        resembles=reconstruction is None or reconstruction.resembles,
    )
    active = np.array([one.badge not in ("inactive", "spare") for one in judged])
    learnt = None
    if chosen.drawing == "residual":
        learning = learnt_drawing_job(of, cells, prepared, values, active, chosen, device, drawn)
        try:
            learnt = yield from part(learning, draws_at, DRAWING, total)
        except (DataError, ModelError) as error:
            warnings.append(f"{error}; cells are drawn from their named latents alone")
    if learnt is not None:
        names = [cells.name_of(row) for row in learnt.worst]
        warnings.append(worst_text(learnt, names))
    lost = [axis for axis in of.axes() if not active[list(of.columns(axis))].any()]
    if lost:
        named = ", ".join(map(title_of, lost))
        warnings.append(f"the same in all cells, so not traversed: {named}")
    if len(cells) < FEW:
        warnings.append("so few cells say nothing of a range: traversals go as far as on sprites")
    if len(cells) == 1:
        untuned = ", and the weights are not fine-tuned" if finetune else ""
        warnings.append(f"one cell: nothing can be said of what varies{untuned}")
    facts = provenance(
        model=of.name,
        seed=seed,
        settings={"finetune": finetune, "view": view.as_dict()},
        request=as_dict(chosen, OF_THE_CLUSTER),
        data=cells.name,
    )
    unseparated = "the cells have no two classes" if separate else "not asked for"
    result = Latents(
        cells,
        values,
        spread,
        of,
        prepared,
        judged,
        None,
        UNDER_WAY if classed else unseparated,
        facts,
        tuple(dict.fromkeys(warnings)),
        reconstruction,
        learnt,
    )
    if classed:
        # Cells can be looked at meanwhile.
        measured = separates_at
        yield Progress(measured, total, "what separates the classes", partial=result)
        beside = _pixels(cells, seed, device) if chosen.pixels else None
        separating = _separated(cells, of, values, active, prepared, seed, beside)
        try:
            separation = yield from part(separating, measured, SEPARATING, total)
            warnings += separation.warnings
            result = replace(result, separation=separation, unseparated="")
        except DataError as error:
            warnings.append(str(error))
            result = replace(result, unseparated=str(error))
        result = replace(result, warnings=tuple(dict.fromkeys(warnings)))
    yield Progress(total, total, "done", partial=result)
    return result


class _Encoding:
    """The posterior of every cell, as chunks are handed over."""

    def __init__(self, count: int, latents: int) -> None:
        self.values = np.zeros((count, latents), np.float32)
        self.spread = np.zeros((count, latents), np.float32)

    def take(self, chunk: DrawnChunk | EncodedChunk) -> None:
        """Put a chunk in its place."""
        self.values[chunk.positions], self.spread[chunk.positions] = chunk.values, chunk.spread


class _ToEncode(Sequence[PicturesOfChunk]):
    """Chunks with their pictures, where those are in memory; made when they are asked for."""

    def __init__(self, prepared: Prepared, positions: Sequence[npt.NDArray[np.int64]]) -> None:
        self._pictures, self._positions = prepared.pictures, positions

    def __len__(self) -> int:
        return len(self._positions)

    def __getitem__(self, index: Any) -> Any:
        some, pictures = self._positions[index], self._pictures
        return PicturesOfChunk(some, pictures[some] if isinstance(pictures, np.ndarray) else None)


def _encoded(
    of: Disentangler,
    cells: Cells,
    prepared: Prepared,
    encoding: _Encoding,
    cluster: ClusterSettings,
    parts: Path | None,
) -> Job[None]:
    """Posterior of every cell that is drawn already, chunk by chunk."""
    positions = cell_chunks(cells)
    return kept_chunks_job(
        encoded_chunk_job,
        CellTask(cells, prepared.how, of, keeps=False),
        _ToEncode(prepared, positions),
        positions,
        encoding.take,
        kind=EncodedChunk,
        stage="encoding the cells",
        cluster=cluster,
        parts=None if parts is None else parts / "encoded",
    )


def _divergence(values: FloatArray, spread: FloatArray) -> npt.NDArray[np.float64]:
    """Mean divergence of the posteriors (N, Z) from a standard normal distribution, (Z,)."""
    total = np.zeros(values.shape[1])
    for start in range(0, len(values), BLOCK):
        mean, wide = values[start : start + BLOCK], spread[start : start + BLOCK].astype(np.float64)
        total += (-0.5 * (1 + 2 * np.log(wide) - mean**2 - wide**2)).sum(axis=0)
    return total / len(values)


def _associations(of: Disentangler) -> dict[str, float] | None:
    """S of each factor as the card has it, or None."""
    card = of.about.get("card", {})
    return dict(card["association"]) if "association" in card else None


def _separated(
    cells: Cells,
    of: Disentangler,
    values: FloatArray,
    active: npt.NDArray[np.bool_],
    prepared: Prepared,
    seed: int,
    pixels: PixelTest | None,
) -> Job[Separation]:
    """What tells the classes apart: active latents beside hand-crafted features."""
    active_columns = np.flatnonzero(active)
    if not len(active_columns):
        raise DataError("no latent varies among the cells, so nothing can separate the classes")
    axes: dict[str, Sequence[int]] = {}
    for axis in of.axes():
        positions = [
            int(np.searchsorted(active_columns, column))
            for column in of.columns(axis)
            if active[column]
        ]
        if positions:
            axes[axis] = positions
    columns = {
        "latents": values[:, active_columns].astype(np.float64),
        "hand-crafted": prepared.features.to_numpy(np.float64),
    }
    separation = yield from separation_job(
        columns, cells.labels, cells.groups, cells.classes, axes, seed=seed, pixels=pixels
    )
    return separation


def _pixels(cells: Cells, seed: int, device: str) -> PixelTest:
    """A classifier of all channels, as `train_classifier` makes it, for each fold anew."""

    def tested(
        learnt: npt.NDArray[np.int64], held_out: npt.NDArray[np.int64]
    ) -> Job[npt.NDArray[np.int64]]:
        from napari_channelmix.classify.train import train_classifier_job

        known = cells.subset(learnt)
        job = train_classifier_job(known, seed=seed, device=device)
        classifier = yield from part(job, 0, 95, 100)
        predictions_job = classifier.predict_job(cells.subset(held_out), prior="balanced")
        guesses = yield from part(predictions_job, 95, 5, 100)
        chosen = guesses.argmax(axis=1)
        codes = np.array([cells.classes.index(name) for name in classifier.classes])
        predicted: npt.NDArray[np.int64] = codes[chosen]
        return predicted

    return tested
