"""The report of an explained data set (explain.json), and its picture, from what is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.crop_outlines import DISC
from napari_channelmix.data.grey_cells import grey_cells_job
from napari_channelmix.errors import DataError
from napari_channelmix.pcim.caveats import call_caveats, caveat_lines
from napari_channelmix.pcim.doubts import doubts_of, noise_lines
from napari_channelmix.pcim.flatness import flat_lines, joined_flat
from napari_channelmix.pcim.map_figure import maps_figure
from napari_channelmix.pcim.reference_scores import reference_scores
from napari_channelmix.provenance import provenance
from napari_channelmix.run.explain_reliability import reliability_content
from napari_channelmix.run.explained_cells import cells_about
from napari_channelmix.run.explained_channels import channels_content
from napari_channelmix.run.stored_schemas import ExplainFile
from napari_channelmix.settings import OF_THE_CLUSTER, as_dict
from napari_channelmix.stored_files import read_content
from napari_channelmix.whatif.evidence_shares import mean_share_line

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from matplotlib.figure import Figure

    from napari_channelmix.classify.shift import DataShift
    from napari_channelmix.data import Cells
    from napari_channelmix.jobs import Job
    from napari_channelmix.run.explain_run import ExplainRun

__all__ = ["SCHEMA", "maps_picture_job", "read_report", "report_content"]

SCHEMA = "napari-channelmix/explain/1"
SCORES = ("srg", "insertion", "deletion")
# Cells in the picture, and warnings in the report.
SHOWN = 12


def report_content(
    run: ExplainRun, shift: DataShift, implausible: tuple[str, ...]
) -> dict[str, Any]:
    """The report, from the parts that are kept."""
    parts = [run.part(index) or {} for index in range(len(run.chunks))]
    asked, count = run.settings, len(run.chosen)
    table = run.cells.table.iloc[run.chosen]
    names = [*run.cells.classes, None]
    probabilities = [row for chunk in parts for row in chunk["probabilities"]]
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
        "output": next((chunk["output"] for chunk in parts if chunk.get("output")), ""),
        "flat": joined_flat(chunk.get("flat", {}) for chunk in parts),
        "prepared": _prepared(run.cells),
        "seconds_per_cell": sum(chunk["seconds"] for chunk in parts) / count,
        "target": [of for chunk in parts for of in chunk["target"]],
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
    numbers = run.chosen.tolist()
    # Parts of an earlier version do not say it.
    noise = [cell for chunk in parts for cell in chunk.get("noise", ())]
    content["doubts"] = list(map(list, doubts_of(numbers, content["flat"], shift, noise)))
    about = run.model, run.model.classes, probabilities, content["target"]
    content["caveats"] = list(map(list, call_caveats(*about, content["output"])))
    notes = [
        *((run.held_out,) if run.held_out else ()),
        *run.cells.warnings,
        *implausible,
        *shift.lines,
        *_together(chunk["warnings"] for chunk in parts),
        *noise_lines(noise, count, run.name_of),
        *flat_lines(content["flat"], count, run.name_of),
        *caveat_lines(*about, lambda row: run.name_of(numbers[row]), content["output"]),
    ]
    content["data_shift"] = shift.as_dict()
    content["evidence_shares"] = _shares(run, parts)
    content["contributions"] = channels_content(parts)
    per_cell = _stored_scores(run)
    if per_cell:
        groups = table["group"].to_numpy(dtype=str)
        content["scores"] = {
            name: {key: float(np.mean(chunk[key])) for key in SCORES}
            | {
                "by_reference": reference_scores(chunk["by_reference"], groups),
                "seconds_per_cell": chunk["seconds"] / count,
            }
            for name, chunk in per_cell.items()
        }
        content["scores_per_cell"] = {
            name: {key: chunk[key] for key in SCORES}
            | {f"srg on {kind}": values for kind, values in chunk["by_reference"].items()}
            for name, chunk in per_cell.items()
        }
        content["left_out"] = run.left_out()
        notes += content["left_out"].values()
        if not run.model.may_have_gradients:
            notes.append(
                "baselines look into a network, which this model does not give: "
                "only its own maps are measured"
            )
        elif not run.compares:
            notes.append(
                "captum is not installed, so no baselines are measured; "
                "install it with: pip install 'napari-channelmix[compare]'"
            )
    tested = reliability_content(run)
    if tested is not None:
        content["reliability"] = tested
        if not tested["readable_maps"]:
            notes.insert(0, "none of the maps may be read: see 'reliability'")
    content["warnings"] = notes
    settings = {name: run.facts[name] for name in ("target", "versus", "channels", "forwards")}
    settings |= {"prior": run.facts["prior"]} if "prior" in run.facts else {}
    content["provenance"] = provenance(
        model=run.facts["model"],
        data=run.facts["cells"],
        seed=asked.seed,
        settings=settings | {"limit": asked.limit, "only": asked.only},
        request=as_dict(asked, ["prior", *OF_THE_CLUSTER]),
    )
    return content


def _prepared(cells: Cells) -> dict[str, Any]:
    """What the classifier saw of the cells, where it is not what their files hold."""
    scaling = cells.scaling.of_channels(cells.channels)
    return {
        "neighbours": cells.neighbours,
        "scaling": scaling.as_dict() if scaling else None,
    }


def _shares(run: ExplainRun, parts: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Where the evidence of each map lies, and of all together; None where it was not counted."""
    # Parts of an earlier version do not say it.
    stored = [chunk.get("shares") for chunk in parts]
    if all(shares is None for shares in stored):
        return None
    rows: dict[str, list[Any]] = {"outline": [], "areas": [], "evidence": [], "magnitude": []}
    for index, shares in enumerate(stored):
        of_chunk = run.chunks[index]
        for name, values in rows.items():
            blank = DISC if name == "outline" else None
            missing = [blank] * (of_chunk.stop - of_chunk.start)
            values += missing if shares is None else shares[name]
    evidence, areas = (_in_cell(rows[name]) for name in ("evidence", "areas"))
    groups = run.cells.groups[run.chosen]
    return {
        "margin": next(shares["margin"] for shares in stored if shares is not None),
        **rows,
        "line": mean_share_line(evidence, areas, groups, "evidence for or against the class"),
    }


def _in_cell(rows: list[list[float | None] | None]) -> npt.NDArray[np.float64]:
    """Shares (N, 1) in the cells, NaN where they are not known."""
    return np.array([[np.nan if row is None else row[0]] for row in rows], np.float64)


def _stored_scores(run: ExplainRun) -> dict[str, dict[str, Any]]:
    """Scores of each cell by method, of the methods that are measured on all of them."""
    scores = {}
    for name in run.scored:
        parts = [run.part(index, name) for index in range(len(run.chunks))]
        if all(chunk is not None and "srg" in chunk for chunk in parts):
            there = [chunk for chunk in parts if chunk]
            scores[name] = {
                key: [value for chunk in there for value in chunk[key]] for key in SCORES
            } | {
                "by_reference": {
                    kind: [value for chunk in there for value in chunk["by_reference"][kind]]
                    for kind in there[0]["by_reference"]
                },
                "seconds": sum(chunk["seconds"] for chunk in there),
            }
    return scores


def _together(lists: Iterable[list[str]]) -> list[str]:
    """Warnings of all chunks, each once and not too many."""
    notes = list(dict.fromkeys(line for lines in lists for line in lines))
    more = len(notes) - SHOWN
    return notes if more <= 0 else [*notes[:SHOWN], f"and {more} warnings more of this kind"]


def read_report(path: Path, run: ExplainRun) -> dict[str, Any] | None:
    """The report of an earlier run, where it holds all that is asked."""
    try:
        content = read_content(path, ExplainFile)
    except DataError:
        # Made anew, from the parts.
        return None
    if content.get("run") != run.store.run:
        return None
    if run.settings.reliability and "reliability" not in content:
        return None
    measured = set(run.scored) - set(run.left_out())
    if run.settings.score and not measured <= set(content.get("scores", ())):
        return None
    return content


def maps_picture_job(run: ExplainRun, content: dict[str, Any]) -> Job[Figure]:
    """Up to twelve of the cells with their maps; a job: many channels are measured for it."""
    rows = np.unique(np.linspace(0, len(run.chosen) - 1, SHOWN).astype(np.int64))
    maps, magnitude = (
        np.concatenate([run.store.maps(slice(row, row + 1), name) for row in rows.tolist()])
        if (run.store.folder / f"{name}.zarr").exists()
        else None
        for name in ("maps", "magnitude")
    )
    assert maps is not None
    titles = []
    for row in rows.tolist():
        of = content["target"][row]
        sure = content["probabilities"][row][of]
        tested = content.get("reliability")
        unreadable = tested is not None and not tested["readable"][row]
        minded = content["doubts"][row] or content["caveats"][row] or unreadable
        mark = " (!)" if minded else ""
        name = run.name_of(run.chosen[row])
        titles.append(f"{name}: {content['classes'][of]} ({sure:.2f}){mark}")
    heading = f"{run.cells.name}: which pixels speak for and against the class ({run.method})"
    if any(title.endswith("(!)") for title in titles):
        heading += "\n(!) see the doubts and caveats of the cell in explain.json"
    crops = run.cells.read(run.chosen[rows])
    greys, words = yield from grey_cells_job(run.cells, crops)
    heading += f"\n{words}" if words else ""
    return maps_figure(crops, maps, titles, heading, magnitude, greys)
