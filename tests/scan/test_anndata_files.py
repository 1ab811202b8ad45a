import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from napari_channelmix.errors import DataError
from napari_channelmix.scan import Role
from napari_channelmix.scan.tables import scan_table

from .made_cells import write_tiff

# Written by anndata itself: python benchmarks/round_trips.py --files tests/scan/files
FILES = Path(__file__).parent / "files"


@pytest.fixture
def h5py():
    return pytest.importorskip("h5py", reason="AnnData files are read by h5py (extra 'anndata')")


@pytest.fixture
def written(tmp_path, h5py):
    """A file of anndata's writer beside its images: 41 cells of 'site 1.tif' and 'site 2.tif'."""
    shutil.copy(FILES / "cells.h5ad", tmp_path)
    for stem in ("site 1", "site 2"):
        write_tiff(tmp_path / f"{stem}.tif", np.zeros((121, 157), np.uint16))
    return tmp_path / "cells.h5ad"


def test_cells_of_anndata_lie_at_their_spatial_coordinates(written, h5py):
    scan = scan_table(written)
    assert scan.style == "AnnData cells"
    assert scan.roles["cell_type"] is Role.CLASS
    assert scan.roles["well"] is Role.WELL
    cells = scan.cells()
    with h5py.File(written) as file:
        spatial = file["obsm/spatial"][()]
        names = [name.decode() for name in file["obs/_index"][()]]
    # x comes first there, y here.
    assert np.allclose(cells.centres, spatial[:, ::-1])
    assert cells.keys["cell"].tolist() == names
    assert cells.classes == ("negative", "positive")
    assert sorted(set(cells.groups)) == ["B02", "B03"]


def test_measurements_are_no_keys(written):
    assert "area" not in scan_table(written).entries


def test_nullable_and_plain_columns_are_read(written, h5py):
    with h5py.File(written, "a") as file:
        obs = file["obs"]
        del obs["cell_type"]
        count = len(obs["_index"])
        group = obs.create_group("cell_type")
        group.attrs["encoding-type"] = "nullable-integer"
        group["values"] = np.arange(count) % 2
        group["mask"] = np.arange(count) < 3
    cells = scan_table(written).cells()
    assert cells.classes == ("0", "1")
    assert (cells.labels < 0).sum() == 3


def test_without_spatial_the_columns_of_obs_are_taken(written, h5py):
    with h5py.File(written, "a") as file:
        spatial = file["obsm/spatial"][()]
        del file["obsm/spatial"]
        file["obs"]["X"], file["obs"]["Y"] = spatial[:, 0], spatial[:, 1]
        order = [*file["obs"].attrs["column-order"], "X", "Y"]
        file["obs"].attrs["column-order"] = order
    assert np.allclose(scan_table(written).cells().centres, spatial[:, ::-1])


def test_a_link_to_another_file_is_never_followed(written, h5py):
    with h5py.File(written.with_name("other.h5"), "w") as file:
        file["secret"] = np.arange(41)
    with h5py.File(written, "a") as file:
        del file["obs"]["well"]
        file["obs"]["well"] = h5py.ExternalLink("other.h5", "secret")
    with pytest.raises(DataError, match="'well' in it is a link to another file"):
        scan_table(written)


def test_what_is_no_anndata_is_refused(written, h5py):
    with h5py.File(written, "w") as file:
        file["data"] = np.zeros(3)
    with pytest.raises(DataError, match="is HDF5, but no AnnData"):
        scan_table(written)


def test_coordinates_of_another_number_of_cells_are_refused(written, h5py):
    with h5py.File(written, "a") as file:
        del file["obsm/spatial"]
        file["obsm/spatial"] = np.zeros((3, 2))
    with pytest.raises(DataError, match=r"\(3, 2\), not x and y of each of 41 cells"):
        scan_table(written)


def test_cells_without_an_image_say_what_is_missing(written, h5py):
    with h5py.File(written, "a") as file:
        obs = file["obs"]
        del obs["image_path"]
        obs.attrs["column-order"] = [
            name for name in obs.attrs["column-order"] if name != "image_path"
        ]
    with pytest.raises(DataError, match="names no image files"):
        scan_table(written)


def test_a_damaged_file_is_one_line(written):
    written.write_bytes(written.read_bytes()[:9000])
    with pytest.raises(DataError, match=r"cells\.h5ad") as caught:
        scan_table(written)
    assert "\n" not in str(caught.value)


def test_without_h5py_the_line_says_which_command_installs_it(tmp_path, monkeypatch):
    shutil.copy(FILES / "cells.h5ad", tmp_path)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(DataError, match=r"pip install 'napari-channelmix\[anndata\]'"):
        scan_table(tmp_path / "cells.h5ad")
