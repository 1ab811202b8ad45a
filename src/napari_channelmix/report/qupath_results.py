"""Results as QuPath has them: a table of detections, and detections as GeoJSON.

QuPath counts from the corner of the first pixel, half a pixel before its middle. An object keeps
the ``Object ID`` that it had in QuPath, where that is a column of the data set; else it gets one
that follows from its field of view and its id, so that a second export names it alike.

Sources: QuPath 0.5, 'Exporting measurements' and 'Exporting annotations'
(https://qupath.readthedocs.io); the GeoJSON format, RFC 7946.
"""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.atomic_write import file_stems, written_whole
from napari_channelmix.data.label_images import Ranked
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress, part
from napari_channelmix.report.anndata_results import micrometres_of
from napari_channelmix.report.cell_columns import Column, columns_of
from napari_channelmix.report.class_colors import class_color
from napari_channelmix.report.field_images import image_name
from napari_channelmix.report.outlines import polygons_of
from napari_channelmix.report.table_results import write_columns_job
from napari_channelmix.wording import path_shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from napari_channelmix.data import Cells
    from napari_channelmix.report.results_by_cell import ResultsByCell

__all__ = ["write_geojson_job", "write_qupath_job"]

# What QuPath's own ids are called, in its tables and where its GeoJSON was read.
ID_COLUMNS = ("Object ID", "QuPath id")
# Columns that QuPath has under names of its own, or that make no sense there.
LEFT_OUT = ("cell", "field", "field_name", "object", "y", "x", "at_border", "label", "prediction")
# Objects that are written in one step of the job.
STEP = 100
# Of ids that are made here: the same for the same field of view and object.
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "napari-channelmix/object")


def write_qupath_job(results: ResultsByCell, path: Path) -> Job[Path]:
    """Write a table as QuPath exports measurements of detections; a job.

    ``Image``, ``Object ID``, ``Object type``, ``Name``, ``Classification`` (the predicted class,
    else the one given), ``Centroid X µm``, ``Centroid Y µm`` (``px`` where a pixel size is not
    known), then measurements and the user's own columns; parted by tabs, or by commas in a
    ``.csv``.

    Raises
    ------
    SaveError
        Disk full, folder read-only and the like.
    """
    yield Progress(0, 100, "writing the table")
    cells, rows = results.cells, results.positions
    fields = cells.table["field"].to_numpy(np.int64)[rows]
    images = [image_name(cells, index) for index in range(len(cells.fields))]
    codes, classes = results.class_codes
    sizes, unit = micrometres_of(cells), "µm"
    if sizes is None:
        sizes, unit = np.ones((len(cells.fields), 2)), "px"
    # Without the last digits, which are of the multiplication.
    y, x = ((cells.centres[rows] + 0.5) * sizes[fields]).round(6).T
    ids = tuple(object_ids(results))
    columns = [
        _texts("Image", images, fields),
        Column("Object ID", np.arange(len(rows)), ids),
        _texts("Object type", ["Detection"], np.zeros(len(rows), np.int64)),
        Column("Name", np.arange(len(rows)), tuple(map(str, object_numbers(results).tolist()))),
        Column("Classification", codes[rows], tuple(classes)),
        Column(f"Centroid X {unit}", x),
        Column(f"Centroid Y {unit}", y),
        *_further(results),
    ]
    separator = "," if path.suffix.lower() == ".csv" else "\t"
    yield from part(write_columns_job(columns, path, separator, formulas=True), 0, 100, 100)
    return path


def write_geojson_job(results: ResultsByCell, path: Path) -> Job[tuple[Path, ...]]:
    """Write detections as GeoJSON, a file for each image as QuPath imports them; a job.

    Cells with outlines become polygons along the borders of their pixels, others points.

    Parameters
    ----------
    results : ResultsByCell
    path : path
        A file, where the chosen cells lie in one field of view; else a folder, in which each file
        is called like its image.

    Raises
    ------
    DataError
        A file for cells of several images.
    SaveError
        Disk full, folder read-only and the like.
    """
    cells, rows = results.cells, results.positions
    fields = cells.table["field"].to_numpy(np.int64)[rows]
    used = np.unique(fields).tolist()
    ids, numbers = object_ids(results), object_numbers(results).tolist()
    if path.suffix.lower() in (".geojson", ".json"):
        if len(used) > 1:
            raise DataError(
                f"{path_shown(path)}: QuPath reads a file for each image, and the cells lie in "
                f"{len(used)}; name a folder and use the format geojson"
            )
        files = [path] * len(used)
        if not used:
            # A file that was named is there, as a table without rows is.
            yield from _write_field_job(results.subset([]), path, [])
            return (path,)
    else:
        names = [Path(image_name(cells, field)) for field in used]
        stems = file_stems(
            [name.name.removesuffix(name.suffix).removesuffix(".ome") for name in names]
        )
        files = [path / f"{stem}.geojson" for stem in stems]
    for done, (field, file) in enumerate(zip(used, files, strict=True)):
        chosen = np.flatnonzero(fields == field).tolist()
        own = results.subset(rows[chosen])
        named = [(ids[place], numbers[place]) for place in chosen]
        yield from part(_write_field_job(own, file, named), done, 1, len(used))
    return tuple(files)


def _write_field_job(
    results: ResultsByCell, path: Path, named: Sequence[tuple[str, int]]
) -> Job[None]:
    """The cells of one field of view, with id and number of each."""
    with written_whole(path) as neighbour, neighbour.open("w", encoding="utf-8") as file:
        file.write('{"type": "FeatureCollection", "features": [')
        for done, feature in enumerate(_features(results, named)):
            if done % STEP == 0:
                yield Progress(done, len(results), "writing outlines")
            text = json.dumps(feature, ensure_ascii=False, allow_nan=False)
            file.write(f"{',' if done else ''}\n{text}")
        file.write("\n]}\n")


def _features(results: ResultsByCell, named: Sequence[tuple[str, int]]) -> Iterator[dict[str, Any]]:
    codes, classes = results.class_codes
    numeric: dict[str, list[float]] = {}
    textual: dict[str, list[str]] = {}
    for column in _further(results):
        values = column.plain(slice(None)).tolist()
        if column.categories is None:
            numeric[column.name] = values
        else:
            textual[column.name] = values
    for cell, ((identity, number), code, geometry) in enumerate(
        zip(named, codes.tolist(), _geometries(results.cells), strict=True)
    ):
        measurements = {
            name: float(values[cell])
            for name, values in numeric.items()
            if np.isfinite(values[cell])
        }
        texts = {name: values[cell] for name, values in textual.items() if values[cell]}
        properties: dict[str, Any] = {"objectType": "detection", "name": str(number)}
        if code >= 0:
            properties["classification"] = {
                "name": classes[code],
                "color": list(class_color(code)),
            }
        properties |= {"measurements": measurements, "metadata": texts}
        yield {"type": "Feature", "id": identity, "geometry": geometry, "properties": properties}


def _geometries(cells: Cells) -> Iterator[dict[str, Any]]:
    """Of the cells of one field of view."""
    from scipy import ndimage

    ids = cells.table["object"].to_numpy(np.int64)
    field = cells.fields[int(cells.table["field"].iloc[0])] if len(cells) else None
    ranked, boxes, values = None, [], np.zeros(len(cells), np.int64)
    if field is not None and field.labels is not None and (ids > 0).any():
        ranked = Ranked.of(np.maximum(np.asarray(field.labels), 0))
        boxes = ndimage.find_objects(ranked.image)
        values = ranked.positions(ids)
    for value, (y, x) in zip(values.tolist(), cells.centres.tolist(), strict=True):
        box = boxes[value - 1] if 0 < value <= len(boxes) else None
        if ranked is None or box is None:
            yield {"type": "Point", "coordinates": [x + 0.5, y + 0.5]}
            continue
        polygons = polygons_of(ranked.image[box] == value, box[0].start, box[1].start)
        if len(polygons) == 1:
            yield {"type": "Polygon", "coordinates": polygons[0]}
        else:
            yield {"type": "MultiPolygon", "coordinates": polygons}


def object_ids(results: ResultsByCell) -> list[str]:
    """The ids of the chosen cells: the user's own, where there are such; else made here."""
    cells, rows = results.cells, results.positions
    keys = cells.keys
    name = next((name for name in ID_COLUMNS if name in keys), None)
    own = ["" for _ in rows] if name is None else keys[name].to_numpy()[rows].tolist()
    fields = cells.table["field"].to_numpy(np.int64)[rows].tolist()
    numbers = object_numbers(results).tolist()
    return [
        identity or str(uuid.uuid5(NAMESPACE, f"{cells.field_names[field]}/{number}"))
        for identity, field, number in zip(own, fields, numbers, strict=True)
    ]


def object_numbers(results: ResultsByCell) -> npt.NDArray[np.int64]:
    """Id of each chosen cell in its field of view (n,): of its object, else its position."""
    rows = results.positions
    ids = results.cells.table["object"].to_numpy(np.int64)[rows]
    return np.where(ids > 0, ids, rows)


def _further(results: ResultsByCell) -> Iterator[Column]:
    """Measurements, by the names QuPath gives such, and what else the table of cells says."""
    given = results.cells.classes and results.probabilities is not None
    for column in columns_of(results):
        name = column.name
        if name == "label" and given:
            yield Column("Class given", column.values, column.categories)
        if name in LEFT_OUT or name in ID_COLUMNS:
            continue
        for begin, word in (("probability of ", "Probability: "), ("latent ", "Latent: ")):
            if name.startswith(begin) and column.categories is None:
                name = f"{word}{name[len(begin) :]}"
        name = {"margin": "Margin", "group": "Group", "training": "Training"}.get(name, name)
        yield Column(name, column.values, column.categories)


def _texts(name: str, texts: list[str], codes: npt.NDArray[np.int64]) -> Column:
    return Column(name, codes, tuple(texts))
