"""The command 'export', and its function: results of other commands in files of other programs."""

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import napari_channelmix as cm
from napari_channelmix.errors import DataError
from napari_channelmix.run.cell_choice import chosen_cells
from napari_channelmix.run.cli import main
from napari_channelmix.run.stored_results import read_latents, read_predictions
from napari_channelmix.scan.plate import scan_plate

# A data set, a model of it, and what 'predict', 'latents' and 'importance' wrote.
MADE = Path(__file__).parents[1] / "earlier_version"
# Plates that ome-zarr wrote.
FILES = Path(__file__).parents[1] / "scan" / "files"
DATASET = MADE / "plate" / "dataset.toml"


@pytest.fixture(scope="module")
def cells():
    return cm.open_dataset(DATASET)


def export(out, *more):
    return main(["export", str(DATASET), "--out", str(out), "--device", "cpu", *more])


def test_results_of_other_commands_go_into_one_file(cells, tmp_path, capsys):
    h5py = pytest.importorskip("h5py")
    folders = [f"--{name}={MADE / name}" for name in ("latents", "importance")]
    assert export(tmp_path / "cells.h5ad", f"--predictions={MADE / 'predict'}", *folders) == 0
    assert "saved cells.h5ad in" in capsys.readouterr().out
    table = pd.read_csv(MADE / "predict" / "cells.csv")
    with h5py.File(tmp_path / "cells.h5ad") as file:
        obs = file["obs/prediction"]
        known = [text.decode() for text in obs["categories"][()]]
        assert [known[code] for code in obs["codes"][()]] == table["prediction"].tolist()
        assert file["obsm/latents"].shape[0] == len(cells)
        assert np.isfinite(file["obsm/latents"][()]).all()
        assert len(file["uns/latents/badges"]) == len(file["uns/latents/names"])
        assert "verdict" in file["uns/channel_importance"]


def test_a_model_gives_what_predict_gives(cells, tmp_path):
    assert export(tmp_path / "now.csv", f"--model={MADE / 'model.cmx'}", "--quiet") == 0
    cm.predict_cells(cm.load_model(MADE / "model.cmx"), cells, tmp_path / "predicted.csv")
    assert (tmp_path / "now.csv").read_bytes() == (tmp_path / "predicted.csv").read_bytes()


def test_predictions_come_back_from_every_table(cells, tmp_path):
    pytest.importorskip("pyarrow")
    model = cm.load_model(MADE / "model.cmx")
    for name in ("cells.csv", "cells.parquet"):
        cm.predict_cells(model, cells, tmp_path / name)
        stored = read_predictions(tmp_path / name, cells)
        np.testing.assert_allclose(stored.probabilities, model.predict_proba(cells), atol=1e-6)
        assert stored.classes == tuple(model.classes) and stored.there.all()
    table = pd.read_csv(tmp_path / "cells.csv")
    assert stored.training.tolist() == table["training"].tolist()


def test_cells_that_were_not_predicted_are_left_out(cells, tmp_path):
    table = pd.read_csv(MADE / "predict" / "cells.csv")
    table.iloc[[3, 1]].to_csv(tmp_path / "some.csv", index=False)
    files = cm.export_cells(cells, tmp_path / "out.csv", predictions=tmp_path / "some.csv")
    assert pd.read_csv(files[0])["cell"].tolist() == [1, 3]


def test_only_held_out_cells(cells, tmp_path):
    table = pd.read_csv(MADE / "predict" / "cells.csv")
    marks = np.where(np.arange(len(table)) < 5, "no", "yes")
    table.assign(training=marks).to_csv(tmp_path / "marked.csv", index=False)
    files = cm.export_cells(
        cells, tmp_path / "out.csv", predictions=tmp_path / "marked.csv", only="held-out"
    )
    assert pd.read_csv(files[0])["cell"].tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(DataError, match="is known with a model or predictions"):
        cm.export_cells(cells, tmp_path / "out.csv", only="held-out")


def test_cells_that_were_not_encoded_have_no_latents(cells, tmp_path):
    shutil.copytree(MADE / "latents", tmp_path / "latents")
    table = pd.read_csv(tmp_path / "latents" / "latents.csv")
    text = (tmp_path / "latents" / "latents.json").read_text("utf-8")
    assert '"limit": null' in text
    (tmp_path / "latents" / "latents.json").write_text(text.replace('"limit": null', '"limit": 4'))
    with pytest.raises(DataError, match="is of other cells"):
        read_latents(tmp_path / "latents", cells)
    rows = chosen_cells(len(cells), 4, seed_of(text))
    table.iloc[rows].to_csv(tmp_path / "latents" / "latents.csv", index=False)
    stored = read_latents(tmp_path / "latents", cells)
    assert np.flatnonzero(np.isfinite(stored.values).all(axis=1)).tolist() == rows.tolist()


def seed_of(text):
    return json.loads(text)["provenance"].get("seed", 0)


def test_results_of_other_cells_are_refused(cells, tmp_path):
    half = cells.subset(np.arange(len(cells))[::-1])
    with pytest.raises(DataError, match="is of other cells than those of"):
        cm.export_cells(half, tmp_path / "out.csv", predictions=MADE / "predict")
    with pytest.raises(DataError, match="is of other cells than those of"):
        cm.export_cells(half, tmp_path / "out.csv", latents=MADE / "latents")
    with pytest.raises(DataError, match="is no table of predictions"):
        cm.export_cells(cells, tmp_path / "out.csv", predictions=MADE / "latents" / "latents.csv")
    with pytest.raises(DataError, match=r"are read from \.csv and \.parquet"):
        cm.export_cells(cells, tmp_path / "out.csv", predictions=MADE / "model.cmx")
    with pytest.raises(DataError, match="not both"):
        cm.export_cells(cells, tmp_path / "out.csv", model=object(), predictions=MADE / "predict")
    assert not list(tmp_path.iterdir())


def test_an_ending_that_tells_no_format_is_one_line(tmp_path, capsys):
    assert export(tmp_path / "cells.xlsx", "--quiet") == 2
    line = capsys.readouterr().err.strip()
    assert "cells are written to files that end in .csv" in line and "\n" not in line


def test_a_file_that_another_run_writes_is_left_to_it(cells, tmp_path):
    from napari_channelmix.errors import InUseError
    from napari_channelmix.locks import in_use

    with in_use(tmp_path / "out.csv", is_file=True), pytest.raises(InUseError, match="in use"):
        cm.export_cells(cells, tmp_path / "out.csv")
    # A run that was killed left a mark and half a file.
    (tmp_path / ".out.csv.in-use").write_text('{"process": 1, "host": "h", "since": "then"}')
    (tmp_path / ".out.csv-0123abcd.part").write_text("half")
    cm.export_cells(cells, tmp_path / "out.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


def test_predict_writes_beside_a_plate_and_into_a_copy(tmp_path):
    with zipfile.ZipFile(FILES / "plate-0.5.zip") as packed:
        packed.extractall(tmp_path)
    cells = scan_plate(tmp_path / "plate.zarr").cells()
    model = cm.train_classifier(
        cells.with_labels(np.arange(len(cells)) % 2, ("a", "b")), network="tiny", epochs=1
    )
    for name in ("copy.zarr", "plate.zarr"):
        done = cm.predict_cells(model, cells, tmp_path / name)
        assert done.files == (tmp_path / name,)
        tables = list((tmp_path / name).glob("*/*/0/tables/channelmix/table.csv"))
        assert sum(len(pd.read_csv(table)) for table in tables) == len(cells)
