"""Plain classifiers beside the networks: the same cells and folds, the calls of the network."""

import json

import numpy as np
import pytest

from napari_channelmix import Cells, ChannelImportance
from napari_channelmix.classify import TrainingSettings
from napari_channelmix.dcmix.divisions import divided, given
from napari_channelmix.dcmix.importance import channel_importance
from napari_channelmix.dcmix.plain_classifiers import measured_job
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import drain

QUICK = {
    "network": "tiny",
    "settings": TrainingSettings(epochs=6),
    "device": "cpu",
    "shapley": False,
    "decoys": False,
}


def stained(seed=0, wells=16, cells=12, side=16):
    """Treated wells are stained twice as much in one channel; the other is noise."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(wells), cells)
    labels = groups % 2
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    blob = np.exp(-(x**2 + y**2) / 20)
    gain = np.stack([1 + labels, np.ones(len(labels))], axis=1) * 100
    noise = rng.normal(0, 0.1, (len(labels), 2, side, side))
    light = gain[:, :, None, None] * (blob + 0.2 + noise)
    names = [f"w{at:02d}" for at in groups]
    return Cells.from_array(
        light.astype(np.float32), ("stain", "other"), labels, ("no", "yes"), names
    )


@pytest.fixture(scope="module")
def importance():
    return channel_importance(stained(), seeds=2, held_out=0.5, **QUICK)


def test_folds_are_those_in_which_a_cell_was_first_held_out():
    cells = stained()
    division = divided(cells, 6, held_out=0.25)
    asked = drain(measured_job(division))
    assert len(asked.numbers) == len(cells)
    for number, sides in enumerate(division.sides[:4]):
        rows = sides.test.rows
        assert (asked.folds[rows] == number).all()
        np.testing.assert_array_equal(rows[asked.place[rows]], rows)
    np.testing.assert_array_equal(asked.labels, cells.labels)


def test_cells_that_are_never_held_out_are_marked():
    train, test = stained().split(test=0.25, seed=0)
    asked = drain(measured_job(given(train, test, 3)))
    assert (asked.folds == [-1] * len(train) + [0] * len(test)).all()
    one_of_four = drain(measured_job(divided(stained(), 1, held_out=0.25)))
    assert 0 < (one_of_four.folds >= 0).sum() < len(one_of_four.folds)


def test_cells_without_groups_that_were_handed_over_apart_stay_apart():
    cells = stained(wells=4)
    single = Cells.from_array(cells.read(), cells.channels, cells.labels, cells.classes)
    measured = drain(measured_job(given(single, single.subset(np.arange(10)), 1)))
    assert len(set(measured.groups.tolist())) == len(single) + 10


def test_a_stain_that_tells_the_classes_apart_is_asked_about(importance):
    found = importance.separability
    assert found.best.channel == "stain"
    assert found.readable
    assert found.network.balanced == importance.estimates["plain"].balanced
    assert found.sentence in importance.separability.sentences


def test_what_scaling_per_group_leaves_is_shown_beside(importance):
    assert importance.alone.alone[0].accuracy.balanced > 0.95
    assert importance.alone.smallest.channels == ("stain",)
    assert importance.alone_scaled.whole.balanced < 0.7


def test_the_file_has_all_of_it(importance, tmp_path):
    importance.save(tmp_path)
    assert ChannelImportance.load(tmp_path / "importance.json") == importance
    content = json.loads((tmp_path / "importance.json").read_text("utf-8"))
    assert content["alone"]["alone"][0]["accuracy"]["n_groups"] == 16
    assert content["separability"]["readable"] is True
    table = importance.to_frame()
    assert table.loc["stain", "accuracy_alone"] > 0.95
    assert table.loc["stain", "accuracy_without"] < 0.7


@pytest.mark.parametrize("wrong", ["alone", "separability"])
def test_a_file_whose_answers_are_of_another_kind_is_one_line(importance, tmp_path, wrong):
    importance.save(tmp_path)
    path = tmp_path / "importance.json"
    content = json.loads(path.read_text("utf-8"))
    content[wrong] = {"channels": ["stain"]}
    path.write_text(json.dumps(content), "utf-8")
    with pytest.raises(DataError, match=f"{wrong}") as caught:
        ChannelImportance.load(path)
    assert "\n" not in str(caught.value)


def test_a_file_of_an_earlier_version_has_none_of_it(importance, tmp_path):
    importance.save(tmp_path)
    path = tmp_path / "importance.json"
    content = json.loads(path.read_text("utf-8"))
    for name in ("alone", "separability", "alone_scaled"):
        del content[name]
    path.write_text(json.dumps(content), "utf-8")
    old = ChannelImportance.load(path)
    assert old.alone is old.separability is old.alone_scaled is None
