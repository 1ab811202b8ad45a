"""What if, as a whole: known rules are found, chance is told of, bad input is said."""

import doctest
import json
import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import napari_channelmix as cm
from napari_channelmix.classify.classifier import Classifier
from napari_channelmix.classify.networks import NetworkSpec
from napari_channelmix.data import Cells
from napari_channelmix.data.samples import synthetic_plate
from napari_channelmix.errors import DataError, ModelError
from napari_channelmix.jobs import drain
from napari_channelmix.settings import WhatIfSettings
from napari_channelmix.whatif import result, stored
from napari_channelmix.whatif import what_if as what_if_module
from napari_channelmix.whatif.axes import Axis
from napari_channelmix.whatif.user_axes import register, unregister
from napari_channelmix.whatif.what_if import what_if_job
from napari_channelmix.whatif.what_if_task import (
    answer_chunk_job,
    what_if_chunks,
    what_if_task_job,
)

from .disc_cases import CHANNELS, CLASSES, by_light, disc_cells, disc_crops, light_of, model_of

QUICK = {"steps": 5, "limit": 12}
TABLES = ("curves", "flips", "transitions", "smallest", "robustness", "purity")


@pytest.fixture(scope="module")
def answers():
    return cm.what_if(by_light(), disc_cells(60), limit=20, steps=7)


def test_examples_are_true():
    for module in (what_if_module, result, stored):
        examples = doctest.testmod(module)
        assert examples.attempted and not examples.failed


def test_the_channel_that_decides_moves_the_decision_and_no_other_does(answers):
    moved = set(answers.moves["axis"])
    assert "DNA brightness" in moved
    assert not any(name.startswith("junk") for name in moved)
    flips = answers.flips[answers.flips["scope"] == "cell"]
    both = flips[flips["axis"] == "DNA brightness"].set_index("from_class")
    assert (both["share"] > 0.8).all() and (both["sham"] < 0.2).all()
    assert both.loc["dim", "to_class"] == "bright"
    assert both.loc["dim", "amount"] > 0 > both.loc["bright", "amount"]
    assert (answers.matrix()["junk brightness"] == 0).all()


def test_curves_rise_with_the_brightness_and_pass_the_cells_as_they_are(answers):
    curve = answers.curve("DNA brightness", "dim")
    bright = curve[curve["class_name"] == "bright"]
    assert (np.diff(bright["probability"]) >= 0).all()
    neutral = bright[bright["amount"] == 0].iloc[0]
    assert neutral["called"] == 0 and neutral["outside"] == 0
    assert (bright["low"] <= bright["probability"]).all()
    assert (bright["high"] >= bright["probability"]).all()
    assert (curve["n"] == 20).all()
    total = curve.groupby("amount")["probability"].sum()
    np.testing.assert_allclose(total, 1, atol=1e-5)


def test_the_smallest_change_of_each_cell_is_the_way_to_the_threshold(answers):
    rows = answers.smallest[answers.smallest["axis"] == "DNA brightness"]
    light = light_of(disc_cells(60).read())[rows["cell"]]
    wanted = np.log2(64 / light)
    assert len(rows) > 15
    np.testing.assert_allclose(rows["amount"], wanted, atol=0.15)
    cell = int(rows["cell"].iloc[0])
    assert answers.sentences(cell)[0].startswith("predicted as ")
    assert answers.sentences(10**6) == ()


def test_lines_say_what_moves_the_decision_and_how_robust_it_is(answers):
    text = "\n".join(answers.lines)
    assert "predicted as dim (20 cells), flipped by: " in text
    assert "exposure 20 %" in text
    assert answers.n == 40 and answers.groups == 8 and answers.group_kind == "group"


def test_answers_come_back_from_json_as_they_were(answers):
    content = json.loads(json.dumps(answers.as_dict(), allow_nan=False))
    again = cm.WhatIf.from_dict(content)
    for name in TABLES:
        pd.testing.assert_frame_equal(
            getattr(again, name).replace(np.nan, np.inf),
            getattr(answers, name).reset_index(drop=True).replace(np.nan, np.inf),
            check_dtype=False,
        )
    assert again.lines == answers.lines and again.provenance == answers.provenance


def test_answers_are_saved_with_a_table_each(answers, tmp_path):
    files = answers.save(tmp_path)
    assert {file.name for file in files} >= {"whatif.json", "curves.csv", "flips.csv"}
    again = cm.WhatIf.read(tmp_path / "whatif.json")
    assert len(pd.read_csv(tmp_path / "flips.csv")) == len(again.flips)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["flips"].pop("share"), "flips has no column 'share'"),
        (lambda c: c["curves"]["n"].pop(), "different lengths"),
        (lambda c: c["flips"]["above_sham"].__setitem__(0, "yes"), "holds something else"),
        (lambda c: c.__setitem__("schema", "other"), "schema"),
    ],
)
def test_a_damaged_file_is_refused_in_one_line(answers, change, message):
    content = json.loads(json.dumps(answers.as_dict()))
    change(content)
    with pytest.raises(DataError, match=message) as caught:
        cm.WhatIf.from_dict(content)
    assert "\n" not in str(caught.value)


def test_the_same_cells_are_answered_alike_whatever_the_blocks(monkeypatch):
    from napari_channelmix.whatif import what_if_task

    monkeypatch.setattr(what_if_task, "BLOCK", 7)
    more = {"axes": ("DNA brightness", "exposure"), "limit": 10, "steps": 5}
    again = cm.what_if(by_light(), disc_cells(60), **more)
    monkeypatch.undo()
    whole = cm.what_if(by_light(), disc_cells(60), **more)
    for name in TABLES[:4]:
        pd.testing.assert_frame_equal(getattr(again, name), getattr(whole, name))


def test_partial_answers_come_while_the_job_runs_and_it_can_be_closed(monkeypatch):
    from napari_channelmix.whatif import what_if_task

    monkeypatch.setattr(what_if_task, "BLOCK", 8)
    job = what_if_job(by_light(), disc_cells(60), **QUICK, axes=("DNA brightness",))
    for step in job:
        assert 0 <= step.fraction <= 1
        if step.partial is not None:
            assert step.partial.n == 8 and len(step.partial.flips)
            break
    job.close()


def test_progress_only_rises():
    job = what_if_job(by_light(), disc_cells(40), **QUICK, axes=("DNA brightness", "size"))
    done = [step.fraction for step in job]
    assert np.all(np.diff(done) >= -1e-9)


def test_an_untrained_network_has_no_axis_above_its_sham():
    cells = synthetic_plate(wells=6, cells_per_well=5, side=96, crop=20).cells
    spec = NetworkSpec("tiny", len(cells.channels), len(cells.classes))
    statistics = cells.statistics()
    model = Classifier(
        spec.build(seed=0).eval(),
        spec,
        cells.channels,
        cells.classes,
        statistics.mean,
        statistics.std,
        cells.crop,
    )
    made = cm.what_if(model, cells, **QUICK)
    assert not made.flips["above_sham"].any()
    assert any(line.startswith("nothing moves the decision") for line in made.lines)


def test_a_model_of_chance_has_no_axis_above_its_sham():
    rng = np.random.default_rng(0)
    cells = disc_cells(80, labels=rng.integers(0, 2, 80))
    made = cm.what_if(by_light(), cells, limit=40, steps=5, axes=("DNA brightness", "exposure"))
    assert made.flips["share"].max() > 0.5 and not made.flips["above_sham"].any()
    assert any("not better than chance" in line for line in made.warnings)


def test_an_unsteady_model_is_refused():
    rng = np.random.default_rng(0)
    model = model_of(lambda crops: rng.normal(0, 2, len(crops)))
    with pytest.raises(ModelError, match="changes its answer from call to call"):
        cm.what_if(model, disc_cells(20), **QUICK)


def test_a_model_that_answers_by_the_other_crops_of_a_call_is_refused():
    def among(crops):
        light = crops[:, 0].mean(axis=(1, 2))
        return 4 * (light - light.mean()) / max(light.std(), 1e-6)

    with pytest.raises(ModelError, match="beside other crops"):
        cm.what_if(model_of(among), disc_cells(20), **QUICK)


def test_an_axis_of_a_user_that_changes_pixels_at_its_neutral_amount_is_refused():
    register(lambda pixels, amounts: pixels + 1, "haze")
    try:
        with pytest.raises(ModelError, match="haze: the amount 0 changes pixels"):
            cm.what_if(by_light(), disc_cells(20), limit=5, steps=3, axes=("haze",))
    finally:
        unregister("haze")


@pytest.mark.parametrize(("known", "line"), [(0, "hardly any cell has"), (2, "(33 %)")])
def test_cells_without_the_feature_of_a_users_axis_are_told(known, line):
    def measure(crops):
        values = crops.pixels.mean(axis=(1, 2, 3))
        return np.where(crops.positions % 3 < known, values, np.nan).astype(np.float32)

    def edit(crops, amounts):
        return crops.with_pixels(crops.pixels + amounts[:, None, None, None])

    register(Axis("haze", "channel", "raw units", edit, 0, 20, "haze", measure, kind="haze"))
    try:
        made = cm.what_if(by_light(), disc_cells(24), limit=12, steps=3, axes=("haze",))
    finally:
        unregister("haze")
    assert any("haze" in text and line in text for text in made.warnings)


def test_an_axis_that_there_is_not_is_named():
    with pytest.raises(ModelError, match=r"^there is no axis 'RNA level' for these cells; there"):
        cm.what_if(by_light(), disc_cells(20), axes=("RNA level",))


def test_cells_without_a_channel_of_the_model_are_refused():
    cells = Cells.from_array(disc_crops([20.0])[:, :1], ["DNA"])
    with pytest.raises(ModelError, match="missing: junk"):
        cm.what_if(by_light(), cells)


def test_no_cells_are_refused():
    with pytest.raises(DataError, match="has no cells"):
        cm.what_if(by_light(), disc_cells(20).subset(slice(0, 0)))


def test_a_class_with_one_cell_has_shares_without_an_interval():
    light = np.concatenate([np.linspace(20, 60, 19), [90]])
    cells = Cells.from_array(disc_crops(light), CHANNELS, light > 64, CLASSES)
    made = cm.what_if(by_light(), cells, **QUICK, axes=("DNA brightness",))
    rows = made.flips[made.flips["from_class"] == "bright"]
    assert (rows["n"] == 1).all() and rows["low"].isna().all()
    assert any("one cell only is predicted as bright" in line for line in made.warnings)


def test_points_and_a_constant_channel_are_answered_and_said():
    crops = disc_crops(np.linspace(20, 140, 24))
    crops[:, 1] = 7.0
    cells = Cells.from_array(crops, CHANNELS, np.linspace(20, 140, 24) > 64, CLASSES)
    made = cm.what_if(by_light(), cells, **QUICK)
    assert (made.matrix().filter(like="junk") == 0).all(axis=None)
    assert "junk: the same everywhere, so its axes change nothing" in made.warnings
    assert np.isfinite(made.flips["share"]).all()


def test_one_group_has_intervals_over_its_cells_and_that_is_said():
    cells = disc_cells(40, groups=1)
    made = cm.what_if(by_light(), cells, limit=15, steps=5, axes=("DNA brightness",))
    assert made.groups == 1 and (made.flips["groups"] == 1).all()
    rows = made.flips[(made.flips["axis"] == "DNA brightness") & (made.flips["scope"] == "cell")]
    assert rows["above_sham"].all() and (rows["low"] > 0.5).all()
    words = "one group only: intervals are over its cells, and say nothing about others"
    assert words in made.warnings


def test_cells_without_an_outline_are_said_to_have_a_disc():
    crops = np.full((12, 2, 17, 17), 10, np.float32)
    crops[:, 0] += np.linspace(20, 140, 12)[:, None, None]
    cells = Cells.from_array(crops, CHANNELS, np.linspace(20, 140, 12) > 64, CLASSES)
    made = cm.what_if(by_light(), cells, **QUICK, axes=("DNA brightness",))
    words = "no outline is known of 12 of 12 cells: a disc"
    assert any(line.startswith(words) for line in made.warnings)


def test_an_axis_of_ones_own_is_one_more_and_its_nan_is_named():
    register(lambda pixels, a: pixels + a[:, None, None, None], "haze", unit="raw units", high=80)
    try:
        made = cm.what_if(by_light(), disc_cells(24), **QUICK, axes=("haze",))
        rows = made.flips[(made.flips["axis"] == "haze") & (made.flips["from_class"] == "dim")]
        assert rows["share"].iloc[0] == 1
        register(lambda pixels, a: pixels * np.nan, "haze", unit="", replace=True)
        with pytest.raises(ModelError, match=r"^haze: the edit gives NaN"):
            cm.what_if(by_light(), disc_cells(24), **QUICK, axes=("haze",))
    finally:
        unregister("haze")


def test_a_task_travels_to_workers_without_its_pixels_and_answers_alike():
    cells = synthetic_plate(wells=4, cells_per_well=4, side=64, crop=16).cells
    model = cm.train_classifier(cells, network="tiny", epochs=1)
    settings = WhatIfSettings(axes=("DNA brightness", "size"), limit=4, steps=3)
    task = drain(what_if_task_job(model, cells, settings))
    sent = pickle.loads(pickle.dumps(task))
    assert len(sent.reference) == 0 < len(task.reference)
    positions = what_if_chunks(task)[0]
    here, there = (drain(answer_chunk_job(each, positions)) for each in (task, sent))
    for ours, theirs in zip(here.responses.axes, there.responses.axes, strict=True):
        np.testing.assert_allclose(ours.probabilities, theirs.probabilities, atol=1e-6)


def test_the_crop_is_told_from_the_cell():
    """Two nuclei in each crop, and a rule on the sum of both."""
    labels = np.zeros((24 * 10, 24), int)
    image = np.full(labels.shape, 10.0)
    wanted = {}
    for number in range(10):
        top = 24 * number
        for column, name in ((7, 2 * number + 1), (17, 2 * number + 2)):
            labels[top + 8 : top + 16, column - 3 : column + 4] = name
            image[top + 8 : top + 16, column - 3 : column + 4] += 40.0 + number
            wanted[name] = "dim"
    cells = Cells.from_labels([image], ["DNA"], labels, crop=24, classes_of=wanted)
    cells = replace(cells, warnings=())

    def score(crops):
        return crops[:, 0].mean(axis=(1, 2)) - 27

    model = model_of(score)
    model = replace(model, channels=("DNA",), mean=model.mean[:1], std=model.std[:1])
    made = cm.what_if(model, cells, axes=("DNA brightness",), limit=20, steps=9)
    rows = made.flips[made.flips["axis"] == "DNA brightness"].set_index("scope")
    assert rows.loc["crop", "share"] >= rows.loc["cell", "share"]


def test_settings_are_those_of_python_and_refused_alike():
    assert WhatIfSettings().limit == 100 and WhatIfSettings().only == "held-out"
    with pytest.raises(ModelError, match="steps must be 3 or more"):
        WhatIfSettings(steps=2)
    with pytest.raises(ModelError, match="scope 'nucleus' is unknown"):
        WhatIfSettings(scope="nucleus")
