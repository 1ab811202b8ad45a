"""Results of known cells, written by the package and read by the programs they are for.

    python benchmarks/round_trips.py

prints this table below its own; see there. Each reader gives, for each cell, its name, place, class
and id: a row says how many cells it saw, and whether all of these came back.
"""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.report.cell_results import CellResults, write_cells
from napari_channelmix.report.qupath_results import object_ids
from napari_channelmix.scan.plate import scan_plate

if TYPE_CHECKING:
    from napari_channelmix.data import Cells

CLASSES = ("short, round", "=long")
# Pixels are kept with 11 bits in files of crops.
CLOSE = 2e-4


@dataclass(frozen=True)
class Seen:
    """What a reader gives of a cell: place (y, x) in pixels, or None where it gives none."""

    identity: str
    place: tuple[float, float] | None
    label: str | None


class Latents:
    """Numbers of each cell with names."""

    names = ("Size", "Hue")

    def __init__(self, count: int) -> None:
        self.values = np.linspace(-1, 1, 2 * count, dtype=np.float32).reshape(-1, 2)


def results_of(cells: Cells) -> CellResults:
    probabilities = np.random.default_rng(0).dirichlet([1, 1], len(cells)).astype(np.float32)
    marks = np.array(["yes", "no"])[np.arange(len(cells)) % 2]
    return CellResults(cells, probabilities, CLASSES, marks, Latents(len(cells)))


def expected(results: CellResults) -> list[Seen]:
    """By field of view and id."""
    cells = results.cells
    codes, classes = results.class_codes
    names = [cells.field_names[field] for field in cells.table["field"]]
    return [
        Seen(f"{name}/{identity}", (float(y), float(x)), classes[code])
        for name, identity, (y, x), code in zip(
            names, cells.table["object"], cells.centres, codes, strict=True
        )
    ]


# ---------------------------------------------------------------- readers


def by_pandas(results: CellResults, path: Path) -> list[Seen]:
    import pandas as pd

    from napari_channelmix.data.csv_text import unescaped

    csv = path.suffix == ".csv"
    table = pd.read_csv(path) if csv else pd.read_parquet(path)
    calls = table["prediction"].map(unescaped) if csv else table["prediction"]
    return [
        Seen(f"{name}/{identity}", (y, x), call)
        for name, identity, y, x, call in zip(
            table["field_name"], table["object"], table["y"], table["x"], calls, strict=True
        )
    ]


def by_anndata(results: CellResults, path: Path) -> list[Seen]:
    import anndata

    data = anndata.read_h5ad(path)
    assert data.uns["channelmix"]["units"]["spatial"] == "pixel"
    np.testing.assert_array_equal(data.obsm["probabilities"], results.probabilities)
    np.testing.assert_array_equal(data.obsm["latents"], results.latents.values)
    return _of_obs(data.obs, data.obsm["spatial"][:, ::-1])


def by_spatialdata(results: CellResults, path: Path) -> list[Seen]:
    import anndata
    from spatialdata import SpatialData
    from spatialdata.models import TableModel

    data = anndata.read_h5ad(path)
    attributes = data.uns.pop("spatialdata_attrs")
    table = TableModel.parse(
        data,
        region=np.atleast_1d(attributes["region"]).tolist(),
        region_key=attributes["region_key"],
        instance_key=attributes["instance_key"],
    )
    stored = path.with_suffix(".sdata.zarr")
    SpatialData(tables={"cells": table}).write(stored)
    obs = SpatialData.read(stored).tables["cells"].obs
    names = obs[attributes["region_key"]].astype(str) + "/"
    return [
        Seen(f"{name}{identity}", (y, x), call)
        for name, identity, y, x, call in zip(
            names,
            obs[attributes["instance_key"]],
            obs["y"],
            obs["x"],
            obs["prediction"],
            strict=True,
        )
    ]


def by_scportrait(results: CellResults, path: Path) -> list[Seen]:
    from scportrait.io.h5sc import read_h5sc

    data = read_h5sc(path)
    about, images = data.uns["single_cell_images"], data.obsm["single_cell_images"]
    low, high = (about[f"normalization_range_{end}"][:, None, None] for end in ("lower", "upper"))
    masks = int(about["n_masks"])
    again = images[:, masks:].astype(np.float64) * (high - low) + low
    np.testing.assert_allclose(again, results.cells.read(), atol=2**-11 * float((high - low).max()))
    assert list(about["channel_names"][masks:]) == list(results.cells.channels)
    # It reads no other arrays of obsm.
    return _of_obs(data.obs, data.obs[["y", "x"]].to_numpy())


def _of_obs(obs: Any, places: Any) -> list[Seen]:
    return [
        Seen(f"{name}/{identity}", (float(y), float(x)), call)
        for name, identity, (y, x), call in zip(
            obs["field_name"], obs["object"], places, obs["prediction"], strict=True
        )
    ]


def by_ome_zarr(results: CellResults, path: Path) -> list[Seen]:
    from ome_zarr.io import parse_url
    from ome_zarr.reader import Reader
    from scipy import ndimage

    seen = []
    for index, field in enumerate(results.cells.fields):
        group = Path(field.planes[0].file.path)
        nodes = {
            Path(str(node.zarr)).name.split(" ")[0]: node for node in Reader(parse_url(group))()
        }
        node = next(node for name, node in nodes.items() if name == "channelmix")
        labels = np.asarray(node.data[0])
        boxes = ndimage.find_objects(labels)
        for identity, entry in node.metadata["properties"].items():
            y, x = ((side.start + side.stop - 1) / 2 for side in boxes[int(identity) - 1])
            name = results.cells.field_names[index]
            seen.append(Seen(f"{name}/{int(identity)}", (y, x), entry["class"]))
    return seen


def by_ngio(results: CellResults, path: Path) -> list[Seen]:
    from ngio import open_ome_zarr_container

    seen = []
    for index, field in enumerate(results.cells.fields):
        image = open_ome_zarr_container(Path(field.planes[0].file.path))
        assert "channelmix" in image.list_labels()
        assert image.get_label("channelmix").shape == field.shape
        table = image.get_table("channelmix")
        assert table.reference_label == "channelmix"
        name = results.cells.field_names[index]
        seen += [
            Seen(f"{name}/{identity}", (row["y"], row["x"]), row["prediction"])
            for identity, row in table.dataframe.iterrows()
        ]
    return seen


def by_geopandas(results: CellResults, path: Path) -> list[Seen]:
    """Places and areas of outlines; ids are those of QuPath."""
    import geopandas

    names = dict(zip(object_ids(results), expected(results), strict=True))
    seen = []
    for index, file in enumerate(sorted(path.iterdir())):
        frame = geopandas.read_file(file)
        assert frame.geometry.is_valid.all()
        labels = results.cells.fields[index].labels
        for identity, outline, about in zip(
            frame["id"], frame.geometry, frame["classification"], strict=True
        ):
            own = names[identity].identity
            assert outline.area == (labels == int(own.rpartition("/")[2])).sum()
            x0, y0, x1, y1 = outline.bounds
            about = about if isinstance(about, dict) else json.loads(about)
            seen.append(Seen(own, ((y0 + y1 - 1) / 2, (x0 + x1 - 1) / 2), about["name"]))
    return seen


# ---------------------------------------------------------------- trips


def compare(results: CellResults, seen: list[Seen]) -> list[str]:
    """Cells written and seen, and whether places, classes and ids are equal."""
    known = {one.identity: one for one in expected(results)}
    ids = sorted(known) == sorted(one.identity for one in seen)
    pairs = [(known[one.identity], one) for one in seen if one.identity in known]
    places = ids and all(np.allclose(a.place, b.place, atol=CLOSE) for a, b in pairs)
    classes = ids and all(a.label == b.label for a, b in pairs)
    return [
        str(len(known)),
        str(len(seen)),
        *("yes" if same else "NO" for same in (places, classes, ids)),
    ]


def version_of(package: str) -> str | None:
    try:
        return f"{package} {importlib.metadata.version(package)}"
    except importlib.metadata.PackageNotFoundError:
        return None


def trips() -> Iterator[tuple[str, str, str, Callable[..., list[Seen]]]]:
    """Format, file, reader, and what reads it."""
    yield "CSV", "cells.csv", "pandas", by_pandas
    yield "Parquet", "cells.parquet", "pyarrow", by_pandas
    yield "AnnData", "cells.h5ad", "anndata", by_anndata
    yield "AnnData as a table of SpatialData", "cells.h5ad", "spatialdata", by_spatialdata
    yield "crops, .h5sc", "cells.h5sc", "scportrait", by_scportrait
    yield "label images beside a plate", "plate", "ome-zarr", by_ome_zarr
    yield "tables beside a plate", "plate", "ngio", by_ngio
    yield "GeoJSON", "geojson", "geopandas", by_geopandas


def written(
    folder: Path, made: list[Any], write_plate: Callable[..., None], version: str, file: str
) -> tuple[CellResults, Path]:
    """A plate of known cells, and their results in a file."""
    plate = folder / "plate.zarr"
    write_plate(plate, made, version)
    results = results_of(scan_plate(plate).cells())
    out = plate if file == "plate" else folder / file
    write_cells(results, out, format="geojson" if file == "geojson" else "auto")
    return results, out


def lines(
    folder_of: Callable[[], Any], made: list[Any], write_plate: Callable[..., None]
) -> Iterator[str]:
    names = ("format", "read by", "cells out", "cells in", "positions", "classes", "ids equal")
    yield f"| {' | '.join(names)} |"
    yield "|---" * len(names) + "|"
    for title, file, package, read in trips():
        reader = version_of(package)
        versions = ("0.4", "0.5") if file == "plate" else ("0.5",)
        for version in versions:
            shown = f"{title} {version}" if file == "plate" else title
            if reader is None:
                yield f"| {shown} | {package} is not installed | | | | | |"
                continue
            with folder_of() as name:
                results, out = written(Path(name), made, write_plate, version, file)
                row = compare(results, read(results, out))
            yield f"| {shown} | {reader} | {' | '.join(row)} |"
