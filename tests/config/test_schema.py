"""A config knows which classifier is meant, and refuses settings beyond their bounds."""

import pytest
from pydantic import ValidationError

from napari_channelmix.config import (
    ClassifierPart,
    Config,
    DataPart,
    ExplanationPart,
    ImportancePart,
    PredictionsPart,
    TrainingPart,
    WhatIfPart,
)
from napari_channelmix.errors import ModelError


def test_the_classifier_of_predictions_is_its_own_the_named_or_the_only_one(screen):
    plate = screen.others[0]
    assert screen.owner_of(plate, plate.predictions) == 0
    trained = plate.model_copy(update={"classifier": ClassifierPart(training=TrainingPart())})
    both = screen.model_copy(update={"others": (trained,)})
    assert both.owner_of(trained, trained.predictions) == 1
    assert both.owner_of(trained, PredictionsPart(classifier="controls")) == 0
    assert both.owner_of(trained, ExplanationPart(classifier="controls")) == 0


def test_a_classifier_is_trained_or_opened_and_not_both():
    assert ClassifierPart(file="m.cmx").training is None
    with pytest.raises(ValidationError, match="give either training"):
        ClassifierPart(file="m.cmx", training=TrainingPart())
    with pytest.raises(ValidationError, match="give either training"):
        ClassifierPart()


def test_what_needs_a_classifier_is_refused_without_one():
    data = DataPart(dataset="a.toml")
    assert Config(data=data, importance=ImportancePart()).parts == ("importance",)
    with pytest.raises(ValidationError, match="explanations need a classifier"):
        Config(data=data, explanations=(ExplanationPart(),))


@pytest.mark.parametrize(
    ("part", "wrong", "says"),
    [
        (ImportancePart, {"seeds": 0}, "seeds must be 1 or more, not 0"),
        (TrainingPart, {"epochs": 0}, "epochs must be 1 or more, not 0"),
        (ExplanationPart, {"channels": "both"}, "channels 'both' is unknown"),
    ],
)
def test_settings_beyond_their_bounds_are_refused(part, wrong, says):
    with pytest.raises(ModelError, match=says):
        part(**wrong)


def test_what_if_names_its_classifier_as_predictions_do(screen):
    asked = WhatIfPart(axes=("DNA brightness",), scope="crop", prior="balanced")
    plate = screen.others[0].model_copy(update={"what_if": asked})
    config = Config.model_validate(
        {**screen.model_dump(by_alias=True), "others": [plate.model_dump()]}
    )
    assert config.others[0].what_if == asked and "what_if" in config.others[0].parts
    assert config.owner_of(config.others[0], asked) == 0
    with pytest.raises(ValueError, match="answers of what-if need a classifier"):
        Config(data=screen.data, what_if=asked)


def test_a_setting_that_there_is_not_is_refused():
    with pytest.raises(TypeError, match="unexpected keyword argument 'sedes'"):
        ImportancePart(sedes=4)
