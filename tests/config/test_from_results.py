"""Configs from results: models made elsewhere keep their names, and need consent again."""

import dataclasses

import numpy as np
import pytest
import torch

from napari_channelmix import load_model, open_dataset, run_config
from napari_channelmix.config import Config, ExplanationPart, read_config, write_config
from napari_channelmix.config.from_results import (
    classifier_part,
    data_part,
    latents_part,
    training_part,
)
from napari_channelmix.data import Cells
from napari_channelmix.data.samples import synthetic_plate
from napari_channelmix.errors import ConfigError, ModelError

# PyTorch itself says so of the format, which people still have.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")


class Bright(torch.nn.Module):
    """Says how bright the middle is."""

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        middle = crops[:, 0, 8:16, 8:16].mean(dim=(1, 2))
        return torch.stack([-middle, middle], dim=1)


@pytest.fixture
def foreign(tmp_path):
    """A data set, and a model made elsewhere."""
    dataset = synthetic_plate(wells=2, cells_per_well=4, side=64, crop=24).save(tmp_path / "plate")
    path = tmp_path / "bright.pt"
    torch.jit.trace(Bright(), torch.zeros(2, 2, 24, 24)).save(str(path))
    model = load_model(
        path,
        channels=["DNA", "stress"],
        classes=["dark", "bright"],
        mean=[1.0, 2.0],
        std=[100.0, 50.0],
        allow_code=True,
    )
    return dataset, path, model


def test_a_model_made_elsewhere_is_opened_again_with_consent(foreign, tmp_path):
    dataset, path, model = foreign
    part = classifier_part(model, path)
    assert part.training is None
    assert (part.channels, part.classes) == (("DNA", "stress"), ("dark", "bright"))
    assert (part.mean, part.std) == ((1.0, 2.0), (100.0, 50.0))
    asked = ExplanationPart(cells=(1,), mode="blackbox", forwards=50)
    data = data_part(open_dataset(dataset), dataset)
    config = Config(data=data, classifier=part, explanations=(asked,))
    file = write_config(config, tmp_path / "config.json")
    assert read_config(file) == config
    with pytest.raises(ModelError, match="allow"):
        run_config(file)
    found = run_config(file, allow_code=True)
    cells = found.cells
    np.testing.assert_array_equal(found.classifier.predict(cells), model.predict(cells))
    assert found.explained[0].content["mode"] == "blackbox"
    assert "made elsewhere" in found.report.read_text("utf-8")
    torch.jit.trace(Bright(), torch.ones(3, 2, 24, 24)).save(str(path))
    with pytest.raises(ConfigError, match="is not the model"):
        run_config(file, allow_code=True)


def test_a_function_that_was_handed_over_has_nothing_to_name(foreign):
    _, path, model = foreign
    assert classifier_part(dataclasses.replace(model, source="mine")) is None
    assert classifier_part(model) == classifier_part(model, path)


def test_a_disentangler_from_a_file_is_named_by_its_whole_path(tmp_path, monkeypatch):
    (tmp_path / "own.safetensors").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    about = {"settings": {"view": None, "finetune": 2}, "seed": 0, "model": "texture-sprites"}
    assert latents_part(about).model == "texture-sprites"
    named = about | {"disentangler": "own.safetensors"}
    assert latents_part(named).model == str(tmp_path / "own.safetensors")
    assert latents_part({"seed": 0}) is None


def test_weights_and_features_from_files_are_named_by_their_whole_path(tmp_path, monkeypatch):
    (tmp_path / "start.cmx").write_bytes(b"")
    (tmp_path / "vit").mkdir()
    monkeypatch.chdir(tmp_path)
    training = {"request": {"weights": "start.cmx"}, "device": "cpu", "threads": 1}
    assert training_part(training).weights == str(tmp_path / "start.cmx")
    about = {"settings": {"view": None}, "model": "texture-sprites"}
    assert latents_part(about | {"request": {"features": "vit"}}).features == str(tmp_path / "vit")
    named = about | {"request": {"features": "efficientnet-lite0"}}
    assert latents_part(named).features == "efficientnet-lite0"


def test_scaled_channels_that_are_left_out_are_not_spoken_of(tmp_path):
    pixels = np.arange(4 * 2 * 64, dtype=np.float32).reshape(4, 2, 8, 8)
    cells = Cells.from_array(pixels, ["DNA", "GFP"], [0, 1] * 2, ["a", "b"], name="plate")
    scaled = cells.scaled(arcsinh=5, channels=["GFP"])
    assert str(data_part(scaled, tmp_path).scaling).endswith("arcsinh with the cofactor 5")
    assert data_part(scaled.with_channels(["DNA"]), tmp_path).scaling is None
