"""A config says all that was done, goes to disk and back, and refuses what it does not know."""

import json

import pytest

from napari_channelmix.config import (
    ClassifierPart,
    Config,
    DataPart,
    ExplanationPart,
    ImportancePart,
    LatentsPart,
    TrainingPart,
    read_config,
    write_config,
)
from napari_channelmix.errors import ConfigError, SaveError


@pytest.fixture
def config(tmp_path):
    return Config(
        data=DataPart(dataset=str(tmp_path / "plate" / "dataset.toml"), fingerprint="ab", n=3),
        classifier=ClassifierPart(training=TrainingPart(network="tiny", mixes=2), accuracy=0.9),
        importance=ImportancePart(seeds=2, share={"DNA": 1.0}),
        explanations=(ExplanationPart(cells=(1, 2), target="<b>&"),),
        latents=LatentsPart(model=str(tmp_path / "own.safetensors"), finetune=3),
    )


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
