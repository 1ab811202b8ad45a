import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

from napari_channelmix.errors import DataError
from napari_channelmix.scan import Role, scan_folder
from napari_channelmix.scan.plate import is_plate, scan_plate
from napari_channelmix.settings import ScanSettings

# Written by ome-zarr's own writers: python benchmarks/round_trips.py --files tests/scan/files
FILES = Path(__file__).parent / "files"


@pytest.fixture(params=["0.4", "0.5"])
def plate(request, tmp_path):
    """A plate of the wells B2 and B3, with a field each and the label image 'nuclei'."""
    with zipfile.ZipFile(FILES / f"plate-{request.param}.zip") as file:
        file.extractall(tmp_path)
    return tmp_path / "plate.zarr"


def change(group, **attributes):
    """Change attributes of a group, wherever its version keeps them."""
    new, old = group / "zarr.json", group / ".zattrs"
    if new.exists():
        content = json.loads(new.read_text())
        content["attributes"]["ome"] |= attributes
        new.write_text(json.dumps(content))
    else:
        old.write_text(json.dumps(json.loads(old.read_text()) | attributes))


def add_labels(field, name, pixels):
    """A further label image, as the specification has it."""
    version = 3 if (field / "zarr.json").exists() else 2
    shutil.copytree(field / "labels" / "nuclei", field / "labels" / name)
    level = "s0" if (field / "labels" / name / "s0").exists() else "0"
    shutil.rmtree(field / "labels" / name / level)
    array = zarr.create_array(
        str(field / "labels" / name / level),
        shape=pixels.shape,
        chunks=pixels.shape,
        dtype=pixels.dtype,
        zarr_format=version,
    )
    array[...] = pixels
    change(field / "labels", labels=["nuclei", name])


def test_a_plate_of_ome_zarr_has_a_row_for_each_well_and_field(plate):
    assert is_plate(plate)
    scan = scan_plate(plate)
    assert scan.style.startswith("OME-Zarr plate")
    assert scan.problems == ()
    assert scan.table()[["well", "field", "image"]].values.tolist() == [
        ["B02", "0", "plate.zarr/B/2/0"],
        ["B03", "0", "plate.zarr/B/3/0"],
    ]
    assert scan.roles["well"] is Role.WELL
    assert dict(scan.channels) == {"DNA": "DNA", "GFP": "GFP"}


def test_its_cells_are_those_of_its_label_images(plate):
    cells = scan_plate(plate).cells()
    level = "s0" if (plate / "B/2/0/s0").exists() else "0"
    labels = np.asarray(zarr.open_array(str(plate / "B/2/0/labels/nuclei" / level), mode="r"))
    first = cells.table["field"].to_numpy() == 0
    assert cells.table["object"].to_numpy()[first].tolist() == list(range(1, labels.max() + 1))
    places = np.argwhere(labels == 3)
    expected = (places.min(axis=0) + places.max(axis=0)) / 2
    assert cells.centres[first][2].tolist() == expected.tolist()
    assert sorted(set(cells.groups)) == ["B02", "B03"]
    assert cells.fields[0].pixel_size == pytest.approx((0.65, 0.325))
    assert cells.fields[0].unit == "micrometer"


def test_its_crop_is_proposed_in_pixels_after_resampling(plate):
    # The longest objects are of 12 pixels, each 0.65 µm high.
    scans = [scan_plate(plate, ScanSettings(pixel_size=size)) for size in (None, 0.325)]
    crops = [scan.description()["cells"]["crop"] for scan in scans]
    assert crops == [16, 24]


def test_a_saved_plate_opens_as_the_same_cells(plate, tmp_path):
    from napari_channelmix.data import open_dataset

    scan = scan_plate(plate)
    other = tmp_path / "sets"
    other.mkdir()
    saved = open_dataset(scan.save(other / "plate.toml"))
    assert np.array_equal(saved.centres, scan.cells().centres)


def test_of_several_label_images_one_has_to_be_chosen(plate):
    for well in ("2", "3"):
        pixels = np.zeros((121, 157), np.uint8)
        pixels[20:30, 40:60] = 9
        add_labels(plate / "B" / well / "0", "cells", pixels)
    scan = scan_plate(plate)
    assert any("Choose 'label image': cells, nuclei" in line for line in scan.problems)
    assert scan.with_choice("label image", "cells").cells().table["object"].tolist() == [9, 9]
    none = scan.with_choice("label image", "none of them")
    assert Role.MASK not in none.roles.values()


def test_fields_without_the_chosen_label_image_are_left_out_and_listed(plate):
    shutil.rmtree(plate / "B/3/0/labels")
    scan = scan_plate(plate)
    assert [(item.path, item.reason) for item in scan.left_out] == [
        ("plate.zarr/B/3/0", "has no label image 'nuclei'")
    ]
    assert set(scan.cells().groups) == {"B02"}


def test_wells_that_the_metadata_list_and_that_are_missing_are_listed(plate):
    shutil.rmtree(plate / "B/3")
    scan = scan_plate(plate)
    assert scan.left_out[0].path == "B/3"
    assert "it is not there" in scan.left_out[0].reason
    assert scan.table()["well"].tolist() == ["B02"]


def test_a_field_without_its_array_is_listed(plate):
    level = "s0" if (plate / "B/3/0/s0").exists() else "0"
    shutil.rmtree(plate / "B/3/0" / level)
    scan = scan_plate(plate)
    assert scan.left_out[0].path == "B/3/0"
    assert f"its array '{level}' is not there" in scan.left_out[0].reason


def test_a_plate_whose_images_are_all_missing_is_refused_in_a_line(plate):
    for well in ("2", "3"):
        shutil.rmtree(plate / "B" / well / "0")
    with pytest.raises(DataError, match=r"none of the images of its 2 wells is there \(first: B/2"):
        scan_plate(plate)


@pytest.mark.parametrize("path", ["../other", "/etc", "B/../../x", 7, None])
def test_a_well_outside_the_plate_is_never_read(plate, path):
    attributes = {"plate": {"name": "p", "wells": [{"path": path}, {"path": "B/2"}]}}
    change(plate, **attributes)
    scan = scan_plate(plate)
    assert scan.table()["well"].tolist() == ["B02"]
    assert len(scan.left_out) == 1


def test_label_images_of_another_size_are_a_problem(plate):
    for well in ("2", "3"):
        add_labels(plate / "B" / well / "0", "small", np.ones((60, 157), np.uint8))
    scan = scan_plate(plate).with_choice("label image", "small")
    assert "2 label images have another size" in scan.problems[0]


def test_several_acquisitions_are_fields_of_the_same_well(plate):
    shutil.copytree(plate / "B/2/0", plate / "B/2/1")
    well = {"images": [{"path": "0", "acquisition": 1}, {"path": "1", "acquisition": 2}]}
    change(plate / "B/2", well=well)
    scan = scan_plate(plate)
    assert scan.table()["acquisition"].tolist() == ["1", "2", ""]
    assert "acquisitions are fields of view" in scan.notes[0]
    assert set(scan.cells().groups) == {"B02", "B03"}


def test_an_image_or_a_plain_folder_is_no_plate(plate, tmp_path):
    assert not is_plate(plate / "B/2/0")
    assert not is_plate(tmp_path)
    with pytest.raises(DataError, match="is no plate in OME-Zarr"):
        scan_plate(plate / "B/2/0")


def test_a_plate_is_scanned_from_within_its_folder(plate, monkeypatch):
    monkeypatch.chdir(plate)
    assert len(scan_plate(".").cells()) == len(scan_plate(plate).cells())


def test_a_table_of_wells_beside_the_plate_gives_their_classes(plate):
    table = plate.parent / "wells.csv"
    table.write_text("well,class\nB03,treated\n")
    scan = scan_plate(plate)
    wells = scan.table()["well"].tolist()
    assert scan.table()["class"].tolist() == ["treated" if w == "B03" else "" for w in wells]
    assert "treated" in scan.table()["class"].tolist()
    table.rename(plate.parent / "moved.txt.csv")
    other = plate.parent / "other.csv"
    other.write_text("well,class\nB03,other\n")
    assert "other" in scan_plate(plate, ScanSettings(wells=other)).table()["class"].tolist()


def test_a_pattern_is_refused_for_a_plate(plate):
    with pytest.raises(DataError, match="leave out the pattern"):
        scan_plate(plate, ScanSettings(pattern="{well}.tif"))


def test_nuclei_can_be_segmented_in_a_plate_with_label_images(plate):
    scan = scan_plate(plate).with_choice("cells", "segment nuclei in DNA")
    assert not scan.problems
    assert {"labelled", "min_area"}.isdisjoint(scan.description()["cells"])


def test_a_plate_beside_images_is_left_out_with_a_word(plate):
    for name in ("a.tif", "b.tif"):
        tifffile.imwrite(plate.parent / name, np.zeros((64, 64), np.uint8))
    (left,) = scan_folder(plate.parent).left_out
    assert left.path == "plate.zarr" and "scan it by itself" in left.reason
