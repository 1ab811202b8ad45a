"""A config says all that was done, goes to disk and back, and refuses what it does not know."""

import json

import pytest

from napari_channelmix.config import (
    ClassifierPart,
    LatentsPart,
    TrainingPart,
    read_config,
    write_config,
)
from napari_channelmix.errors import ConfigError, SaveError


def test_a_config_comes_back_from_disk_as_it_was(config, tmp_path):
    assert read_config(write_config(config, tmp_path / "runs" / "config.json")) == config


def test_paths_in_the_file_are_relative_to_it(config, tmp_path):
    path = write_config(config, tmp_path / "runs" / "config.json")
    content = json.loads(path.read_text("utf-8"))
    assert content["data"]["dataset"] == "../plate/dataset.toml"
    assert content["latents"]["model"] == "../own.safetensors"
    (tmp_path / "moved").mkdir()
    moved = tmp_path / "moved" / "runs"
    path.parent.rename(moved)
    found = read_config(moved / "config.json").data.dataset
    assert found == str(tmp_path / "moved" / "plate" / "dataset.toml")


def test_weights_and_features_move_with_the_file(config, tmp_path):
    training = TrainingPart(weights=str(tmp_path / "start.cmx"))
    changes = {
        "classifier": ClassifierPart(training=training),
        "latents": LatentsPart(features=str(tmp_path / "own.cmx")),
    }
    path = write_config(config.model_copy(update=changes), tmp_path / "runs" / "config.json")
    content = json.loads(path.read_text("utf-8"))
    assert content["classifier"]["training"]["weights"] == "../start.cmx"
    assert content["latents"]["features"] == "../own.cmx"
    (tmp_path / "moved").mkdir()
    path.parent.rename(tmp_path / "moved" / "runs")
    moved = read_config(tmp_path / "moved" / "runs" / "config.json")
    assert moved.classifier.training.weights == str(tmp_path / "moved" / "start.cmx")
    assert moved.latents.features == str(tmp_path / "moved" / "own.cmx")


def test_no_weights_and_the_name_of_features_are_no_path(config, tmp_path):
    changes = {
        "classifier": ClassifierPart(training=TrainingPart()),
        "latents": LatentsPart(features="efficientnet-lite0"),
    }
    config = config.model_copy(update=changes)
    assert read_config(write_config(config, tmp_path / "c.json")) == config


def test_the_name_of_a_shipped_model_is_no_path(config, tmp_path):
    config = config.model_copy(update={"latents": LatentsPart(model="cell-sprites")})
    assert read_config(write_config(config, tmp_path / "c.json")).latents.model == "cell-sprites"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"schema": "napari-channelmix/config/2"}, "made by another version"),
        ({"schema": "something else"}, "not a config"),
        ({"clasifier": {}}, "clasifier is not a key of a config"),
        ({"importance": {"seeds": 0}}, "importance.seeds"),
        ({"importance": {"sedes": 4}}, "importance.sedes is not a key"),
        ({"data": {}}, "data.dataset is missing"),
        ({"classifier": {}}, "give either training"),
        ({"explanations": [{}], "classifier": None}, "explanations need a classifier"),
    ],
)
def test_what_is_not_known_is_refused_in_one_line(config, tmp_path, change, says):
    path = write_config(config, tmp_path / "config.json")
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | change), "utf-8")
    with pytest.raises(ConfigError, match=says) as caught:
        read_config(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(("text", "says"), [("{", "not a config"), ("[1]", "its schema is None")])
def test_what_is_no_config_is_refused(tmp_path, text, says):
    path = tmp_path / "config.json"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=says):
        read_config(path)
    with pytest.raises(ConfigError, match="no such file"):
        read_config(tmp_path / "nowhere.json")


def test_a_folder_that_cannot_be_written_is_one_line(config, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SaveError, match="could not save"):
        write_config(config, tmp_path / "file" / "config.json")


# ---------------------------------------------------------------- several data sets


def test_several_data_sets_come_back_with_paths_relative_to_the_file(screen, tmp_path):
    path = write_config(screen, tmp_path / "runs" / "config.json")
    content = json.loads(path.read_text("utf-8"))
    other = content["others"][0]
    assert other["data"]["dataset"] == "../plate/dataset.toml"
    assert other["latents"]["model"] == "../own.safetensors"
    assert read_config(path) == screen
    assert [one.data.name for one in screen.data_sets] == ["controls", "plate"]
    assert screen.others[0].parts == ("predictions", "latents")


def test_a_config_of_one_data_set_has_no_word_of_others(config, tmp_path):
    content = json.loads(write_config(config, tmp_path / "c.json").read_text("utf-8"))
    assert "others" not in content and next(iter(content)) == "schema"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"data": {"dataset": "a.toml", "name": "controls"}}, "needs a name of its own"),
        ({"data": {"dataset": "a.toml"}}, "needs a name of its own"),
        ({"predictions": {"classifier": "plates"}}, "'plates' has a classifier"),
        ({"predictions": {"priro": "balanced"}}, "predictions.priro is not a key"),
    ],
)
def test_data_sets_that_do_not_fit_each_other_are_refused(screen, tmp_path, change, says):
    path = write_config(screen, tmp_path / "config.json")
    content = json.loads(path.read_text("utf-8"))
    content["others"][0] |= change
    path.write_text(json.dumps(content), "utf-8")
    with pytest.raises(ConfigError, match=says) as caught:
        read_config(path)
    assert "\n" not in str(caught.value)


def test_of_two_classifiers_one_is_to_be_named(screen, tmp_path):
    path = write_config(screen, tmp_path / "config.json")
    content = json.loads(path.read_text("utf-8"))
    third = {"data": {"dataset": "a.toml", "name": "third"}, "classifier": {"training": {}}}
    content["others"].append(third)
    path.write_text(json.dumps(content), "utf-8")
    with pytest.raises(ConfigError, match="predictions of 'plate': say the classifier of which"):
        read_config(path)
