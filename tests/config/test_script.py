"""A script says in Python what a config says, and nothing a user wrote can break out of it."""

import ast

import numpy as np
import pytest
from pydantic import ValidationError

import napari_channelmix as cm
from napari_channelmix.config import (
    ClassifierPart,
    Config,
    DataPart,
    DataSetConfig,
    ExplanationPart,
    ImportancePart,
    LatentsPart,
    PredictionsPart,
    TrainingPart,
    script_of,
)
from napari_channelmix.config.from_results import data_part
from napari_channelmix.data.samples import synthetic_plate

VIEW = {"channels": ["a"], "weights": [[1.0, 0.0, 0.0]], "natural": False}


def full(**change):
    parts = {
        "data": DataPart(dataset="/data/dataset.toml", fingerprint="ab", n=9),
        "classifier": ClassifierPart(training=TrainingPart(network="tiny", mixes=2, threads=1)),
        "importance": ImportancePart(threads=1, epochs=3, patience=4),
        "explanations": (ExplanationPart(cells=(3,)), ExplanationPart(cells=(4, 5), target="b")),
        "latents": LatentsPart(view=VIEW, finetune=2),
    }
    return Config(**parts | change)


def test_every_part_is_there_with_its_settings_spelt_out():
    script = script_of(full())
    ast.parse(script)
    for said in (
        'cm.open_dataset("/data/dataset.toml")',
        "cells.split(test=0.25, seed=0)",
        "cm.train_classifier(",
        "mixes=2",
        "cm.channel_importance(",
        "epochs=3",
        "patience=4",
        "only=[3]",
        "only=[4, 5]",
        'target="b"',
        "cm.latents(",
        "finetune=2",
        'os.environ["OMP_NUM_THREADS"] = "1"',
    ):
        assert said in script


def test_another_prior_is_spelt_out_and_accuracy_stays_that_of_balanced_calls():
    plain = script_of(full())
    assert 'model.predict(test, prior="balanced")' in plain and "model.calibrate(test)" in plain
    assert "prior=" not in plain.replace('prior="balanced"', "")
    training = TrainingPart(network="tiny")
    given = ClassifierPart(training=training, prior={"a": 0.25, "b": 0.75})
    assert script_of(full(classifier=given)).count("prior={'a': 0.25, 'b': 0.75}") == 2
    opened = ClassifierPart(file="/m.cmx", prior="estimated")
    assert 'model.predict(cells, prior="estimated")' in script_of(full(classifier=opened))


def test_only_what_was_done_is_there():
    script = script_of(full(classifier=None, explanations=(), latents=None))
    ast.parse(script)
    assert "cm.channel_importance(" in script
    for name in ("train_classifier", "explain", "latents", "View"):
        assert name not in script


def test_parts_with_other_numbers_of_threads_set_them():
    script = script_of(full(importance=ImportancePart(threads=2)))
    assert "torch.set_num_threads(1)" in script
    assert "torch.set_num_threads(2)" in script


def test_channels_that_were_scaled_are_scaled_again():
    assert "scaled_per" not in script_of(full())
    script = script_of(full(importance=ImportancePart(scaled_per="plate")))
    assert 'scaled_per="plate"' in script


@pytest.mark.parametrize("name", ['"""', "a\\", "x'); import os; ('", "</script>", "\n\n1/0"])
def test_names_of_users_stay_text(name):
    config = full(
        data=DataPart(dataset=f"/data/{name}/dataset.toml"),
        explanations=(ExplanationPart(cells=(1,), target=name),),
        notes=(f"mind {name}",),
    )
    tree = ast.parse(script_of(config))
    strings = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    assert name in strings
    assert f"/data/{name}/dataset.toml" in strings


def test_a_model_of_someone_else_needs_its_names_and_consent_is_visible():
    part = ClassifierPart(
        file="/m.pt", channels=("a",), classes=("x", "y"), mean=(0.0,), std=(1.0,)
    )
    script = script_of(full(classifier=part))
    ast.parse(script)
    assert "allow_code=True" in script
    assert "only where you trust it" in script
    part = part.model_copy(update={"file": "/m.onnx"})
    assert "allow_code" not in script_of(full(classifier=part))


def test_predictions_are_written_with_their_prior_and_stand_beside_those_of_then():
    found = PredictionsPart(prior="training", called={"a": 4, "b": 5})
    script = script_of(full(predictions=found))
    ast.parse(script)
    assert 'cm.predict_cells(model, cells, "predictions", prior="training")' in script
    assert "# then: {'a': 4, 'b': 5}" in script


def test_each_of_several_data_sets_has_names_and_a_folder_of_its_own():
    plate = DataSetConfig(
        data=DataPart(dataset="/b/dataset.toml", name="a/b\n1/0"),
        predictions=PredictionsPart(),
        explanations=(ExplanationPart(cells=(7,), classifier="controls"),),
    )
    named = DataPart(dataset="/data/dataset.toml", name="controls")
    script = script_of(full(data=named, others=(plate,)))
    ast.parse(script)
    for said in (
        'cells_2 = cm.open_dataset("/b/dataset.toml")',
        "train, test = cells_1.split(",
        "model_1 = cm.train_classifier(",
        "importance_1 = cm.channel_importance(",
        'predictions_2 = cm.predict_cells(model_1, cells_2, "a_b_1_0/predictions")',
        "# The cells of a/b 1/0.",
        "attribution_3 = cm.explain(",
        "latents_1 = cm.latents(",
    ):
        assert said in script
    # Both data sets are opened before anything is trained.
    assert script.index("cells_2 =") < script.index("model_1 =")
    assert "model_2" not in script and "cells =" not in script


def test_a_script_tests_the_maps_where_the_config_does():
    tested = ExplanationPart(cells=(1,), reliability=True)
    assert "reliability" not in script_of(full())
    script = script_of(full(explanations=(tested,)))
    assert "reliability=True" in script and "print(attribution.reliability)" in script


def test_the_script_opens_the_channels_chosen_and_says_how_pixels_are_scaled(tmp_path):
    cells = synthetic_plate(wells=2, cells_per_well=4, side=96, crop=16).cells
    file = cm.save_dataset(cells.scaled(clip=99, arcsinh=5), tmp_path / "plate")
    opened = cm.open_dataset(file)
    chosen = opened.with_channels(opened.channels[2:0:-1])
    script = script_of(Config(data=data_part(chosen, file)))
    said = " ".join(line.removeprefix("# ") for line in script.splitlines())
    assert "As the data-set file says, pixels of 2 channels are scaled: clipped at the" in said
    assert f"channels={list(chosen.channels)!r}" in script
    space = {}
    exec(script, space)
    assert space["cells"].channels == chosen.channels
    np.testing.assert_array_equal(space["cells"].read(), chosen.read())
    # What was chosen instead is an argument, and gives the same pixels.
    chosen = cm.open_dataset(file, channels=chosen.channels, scaling="low=1,high=99")
    data = data_part(chosen, file)
    assert data.scaled_as == "low=1,high=99"
    script = script_of(Config(data=data))
    assert 'scaling="low=1,high=99"' in script and "As the data-set file says" not in script
    exec(script, space)
    np.testing.assert_array_equal(space["cells"].read(), chosen.read())
    assert data_part(chosen, file, as_in_file=True).scaled_as is None
    with pytest.raises(ValidationError, match="'gamma' is not one of"):
        DataPart(dataset="/d.toml", scaled_as="gamma=2")
    # What a data set says cannot end the comment.
    odd = DataPart(dataset="/d.toml", scaling="a\n1/0")
    tree = ast.parse(script_of(Config(data=odd)))
    assert not any(isinstance(node, ast.Div) for node in ast.walk(tree))
    # Nothing is said of pixels as they are.
    assert "As the data-set file says" not in script_of(full())
