import numpy as np
import pandas as pd
import pytest
import tifffile
from skimage.measure import regionprops_table

from napari_channelmix.errors import DataError, ModelError
from napari_channelmix.scan import Role
from napari_channelmix.scan.tables import scan_table

from .made_cells import CHANNELS, made_fields, places_of, write_images, write_stacks


@pytest.fixture
def fields():
    return made_fields()


def regions(fields, **more):
    """A table as scikit-image's ``regionprops_table`` gives it, a part for each field."""
    parts = [
        pd.DataFrame(regionprops_table(field.labels, properties=("label", "centroid", "area")))
        .assign(path=f"{field.stem}.tif")
        .assign(phenotype=[field.classes[number] for number in field.ids])
        for field in fields
    ]
    return pd.concat(parts, ignore_index=True).assign(**more)


def test_regions_of_scikit_image_are_cells_at_their_centroids(tmp_path, fields):
    write_stacks(fields, tmp_path)
    regions(fields).to_csv(tmp_path / "regions.csv", index=False)
    scan = scan_table(tmp_path / "regions.csv")
    # 'label' is the id of an object there, not a class.
    assert scan.roles["label"] is Role.OBJECT
    assert scan.roles["centroid-0"] is Role.Y
    assert scan.roles["phenotype"] is Role.CLASS
    wanted = sorted(
        (f"{f.stem}.tif", f.classes[n], *(round(v, 3) for v in f.centre(n)))
        for f in fields
        for n in f.ids
    )
    assert places_of(scan.cells()) == wanted


def test_a_column_of_masks_and_ids_gives_cells_with_outlines(tmp_path, fields):
    write_stacks(fields, tmp_path)
    (tmp_path / "masks").mkdir()
    for field in fields:
        tifffile.imwrite(tmp_path / "masks" / f"{field.stem}.tif", field.labels)
    frame = regions(fields)
    frame["mask_path"] = "masks/" + frame["path"]
    scan = scan_table(frame, images=tmp_path)
    assert scan.description()["cells"] | {"crop": 0} == {
        "from": "mask",
        "column": "mask_path",
        "object": "label",
        "crop": 0,
        "min_area": 1,
    }
    cells = scan.cells()
    assert places_of(cells) == sorted(
        (f"{f.stem}.tif", f.classes[n], *(round(v, 3) for v in f.middle(n)))
        for f in fields
        for n in f.ids
    )
    # The crop fits the cells: the largest has 10 pixels.
    assert cells.crop == 16


def test_a_wide_table_of_images_has_a_channel_in_each_file_column(tmp_path, fields):
    write_images(fields, tmp_path)
    frame = pd.DataFrame(
        {
            "well": [field.well.lower() for field in fields],
            "treatment": ["dmso", "drug", "drug"],
            **{f"{name}_path": [f"{f.stem}_{name}.tif" for f in fields] for name in CHANNELS},
        }
    )
    frame.to_csv(tmp_path / "images.csv", sep=";", index=False)
    scan = scan_table(tmp_path / "images.csv")
    assert scan.style == "table of images"
    assert dict(scan.channels) == {"DNA_path": "DNA", "GFP_path": "GFP"}
    assert scan.roles["well"] is Role.WELL
    assert scan.table()["well"].tolist() == ["B02", "B03", "B04"]
    assert scan.with_choice("cells", "each image").cells().classes == ("dmso", "drug")


def test_a_long_table_has_a_row_for_each_file(tmp_path, fields):
    write_images(fields, tmp_path)
    rows = [
        {"file": f"{field.stem}_{name}.tif", "Channel": name, "Metadata_Well": field.well, "nm": nm}
        for field in fields
        for name, nm in zip(CHANNELS, (405, 488), strict=True)
    ]
    scan = scan_table(pd.DataFrame(rows), images=tmp_path)
    assert list(scan.channels) == ["DNA", "GFP"]
    assert len(scan.table()) == 3
    assert scan.with_choice("cells", "each image").cells().channels == ("DNA", "GFP")


def test_two_columns_that_may_be_the_class_are_asked_for(tmp_path, fields):
    write_stacks(fields, tmp_path)
    treatment = ["a" if number % 2 else "b" for number in range(15)]
    frame = regions(fields, treatment=treatment)
    scan = scan_table(frame, images=tmp_path)
    assert Role.CLASS not in scan.roles.values()
    assert any("Choose 'class'" in line for line in scan.problems)
    with pytest.raises(DataError, match="Which column is the class"):
        scan.cells()
    assert scan.with_choice("class", "treatment").cells().classes == ("a", "b")
    assert scan.with_choice("class", "no class").cells().classes == ()


def test_numbers_of_a_class_are_a_class_and_not_ids(tmp_path, fields):
    write_stacks(fields, tmp_path)
    frame = pd.DataFrame({"path": [f"{f.stem}.tif" for f in fields], "label": [0, 1, 1]})
    scan = scan_table(frame, images=tmp_path)
    assert scan.roles["label"] is Role.CLASS


def test_decimal_commas_between_semicolons(tmp_path, fields):
    write_stacks(fields, tmp_path)
    frame = pd.DataFrame({"path": ["img01.tif"] * 2, "X": ["12,5", "30,25"], "Y": ["10,0", "9,5"]})
    frame.to_csv(tmp_path / "points.csv", sep=";", index=False)
    cells = scan_table(tmp_path / "points.csv").cells()
    assert cells.centres.tolist() == [[10.0, 12.5], [9.5, 30.25]]


@pytest.mark.parametrize(
    ("x", "y"),
    [("x", "y"), ("X", "Y"), ("centroid-1", "centroid-0"), ("Centroid_X", "Centroid_Y"),
     ("pos_x", "pos_y"), ("axis-1", "axis-0"), ("x_centroid", "y_centroid")],
)  # fmt: skip
def test_names_of_places(tmp_path, fields, x, y):
    write_stacks(fields, tmp_path)
    frame = pd.DataFrame({"path": ["img01.tif"] * 2, x: [12.5, 30.0], y: [10.0, 9.0]})
    cells = scan_table(frame, images=tmp_path).cells()
    assert cells.centres.tolist() == [[10.0, 12.5], [9.0, 30.0]]


def test_a_table_that_names_no_images_says_what_it_needs(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"t\.csv: names no image files.*it has a, b"):
        scan_table(tmp_path / "t.csv")


def test_an_empty_table_is_refused(tmp_path):
    (tmp_path / "t.csv").write_text("path,label\n")
    with pytest.raises(DataError, match="has no rows"):
        scan_table(tmp_path / "t.csv")


def test_images_must_be_a_folder(tmp_path):
    with pytest.raises(DataError, match="is no folder"):
        scan_table(pd.DataFrame({"path": ["a.tif"]}), images=tmp_path / "absent")


def test_names_with_umlauts_in_both_forms_and_blanks_are_found(tmp_path, fields):
    import unicodedata

    name = unicodedata.normalize("NFD", "Zelle müde 1.tif")
    write_stacks(fields[:1], tmp_path)
    (tmp_path / "img01.tif").rename(tmp_path / name)
    frame = pd.DataFrame({"path": ["C:\\Bilder\\ZELLE müde 1.tif"], "label": ["a"]})
    scan = scan_table(frame, images=tmp_path)
    assert scan.entries["path"].tolist() == [name]


def test_a_saved_scan_opens_as_the_same_cells(tmp_path, fields):
    from napari_channelmix.data import open_dataset

    write_stacks(fields, tmp_path / "images")
    regions(fields).to_csv(tmp_path / "regions.csv", index=False)
    scan = scan_table(tmp_path / "regions.csv")
    saved = scan.save(tmp_path / "sets.toml")
    assert places_of(open_dataset(saved)) == places_of(scan.cells())


def test_unreadable_images_are_a_problem_with_a_count(tmp_path, fields):
    write_stacks(fields, tmp_path)
    (tmp_path / "img02.tif").write_bytes(b"II*\0")
    scan = scan_table(regions(fields), images=tmp_path)
    assert scan.problems[0].startswith("1 of 3 images cannot be read")


def test_files_are_opened_once_when_questions_are_answered(tmp_path, fields, monkeypatch):
    from napari_channelmix.scan import looked_at

    write_stacks(fields, tmp_path)
    frame = regions(fields, treatment=["a", "b", "a"] * 5)
    scan = scan_table(frame, images=tmp_path)

    def refuse(*args, **kwargs):
        raise AssertionError("opened again")

    monkeypatch.setattr(looked_at, "open_image", refuse)
    assert scan.with_choice("class", "treatment").problems == ()


def test_pixels_are_those_at_the_places(tmp_path):
    pixels = np.arange(40 * 50, dtype=np.uint16).reshape(40, 50)
    tifffile.imwrite(tmp_path / "a.tif", pixels, imagej=True, metadata={"axes": "YX"})
    frame = pd.DataFrame({"path": ["a.tif"], "x": [20], "y": [11]})
    cells = scan_table(frame, images=tmp_path, crop=5).cells()
    assert np.array_equal(cells.read([0])[0, 0], pixels[9:14, 18:23])


def test_cells_are_grouped_by_their_image_where_no_well_is_named_never_by_their_class(
    tmp_path, fields
):
    write_stacks(fields, tmp_path)
    cells = scan_table(regions(fields), images=tmp_path).cells()
    assert sorted(set(cells.groups)) == ["img01.tif", "img02.tif", "img03.tif"]


@pytest.mark.parametrize(
    "columns",
    [
        {"ymin": [5, 20, 7], "xmin": [10, 30, 9], "ymax": [15, 29, 7], "xmax": [22, 41, 12]},
        {"bbox-0": [5, 20, 7], "bbox-1": [10, 30, 9], "bbox-2": [15, 29, 7], "bbox-3": [22, 41, 9]},
        {"top": [5, 20, 7], "left": [10, 30, 9], "height": [10, 9, 0], "width": [12, 11, 3]},
    ],
)
def test_boxes_are_cells_at_their_middles_in_crops_that_hold_them(tmp_path, fields, columns):
    write_stacks(fields, tmp_path)
    frame = pd.DataFrame({"path": ["img01.tif"] * 3, **columns})
    scan = scan_table(frame, images=tmp_path)
    # Rows 5 to 14 and columns 10 to 21: by hand 9.5 and 15.5.
    assert scan.cells().centres.tolist() == [[9.5, 15.5], [24.0, 35.0]]
    assert scan.cells().crop == 16
    assert "1 row of boxes without area" in scan.left_out[0].reason


def test_tiles_of_one_size_are_crops_of_this_size(tmp_path):
    pixels = np.arange(40 * 60, dtype=np.uint16).reshape(40, 60)
    tifffile.imwrite(tmp_path / "m.tif", pixels, imagej=True, metadata={"axes": "YX"})
    frame = pd.DataFrame(
        {"path": "m.tif", "y0": [0, 20], "x0": [20, 40], "size": 20, "split": ["train", "test"]}
    )
    scan = scan_table(frame, images=tmp_path)
    cells = scan.cells()
    assert np.array_equal(cells.read([1])[0, 0], pixels[20:40, 40:60])
    # One file holds both parts: it is no group.
    assert any("divides cells of one" in note for note in scan.notes)
    assert len(set(cells.groups)) == 2


def test_fractions_of_the_image_are_no_places_in_pixels(tmp_path, fields):
    write_stacks(fields, tmp_path)
    frame = pd.DataFrame({"path": ["img01.tif"] * 3, "x": [0.1, 0.5, 0.9], "y": [0.2, 0.3, 1.0]})
    assert Role.X not in scan_table(frame, images=tmp_path).roles.values()


def test_a_column_of_files_of_another_place_is_left_out_and_said(tmp_path, fields):
    write_stacks(fields, tmp_path)
    frame = regions(fields, source_path="old/raw.tif")
    scan = scan_table(frame, images=tmp_path)
    assert scan.left_out[0].path == "column 'source_path'"
    assert len(scan.cells()) == len(frame)


def test_ids_that_the_label_image_lacks_are_counted_in_the_scan_and_with_the_cells(
    tmp_path, fields
):
    write_stacks(fields, tmp_path)
    tifffile.imwrite(tmp_path / "m.tif", fields[0].labels)
    frame = pd.DataFrame(
        {"path": "img01.tif", "mask": "m.tif", "ObjectNumber": [1, 2, 99], "label": list("aba")}
    )
    scan = scan_table(frame, images=tmp_path)
    words = "1 of 3 rows names an id that the label image does not have, left out"
    assert scan.left_out[0].reason == f"{words} (first: row 2, id 99)"
    assert any(words in warning for warning in scan.cells().warnings)


def test_a_comma_that_may_divide_thousands_is_never_taken_silently(tmp_path, fields):
    write_stacks(fields, tmp_path)
    path = tmp_path / "t.csv"
    path.write_text('path,x,y\nimg01.tif,"1,234",5\n')
    with pytest.raises(DataError, match=r"line 2, column 'x': '1,234' is not a number"):
        scan_table(path)
    path.write_text("path;x;y\nimg01.tif;1,234;5,5\n")
    assert any("'1,234' is read as 1.234" in note for note in scan_table(path).notes)


@pytest.mark.parametrize("name", ["outlines", "table_cells", "table_columns", "tables"])
def test_the_examples_of_the_documentation_are_true(name, tmp_path, fields):
    import doctest
    import importlib

    write_stacks(fields[:1], tmp_path)
    frame = pd.DataFrame({"path": ["img01.tif"] * 2, "x": [20, 30], "y": [11, 12]})
    frame.assign(phenotype="live").to_csv(tmp_path / "cells.csv", index=False)
    module = importlib.import_module(f"napari_channelmix.scan.{name}")
    result = doctest.testmod(module, extraglobs={"folder": tmp_path})
    assert result.attempted > 0
    assert result.failed == 0


def table_of_points(folder, fields, **columns):
    write_stacks(fields[:1], folder)
    frame = pd.DataFrame({"path": ["img01.tif"] * 4, "x": [20, 30, 40, 50], "y": [11, 12, 13, 14]})
    return frame.assign(**columns)


def test_what_programs_write_for_nothing_is_no_class_and_a_class_called_none_is_said(
    tmp_path, fields
):
    frame = table_of_points(tmp_path, fields, phenotype=["live", "NA", "nan", "none"])
    frame.to_csv(tmp_path / "cells.csv", index=False)
    scan = scan_table(tmp_path / "cells.csv", crop=16)
    assert any("'none' in column 'phenotype' is a class" in note for note in scan.notes)
    cells = scan.cells()
    assert cells.classes == ("live", "none")
    assert cells.labels.tolist() == [0, -1, -1, 1]
    assert any("(1 'NA', 1 'nan')" in warning for warning in cells.warnings)


def test_a_name_of_two_columns_is_refused_where_it_is_used(tmp_path, fields):
    table_of_points(tmp_path, fields)
    path = tmp_path / "cells.csv"
    path.write_text("path,x,y,x,note,note\nimg01.tif,20,11,30,a,b\n")
    with pytest.raises(DataError, match="two columns are called 'x', which is taken for the x"):
        scan_table(path)
    path.write_text("path,x,y,note,note\nimg01.tif,20,11,a,b\n")
    assert not scan_table(path).problems


def test_boxes_of_two_pixels_are_cells_and_of_no_image_a_problem(tmp_path, fields):
    table_of_points(tmp_path, fields)
    boxes = pd.DataFrame({"path": "img01.tif", "xmin": [20], "ymin": [11], "xmax": 22, "ymax": 13})
    assert scan_table(boxes, images=tmp_path).cells().crop == 4
    (tmp_path / "img01.tif").write_bytes(b"no image")
    several = pd.concat([boxes, boxes.assign(xmax=40)])
    assert "cannot be read" in scan_table(several, images=tmp_path).problems[0]


@pytest.mark.parametrize("name", ["choices", "roles", "channels"])
@pytest.mark.parametrize("value", ["q", ["q"], {"q": ["r"]}])
def test_texts_by_name_are_checked(tmp_path, fields, name, value):
    frame = table_of_points(tmp_path, fields)
    with pytest.raises(ModelError, match=f"{name} must be"):
        scan_table(frame, images=tmp_path, **{name: value})


@pytest.mark.parametrize(
    ("frames", "answer", "planes"),
    [
        ([0, 2, 1, 1], None, [0, 2, 1, 1]),
        ([1, 3, 2, 2], None, [0, 2, 1, 1]),
        ([1, 2, 1, 1], "1", [0, 1, 0, 0]),
        ([1, 2, 1, 1], "0", [1, 2, 1, 1]),
    ],
)
def test_planes_in_a_table_count_from_0_or_1_and_where_nothing_tells_are_asked(
    tmp_path, fields, frames, answer, planes
):
    frame = table_of_points(tmp_path, fields, frame=frames).assign(path="film.tif")
    film = np.zeros((3, 61, 83), np.uint8)
    tifffile.imwrite(tmp_path / "film.tif", film, imagej=True, metadata={"axes": "TYX"})
    choices = {"times": "every"} | ({} if answer is None else {"first time": answer})
    scan = scan_table(frame, images=tmp_path, crop=16, choices=choices)
    cells = scan.cells()
    times = [int(cells.fields[index].name.rpartition("t=")[2]) for index in cells.table["field"]]
    assert times == planes
    if answer is not None:
        asked = scan_table(frame, images=tmp_path, choices={"times": "every"})
        assert "Which time of a file is the first in column 'frame'?" in asked.problems[0]


@pytest.mark.parametrize(
    ("column", "channel"),
    [("FileName_Anything", "Anything"), ("dapi_path", "dapi"), ("path", "image")],
)
def test_the_only_column_of_files_may_name_its_channel(tmp_path, fields, column, channel):
    write_images(fields[:1], tmp_path)
    file = sorted(path.name for path in tmp_path.glob("*.tif"))[0]
    frame = pd.DataFrame({"ImageNumber": [1], column: [file]})
    scan = scan_table(frame, images=tmp_path, choices={"cells": "each image"})
    assert scan.cells().channels == (channel,)


def test_files_of_one_name_in_a_folder_for_each_channel_are_channels(tmp_path, fields):
    for channel in ("DNA", "GFP"):
        write_images(fields[:2], tmp_path, subfolder=channel)
    names = sorted(path.name for path in (tmp_path / "DNA").iterdir())[:2]
    frame = pd.DataFrame({f"{c}_path": [f"{c}/{name}" for name in names] for c in ("DNA", "GFP")})
    scan = scan_table(frame, images=tmp_path, choices={"cells": "each image"})
    assert scan.cells().channels == ("DNA", "GFP")
    # The ends of paths are the same files.
    frame = pd.DataFrame({"file": names, "path": [f"C:\\x\\DNA\\{name}" for name in names]})
    again = scan_table(frame, images=tmp_path, choices={"cells": "each image"})
    assert any("'file' names the files of 'path' again" in note for note in again.notes)


@pytest.mark.parametrize("x", [[0.1, 0.2, 0.3, 0.4], ["20", "n.a.", "30", "40"]])
def test_columns_called_like_places_that_hold_none_are_said(tmp_path, fields, x):
    frame = table_of_points(tmp_path, fields, x=x, y=[0.2, 0.4, 0.6, 0.8])
    scan = scan_table(frame, images=tmp_path)
    assert Role.X not in scan.roles.values()
    assert any(note.startswith("'x', 'y' are no places in pixels") for note in scan.notes)


def test_parts_of_a_split_and_doses_with_units_are_understood_as_in_names(tmp_path, fields):
    columns = {"set": ["Train", "TEST", "train", "Val"], "dose": ["10 nM", "1uM", "10 nM", "0uM"]}
    frame = table_of_points(tmp_path, fields, **columns)
    scan = scan_table(frame, images=tmp_path)
    assert (scan.roles["set"], scan.roles["dose"]) == (Role.SPLIT, Role.DOSE)
    assert scan.table()["dose in µM"].tolist() == ["0.01", "1", "0.01", "0"]


def test_a_folder_of_more_files_than_are_looked_through_is_said(tmp_path, fields, monkeypatch):
    frame = table_of_points(tmp_path, fields).assign(path="elsewhere/img01.tif")
    (tmp_path / "notes.txt").write_text("")
    monkeypatch.setattr("napari_channelmix.scan.find_files.MOST_FILES", 1)
    scan = scan_table(frame, images=tmp_path)
    assert any(note.startswith("only the first") for note in scan.notes)


def test_rows_without_a_place_are_left_out_and_counted(tmp_path, fields):
    frame = table_of_points(tmp_path, fields, x=["20", "nan", "40", "50"])
    scan = scan_table(frame, images=tmp_path)
    assert scan.left_out[0].reason == "1 row without a place (first: row 1)"
    assert len(scan.cells()) == 3


def test_a_label_of_0_is_a_class_and_no_id(tmp_path, fields):
    write_stacks(fields, tmp_path)
    parts = [
        pd.DataFrame({"path": f"{field.stem}.tif", "x": [30, 50], "y": [30, 60], "label": [0, 1]})
        for field in fields
    ]
    scan = scan_table(pd.concat(parts, ignore_index=True), images=tmp_path)
    assert scan.roles["label"] is Role.CLASS
