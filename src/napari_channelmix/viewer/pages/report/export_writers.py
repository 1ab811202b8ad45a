"""Jobs that write one kind of result into a folder each, from a snapshot of the session.

PyTorch and Matplotlib are imported where a job begins, never with a page.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_channelmix.atomic_write import (
    file_stems,
    write_bytes,
    write_json,
    write_text,
    write_whole,
)
from napari_channelmix.data.cell_names import cell_name
from napari_channelmix.data.csv_text import csv_text
from napari_channelmix.jobs import Job, Progress, part

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from napari_channelmix.phenotypes.fractions import Fractions
    from napari_channelmix.report.ome import PlaneImage
    from napari_channelmix.settings import CellFormat
    from napari_channelmix.viewer.pages.report.snapshot import Snapshot

__all__ = [
    "Exported",
    "write_answer",
    "write_bundle",
    "write_cells_for",
    "write_confusion",
    "write_doses",
    "write_fidelity",
    "write_groups",
    "write_image",
    "write_importance",
    "write_latents",
    "write_learning",
    "write_plates",
    "write_table",
]


@dataclass(frozen=True)
class Exported:
    """What was written, and what the user should know of it."""

    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()


def write_table(snapshot: Snapshot, folder: Path) -> Job[Exported]:
    """Write the table of the cells, and which prior its probabilities have."""
    from napari_channelmix.report.cell_table import cell_table
    from napari_channelmix.report.cell_table import write_table as write_cell_table

    predictions = snapshot.predictions
    yield Progress(0, 2, "putting the table together")
    table = cell_table(
        snapshot.cells,
        None if predictions is None else predictions.probabilities,
        () if predictions is None else predictions.classes,
        snapshot.latents,
        None if predictions is None else predictions.training,
    )
    yield Progress(1, 2, "writing the table")
    files, left_out = write_cell_table(table, folder / "cells")
    if predictions is not None and predictions.prior is not None:
        prior = predictions.prior
        about = {
            "classifier": predictions.source,
            "prior": {**prior.as_dict(), "text": prior.text()},
        }
        files = (*files, write_json(folder / "cells.json", about))
    return Exported(files, (left_out,) if left_out else ())


def write_cells_for(
    snapshot: Snapshot, folder: Path, files: tuple[tuple[str, CellFormat], ...]
) -> Job[Exported]:
    """Write the cells for another program."""
    from napari_channelmix.report.cell_results import CellResults, write_cells_job

    predictions = snapshot.predictions
    results = CellResults(
        snapshot.cells,
        None if predictions is None else predictions.probabilities,
        () if predictions is None else predictions.classes,
        None if predictions is None else predictions.training,
        snapshot.latents,
        snapshot.importance,
    )
    written: list[Path] = []
    for index, (name, format) in enumerate(files):
        job = write_cells_job(results, folder / name, format)
        written += yield from part(job, index, 1, len(files))
    return Exported(tuple(written))


def write_groups(snapshot: Snapshot, folder: Path) -> Job[Exported]:
    """Write the table of the groups."""
    yield Progress(0, 1, "counting")
    from napari_channelmix.report.group_tables import write_groups as write_group_table

    fractions, _, _ = _fractions(snapshot)
    return Exported((write_group_table(fractions, snapshot.cells.conditions, folder),))


def _fractions(snapshot: Snapshot) -> tuple[Fractions, str, Fractions | None]:
    """Fractions of the predicted classes, or else of the labels; which; and those of the labels."""
    from napari_channelmix.phenotypes.fractions import fractions_of, grouping_of
    from napari_channelmix.phenotypes.responses import LABELS, PREDICTED

    cells, predictions = snapshot.cells, snapshot.predictions
    grouping = grouping_of(cells)
    labelled = fractions_of(grouping, cells.labels, cells.classes) if cells.classes else None
    if predictions is not None:
        fractions = fractions_of(
            grouping, predictions.codes, predictions.classes, training=predictions.training
        )
        return replace(fractions, adjusted=predictions.adjusted), PREDICTED, labelled
    assert labelled is not None
    return labelled, LABELS, labelled


def write_doses(snapshot: Snapshot, folder: Path) -> Job[Exported]:
    """Write dose-response curves, and the mean of each dose."""
    yield Progress(0, 1, "fitting the curves")
    from napari_channelmix.phenotypes.responses import responses_of
    from napari_channelmix.report.figures import dose_figures
    from napari_channelmix.report.group_tables import write_doses as write_dose_tables

    responses = responses_of(snapshot.cells.conditions, *_fractions(snapshot))
    if not responses:
        return Exported((), ("no dose-response: no group has a dose that is a number",))
    drawn: list[Path] = []
    for place, figure in enumerate(dose_figures(responses)):
        drawn += _drawn(figure, folder / ("dose-response" + (f"-{place + 1}" if place else "")))
    return Exported((*drawn, *write_dose_tables(responses, folder)))


def write_plates(snapshot: Snapshot, folder: Path) -> Job[Exported]:
    """Draw each plate, a picture for each class."""
    yield Progress(0, 1, "drawing the plates")
    from napari_channelmix.phenotypes.plate import plates_of
    from napari_channelmix.report.figures import plate_figure
    from napari_channelmix.report.pictures import png_figure

    fractions, _, _ = _fractions(snapshot)
    plates = plates_of(fractions.groups, snapshot.cells.conditions)
    titles = [
        (plate, code, ", ".join(text for text in (plate.name, name) if text))
        for plate in plates
        for code, name in enumerate(fractions.classes)
    ]
    stems = file_stems([f"plate {title}" for _, _, title in titles])
    files = []
    for (plate, code, title), stem in zip(titles, stems, strict=True):
        what = f"{'adjusted ' * fractions.is_adjusted}fraction {title}"
        figure = plate_figure(plate, fractions.best[:, code], what)
        files.append(write_bytes(folder / f"{stem}.png", png_figure(figure)))
    return Exported(tuple(files))


def write_importance(snapshot: Snapshot, folder: Path) -> Job[Exported]:
    """Write channel importance: chart, table, and how it was computed."""
    yield Progress(0, 1, "drawing the bars")
    assert snapshot.importance is not None
    return Exported(snapshot.importance.save(folder))


def write_confusion(snapshot: Snapshot, folder: Path) -> Job[Exported]:
    """Write the confusion matrix of the held-out cells."""
    yield Progress(0, 1, "drawing the confusion matrix")
    import pandas as pd

    from napari_channelmix.report.figures import confusion_figure

    assert snapshot.trained is not None
    classifier: Any = snapshot.trained.classifier
    counts, classes = classifier.record["held_out"]["confusion"], list(classifier.classes)
    table = pd.DataFrame(counts, index=pd.Index(classes, name="label"), columns=classes)
    files = _drawn(confusion_figure(counts, classes, classes), folder / "confusion")
    return Exported((*files, _csv(folder / "confusion.csv", table)))


def write_learning(snapshot: Snapshot, folder: Path) -> Job[Exported]:
    """Draw loss and accuracy by epoch."""
    yield Progress(0, 1, "drawing the learning curves")
    from napari_channelmix.report.figures import learning_figure

    assert snapshot.trained is not None
    classifier: Any = snapshot.trained.classifier
    return Exported(_drawn(learning_figure(classifier.record["history"]), folder / "learning"))


def write_bundle(snapshot: Snapshot, folder: Path) -> Job[Exported]:
    """Save the classifier as a bundle."""
    yield Progress(0, 1, "saving the classifier")
    assert snapshot.trained is not None
    classifier: Any = snapshot.trained.classifier
    return Exported((classifier.save(folder / "classifier.cmx"),))


def write_fidelity(snapshot: Snapshot, folder: Path) -> Job[Exported]:
    """Draw insertion and deletion of each cell that was explained."""
    from napari_channelmix.report.figures import fidelity_figure

    files: list[Path] = []
    measured = [
        explanation for explanation in snapshot.explained if explanation.fidelity is not None
    ]
    for index, explanation in enumerate(measured):
        yield Progress(index, len(measured), "drawing the curves")
        target = "" if explanation.target is None else explanation.classes[explanation.target]
        method = explanation.question.method
        cells = snapshot.cells
        name_of = (
            f"cell {explanation.cell if cells is None else cell_name(cells, explanation.cell)}"
        )
        figure = fidelity_figure(explanation.fidelity, f"{name_of}: {target} ({method})")
        own = sum(other.cell == explanation.cell for other in measured[:index])
        name = f"curves-{explanation.cell}-{method}" + (f"-{own + 1}" if own else "")
        files += _drawn(figure, folder / name)
    return Exported(tuple(files))


def write_latents(snapshot: Snapshot, folder: Path) -> Job[Exported]:
    """Write latents, traversals and badges."""
    yield Progress(0, 1, "drawing the traversals")
    assert snapshot.latents is not None
    snapshot.latents.save(folder)
    names = ("latents.csv", "traversals.png", "latents.json")
    return Exported(tuple(folder / name for name in names))


def write_image(image: PlaneImage, folder: Path, stem: str) -> Job[Exported]:
    """Write a layer as OME-TIFF and OME-Zarr."""
    from napari_channelmix.report.ome import write_ome_tiff, write_ome_zarr

    yield Progress(0, 2, f"writing {stem}.ome.tif")
    files = [write_ome_tiff(image, folder / f"{stem}.ome.tif")]
    yield Progress(1, 2, f"writing {stem}.ome.zarr")
    files.append(write_ome_zarr(image, folder / f"{stem}.ome.zarr"))
    note = f"the rotation or affine transform of '{image.name}' is not in its files"
    return Exported(tuple(files), (note,) if image.has_rotation else ())


def _csv(path: Path, table: pd.DataFrame) -> Path:
    return write_text(path, csv_text(table, index=True))


def _drawn(figure: Figure, stem: Path) -> tuple[Path, ...]:
    """A chart as PNG and SVG."""
    from napari_channelmix.report.pictures import svg_of

    return (
        write_whole(
            stem.with_name(f"{stem.name}.png"),
            lambda path: figure.savefig(path, dpi=150, format="png"),
        ),
        write_bytes(stem.with_name(f"{stem.name}.svg"), svg_of(figure)),
    )


def write_answer(snapshot: Snapshot, name: str, folder: Path) -> Job[Exported]:
    """One of the answers in `WhatIfAnswers`, by its name there."""
    yield Progress(0, 1, "drawing the chart")
    answer: Any = getattr(snapshot.what_if, name)
    # The tables of what-if answers have names such as 'curves.csv': a folder says of what.
    return Exported(tuple(answer.save(folder / "what-if" if name == "result" else folder)))
