import json

import numpy as np
import pytest
import tifffile

import napari_channelmix as cm
from napari_channelmix.errors import DataError, SaveError
from napari_channelmix.scan import Role
from napari_channelmix.scan.tables import scan_table

from .made_cells import HEIGHT, WIDTH, write_tiff


def square(x, y, size):
    """A square whose first pixel is (x, y), as QuPath has it: corners are whole numbers."""
    return [[x, y], [x + size, y], [x + size, y + size], [x, y + size], [x, y]]


def feature(*rings, name=None, kind="detection", number=1, **more):
    properties = {"objectType": kind}
    if name:
        properties["classification"] = {"name": name, "color": [200, 0, 0]}
    return {
        "type": "Feature",
        "id": f"aa-{number}",
        "geometry": {"type": "Polygon", "coordinates": list(rings)},
        "properties": properties,
        **more,
    }


def write(folder, features, name="slide.geojson", image="slide.tif"):
    pixels = np.arange(HEIGHT * WIDTH, dtype=np.uint16).reshape(HEIGHT, WIDTH)
    write_tiff(folder / image, pixels)
    path = folder / name
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
    return path


def test_outlines_are_cells_of_their_pixels(tmp_path):
    path = write(
        tmp_path,
        [
            feature(square(4, 6, 5), name="Tumor"),
            feature(square(20, 30, 8), name="Stroma: Positive", number=2),
        ],
    )
    scan = scan_table(path)
    assert scan.style == "outlines (GeoJSON)"
    cells = scan.cells()
    # Pixels 4 to 8 and 6 to 10: the middle is 6 and 8.
    assert cells.centres.tolist() == [[8.0, 6.0], [33.5, 23.5]]
    assert [cells.classes[label] for label in cells.labels] == ["Tumor", "Stroma: Positive"]
    labels = np.asarray(cells.fields[0].labels)
    assert [int((labels == number).sum()) for number in (1, 2)] == [25, 64]
    assert cells.keys["QuPath id"].tolist() == ["aa-1", "aa-2"]


def test_a_hole_and_two_parts_are_of_their_cell(tmp_path):
    ring = feature(square(4, 6, 6), square(6, 8, 2))
    parts = feature(number=2)
    parts["geometry"] = {
        "type": "MultiPolygon",
        "coordinates": [[square(30, 10, 4)], [square(40, 10, 3)]],
    }
    cells = scan_table(write(tmp_path, [ring, parts])).cells()
    labels = np.asarray(cells.fields[0].labels)
    assert (labels == 1).sum() == 36 - 4
    assert labels[8:10, 6:8].tolist() == [[0, 0], [0, 0]]
    assert (labels == 2).sum() == 16 + 9


def test_overlaps_are_said_and_the_first_keeps_the_pixels(tmp_path):
    scan = scan_table(write(tmp_path, [feature(square(4, 4, 6)), feature(square(8, 4, 6))]))
    assert any("1 of 2 outlines overlaps an earlier one" in note for note in scan.notes)
    labels = np.asarray(scan.cells().fields[0].labels)
    assert [int((labels == number).sum()) for number in (1, 2)] == [36, 24]


def test_the_label_image_is_written_beside_the_data_set(tmp_path):
    from napari_channelmix.data import open_dataset

    scan = scan_table(write(tmp_path, [feature(square(4, 6, 5), name="a")]))
    before = sorted(path.name for path in tmp_path.iterdir())
    scan.cells()
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    other = tmp_path / "set"
    other.mkdir()
    saved = scan.save(other / "mine.toml")
    assert sorted(path.name for path in other.iterdir()) == [
        "mine.csv",
        "mine.toml",
        "slide_outlines.tif",
    ]
    assert (tifffile.imread(other / "slide_outlines.tif") == 1).sum() == 25
    assert open_dataset(saved).centres.tolist() == [[8.0, 6.0]]


def test_saving_writes_all_or_nothing(tmp_path):
    scan = scan_table(write(tmp_path, [feature(square(4, 6, 5))]))
    (tmp_path / "slide_outlines.tif").write_bytes(b"mine")
    with pytest.raises(SaveError, match=r"slide_outlines\.tif is there already"):
        scan.save()
    assert not (tmp_path / "dataset.toml").exists()
    assert (tmp_path / "slide_outlines.tif").read_bytes() == b"mine"


def test_nuclei_within_cells_can_be_chosen(tmp_path):
    nucleus = {"type": "Polygon", "coordinates": [square(6, 7, 2)]}
    cell = feature(square(4, 6, 6), kind="cell", nucleusGeometry=nucleus)
    scan = scan_table(write(tmp_path, [cell]))
    labels = np.asarray(scan.cells().fields[0].labels)
    assert (labels == 1).sum() == 36
    nuclei = scan.with_choice("label image", "nuclei").cells()
    assert np.argwhere(np.asarray(nuclei.fields[0].labels) == 1).tolist() == [
        [7, 6],
        [7, 7],
        [8, 6],
        [8, 7],
    ]


def test_points_are_moved_by_half_a_pixel(tmp_path):
    point = feature(name="Immune")
    point["geometry"] = {"type": "MultiPoint", "coordinates": [[10.5, 20.5], [11.0, 12.0]]}
    scan = scan_table(write(tmp_path, [point]))
    assert scan.roles["x"] is Role.X
    assert scan.cells().centres.tolist() == [[20.0, 10.0], [11.5, 10.5]]


def test_annotations_beside_detections_and_lines_are_left_out_and_counted(tmp_path):
    line = feature(number=3)
    line["geometry"] = {"type": "LineString", "coordinates": [[0, 0], [9, 9]]}
    region = feature(square(0, 0, 40), kind="annotation", number=2)
    scan = scan_table(write(tmp_path, [feature(square(4, 6, 5)), region, line]))
    assert [item.reason for item in scan.left_out] == [
        "objects that are no detections (1 annotation)",
        "objects that are neither areas nor points (1 LineString)",
    ]
    assert len(scan.cells()) == 1


def test_an_outline_outside_the_image_is_left_out_and_counted(tmp_path):
    scan = scan_table(write(tmp_path, [feature(square(4, 6, 5)), feature(square(500, 6, 5))]))
    assert scan.left_out[0].reason == "1 outline without a pixel of the image"
    assert len(scan.cells()) == 1


def test_the_image_is_that_of_the_same_name_or_asked_for(tmp_path):
    path = write(tmp_path, [feature(square(4, 6, 5))], image="slide.ome.tif")
    write_tiff(tmp_path / "other.tif", np.zeros((9, 9), np.uint8))
    assert scan_table(path).entries["image"].tolist() == ["slide.ome.tif"]
    path.rename(tmp_path / "export.geojson")
    with pytest.raises(DataError, match=r"cannot be told .*other\.tif.*give both the same name"):
        scan_table(tmp_path / "export.geojson")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[", "cannot be read as GeoJSON"),
        ("[" * 100_000, "nested too deeply"),
        ('{"type": "FeatureCollection", "features": []}', "holds no objects"),
        ('{"a": 1}', "is no GeoJSON of objects"),
        (json.dumps([feature([[0, 0], ["x", 1]])]), "object 1: its outline is no list of points"),
        (json.dumps([feature([[0, 0], [1e300, 1]])]), "points that are no pixels"),
        (json.dumps([feature([[0, 0], [10**400, 1]])]), "is no list of points"),
    ],
)
def test_what_is_no_geojson_is_refused_in_a_line(tmp_path, content, message):
    path = write(tmp_path, [])
    path.write_text(content)
    with pytest.raises(DataError, match=message) as caught:
        scan_table(path)
    assert str(path) in str(caught.value)


def test_the_files_of_several_images_are_one_table(tmp_path):
    from napari_channelmix.scan import scan_folder

    write(tmp_path, [feature(square(4, 6, 5), name="a")], "s1.geojson", "s1.tif")
    write(tmp_path, [feature(square(9, 8, 7)), feature(square(20, 30, 5))], "s2.geojson", "s2.tif")
    cells = scan_table(tmp_path / "*.geojson").cells()
    assert cells.centres.tolist() == [[8.0, 6.0], [11.0, 12.0], [32.0, 22.0]]
    assert cells.table["field"].tolist() == [0, 1, 1]
    assert (cells.labels < 0).tolist() == [False, True, True]
    # So are those of a folder, where they lie beside their images.
    scan = scan_folder(tmp_path).with_choice("source", "the table *.geojson")
    assert len(scan.cells()) == 3


def test_two_files_of_one_image_are_refused(tmp_path):
    path = write(tmp_path, [feature(square(4, 6, 5))])
    (tmp_path / "slide.ome.geojson").write_text(path.read_text())
    with pytest.raises(DataError, match=r"two GeoJSON files are of the image 'slide\.tif'"):
        scan_table(tmp_path / "*.geojson")


def test_outlines_on_a_colour_picture_have_its_colours_as_channels(tmp_path):
    path = write(tmp_path, [feature(square(4, 6, 5), name="Tumor")])
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[..., 1] = 200
    tifffile.imwrite(tmp_path / "slide.tif", pixels, photometric="rgb")
    scan = scan_table(path, crop=8)
    cells = scan.cells()
    assert cells.channels == ("red", "green", "blue")
    assert cells.read([0])[0].max(axis=(1, 2)).tolist() == [0, 200, 0]


def test_outlines_of_another_image_are_refused(tmp_path):
    path = write(tmp_path, [feature(square(5000, 6000, 5))])
    with pytest.raises(DataError, match="none of its 1 outline has a pixel of the image of"):
        scan_table(path)


def test_files_of_all_images_are_opened_and_saved_where_they_lie(tmp_path):
    folder = tmp_path / "slides"
    folder.mkdir()
    write(folder, [feature(square(4, 6, 5), name="a")], "s1.geojson", "s1.tif")
    # Its images are not looked for beside the folder.
    write_tiff(tmp_path / "s1.tif", np.zeros((9, 9), np.uint8))
    assert len(cm.open(folder / "*.geojson")) == 1
    assert scan_table(folder / "*.geojson").save() == folder / "dataset.toml"
