"""The command 'predict': which prior was used stands in every file, and the numbers follow it."""

from __future__ import annotations

import errno
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import tifffile

from napari_channelmix import Cells, Classifier, load_model, open_dataset, predict_cells
from napari_channelmix.classify.prediction_chunks import prediction_chunks
from napari_channelmix.data.samples import synthetic_plate
from napari_channelmix.errors import DataError, SaveError
from napari_channelmix.report.predict_dataset import predict_cells_job
from napari_channelmix.report.prediction_parts import PredictionParts
from napari_channelmix.run.cli import main

if TYPE_CHECKING:
    from napari_channelmix.jobs import Job

QUICK = ["--device", "cpu", "--quiet"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set and a classifier of it."""
    folder = tmp_path_factory.mktemp("made")
    synthetic_plate(wells=8, cells_per_well=8, side=128, crop=24).save(folder / "plate")
    train = [
        "train",
        str(folder / "plate" / "dataset.toml"),
        "--out",
        str(folder / "M.cmx"),
        "--network",
        "tiny",
        "--epochs",
        "3",
    ]
    assert main([*train, *QUICK]) == 0
    return folder


def predict(made: Path, out: Path, *more: str) -> int:
    return main(
        [
            "predict",
            str(made / "plate" / "dataset.toml"),
            "--model",
            str(made / "M.cmx"),
            "--out",
            str(out),
            "--device",
            "cpu",
            *more,
        ]
    )


def test_cells_groups_and_prior_are_written(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict(made, tmp_path / "a") == 0
    said = capsys.readouterr().out
    assert "probabilities: prior as in training (" in said and "calibrated on " in said
    content = json.loads((tmp_path / "a" / "predictions.json").read_text("utf-8"))
    assert content["schema"] == "napari-channelmix/predict/1"
    assert content["prior"]["kind"] == "training" and sum(content["called"].values()) == 64
    cells = pd.read_csv(tmp_path / "a" / "cells.csv")
    model = load_model(made / "M.cmx")
    assert model.accuracy is not None and f"when it was trained: {model.accuracy.text()}" in said
    assert content["accuracy"]["low"] == model.accuracy.low
    plate = open_dataset(made / "plate" / "dataset.toml")
    expected = model.predict_proba(plate)
    shown = cells[[f"probability of {name}" for name in model.classes]].to_numpy()
    np.testing.assert_allclose(shown, expected, atol=1e-5)
    assert cells["prediction"].tolist() == [model.classes[at] for at in model.predict(plate)]
    # Which of the cells it was trained on is known again by their pixels.
    trained = (cells["training"] == "yes").sum()
    assert 0 < trained < 64 and set(cells["training"]) == {"yes", "no"}
    assert f"trained on {trained} of these 64 cells" in content["training"]
    assert content["training"] in said
    groups = pd.read_csv(tmp_path / "a" / "groups.csv")
    assert len(groups) == 8 and {"fraction treated", "low treated"} <= set(groups)
    held_out = model.held_out_calls
    assert held_out is not None
    assert ("adjusted fraction treated" in groups) == (not held_out.why_not)


def test_a_prior_is_followed_and_a_wrong_one_is_one_line(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict(made, tmp_path, "--prior", "treated=0.001", "--quiet") == 0
    content = json.loads((tmp_path / "predictions.json").read_text("utf-8"))
    assert content["prior"]["shares"] == pytest.approx({"treated": 0.001, "untreated": 0.999})
    assert content["mean_probability"]["treated"] < 0.4
    assert predict(made, tmp_path, "--prior", "estimated", "--quiet") == 0
    content = json.loads((tmp_path / "predictions.json").read_text("utf-8"))
    # What EM ends with: the mean of the probabilities is the prior.
    assert content["mean_probability"] == pytest.approx(content["prior"]["shares"], abs=1e-3)
    capsys.readouterr()
    assert predict(made, tmp_path, "--prior", "half") == 2
    said = capsys.readouterr().err
    assert "--prior 'half': use training, balanced, estimated, or CLASS=SHARE" in said
    assert said.count("\n") == 1


def test_evaluate_explain_and_report_say_their_prior(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plate, model = str(made / "plate" / "dataset.toml"), str(made / "M.cmx")
    asked = ["--model", model, "--prior", "untreated=0.9", "treated=0.1", "--device", "cpu"]
    assert main(["evaluate", plate, *asked]) == 0
    said = capsys.readouterr().out
    assert "prior given shares (treated 10.0 %, untreated 90.0 %)" in said
    assert "calibration error " in said and "Brier score " in said
    # These are the cells that were held out in training, on which the temperature was fitted.
    assert "measured on the cells it was calibrated on, so too good" in said
    maps = tmp_path / "maps"
    explain = ["explain", plate, *asked, "--out", str(maps), "--limit", "3", "--no-check"]
    assert main([*explain, "--method", "saliency", "--quiet"]) == 0
    content = json.loads((maps / "explain.json").read_text("utf-8"))
    assert content["prior"]["shares"] == pytest.approx({"treated": 0.1, "untreated": 0.9})
    assert content["target"] == content["predicted"]
    page = tmp_path / "report.html"
    assert main(["report", plate, *asked, "--out", str(page), "--quiet"]) == 0
    text = page.read_text("utf-8")
    assert "Shown with the prior given shares (treated 10.0 %, untreated 90.0 %)" in text
    assert "Calibration of its probabilities" in text and "Brier score" in text


# Cells of a chunk, so that 64 cells are four.
FEW = 16


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "napari_channelmix.report.predict_dataset.prediction_chunks",
        lambda source: prediction_chunks(source, FEW),
    )


@pytest.fixture
def opened(made: Path) -> tuple[Classifier, Cells]:
    model = load_model(made / "M.cmx")
    assert isinstance(model, Classifier)
    return model, open_dataset(made / "plate" / "dataset.toml")


def stopped_after(job: Job[Any], parts: Path, chunks: int) -> None:
    """Run a job until so many chunks are kept, and leave it as a killed process does."""
    for _ in job:
        if len(list(parts.glob("*.npz"))) >= chunks:
            break
    job.close()


def test_a_table_alone_has_the_rows_of_the_folders_table(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict(made, tmp_path / "folder", "--quiet") == 0
    whole = pd.read_csv(tmp_path / "folder" / "cells.csv")
    for name in ("cells.csv", "cells.parquet"):
        assert predict(made, tmp_path / name, "--only", "held-out") == 0
        said = capsys.readouterr().out
        assert "only held-out cells: " in said and f"saved {name} in" in said
        read = pd.read_csv if name.endswith("csv") else pd.read_parquet
        table = read(tmp_path / name)
        assert set(table["training"]) == {"no"}
        pd.testing.assert_frame_equal(
            table.reset_index(drop=True),
            whole[whole["training"] == "no"].reset_index(drop=True),
            check_dtype=False,
            rtol=1e-5,
        )
    # Nothing is left beside them.
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "cells.csv",
        "cells.parquet",
        "folder",
    ]


@pytest.mark.usefixtures("small_chunks")
def test_what_was_done_is_not_done_again_and_the_result_is_the_same(
    opened: tuple[Classifier, Cells], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = predict_cells(*opened, tmp_path / "whole")
    out = tmp_path / "out"
    stopped_after(predict_cells_job(*opened, out), out / "parts", 2)
    assert not (out / "cells.csv").exists()
    # A file that was cut off counts as missing.
    first = out / "parts" / "000000.npz"
    first.write_bytes(first.read_bytes()[:200])

    kept: list[int] = []
    put = PredictionParts.put
    monkeypatch.setattr(
        PredictionParts,
        "put",
        lambda self, index, chunk: (kept.append(index), put(self, index, chunk)),
    )
    again = predict_cells(*opened, out)

    assert kept == [0, 2, 3]
    assert (out / "cells.csv").read_bytes() == (tmp_path / "whole" / "cells.csv").read_bytes()
    assert not (out / "parts").exists()
    for content in (whole.content, again.content):
        del content["provenance"]["made"]
    assert again.content == whole.content


@pytest.mark.usefixtures("small_chunks")
def test_chunks_of_a_damaged_image_are_named_and_the_others_kept(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, cells = load_model(made / "M.cmx"), open_dataset(made / "plate" / "dataset.toml")
    read, bad = Cells.read, set(np.flatnonzero(cells.table["field"] == 5).tolist())

    def damaged(self: Cells, indices: Any) -> Any:
        if bad & set(np.atleast_1d(indices).tolist()):
            raise DataError("plate/f5.tif: damaged, tile 3 cannot be decoded")
        return read(self, indices)

    monkeypatch.setattr(Cells, "read", damaged)
    message = (
        r"1 of 4 chunks could not be computed \(16 cells from .* on: plate/f5.tif: damaged, tile 3 "
        r"cannot be decoded\); the others are kept, and the same command again"
    )
    with pytest.raises(DataError, match=message):
        predict_cells(model, cells, tmp_path)
    assert len(list((tmp_path / "parts").glob("*.npz"))) == 3
    assert not (tmp_path / "cells.csv").exists()

    monkeypatch.setattr(Cells, "read", read)
    assert len(pd.read_csv(predict_cells(model, cells, tmp_path).files[0])) == 64


@pytest.mark.usefixtures("small_chunks")
def test_chunks_of_an_image_that_was_changed_meanwhile_are_computed_anew(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The fingerprint of a data set has the pixels of 32 cells: here it is that of other cells.
    monkeypatch.setattr("napari_channelmix.data.cell_boxes.FINGERPRINTED", 1)
    model = load_model(made / "M.cmx")
    shutil.copytree(made / "plate", tmp_path / "plate")
    cells, out = open_dataset(tmp_path / "plate" / "dataset.toml"), tmp_path / "out"
    last = prediction_chunks(cells, FEW)[2]
    assert 0 not in last
    stopped_after(predict_cells_job(model, cells, out), out / "parts", 3)

    index = int(cells.table["field"].to_numpy()[last[0]])
    path = Path(cells.fields[index].planes[0].file.path)
    with tifffile.TiffFile(path) as file:
        pixels, about = file.asarray()[..., ::-1, ::-1].copy(), str(file.ome_metadata)
    tifffile.imwrite(
        path, pixels, description=about.encode(), metadata=None, photometric="minisblack"
    )
    changed = open_dataset(tmp_path / "plate" / "dataset.toml")
    predict_cells(model, changed, out)
    predict_cells(model, changed, tmp_path / "whole")
    assert (out / "cells.csv").read_bytes() == (tmp_path / "whole" / "cells.csv").read_bytes()


def test_a_file_of_a_kind_that_is_not_written_is_no_folder(
    opened: tuple[Classifier, Cells], tmp_path: Path
) -> None:
    with pytest.raises(SaveError, match=r"cells\.xlsx: tables end in .*; \.xlsx is not written"):
        predict_cells(*opened, tmp_path / "cells.xlsx")
    assert not any(tmp_path.iterdir())


def test_results_of_another_run_are_not_written_over(
    opened: tuple[Classifier, Cells], tmp_path: Path
) -> None:
    model, cells = opened
    predict_cells(model, cells, tmp_path)
    before = (tmp_path / "cells.csv").read_bytes()
    # The same once more is no other run, whatever the prior.
    predict_cells(model, cells, tmp_path, prior="balanced")

    fewer = cells.subset(np.arange(20))
    with pytest.raises(DataError, match=r"was made with other cells .*choose another folder"):
        predict_cells(model, fewer, tmp_path)
    other = replace(model, mean=model.mean + 1)
    with pytest.raises(DataError, match=r"was made with another model; choose another folder"):
        predict_cells(other, cells, tmp_path)
    predict_cells(model, cells, tmp_path)
    assert (tmp_path / "cells.csv").read_bytes() == before


@pytest.mark.usefixtures("small_chunks")
def test_parts_of_another_run_or_of_another_command_are_refused(
    opened: tuple[Classifier, Cells], tmp_path: Path
) -> None:
    model, cells = opened
    out = tmp_path / "table.csv"
    stopped_after(predict_cells_job(model, cells, out), tmp_path / "table.csv.parts", 1)
    with pytest.raises(DataError, match=r"made with .*another model.*delete this one to start"):
        predict_cells(replace(model, mean=model.mean + 1), cells, out)

    theirs = tmp_path / "theirs"
    (theirs / "parts").mkdir(parents=True)
    (theirs / "parts" / "repeat-0.json").write_text("{}")
    with pytest.raises(DataError, match=r"parts was not made by this command"):
        predict_cells(model, cells, theirs)
    assert (theirs / "parts" / "repeat-0.json").exists()


@pytest.mark.usefixtures("small_chunks")
def test_a_full_disk_is_one_line_and_what_was_done_stays(
    opened: tuple[Classifier, Cells], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = np.savez

    def full(file: Any, **arrays: Any) -> None:
        if len(list((tmp_path / "parts").glob("*.npz"))) >= 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        save(file, **arrays)

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(SaveError, match="No space left on device") as raised:
        predict_cells(*opened, tmp_path)
    assert "\n" not in str(raised.value)
    assert len(list((tmp_path / "parts").glob("*.npz"))) == 2


def test_a_package_that_is_missing_is_said_before_anything_is_computed(
    opened: tuple[Classifier, Cells], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_channelmix.report.predict_dataset.find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"pip install 'napari-channelmix\[parquet\]'"):
        next(predict_cells_job(*opened, tmp_path / "cells.parquet"))


@pytest.mark.slow
@pytest.mark.usefixtures("small_chunks")
def test_two_workers_give_the_same_to_the_bit(
    opened: tuple[Classifier, Cells], tmp_path: Path
) -> None:
    pytest.importorskip("distributed")
    alone = predict_cells(*opened, tmp_path / "alone")
    shared = predict_cells(*opened, tmp_path / "shared", workers=2)

    for content in (alone.content, shared.content):
        del content["provenance"]["made"]
    assert shared.content == alone.content
    for one, other in zip(alone.files, shared.files, strict=True):
        if one.suffix == ".csv":
            assert one.read_bytes() == other.read_bytes()
