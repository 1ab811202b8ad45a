"""Page 'Report': what was found is handed on as it is shown, and can be done again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifffile
import zarr
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

import napari_channelmix as cm
from napari_channelmix.classify.device import choose_device
from napari_channelmix.config import read_config
from napari_channelmix.jobs import drain
from napari_channelmix.report.ome import PlaneImage
from napari_channelmix.viewer.pages.classifier.page import ClassifierPage
from napari_channelmix.viewer.pages.pixels.page import PixelsPage
from napari_channelmix.viewer.pages.report import page as module
from napari_channelmix.viewer.pages.report.exports import export_job, items_of
from napari_channelmix.viewer.pages.report.page import ReportPage
from napari_channelmix.viewer.pages.report.snapshot import Snapshot, snapshot_of
from napari_channelmix.viewer.pages.whatif.page import WhatIfPage

SHADES = ("copy_script", "save_script", "save_config", "copy_command")


@pytest.fixture
def wait(qtbot: Any) -> Any:
    def waited(dock: Any) -> None:
        qtbot.waitUntil(lambda: not dock.task.busy, timeout=120_000)
        qtbot.wait(200)

    return waited


@pytest.fixture
def trained(open_plate: Any, dock: Any, wait: Any) -> Any:
    """A session with a classifier and predictions, and the dock in front."""
    open_plate()
    classifier = dock(ClassifierPage)
    classifier.network.setCurrentText("tiny")
    classifier.epochs.setValue(2)
    classifier.held_out.setValue(0.35)
    classifier.seed.setValue(2)
    classifier.device.setCurrentText("cpu")
    classifier.start()
    wait(classifier)
    classifier.classify()
    wait(classifier)
    found = dock(ReportPage)
    wait(found)
    return found


def in_file(dock: Any, folder: Path, wait: Any) -> None:
    dock.save_data_to(folder)
    wait(dock)
    assert dock.session.saved[1] == folder / "dataset.toml", dock.notice.text()


def test_without_cells_every_button_is_off_and_says_why(dock: Any) -> None:
    empty = dock(ReportPage)
    assert "Nothing to report yet" in empty.contents.text()
    for name in ("report", "open", "export", *SHADES):
        assert not getattr(empty, name).isEnabled()
    assert "Nothing to report" in empty.export.toolTip()
    assert "first" in empty.open.toolTip()


def test_cells_alone_can_be_reported_but_not_done_again(open_plate: Any, dock: Any) -> None:
    open_plate()
    found = dock(ReportPage)
    assert found.report.isEnabled()
    assert [item.key for item in found.list.chosen][:2] == ["table", "groups"]
    assert not found.copy_script.isEnabled()
    assert "no classifier, channel importance or latents" in found.reason.text()


def test_doses_and_plates_are_exported_with_the_groups(tmp_path: Path) -> None:
    doses = np.repeat([0, 0.1, 0.3, 1, 3, 10, 30, 100], 6)
    with np.errstate(divide="ignore"):
        share = 0.05 + 0.9 / (1 + (4 / doses) ** 1.5)
    share = np.clip(share + np.random.default_rng(0).normal(0, 0.03, 48), 0, 1)
    names = [f"{row}{column:02d}" for row in "ABCDEFGH" for column in range(1, 7)]
    labels = np.concatenate([np.arange(20) < round(20 * one) for one in share]).astype(int)
    cells = cm.Cells.from_array(
        np.zeros((960, 1, 2, 2), np.float32),
        ["DNA"],
        labels,
        ("rest", "responds"),
        np.repeat(names, 20).tolist(),
    )
    cells = replace(cells, conditions=pd.DataFrame({"dose": doses.astype(str)}, index=names))
    items = items_of(Snapshot(cells, "layers"))
    assert [item.key for item in items] == ["table", "groups", "doses", "plates"]
    done = drain(export_job(items[1:], tmp_path))
    assert {path.name for path in done.files} == {
        "groups.csv",
        "dose-response.png",
        "dose-response.svg",
        "dose-response.csv",
        "doses.csv",
        "plate rest.png",
        "plate responds.png",
    }
    assert pd.read_csv(tmp_path / "groups.csv")["dose"].tolist() == doses.tolist()
    curves = pd.read_csv(tmp_path / "dose-response.csv").set_index("class")
    row = curves.loc["responds"]
    assert row["ec50 low"] < 4 < row["ec50 high"]
    assert row["fractions of"] == "labels" and row["groups"] == 48
    assert len(pd.read_csv(tmp_path / "doses.csv")) == 16


def test_predicted_cells_are_exported_for_other_programs(tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    labels = np.zeros((40, 60), int)
    labels[4:12, 5:13], labels[20:30, 30:38] = 1, 2
    cells = cm.Cells.from_labels([labels * 100.0], ["DNA"], labels, crop=16, name="a layer")
    predictions = SimpleNamespace(
        probabilities=np.float32([[0.9, 0.1], [0.3, 0.7]]),
        classes=("rest", "responds"),
        training=["no", "no"],
    )
    snapshot = replace(Snapshot(cells, "layers"), predictions=predictions)
    own = [item for item in items_of(snapshot) if item.key.startswith("for ")]
    assert not any(item.ticked for item in own)
    done = drain(export_job(tuple(own), tmp_path))
    assert {path.relative_to(tmp_path).as_posix() for path in done.files} == {
        "cells.h5ad",
        "cells.h5sc",
        "detections.tsv",
        "outlines/a layer.geojson",
        "ChannelMix_Cells.csv",
        "ChannelMix_Image.csv",
    }
    assert "for anndata" not in [item.key for item in items_of(Snapshot(cells, "layers"))]


def test_cells_of_no_file_are_to_be_saved_first(
    trained: Any, tmp_path: Path, wait: Any, click: Any
) -> None:
    assert "in no data-set file" in trained.where.text()
    assert trained.save_data.isVisible()
    click(trained.copy_script)
    wait(trained)
    assert trained.notice.kind == "error"
    assert "save them first" in trained.notice.text()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    trained.save_data_to(tmp_path / "mine")
    assert "not empty" in trained.notice.text()
    in_file(trained, tmp_path / "saved", wait)
    assert not trained.save_data.isVisible()
    click(trained.copy_script)
    wait(trained)
    clipboard = QApplication.clipboard().text()
    assert f'"{tmp_path / "saved" / "dataset.toml"}"' in clipboard
    assert f"channels={list(trained.session.cells.channels)!r}" in clipboard
    assert trained.notice.kind == "good"


def test_the_script_gives_the_numbers_of_the_session(
    trained: Any, dock: Any, tmp_path: Path, wait: Any, qtbot: Any
) -> None:
    explain = dock(PixelsPage)
    qtbot.waitUntil(lambda: not explain.task.busy, timeout=60_000)
    for cell in (1, 4):
        explain.explain(cell)
        wait(explain)
    session = trained.session
    maps = {one.cell: one.map for one in session.explained}
    assert set(maps) == {1, 4}
    what_if = dock(WhatIfPage)
    qtbot.waitUntil(lambda: not what_if.task.busy, timeout=60_000)
    for run in (what_if.runs.all_cells, what_if.runs.transplants):
        run.tab.form["limit"].setValue(3)
        run.run()
        qtbot.waitUntil(lambda run=run: not run.task.busy, timeout=120_000)
    in_file(trained, tmp_path / "saved", wait)
    trained.write_script(tmp_path / "again.py")
    wait(trained)
    assert trained.notice.kind == "good", trained.notice.text()
    script = tmp_path / "again.py"
    more = (
        "np.savez('n.npz', recall=np.mean(recall), maps=attribution.maps, "
        "p=model.predict_proba(cells))\n"
        "answers.save('what-if')\n"
        "transplants.save('what-if')"
    )
    script.write_text(f"{script.read_text('utf-8')}\n{more}\n", "utf-8")
    bare = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DISPLAY", "WAYLAND_DISPLAY")
    }
    subprocess.run([sys.executable, str(script)], cwd=tmp_path, env=bare, check=True)
    numbers = np.load(tmp_path / "n.npz")
    assert numbers["recall"] == pytest.approx(session.trained.accuracy, abs=1e-9)
    np.testing.assert_allclose(numbers["p"], session.predictions.probabilities, atol=1e-5)
    np.testing.assert_allclose(numbers["maps"], [maps[1], maps[4]], atol=1e-5)
    answers = session.what_if
    answers.result.save(tmp_path / "in the window")
    answers.transplants.save(tmp_path / "in the window")
    for name in ("flips.csv", "transplants.csv"):
        again, first = (pd.read_csv(tmp_path / of / name) for of in ("what-if", "in the window"))
        assert len(first) > 0
        pd.testing.assert_frame_equal(again, first, atol=1e-5)


def test_the_config_names_everything_and_the_command_runs_it(
    trained: Any, tmp_path: Path, wait: Any, monkeypatch: Any, click: Any
) -> None:
    in_file(trained, tmp_path / "saved", wait)
    path = tmp_path / "my runs" / "config.json"
    monkeypatch.setattr(module.file_dialogs, "ask_save", lambda *_: path)
    click(trained.copy_command)
    wait(trained)
    command = QApplication.clipboard().text()
    assert command == (f"napari-channelmix run '{path}' --out '{path.with_suffix('')}'")
    assert json.loads(path.read_text("utf-8"))["data"]["dataset"] == "../saved/dataset.toml"
    training = read_config(path).classifier.training
    assert (training.network, training.epochs, training.seed) == ("tiny", 2, 2)
    assert (training.held_out, training.device) == (0.35, "cpu")
    # What was computed where 'auto' was chosen is computed there again.
    assert read_config(path).device == choose_device("auto").type
    again = cm.run_config(path)
    assert again.classifier.record["held_out"]["balanced_accuracy"] == pytest.approx(
        trained.session.trained.accuracy, abs=1e-9
    )


def test_classes_changed_since_are_told(trained: Any, tmp_path: Path, wait: Any) -> None:
    in_file(trained, tmp_path / "saved", wait)
    trained.session.source = str(tmp_path / "saved" / "dataset.toml")
    trained.session.assign([0], 1 - int(trained.session.cells.labels[0]))
    wait(trained)
    assert "Classes were changed" in trained.where.text()
    trained.write_config(tmp_path / "config.json")
    wait(trained)
    assert "holds other cells or classes" in trained.notice.text()
    assert not (tmp_path / "config.json").exists()
    in_file(trained, tmp_path / "again", wait)
    trained.write_config(tmp_path / "config.json")
    wait(trained)
    assert "the classifier was trained before cells or classes were changed" in (
        trained.notice.text()
    )
    assert read_config(tmp_path / "config.json").notes


def test_a_report_says_which_figures_are_of_classes_before(
    trained: Any, tmp_path: Path, wait: Any
) -> None:
    path = tmp_path / "report.html"
    for changed in (False, True):
        if changed:
            trained.session.assign([0], 1 - int(trained.session.cells.labels[0]))
        trained.write_report(path)
        wait(trained)
        page = path.read_text("utf-8")
        # Cells of no file have no config, but their figures are judged all the same.
        assert "there is no config to reproduce this" in page
        assert ("the classifier was trained before cells or classes were changed" in page) == (
            changed
        )


def test_layers_whose_names_make_one_file_name_have_files_of_their_own(
    trained: Any, tmp_path: Path
) -> None:
    images = tuple(
        PlaneImage(name, np.full((3, 3), at, np.uint8))
        for at, name in enumerate(("a/b", "a_b", "A:B", "..."))
    )
    items = items_of(snapshot_of(trained.session, images))[-4:]
    files = drain(export_job(items, tmp_path)).files
    assert [path.name for path in files[::2]] == [
        "a_b.ome.tif",
        "a_b-2.ome.tif",
        "A_B-3.ome.tif",
        "layer.ome.tif",
    ]
    assert [int(tifffile.imread(path)[0, 0]) for path in files[::2]] == [0, 1, 2, 3]


def test_what_is_exported_is_what_is_shown(
    trained: Any, viewer: Any, tmp_path: Path, wait: Any, click: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(module.file_dialogs, "ask_folder", lambda *_: tmp_path)
    click(trained.export)
    wait(trained)
    session = trained.session
    assert "cells.csv" in trained.notice.text()
    table = pd.read_csv(tmp_path / "cells.csv", keep_default_na=False)
    cells, said = session.cells, session.predictions
    assert table["label"].tolist() == [cells.classes[code] for code in cells.labels]
    assert table["prediction"].tolist() == [said.classes[code] for code in said.codes]
    for code, name in enumerate(said.classes):
        np.testing.assert_allclose(
            table[f"probability of {name}"], said.probabilities[:, code], rtol=1e-6
        )
    here = (cells.table["field"] == session.shown.field).to_numpy()
    for name, codes in (("classes", cells.labels), ("predicted", said.codes)):
        layer = viewer.layers[name]
        # Whole cells, also where the picture has rings.
        labels = cells.fields[session.shown.field].labels
        class_of = np.zeros(int(labels.max()) + 1, int)
        class_of[cells.table["object"].to_numpy()[here]] = codes[here] + 1
        expected = class_of[labels]
        np.testing.assert_array_equal(tifffile.imread(tmp_path / f"{name}.ome.tif"), expected)
        group = zarr.open_group(tmp_path / f"{name}.ome.zarr", mode="r")
        np.testing.assert_array_equal(group["0"][:], expected)
        scale, shift = group.attrs["ome"]["multiscales"][0]["datasets"][0][
            "coordinateTransformations"
        ]
        assert scale["scale"] == pytest.approx(list(layer.scale))
        assert shift["translation"] == pytest.approx(list(layer.translate))
        named = {
            one["label-value"]: one["class"]
            for one in group.attrs["ome"]["image-label"]["properties"]
        }
        assert named == dict(enumerate(said.classes, start=1))
    counts = pd.read_csv(tmp_path / "confusion.csv", index_col=0)
    assert counts.to_numpy().sum() == session.trained.n_test
    loaded = cm.load_model(tmp_path / "classifier.cmx")
    np.testing.assert_allclose(loaded.predict_proba(cells), said.probabilities, atol=1e-6)
    assert (tmp_path / "learning.svg").read_text("utf-8").lstrip().startswith("<?xml")


def test_pixels_are_copied_for_an_export_only(
    trained: Any, viewer: Any, tmp_path: Path, wait: Any
) -> None:
    def pictures() -> list[Any]:
        return [image.data for image in trained.snapshot().images]

    shown = {id(layer.data) for layer in viewer.layers}
    assert pictures() and all(id(one) in shown for one in pictures())
    trained.export_to(tmp_path)
    # What is painted meanwhile is not in the files.
    before = viewer.layers["predicted"].data.copy()
    viewer.layers["predicted"].data[:] = 0
    wait(trained)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "predicted.ome.tif"), before)


def test_what_was_unticked_stays_so(trained: Any, qtbot: Any, tmp_path: Path, wait: Any) -> None:
    rows = trained.list
    for row in range(1, rows.topLevelItemCount()):
        rows.topLevelItem(row).setCheckState(0, Qt.CheckState.Unchecked)
    trained.session.predictions = replace(trained.session.predictions)
    wait(trained)
    assert [item.key for item in rows.chosen] == ["table"]
    trained.export_to(tmp_path)
    wait(trained)
    assert {path.stem for path in tmp_path.iterdir() if path.is_file()} == {"cells"}
    rows.topLevelItem(0).setCheckState(0, Qt.CheckState.Unchecked)
    assert not trained.export.isEnabled()
    assert trained.why_no_export.text() == "Nothing is ticked."


def test_a_folder_that_cannot_be_written_is_told(trained: Any, tmp_path: Path, wait: Any) -> None:
    (tmp_path / "file").write_text("")
    for begin in (
        lambda: trained.export_to(tmp_path / "file"),
        lambda: trained.write_report(tmp_path / "file" / "report.html"),
        lambda: trained.save_data_to(tmp_path / "file" / "data"),
    ):
        begin()
        wait(trained)
        assert trained.notice.kind == "error"
        assert "could not save" in trained.notice.text()


def test_the_report_is_opened_only_by_a_click(
    trained: Any, tmp_path: Path, wait: Any, monkeypatch: Any, click: Any
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(
        module.QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile())
    )
    path = tmp_path / "report.html"
    monkeypatch.setattr(module.file_dialogs, "ask_save", lambda *_: path)
    click(trained.report)
    wait(trained)
    assert opened == []
    page = path.read_text("utf-8")
    assert "Labels against predictions" in page
    assert "there is no config to reproduce this" in page
    click(trained.open)
    assert opened == [str(path)]
    path.unlink()
    click(trained.open)
    assert "no longer exists" in trained.notice.text()
    assert len(opened) == 1


def test_other_cells_stop_what_is_being_written(
    trained: Any, tmp_path: Path, wait: Any, plate: Any
) -> None:
    trained.write_report(tmp_path / "report.html")
    assert trained.task.busy
    trained.session.open(plate, "another plate")
    assert not trained.task.busy
    wait(trained)
    assert trained.session.explained == ()
