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

from napari_channelmix.data.required_cells import refuse_no_cells
from napari_channelmix.drl.cell_chunks import (
    CellTask,
    DrawnChunk,
    EncodedChunk,
    PicturesOfChunk,
    cell_chunks,
    encoded_chunk_job,
    kept_chunks_job,
)
from napari_channelmix.drl.channel_view import View, default_view, named_channels_job
from napari_channelmix.drl.feature_disentangler import FeatureDisentangler
from napari_channelmix.drl.feature_separation import beside_latents_job, lines_on_features
from napari_channelmix.drl.feature_training import FEATURE_PAIRS
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
from napari_channelmix.drl.separated_cells import pixel_test, separated_job
from napari_channelmix.drl.source_encoder import early_view, source_job
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
    from napari_channelmix.progress_bar import ShowProgress

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
    view: View | str | Sequence[str] | None = None,
    features: Any = None,
    settings: EncodingSettings | None = None,
    separate: bool = True,
    device: str = "auto",
    tune: Callable[..., Job[Finetuned[Disentangler]]] = finetune_job,
    parts: Path | None = None,
    drawn: Path | None = None,
    progress: ShowProgress = None,
    **options: Any,
) -> Latents:
    """Encode cells as named latents: what each is like, and how far that can be trusted.

    The encoder has learnt the names on synthetic sprites; see docs/latents.md.

    Parameters
    ----------
    cells : Cells
    model : Disentangler, or name, or path, optional
        See `load_disentangler`.
    view : View, str, or sequence of str, optional
        What of the channels is looked at: a str is the name of one channel, several names are the
        sum of these channels as one grey picture. They may be patterns (``CD*``), ``membrane``
        (the membrane markers by name) or ``rims`` (what is brightest at the outlines). Default:
        each channel in a colour, of 6 channels at most.
    features : str, path, Classifier, torch.nn.Module, callable or FeatureNetwork, optional
        A network whose features of each picture are encoded in place of its pixels:
        ``efficientnet-lite0``, the file of a classifier, the folder of a vision model, or a module
        or function of pictures (n, C, 64, 64) that gives (n, F). What the features mean is learnt
        on sprites the first time, which takes minutes. Traversals are then shown by real cells.
    settings : EncodingSettings, optional
        How the cells are encoded.
    separate : bool
        Whether to see what tells the classes apart.
    device : {"auto", "cpu", "cuda", "mps"}
        For fine-tuning, and for the classifier of the pixels.
    tune : callable
        What does the fine-tuning, called as `finetune_job`.
    parts : path, optional
        Folder in which cells that are encoded are kept, so that a run that was stopped goes on.
    drawn : path, optional
        File in which learning to draw is kept, so that it goes on where it was stopped.
    progress : bool or callable, optional
        True: a bar, also in a notebook; a function: called with each `Progress`.
    **options
        Single settings, such as ``finetune=20``; see `EncodingSettings`.

    Returns
    -------
    Latents

    Raises
    ------
    DataError, ModelError, ClusterError
        As `latents_job`.

    Examples
    --------
    >>> result = cm.latents(cells.subset([0, 1, 2, 3]), "texture-sprites", separate=False)
    >>> result.to_frame()[["group", "label"]].values.tolist()[0]
    ['well 0', 'low']
    """
    job = latents_job(
        cells,
        model,
        view=view,
        features=features,
        settings=settings,
        separate=separate,
        device=device,
        tune=tune,
        parts=parts,
        drawn=drawn,
        **options,
    )
    return drain(job, progress)


def latents_job(
    cells: Cells,
    model: Disentangler | str | Path | None = None,
    *,
    view: View | str | Sequence[str] | None = None,
    features: Any = None,
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
    view : View, str, or sequence of str, optional
        What of the channels is looked at: a str is the name of one channel, several names are the
        sum of these channels as one grey picture. They may be patterns (``CD*``), ``membrane``
        (the membrane markers by name) or ``rims`` (what is brightest at the outlines). Default:
        each channel in a colour, of 6 channels at most.
    features : str, path, Classifier, torch.nn.Module, callable or FeatureNetwork, optional
        A network whose features of each picture are encoded in place of its pixels; see
        `feature_sources.features_from`. What the features mean is learnt on sprites the first time,
        which takes minutes. Features have no picture: traversals are shown by real cells.
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
    named_features = {"features": str(features)} if isinstance(features, str | Path) else {}
    chosen = merged(EncodingSettings, settings, {**named_model, **named_features, **options})
    finetune, seed = chosen.finetune, chosen.seed
    refuse_no_cells(cells)
    if features is None:
        features = chosen.features
    view = yield from part(named_channels_job(cells, view), 0, 0, 1)
    if model is None or isinstance(model, str | Path):
        view = early_view(chosen.model, cells, view)
        opening = source_job(chosen.model, features, seed=seed, device=device)
        source = yield from part(opening, 0, 0, 1)
    else:
        source = model
        chosen = replace(chosen, model=source.name)
        if features is not None and source.draws:
            raise ModelError(
                "features are encoded by weights that were learnt from them: name the sprites "
                f"(model={source.name!r}) to have these learnt, or give weights learnt from them"
            )
    if isinstance(source, FeatureDisentangler):
        chosen = replace(chosen, features=source.features.source or source.features.name)
    view = default_view(source, cells, view)
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
    drift_pairs = DRIFT_PAIRS if source.draws else FEATURE_PAIRS
    if before is None:
        measuring = associations_job(source, pairs=drift_pairs)
        before = yield from part(measuring, tuned_at, half, total, "sprites: ")
    now = before
    # The card of weights that came fine-tuned is that of the weights they were made from.
    if of is not source or "finetuned" in of.about:
        measuring = associations_job(of, pairs=drift_pairs)
        now = yield from part(measuring, tuned_at + half, half, total, "sprites: ")
    reconstruction = None
    if of.draws:
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
        from_features=isinstance(of, FeatureDisentangler),
    )
    active = np.array([one.badge not in ("inactive", "spare") for one in judged])
    learnt = None
    if chosen.drawing == "residual" and not of.draws:
        warnings.append("latents of features cannot be drawn: learning to draw is left out")
    elif chosen.drawing == "residual":
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
    if isinstance(of, FeatureDisentangler):
        warnings += lines_on_features(of, view, now)
    if len(cells) < FEW and of.draws:
        warnings.append("so few cells say nothing of a range: traversals go as far as on sprites")
    if len(cells) == 1:
        untuned = ", and the weights are not fine-tuned" if finetune else ""
        warnings.append(f"one cell: nothing can be said of what varies{untuned}")
    facts = provenance(
        model=of.name,
        seed=seed,
        settings={"finetune": finetune, "features": chosen.features, "view": view.as_dict()},
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
        beside = pixel_test(cells, seed, device) if chosen.pixels else None
        columns = {"hand-crafted": prepared.features.to_numpy(np.float64)}
        if isinstance(of, FeatureDisentangler):
            looking_at = beside_latents_job(of, prepared.pictures, values, active)
            columns |= yield from part(looking_at, measured, 0, total)
        separating = separated_job(cells, of, values, active, columns, seed, beside)
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
