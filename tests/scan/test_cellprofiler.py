import csv

import pandas as pd
import pytest
import tifffile

from napari_channelmix.errors import DataError
from napari_channelmix.scan import Role
from napari_channelmix.scan.tables import scan_table

from .made_cells import CHANNELS, made_fields, places_of, write_images, write_tiff

STALE = "D:\\screens\\2021 März\\plate 1"


def image_rows(fields, folder=STALE, masks=True, suffix=".tif"):
    rows = []
    for number, field in enumerate(fields, start=1):
        row = {"ImageNumber": number, "Count_Nuclei": len(field.ids), "Metadata_Well": field.well}
        for channel in CHANNELS:
            row[f"FileName_{channel}"] = f"{field.stem}_{channel}{suffix}"
            row[f"PathName_{channel}"] = folder
        if masks:
            row["ObjectsFileName_Nuclei"] = f"{field.stem}_Nuclei.tiff"
            row["ObjectsPathName_Nuclei"] = folder
            row["ObjectsFileName_Cells"] = f"{field.stem}_Cells.tiff"
            row["ObjectsPathName_Cells"] = folder
        rows.append(row)
    return rows


def object_rows(fields):
    return [
        {
            "ImageNumber": number,
            "ObjectNumber": identity,
            "Metadata_Treatment": field.classes[identity],
            "AreaShape_Area": int((field.labels == identity).sum()),
            "AreaShape_Eccentricity": 0.25 + identity / 100,
            "Location_Center_X": field.centre(identity)[1],
            "Location_Center_Y": field.centre(identity)[0],
        }
        for number, field in enumerate(fields, start=1)
        for identity in field.ids
    ]


def write_csv(path, rows, delimiter=","):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)


def write_masks(fields, folder):
    for field in fields:
        tifffile.imwrite(folder / f"{field.stem}_Nuclei.tiff", field.labels)
        tifffile.imwrite(folder / f"{field.stem}_Cells.tiff", field.labels)


@pytest.fixture
def fields():
    return made_fields()


@pytest.fixture
def exported(tmp_path, fields):
    """An export beside its images, whose paths are those of another computer."""
    write_images(fields, tmp_path, subfolder="images")
    write_masks(fields, tmp_path / "images")
    write_csv(tmp_path / "MyExpt_Image.csv", image_rows(fields))
    write_csv(tmp_path / "MyExpt_Nuclei.csv", object_rows(fields))
    return tmp_path


def expected(fields, place):
    return sorted(
        (
            f"{field.stem}_DNA.tif",
            field.classes[number],
            *(round(value, 3) for value in getattr(field, place)(number)),
        )
        for field in fields
        for number in field.ids
    )


def test_objects_are_found_by_their_label_image_and_number(exported, fields):
    scan = scan_table(exported / "MyExpt_Nuclei.csv")
    assert scan.style == "CellProfiler objects"
    assert dict(scan.channels) == {"FileName_DNA": "DNA", "FileName_GFP": "GFP"}
    assert scan.problems == ()
    cells = scan.cells()
    assert cells.channels == ("DNA", "GFP")
    assert places_of(cells) == expected(fields, "middle")
    assert sorted(set(cells.groups)) == ["B02", "B03", "B04"]
    # What the results can be joined with.
    assert {"ImageNumber", "ObjectNumber"} <= set(cells.keys)


def test_without_label_images_the_centres_are_used_as_they_stand(tmp_path, fields):
    write_images(fields, tmp_path)
    write_csv(tmp_path / "MyExpt_Image.csv", image_rows(fields, masks=False))
    write_csv(tmp_path / "MyExpt_Nuclei.csv", object_rows(fields))
    scan = scan_table(tmp_path / "MyExpt_Nuclei.csv")
    assert places_of(scan.cells()) == expected(fields, "centre")
    assert "x and y are taken for pixels from the middle of the first, y down" in scan.notes


def test_files_are_found_by_name_below_the_table_and_that_is_said(exported):
    scan = scan_table(exported / "MyExpt_Nuclei.csv")
    assert scan.entries["FileName_DNA"].iloc[0] == "images/img01_DNA.tif"
    assert any("found by their names" in note for note in scan.notes)


def test_measurements_are_left_out_and_counted(exported):
    scan = scan_table(exported / "MyExpt_Nuclei.csv")
    assert "AreaShape_Eccentricity" not in scan.entries
    assert any("of measurements" in note for note in scan.notes)


def test_the_label_images_of_the_objects_are_proposed_others_can_be_chosen(exported):
    scan = scan_table(exported / "MyExpt_Nuclei.csv")
    choice = next(one for one in scan.choices if one.name == "label image")
    assert choice.chosen == "ObjectsFileName_Nuclei"
    none = scan.with_choice("label image", "none of them")
    assert Role.MASK not in none.roles.values()
    assert none.description()["cells"]["from"] == "point"


def test_two_rows_of_names_are_one(exported, fields):
    rows = object_rows(fields)
    names = list(rows[0])
    heads = [
        "Image" if name in ("ImageNumber", "Metadata_Treatment") else "Nuclei" for name in names
    ]
    # The second object of the export, whose columns have the same names.
    names_of_both = [*names, "AreaShape_Area", "Location_Center_X"]
    with (exported / "Combined.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*heads, "Cells", "Cells"])
        writer.writerow(names_of_both)
        writer.writerows([*row.values(), 1, 1] for row in rows)
    (exported / "MyExpt_Image.csv").rename(exported / "Image.csv")
    scan = scan_table(exported / "Combined.csv")
    assert places_of(scan.cells()) == expected(fields, "middle")


def test_one_table_with_the_names_of_objects_in_front(tmp_path, fields):
    write_images(fields, tmp_path)
    rows = [
        {
            "ImageNumber": row["ImageNumber"],
            "Nuclei_Number_Object_Number": row["ObjectNumber"],
            "Image_FileName_DNA": image["FileName_DNA"],
            "Image_PathName_DNA": STALE,
            "Image_FileName_GFP": image["FileName_GFP"],
            "Image_PathName_GFP": STALE,
            "Image_Metadata_Well": image["Metadata_Well"],
            "Image_Metadata_Treatment": row["Metadata_Treatment"],
            "Nuclei_Location_Center_X": row["Location_Center_X"],
            "Nuclei_Location_Center_Y": row["Location_Center_Y"],
        }
        for row in object_rows(fields)
        for image in [image_rows(fields)[row["ImageNumber"] - 1]]
    ]
    write_csv(tmp_path / "everything.csv", rows)
    cells = scan_table(tmp_path / "everything.csv").cells()
    assert places_of(cells) == expected(fields, "centre")
    assert sorted(set(cells.groups)) == ["B02", "B03", "B04"]


def test_columns_of_classifyobjects_are_the_class(tmp_path, fields):
    write_images(fields, tmp_path)
    write_csv(tmp_path / "A_Image.csv", image_rows(fields, masks=False))
    rows = object_rows(fields)
    for row in rows:
        label = row.pop("Metadata_Treatment")
        row["Classify_negative"] = int(label == "negative")
        row["Classify_positive"] = int(label == "positive")
    write_csv(tmp_path / "A_Nuclei.csv", rows)
    assert places_of(scan_table(tmp_path / "A_Nuclei.csv").cells()) == expected(fields, "centre")


def test_objects_without_an_image_table_say_which_table_to_add(exported):
    (exported / "MyExpt_Image.csv").unlink()
    with pytest.raises(DataError, match=r"no image table \(MyExpt_Image\.csv\)"):
        scan_table(exported / "MyExpt_Nuclei.csv")


def test_an_image_number_that_two_runs_share_is_refused(exported, fields):
    rows = image_rows(fields)
    write_csv(exported / "MyExpt_Image.csv", [*rows, rows[0]])
    with pytest.raises(DataError, match=r"MyExpt_Image\.csv, line 5: the image number 1"):
        scan_table(exported / "MyExpt_Nuclei.csv")


def test_missing_images_leave_their_rows_out_with_count_and_line(exported, fields):
    (exported / "images" / "img02_GFP.tif").unlink()
    scan = scan_table(exported / "MyExpt_Nuclei.csv")
    assert len(scan.cells()) == len(fields[0].ids) + len(fields[2].ids)
    reason = scan.left_out[0].reason
    first = 2 + len(fields[0].ids)
    assert f"{len(fields[1].ids)} rows of 1 file" in reason
    assert f"line {first}, column 'FileName_GFP'" in reason


def test_no_image_at_all_is_one_line(exported):
    for path in (exported / "images").iterdir():
        path.unlink()
    with pytest.raises(DataError, match=r"none of its \d+ images is there .*images=") as caught:
        scan_table(exported / "MyExpt_Nuclei.csv")
    assert "\n" not in str(caught.value)


def test_a_name_that_two_folders_have_is_never_guessed(exported, fields):
    write_images(fields, exported, subfolder="other")
    with pytest.raises(DataError, match="is the name of 2 files"):
        scan_table(exported / "MyExpt_Nuclei.csv")


def test_of_two_files_of_a_name_the_folders_of_the_table_tell(exported, fields):
    write_images(fields, exported, subfolder="other")
    write_csv(exported / "MyExpt_Image.csv", image_rows(fields, folder="E:\\old\\images"))
    scan = scan_table(exported / "MyExpt_Nuclei.csv")
    assert scan.entries["FileName_GFP"].iloc[0] == "images/img01_GFP.tif"


def test_renumbered_label_images_are_never_used(exported, fields):
    for field in fields:
        top = field.labels.max()
        turned = field.labels.copy()
        turned[turned > 0] = top + 1 - turned[turned > 0]
        tifffile.imwrite(exported / "images" / f"{field.stem}_Nuclei.tiff", turned)
    scan = scan_table(exported / "MyExpt_Nuclei.csv")
    assert any("centres lie outside the object of their id" in line for line in scan.problems)
    with pytest.raises(DataError, match="centres lie outside"):
        scan.cells()
    # The centres themselves may still be used.
    assert len(scan.with_choice("label image", "none").cells())


def test_label_images_of_another_size_are_a_problem_with_both_sizes(exported, fields):
    tifffile.imwrite(exported / "images" / "img02_Nuclei.tiff", fields[1].labels[:-1])
    scan = scan_table(exported / "MyExpt_Nuclei.csv")
    assert len(scan.problems) == 1
    assert "60 x 83" in scan.problems[0]
    assert "61 x 83" in scan.problems[0]


def test_ids_that_no_label_image_has_are_a_problem(exported, fields):
    rows = object_rows(fields)
    for row in rows:
        row["ObjectNumber"] += 1000
    write_csv(exported / "MyExpt_Nuclei.csv", rows)
    scan = scan_table(exported / "MyExpt_Nuclei.csv")
    assert f"{len(rows)} of {len(rows)} ids" in scan.problems[0]


def test_an_image_table_itself_is_a_row_per_image(exported, fields):
    scan = scan_table(exported / "MyExpt_Image.csv")
    assert scan.style == "CellProfiler images"
    assert len(scan.entries) == len(fields)
    assert dict(scan.channels) == {"FileName_DNA": "DNA", "FileName_GFP": "GFP"}


def test_channels_that_are_planes_of_one_file_are_read_from_it(tmp_path, fields):
    from .made_cells import write_stacks

    write_stacks(fields, tmp_path)
    images = image_rows(fields, masks=False)
    for row, field in zip(images, fields, strict=True):
        row["FileName_DNA"] = row["FileName_GFP"] = f"{field.stem}.tif"
    write_csv(tmp_path / "E_Image.csv", images)
    write_csv(tmp_path / "E_Nuclei.csv", object_rows(fields))
    scan = scan_table(tmp_path / "E_Nuclei.csv")
    assert scan.cells().channels == ("DNA", "GFP")
    assert any("of the same files" in note for note in scan.notes)


def test_names_in_which_blanks_are_written_as_in_addresses(tmp_path, fields):
    write_images(fields, tmp_path)
    for path in tmp_path.glob("*.tif"):
        path.rename(path.with_name(path.name.replace("_", " ")))
    images = image_rows(fields, masks=False, folder="file:///D:/my%20screen")
    for row in images:
        for channel in CHANNELS:
            row[f"FileName_{channel}"] = row[f"FileName_{channel}"].replace("_", "%20")
    write_csv(tmp_path / "MyExpt_Image.csv", images)
    write_csv(tmp_path / "MyExpt_Nuclei.csv", object_rows(fields))
    scan = scan_table(tmp_path / "MyExpt_Nuclei.csv")
    assert scan.entries["FileName_DNA"].iloc[0] == "img01 DNA.tif"
    assert len(scan.cells()) == 15


def test_image_numbers_that_restart_are_told_apart_by_their_files(tmp_path, fields):
    write_images(fields, tmp_path)
    rows = []
    # Two runs below each other: image 1 is there twice, with other files.
    for field in fields[:2]:
        for row in object_rows([field]):
            names = {f"FileName_{name}": f"{field.stem}_{name}.tif" for name in CHANNELS}
            rows.append({**row, **names})
    write_csv(tmp_path / "both.csv", rows)
    cells = scan_table(tmp_path / "both.csv").cells()
    assert places_of(cells) == expected(fields[:2], "centre")


def test_decimal_commas_of_a_spreadsheet(tmp_path, fields):
    write_images(fields, tmp_path)
    write_csv(tmp_path / "MyExpt_Image.csv", image_rows(fields, masks=False), ";")
    rows = object_rows(fields)
    for row in rows:
        for name in ("Location_Center_X", "Location_Center_Y"):
            row[name] = f"{row[name]:.7f}".replace(".", ",")
    write_csv(tmp_path / "MyExpt_Nuclei.csv", rows, ";")
    cells = scan_table(tmp_path / "MyExpt_Nuclei.csv").cells()
    assert places_of(cells) == expected(fields, "centre")


def test_a_row_without_a_file_name_is_left_out_like_one_of_a_missing_file(exported, fields):
    rows = image_rows(fields)
    rows[1]["FileName_DNA"] = ""
    write_csv(exported / "MyExpt_Image.csv", rows)
    scan = scan_table(exported / "MyExpt_Nuclei.csv")
    assert "no file is named" in scan.left_out[0].reason
    assert len(scan.cells()) == len(fields[0].ids) + len(fields[2].ids)


def test_label_images_alone_are_no_images(tmp_path, fields):
    write_masks(fields, tmp_path)
    rows = [{"ImageNumber": 1, "ObjectsFileName_Nuclei": "img01_Nuclei.tiff"}]
    write_csv(tmp_path / "A_Image.csv", rows)
    with pytest.raises(DataError, match="names no image files, only label images"):
        scan_table(tmp_path / "A_Image.csv")


def test_files_of_one_name_in_a_folder_for_each_channel_are_no_planes_of_one_file(tmp_path, fields):
    rows = []
    for number, field in enumerate(fields, start=1):
        row = {"ImageNumber": number}
        for channel in CHANNELS:
            (tmp_path / channel).mkdir(exist_ok=True)
            write_tiff(tmp_path / channel / f"{field.stem}.tif", field.labels)
            row |= {f"FileName_{channel}": f"{field.stem}.tif"}
            row |= {f"PathName_{channel}": f"D:\\run\\{channel}"}
        rows.append(row)
    write_csv(tmp_path / "MyExpt_Image.csv", rows)
    scan = scan_table(tmp_path / "MyExpt_Image.csv", choices={"cells": "each image"})
    assert scan.cells().channels == CHANNELS


def test_an_object_without_a_centre_has_its_label_image(exported, fields):
    rows = object_rows(fields)
    rows[0]["Location_Center_X"] = "nan"
    write_csv(exported / "MyExpt_Nuclei.csv", rows)
    assert len(scan_table(exported / "MyExpt_Nuclei.csv").cells()) == len(rows)


def with_own_files(fields):
    """Objects with the user's own columns of files, and one that CellProfiler writes."""
    return [
        {
            **{key: value for key, value in row.items() if "Center" not in key},
            "Metadata_FileLocation": f"file:///old/{field.stem}_DNA.tif",
            "dna_path": f"{field.stem}_DNA.tif",
            "gfp_path": f"{field.stem}_GFP.tif",
            "mask_path": f"{field.stem}_Nuclei.tiff",
        }
        for row in object_rows(fields)
        for field in [fields[row["ImageNumber"] - 1]]
    ]


def test_objects_whose_own_columns_name_the_files_need_no_image_table(tmp_path, fields):
    write_images(fields, tmp_path)
    write_masks(fields, tmp_path)
    # Not every object of the label images, so that the numbers are seen to be used.
    rows = with_own_files(fields)[1:]
    scan = scan_table(pd.DataFrame(rows), images=tmp_path)
    assert scan.style == "table of cells" and list(scan.channels.values()) == ["dna", "gfp"]
    assert scan.roles["mask_path"] is Role.MASK and scan.roles["ObjectNumber"] is Role.OBJECT
    assert scan.roles["ImageNumber"] is Role.KEY
    cells = scan.cells()
    assert cells.table["object"].tolist() == [row["ObjectNumber"] for row in rows]
    first = expected(fields, "middle")
    assert len(cells) == len(first) - 1 and set(places_of(cells)) < set(first)


def test_one_object_of_each_label_image_is_its_cell(tmp_path, fields):
    write_images(fields, tmp_path)
    write_masks(fields, tmp_path)
    rows = [row for row in with_own_files(fields) if row["ObjectNumber"] == 2]
    write_csv(tmp_path / "objects.csv", rows)
    assert scan_table(tmp_path / "objects.csv").cells().table["object"].tolist() == [2, 2, 2]


def test_a_location_that_cellprofiler_writes_names_no_channel(tmp_path, fields):
    rows = [
        {key: value for key, value in row.items() if not key.endswith("_path")}
        for row in with_own_files(fields)
    ]
    write_csv(tmp_path / "MyExpt_Nuclei.csv", rows)
    with pytest.raises(DataError, match="no image table"):
        scan_table(tmp_path / "MyExpt_Nuclei.csv")
