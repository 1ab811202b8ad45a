"""A folder is listed to an end, whatever lies in it."""

import os
import sys

import pytest

from napari_channelmix.errors import DataError
from napari_channelmix.jobs import drain
from napari_channelmix.scan import listing
from napari_channelmix.scan.listing import list_job

from .made_images import made_folder


def reasons(result):
    return {one.path: one.reason for one in result.left_out}


def test_images_tables_and_the_rest_are_told_apart(tmp_path):
    names = ["a10.tif", "a9.TIF", "b.OME.TIFF", "t.csv", ".hidden.tif", "x_thumb.tif", "Thumbs.db"]
    made_folder(tmp_path, [*names, "~$t.tif", "r.vsi", "notes.docx", "thumbnails/a.tif"])
    result = drain(list_job(tmp_path))
    assert result.images == ("a9.TIF", "a10.tif", "b.OME.TIFF")
    assert result.tables == ("t.csv",)
    left_out = reasons(result)
    assert left_out[".hidden.tif"] == "hidden"
    assert left_out["x_thumb.tif"] == left_out["thumbnails"] == "a thumbnail"
    assert "convert them to OME-TIFF" in left_out["r.vsi"]
    assert set(left_out) == {*names[4:], "~$t.tif", "r.vsi", "notes.docx", "thumbnails"}


def test_a_file_whose_reader_is_not_installed_says_what_installs_it(tmp_path, monkeypatch):
    made_folder(tmp_path, ["a.ND2"])
    monkeypatch.setattr(listing, "_reader_is_there", lambda module: False)
    result = drain(list_job(tmp_path))
    assert "pip install 'napari-channelmix[nd2]'" in reasons(result)["a.ND2"]
    monkeypatch.setattr(listing, "_reader_is_there", lambda module: True)
    assert drain(list_job(tmp_path)).images == ("a.ND2",)


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_that_lead_back_or_nowhere_end(tmp_path):
    made_folder(tmp_path, ["in/a.tif"])
    (tmp_path / "in/loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "again").symlink_to(tmp_path / "in", target_is_directory=True)
    (tmp_path / "gone.tif").symlink_to(tmp_path / "nothing.tif")
    result = drain(list_job(tmp_path))
    # Each folder once, by whichever of its names comes first.
    assert len(result.images) == 1
    assert reasons(result)["gone.tif"] == "a link that leads to no file"


def test_what_is_cut_off_is_said(tmp_path, monkeypatch):
    made_folder(tmp_path, ["/".join("abcdefghij") + "/x.tif", "y.tif"])
    result = drain(list_job(tmp_path))
    assert result.images == ("y.tif",)
    assert "more than 8 deep" in result.notes[0] and "a/b/c" in result.notes[0]
    monkeypatch.setattr(listing, "MOST_FILES", 3)
    made_folder(tmp_path, [f"z{number}.tif" for number in range(9)])
    result = drain(list_job(tmp_path))
    assert "only the first 3 files" in result.notes[0]


def test_a_listing_can_be_cancelled_between_steps(tmp_path, monkeypatch):
    monkeypatch.setattr(listing, "STEP", 2)
    made_folder(tmp_path, [f"{number}.tif" for number in range(9)])
    steps = list(list_job(tmp_path))
    assert len(steps) >= 4
    job = list_job(tmp_path)
    next(job)
    job.close()


def test_no_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match="no such folder"):
        drain(list_job(tmp_path / "none"))
    made_folder(tmp_path, ["a.tif"])
    with pytest.raises(DataError, match="is a file"):
        drain(list_job(tmp_path / "a.tif"))


@pytest.mark.skipif(
    sys.platform == "win32" or not hasattr(os, "geteuid") or os.geteuid() == 0,
    reason="rights do not bind here",
)
def test_a_folder_that_may_not_be_read_is_left_out(tmp_path):
    made_folder(tmp_path, ["a.tif", "closed/b.tif"])
    (tmp_path / "closed").chmod(0)
    try:
        assert "cannot be listed" in reasons(drain(list_job(tmp_path)))["closed"]
    finally:
        (tmp_path / "closed").chmod(0o700)


def test_an_ome_zarr_0_5_image_is_no_folder_of_files(tmp_path):
    for name in ("a.zarr", "images/b"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "zarr.json").write_text("{}")
    assert drain(list_job(tmp_path)).images == ("a.zarr", "images/b")
    with pytest.raises(DataError, match="is an OME-Zarr image or a part of one"):
        drain(list_job(tmp_path / "images/b"))
