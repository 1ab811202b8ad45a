"""What multiplex panels bring: each is one clear line or a stated warning, on every route."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile

import napari_channelmix as cm
from napari_channelmix.data.multiplex_sample import multiplex_channels, multiplex_sample
from napari_channelmix.errors import DataError
from napari_channelmix.run.cli import main

TRAINING = ("--network", "tiny", "--epochs", "1", "--quiet")
CHANNELS = 12


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small planted set of twelve channels, for copies with a fault."""
    return multiplex_sample(tmp_path_factory.mktemp("set"), cells=160, channels=CHANNELS).parent


def with_names(folder: Path, names: Sequence[str]) -> None:
    """Write the images of a set again, with other names of their channels."""
    rewrite(folder, lambda _, stack: stack, names)


def rewrite(
    folder: Path,
    change: Callable[[str, np.ndarray], np.ndarray],
    names: Sequence[str] = multiplex_channels(CHANNELS),
) -> None:
    for path in (folder / "images").glob("*.ome.tif"):
        stack = change(path.name, tifffile.imread(path))
        about = {"axes": "CYX", "Channel": {"Name": list(names)}}
        tifffile.imwrite(path, stack, ome=True, metadata=about, photometric="minisblack")


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "set"))


def one_line(captured: pytest.CaptureFixture[str]) -> str:
    """What the command line says of an error: one line, without a traceback."""
    lines = captured.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    return lines[0]


# Two channels of one name


def twins() -> list[str]:
    """Names of the channels, the sixth called as the fourth is."""
    names = list(multiplex_channels(CHANNELS))
    names[5] = names[3]
    return names


def test_the_second_channel_of_a_name_gets_a_number_and_that_is_said(folder: Path) -> None:
    names = twins()
    with_names(folder, names)
    cells = cm.open_dataset(folder / "dataset.toml")
    assert cells.channels[3] == "CD45"
    assert cells.channels[5] == "CD45-2"
    assert len(set(cells.channels)) == CHANNELS
    (line,) = cells.warnings
    assert "some of its channels have one name" in line
    assert "channel 6, CD45, is read as CD45-2" in line
    assert "and 7 more files" in line


def test_channels_of_one_name_can_be_named_in_the_data_set_file(folder: Path) -> None:
    names = twins()
    with_names(folder, names)
    file = folder / "dataset.toml"
    names[5] = "CD45, cycle 2"
    listed = ", ".join(f'"{name}"' for name in names)
    text = file.read_text("utf-8").replace("[image]\n", f"[image]\nchannels = [{listed}]\n")
    file.write_text(text, "utf-8")
    assert cm.open_dataset(file).channels == tuple(names)


def test_a_folder_whose_images_have_two_channels_of_one_name_is_opened(folder: Path) -> None:
    with_names(folder, twins())
    scan = cm.scan_folder(folder / "images", files=None)
    assert {"CD45", "CD45-2"} <= set(scan.channels.values())
    assert len(scan.channels) == CHANNELS


def test_an_image_with_two_channels_of_one_name_is_opened_with_names_for_each(
    folder: Path,
) -> None:
    names = twins()
    with_names(folder, names)
    image = min((folder / "images").glob("*.ome.tif"))
    labels = str(image).replace(".ome.tif", "_cells.tif")
    with pytest.raises(DataError, match=r"called 'CD45'; give channels=\[12 names\], each once"):
        cm.open(image, labels=labels, crop=24)
    names[5] = "CD45, cycle 2"
    assert cm.open(image, labels=labels, crop=24, channels=names).channels == tuple(names)


def test_names_that_are_given_twice_are_refused_by_name() -> None:
    pixels = np.zeros((4, 3, 8, 8), np.float32)
    with pytest.raises(DataError, match="two channels are called 'CD3'"):
        cm.Cells.from_array(pixels, ["CD3", "DAPI", "CD3"])
    labels = np.pad(np.ones((4, 4), int), 8)
    planes = [np.ones((20, 20))] * 3
    with pytest.raises(DataError, match=r"channels 1 and 3 are both called 'CD3'"):
        cm.Cells.from_labels(planes, ["CD3", "DAPI", "CD3"], labels, crop=8)
    cells = cm.Cells.from_array(pixels, ["CD3", "DAPI", "CD8"])
    with pytest.raises(DataError, match="two channels are called 'CD3'"):
        cells.with_channels(["CD3", "CD3"])


def test_the_command_line_refuses_a_channel_that_is_named_twice(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--channels", "CD3", "CD3", "--out", str(tmp_path / "m.cmx"), *TRAINING)
    assert main(["train", str(folder / "dataset.toml"), *options]) == 2
    assert "two channels are called 'CD3'" in one_line(capsys)


# A class without cells in the held-out part


@pytest.fixture
def without_held_out(folder: Path) -> Path:
    """Two patients are held out, and none of their cells is a Treg."""
    table = pd.read_csv(folder / "labels.csv")
    table.loc[table["label"] == "Treg", "patient"] = "P03"
    table["split"] = np.where(table["patient"].isin(["P01", "P02"]), "test", "train")
    table.to_csv(folder / "labels.csv", index=False)
    file = folder / "dataset.toml"
    file.write_text(file.read_text("utf-8").replace("[image]", 'split = "split"\n[image]'), "utf-8")
    return file


def test_a_class_without_held_out_cells_is_said_and_not_counted(without_held_out: Path) -> None:
    cells = cm.open_dataset(without_held_out, channels=["DAPI", "CD45", "CD3", "CD4", "FOXP3"])
    train, held_out = cells.split()
    assert held_out.class_counts["Treg"] == 0
    model = cm.train_classifier(train, network="tiny", epochs=1, device="cpu")
    evaluated = cm.evaluate(model, held_out)
    assert any("Treg" in line for line in evaluated.warnings)
    result = cm.channel_shapley(model, held_out, forwards=500)
    assert any("no held-out cell is Treg" in line for line in result.warnings)
    rows = result.of_class("Treg")
    assert all(np.isnan(row.value) and row.n == 0 for row in rows)
    assert np.isnan(result.effects()["Treg"]).all()
    assert not result.readable()["Treg"].any()
    assert not any(line.startswith("Treg") for line in result.sentences)


def test_the_command_line_says_which_class_has_no_held_out_cell(
    without_held_out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--drop-channels", "Blank", "--out", str(tmp_path / "m.cmx"), *TRAINING[:-1])
    assert main(["train", str(without_held_out), *options]) == 0
    captured = capsys.readouterr()
    assert "Treg" in captured.out + captured.err


# 200 channels


def test_two_hundred_channels_are_trained_and_asked(tmp_path: Path) -> None:
    cells = cm.open_dataset(multiplex_sample(tmp_path, cells=40, channels=200))
    assert len(cells.channels) == 200
    cells = cells.without_channels(["Blank"])
    train, held_out = cells.split(test=0.4, seed=0)
    model = cm.train_classifier(train, network="tiny", epochs=1, device="cpu")
    result = cm.channel_shapley(model, held_out, forwards=400)
    assert not result.exact
    assert result.effects().shape == result.readable().shape == (199, 7)
    assert len(result.to_frame()) == 199 * 8


# A channel that is constant in one field only


def constant_in_one_field(folder: Path) -> Path:
    place = multiplex_channels(CHANNELS).index("CD3")

    def change(name: str, stack: np.ndarray) -> np.ndarray:
        if "field0003" in name:
            stack[place] = 100
        return stack

    rewrite(folder, change)
    return folder / "dataset.toml"


def test_a_channel_that_is_constant_in_one_field_is_used_and_never_gives_nan(
    folder: Path,
) -> None:
    cells = cm.open_dataset(constant_in_one_field(folder)).without_channels(["Blank"])
    train, held_out = cells.split(test=0.3, seed=0)
    model = cm.train_classifier(train, network="tiny", epochs=1, device="cpu")
    assert np.isfinite(model.predict_proba(cells)).all()
    result = cm.channel_shapley(model, held_out, forwards=500)
    assert "CD3" in result.channels
    assert not any("constant" in line for line in result.warnings)


def test_a_channel_that_is_constant_in_one_field_is_noted_with_the_field(folder: Path) -> None:
    cells = cm.open_dataset(constant_in_one_field(folder)).without_channels(["Blank"])
    notes = [note for note in cm.channel_notes(cells).notes if note.channel == "CD3"]
    (note,) = [note for note in notes if note.kind == "constant in a field"]
    assert "field0003" in note.other
    assert "field0003" in note.text
