"""QuPath's table and GeoJSON, read again as QuPath's own files are."""

import csv
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import tifffile

from napari_channelmix.data import Cells
from napari_channelmix.errors import DataError
from napari_channelmix.report.cell_results import CellResults, write_cells
from napari_channelmix.scan.tables import scan_table


def rows_of(path, delimiter="\t"):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


@pytest.fixture
def results(tmp_path):
    """Bent objects in two images of pixels that are no squares."""
    rng = np.random.default_rng(3)
    rows = []
    for number in (1, 2):
        labels = np.zeros((60, 80), np.uint16)
        for identity, (y, x) in enumerate([(8, 9), (8, 40), (35, 20)], start=11):
            labels[y : y + 9, x : x + 3] = labels[y + 6 : y + 9, x : x + 8] = identity
            rows.append(
                (f"s{number}.tif", f"m{number}.tif", identity, "ab"[identity % 2], number + 6)
            )
        tifffile.imwrite(
            tmp_path / f"s{number}.tif",
            rng.integers(0, 900, (60, 80)).astype(np.uint16),
            imagej=True,
            resolution=(1 / 0.325, 1 / 0.65),
            metadata={"axes": "YX", "unit": "um"},
        )
        tifffile.imwrite(tmp_path / f"m{number}.tif", labels)
    names = ["image", "mask", "cell_id", "class", "ImageNumber"]
    cells = Cells.from_frame(
        pd.DataFrame(rows, columns=names),
        image="image",
        channels=["DNA"],
        mask="mask",
        object="cell_id",
        label="class",
        crop=16,
        folder=tmp_path,
    )
    assert cells.fields[0].pixel_size == pytest.approx((0.65, 0.325))
    probabilities = np.float32([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]] * 2)
    return CellResults(cells, probabilities, ("a", "b"))


def test_the_table_is_what_qupath_exports(results, tmp_path):
    (path,) = write_cells(results, tmp_path / "detections.tsv")
    rows = rows_of(path)
    first, cells = rows[0], results.cells
    assert list(first)[:5] == ["Image", "Object ID", "Object type", "Name", "Classification"]
    assert (first["Image"], first["Object type"], first["Name"]) == ("s1.tif", "Detection", "11")
    assert (first["Classification"], first["Class given"]) == ("a", "b")
    y, x = cells.centres[0]
    assert float(first["Centroid X µm"]) == pytest.approx((x + 0.5) * 0.325)
    assert float(first["Centroid Y µm"]) == pytest.approx((y + 0.5) * 0.65)
    assert float(first["Probability: a"]) == pytest.approx(0.9)
    assert first["ImageNumber"] == "7"
    assert len({row["Object ID"] for row in rows}) == len(rows)


def test_cells_of_the_table_lie_where_they_lay(results, tmp_path):
    write_cells(results, tmp_path / "detections.tsv")
    cells = scan_table(tmp_path / "detections.tsv", images=tmp_path, crop=16).cells()
    np.testing.assert_allclose(cells.centres, results.cells.centres, atol=1e-6)
    called = [results.classes[code] for code in results.probabilities.argmax(axis=1)]
    assert [cells.classes[code] for code in cells.labels] == called


def test_ids_are_the_same_every_time_and_the_users_own_where_there_are(results, tmp_path):
    def ids(some, name):
        (path,) = write_cells(some, tmp_path / name)
        return [row["Object ID"] for row in rows_of(path)]

    made = ids(results, "one.tsv")
    assert ids(replace(results, chosen=np.array([4, 1])), "two.tsv") == [made[4], made[1]]
    table = results.cells.table.assign(**{"key Object ID": [*"uvwxy", ""]})
    own = replace(results, cells=replace(results.cells, table=table))
    assert ids(own, "three.tsv") == [*"uvwxy", made[5]]


def test_without_a_pixel_size_centres_are_in_pixels(results, tmp_path):
    fields = tuple(replace(field, unit=None) for field in results.cells.fields)
    some = replace(results, cells=replace(results.cells, fields=fields))
    (path,) = write_cells(some, tmp_path / "detections.csv", format="qupath")
    row = rows_of(path, ",")[0]
    assert float(row["Centroid X px"]) == results.cells.centres[0, 1] + 0.5


def test_geojson_is_a_file_for_each_image_with_the_same_ids(results, tmp_path):
    files = write_cells(results, tmp_path / "geojson", format="geojson")
    assert [file.name for file in files] == ["s1.geojson", "s2.geojson"]
    content = json.loads(files[1].read_text(encoding="utf-8"))
    assert content["type"] == "FeatureCollection"
    feature = content["features"][0]
    assert feature["properties"]["objectType"] == "detection"
    assert feature["properties"]["classification"] == {"name": "a", "color": [0, 114, 178]}
    assert feature["properties"]["measurements"]["Probability: a"] == pytest.approx(0.9)
    assert feature["properties"]["metadata"]["ImageNumber"] == "8"
    corners = feature["geometry"]["coordinates"]
    assert feature["geometry"]["type"] == "Polygon" and [9, 8] in corners[0]
    (table,) = write_cells(results, tmp_path / "detections.tsv")
    rows = rows_of(table)
    made = [feature["id"] for file in files for feature in json.loads(file.read_text())["features"]]
    assert made == [row["Object ID"] for row in rows]


def test_outlines_come_back_to_the_pixel(results, tmp_path):
    some = replace(results, chosen=np.arange(3))
    (path,) = write_cells(some, tmp_path / "s1.geojson")
    cells = scan_table(path, crop=16).cells()
    labels, again = results.cells.fields[0].labels, cells.fields[0].labels
    np.testing.assert_array_equal(again > 0, labels > 0)
    np.testing.assert_array_equal(cells.centres, results.cells.centres[:3])
    called = [results.classes[code] for code in results.probabilities.argmax(axis=1)[:3]]
    assert [cells.classes[code] for code in cells.labels] == called


def test_cells_without_outlines_are_points(results, tmp_path):
    fields = tuple(replace(field, labels=None) for field in results.cells.fields)
    some = replace(
        results,
        cells=replace(results.cells, fields=fields),
        chosen=np.arange(3),
        probabilities=None,
    )
    (path,) = write_cells(replace(some, classes=()), tmp_path / "s1.geojson")
    points = [feature["geometry"] for feature in json.loads(path.read_text())["features"]]
    y, x = results.cells.centres[2]
    assert points[2] == {"type": "Point", "coordinates": [x + 0.5, y + 0.5]}
    names = [
        feature["properties"]["classification"]["name"]
        for feature in json.loads(path.read_text())["features"]
    ]
    assert names == ["b", "a", "b"]


def test_a_named_file_of_no_cells_is_there(results, tmp_path):
    (path,) = write_cells(replace(results, chosen=[]), tmp_path / "none.geojson")
    assert json.loads(path.read_text()) == {"type": "FeatureCollection", "features": []}


def test_one_file_for_several_images_is_refused(results, tmp_path):
    with pytest.raises(DataError, match="the cells lie in 2; name a folder"):
        write_cells(results, tmp_path / "all.geojson")
    with pytest.raises(DataError, match="is unknown; use auto"):
        write_cells(results, tmp_path / "all.csv", format="excel")
    with pytest.raises(DataError, match="of the format qupath ends in"):
        write_cells(results, tmp_path / "all.h5ad", format="qupath")
