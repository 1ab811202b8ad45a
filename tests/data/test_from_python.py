"""Cells of arrays, points, label images and AnnData objects that a script has in its hands."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import napari_channelmix as cm
from napari_channelmix.errors import DataError

PLANE = [np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)]


def crops(count):
    return np.zeros((count, 1, 8, 8), np.float32)


@pytest.mark.parametrize(
    "labels",
    [
        ["b", None, "a", "b"],
        np.array(["b", "", "a", "b"]),
        pd.Series(["b", np.nan, "a", "b"], index=[9, 7, 5, 3]),
        pd.array(["b", pd.NA, "a", "b"], dtype="string"),
        pd.Categorical(["b", None, "a", "b"]),
    ],
    ids=["list", "numpy", "Series", "string", "Categorical"],
)
def test_labels_are_texts_of_any_kind_and_missing_ones_no_class(labels):
    cells = cm.Cells.from_array(crops(4), ["DNA"], labels)
    assert cells.classes == ("a", "b") and cells.labels.tolist() == [1, -1, 0, 1]


def test_the_order_of_categories_is_that_of_the_classes():
    labels = pd.Categorical(["high", "low"], categories=["low", "middle", "high"])
    for given in (labels, pd.Series(labels, index=[4, 2])):
        cells = cm.Cells.from_array(crops(2), ["DNA"], given)
        assert cells.classes == ("low", "middle", "high") and cells.labels.tolist() == [2, 0]


def test_categories_that_are_numbers_are_names_not_positions():
    cells = cm.Cells.from_array(crops(3), ["DNA"], pd.Categorical([10, 2, None]))
    assert cells.classes == ("2", "10") and cells.labels.tolist() == [1, 0, -1]


def test_nullable_numbers_are_positions_and_missing_ones_no_class():
    labels = pd.array([1, pd.NA, 0], dtype="Int64")
    cells = cm.Cells.from_array(crops(3), ["DNA"], labels, ["a", "b"])
    assert cells.labels.tolist() == [1, -1, 0]


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        (["x7", "x9"], "id"),
        (pd.Series(["x7", "x9"], index=[5, 1], name="cell_id"), "cell_id"),
        ({"cell_id": ["x7", "x9"]}, "cell_id"),
        (pd.DataFrame({"cell_id": ["x7", "x9"]}, index=[5, 1]), "cell_id"),
    ],
    ids=["list", "Series", "mapping", "DataFrame"],
)
def test_keys_go_with_the_cells_into_their_tables(keys, name):
    cells = cm.Cells.from_array(crops(2), ["DNA"], keys=keys)
    assert cells.subset([1]).to_frame()[name].tolist() == ["x9"]
    cells = cm.Cells.from_points(PLANE, ["DNA"], [(30, 20), (9, 50)], crop=8, keys=keys)
    assert cells.to_frame()[name].tolist() == ["x7", "x9"]


def test_keys_stand_in_the_table_of_predictions(tmp_path):
    from ..tiny_sample import rule, tiny_cells

    names = [f"cell {number}" for number in range(40)]
    cells = tiny_cells()
    labels = [cells.classes[code] for code in cells.labels]
    keyed = cm.Cells.from_array(
        cells.read(), cells.channels, labels, groups=cells.groups, keys={"mine": names}
    )
    cm.predict_cells(rule(), keyed, tmp_path / "cells.csv")
    table = pd.read_csv(tmp_path / "cells.csv")
    assert table["mine"].tolist() == names and (table["prediction"] == table["label"]).all()


@pytest.mark.parametrize("keys", [["a"], {"id": ["a", "b", "c"]}, {"id": ["a"], "k": [1, 2]}])
def test_keys_of_another_length_are_refused(keys):
    with pytest.raises(DataError, match=r"rows of keys for 2 cells|a value for each cell"):
        cm.Cells.from_array(crops(2), ["DNA"], keys=keys)


def test_keys_of_a_label_image_are_matched_by_the_id():
    labels = np.zeros((64, 64), int)
    labels[10:16, 10:16], labels[30:36, 30:36] = 7, 3
    keys = pd.DataFrame({"name": ["three", "seven", "of no cell"]}, index=[3, 7, 9])
    cells = cm.Cells.from_labels(PLANE, ["DNA"], labels, crop=12, keys=keys)
    table = cells.to_frame()
    assert dict(zip(table["object"], table["name"], strict=True)) == {3: "three", 7: "seven"}
    with pytest.raises(DataError, match=r"no row for 1 of 2 cells \(first: 7\)"):
        cm.Cells.from_labels(PLANE, ["DNA"], labels, crop=12, keys=keys.drop(7))
    with pytest.raises(DataError, match="an id twice"):
        cm.Cells.from_labels(PLANE, ["DNA"], labels, crop=12, keys=keys.rename({9: 7}))


def test_points_have_labels_and_groups():
    points = [(30, 20), (9, 50), (40, 40)]
    labels, groups = ["live", "dead", None], ["w1", "w1", "w2"]
    cells = cm.Cells.from_points(PLANE, ["DNA"], points, labels, ["live", "dead"], groups, crop=8)
    assert cells.labels.tolist() == [0, 1, -1] and cells.groups.tolist() == groups
    with pytest.raises(DataError, match="2 labels for 3 cells"):
        cm.Cells.from_points(PLANE, ["DNA"], points, labels[:2], crop=8)


def anndata(**more):
    obs = pd.DataFrame(
        {"type": pd.Categorical(["T", None], ["T", "B"]), "sample": ["s1", "s2"], "n": [1, 2]},
        index=["AAC-1", "AAG-1"],
    )
    return SimpleNamespace(obs=obs, obsm={"spatial": np.array([[20.0, 30.0], [50.0, 9.0]])}, **more)


def test_observations_lie_at_x_and_y_of_obsm():
    options = {"label": "type", "group": "sample", "keys": ["n"], "crop": 8}
    cells = cm.Cells.from_anndata(anndata(), PLANE, ["DNA"], **options)
    assert cells.centres.tolist() == [[30, 20], [9, 50]]
    assert cells.classes == ("T", "B") and cells.labels.tolist() == [0, -1]
    assert cells.groups.tolist() == ["s1", "s2"]
    assert cells.keys.to_dict("list") == {"obs_name": ["AAC-1", "AAG-1"], "n": ["1", "2"]}


def test_observations_may_name_image_files(tmp_path):
    import tifffile

    adata = anndata()
    for number, name in enumerate(("a.tif", "b.tif")):
        tifffile.imwrite(tmp_path / name, np.full((64, 64), number, "uint8"))
    adata.obs["file"] = ["a.tif", "b.tif"]
    options = {"image": "file", "label": "type", "crop": 8, "folder": tmp_path}
    cells = cm.Cells.from_anndata(adata, channels=["DNA"], **options)
    assert cells.centres.tolist() == [[30, 20], [9, 50]]
    assert cells.read().mean(axis=(1, 2, 3)).tolist() == [0, 1]
    assert cells.classes == ("T", "B")
    assert cells.keys["obs_name"].tolist() == ["AAC-1", "AAG-1"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": "cell_type"}, "obs has no column 'cell_type' for the class; it has type"),
        ({"spatial": "X_spatial"}, r"no obsm\['X_spatial'\] \(obsm has spatial\)"),
        ({"keys": ["plate"]}, "obs has no column 'plate'"),
        ({"image": "sample"}, "not both"),
        ({"planes": None}, "give planes="),
    ],
)
def test_what_is_not_there_is_named(change, message):
    options = {"planes": PLANE, "channels": ["DNA"], "crop": 8, **change}
    with pytest.raises(DataError, match=message):
        cm.Cells.from_anndata(anndata(), **options)


def test_places_that_cannot_be_are_refused():
    adata = anndata()
    for places, message in (
        (np.ones((2, 3)), "not x and y of each of 2 cells"),
        (np.array([[1.0, np.nan], [2, 3]]), "gaps"),
        (np.array([["a", "b"], ["c", "d"]]), "no numbers"),
        (np.array([[20.0, 300.0], [2, 3]]), "outside the image"),
    ):
        adata.obsm["spatial"] = places
        with pytest.raises(DataError, match=message):
            cm.Cells.from_anndata(adata, PLANE, ["DNA"], crop=8)
    with pytest.raises(DataError, match=r"takes an AnnData object, not str; cm.open reads"):
        cm.Cells.from_anndata("cells.h5ad", PLANE, ["DNA"], crop=8)
