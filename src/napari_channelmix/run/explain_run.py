"""What all chunks of an explained data set share: the cells, the settings, and what is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.classifier import Classifier
from napari_channelmix.classify.model_hash import model_hash
from napari_channelmix.classify.predictor import matched, training_marks_job
from napari_channelmix.classify.priors import Prior, PriorChoice
from napari_channelmix.data.cell_names import cell_name
from napari_channelmix.errors import DataError, ModelError
from napari_channelmix.jobs import Job, part
from napari_channelmix.pcim import BASELINES
from napari_channelmix.pcim.cell_source import Source
from napari_channelmix.pcim.methods import method_named
from napari_channelmix.pcim.target import chosen_target
from napari_channelmix.phenotypes.held_out import YES, Marks, held_out_of
from napari_channelmix.provenance import package_version
from napari_channelmix.run.cell_choice import chosen_cells
from napari_channelmix.run.explain_tasks import ExplainTask
from napari_channelmix.run.explained_cells import cells_about
from napari_channelmix.run.map_store import METHOD_VERSION, MapStore
from napari_channelmix.run.stored_schemas import (
    RELIABILITY,
    Chunk,
    ChunkReliability,
    ChunkScores,
)
from napari_channelmix.settings import OF_THE_CLUSTER, ClusterSettings, fields_of, settings_of
from napari_channelmix.stored_files import validated

if TYPE_CHECKING:
    from pathlib import Path

    from napari_channelmix.classify.foreign import ForeignClassifier
    from napari_channelmix.data import Cells
    from napari_channelmix.settings import ExplainSettings
    from napari_channelmix.whatif.evidence_shares import CellParts

__all__ = ["CHUNK", "ExplainRun"]

# Cells that are explained, and kept, together.
CHUNK = 64
# How long it takes to test a chunk, in methods for a chunk.
TESTING = 6
# Cells on which the gradients of a model made elsewhere are tried.
TRIED = 32
# Settings that change no map, or whose part in it is known otherwise.
OF_NO_ACCOUNT = (
    "limit",
    "score",
    "reliability",
    "cells",
    "check",
    "prior",
    "only",
    *OF_THE_CLUSTER,
)

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ExplainRun:
    """What all chunks share."""

    model: Classifier | ForeignClassifier
    cells: Cells
    chosen: IntArray
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
    parts: CellParts | None = None

    @classmethod
    def of(
        cls,
        model: Classifier | ForeignClassifier,
        cells: Cells,
        out: Path,
        settings: ExplainSettings,
        device: str,
        batch: int | None,
    ) -> Job[ExplainRun]:
        """Refuse what can be known to be wrong before a cell is explained; a job."""
        mode = settings.mode if model.may_have_gradients else "blackbox"
        method = method_named(settings.method, mode)
        if settings.versus is not None and settings.target is None:
            raise ModelError(
                f"versus {settings.versus!r} needs a target: cells that are predicted as "
                f"{settings.versus!r} cannot be compared with it"
            )
        chosen_target(settings.target, settings.versus, np.zeros(1, np.int64), model.classes)
        if not len(cells):
            raise DataError(f"{cells.name}: there are no cells to explain")
        model.refuse_other_crops(cells.crop, cells.crop)
        fitting = matched(cells, model.channels, neighbours=model.neighbours, scaling=model.scaling)
        if mode == "autograd" and _no_gradient(model, fitting):
            mode = "blackbox"
            method = method_named(settings.method, mode)
        training = yield from part(training_marks_job(model, cells), 0, 0, 1)
        held_out = held_out_of(training, "maps are", settings.only)
        line = held_out.line
        there = np.flatnonzero(held_out.chosen)
        chosen = there[chosen_cells(len(there), settings.limit, settings.seed)]
        if settings.cells is not None:
            chosen = np.array(settings.cells, dtype=np.int64)
            if not len(chosen) or chosen.min() < 0 or chosen.max() >= len(cells):
                raise DataError(
                    f"{cells.name} has the cells 0 to {len(cells) - 1}, not "
                    f"{', '.join(map(str, settings.cells)) or 'none'}"
                )
            line = held_out_of(training[chosen], "maps are", "all").line
        if not isinstance(model, Classifier):
            # Nothing is known of its training: that is said with what the cells are compared with.
            line = ""
        facts: dict[str, Any] = {
            "version": package_version("napari-channelmix"),
            "model": model_hash(model),
            "cells": fitting.fingerprint,
            "n": len(chosen),
            "method": method.name,
            "mode": method.mode,
            "target": settings.target,
            "versus": settings.versus,
            "channels": settings.channels,
            "seed": settings.seed,
            "forwards": settings.forwards if method.mode == "blackbox" else None,
        }
        if method.version > 1:
            facts[METHOD_VERSION] = method.version
        if settings.cells is not None:
            facts["chosen"] = list(settings.cells)
        elif (training == YES).any():
            # Of no account where no cell was trained on: folders of earlier versions go on.
            facts["only"] = settings.only
        if settings.prior is not None:
            facts["prior"] = _prior_fact(settings.prior)
        # Further settings where they are not the usual ones: folders of earlier versions go on.
        facts |= {
            field.name: getattr(settings, field.name)
            for field in fields_of(type(settings))
            if field.name not in facts
            and field.name not in OF_NO_ACCOUNT
            and getattr(settings, field.name) != field.default
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
            settings,
            device,
            batch,
            facts,
            store,
        )

    @property
    def chunks(self) -> list[slice]:
        """Rows of the maps that belong together."""
        count = len(self.chosen)
        return [slice(start, min(start + CHUNK, count)) for start in range(0, count, CHUNK)]

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
        return self.model.may_have_gradients and find_spec("captum") is not None

    @property
    def arrays(self) -> tuple[str, ...]:
        """What is kept of each cell."""
        names = ["maps", "magnitude"]
        if self.settings.channels == "separate":
            names.append("channel_maps")
        if self.facts["mode"] == "blackbox":
            names.append("standard_error")
        return tuple(names)

    def part(self, index: int, method: str = "") -> dict[str, Any] | None:
        """What is kept of a chunk, or of its scores; a damaged file counts as missing."""
        content, rows = self.store.part(index, method), self.chunks[index]
        if content is None:
            return None
        try:
            if method == RELIABILITY:
                tested = validated(content, ChunkReliability, where=method)
                tested.refuse_others(rows.stop - rows.start)
            elif method:
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
        reasons = self.store.left_out(self.scored, len(self.chunks))
        words = {}
        for name, (index, why) in reasons.items():
            since = (
                f" from cell {self.name_of(self.chosen[self.chunks[index].start])} on"
                if index
                else ""
            )
            words[name] = f"{name} is left out of the scores{since}: {why}"
        return words

    def name_of(self, cell: int) -> str:
        """What a cell is called, by its position in the data set."""
        return cell_name(self.cells, int(cell))

    @property
    def steps(self) -> int:
        """Work in all, in methods for a chunk."""
        methods = 1 + self.settings.score * len(self.scored)
        return len(self.chunks) * (methods + self.settings.reliability * self.testing_steps)

    @property
    def testing_steps(self) -> int:
        """How long it takes to test a chunk, in methods for a chunk."""
        return TESTING

    def source(self) -> Source:
        """The chosen cells, with their numbers in the data set."""
        return Source.of(self.model, self.cells, self.device, self.chosen)

    @cached_property
    def task(self) -> ExplainTask:
        """What all chunks share, as it goes to workers; its cells are looked at for it."""
        return ExplainTask(
            self.source(),
            self.settings,
            self.method,
            self.mode,
            self.arrays,
            self.device,
            self.batch,
            self.prior,
            self.parts,
        )

    @property
    def cluster(self) -> ClusterSettings:
        """Where the chunks are computed."""
        return settings_of(ClusterSettings, self.settings)

    @staticmethod
    def words_of(rows: slice) -> str:
        """What a chunk is called in messages."""
        return f"cells {rows.start + 1} to {rows.stop}"


def _no_gradient(model: Classifier | ForeignClassifier, cells: Cells) -> str:
    """Why a model gives no gradients, tried on a few of the cells; empty where it gives them."""
    if isinstance(model, Classifier):
        return ""
    some = np.linspace(0, len(cells) - 1, min(TRIED, len(cells))).astype(np.int64)
    return model.no_gradient(cells.read(some))


def _prior_fact(prior: PriorChoice) -> Any:
    """What was asked for, as it is compared with an earlier run."""
    if isinstance(prior, Prior):
        return prior.as_dict()
    return dict(prior) if isinstance(prior, Mapping) else prior
