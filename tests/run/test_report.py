"""The command 'report' puts together what the other commands wrote, and says what does not fit."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

import napari_channelmix as cm
from napari_channelmix.config import ClassifierPart
from napari_channelmix.data import open_dataset
from napari_channelmix.data.samples import synthetic_plate
from napari_channelmix.report import ClassifierFacts, Findings
from napari_channelmix.run.cell_choice import chosen_cells
from napari_channelmix.run.cli import main
from napari_channelmix.run.report import _other, _trained_on, _what_if_part, _words
from napari_channelmix.run.stored_answers import of_others

QUICK = ["--device", "cpu", "--quiet"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A data set, a classifier, its maps."""
    folder = tmp_path_factory.mktemp("made")
    plate = synthetic_plate(wells=6, cells_per_well=8, side=128, crop=24)
    dataset = plate.save(folder / "plate")
    model, maps = folder / "M.cmx", folder / "maps"
    train = ["train", str(dataset), "--out", str(model), "--network", "tiny", "--epochs", "2"]
    assert main([*train, *QUICK]) == 0
    explain = ["explain", str(dataset), "--model", str(model), "--out", str(maps), "--limit", "5"]
    assert main([*explain, *QUICK]) == 0
    return folder


def report(made, out, *more):
    return main(["report", str(made / "plate" / "dataset.toml"), "--out", str(out), *more])


def test_only_what_is_named_is_reported(made, tmp_path, capsys):
    out = tmp_path / "report.html"
    assert report(made, out, "--model", str(made / "M.cmx"), "--explain", str(made / "maps")) == 0
    page = out.read_text("utf-8")
    assert '<section id="explanations">' in page
    assert page.count('<article class="card">') == 5
    assert "Labels against predictions, on held-out cells" in page
    assert '<section id="importance">' not in page
    assert f"saved {out}" in capsys.readouterr().out
    assert report(made, out) == 0
    assert '<section id="classifier">' not in out.read_text("utf-8")


def test_what_is_not_there_is_one_line(made, tmp_path, capsys):
    out = tmp_path / "report.html"
    for more, says in (
        (["--model", str(tmp_path / "no.cmx")], "no such file"),
        (["--importance", str(tmp_path)], "importance.json"),
        (["--explain", str(tmp_path)], "explain.json"),
        (["--latents", str(tmp_path)], "latents.json"),
    ):
        assert report(made, out, *more) == 2
        said = capsys.readouterr().err
        assert says in said
        assert said.count("\n") == 1
    assert not out.exists()
    assert report(made, tmp_path) == 2
    assert "is a folder" in capsys.readouterr().err


def test_maps_of_other_cells_are_refused(made, tmp_path, capsys):
    maps = tmp_path / "maps"
    shutil.copytree(made / "maps", maps)
    path = maps / "explain.json"
    content = json.loads(path.read_text("utf-8"))
    content["provenance"]["data"] = "other"
    path.write_text(json.dumps(content), "utf-8")
    assert report(made, tmp_path / "r.html", "--explain", str(maps)) == 2
    assert "of other cells" in capsys.readouterr().err
    path.write_text("{}", "utf-8")
    assert report(made, tmp_path / "r.html", "--explain", str(maps)) == 2
    assert "explain.json: schema is missing; run the command again" in capsys.readouterr().err


def test_latents_of_other_cells_are_told(made, tmp_path, capsys):
    cells = open_dataset(made / "plate" / "dataset.toml")
    some = cells.subset(chosen_cells(len(cells), 9, 4))
    about = {"seed": 4, "settings": {"limit": 9}, "model": "texture-sprites"}
    path = tmp_path / "latents.json"
    for data, told in ((some.fingerprint, False), (cells.fingerprint, True)):
        content = {
            "schema": "napari-channelmix/latents/1",
            "n": 9,
            "badges": [],
            "provenance": {**about, "data": data},
        }
        path.write_text(json.dumps(content), "utf-8")
        assert report(made, tmp_path / "r.html", "--latents", str(tmp_path)) == 0
        page = (tmp_path / "r.html").read_text("utf-8")
        assert ("the latents are of other cells" in page) == told
        assert ("the latents are of other cells" in capsys.readouterr().out) == told


def test_a_classifier_of_other_cells_is_told(made, tmp_path, capsys):
    other = synthetic_plate(wells=4, cells_per_well=6, side=96, crop=24).save(tmp_path / "other")
    out = tmp_path / "r.html"
    assert main(["report", str(other), "--out", str(out), "--model", str(made / "M.cmx")]) == 0
    said = capsys.readouterr().out
    assert "the classifier was trained on none of these cells" in said and "changed" not in said
    assert "the classifier was trained on none of these cells" in out.read_text("utf-8")


def test_a_classifier_says_that_cells_changed_only_where_its_own_cells_did(made):
    cells = open_dataset(made / "plate" / "dataset.toml")
    facts = ClassifierFacts("M", cells.channels, cells.classes, provenance={"cells": "other"})
    none = np.full(len(cells), "no")
    some = np.where(np.arange(len(cells)) < 2, "yes", "no")
    assert _trained_on(facts, none, cells) == ["the classifier was trained on none of these cells"]
    # Its cells are among these, beside others.
    assert _trained_on(facts, some, cells) == []
    renamed = replace(cells, classes=tuple(f"new {name}" for name in cells.classes))
    [line] = _trained_on(facts, some, renamed)
    assert "labelled new" in line and line.endswith("the data set has changed since")
    assert "not known" in _trained_on(facts, np.full(len(cells), "unknown"), cells)[0]
    assert _trained_on(replace(facts, provenance={"cells": cells.fingerprint}), none, cells) == []


def test_close_calls_of_a_file_without_caveats_are_those_of_its_kind_of_output():
    content = {
        "n": 1,
        "classes": ("a", "b"),
        "probabilities": ((0.99, 0.98),),
        "target": (0,),
    }
    assert "close to undecided" in _words(content)[0][0]
    independent = {"output": "logits of independent labels (declared)"}
    assert _words(content | independent) == [()]


def test_what_tests_say_of_a_map_is_told_beside_it():
    content = {"n": 2, "doubts": ((), ("it is flat",)), "caveats": ((), ("close",))}
    tested = {"readable": (True, False), "words": (("Faithful.",), ("No better than random.",))}
    assert _words(content) == [(), ("Do not read this map: it is flat.", "Close.")]
    assert _words(content | {"reliability": tested}) == [
        ("Faithful.",),
        (
            "Do not read this map: it is flat.",
            "Do not read this map.",
            "No better than random.",
            "Close.",
        ),
    ]


def test_tested_maps_are_counted_in_the_report(made, tmp_path):
    maps, model = tmp_path / "maps", str(made / "M.cmx")
    explain = ["explain", str(made / "plate" / "dataset.toml"), "--model", model, "--limit", "2"]
    assert main([*explain, "--out", str(maps), "--reliability", *QUICK]) == 0
    assert report(made, tmp_path / "r.html", "--model", model, "--explain", str(maps)) == 0
    page = (tmp_path / "r.html").read_text("utf-8")
    counted = json.loads((maps / "explain.json").read_text("utf-8"))["reliability"]
    assert f"{counted['readable_maps']} of 2 maps may be read" in page
    assert counted["words"][0][0].replace("<", "&lt;") in page


def test_what_if_transplants_channels_and_the_audit_have_sections(made, tmp_path, capsys):
    data, folder, card = made / "plate" / "dataset.toml", tmp_path / "w", tmp_path / "audit.json"
    common = [str(data), "--model", str(made / "M.cmx"), "--limit", "6", *QUICK]
    what_if = ["whatif", *common, "--out", str(folder), "--axes", "DNA brightness", "--steps", "3"]
    assert main([*what_if, "--no-smallest", "--transplants", "--channels"]) == 0
    assert main(["audit", *common, "--out", str(card)]) == 0
    out = tmp_path / "report.html"
    asked = ["--model", str(made / "M.cmx"), "--whatif", str(folder), "--audit", str(card)]
    assert report(made, out, *asked) == 0
    page = out.read_text("utf-8")
    for section in ("what-if", "transplants", "model-channels", "shortcuts"):
        assert f'<section id="{section}">' in page
    assert "another classifier" not in page and "are of other cells" not in page
    checks = json.loads(card.read_text("utf-8"))["checks"]
    assert page.count('<span class="badge ') >= len(checks)
    capsys.readouterr()
    (folder / "transplants.json").write_text("{}", "utf-8")
    assert report(made, out, "--whatif", str(folder)) == 2
    assert "transplants.json: not what the command writes" in capsys.readouterr().err
    assert report(made, out, "--audit", str(tmp_path / "none.json")) == 2
    assert "no such file" in capsys.readouterr().err
    assert report(made, out, "--audit", str(folder / "whatif.json")) == 2
    assert "whatif.json: audit: schema" in capsys.readouterr().err


def test_answers_of_another_classifier_or_of_other_cells_are_named_and_not_to_be_done_again(made):
    plate = open_dataset(made / "plate" / "dataset.toml")
    model = cm.load_model(made / "M.cmx")
    settings = {"axes": ("size",), "limit": 2, "steps": 3, "smallest": False}
    result = cm.what_if(model, plate, **settings)
    own = Findings(plate, classifier=ClassifierFacts.of(model, "M.cmx"), what_if=result)
    assert _what_if_part(own, ClassifierPart(file="M.cmx")) is not None
    about = result.provenance
    assert of_others("these", about, own, plate.with_channels(model.channels).fingerprint) == ()
    (line,) = of_others("these", about, own, "f" * 64)
    assert line.startswith("these are of other cells, or of these before they changed")
    other = replace(result, provenance={**about, "model": "0" * 64})
    assert of_others("these", other.provenance, own, "") == ("these are of another classifier",)
    assert _what_if_part(replace(own, what_if=other), ClassifierPart(file="M.cmx")) is None


def test_maps_of_a_classifier_that_scales_pixels_are_reported_without_it(made, tmp_path, capsys):
    dataset = made / "plate" / "dataset.toml"
    model, maps = tmp_path / "S.cmx", tmp_path / "maps"
    train = ["train", str(dataset), "--out", str(model), "--network", "tiny", "--epochs", "1"]
    assert main([*train, *QUICK, "--scaling", "arcsinh=50"]) == 0
    given = ["explain", str(dataset), "--model", str(model), "--out", str(maps), "--limit", "2"]
    assert main([*given, *QUICK]) == 0
    capsys.readouterr()
    out = tmp_path / "r.html"
    says = "pixels scaled (arcsinh with the cofactor 50); those of the data set are not scaled here"
    assert report(made, out, "--explain", str(maps)) == 0
    assert says in capsys.readouterr().out and says in out.read_text("utf-8")
    # Scaled alike, there is nothing to say.
    assert report(made, out, "--explain", str(maps), "--scaling", "arcsinh=50") == 0
    assert "those of the data set are" not in capsys.readouterr().out
    # A file of an earlier version does not say it; the classifier does.
    path = maps / "explain.json"
    content = json.loads(path.read_text("utf-8"))
    del content["prepared"]
    path.write_text(json.dumps(content), "utf-8")
    assert report(made, out, "--explain", str(maps), "--model", str(model)) == 0
    capsys.readouterr()
    assert report(made, out, "--explain", str(maps)) == 2
    assert "if their classifier scales pixels, name it with --model" in capsys.readouterr().err


def test_importance_of_cells_scaled_otherwise_is_said(made):
    cells = open_dataset(made / "plate" / "dataset.toml")
    scaled = cells.scaled(arcsinh=50)
    says = _other(cells.fingerprint, scaled, "channel importance is of")
    assert says == [
        "channel importance is of these cells with pixels as they are in the files, not scaled as "
        "here"
    ]
    (line,) = _other(scaled.fingerprint, cells, "channel importance is of")
    assert "or were scaled otherwise" in line
    assert _other(scaled.fingerprint, scaled, "channel importance is of") == []
