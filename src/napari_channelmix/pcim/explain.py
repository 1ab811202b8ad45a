"""Click to explain: from a classifier and cells to maps, as a job."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from napari_channelmix.bounds import hold
from napari_channelmix.classify.classifier import Classifier
from napari_channelmix.classify.plausibility import plausibility_job
from napari_channelmix.data import Cells
from napari_channelmix.errors import DataError, ModelError
from napari_channelmix.jobs import Job, Progress, drain, part
from napari_channelmix.pcim.attribution import Attribution, MapUpdate
from napari_channelmix.pcim.batch_size import cells_at_once, is_out_of_memory
from napari_channelmix.pcim.cell_source import Source
from napari_channelmix.pcim.exchanged_channels import channel_evidence_job
from napari_channelmix.pcim.flatness import Flatness, flat_lines
from napari_channelmix.pcim.methods import Method, method_named
from napari_channelmix.pcim.references import REPORTED
from napari_channelmix.pcim.scores import SHARES, Fidelity, fidelity_job, joined
from napari_channelmix.phenotypes.held_out import held_out_of, only_named
from napari_channelmix.provenance import provenance
from napari_channelmix.settings import MapSettings, as_dict, merged, takes_settings

if TYPE_CHECKING:
    from napari_channelmix.classify.output_selection import Select
    from napari_channelmix.classify.outputs import Output
    from napari_channelmix.classify.shift import DataShift
    from napari_channelmix.pcim.batch import Maps, Problem

__all__ = ["explain", "explain_job", "measure_job"]

Floats = npt.NDArray[np.float32]


@takes_settings(MapSettings)
def explain(
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
    **options: Any,
) -> Attribution:
    """Find which pixels made the classifier say what it says.

    Parameters
    ----------
    model : Classifier, ForeignClassifier, torch.nn.Module, estimator or callable
        A callable takes crops (n, C, H, W) and gives (n, K) numbers. What only predicts is asked
        as a black box, whatever the mode.
    cells : Cells or (N, C, H, W) array
        Cells may have their channels in any order, and more of them.
    target : None, str, int, or (N,) sequence of them
        The class to explain; None: the predicted class of each cell.
    method, mode : str, optional
        See `MapSettings`. The methods are ``pcim`` (default), ``pcim-fidelity`` (slower, more
        faithful), ``literal``, ``blackbox``, ``blackbox-sharp``, and baselines from captum:
        ``saliency``, ``integrated-gradients``, ``occlusion``, ``gradcam``, ``deeplift``.
    versus : None, str, int, or (N,) sequence of them
        Hold the target against this class instead of all others.
    settings : MapSettings, optional
        How the maps are made.
    device : {"auto", "cpu", "cuda", "mps"}
        Where to compute. A module is afterwards back where it was; a Classifier stays there.
    batch : int, optional
        Cells at once; default: as many as fit well.
    only : sequence of int, {"held-out", "all"}, optional
        Positions of the cells to explain; the others only have their part in the mean that a
        black box is shown. ``held-out``: those that the classifier was not trained on, where that
        is known and any is left; `Attribution.source` has their numbers. ``target`` and
        ``versus``, where they are lists, are for the explained cells.
    output : str
        What a module, estimator or callable gives, as for `load_model`; ``auto`` is found out
        from some of the cells, and refused where it stays in doubt.
    select : int or str, optional
        Which of its outputs, where it gives several.
    **options
        Single settings, such as ``channels="separate"``; see `MapSettings`.

    Returns
    -------
    Attribution

    Raises
    ------
    ModelError
        Channels that are missing, a class the model does not know, an unknown method, a function
        that fails or gives other than (n, K) finite scores, a network that gives no gradient.
    DataError
        Crops of a wrong shape, with NaN or infinite pixels.

    Notes
    -----
    Cells that differ from those a Classifier was trained on are named in ``warnings``; crops of
    another size are refused.
    """
    return drain(
        explain_job(
            model,
            cells,
            target,
            method,
            mode,
            versus=versus,
            settings=settings,
            device=device,
            batch=batch,
            only=only,
            output=output,
            select=select,
            **options,
        )
    )


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
    **options: Any,
) -> Job[Attribution]:
    """`explain` as a job: after each step the maps so far, as `MapUpdate` in ``partial``.

    The first step brings a map that can be looked at; each further one refines it. The cells are
    compared with those of training unless ``compare`` is False, for a caller that does it.
    """
    positional = {"method": method, "mode": mode}
    given = {name: value for name, value in positional.items() if value is not None}
    chosen = merged(MapSettings, settings, {**given, **options})
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
    notes, flatness = _Notes(subject.notes), Flatness()
    if held_out:
        notes.add(held_out)
    if subject.network is None and mode == "autograd":
        mode = "blackbox"
        notes.add(f"{subject.who} gives answers only: explained as a black box")
    chosen_method = method_named(chosen.method, mode)
    separate = chosen.channels == "separate"
    room = chosen_method.room(source.shape[1:], forwards, separate)
    count, started = len(source), time.perf_counter()
    found = _Found(source, separate)
    observer = source.observer() if compare else None
    with subject.at_rest() as was_training:
        if was_training:
            notes.add("the network was in training mode; it was explained in evaluation mode")
        at, size = 0, batch or 0
        while at < count:
            try:
                if not size:
                    size = cells_at_once(
                        subject, source.tensor(np.arange(1)), chosen_method.mode, room
                    )
                some = np.arange(at, min(at + size, count))
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
                    update = found.take(some, maps, problem, probabilities)
                    shown = time.perf_counter()
                    yield Progress(
                        at + len(some) * step / steps,
                        count,
                        _stage(at, len(some), count),
                        {"step": step, "steps": steps},
                        update,
                    )
                    # What is done with a map meanwhile is no part of its time.
                    started += time.perf_counter() - shown
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                if size == 1:
                    raise _too_large(source) from error
                # The maps of this batch are begun again; those before it stay.
                size = max(1, size // 2)
                notes.add(f"memory ran out: now {size} cells at once")
                continue
            flatness.look(
                problem,
                source.numbers[some],
                found.maps[some],
                of_log_odds=chosen_method.mode == "blackbox",
            )
            at += len(some)
        seconds = (time.perf_counter() - started) / max(count, 1)
        if found.channel_maps is not None and count > 1:
            called = found.probabilities.argmax(axis=1)
            exchanging = channel_evidence_job(source, found.channel_maps, called, seed=seed)
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
        else observer.shift(found.probabilities, source.prior.removed(found.probabilities))
    )
    for line in () if shift is None else shift.warnings:
        notes.add(line)
    flat = flatness.by_reason
    return found.attribution(
        chosen_method,
        seconds,
        (*notes, *flat_lines(flat, count, source.name_of)),
        flat,
        shift,
        forwards=forwards,
        seed=seed,
        # How the prior came about is said of it.
        request=as_dict(chosen, ["prior"]),
    )


def _too_large(source: Source) -> ModelError:
    height, width = source.shape[2:]
    return ModelError(
        f"memory ran out even with one cell of {height} x {width} pixels at once; free some, or "
        "compute on another device"
    )


def _stage(at: int, here: int, count: int) -> str:
    return (
        "explaining the cell" if count == 1 else f"explaining cells {at + 1}–{at + here} of {count}"
    )


def measure_job(
    model: Any,
    cells: Cells | npt.ArrayLike | Source,
    maps: Floats,
    target: Any = None,
    versus: Any = None,
    *,
    device: str = "auto",
    seed: int = 0,
    batch: int = 64,
    references: tuple[str, ...] = REPORTED,
    shares: Sequence[float] = SHARES,
) -> Job[Fidelity]:
    """Insertion and deletion curves of maps, made by whatever method, as a job.

    Parameters
    ----------
    model, cells, target, versus, device
        As for `explain`; a source keeps its model and its device.
    maps : (N, H, W) or (N, C, H, W) float32 array
    seed : int
        Of the references.
    references, shares
        As for `scores.fidelity_job`.
    """
    source = Source.of(model, cells, device)
    if len(maps) != len(source):
        raise DataError(f"{len(maps)} maps for {len(source)} cells")
    parts, at, count = [], 0, len(source)
    with source.subject.at_rest():
        while at < count:
            some = np.arange(at, min(at + batch, count))
            try:
                problem, _ = source.problem(some, target, versus)
                job = fidelity_job(
                    problem.subject,
                    problem.x,
                    problem.mean,
                    problem.target,
                    maps[some],
                    references=references,
                    shares=shares,
                    seed=seed,
                )
                parts.append((yield from part(job, at, len(some), count)))
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                if batch == 1:
                    raise _too_large(source) from error
                batch = max(1, batch // 2)
                yield Progress(at, count, f"memory ran out: now {batch} cells at once")
                continue
            at += len(some)
    return joined(parts)


class _Notes(list[str]):
    """Warnings in the order they came up, each once."""

    def add(self, text: str) -> None:
        if text not in self:
            self.append(text)

    def look_at(self, problem: Problem, some: npt.NDArray[np.int64]) -> None:
        """Note what the user should know of some cells before their maps are read."""
        # Asked once: the first batch says it for all.
        if problem.subject.network is None and some[0] == 0:
            with torch.inference_mode():
                once, again = (problem.subject.scores(problem.x[:4]) for _ in range(2))
            if not torch.allclose(once, again, rtol=1e-3, atol=1e-3):
                self.add(
                    f"{problem.subject.who} answers differently each time it is asked the same: "
                    "the maps carry that noise"
                )


class _Found:
    """Maps of all cells, filled batch by batch."""

    def __init__(self, source: Source, separate: bool) -> None:
        count, channels, height, width = source.shape
        self.source, self.separate = source, separate
        self.maps = np.zeros((count, height, width), np.float32)
        self.magnitude = np.zeros((count, height, width), np.float32)
        self.channel_maps = (
            np.zeros((count, channels, height, width), np.float32) if separate else None
        )
        self.errors: Floats | None = None
        self.target = np.zeros(count, np.int64)
        self.versus: npt.NDArray[np.int64] | None = None
        self.probabilities = np.zeros((count, len(source.subject.classes)), np.float32)

    def take(
        self, some: npt.NDArray[np.int64], maps: Maps, problem: Problem, probabilities: Floats
    ) -> MapUpdate:
        """Put the maps of some cells in their place; give them as an update."""
        finite = torch.isfinite(maps.values).flatten(1).all(dim=1).cpu().numpy()
        if not finite.all():
            raise ModelError(
                f"{problem.subject.who} gave NaN or infinite scores for blended versions of cell "
                f"{self.source.name_of(self.source.numbers[some][~finite][0])}; leave the cell out"
            )
        values = maps.values.float().cpu().numpy()
        self.maps[some] = values.sum(axis=1)
        size = maps.values.abs().sum(dim=1) if maps.magnitude is None else maps.magnitude[:, 0]
        self.magnitude[some] = torch.nan_to_num(size).float().cpu().numpy()
        if self.channel_maps is not None:
            self.channel_maps[some] = values
        if maps.standard_error is not None:
            if self.errors is None:
                self.errors = np.zeros_like(self.maps)
            # Of a sum over channels, as if their errors were independent.
            errors = maps.standard_error.float().square().sum(dim=1).sqrt()
            self.errors[some] = errors.cpu().numpy()
        self.target[some] = problem.target.of.cpu().numpy()
        if problem.target.versus is not None:
            if self.versus is None:
                self.versus = np.zeros_like(self.target)
            self.versus[some] = problem.target.versus.cpu().numpy()
        self.probabilities[some] = probabilities
        return MapUpdate(
            some,
            self.maps[some],
            self.magnitude[some],
            values if self.separate else None,
            probabilities,
            self.target[some],
        )

    def attribution(
        self,
        method: Method,
        seconds: float,
        warnings: tuple[str, ...],
        flat: dict[str, tuple[int, ...]],
        shift: DataShift | None,
        **facts: Any,
    ) -> Attribution:
        model, output = self.source.model, str(self.source.subject.reading)
        prior = self.source.prior
        about = {
            "method": method.name,
            "mode": method.mode,
            "output": output,
            "prior": prior.as_dict(),
            **facts,
        }
        if isinstance(model, Classifier):
            about["model"] = model.provenance.get("data")
        return Attribution(
            maps=self.maps,
            magnitude=self.magnitude,
            channel_maps=self.channel_maps,
            target=self.target,
            versus=self.versus,
            probabilities=self.probabilities,
            standard_error=self.errors,
            classes=self.source.subject.classes,
            channels=self.source.channels,
            method=method.name,
            mode=method.mode,
            seconds_per_cell=seconds,
            warnings=warnings,
            provenance=provenance(**about),
            source=self.source,
            output=output,
            flat=flat,
            shift=shift,
            prior=prior,
        )
