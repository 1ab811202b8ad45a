"""How much there is to do, counted by hand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from napari_channelmix.settings import ClassifierSettings, ImportanceSettings
from napari_channelmix.settings.workload import (
    explain_workload,
    importance_workload,
    latents_workload,
    training_workload,
)

# Ten cells, of which eight have a class; crops of 4 x 4 pixels.
CELLS = SimpleNamespace(
    labels=np.array([0] * 4 + [1] * 4 + [-1] * 2), crop=4, channels=("a", "b"), classes=("x", "y")
)


class Cells(SimpleNamespace):
    def __len__(self) -> int:
        return 10


def test_work_grows_with_cells_epochs_repeats_and_pixels() -> None:
    training = training_workload(CELLS, ClassifierSettings(network="tiny", epochs=5, device="cpu"))
    assert training.units == 8 * 5 * 16 and training.key == "training: tiny, plain, cpu"
    assert not training.gpu
    settings = ImportanceSettings(epochs=5, seeds=3, shapley=False, decoys=True, device="cuda")
    importance = importance_workload(CELLS, settings)
    assert importance.units == 8 * 5 * 16 * 3 * 3 and importance.gpu
    model = SimpleNamespace(spec=SimpleNamespace(name="tiny"))
    assert explain_workload(model, 7, 4, "pcim", "cpu").units == 7 * 16
    latents = latents_workload(Cells(classes=()), "folder/texture-sprites", 20, "cpu")
    assert latents.units == 10 * 20
    assert latents.like == "texture-sprites, cpu, 0 classes, fine-tuned"


def test_runs_that_take_longer_for_a_unit_are_no_runs_of_the_kind() -> None:
    plain, mixed = (training_workload(CELLS, ClassifierSettings(), mixes) for mixes in (0, 1))
    assert plain.key != mixed.key
    with_values = importance_workload(CELLS, ImportanceSettings())
    without = importance_workload(CELLS, ImportanceSettings(shapley=False))
    assert with_values.key != without.key


def test_latents_of_features_are_another_kind_of_run() -> None:
    pixels = latents_workload(Cells(classes=()), "texture-sprites", 0, "cpu")
    features = latents_workload(
        Cells(classes=()), "texture-sprites", 0, "cpu", features="folder/dino"
    )
    assert features.like == f"{pixels.like}, features of dino"
