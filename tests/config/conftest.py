"""Configs that the tests of the room share."""

import pytest

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
)


@pytest.fixture
def config(tmp_path):
    return Config(
        data=DataPart(dataset=str(tmp_path / "plate" / "dataset.toml"), fingerprint="ab", n=3),
        classifier=ClassifierPart(training=TrainingPart(network="tiny", mixes=2), accuracy=0.9),
        importance=ImportancePart(seeds=2, share={"DNA": 1.0}),
        explanations=(ExplanationPart(cells=(1, 2), target="<b>&"),),
        latents=LatentsPart(model=str(tmp_path / "own.safetensors"), finetune=3),
    )


@pytest.fixture
def screen(tmp_path):
    """Controls with a classifier, and a plate that is classified with it."""
    plate = DataSetConfig(
        data=DataPart(dataset=str(tmp_path / "plate" / "dataset.toml"), name="plate"),
        predictions=PredictionsPart(prior="estimated", called={"a": 0, "b": 7}),
        latents=LatentsPart(model=str(tmp_path / "own.safetensors")),
    )
    return Config(
        data=DataPart(dataset=str(tmp_path / "controls" / "dataset.toml"), name="controls"),
        classifier=ClassifierPart(file=str(tmp_path / "m.cmx")),
        others=(plate,),
    )
