"""Round trips: cells of known outline, place and class, written as other programs write them.

    python benchmarks/round_trips.py
    python benchmarks/round_trips.py --files tests/scan/files

Each line gives a format, who wrote it, objects in and out, and whether all positions and all
classes came back. OME-Zarr plates are written by ome-zarr and AnnData by anndata where these are
installed (neither is a dependency); the tables of CellProfiler and QuPath and the masks of
Cellpose and StarDist are written here, as these programs write them. With ``--files`` the plates
and the AnnData file of the real writers are kept: the tests read them.

A second table is of results that the package writes, and that the real readers read (see
`round_trip_readers`). In an environment of their own, since they pin other versions of pandas and
pydantic than napari's:

    pip install . anndata ome-zarr ngio spatialdata scportrait geopandas h5py pyarrow
"""

from __future__ import annotations

import argparse
import csv
import importlib.metadata
import json
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile
from PIL import Image
from round_trip_readers import lines
from skimage.measure import find_contours, regionprops_table

from napari_channelmix.scan.label_files import pair_label_files
from napari_channelmix.scan.plate import scan_plate
from napari_channelmix.scan.tables import scan_table

if TYPE_CHECKING:
    from napari_channelmix.scan import Scan

HEIGHT, WIDTH = 121, 157
CHANNELS = ("DNA", "GFP")
CLASSES = ("negative", "positive")
# Micrometres, y and x: an image whose axes are exchanged does not come back.
PIXEL = (0.65, 0.325)


@dataclass(frozen=True, eq=False)
class Truth:
    """One field of view: pixels (C, Y, X), label image, and the class of each id."""

    stem: str
    well: str
    pixels: np.ndarray
    labels: np.ndarray
    classes: dict[int, str]


def truths(count: int = 4, *, noise: int = 10) -> list[Truth]:
    """Fields of view with convex and bent objects that touch no other."""
    rng = np.random.default_rng(7)
    made = []
    for index in range(count):
        labels = np.zeros((HEIGHT, WIDTH), np.uint16)
        classes = {}
        places = [(y, x) for y in range(8, HEIGHT - 16, 19) for x in range(9, WIDTH - 16, 21)]
        for number, place in enumerate(rng.permutation(len(places))[: 20 + index], start=1):
            y, x = places[place]
            height, width = rng.integers(4, 13, size=2)
            labels[y : y + height, x : x + 3] = number
            labels[y + height - 2 : y + height, x : x + width] = number
            classes[number] = CLASSES[int(rng.integers(2))]
        pixels = rng.integers(100 - noise, 101 + noise, (2, HEIGHT, WIDTH)).astype(np.uint16)
        pixels[:, labels > 0] += 400
        made.append(Truth(f"site {index + 1}", f"B{index + 2:02d}", pixels, labels, classes))
    return made


def middle(truth: Truth, number: int) -> tuple[float, float]:
    places = np.argwhere(truth.labels == number)
    y, x = (places.min(axis=0) + places.max(axis=0)) / 2
    return float(y), float(x)


def centre(truth: Truth, number: int) -> tuple[float, float]:
    y, x = np.argwhere(truth.labels == number).mean(axis=0)
    return float(y), float(x)


def write_image(path: Path, pixels: np.ndarray, axes: str) -> None:
    metadata: dict[str, Any] = {"axes": axes, "unit": "um"}
    if "C" in axes:
        metadata["Labels"] = [*CHANNELS]
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(
        path,
        pixels,
        imagej=True,
        metadata=metadata,
        resolution=(1 / PIXEL[1], 1 / PIXEL[0]),
    )


# ---------------------------------------------------------------- formats


def cellprofiler(folder: Path, made: list[Truth]) -> Scan:
    """Object and image table of ExportToSpreadsheet, with saved label images."""
    images, objects = [], []
    for number, truth in enumerate(made, start=1):
        row: dict[str, Any] = {"ImageNumber": number, "Metadata_Well": truth.well}
        for channel, pixels in zip(CHANNELS, truth.pixels, strict=True):
            write_image(folder / "images" / f"{truth.stem}_{channel}.tif", pixels, "YX")
            row[f"FileName_{channel}"] = f"{truth.stem}_{channel}.tif"
            row[f"PathName_{channel}"] = r"Z:\screen\raw"
        row["ObjectsFileName_Nuclei"] = f"{truth.stem}_Nuclei.tiff"
        tifffile.imwrite(folder / "images" / f"{truth.stem}_Nuclei.tiff", truth.labels)
        images.append(row)
        for identity, label in truth.classes.items():
            y, x = centre(truth, identity)
            objects.append(
                {
                    "ImageNumber": number,
                    "ObjectNumber": identity,
                    "Metadata_Treatment": label,
                    "Location_Center_X": x,
                    "Location_Center_Y": y,
                }
            )
    write_csv(folder / "MyExpt_Image.csv", images)
    write_csv(folder / "MyExpt_Nuclei.csv", objects)
    return scan_table(folder / "MyExpt_Nuclei.csv")


def qupath_table(folder: Path, made: list[Truth]) -> Scan:
    """Detection measurements, in micrometres from the corner of the first pixel."""
    rows = []
    for truth in made:
        write_image(folder / f"{truth.stem}.tif", truth.pixels, "CYX")
        for identity, label in truth.classes.items():
            y, x = middle(truth, identity)
            rows.append(
                {
                    "Image": f"{truth.stem}.tif",
                    "Object ID": f"{truth.stem}-{identity}",
                    "Object type": "Detection",
                    "Classification": label,
                    "Centroid X µm": f"{(x + 0.5) * PIXEL[1]:.5f}",
                    "Centroid Y µm": f"{(y + 0.5) * PIXEL[0]:.5f}",
                }
            )
    write_csv(folder / "measurements.tsv", rows, "\t")
    return scan_table(folder / "measurements.tsv")


def qupath_outlines(folder: Path, made: list[Truth]) -> Scan:
    """Detections as GeoJSON: the border of the pixels, corners at whole numbers."""
    truth = made[0]
    write_image(folder / f"{truth.stem}.tif", truth.pixels, "CYX")
    features = []
    for identity, label in truth.classes.items():
        outline = find_contours(np.kron(truth.labels == identity, np.ones((2, 2))), 0.5)[0]
        # Each pixel is four: from the middle of the first of them to the corner of the image.
        ring = (outline + 0.5) / 2
        features.append(
            {
                "type": "Feature",
                "id": f"{identity}",
                "geometry": {"type": "Polygon", "coordinates": [ring[:, ::-1].tolist()]},
                "properties": {"objectType": "detection", "classification": {"name": label}},
            }
        )
    path = folder / f"{truth.stem}.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return scan_table(path)


def masks(folder: Path, made: list[Truth], name: str) -> Scan:
    """Label images beside images, paired by their names; classes are in a table of wells' cells."""
    import pandas as pd

    rows = []
    for truth in made:
        image = folder / ("images" if "/" in name else "") / f"{truth.stem}.tif"
        write_image(image, truth.pixels, "CYX")
        path = folder / name.format(truth.stem)
        path.parent.mkdir(exist_ok=True)
        if path.suffix == ".png":
            Image.fromarray(truth.labels).save(path)
        else:
            tifffile.imwrite(path, truth.labels, compression="zlib")
    names = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*.*"))]
    pairs = pair_label_files(names)
    stems = {truth.stem: truth for truth in made}
    for image_name, mask in pairs.masks.items():
        truth = stems[Path(image_name).stem]
        rows += [
            {"image": image_name, "mask": mask, "cell_id": identity, "class": label}
            for identity, label in truth.classes.items()
        ]
    return scan_table(pd.DataFrame(rows), images=folder)


def regions(folder: Path, made: list[Truth]) -> Scan:
    """A table of scikit-image's regionprops_table."""
    import pandas as pd

    parts = []
    for truth in made:
        write_image(folder / f"{truth.stem}.tif", truth.pixels, "CYX")
        table = pd.DataFrame(regionprops_table(truth.labels, properties=("label", "centroid")))
        parts.append(table.assign(path=f"{truth.stem}.tif", phenotype=[*truth.classes.values()]))
    pd.concat(parts).to_csv(folder / "regions.csv", index=False)
    return scan_table(folder / "regions.csv")


def anndata_file(folder: Path, made: list[Truth]) -> Scan:
    """``obs`` with image and class, ``obsm['spatial']`` with x and y."""
    for truth in made:
        write_image(folder / f"{truth.stem}.tif", truth.pixels, "CYX")
    write_anndata(folder / "cells.h5ad", made)
    return scan_table(folder / "cells.h5ad")


def write_anndata(path: Path, made: list[Truth]) -> None:
    import anndata
    import pandas as pd

    rows = [
        (
            f"{truth.stem}.tif",
            truth.well,
            label,
            f"{truth.stem}-{number}",
            middle(truth, number),
        )
        for truth in made
        for number, label in truth.classes.items()
    ]
    obs = pd.DataFrame(
        {
            "image_path": [row[0] for row in rows],
            "well": pd.Categorical([row[1] for row in rows]),
            "cell_type": pd.Categorical([row[2] for row in rows]),
            "area": np.linspace(10, 20, len(rows)),
        },
        index=[row[3] for row in rows],
    )
    spatial = np.array([row[4][::-1] for row in rows])
    x = np.zeros((len(rows), 3), np.float32)
    anndata.AnnData(x, obs=obs, obsm={"spatial": spatial}).write_h5ad(path)


def plate(folder: Path, made: list[Truth], version: str) -> Scan:
    """A plate with a label image in each field; its classes are those of its wells."""
    path = folder / f"plate-{version}.zarr"
    write_plate(path, made, version)
    return scan_plate(path)


def write_plate(path: Path, made: list[Truth], version: str) -> None:
    import zarr
    from ome_zarr.format import FormatV04, FormatV05
    from ome_zarr.io import parse_url
    from ome_zarr.writer import (
        write_image,
        write_labels,
        write_plate_metadata,
        write_well_metadata,
    )

    kind = FormatV04() if version == "0.4" else FormatV05()
    path.mkdir(parents=True)
    store = parse_url(str(path), mode="w", fmt=kind).store
    root = zarr.open_group(store, mode="a", zarr_format=kind.zarr_format)
    wells = [f"{truth.well[0]}/{int(truth.well[1:])}" for truth in made]
    write_plate_metadata(
        root,
        sorted({well[0] for well in wells}),
        sorted({well.split("/")[1] for well in wells}),
        wells,
        fmt=kind,
        name="screen 7",
        field_count=1,
    )
    scale = dict(zip("yx", PIXEL, strict=True))
    units = dict.fromkeys("yx", "micrometer")
    for truth, well in zip(made, wells, strict=True):
        group = root.require_group(well)
        write_well_metadata(group, [{"path": "0"}], fmt=kind)
        image = group.require_group("0")
        write_image(
            truth.pixels,
            image,
            axes="cyx",
            fmt=kind,
            scale_factors=(),
            scale={"c": 1.0, **scale},
            axes_units=units,
        )
        # ngio wants limits of display.
        window = {"min": 0, "max": 65535, "start": 0, "end": 600}
        omero = {
            "channels": [{"label": name, "color": "FFFFFF", "window": window} for name in CHANNELS]
        }
        if version == "0.5":
            image.attrs["ome"] = {**image.attrs["ome"], "omero": omero}
        else:
            image.attrs["omero"] = omero
        write_labels(
            truth.labels,
            image,
            name="nuclei",
            axes="yx",
            fmt=kind,
            scaler=None,
            scale_factors=(),
            scale=scale,
            axes_units=units,
        )


def write_csv(path: Path, rows: list[dict[str, Any]], delimiter: str = ",") -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)


# ---------------------------------------------------------------- comparing


def compare(scan: Scan, made: list[Truth], place: Callable[..., Any], classes: bool) -> list[str]:
    """Objects in and out, and whether positions and classes are equal."""
    cells = scan.cells()
    expected = sorted(
        (truth.stem, label if classes else "", place(truth, identity))
        for truth in made
        for identity, label in truth.classes.items()
    )
    got = []
    for index in range(len(cells)):
        field = int(cells.table["field"].iloc[index])
        path = Path(cells.fields[field].planes[0].file.path)
        stem = path.stem.removesuffix("_DNA")
        if ".zarr" in str(path):
            stem = next(t.stem for t in made if t.well == str(cells.groups[index]))
        label = int(cells.labels[index])
        name = cells.classes[label] if classes and label >= 0 else ""
        got.append((stem, name, tuple(float(v) for v in cells.centres[index])))
    got.sort()
    positions = len(got) == len(expected) and all(
        one[0] == other[0] and np.allclose(one[2], other[2], atol=2e-4)
        for one, other in zip(got, expected, strict=True)
    )
    same = [one[:2] for one in got] == [one[:2] for one in expected]
    return [
        str(len(expected)),
        str(len(got)),
        "yes" if positions else "NO",
        ("yes" if same else "NO") if classes else "none given",
    ]


def version_of(package: str) -> str | None:
    try:
        return f"{package} {importlib.metadata.version(package)}"
    except importlib.metadata.PackageNotFoundError:
        return None


def trips(made: list[Truth]) -> Iterator[tuple[str, str | None, Callable[[Path], list[str]]]]:
    """Name, writer, and what writes, reads and compares."""

    def trip(
        read: Callable[..., Scan], place: Any, *more: Any, classes: bool = True, one: bool = False
    ) -> Callable[[Path], list[str]]:
        those = made[:1] if one else made
        return lambda folder: compare(read(folder, those, *more), those, place, classes)

    yield "CellProfiler objects, label images", "here", trip(cellprofiler, middle)
    yield "QuPath detections, TSV in um", "here", trip(qupath_table, middle)
    yield "QuPath detections, GeoJSON", "here", trip(qupath_outlines, middle, one=True)
    for tool, name in (
        ("Cellpose, x_cp_masks.tif", "{}_cp_masks.tif"),
        ("Cellpose, x_cp_masks.png", "{}_cp_masks.png"),
        ("StarDist, images/ and masks/", "masks/{}.tif"),
        ("ilastik, x_Object Identities.tif", "{}_Object Identities.tif"),
    ):
        yield tool, version_of("tifffile"), trip(masks, middle, name)
    yield "regionprops_table", version_of("scikit-image"), trip(regions, centre)
    for version in ("0.4", "0.5"):
        writer = version_of("ome-zarr")
        yield f"OME-Zarr plate {version}", writer, trip(plate, middle, version, classes=False)
    yield "AnnData, obs and spatial", version_of("anndata"), trip(anndata_file, middle)


def keep_files(folder: Path) -> None:
    """Small files of the real writers, for the tests."""
    folder.mkdir(parents=True, exist_ok=True)
    # Without noise they are small.
    made = truths(2, noise=0)
    for version in ("0.4", "0.5"):
        with tempfile.TemporaryDirectory() as name:
            root = Path(name)
            write_plate(root / "plate.zarr", made, version)
            with zipfile.ZipFile(
                folder / f"plate-{version}.zip", "w", zipfile.ZIP_DEFLATED
            ) as kept:
                for path in sorted(root.rglob("*")):
                    if path.is_file():
                        kept.write(path, path.relative_to(root))
    write_anndata(folder / "cells.h5ad", made)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=Path, help="keep the files of the real writers here")
    options = parser.parse_args()
    if options.files:
        keep_files(options.files)
        return
    print("| format | written by | objects in | objects out | positions equal | classes equal |")
    print("|---|---|---|---|---|---|")
    for name, writer, run in trips(truths()):
        if writer is None:
            print(f"| {name} | not installed | | | | |")
            continue
        with tempfile.TemporaryDirectory() as folder:
            print(f"| {name} | {writer} | {' | '.join(run(Path(folder)))} |")
    print()
    for line in lines(tempfile.TemporaryDirectory, truths(), write_plate):
        print(line, flush=True)


if __name__ == "__main__":
    main()
