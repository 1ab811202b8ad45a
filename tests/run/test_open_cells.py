"""``--store``: every command that reads crops writes them once, and reads them from there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile

import napari_channelmix as cm
from napari_channelmix.data import Cells
from napari_channelmix.run.cli import main
from napari_channelmix.run.parser import parser

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    lines = ["image,y,x,class"]
    for index in range(4):
        pixels = rng.integers(0, 200, (2, 60, 60)).astype("uint8")
        tifffile.imwrite(tmp_path / f"f{index}.tif", pixels, photometric="minisblack")
        lines += [
            f"f{index}.tif,{y:.0f},{x:.0f},{'ab'[index % 2]}"
            for y, x in rng.uniform(15, 45, (6, 2))
        ]
    (tmp_path / "cells.csv").write_text("\n".join(lines) + "\n")
    path = tmp_path / "dataset.toml"
    path.write_text(
        'name = "four"\ntable = "cells.csv"\nlabel = "class"\n'
        '[image]\ncolumn = "image"\naxes = "CYX"\nchannels = ["A", "B"]\n'
        '[cells]\nfrom = "point"\ncolumns = ["y", "x"]\ncrop = 16\n'
    )
    return path


def test_commands_that_read_crops_have_the_option() -> None:
    names = ("train", "importance", "predict", "explain", "evaluate", "latents")
    for name in names:
        needed = {"predict": ["--model", "m"], "explain": ["--model", "m"]}
        needed["evaluate"] = ["--model", "m"]
        given = [name, "d.toml", "--out", "o", *needed.get(name, []), "--store", "s"]
        assert str(parser().parse_args(given).store) == "s"


def test_a_store_is_made_then_used(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    store = ["--store", str(tmp_path / "crops")]
    short = ["--epochs", "1", "--network", "tiny", "--held-out", "0.5", "--quiet"]
    direct, first, second = (str(tmp_path / f"{name}.cmx") for name in "abc")
    assert main(["train", str(dataset), "--out", direct, *short]) == 0
    assert main(["train", str(dataset), "--out", first, *short, *store]) == 0
    assert (tmp_path / "crops" / "crops.zarr" / "zarr.json").exists()
    read, counted = Cells.read_images, []

    def counting(self: Cells, chosen: np.ndarray, *visit: Any) -> np.ndarray:
        counted.append(len(chosen))
        return read(self, chosen, *visit)

    monkeypatch.setattr(Cells, "read_images", counting)
    assert main(["train", str(dataset), "--out", second, *short, *store]) == 0
    # To see whether the images are still the same, and nothing else.
    assert sum(counted) <= 32
    from napari_channelmix.classify import load_model

    weights = [
        {name: value.numpy() for name, value in load_model(path).network.state_dict().items()}
        for path in (direct, first, second)
    ]
    for name, value in weights[0].items():
        np.testing.assert_array_equal(value, weights[1][name])
        np.testing.assert_array_equal(value, weights[2][name])


def test_changed_images_are_one_line(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out = str(tmp_path / "a.cmx")
    given = ["train", str(dataset), "--out", out, "--store", str(tmp_path / "crops"), "--quiet"]
    short = ["--epochs", "1", "--network", "tiny", "--held-out", "0.5"]
    assert main([*given, *short]) == 0
    image = dataset.parent / "f1.tif"
    tifffile.imwrite(image, tifffile.imread(image) + 1, photometric="minisblack")
    capsys.readouterr()
    assert main([*given, *short]) != 0
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "--rebuild-store" in said
    assert main([*given, *short, "--rebuild-store"]) == 0


def test_rebuilding_needs_a_name(dataset: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["train", str(dataset), "--out", "a.cmx", "--rebuild-store"]) != 0
    assert "--store PATH" in capsys.readouterr().err


def test_every_command_that_opens_a_data_set_chooses_channels(dataset: Path) -> None:
    models = ("predict", "explain", "evaluate", "whatif", "audit")
    for name in (*models, "train", "importance", "latents", "export", "report"):
        needed = ["--model", "m"] if name in models else []
        given = [name, str(dataset), "--out", "o", *needed]
        chosen = parser().parse_args([*given, "--use-channels", "B", "A"])
        assert chosen.use_channels == ["B", "A"] and chosen.drop_channels is None
        assert parser().parse_args([*given, "--drop-channels", "A"]).drop_channels == ["A"]
        # There --channels asks of each, or how important they are.
        if name not in ("explain", "whatif"):
            assert parser().parse_args([*given, "--channels", "B"]).use_channels == ["B"]
    assert parser().parse_args(["view", str(dataset), "--channels", "B"]).use_channels == ["B"]


def test_a_model_of_some_channels_finds_them_by_name(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    short = ["--epochs", "1", "--network", "tiny", "--held-out", "0.5", "--quiet"]
    model, store = str(tmp_path / "b.cmx"), ["--store", str(tmp_path / "crops")]
    given = ["train", str(dataset), "--out", model, "--channels", "B", *short, *store]
    assert main(given) == 0
    loaded = cm.load_model(model)
    assert loaded.channels == ("B",)
    # The store holds all channels, and serves other choices as well.
    again = ["predict", str(dataset), "--model", model, "--out", str(tmp_path / "p"), *store]
    assert main([*again, "--quiet"]) == 0
    capsys.readouterr()
    assert main([*given[:3], str(tmp_path / "c.cmx"), "--channels", "BB", *short]) == 2
    assert "has no channel 'BB'; it has A, B" in capsys.readouterr().err
    both = [*given[:3], str(tmp_path / "c.cmx"), "--channels", "B", "--drop-channels", "A", *short]
    assert main(both) == 2
    assert "not both" in capsys.readouterr().err


def test_training_says_what_speaks_against_channels(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    for index in range(4):
        pixels = tifffile.imread(tmp_path / f"f{index}.tif")
        pixels[1] = 2 * (pixels[0] // 2) + 1
        tifffile.imwrite(tmp_path / f"f{index}.tif", pixels, photometric="minisblack")
    short = ["--epochs", "1", "--network", "tiny", "--held-out", "0.5"]
    assert main(["train", str(dataset), "--out", str(tmp_path / "a.cmx"), *short]) == 0
    said = capsys.readouterr().out
    assert "note: copies of other channels: B of A (r = 1.00)" in said
    assert "--drop-channels B" in said


def test_a_name_for_maps_of_each_channel_is_told_where_channels_are_chosen(
    dataset: Path, capsys: pytest.CaptureFixture
) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(
            ["explain", str(dataset), "--model", "m", "--out", "o", "--channels", "A"]
        )
    assert "--use-channels chooses channels of the data set" in capsys.readouterr().err


def test_every_command_that_opens_a_data_set_scales_pixels(dataset: Path) -> None:
    models = ("predict", "explain", "evaluate", "whatif", "audit")
    for name in (*models, "train", "importance", "latents", "export", "report"):
        needed = ["--model", "m"] if name in models else []
        given = [name, str(dataset), "--out", "o", *needed, "--scaling", "arcsinh=5"]
        assert parser().parse_args(given).scaling.arcsinh == 5
    assert parser().parse_args(["view", str(dataset)]).scaling is None


def test_a_scaling_goes_into_the_model_and_holds_with_a_store(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    short = ["--epochs", "1", "--network", "tiny", "--held-out", "0.5", "--quiet"]
    scaling, store = ["--scaling", "clip=99,arcsinh=50"], ["--store", str(tmp_path / "crops")]
    direct, stored = str(tmp_path / "a.cmx"), str(tmp_path / "b.cmx")
    assert main(["train", str(dataset), "--out", direct, *short, *scaling]) == 0
    # The store holds the pixels of the files, whoever made it.
    assert main(["train", str(dataset), "--out", str(tmp_path / "c.cmx"), *short, *store]) == 0
    given = ["train", str(dataset), "--out", stored, *short, *scaling, *store]
    assert main(given) == 0
    first, second = cm.load_model(direct), cm.load_model(stored)
    assert first.scaling.channels == second.scaling.channels
    assert first.scaling.text == "clipped at the percentile 99, arcsinh with the cofactor 50"
    for name, value in first.network.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), second.network.state_dict()[name].numpy())
    # Another scaling than that of training is refused, its own and none are not.
    asked = ["predict", str(dataset), "--model", direct, "--quiet", "--out"]
    for number, given in enumerate((scaling, ["--scaling", "none"], [])):
        assert main([*asked, str(tmp_path / f"p{number}"), *given]) == 0
    capsys.readouterr()
    assert main([*asked, str(tmp_path / "p"), "--scaling", "arcsinh=5"]) == 2
    says = capsys.readouterr().err
    assert "scaled with other values" in says and "--scaling none" in says
    assert says.count("\n") == 1
    assert main([*asked, str(tmp_path / "p"), "--scaling", "arcsinh"]) == 2
    says = capsys.readouterr().err
    assert "argument --scaling: arcsinh has no number; give arcsinh=NUMBER" in says


def test_a_channel_that_is_left_out_is_not_measured(dataset: Path, tmp_path: Path) -> None:
    for index in range(4):
        pixels = tifffile.imread(tmp_path / f"f{index}.tif")
        pixels[1] = 7
        tifffile.imwrite(tmp_path / f"f{index}.tif", pixels, photometric="minisblack")
    short = ["--epochs", "1", "--network", "tiny", "--held-out", "0.5", "--quiet"]
    model = str(tmp_path / "a.cmx")
    given = ["--drop-channels", "B", "--scaling", "low=1,high=99"]
    assert main(["train", str(dataset), "--out", model, *short, *given]) == 0
    assert tuple(cm.load_model(model).scaling.channels) == ("A",)
