"""What can be exported, each with its formats and a job that writes it into a folder.

PyTorch and Matplotlib are imported where a job begins, never with a page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
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


@dataclass(frozen=True)
class Exported:
    """What was written, and what the user should know of it."""

    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()


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
            lambda folder: _table(snapshot, folder),
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
                lambda folder: _groups(snapshot, folder),
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
                    lambda folder: _doses(snapshot, folder),
                    "Curves with EC50 and interval; means of each dose",
                )
            )
        if _has_plates(snapshot):
            items.append(
                Item(
                    "plates",
                    "Plates",
                    "PNG",
                    lambda folder: _plates(snapshot, folder),
                    "The fraction of each class in each well",
                )
            )
    if snapshot.importance is not None:
        items.append(
            Item(
                "importance",
                "Channel importance",
                "PNG, SVG, CSV, JSON",
                lambda folder: _importance(snapshot, folder),
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
                lambda folder: _fidelity(snapshot, folder),
                "Of each cell that was explained",
            )
        )
    if snapshot.latents is not None:
        items.append(
            Item(
                "latents",
                "Latents",
                "CSV, PNG, JSON",
                lambda folder: _latents(snapshot, folder),
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
            lambda folder, files=files: _cells_for(snapshot, folder, files),  # type: ignore[misc]
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
                lambda folder: _confusion(snapshot, folder),
                "Labels against predictions, on held-out cells",
            )
        )
    if len(record.get("history", ())) > 1:
        items.append(
            Item(
                "learning",
                "Learning curves",
                "PNG, SVG",
                lambda folder: _learning(snapshot, folder),
                "Loss and balanced accuracy by epoch",
            )
        )
    items.append(
        Item(
            "classifier",
            "Classifier",
            "CMX",
            lambda folder: _bundle(snapshot, folder),
            "Weights, names and statistics (.cmx)",
        )
    )
    return items


def _of_image(image: PlaneImage, stem: str) -> Item:
    tip = "With the scale and units of its layer"
    if image.has_rotation:
        tip += "; its rotation or affine transform has no place in these formats"
    return Item(
        f"image {image.name}",
        f"Layer '{image.name}'",
        "OME-TIFF, OME-Zarr",
        lambda folder: _image(image, folder, stem),
        tip,
    )


# ---------------------------------------------------------------- writing


def _table(snapshot: Snapshot, folder: Path) -> Job[Exported]:
    from napari_channelmix.report.cell_table import cell_table, write_table

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
    files, left_out = write_table(table, folder / "cells")
    if predictions is not None and predictions.prior is not None:
        prior = predictions.prior
        about = {
            "classifier": predictions.source,
            "prior": {**prior.as_dict(), "text": prior.text()},
        }
        files = (*files, write_json(folder / "cells.json", about))
    return Exported(files, (left_out,) if left_out else ())


def _cells_for(
    snapshot: Snapshot, folder: Path, files: tuple[tuple[str, CellFormat], ...]
) -> Job[Exported]:
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


def _groups(snapshot: Snapshot, folder: Path) -> Job[Exported]:
    yield Progress(0, 1, "counting")
    from napari_channelmix.report.group_tables import write_groups

    fractions, _, _ = _fractions(snapshot)
    return Exported((write_groups(fractions, snapshot.cells.conditions, folder),))


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


def _has_doses(snapshot: Snapshot) -> bool:
    from napari_channelmix.phenotypes.responses import called_doses

    return bool(called_doses(snapshot.cells.conditions))


def _has_plates(snapshot: Snapshot) -> bool:
    from napari_channelmix.phenotypes.plate import is_plate

    cells = snapshot.cells
    return is_plate(dict.fromkeys(cells.groups.tolist()), cells.conditions)


def _doses(snapshot: Snapshot, folder: Path) -> Job[Exported]:
    yield Progress(0, 1, "fitting the curves")
    from napari_channelmix.phenotypes.responses import responses_of
    from napari_channelmix.report.figures import dose_figure
    from napari_channelmix.report.group_tables import write_doses

    responses = responses_of(snapshot.cells.conditions, *_fractions(snapshot))
    if not responses:
        return Exported((), ("no dose-response: no group has a dose that is a number",))
    drawn = _drawn(dose_figure(responses), folder / "dose-response")
    return Exported((*drawn, *write_doses(responses, folder)))


def _plates(snapshot: Snapshot, folder: Path) -> Job[Exported]:
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


def _importance(snapshot: Snapshot, folder: Path) -> Job[Exported]:
    yield Progress(0, 1, "drawing the bars")
    assert snapshot.importance is not None
    return Exported(snapshot.importance.save(folder))


def _confusion(snapshot: Snapshot, folder: Path) -> Job[Exported]:
    yield Progress(0, 1, "drawing the confusion matrix")
    import pandas as pd

    from napari_channelmix.report.figures import confusion_figure

    assert snapshot.trained is not None
    classifier: Any = snapshot.trained.classifier
    counts, classes = classifier.record["held_out"]["confusion"], list(classifier.classes)
    table = pd.DataFrame(counts, index=pd.Index(classes, name="label"), columns=classes)
    files = _drawn(confusion_figure(counts, classes, classes), folder / "confusion")
    return Exported((*files, _csv(folder / "confusion.csv", table)))


def _learning(snapshot: Snapshot, folder: Path) -> Job[Exported]:
    yield Progress(0, 1, "drawing the learning curves")
    from napari_channelmix.report.figures import learning_figure

    assert snapshot.trained is not None
    classifier: Any = snapshot.trained.classifier
    return Exported(_drawn(learning_figure(classifier.record["history"]), folder / "learning"))


def _bundle(snapshot: Snapshot, folder: Path) -> Job[Exported]:
    yield Progress(0, 1, "saving the classifier")
    assert snapshot.trained is not None
    classifier: Any = snapshot.trained.classifier
    return Exported((classifier.save(folder / "classifier.cmx"),))


def _fidelity(snapshot: Snapshot, folder: Path) -> Job[Exported]:
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


def _latents(snapshot: Snapshot, folder: Path) -> Job[Exported]:
    yield Progress(0, 1, "drawing the traversals")
    assert snapshot.latents is not None
    snapshot.latents.save(folder)
    names = ("latents.csv", "traversals.png", "latents.json")
    return Exported(tuple(folder / name for name in names))


def _image(image: PlaneImage, folder: Path, stem: str) -> Job[Exported]:
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
