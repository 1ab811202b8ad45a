"""AnnData files, looked at with h5py as the format is documented; benchmarks/round_trips.py reads
them with anndata and spatialdata."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from napari_channelmix.errors import DataError
from napari_channelmix.report.anndata_encoding import distinct_keys
from napari_channelmix.report.anndata_results import instance_ids, region_names
from napari_channelmix.report.cell_results import CellResults, write_cells

h5py = pytest.importorskip("h5py", reason="AnnData files are written by h5py (extra 'anndata')")


class Values:
    names = ("Size", "Hue/x")

    def __init__(self, count):
        self.values = np.linspace(-1, 1, 2 * count, dtype=np.float32).reshape(-1, 2)


@pytest.fixture
def results(plate, full, importance):
    labels = plate.labels.copy()
    labels[1] = -1
    cells = replace(
        plate.with_labels(labels, plate.classes),
        table=plate.table.assign(label=labels, **{"key dose (mg/l)": "0,5", "key region": "r"}),
    )
    marks = ["yes", *["no"] * (len(cells) - 1)]
    return CellResults(
        cells, full.probabilities, cells.classes, marks, Values(len(cells)), importance
    )


@pytest.fixture
def file(results, tmp_path):
    (path,) = write_cells(results, tmp_path / "cells.h5ad")
    with h5py.File(path) as opened:
        yield opened


def texts(data):
    return [text.decode() for text in data[()]]


def column(obs, name):
    item = obs[name]
    if isinstance(item, h5py.Dataset):
        return item[()].tolist()
    known = texts(item["categories"])
    return [known[code] if code >= 0 else None for code in item["codes"][()].tolist()]


def test_every_element_says_what_it_is(file):
    kinds = {
        name: (element.attrs["encoding-type"], element.attrs["encoding-version"])
        for name, element in [("/", file), *((name, file[name]) for name in file)]
    }
    assert kinds == {
        "/": ("anndata", "0.1.0"),
        "X": ("array", "0.2.0"),
        "obs": ("dataframe", "0.2.0"),
        "var": ("dataframe", "0.2.0"),
        **dict.fromkeys(("layers", "obsm", "obsp", "uns", "varm", "varp"), ("dict", "0.1.0")),
    }
    unknown = []
    file.visititems(
        lambda name, element: None if "encoding-type" in element.attrs else unknown.append(name)
    )
    assert not unknown
    assert file["obs/label"].attrs["encoding-type"] == "categorical"
    assert file["obs/label"].attrs["ordered"] == np.False_


def test_obs_is_the_table_of_cells(file, results):
    obs, cells = file["obs"], results.cells
    assert texts(obs[obs.attrs["_index"]]) == [str(cell) for cell in range(len(cells))]
    assert column(obs, "y") == cells.centres[:, 0].tolist()
    assert column(obs, "group") == cells.groups.tolist()
    names = [cells.classes[code] if code >= 0 else None for code in cells.labels]
    assert column(obs, "label") == names
    called = [results.classes[code] for code in results.probabilities.argmax(axis=1)]
    assert column(obs, "prediction") == called
    assert column(obs, "training") == list(results.training)
    listed = [*obs.attrs["column-order"]]
    assert set(listed) == set(obs) - {obs.attrs["_index"]}
    assert not [name for name in listed if name.startswith(("probability", "latent"))]


def test_columns_of_the_user_keep_their_names_where_the_format_allows(file):
    assert set(column(file["obs"], "dose_mg_l")) == {"0,5"}
    # Ours is called so already.
    assert set(column(file["obs"], "region-2")) == {"r"}
    renamed = dict(
        zip(texts(file["uns/columns/key"]), texts(file["uns/columns/name"]), strict=True)
    )
    assert renamed == {"dose_mg_l": "dose (mg/l)", "region-2": "region"}


def test_columns_of_the_user_called_like_results_are_kept(results, tmp_path):
    names = ["latent period", "probability of death", "cell", "cell (table)"]
    cells = results.cells.with_keys(
        pd.DataFrame({name: [name] * len(results.cells) for name in names})
    )
    (path,) = write_cells(replace(results, cells=cells), tmp_path / "cells.h5ad")
    with h5py.File(path) as opened:
        kept = {column(opened["obs"], name)[0] for name in opened["obs"] if name != "cell"}
    assert set(names) <= kept


def test_places_probabilities_and_latents_are_beside_the_table(file, results):
    cells = results.cells
    np.testing.assert_array_equal(file["obsm/spatial"][()], cells.centres[:, ::-1])
    size = np.array(cells.fields[0].pixel_size)
    np.testing.assert_allclose(file["obsm/spatial_um"][()], cells.centres[:, ::-1] * size[::-1])
    assert file["uns/channelmix/units/spatial"][()] == b"pixel"
    np.testing.assert_array_equal(file["obsm/probabilities"][()], results.probabilities)
    assert tuple(texts(file["uns/classes"])) == tuple(results.classes)
    np.testing.assert_array_equal(file["obsm/latents"][()], results.latents.values)
    np.testing.assert_array_equal(file["X"][()], results.latents.values)
    assert texts(file["var/_index"]) == texts(file["uns/latents/names"]) == ["Size", "Hue/x"]


def test_probabilities_are_the_features_where_there_are_no_latents(results, tmp_path):
    (path,) = write_cells(replace(results, latents=None), tmp_path / "cells.h5ad")
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["X"][()], results.probabilities)
        assert tuple(texts(file["var/_index"])) == tuple(results.classes)
    bare = CellResults(results.cells)
    (path,) = write_cells(bare, tmp_path / "bare.h5ad")
    with h5py.File(path) as file:
        assert "X" not in file and file["var/_index"].shape == (0,)


def test_pixel_sizes_that_are_not_known_give_no_micrometres(results, tmp_path):
    fields = (replace(results.cells.fields[0], pixel_size=None), *results.cells.fields[1:])
    cells = replace(results.cells, fields=fields)
    (path,) = write_cells(replace(results, cells=cells), tmp_path / "cells.h5ad")
    with h5py.File(path) as file:
        assert set(file["obsm"]) == {"spatial", "probabilities", "latents"}


def test_regions_and_instances_are_keys_of_spatialdata(file, results):
    attributes = file["uns/spatialdata_attrs"]
    assert attributes["region_key"][()] == b"region"
    assert attributes["instance_key"][()] == b"instance_id"
    regions = column(file["obs"], "region")
    assert texts(attributes["region"]) == [*dict.fromkeys(regions)]
    pairs = set(zip(regions, column(file["obs"], "instance_id"), strict=True))
    assert len(pairs) == len(results)


def test_a_single_region_is_a_text(results, tmp_path):
    one = replace(results, chosen=np.flatnonzero(results.cells.table["field"] == 1))
    (path,) = write_cells(one, tmp_path / "cells.h5ad")
    with h5py.File(path) as file:
        region = file["uns/spatialdata_attrs/region"][()].decode()
        assert set(column(file["obs"], "region")) == {region} == {region_names(results.cells)[1]}


def test_cells_without_objects_are_numbered_by_their_position(plate):
    field = plate.table["field"].to_numpy()
    points = np.where(field == 1, 0, plate.table["object"])
    ids = instance_ids(replace(plate, table=plate.table.assign(object=points)))
    assert ids[field == 1].tolist() == (np.flatnonzero(field == 1) + 1).tolist()
    assert ids[field == 0].tolist() == plate.table["object"][field == 0].tolist()


def test_channel_importance_goes_along_with_its_verdict(file, importance):
    stored = file["uns/channel_importance"]
    assert texts(stored["channel"]) == list(importance.channels)
    assert stored["share"][()].tolist() == list(importance.share)
    assert stored["share_low"][()].tolist() == [0.25, 0.75]
    assert stored["control"][()].tolist() == [0.1, 0.1]
    assert (stored["n_train"][()], stored["repeats"][()]) == (18, 2)
    assert stored["reason"][()] == b"ok"
    assert "accuracy_all_channel" in stored


def test_how_it_was_made_is_json(file):
    about = json.loads(file["uns/channelmix/provenance"][()])
    assert "napari-channelmix" in about["versions"]


def test_the_file_is_read_as_a_table_of_cells(results, tmp_path):
    from napari_channelmix.scan.anndata_files import parse_anndata

    # A table of cells needs a column of image files.
    table = results.cells.table.assign(**{"key image_path": "a.tif"})
    cells = replace(results.cells, table=table)
    (path,) = write_cells(replace(results, cells=cells), tmp_path / "cells.h5ad")
    rows = parse_anndata(path).rows
    assert rows["cell"].tolist() == [str(cell) for cell in range(len(cells))]
    assert rows["spatial x"].astype(float).tolist() == cells.centres[:, 1].tolist()


def test_keys_are_plain_and_distinct():
    keys = distinct_keys(["", "..", "__a", "µ Å", "Well", "well", "a-b.c_d"], ["well-2"])
    assert len({key.lower() for key in keys.values()}) == len(keys)
    assert keys["a-b.c_d"] == "a-b.c_d" and keys["µ Å"] == "µ_Å" and keys["well"] == "well-3"


def test_without_h5py_one_line_says_how_to_get_it(results, tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(DataError, match=r"napari-channelmix\[anndata\]"):
        write_cells(results, tmp_path / "cells.h5ad")
    assert not list(tmp_path.iterdir())
