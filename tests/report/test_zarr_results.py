"""Label images and tables beside a plate that ome-zarr wrote; benchmarks/round_trips.py reads them
with ome-zarr and ngio."""

import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import zarr

from napari_channelmix.data import Cells
from napari_channelmix.data.zarr_metadata import group_attributes
from napari_channelmix.errors import DataError, SaveError
from napari_channelmix.report.cell_results import CellResults, write_cells, write_cells_job
from napari_channelmix.scan.plate import scan_plate

FILES = Path(__file__).parents[1] / "scan" / "files"


@pytest.fixture(params=["0.4", "0.5"])
def plate_path(request, tmp_path):
    with zipfile.ZipFile(FILES / f"plate-{request.param}.zip") as packed:
        packed.extractall(tmp_path)
    return tmp_path / "plate.zarr"


@pytest.fixture
def results(plate_path):
    cells = scan_plate(plate_path).cells()
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet([1, 1], len(cells)).astype(np.float32)
    return CellResults(cells, probabilities, ("round", "long"), chosen=np.arange(1, len(cells)))


def content_of(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def fields_of(results):
    """Image folder, label image, and rows of the chosen cells of each field."""
    cells, rows = results.cells, results.positions
    for index, field in enumerate(cells.fields):
        own = rows[cells.table["field"].to_numpy()[rows] == index]
        yield Path(field.planes[0].file.path), field.labels, own


def test_objects_and_classes_become_label_images(results, plate_path):
    assert write_cells(results, plate_path) == (plate_path,)
    for folder, labels, rows in fields_of(results):
        ids = results.cells.table["object"].to_numpy()[rows]
        objects = zarr.open_array(folder / "labels/channelmix/0", mode="r")[:]
        np.testing.assert_array_equal(objects, np.where(np.isin(labels, ids), labels, 0))
        classes = zarr.open_array(folder / "labels/channelmix-classes/0", mode="r")[:]
        for identity, code in zip(ids, results.probabilities[rows].argmax(axis=1), strict=True):
            assert set(classes[labels == identity]) == {code + 1}
        assert (classes[objects == 0] == 0).all()


def test_metadata_are_those_of_the_version_of_the_image(results, plate_path):
    write_cells(results, plate_path)
    folder, _, rows = next(fields_of(results))
    own = group_attributes(folder / "labels/channelmix")
    image = group_attributes(folder)["multiscales"][0]
    axes = [axis for axis in image["axes"] if axis["name"] != "c"]
    assert own["multiscales"][0]["axes"] == axes
    scale = own["multiscales"][0]["datasets"][0]["coordinateTransformations"][0]["scale"]
    assert scale == image["datasets"][0]["coordinateTransformations"][0]["scale"][-2:]
    identity = int(results.cells.table["object"].iloc[rows[0]])
    code = int(results.probabilities[rows[0]].argmax())
    assert {"label-value": identity, "class": results.classes[code]} in own["image-label"][
        "properties"
    ]
    colors = {entry["label-value"]: entry["rgba"] for entry in own["image-label"]["colors"]}
    of_class = group_attributes(folder / "labels/channelmix-classes")["image-label"]
    assert colors[identity] == of_class["colors"][code]["rgba"]
    assert [entry["class"] for entry in of_class["properties"]] == ["round", "long"]
    version = "0.5" if (folder / "zarr.json").exists() else "0.4"
    raw = json.loads(
        (
            folder / "labels/channelmix" / ("zarr.json" if version == "0.5" else ".zattrs")
        ).read_text()
    )
    if version == "0.5":
        assert raw["attributes"]["ome"]["version"] == "0.5"
        # ome-zarr 0.11 wrote this list without a version, and ngio would see no labels then.
        listed = json.loads((folder / "labels/zarr.json").read_text())["attributes"]["ome"]
        assert listed["version"] == "0.5"
    else:
        assert raw["image-label"]["version"] == raw["multiscales"][0]["version"] == "0.4"


def test_what_is_there_stays(results, plate_path):
    before = content_of(plate_path)
    write_cells(results, plate_path)
    folder = next(fields_of(results))[0]
    names = ["nuclei", "channelmix", "channelmix-classes"]
    assert group_attributes(folder / "labels")["labels"] == names
    after = content_of(plate_path)
    lists = {path for path in before if path.parent.name == "labels"}
    assert {path for path in before if after[path] != before[path]} <= lists
    assert not [path for path in after if path.name.endswith(".part")]


def test_the_table_has_a_row_per_object(results, plate_path):
    write_cells(results, plate_path)
    for folder, _, rows in fields_of(results):
        raw = folder / "tables/channelmix"
        if (raw / "zarr.json").exists():
            about = json.loads((raw / "zarr.json").read_text())["attributes"]
        else:
            about = json.loads((raw / ".zattrs").read_text())
        assert about["type"] == "feature_table" and about["table_version"] == "1"
        assert about["region"] == {"path": "../labels/channelmix"}
        assert (about["backend"], about["index_key"]) == ("csv", "label")
        table = pd.read_csv(raw / "table.csv")
        assert table.columns[0] == "label"
        assert table["label"].tolist() == results.cells.table["object"].iloc[rows].tolist()
        assert table["cell"].tolist() == rows.tolist()
        called = [results.classes[code] for code in results.probabilities[rows].argmax(axis=1)]
        assert table["prediction"].tolist() == called
        assert table["y"].tolist() == results.cells.centres[rows, 0].tolist()
        assert group_attributes(folder / "tables")["tables"] == ["channelmix"]


def test_a_name_that_is_taken_is_refused_before_anything_is_written(results, plate_path):
    before = content_of(plate_path)
    with pytest.raises(DataError, match=r"labels/nuclei.* already, which stays; choose another"):
        write_cells(results, plate_path, name="nuclei")
    assert content_of(plate_path) == before
    write_cells(results, plate_path)
    with pytest.raises(DataError, match="labels/channelmix"):
        write_cells(results, plate_path)
    write_cells(results, plate_path, name="second run")


def test_another_path_becomes_a_copy_with_the_results(results, plate_path):
    before = content_of(plate_path)
    (copy,) = write_cells(results, plate_path.with_name("copy.zarr"))
    assert content_of(plate_path) == before
    scan = scan_plate(copy)
    assert scan.notes == (
        "label images of earlier results are not used: channelmix, channelmix-classes",
    )
    cells = scan.cells()
    assert len(cells) == len(results.cells)
    folder = next(fields_of(results))[0].relative_to(plate_path)
    assert (copy / folder / "tables/channelmix/table.csv").is_file()
    assert not list(copy.parent.glob(".copy*"))


def test_a_copy_does_not_lose_what_links_lead_to(results, plate_path):
    image = next(fields_of(results))[0]
    level = image / group_attributes(image)["multiscales"][0]["datasets"][0]["path"]
    level.rename(level.with_name("elsewhere"))
    level.symlink_to("elsewhere", target_is_directory=True)
    with pytest.raises(DataError, match=r"has a link to a folder in it .*0.*; write beside"):
        write_cells(results, plate_path.with_name("copy.zarr"))
    assert not list(plate_path.parent.glob("*copy*"))


def test_a_closed_job_adds_nothing(results, plate_path):
    before = content_of(plate_path)
    job = write_cells_job(results, plate_path)
    for _ in range(2):
        next(job)
    job.close()
    after = content_of(plate_path)
    assert {path: after[path] for path in before} == before
    assert not [path for path in set(after) - set(before) if path.name != ".zattrs"]


def test_a_full_disk_adds_nothing(results, plate_path, monkeypatch):
    from napari_channelmix.report import zarr_results

    def full(*args):
        raise OSError(28, "No space left on device")

    before = content_of(plate_path)
    monkeypatch.setattr(zarr_results, "write_table_group", full)
    with pytest.raises(SaveError, match="No space left on device"):
        write_cells(results, plate_path)
    assert content_of(plate_path) == before


def test_what_a_killed_run_left_is_taken_away(results, plate_path):
    folder = next(fields_of(results))[0]
    left = folder / "labels/.channelmix-0123abcd-0.part"
    left.mkdir()
    write_cells(results, plate_path)
    assert not left.exists()


def test_cells_that_lie_elsewhere_are_refused(results, plate_path, tmp_path):
    other = tmp_path / "other.zarr"
    shutil.copytree(plate_path, other)
    with pytest.raises(DataError, match="the cells do not lie in it but in"):
        write_cells(results, other)
    plane = np.zeros((32, 32))
    with pytest.raises(DataError, match="its images are no OME-Zarr"):
        write_cells(CellResults(Cells.from_points([plane], ["DNA"], [(9, 9)], crop=8)), other)


def test_cells_without_outlines_are_refused(results, plate_path):
    fields = tuple(replace(field, labels=None) for field in results.cells.fields)
    bare = replace(results, cells=replace(results.cells, fields=fields))
    with pytest.raises(DataError, match="no outlines"):
        write_cells(bare, plate_path)
    with pytest.raises(DataError, match="cannot be the name"):
        write_cells(results, plate_path, name="../x")
