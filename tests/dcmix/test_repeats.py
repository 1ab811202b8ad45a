"""What a repeat is named after, so that it is found again and no other is."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from napari_channelmix.dcmix.repeats import Plan
from napari_channelmix.settings import ImportanceSettings


def key(**settings: int) -> str:
    plan = Plan(
        ("DNA", "GFP"), ("a", "b"), ImportanceSettings(**settings), torch.device("cpu"), Path()
    )
    return plan.key(0, "train", "test")


def test_importance_takes_half_the_epochs_of_a_classifier() -> None:
    chosen = ImportanceSettings()
    assert (chosen.epochs, chosen.patience) == (20, 6)


@pytest.mark.parametrize("other", [{"epochs": 21}, {"patience": 7}, {"batch": 32}, {"mixes": 2}])
def test_a_repeat_of_other_settings_is_another(other: dict[str, int]) -> None:
    assert key(**other) != key()


def test_a_patience_as_long_as_the_training_decides_nothing() -> None:
    # Parts of earlier versions are found, whatever the patience was by default.
    assert key(epochs=4, patience=4) == key(epochs=4, patience=10) == key(epochs=4, patience=99)
    assert key(epochs=4, patience=3) != key(epochs=4, patience=4)
