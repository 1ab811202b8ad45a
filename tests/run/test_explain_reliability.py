"""Maps of a data set that are tested: the figures of `explain`, kept chunk by chunk."""

import json

import numpy as np
import pandas as pd
import pytest

import napari_channelmix as cm
from napari_channelmix.errors import DataError
from napari_channelmix.run import explain_run
from napari_channelmix.run.stored_schemas import ExplainFile
from napari_channelmix.run.text import explanation_text
from napari_channelmix.stored_files import read_content

from ..tiny_sample import rule, tiny_cells

QUICK = {"forwards": 40, "only": "all", "check": False}


@pytest.fixture(scope="module")
def cells():
    return tiny_cells().subset([0, 1, 2, 3])


@pytest.fixture(scope="module")
def model():
    # One object: another function is another model.
    return rule()


def test_figures_are_those_of_explain_and_stand_in_both_files(model, cells, tmp_path):
    # Maps first: they can be tested later.
    cm.explain_cells(model, cells, tmp_path, **QUICK)
    done = cm.explain_cells(model, cells, tmp_path, reliability=True, **QUICK)
    assert done.worked
    tested = done.content["reliability"]
    wanted = cm.explain(model, cells, forwards=40, check=False, reliability=True).reliability
    np.testing.assert_allclose(tested["gain"], wanted.against_chance.gain, atol=1e-4)
    np.testing.assert_allclose(tested["staying"], wanted.staying, atol=1e-4)
    assert tested["verdict"] == [wanted.verdict(cell) for cell in range(4)]
    assert tested["randomisation"] == [None] * 4
    assert tested["readable_maps"] == sum(tested["readable"]) and tested["n"] == 4
    assert read_content(tmp_path / "explain.json", ExplainFile)["reliability"]["n"] == 4
    assert pd.read_csv(tmp_path / "cells.csv")["verdict"].tolist() == tested["verdict"]
    text = explanation_text(done.content)
    assert f"reliability: {tested['readable_maps']} of 4 maps may be read" in text


def test_tests_go_on_where_they_were_stopped(model, cells, tmp_path, monkeypatch):
    monkeypatch.setattr(explain_run, "CHUNK", 2)

    def stop(step):
        if (tmp_path / "parts" / "00000-reliability.json").exists():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cm.explain_cells(model, cells, tmp_path, reliability=True, progress=stop, **QUICK)
    kept = (tmp_path / "parts" / "00000-reliability.json").read_text("utf-8")
    again = cm.explain_cells(model, cells, tmp_path, reliability=True, **QUICK)
    assert again.content["reliability"]["n"] == 4
    assert (tmp_path / "parts" / "00000-reliability.json").read_text("utf-8") == kept
    assert not cm.explain_cells(model, cells, tmp_path, reliability=True, **QUICK).worked


def test_figures_that_are_damaged_are_made_anew_or_refused(model, cells, tmp_path):
    first = cm.explain_cells(model, cells, tmp_path, reliability=True, **QUICK)
    part = tmp_path / "parts" / "00000-reliability.json"
    content = json.loads(part.read_text("utf-8"))
    part.write_text(json.dumps({**content, "gain": content["gain"][:1]}), "utf-8")
    again = cm.explain_cells(model, cells, tmp_path, reliability=True, **QUICK)
    assert again.worked and again.content["reliability"] == first.content["reliability"]
    report = tmp_path / "explain.json"
    stored = json.loads(report.read_text("utf-8"))
    stored["reliability"]["words"].pop()
    report.write_text(json.dumps(stored), "utf-8")
    with pytest.raises(DataError, match="reliability"):
        read_content(report, ExplainFile)
