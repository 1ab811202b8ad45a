"""Explain all cells of a data set: maps in zarr, chunk by chunk, with scores and a report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.atomic_write import refuse_no_folder, write_json, write_text, write_whole
from napari_channelmix.bounds import hold
from napari_channelmix.classify.classifier import Classifier, matched
from napari_channelmix.classify.model_hash import model_hash
from napari_channelmix.classify.plausibility import plausibility_job
from napari_channelmix.classify.priors import Prior, PriorChoice
from napari_channelmix.classify.shift import DataShift, data_shift_job
from napari_channelmix.classify.training_cells import training_marks_job
from napari_channelmix.data.cell_names import cell_name
from napari_channelmix.data.csv_text import csv_text
from napari_channelmix.data.fingerprint import fingerprint
from napari_channelmix.errors import DataError, ModelError
from napari_channelmix.jobs import Job, Progress, part
from napari_channelmix.locks import in_use
from napari_channelmix.pcim import BASELINES, explain_job, measure_job
from napari_channelmix.pcim.batch_size import is_out_of_memory
from napari_channelmix.pcim.cell_source import Source
from napari_channelmix.pcim.flatness import flat_lines, joined_flat
from napari_channelmix.pcim.map_figure import maps_figure
from napari_channelmix.pcim.methods import method_named
from napari_channelmix.pcim.target import chosen_target
from napari_channelmix.phenotypes.held_out import YES, Marks, held_out_of
from napari_channelmix.provenance import package_version, provenance
from napari_channelmix.readers import read_content, validated
from napari_channelmix.run.explained_cells import cells_about, explained_table
from napari_channelmix.run.map_store import MapStore
from napari_channelmix.run.stored_schemas import Chunk, ChunkScores, ExplainFile
from napari_channelmix.settings import ExplainSettings, as_dict, fields_of

if TYPE_CHECKING:
    from napari_channelmix.classify.foreign import ForeignClassifier
    from napari_channelmix.data import Cells

__all__ = [
    "CHUNK",
    "SCHEMA",
    "ExplainSettings",
    "Explained",
    "chosen_cells",
    "explain_cells_job",
    "fingerprint",
    "model_hash",
]

SCHEMA = "napari-channelmix/explain/1"

# Cells that are explained, and kept, together.
CHUNK = 64
# Settings that change no map, or whose part in it is known otherwise.
OF_NO_ACCOUNT = ("limit", "score", "cells", "check", "prior", "only")
# Cells in the picture, and warnings in the report.
SHOWN = 12

Whole = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Explained:
    """A data set that is explained.

    Attributes
    ----------
    content : dict
        What explain.json holds.
    files : tuple of path
    worked : bool
        Whether anything was still missing.
    """

    content: dict[str, Any]
    files: tuple[Path, ...]
    worked: bool


def explain_cells_job(
    model: Classifier | ForeignClassifier,
    cells: Cells,
    out: Path,
    settings: ExplainSettings | None = None,
    *,
    device: str = "auto",
    batch: int | None = None,
) -> Job[Explained]:
    """Explain the cells of a data set, and keep what is found in a folder; a job.

    Find the cells that the model was not trained on; explain 64 cells and keep their maps; when
    all are done, measure them where that is asked; write the picture and the report. What an
    earlier run has kept is not done again. Memory does not grow with the number of cells, but for
    the numbers of the report.

    Parameters
    ----------
    out : path
        Folder for ``maps.zarr`` and ``magnitude.zarr`` (N, Y, X), ``explain.json``,
        ``cells.csv`` (a row per map), ``explain.png`` and ``parts``; with separate channels also
        ``channel_maps.zarr`` (N, C, Y, X), for a black box also ``standard_error.zarr`` (N, Y,
        X). Pixels not yet explained are NaN.
    settings : ExplainSettings, optional
    device, batch
        As for `pcim.explain`; at most 64 cells go together.

    Raises
    ------
    DataError
        Maps in the folder that were made with another model, other cells or other settings; maps
        not finished that an earlier version began without their magnitude.
    ModelError
        As for `pcim.explain`.
    InUseError
        Another run that works in the folder.
    """
    refuse_no_folder(out)
    with in_use(out):
        run = yield from _Run.of(model, cells, out, settings or ExplainSettings(), device, batch)
        return (yield from _kept_job(run, out))


def _kept_job(run: _Run, out: Path) -> Job[Explained]:
    prior = yield from _staged(
        run.model.prior_job(run.cells, run.settings.prior), 0, run.steps, "estimating the prior"
    )
    run = replace(run, prior=prior)
    worked = yield from _all_maps(run)
    if run.settings.score:
        worked = (yield from _all_scores(run)) or worked
    report = out / "explain.json"
    table = out / "cells.csv"
    files = (*run.store.paths, table, out / "explain.png", report)
    if not worked and table.exists():
        kept = _read_report(report, run)
        if kept is not None:
            return Explained(kept, files, False)
    parts = [run.store.part(at) or {} for at in range(len(run.chunks))]
    probabilities = np.array([row for one in parts for row in one["probabilities"]], np.float32)
    # Once for all cells, also those that an earlier run has explained.
    shift = yield from _staged(
        data_shift_job(
            run.model, run.cells, probabilities, run.chosen, CHUNK, prior.removed(probabilities)
        ),
        run.steps - 1,
        run.steps,
        "comparing with training",
    )
    content = _content(run, shift, (yield from _implausible(run)))
    picture = _picture(run, content)
    write_whole(out / "explain.png", lambda path: picture.savefig(path, dpi=150, format="png"))
    write_text(table, csv_text(explained_table(run.cells, run.chosen, content)))
    write_json(report, content)
    return Explained(content, files, True)


def chosen_cells(count: int, limit: int | None, seed: int = 0) -> Whole:
    """Positions of the cells to explain, rising: one from each of ``limit`` equal stretches.

    All stretches of the data set have their share, and which cell of a stretch it is, is drawn:
    a fixed step could meet the same column of every plate. Our definition.

    Raises
    ------
    DataError
        A limit below 1.
    """
    hold(DataError, limit=limit, seed=seed)
    if limit is None or limit >= count:
        return np.arange(count)
    edges = np.arange(limit + 1) * count // limit
    return np.random.default_rng(seed).integers(edges[:-1], edges[1:])


@dataclass(frozen=True, eq=False)
class _Run:
    """What all chunks share."""

    model: Classifier | ForeignClassifier
    cells: Cells
    chosen: Whole
    training: Marks
    held_out: str
    method: str
    mode: str
    settings: ExplainSettings
    device: str
    batch: int | None
    facts: dict[str, Any]
    store: MapStore
    prior: Prior | None = None

    @classmethod
    def of(
        cls,
        model: Classifier | ForeignClassifier,
        cells: Cells,
        out: Path,
        settings: ExplainSettings,
        device: str,
        batch: int | None,
    ) -> Job[_Run]:
        """Refuse what can be known to be wrong before a cell is explained; a job."""
        asked = settings
        mode = asked.mode if isinstance(model, Classifier) else "blackbox"
        method = method_named(asked.method, mode)
        if asked.versus is not None and asked.target is None:
            raise ModelError(
                f"versus {asked.versus!r} needs a target: cells that are predicted as "
                f"{asked.versus!r} cannot be held against it"
            )
        chosen_target(asked.target, asked.versus, np.zeros(1, np.int64), model.classes)
        if not len(cells):
            raise DataError(f"{cells.name}: there are no cells to explain")
        model.refuse_other_crops(cells.crop, cells.crop)
        fitting = matched(cells, model.channels)
        training = yield from part(training_marks_job(model, cells), 0, 0, 1)
        held_out = held_out_of(training, "maps are", asked.only)
        line = held_out.line
        there = np.flatnonzero(held_out.chosen)
        chosen = there[chosen_cells(len(there), asked.limit, asked.seed)]
        if asked.cells is not None:
            chosen = np.array(asked.cells, dtype=np.int64)
            if not len(chosen) or chosen.min() < 0 or chosen.max() >= len(cells):
                raise DataError(
                    f"{cells.name} has the cells 0 to {len(cells) - 1}, not "
                    f"{', '.join(map(str, asked.cells)) or 'none'}"
                )
            line = held_out_of(training[chosen], "maps are", "all").line
        if not isinstance(model, Classifier):
            # Nothing is known of its training: that is said with what the cells are compared with.
            line = ""
        facts: dict[str, Any] = {
            "version": package_version("napari-channelmix"),
            "model": model_hash(model),
            "cells": fingerprint(fitting),
            "n": len(chosen),
            "method": method.name,
            "mode": method.mode,
            "target": asked.target,
            "versus": asked.versus,
            "channels": asked.channels,
            "seed": asked.seed,
            "forwards": asked.forwards if method.mode == "blackbox" else None,
        }
        if asked.cells is not None:
            facts["chosen"] = list(asked.cells)
        elif (training == YES).any():
            # Of no account where no cell was trained on: folders of earlier versions go on.
            facts["only"] = asked.only
        if asked.prior is not None:
            facts["prior"] = _prior_fact(asked.prior)
        # Further settings where they are not the usual ones: folders of earlier versions go on.
        facts |= {
            field.name: getattr(asked, field.name)
            for field in fields_of(type(asked))
            if field.name not in facts
            and field.name not in OF_NO_ACCOUNT
            and getattr(asked, field.name) != field.default
        }
        about = cells_about(fitting, chosen, training[chosen])
        store = MapStore.opened(out, facts, about)
        return cls(
            model,
            fitting,
            chosen,
            training[chosen],
            line,
            method.name,
            mode,
            asked,
            device,
            batch,
            facts,
            store,
        )

    @property
    def chunks(self) -> list[slice]:
        """Rows of the maps that belong together."""
        count = len(self.chosen)
        return [slice(at, min(at + CHUNK, count)) for at in range(0, count, CHUNK)]

    @property
    def scored(self) -> tuple[str, ...]:
        """Methods that are measured, the own one first."""
        names = [self.method, "pcim" if self.mode == "autograd" else "blackbox"]
        if self.compares:
            names += BASELINES
        return tuple(dict.fromkeys(names))

    @property
    def compares(self) -> bool:
        """Whether there are baselines for this model here."""
        return isinstance(self.model, Classifier) and find_spec("captum") is not None

    @property
    def arrays(self) -> tuple[str, ...]:
        """What is kept of each cell."""
        names = ["maps", "magnitude"]
        if self.settings.channels == "separate":
            names.append("channel_maps")
        if self.facts["mode"] == "blackbox":
            names.append("standard_error")
        return tuple(names)

    def part(self, at: int, method: str = "") -> dict[str, Any] | None:
        """What is kept of a chunk, or of its scores; a damaged file counts as missing."""
        content, rows = self.store.part(at, method), self.chunks[at]
        if content is None:
            return None
        try:
            if method:
                scores = validated(content, ChunkScores, where=method)
                scores.refuse_others(rows.stop - rows.start)
            else:
                chunk = validated(content, Chunk, where="chunk")
                chunk.refuse_others(rows.stop - rows.start, len(self.model.classes))
        except ValueError:
            # So is `DataError`.
            return None
        return content

    def left_out(self) -> dict[str, str]:
        """Methods that have no scores, and why, in words."""
        found = self.store.left_out(self.scored, len(self.chunks))
        words = {}
        for name, (at, why) in found.items():
            since = (
                f" from cell {self.name_of(self.chosen[self.chunks[at].start])} on" if at else ""
            )
            words[name] = f"{name} is left out of the scores{since}: {why}"
        return words

    def name_of(self, cell: int) -> str:
        """What a cell is called, by its position in the data set."""
        return cell_name(self.cells, int(cell))

    @property
    def steps(self) -> int:
        """Work in all, in methods for a chunk."""
        return len(self.chunks) * (1 + self.settings.score * len(self.scored))

    def source(self) -> Source:
        """The chosen cells, with their numbers in the data set."""
        if self.settings.cells is not None:
            # As in a window, where a mean is one of all cells, whichever is looked at.
            return Source.of(self.model, self.cells, self.device).narrowed(self.settings.cells)
        return Source.of(self.model, self.cells, self.device, self.chosen)

    def explained(self, source: Source, method: str, target: Any) -> Any:
        """The job that explains the cells of a source."""
        asked = self.settings
        # Baselines need gradients, also where the own method does without.
        mode = "autograd" if method in BASELINES else asked.mode
        return explain_job(
            self.model,
            source,
            target,
            method,
            mode,
            versus=asked.versus,
            settings=replace(
                asked.maps,
                channels=asked.channels if method == self.method else "shared",
                prior=self.prior,
            ),
            device=self.device,
            batch=self.batch,
            compare=False,
        )

    def stage(self, rows: slice, what: str) -> str:
        """What is being done, in words."""
        return f"{what}, cells {rows.start + 1}–{rows.stop} of {len(self.chosen)}"


def _prior_fact(prior: PriorChoice) -> Any:
    """What was asked for, as it is compared with an earlier run."""
    if isinstance(prior, Prior):
        return prior.as_dict()
    return dict(prior) if isinstance(prior, Mapping) else prior


def _all_maps(run: _Run) -> Job[bool]:
    """Explain the chunks that are missing; whether there were any."""
    missing = [at for at in range(len(run.chunks)) if run.part(at) is None]
    if not missing:
        return False
    run.store.refuse_without(run.arrays)
    source = run.source()
    for at in missing:
        rows = run.chunks[at]
        here = source.read(np.arange(rows.start, rows.stop))
        job = run.explained(here, run.method, run.settings.target)
        found = yield from _staged(job, at, run.steps, run.stage(rows, "explaining"))
        run.store.put(
            at,
            rows,
            len(run.chosen),
            {name: getattr(found, name) for name in run.arrays},
            {
                "target": found.target.tolist(),
                "output": found.output,
                "flat": found.flat,
                "warnings": [
                    line
                    for line in found.warnings
                    if line not in flat_lines(found.flat, len(found), run.name_of)
                ],
                "probabilities": found.probabilities.astype(float).round(6).tolist(),
                "seconds": found.seconds_per_cell * len(found),
            },
        )
    return True


def _all_scores(run: _Run) -> Job[bool]:
    """Measure what is not measured yet; whether there was any."""
    source: Source | None = None
    left_out = set(run.left_out())
    for at, rows in enumerate(run.chunks):
        missing = [name for name in run.scored if name not in left_out and not run.part(at, name)]
        if not missing:
            continue
        source = source or run.source()
        here = source.read(np.arange(rows.start, rows.stop))
        for name in missing:
            done = len(run.chunks) + at * len(run.scored) + run.scored.index(name)
            job = _scores(run, here, at, rows, name)
            stage = run.stage(rows, f"measuring {name}")
            scores = yield from _staged(job, done, run.steps, stage)
            run.store.put_scores(at, name, scores)
            if "left_out" in scores:
                left_out.add(name)
    return source is not None


def _scores(run: _Run, here: Source, at: int, rows: slice, name: str) -> Job[dict[str, Any]]:
    """Scores of the maps of a chunk, by one method, for each cell."""
    kept = run.part(at)
    assert kept is not None
    target, seconds = np.array(kept["target"]), kept["seconds"]
    if name == run.method:
        maps = run.store.maps(rows)
    else:
        try:
            found = yield from part(run.explained(here, name, target), 0, 1, 2)
        except ModelError as error:
            if is_out_of_memory(error):
                # It can be measured, only not here and now.
                raise ModelError(f"{name}: {error}") from error
            if name not in BASELINES:
                raise
            return {"left_out": str(error)}
        maps, seconds = found.maps, found.seconds_per_cell * len(found)
    job = measure_job(
        run.model,
        here,
        maps,
        target,
        run.settings.versus,
        device=run.device,
        seed=run.settings.seed,
    )
    fidelity = yield from part(job, 1, 1, 2)
    return {
        "srg": fidelity.srg.round(6).tolist(),
        "insertion": fidelity.insertion.round(6).tolist(),
        "deletion": fidelity.deletion.round(6).tolist(),
        "seconds": seconds,
    }


def _staged(job: Job[Any], at: int, total: int, stage: str) -> Job[Any]:
    """A job as one step of many, under a name of its own; maps on the way are not passed on."""
    try:
        while True:
            yield Progress(at + next(job).fraction, total, stage)
    except StopIteration as stop:
        return stop.value
    finally:
        job.close()


def _implausible(run: _Run) -> Job[tuple[str, ...]]:
    """What the labels of the data set say against the model."""
    if not run.settings.check:
        return ()
    job = plausibility_job(run.model, run.cells, seed=run.settings.seed)
    return (yield from part(job, run.steps, 0, run.steps))


def _content(run: _Run, shift: DataShift, implausible: tuple[str, ...]) -> dict[str, Any]:
    """The report, from the parts that are kept."""
    parts = [run.part(at) or {} for at in range(len(run.chunks))]
    asked, count = run.settings, len(run.chosen)
    table = run.cells.table.iloc[run.chosen]
    names = [*run.cells.classes, None]
    probabilities = [row for one in parts for row in one["probabilities"]]
    content: dict[str, Any] = {
        "schema": SCHEMA,
        "run": run.store.run,
        "data": run.cells.name,
        "n": count,
        "method": run.method,
        "mode": run.facts["mode"],
        "channels": list(run.model.channels),
        "classes": list(run.model.classes),
        "versus": asked.versus,
        "prior": None if run.prior is None else {**run.prior.as_dict(), "text": run.prior.text()},
        # Parts of an earlier version do not say it.
        "output": next((one["output"] for one in parts if one.get("output")), ""),
        "flat": joined_flat(one.get("flat", {}) for one in parts),
        "seconds_per_cell": sum(one["seconds"] for one in parts) / count,
        "target": [of for one in parts for of in one["target"]],
        "predicted": [int(np.argmax(row)) for row in probabilities],
        "probabilities": probabilities,
        "cells": {
            "index": run.chosen.tolist(),
            "label": [names[code] for code in table["label"].tolist()],
            "group": table["group"].astype(str).tolist(),
            "split": table["split"].astype(str).tolist(),
            "at_border": run.cells.at_border[run.chosen].tolist(),
            **cells_about(run.cells, run.chosen, run.training),
        },
    }
    notes = [
        *((run.held_out,) if run.held_out else ()),
        *run.cells.warnings,
        *implausible,
        *shift.lines,
        *_together(one["warnings"] for one in parts),
        *flat_lines(content["flat"], count, run.name_of),
    ]
    content["data_shift"] = shift.as_dict()
    per_cell = _kept_scores(run)
    if per_cell:
        content["scores"] = {
            name: {key: float(np.mean(of)) for key, of in one.items() if key != "seconds"}
            | {"seconds_per_cell": one["seconds"] / count}
            for name, one in per_cell.items()
        }
        content["scores_per_cell"] = {
            name: {key: of for key, of in one.items() if key != "seconds"}
            for name, one in per_cell.items()
        }
        content["left_out"] = run.left_out()
        notes += content["left_out"].values()
        if not isinstance(run.model, Classifier):
            notes.append(
                "baselines look into a network, which this model does not give: "
                "only its own maps are measured"
            )
        elif not run.compares:
            notes.append(
                "captum is not installed, so no baselines are measured; "
                "install it with: pip install 'napari-channelmix[compare]'"
            )
    content["warnings"] = notes
    settings = {name: run.facts[name] for name in ("target", "versus", "channels", "forwards")}
    settings |= {"prior": run.facts["prior"]} if "prior" in run.facts else {}
    content["provenance"] = provenance(
        model=run.facts["model"],
        data=run.facts["cells"],
        seed=asked.seed,
        settings=settings | {"limit": asked.limit, "only": asked.only},
        request=as_dict(asked, ["prior"]),
    )
    return content


def _kept_scores(run: _Run) -> dict[str, dict[str, Any]]:
    """Scores of each cell by method, of the methods that are measured on all of them."""
    found = {}
    for name in run.scored:
        parts = [run.part(at, name) for at in range(len(run.chunks))]
        if all(one is not None and "srg" in one for one in parts):
            found[name] = {
                key: [value for one in parts if one for value in one[key]]
                for key in ("srg", "insertion", "deletion")
            } | {"seconds": sum(one["seconds"] for one in parts if one)}
    return found


def _together(lists: Iterable[list[str]]) -> list[str]:
    """Warnings of all chunks, each once and not too many."""
    notes = list(dict.fromkeys(line for lines in lists for line in lines))
    more = len(notes) - SHOWN
    return notes if more <= 0 else [*notes[:SHOWN], f"and {more} warnings more of this kind"]


def _read_report(path: Path, run: _Run) -> dict[str, Any] | None:
    """The report of an earlier run, where it holds all that is asked."""
    try:
        content = read_content(path, ExplainFile)
    except DataError:
        # Made anew, from the parts.
        return None
    if content.get("run") != run.store.run:
        return None
    measured = set(run.scored) - set(run.left_out())
    if run.settings.score and not measured <= set(content.get("scores", ())):
        return None
    return content


def _picture(run: _Run, content: dict[str, Any]) -> Any:
    """Up to twelve of the cells with their maps."""
    rows = np.unique(np.linspace(0, len(run.chosen) - 1, SHOWN).astype(np.int64))
    maps = np.concatenate([run.store.maps(slice(row, row + 1)) for row in rows.tolist()])
    titles = []
    for row in rows.tolist():
        of = content["target"][row]
        sure = content["probabilities"][row][of]
        titles.append(f"{run.name_of(run.chosen[row])}: {content['classes'][of]} ({sure:.2f})")
    heading = f"{run.cells.name}: which pixels speak for the class ({run.method})"
    return maps_figure(run.cells.read(run.chosen[rows]), maps, titles, heading)
