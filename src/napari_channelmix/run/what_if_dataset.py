"""What-if of a whole data set, into a folder: block by block, and resumed where it was stopped."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_channelmix.atomic_write import refuse_no_folder, write_whole
from napari_channelmix.cluster import chunks_job
from napari_channelmix.cluster.chunks import refuse_both
from napari_channelmix.data.cell_names import cell_name
from napari_channelmix.data.pixel_facts import files_of_chunks_job
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress, drain, part
from napari_channelmix.locks import in_use
from napari_channelmix.provenance import package_version
from napari_channelmix.report.what_if_figure import what_if_figure
from napari_channelmix.run.other_answers import (
    CHANNELS,
    TRANSPLANTS,
    channels_files_job,
    players_of,
    transplants_files_job,
)
from napari_channelmix.run.what_if_parts import ADVICE, WhatIfParts
from napari_channelmix.settings import (
    ChannelSettings,
    TransplantSettings,
    WhatIfSettings,
    merged,
    takes_settings,
)
from napari_channelmix.whatif.result import WhatIf
from napari_channelmix.whatif.summary import summarised
from napari_channelmix.whatif.what_if_task import (
    ChunkOfAnswers,
    WhatIfTask,
    answer_chunk_job,
    what_if_chunks,
    what_if_task_job,
)
from napari_channelmix.wording import counted, path_shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

    from napari_channelmix.classify import Classifier, ForeignClassifier
    from napari_channelmix.data import Cells
    from napari_channelmix.progress_bar import ShowProgress

__all__ = ["WhatIfFolder", "what_if_cells", "what_if_cells_job", "what_if_text"]

# Of the work: choosing cells and ranges, the blocks, and what may be asked beside.
BEFORE, BLOCKS = 8, 72
# Sentences that are printed in a terminal.
LINES = 12


@dataclass(frozen=True, eq=False)
class WhatIfFolder:
    """What-if of a data set, as it is kept in a folder.

    Attributes
    ----------
    result : WhatIf
    files : tuple of path
    worked : bool
        Whether anything was still missing.
    left_out : tuple of str
        Why transplants or channels could not be asked of these cells, a line each.
    lines : tuple of str
        What transplants and channels say, where they were asked in this call.
    """

    result: WhatIf
    files: tuple[Path, ...]
    worked: bool
    left_out: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()


@takes_settings(WhatIfSettings, leave_out=("prior",))
def what_if_cells(
    model: Classifier | ForeignClassifier,
    cells: Cells,
    out: str | Path,
    *,
    settings: WhatIfSettings | None = None,
    transplants: bool = False,
    channels: bool = False,
    players: Mapping[str, Sequence[str]] | None = None,
    progress: ShowProgress = None,
    **options: Any,
) -> WhatIfFolder:
    """Ask what would change the classifier's mind, and keep the answers in a folder.

    As `what_if`, but block by block: the same call goes on where an earlier one was stopped.

    Parameters
    ----------
    model : Classifier or ForeignClassifier
    cells : Cells
    out : path
        Folder for ``whatif.json``, ``curves.csv``, ``flips.csv`` and the other tables, and
        ``whatif.png``.
    settings : WhatIfSettings, optional
    transplants : bool
        Also parts of the cell taken from cells of other classes: ``transplants.json``, ``.csv``;
        see `transplant`.
    channels : bool
        Also the importance of the channels for this classifier: ``channels.json``, ``.csv``,
        ``channel_effects.csv``; see `channel_shapley`.
    players : mapping of str to sequence of str, optional
        Groups of channels that are exchanged together there; see `ChannelSettings`.
    progress : bool or callable, optional
        True: a bar, also in a notebook; a function: called with each `Progress`.
    **options
        Single settings, which win, such as ``axes=("DNA brightness",)``; ``prior`` as for
        `Classifier.predict_proba`. Transplants and channels take ``only``, ``seed`` and, where
        one is named, ``prior`` from them; their usual prior is the balanced one.

    Returns
    -------
    WhatIfFolder

    Raises
    ------
    ModelError
        As `what_if`.
    DataError
        Blocks that could not be computed, after all others were; a folder with the results of
        another model, of other cells or other settings.
    SaveError, InUseError
        A folder that cannot be written, or that another run works in.

    Examples
    --------
    >>> import tempfile
    >>> import napari_channelmix as cm
    >>> from napari_channelmix.data.samples import synthetic_plate
    >>> cells = synthetic_plate(wells=4, cells_per_well=4, side=64, crop=16).cells
    >>> model = cm.train_classifier(cells, network="tiny", epochs=1)
    >>> folder = Path(tempfile.mkdtemp()) / "whatif"
    >>> kept = cm.what_if_cells(model, cells, folder, axes=("DNA brightness",), limit=4, steps=3)
    >>> kept.worked, kept.files[0].name
    (True, 'whatif.json')
    """
    chosen = merged(WhatIfSettings, settings, options)
    job = what_if_cells_job(
        model,
        cells,
        Path(out),
        chosen,
        transplants=transplants,
        channels=channels,
        players=players,
    )
    return drain(job, progress)


def what_if_cells_job(
    model: Classifier | ForeignClassifier,
    cells: Cells,
    out: Path,
    settings: WhatIfSettings | None = None,
    *,
    transplants: bool = False,
    channels: bool = False,
    players: Mapping[str, Sequence[str]] | None = None,
) -> Job[WhatIfFolder]:
    """`what_if_cells` as a job.

    Choose the cells and the range of each axis; refuse another run's folder; answer the blocks that
    are missing and keep each; put them together; write the tables and the picture.
    """
    settings = settings or WhatIfSettings()
    refuse_both(settings)
    refuse_no_folder(out)
    with in_use(out):
        task = yield from part(what_if_task_job(model, cells, settings), 0, BEFORE, 100)
        result, parts = _earlier(out, task), None
        worked = result is None
        if result is None:
            result, parts = yield from part(_answered_job(task, out), BEFORE, BLOCKS, 100)
        yield Progress(BEFORE + BLOCKS, 100, "writing")
        files = list(result.save(out))
        picture = what_if_figure(result)
        target = out / "whatif.png"
        write_whole(target, lambda path: picture.savefig(path, dpi=150, format="png"))
        files.append(target)
        if parts is not None:
            parts.remove()
        others = []
        if transplants and (worked or not (out / TRANSPLANTS).exists()):
            own = TransplantSettings(**_same(settings))
            job = transplants_files_job(model, cells, out, own)
            others.append((yield from part(job, 82, 9, 100)))
        groups = tuple((name, tuple(members)) for name, members in (players or {}).items())
        listed = {name: list(members) for name, members in groups}
        known = (out / CHANNELS).exists() and players_of(out) == listed
        if channels and (worked or not known):
            of_channels = ChannelSettings(**_same(settings), players=groups)
            job = channels_files_job(model, cells, out, of_channels)
            others.append((yield from part(job, 91, 9, 100)))
        for other in others:
            files += other.files
            worked |= bool(other.files)
    left_out = tuple(other.left_out for other in others if other.left_out)
    lines = tuple(line for other in others for line in other.lines)
    return WhatIfFolder(result, tuple(files), worked, left_out, lines)


def _same(settings: WhatIfSettings) -> dict[str, Any]:
    """What transplants and channels have in common with the edits; a prior where one was named."""
    prior = {} if settings.prior is None else {"prior": settings.prior}
    return {"only": settings.only, "seed": settings.seed, **prior}


def _facts(task: WhatIfTask) -> dict[str, Any]:
    """What the answers depend on; not where they are computed."""
    facts = task.facts
    return {
        "version": package_version("napari-channelmix"),
        "model": facts["model"],
        "cells": [facts["data"], facts["pixels"]],
        "prior": facts["prior"],
        "settings": facts["settings"],
    }


def _earlier(out: Path, task: WhatIfTask) -> WhatIf | None:
    """The result in the folder, where it is of the same run.

    Raises
    ------
    DataError
        It is of another model, of other cells or other settings, or none of ours.
    """
    path = out / "whatif.json"
    if not path.exists():
        return None
    try:
        result = WhatIf.read(path)
    except DataError as error:
        raise DataError(f"{path_shown(path)} was not made by this command; {ADVICE}") from error
    ours = json.loads(json.dumps(task.facts))
    words = {
        "model": "another model",
        "data": "other cells (or other pixels in them)",
        "pixels": "other pixels",
        "prior": "another prior",
        "settings": "other settings",
    }
    other = [text for name, text in words.items() if result.provenance.get(name) != ours[name]]
    if other:
        raise DataError(f"{path_shown(path)} was made with {', '.join(other)}; {ADVICE}")
    return result


def _answered_job(task: WhatIfTask, out: Path) -> Job[tuple[WhatIf, WhatIfParts]]:
    """Answer the blocks that are missing, and put all together."""
    chunks = what_if_chunks(task)
    files = yield from part(files_of_chunks_job(task.cells, chunks), 0, 0, 100)
    parts = WhatIfParts(
        out / "parts", _facts(task), chunks, task.grids, len(task.asker.classes), files
    )
    missing = parts.missing()
    if missing:
        job = chunks_job(
            answer_chunk_job,
            task,
            [chunks[index] for index in missing],
            keep=lambda place, chunk: parts.put(missing[place], chunk),
            settings=task.settings.cluster,
            sizes=[len(chunks[index]) for index in missing],
        )
        report = yield from part(job, 0, 97, 100)
        report.refuse_missing(
            lambda place: _name(task.cells, chunks[missing[place]]), len(chunks) - len(missing)
        )
    yield Progress(97, 100, "putting the answers together")
    answers = []
    for index in range(len(chunks)):
        chunk = parts.read(index)
        if chunk is None:
            raise DataError(
                f"{path_shown(parts.folder)}: a block was deleted or damaged meanwhile; the same "
                "command again computes only what is missing"
            )
        answers.append(chunk)
    return summarised(task, ChunkOfAnswers.together(answers)), parts


def _name(cells: Cells, positions: npt.NDArray[np.int64]) -> str:
    """Which cells a block has: how many, and the first."""
    return f"{len(positions):,} cells, the first {cell_name(cells, int(positions[0]))}"


def what_if_text(result: WhatIf) -> str:
    """What moves the decision, for a terminal."""
    kind = result.group_kind
    head = f"{counted(result.n, 'cell')} of {counted(result.groups, kind)} were edited"
    more = len(result.lines) - LINES
    lines = [head, *result.lines[:LINES]]
    if more > 0:
        lines.append(f"{counted(more, 'more line')} in whatif.json")
    return "\n".join([*lines, *(f"note: {line}" for line in result.warnings)])
