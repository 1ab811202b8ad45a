import numpy as np
import pytest

from napari_channelmix.errors import DataError
from napari_channelmix.scan.tables import scan_table

from .made_cells import made_fields, places_of, write_stacks, write_tiff

# y and x of a pixel in micrometres, which differ.
PIXEL = (0.5, 0.25)


def detections(fields, *, micrometres=True, image="{stem}.tif"):
    """Rows as QuPath's measurement exporter writes them: from the corner of the first pixel."""
    rows = []
    for field in fields:
        for number in field.ids:
            y, x = (value + 0.5 for value in field.centre(number))
            if micrometres:
                y, x = y * PIXEL[0], x * PIXEL[1]
            rows.append(
                {
                    "Image": image.format(stem=field.stem),
                    "Object ID": f"0f3c-{field.stem}-{number}",
                    "Object type": "Detection",
                    "Name": "",
                    "Classification": field.classes[number],
                    "Parent": "Root object (Image)",
                    "ROI": "Polygon",
                    f"Centroid X {'µm' if micrometres else 'px'}": f"{x:.4f}",
                    f"Centroid Y {'µm' if micrometres else 'px'}": f"{y:.4f}",
                    "Nucleus: Area µm^2": "31.4",
                    "DAPI: Nucleus: Mean": "812.25",
                }
            )
    return rows


def write_tsv(path, rows, separator="\t", encoding="utf-8"):
    lines = [separator.join(rows[0]), *(separator.join(row.values()) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding)
    return path


@pytest.fixture
def fields():
    return made_fields()


def expected(fields):
    return sorted(
        (
            f"{field.stem}.tif",
            field.classes[number],
            *(round(value, 3) for value in field.centre(number)),
        )
        for field in fields
        for number in field.ids
    )


def close(cells, fields):
    """Names and classes are the same, places within what four decimals leave."""
    got, wanted = places_of(cells), expected(fields)
    assert [row[:2] for row in got] == [row[:2] for row in wanted]
    np.testing.assert_allclose(
        np.array([row[2:] for row in got]), np.array([row[2:] for row in wanted]), atol=1e-3
    )


def test_micrometres_become_pixels_by_the_pixel_size_of_the_image(tmp_path, fields):
    write_stacks(fields, tmp_path, pixel_size=PIXEL)
    scan = scan_table(write_tsv(tmp_path / "measurements.tsv", detections(fields)))
    assert scan.style == "QuPath detections"
    close(scan.cells(), fields)


def test_one_place_by_hand(tmp_path):
    # 10 um at 0.5 um a pixel is 20 pixels from the corner, 19.5 from the middle of the first;
    # 3 um at 0.25 um a pixel is 12, so 11.5.
    write_tiff(tmp_path / "a.tif", np.arange(60 * 80, dtype=np.uint16).reshape(60, 80), PIXEL)
    row = {"Image": "a.tif", "Centroid X µm": "3.0", "Centroid Y µm": "10.0"}
    scan = scan_table(write_tsv(tmp_path / "d.tsv", [row]))
    assert scan.entries[["y", "x"]].values.tolist() == [["19.5", "11.5"]]


def test_pixels_are_moved_by_half_a_pixel_and_that_is_said(tmp_path, fields):
    write_stacks(fields, tmp_path)
    rows = detections(fields, micrometres=False)
    scan = scan_table(write_tsv(tmp_path / "m.csv", rows, ","))
    close(scan.cells(), fields)
    assert any("half a pixel" in note for note in scan.notes)


def test_without_a_pixel_size_the_problem_says_how_to_give_it(tmp_path, fields):
    write_stacks(fields, tmp_path)
    path = write_tsv(tmp_path / "m.tsv", detections(fields))
    scan = scan_table(path)
    assert "image_pixel_size=0.5" in scan.problems[0]
    with pytest.raises(DataError, match="does not state its pixel size"):
        scan.cells()
    assert scan_table(path, image_pixel_size=0.5).problems == ()


def test_decimal_commas_and_an_encoding_of_windows(tmp_path, fields):
    write_stacks(fields, tmp_path, pixel_size=PIXEL)
    rows = detections(fields)
    for row in rows:
        for name in [*row][-4:-2]:
            row[name] = row[name].replace(".", ",")
    close(scan_table(write_tsv(tmp_path / "m.tsv", rows, encoding="cp1252")).cells(), fields)


@pytest.mark.parametrize("image", ["{stem}.tif - Series 1", "{stem}.tif - Scene #2 (40x)"])
def test_what_stands_behind_the_name_of_a_file_is_left_out(tmp_path, fields, image):
    write_stacks(fields, tmp_path, pixel_size=PIXEL)
    rows = detections(fields, image=image)
    scan = scan_table(write_tsv(tmp_path / "m.tsv", rows))
    close(scan.cells(), fields)
    assert any("names of images are read without" in note for note in scan.notes)


def test_annotations_beside_detections_are_left_out_and_counted(tmp_path, fields):
    write_stacks(fields, tmp_path, pixel_size=PIXEL)
    rows = detections(fields)
    rows.insert(1, {**rows[0], "Object type": "Annotation", "Classification": "Region"})
    scan = scan_table(write_tsv(tmp_path / "m.tsv", rows))
    close(scan.cells(), fields)
    assert scan.left_out[0].reason == "1 row of annotations"


def test_a_detection_without_class_is_a_cell_without_class(tmp_path, fields):
    write_stacks(fields, tmp_path, pixel_size=PIXEL)
    rows = detections(fields)
    rows[0]["Classification"], rows[1]["Classification"] = "", "Unclassified"
    cells = scan_table(write_tsv(tmp_path / "m.tsv", rows)).cells()
    assert (cells.labels < 0).sum() == 2
    assert cells.classes == ("negative", "positive")


def test_an_earlier_version_calls_its_columns_class_and_has_no_ids(tmp_path, fields):
    write_stacks(fields, tmp_path, pixel_size=PIXEL)
    rows = [
        {
            "Image": row["Image"],
            "Name": row["Classification"],
            "Class": row["Classification"],
            "Parent": "Annotation",
            "Centroid X µm": row["Centroid X µm"],
            "Centroid Y µm": row["Centroid Y µm"],
        }
        for row in detections(fields)
    ]
    close(scan_table(write_tsv(tmp_path / "m.txt", rows)).cells(), fields)


def test_centres_outside_their_image_are_a_problem_with_place_and_size(tmp_path, fields):
    write_stacks(fields, tmp_path)
    rows = detections(fields, micrometres=False)
    rows[2]["Centroid X px"] = "400.5"
    scan = scan_table(write_tsv(tmp_path / "m.tsv", rows))
    assert "1 of 15 points lie outside" in scan.problems[0]
    assert "line 4" in scan.problems[0]
    assert "x=400, its image has 61 x 83" in scan.problems[0]
