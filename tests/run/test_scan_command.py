"""The command `scan`: what it prints, what it writes, how it ends."""

import json

import numpy as np
import pytest
import tifffile

from napari_channelmix import open_dataset
from napari_channelmix.run.cli import main


@pytest.fixture
def folder(tmp_path):
    for number, name in enumerate(
        f"{well}_z{z}_{channel}.tif"
        for well in ("A01", "B02")
        for z in (1, 2)
        for channel in ("ch1", "ch5")
    ):
        tifffile.imwrite(tmp_path / name, np.full((8, 8), number, np.uint16))
    (tmp_path / "notes.docx").write_text("x", encoding="utf-8")
    return tmp_path


def test_without_out_it_only_looks(folder, capsys):
    before = sorted(folder.iterdir())
    assert main(["scan", str(folder)]) == 0
    shown = capsys.readouterr().out
    assert "channels  2: ch1, ch5" in shown
    assert '--choose "planes=only plane 2"' in shown
    assert "left out: 1 file" in shown and "no image (notes.docx)" in shown
    assert sorted(folder.iterdir()) == before


def test_wells_without_a_class_are_counted_and_are_no_class(folder, capsys):
    (folder / "wells.csv").write_text("well,class\nA01,negative\n", encoding="utf-8")
    assert main(["scan", str(folder)]) == 0
    assert "1: negative (2 rows without)" in capsys.readouterr().out


def test_with_its_questions_answered_it_writes_a_data_set(folder, tmp_path):
    out = tmp_path / "sets" / "z2.toml"
    line = ["scan", str(folder), "--channel", "ch5=DNA", "--choose", "planes=2", "--crop", "8"]
    line += ["--choose", "cells=image", "--out", str(out), "--quiet"]
    assert main(line) == 0
    cells = open_dataset(out)
    assert cells.channels == ("ch1", "DNA")
    assert [crop[:, 0, 0].tolist() for crop in cells.read(range(2))] == [[2, 3], [6, 7]]
    assert main(line) == 2  # nothing is overwritten


def test_open_questions_end_with_2_and_write_nothing(folder, capsys):
    out = folder / "set.toml"
    assert main(["scan", str(folder), "--out", str(out), "--quiet"]) == 2
    assert '--choose "' in capsys.readouterr().err
    assert not out.exists() and not out.with_suffix(".csv").exists()


def test_json_holds_all_that_was_understood(folder, capsys):
    assert main(["scan", str(folder), "--json", "--quiet"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["schema"] == "napari-channelmix/scan/1"
    assert content["rows"] == 4 and content["channels"] == {"ch1": "ch1", "ch5": "ch5"}
    assert content["left_out"] == [{"path": "notes.docx", "reason": "no image"}]
    assert [choice["name"] for choice in content["choices"]] == ["cells", "planes"]
    assert content["saved"] is None and len(content["problems"]) == 2


def test_every_file_left_out_is_named_on_demand(folder, capsys):
    for number in range(9):
        (folder / f"{number}.docx").write_text("x", encoding="utf-8")
    main(["scan", str(folder)])
    assert "8.docx" not in capsys.readouterr().out
    main(["scan", str(folder), "--verbose"])
    assert "8.docx: no image" in capsys.readouterr().out


def test_a_table_is_scanned_as_well(folder, capsys):
    table = folder / "cells.csv"
    table.write_text("image,x,y\nA01_z1_ch1.tif,3,3\n", encoding="utf-8")
    assert main(["scan", str(table), "--quiet", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 1


@pytest.mark.parametrize(
    "line",
    [
        ["--choose", "x"],
        ["--channel", "=x"],
        ["--role", "a="],
        ["--pattern", "none"],
        ["--role", "well=b"],
    ],
)
def test_what_cannot_be_is_one_line_and_2(folder, line, capsys):
    assert main(["scan", str(folder), *line]) == 2
    assert capsys.readouterr().err.strip().count("\n") == 0


def test_an_image_and_outlines_of_a_folder_are_scanned_and_a_data_set_is_not(folder, capsys):
    image = sorted(folder.glob("*.tif"))[0]
    assert main(["scan", str(image)]) == 0
    assert "rows      1" in capsys.readouterr().out
    assert main(["scan", str(folder / "*.geojson")]) == 2
    assert "holds no GeoJSON files" in capsys.readouterr().err
    assert main(["scan", str(folder / "dataset.toml")]) == 2
    assert "is a data-set file already" in capsys.readouterr().err
