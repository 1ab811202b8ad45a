"""Outlines in GeoJSON, as QuPath exports detections: drawn into a label image.

QuPath counts from the corner of the first pixel: a square from (0, 0) to (2, 2) covers the first
two pixels of the first two rows.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.data.image_formats import open_image
from napari_channelmix.data.paths import read_bounded
from napari_channelmix.data.values import LARGEST
from napari_channelmix.errors import DataError
from napari_channelmix.scan.looked_at import sides_of
from napari_channelmix.scan.outlines import Corners, Outline, draw_outlines, overlapping
from napari_channelmix.scan.parsed_table import ParsedTable, text_of
from napari_channelmix.scan.questions import LeftOut
from napari_channelmix.scan.qupath import class_of_qupath
from napari_channelmix.scan.roles import Role
from napari_channelmix.wording import counted, listed, path_shown, quoted

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.scan.dataset_file import Draw

__all__ = ["parse_geojson", "parse_geojson_files"]

# Bytes of a file, objects, and corners of all outlines together.
LARGEST_FILE, MOST_OBJECTS, MOST_CORNERS = 512 * 2**20, 1_000_000, 50_000_000
# Pixels of a label image: it is kept in memory.
MOST_PIXELS = 2**29
IMAGE_SUFFIXES = (".tif", ".tiff", ".btf", ".png", ".jpg", ".jpeg", ".zarr")
# Kinds of objects of QuPath that are cells.
_CELLS = ("cell", "detection", "tile")


def parse_geojson(path: Path, folder: Path) -> ParsedTable:
    """Understand outlines of cells in a GeoJSON file.

    Detections and cells of QuPath; where there are none, its annotations. Points are cells without
    an outline, where all are points. The image is the one of the same name as the file, or the
    only one in the folder.

    Parameters
    ----------
    path : path
    folder : path
        That of the images.

    Raises
    ------
    DataError
        No GeoJSON, no cells in it, or an image that cannot be told.
    """
    features = _features(path)
    left_out: list[LeftOut] = []
    kinds = [_kind(feature) for feature in features]
    if any(kind in _CELLS for kind in kinds) and not all(kind in _CELLS for kind in kinds):
        others = Counter(kind for kind in kinds if kind not in _CELLS)
        what = listed([f"{count} {kind or 'without a kind'}" for kind, count in others.items()])
        left_out.append(LeftOut(path.name, f"objects that are no detections ({what})"))
        features = [
            feature for feature, kind in zip(features, kinds, strict=True) if kind in _CELLS
        ]
    cells, points, kept = _geometries(path, features, left_out)
    if not kept:
        raise DataError(f"{path_shown(path)}: holds no outlines of cells; export detections")
    image = _image_of(path, folder)
    shape = sides_of(open_image(image))
    rows = _rows(kept, image, folder)
    roles = {"image": Role.IMAGE, "class": Role.CLASS, "QuPath id": Role.KEY, "name": Role.KEY}
    roles = {name: role for name, role in roles.items() if name in rows}
    if not cells:
        rows["x"], rows["y"] = ([text_of(point[axis]) for point in points] for axis in (0, 1))
        roles |= {"x": Role.X, "y": Role.Y}
        return ParsedTable(
            "points (GeoJSON)", path, rows, roles, corner=True, left_out=tuple(left_out)
        )
    if shape[0] * shape[1] > MOST_PIXELS:
        raise DataError(
            f"{path_shown(image)}: {shape[0]:,} x {shape[1]:,} pixels are too many for outlines to "
            "be drawn; export the centres of the detections as a table (TSV)"
        )
    return _with_outlines(path, rows, roles, cells, _nuclei(path, kept), shape, left_out)


def parse_geojson_files(paths: Sequence[Path], folder: Path) -> ParsedTable:
    """The outlines of several images, a GeoJSON file for each, as one table.

    Parameters
    ----------
    paths : sequence of path
    folder : path
        That of the images.

    Raises
    ------
    DataError
        As `parse_geojson`; two files of one image, or outlines in one file and points in another.
    """
    import pandas as pd

    parts = [parse_geojson(path, folder) for path in paths]
    first = parts[0]
    other = next((part for part in parts if part.style != first.style), None)
    if other is not None:
        raise DataError(
            f"{path_shown(first.path)} holds {first.style}, {path_shown(other.path)} "
            f"{other.style}; scan them one by one"
        )
    images = [str(part.rows["image"].iloc[0]) for part in parts]
    twice = next((name for name in images if images.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"{path_shown(folder)}: two GeoJSON files are of the image {quoted(twice)}")
    masks = tuple(name for name in first.masks if all(name in part.masks for part in parts))
    rows = pd.concat([part.rows for part in parts], keys=[part.path.name for part in parts])
    rows.index = pd.Index([f"{number} of {name}" for name, number in rows.index], name="object")
    roles = {name: role for part in parts for name, role in part.roles.items()}
    return replace(
        first,
        path=first.path.parent,
        # Only outlines that all cells have can be chosen.
        rows=rows.drop(columns=[name for name in first.masks if name not in masks]).fillna(""),
        roles=roles,
        masks=masks,
        drawn={name: draw for part in parts for name, draw in part.drawn.items()},
        left_out=tuple(item for part in parts for item in part.left_out),
        notes=tuple(f"{part.path.name}: {note}" for part in parts for note in part.notes),
    )


def _with_outlines(
    path: Path,
    rows: pd.DataFrame,
    roles: dict[str, Role],
    cells: list[Outline],
    nuclei: list[Outline],
    shape: tuple[int, int],
    left_out: list[LeftOut],
) -> ParsedTable:
    """The table with a label image that is still to be drawn, or one of cells and one of nuclei."""
    count = overlapping(cells, shape)
    notes = []
    if count:
        verb = "overlaps" if count == 1 else "overlap"
        notes.append(
            f"{count:,} of {counted(len(cells), 'outline')} {verb} an earlier one, which keeps the "
            "pixels of both"
        )
    stem = _stem(path)
    drawn: dict[str, Draw] = {f"{stem}_outlines.tif": lambda: draw_outlines(cells, shape)}
    if nuclei:
        drawn[f"{stem}_nuclei.tif"] = lambda: draw_outlines(nuclei, shape)
    masks = ("outlines of cells", "outlines of nuclei")[: len(drawn)]
    for column, name in zip(masks, drawn, strict=True):
        rows[column] = name
    rows["object"] = [str(1 + place) for place in range(len(rows))]
    sizes = np.bincount(draw_outlines(cells, shape).reshape(-1), minlength=len(cells) + 1)
    there = sizes[1:] > 0
    if not there.any():
        raise DataError(
            f"{path_shown(path)}: none of its {counted(len(cells), 'outline')} has a pixel of the "
            f"image of {shape[0]:,} x {shape[1]:,}; are they pixels of this image?"
        )
    if not there.all():
        what = counted(int((~there).sum()), "outline")
        left_out.append(LeftOut(path.name, f"{what} without a pixel of the image"))
    return ParsedTable(
        "outlines (GeoJSON)",
        path,
        rows[there],
        {**roles, "object": Role.OBJECT},
        masks=masks,
        proposed_mask=masks[0],
        drawn=drawn,
        left_out=tuple(left_out),
        notes=tuple(notes),
    )


def _nuclei(path: Path, features: list[dict[str, Any]]) -> list[Outline]:
    """The outlines of nuclei within cells; none where only some cells have one."""
    every = [feature.get("nucleusGeometry") for feature in features]
    geometries = [geometry for geometry in every if isinstance(geometry, dict)]
    if len(geometries) < len(every):
        return []
    return [
        Outline(_parts(geometry, f"{path_shown(path)}: nucleus {count + 1}") or ())
        for count, geometry in enumerate(geometries)
    ]


# ---------------------------------------------------------------- the file


def _features(path: Path) -> list[dict[str, Any]]:
    """The features of a file, which may be a collection, a list, or one of them."""
    content = read_bounded(path, LARGEST_FILE)
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        why = "nested too deeply" if isinstance(error, RecursionError) else str(error)[:80]
        raise DataError(f"{path_shown(path)}: cannot be read as GeoJSON ({why})") from None
    if isinstance(value, dict) and value.get("type") == "FeatureCollection":
        value = value.get("features")
    elif isinstance(value, dict) and value.get("type") == "Feature":
        value = [value]
    if not isinstance(value, list) or not all(
        isinstance(feature, dict) and feature.get("type") == "Feature" for feature in value
    ):
        raise DataError(
            f"{path_shown(path)}: is no GeoJSON of objects; in QuPath use File > Export objects as "
            "GeoJSON"
        )
    if not 0 < len(value) <= MOST_OBJECTS:
        raise DataError(
            f"{path_shown(path)}: holds {len(value):,} objects, at most {MOST_OBJECTS:,} are read"
            if value
            else f"{path_shown(path)}: holds no objects"
        )
    return value


def _properties(feature: dict[str, Any]) -> dict[str, Any]:
    properties = feature.get("properties")
    return properties if isinstance(properties, dict) else {}


def _kind(feature: dict[str, Any]) -> str:
    """What QuPath calls an object; earlier versions said it in 'id' (PathCellObject)."""
    kind = _properties(feature).get("objectType")
    if kind is None and str(feature.get("id", "")).startswith("Path"):
        kind = str(feature["id"]).removeprefix("Path").removesuffix("Object")
    return str(kind or "").lower()


def _geometries(
    path: Path, features: list[dict[str, Any]], left_out: list[LeftOut]
) -> tuple[list[Outline], list[tuple[float, float]], list[dict[str, Any]]]:
    """Outlines, or points where there are none; and the features they are of."""
    outlines: list[Outline] = []
    points: list[tuple[float, float]] = []
    of_outlines: list[dict[str, Any]] = []
    of_points: list[dict[str, Any]] = []
    other: Counter[str] = Counter()
    corners = 0
    for count, feature in enumerate(features):
        geometry = feature.get("geometry")
        geometry = geometry if isinstance(geometry, dict) else {}
        kind, where = str(geometry.get("type")), f"{path_shown(path)}: object {count + 1}"
        if kind in ("Point", "MultiPoint"):
            given = geometry.get("coordinates")
            for x, y in _ring([given] if kind == "Point" else given, where).tolist():
                points.append((x, y))
                of_points.append(feature)
            continue
        parts = _parts(geometry, where)
        if not parts:
            other[kind] += 1
            continue
        corners += sum(len(ring) for part in parts for ring in part)
        if corners > MOST_CORNERS:
            raise DataError(f"{path_shown(path)}: its outlines have more than 50 million corners")
        outlines.append(Outline(parts))
        of_outlines.append(feature)
    if other:
        what = listed([f"{count} {kind}" for kind, count in other.items()])
        left_out.append(LeftOut(path.name, f"objects that are neither areas nor points ({what})"))
    if outlines and points:
        left_out.append(LeftOut(path.name, f"{counted(len(points), 'point')} beside outlines"))
    return (outlines, [], of_outlines) if outlines else ([], points, of_points)


def _parts(geometry: dict[str, Any], where: str) -> tuple[tuple[Corners, ...], ...]:
    """The rings of a polygon or of several; nothing for another geometry."""
    kind, polygons = geometry.get("type"), geometry.get("coordinates")
    if kind == "Polygon":
        polygons = [polygons]
    elif kind != "MultiPolygon":
        return ()
    if not isinstance(polygons, list) or not all(isinstance(rings, list) for rings in polygons):
        raise DataError(f"{where}: its outline is no list of points (x, y)")
    return tuple(tuple(_ring(ring, where) for ring in rings) for rings in polygons if rings)


def _ring(ring: Any, where: str) -> Corners:
    try:
        corners = np.array([[float(point[0]), float(point[1])] for point in ring], np.float64)
    except (TypeError, ValueError, IndexError, KeyError, OverflowError):
        raise DataError(f"{where}: its outline is no list of points (x, y)") from None
    if not len(corners) or not (np.abs(corners) <= LARGEST).all():
        raise DataError(f"{where}: its outline has no points, or points that are no pixels")
    return corners


def _rows(features: list[dict[str, Any]], image: Path, folder: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        text = image.relative_to(folder).as_posix()
    except ValueError:
        text = str(image.absolute())
    properties = [_properties(feature) for feature in features]
    columns = {
        "image": [text] * len(features),
        "QuPath id": [str(feature.get("id") or "") for feature in features],
        "name": [str(each.get("name") or "") for each in properties],
        "class": [_class(each.get("classification")) for each in properties],
    }
    columns = {name: texts for name, texts in columns.items() if any(texts)}
    index = pd.RangeIndex(1, len(features) + 1, name="object")
    return pd.DataFrame(columns, index=index, dtype=object)


def _class(value: Any) -> str:
    """A class in its forms: an object with a name or several names, or a text."""
    if isinstance(value, dict):
        names = value.get("names")
        value = value.get("name") or (
            ": ".join(map(str, names)) if isinstance(names, list) else None
        )
    return class_of_qupath(value) if isinstance(value, str) else ""


# ---------------------------------------------------------------- the image


def _stem(path: Path) -> str:
    stem = path.name
    for suffix in (".geojson", ".json", *IMAGE_SUFFIXES):
        if stem.lower().endswith(suffix):
            stem = stem[: -len(suffix)]
    return stem[:-4] if stem.lower().endswith(".ome") else stem


def _image_of(path: Path, folder: Path) -> Path:
    """The image that the outlines are of."""
    try:
        there = sorted(
            entry for entry in folder.iterdir() if entry.name.lower().endswith(IMAGE_SUFFIXES)
        )
    except OSError as error:
        raise DataError(f"{path_shown(folder)}: cannot be read ({error.strerror})") from None
    wanted = _stem(path).casefold()
    same = [entry for entry in there if _stem(entry).casefold() == wanted]
    candidates = same or there
    if len(candidates) == 1:
        return candidates[0]
    if not candidates:
        raise DataError(
            f"{path_shown(path)}: there is no image in {path_shown(folder)}; put it beside its "
            "image, or name the folder of the image (images=...)"
        )
    raise DataError(
        f"{path_shown(path)}: which image it is of cannot be told ("
        f"{listed([quoted(entry.name) for entry in candidates], 4)}); give both the same name"
    )
