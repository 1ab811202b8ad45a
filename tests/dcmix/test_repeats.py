"""What a repeat is named after, so that it is found again and no other is."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import torch

from napari_channelmix.dcmix.repeats import Plan
from napari_channelmix.provenance import package_version
from napari_channelmix.settings import ImportanceSettings, TrainingSettings

# What the name of a repeat was made of, with the settings that were the default.
EARLIER = {
    "epochs": 40,
    "patience": 10,
    "batch": 64,
    "rate": 0.002,
    "decay": 0.001,
    "clip": None,
    "network": "small",
    "constraint": "softmax",
    "shapley": True,
    "decoys": True,
    "mixes": 1,
    "device": "cpu",
}


def key(**settings: int) -> str:
    plan = Plan(
        ("DNA", "GFP"), ("a", "b"), ImportanceSettings(**settings), torch.device("cpu"), Path()
    )
    return plan.key(0, "train", "test")


def test_importance_trains_as_a_classifier_does() -> None:
    # Shares and decoys move with the length of the training: what is published is of this one.
    assert ImportanceSettings().training == TrainingSettings()


@pytest.mark.parametrize("other", [{"epochs": 21}, {"patience": 7}, {"batch": 32}, {"mixes": 2}])
def test_a_repeat_of_other_settings_is_another(other: dict[str, int]) -> None:
    assert key(**other) != key()


def test_finished_repeats_of_an_earlier_version_have_the_name_that_they_had() -> None:
    version = package_version("napari-channelmix")
    facts = [{"settings": EARLIER, "seed": 0, "data": ["train", "test"]}, version]
    text = json.dumps(facts, sort_keys=True).encode()
    assert key() == hashlib.sha256(text).hexdigest()[:16]
