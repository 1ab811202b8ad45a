"""Click to explain: from a classifier and cells to maps, as a job."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.bounds import hold
from napari_channelmix.classify.callables import is_out_of_memory
from napari_channelmix.classify.plausibility import plausibility_job
from napari_channelmix.data import Cells
from napari_channelmix.jobs import Job, Progress, part
from napari_channelmix.pcim.batch_size import cells_at_once, too_large
from napari_channelmix.pcim.caveats import caveat_lines
from napari_channelmix.pcim.cell_source import Source
from napari_channelmix.pcim.collected_maps import CollectedMaps, Notes
from napari_channelmix.pcim.doubts import noise_lines, without_structure
from napari_channelmix.pcim.exchanged_channels import channel_evidence_job
from napari_channelmix.pcim.flatness import Flatness, flat_lines
from napari_channelmix.pcim.methods import method_named
from napari_channelmix.phenotypes.held_out import held_out_of, only_named
from napari_channelmix.settings import MapSettings, as_dict, merged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_channelmix.classify.output_selection import Select
    from napari_channelmix.classify.outputs import Output
    from napari_channelmix.pcim.attribution import Attribution

__all__ = ["explain_job"]


def explain_job(
    model: Any,
    cells: Cells | npt.ArrayLike | Source,
    target: Any = None,
    method: str | None = None,
    mode: str | None = None,
    *,
    versus: Any = None,
    settings: MapSettings | None = None,
    device: str = "auto",
    batch: int | None = None,
    only: Sequence[int] | str | None = None,
    output: Output = "auto",
    select: Select = None,
    compare: bool = True,
    following: Callable[[npt.NDArray[np.int64]], npt.NDArray[np.int64]] | None = None,
    **options: Any,
) -> Job[Attribution]:
    """`explain` as a job: after each step the maps so far, as `MapUpdate` in ``partial``.

    The first step brings a map that can be looked at; each further one refines it. The cells are
    compared with those of training unless ``compare`` is False, for a caller that does it.
    ``following`` gets the positions of the cells that are left, before each batch, and gives them
    in the order they are to be explained; the result has the cells in their own order.
    """
    positional = {"method": method, "mode": mode}
    passed = {name: value for name, value in positional.items() if value is not None}
    chosen = merged(MapSettings, settings, {**passed, **options})
    hold(batch=batch)
    mode, seed, forwards = chosen.mode, chosen.seed, chosen.forwards
    source = Source.of(model, cells, device, output=output, select=select)
    held_out = ""
    if isinstance(only, str):
        meant = held_out_of(source.training_marks(), "maps are", only_named(only))
        held_out, only = meant.line, np.flatnonzero(meant.chosen).tolist()
    source = yield from part(source.with_prior(chosen.prior), 0, 0, 1)
    if only is not None:
        source = source.narrowed(only)
    subject = source.subject
    notes, flatness = Notes(subject.notes), Flatness()
    if held_out:
        notes.add(held_out)
    if subject.network is None and mode == "autograd":
        mode = "blackbox"
        notes.add(f"{subject.who} gives predictions only: explained as a black box")
    chosen_method = method_named(chosen.method, mode)
    separate = chosen.channels == "separate"
    room = chosen_method.room(source.shape[1:], forwards, separate)
    count, started = len(source), time.perf_counter()
    collected, noise = CollectedMaps(source, separate), list[int]()
    observer = source.observer() if compare else None
    with subject.at_rest() as was_training:
        if was_training:
            notes.add("the network was in training mode; it was explained in evaluation mode")
        start, size, order = 0, batch or 0, np.arange(count)
        while start < count:
            try:
                if not size:
                    size = cells_at_once(
                        subject, source.tensor(np.arange(1)), chosen_method.mode, room
                    )
                if following is not None:
                    order[start:] = following(order[start:].copy())
                some = order[start : start + size].copy()
                problem, probabilities = source.problem(
                    some,
                    target,
                    versus,
                    separate=separate,
                    seed=seed,
                    forwards=forwards,
                    observer=observer,
                )
                notes.look_at(problem, some)
                steps = chosen_method.steps(problem)
                for step, maps in enumerate(chosen_method.run(problem), start=1):
                    update = collected.take(some, maps, problem, probabilities)
                    shown = time.perf_counter()
                    yield Progress(
                        start + len(some) * step / steps,
                        count,
                        _stage(start, len(some), count),
                        {"step": step, "steps": steps},
                        update,
                    )
                    # What is done with a map meanwhile is no part of its time.
                    started += time.perf_counter() - shown
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                if size == 1:
                    raise too_large(source.shape[2:]) from error
                # The maps of this batch are begun again; those before it stay.
                size = max(1, size // 2)
                notes.add(f"memory ran out: now {size} cells at once")
                continue
            flatness.look(
                problem,
                source.numbers[some],
                collected.maps[some],
                of_log_odds=chosen_method.mode == "blackbox",
            )
            # Alike for normalised pixels and raw ones.
            noisy = without_structure(problem.x.float().cpu().numpy())
            noise += source.numbers[some][noisy].tolist()
            start += len(some)
        seconds = (time.perf_counter() - started) / max(count, 1)
        if collected.channel_maps is not None and count > 1:
            called = collected.probabilities.argmax(axis=1)
            exchanging = channel_evidence_job(source, collected.channel_maps, called, seed=seed)
            for line in (yield from part(exchanging, count, 0, count)).sentences:
                notes.add(line)
        if chosen.check and isinstance(cells, Cells):
            # The maps are done; only its own steps are still to come.
            job = plausibility_job(source.answering(cells), cells, seed=seed)
            for line in (yield from part(job, count, 0, count)):
                notes.add(line)
    shift = (
        None
        if observer is None
        else observer.shift(collected.probabilities, source.prior.removed(collected.probabilities))
    )
    for line in () if shift is None else shift.warnings:
        notes.add(line)
    flat = flatness.by_reason
    lines = flat_lines(flat, count, source.name_of)
    if compare:
        # Of cells that are looked at together; a caller that joins parts says it of all.
        lines = (*noise_lines(noise, count, source.name_of), *lines)
        lines += caveat_lines(
            source.model,
            source.subject.classes,
            collected.probabilities,
            collected.target,
            lambda row: source.name_of(source.numbers[row]),
            str(source.subject.reading),
        )
    return collected.attribution(
        chosen_method,
        seconds,
        (*notes, *lines),
        flat,
        shift,
        noise=tuple(noise),
        forwards=forwards,
        seed=seed,
        # How the prior came about is said of it.
        request=as_dict(chosen, ["prior"]),
    )


def _stage(start: int, size: int, count: int) -> str:
    return (
        "explaining the cell"
        if count == 1
        else f"explaining cells {start + 1}–{start + size} of {count}"
    )
