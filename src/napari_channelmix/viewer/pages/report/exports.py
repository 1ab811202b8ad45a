"""What can be exported, each with its formats and a job that writes it into a folder.

PyTorch and Matplotlib are imported where a job begins, never with a page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_channelmix.atomic_write import file_stems
from napari_channelmix.jobs import Job, Progress, part
from napari_channelmix.viewer.pages.report.export_writers import (
    Exported,
    write_answer,
    write_bundle,
    write_cells_for,
    write_confusion,
    write_doses,
    write_fidelity,
    write_groups,
    write_image,
    write_importance,
    write_latents,
    write_learning,
    write_plates,
    write_table,
)

if TYPE_CHECKING:
    from napari_channelmix.report.ome import PlaneImage
    from napari_channelmix.settings import CellFormat
    from napari_channelmix.viewer.pages.report.snapshot import Snapshot

__all__ = ["Exported", "Item", "export_job", "items_of"]


# Programs, and the files for them: name and format, as `report.cell_results.write_cells` has it.
PROGRAMS: tuple[tuple[str, str, str, tuple[tuple[str, CellFormat], ...], str], ...] = (
    (
        "anndata",
        "AnnData, SpatialData",
        "H5AD",
        (("cells.h5ad", "anndata"),),
        "Table, probabilities, latents, importance, places",
    ),
    (
        "scportrait",
        "scPortrait",
        "H5SC",
        (("cells.h5sc", "crops"),),
        "The same with the crops themselves",
    ),
    (
        "qupath",
        "QuPath",
        "TSV, GeoJSON",
        (("detections.tsv", "qupath"), ("outlines", "geojson")),
        "Measurements of detections, and their outlines",
    ),
    (
        "cellprofiler",
        "CellProfiler",
        "CSV",
        (("ChannelMix_Cells.csv", "cellprofiler"),),
        "A table of objects, and one of images",
    ),
)

# Answers about changed cells, by their names in `WhatIfAnswers`: title, formats, tooltip.
ANSWERS = (
    ("result", "What if", "CSV, JSON", "Flips, response curves, smallest changes of all cells"),
    ("transplants", "Transplants", "PNG, CSV, JSON", "Which part of another cell flips cells"),
    ("channels", "Channels of the classifier", "PNG, CSV, JSON", "Shapley values, and swaps"),
    ("means", "Mean light of the classes", "PNG, CSV, JSON", "z-scores of each class and channel"),
    ("audit", "Shortcut audit", "PNG, CSV, JSON", "Each question with its answer and figures"),
)


@dataclass(frozen=True)
class Item:
    """Something that can be exported.

    Attributes
    ----------
    key : str
        The same for the same thing, whatever has been found since.
    title : str
    formats : str
        In words.
    write : callable
        Takes the folder, gives a job.
    tip : str
    of : str
        The data set, where there are several.
    ticked : bool
        Whether it is exported unless one unticks it.
    """

    key: str
    title: str
    formats: str
    write: Callable[[Path], Job[Exported]] = field(repr=False, compare=False)
    tip: str = ""
    of: str = ""
    ticked: bool = True


def export_job(items: tuple[Item, ...], folder: Path) -> Job[Exported]:
    """Write several things into a folder; a job.

    Raises
    ------
    SaveError
        Disk full, folder read-only and the like; each file is whole or not there.
    """
    files: list[Path] = []
    notes: list[str] = []
    for index, item in enumerate(items):
        yield Progress(index, len(items), f"exporting: {item.title}")
        exported = yield from part(item.write(folder), index, 1, len(items))
        files += exported.files
        notes += exported.notes
    return Exported(tuple(files), tuple(dict.fromkeys(notes)))


def items_of(snapshot: Snapshot) -> tuple[Item, ...]:
    """What there is; nothing is computed for it.

    Where something was found of several data sets, each has a folder of its name.
    """
    sets = [
        data_set
        for data_set in snapshot.data_sets
        if not data_set.closed and (data_set.in_use or data_set.results)
    ]
    if len(sets) < 2:
        return _items_of(snapshot)
    folders = file_stems([data_set.title for data_set in sets], unnamed="data set")
    return tuple(
        _in_folder(item, data_set.title, name)
        for data_set, name in zip(sets, folders, strict=True)
        for item in _items_of(data_set)
    )


def _in_folder(item: Item, title: str, name: str) -> Item:
    """An item of one of several data sets."""
    return replace(
        item,
        key=f"{name}/{item.key}",
        of=title,
        write=lambda folder: item.write(folder / name),
    )


def _items_of(snapshot: Snapshot) -> tuple[Item, ...]:
    """The results of one data set."""
    from napari_channelmix.report.cell_table import why_no_parquet

    why = why_no_parquet()
    items = [
        Item(
            "table",
            "Table of the cells",
            "CSV" if why else "CSV, Parquet",
            lambda folder: write_table(snapshot, folder),
            _table_tip(why),
        )
    ]
    items += _for_programs(snapshot)
    if snapshot.predictions is not None or snapshot.cells.classes:
        items.append(
            Item(
                "groups",
                "Table of the groups",
                "CSV",
                lambda folder: write_groups(snapshot, folder),
                "Cells of each class in each group, with 95 % intervals, and what "
                "the data set's table says of it",
            )
        )
        if _has_doses(snapshot):
            items.append(
                Item(
                    "doses",
                    "Dose-response",
                    "PNG, SVG, CSV",
                    lambda folder: write_doses(snapshot, folder),
                    "Curves with EC50 and interval; means of each dose",
                )
            )
        if _has_plates(snapshot):
            items.append(
                Item(
                    "plates",
                    "Plates",
                    "PNG",
                    lambda folder: write_plates(snapshot, folder),
                    "The fraction of each class in each well",
                )
            )
    if snapshot.importance is not None:
        items.append(
            Item(
                "importance",
                "Channel importance",
                "PNG, SVG, CSV, JSON",
                lambda folder: write_importance(snapshot, folder),
                "The chart, its table, and how it was computed",
            )
        )
    items += _of_classifier(snapshot)
    if any(explanation.fidelity is not None for explanation in snapshot.explained):
        items.append(
            Item(
                "fidelity",
                "Insertion and deletion",
                "PNG, SVG",
                lambda folder: write_fidelity(snapshot, folder),
                "Of each cell that was explained",
            )
        )
    items += _of_answers(snapshot)
    if snapshot.latents is not None:
        items.append(
            Item(
                "latents",
                "Latents",
                "CSV, PNG, JSON",
                lambda folder: write_latents(snapshot, folder),
                "Latents of each cell, traversals, badges",
            )
        )
    stems = file_stems([image.name for image in snapshot.images])
    items += [_of_image(image, stem) for image, stem in zip(snapshot.images, stems, strict=True)]
    return tuple(items)


def _for_programs(snapshot: Snapshot) -> list[Item]:
    """Files of other programs, once something was found of the cells."""
    if snapshot.predictions is None and snapshot.latents is None:
        return []
    return [
        Item(
            f"for {key}",
            f"Cells for {title}",
            formats,
            lambda folder, files=files: write_cells_for(snapshot, folder, files),  # type: ignore[misc]
            tip,
            ticked=False,
        )
        for key, title, formats, files, tip in PROGRAMS
        # Without h5py there is no file of HDF5; docs/exporting.md says what brings it.
        if not formats.startswith("H5") or find_spec("h5py") is not None
    ]


def _table_tip(why: str) -> str:
    tip = "A row per cell: place, group, label, prediction, probabilities, margin, latents"
    return f"{tip}. {why}" if why else tip


def _of_classifier(snapshot: Snapshot) -> list[Item]:
    trained = snapshot.classifier
    # Whether a model made elsewhere can be saved is known once it is tried, on its own page.
    if trained is None or not hasattr(trained.classifier, "spec"):
        return []
    record: dict[str, Any] = trained.classifier.record
    items = []
    if record.get("held_out", {}).get("confusion"):
        items.append(
            Item(
                "confusion",
                "Confusion matrix",
                "PNG, SVG, CSV",
                lambda folder: write_confusion(snapshot, folder),
                "Labels against predictions, on held-out cells",
            )
        )
    if len(record.get("history", ())) > 1:
        items.append(
            Item(
                "learning",
                "Learning curves",
                "PNG, SVG",
                lambda folder: write_learning(snapshot, folder),
                "Loss and balanced accuracy by epoch",
            )
        )
    items.append(
        Item(
            "classifier",
            "Classifier",
            "CMX",
            lambda folder: write_bundle(snapshot, folder),
            "Weights, names and statistics (.cmx)",
        )
    )
    return items


def _of_answers(snapshot: Snapshot) -> list[Item]:
    """What the classifier answered about cells that were changed on purpose."""
    answers = snapshot.what_if
    if answers is None:
        return []
    return [
        Item(
            name if name != "result" else "what if",
            title,
            formats,
            lambda folder, name=name: write_answer(snapshot, name, folder),  # type: ignore[misc]
            tip,
        )
        for name, title, formats, tip in ANSWERS
        if getattr(answers, name) is not None
    ]


def _of_image(image: PlaneImage, stem: str) -> Item:
    tip = "With the scale and units of its layer"
    if image.has_rotation:
        tip += "; its rotation or affine transform has no place in these formats"
    return Item(
        f"image {image.name}",
        f"Layer '{image.name}'",
        "OME-TIFF, OME-Zarr",
        lambda folder: write_image(image, folder, stem),
        tip,
    )


def _has_doses(snapshot: Snapshot) -> bool:
    from napari_channelmix.phenotypes.responses import called_doses

    return bool(called_doses(snapshot.cells.conditions))


def _has_plates(snapshot: Snapshot) -> bool:
    from napari_channelmix.phenotypes.plate import is_plate

    cells = snapshot.cells
    return is_plate(dict.fromkeys(cells.groups.tolist()), cells.conditions)
