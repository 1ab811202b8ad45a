"""Findings with everything in them, made by hand: nothing is trained."""

from __future__ import annotations

import numpy as np
import pytest

from napari_channelmix.classify.accuracy import estimate_accuracy
from napari_channelmix.data.samples import synthetic_plate
from napari_channelmix.dcmix.result import ChannelImportance
from napari_channelmix.report import ClassifierFacts, Example, Findings, LatentsFacts
from napari_channelmix.report.pictures import png_of


@pytest.fixture(scope="session")
def plate():
    return synthetic_plate(wells=4, cells_per_well=6, side=96, crop=24).cells


@pytest.fixture
def importance():
    return ChannelImportance(
        channels=("DNA", "reporter"),
        share=(0.25, 0.75),
        share_sd=(0.02, 0.03),
        shapley=(0.1, 0.4),
        shapley_sd=(0.01, 0.02),
        per_class={},
        decoy=(0.1, 0.1),
        p_value=(0.5, 0.0001),
        accuracy={"mixed": 0.9, "plain": 0.92},
        recall={},
        gate="ok",
        seeds=(0, 1),
        share_of_seed=((0.25, 0.75),) * 2,
        n_train=18,
        n_test=6,
        warnings=("two seeds are few",),
        provenance={"made": "then", "seeds": [0, 1]},
    )


@pytest.fixture
def full(plate, importance):
    """Findings of every kind."""
    rng = np.random.default_rng(0)
    probabilities = rng.random((len(plate), 2)).astype(np.float32)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    classifier = ClassifierFacts(
        "trained on the plate",
        plate.channels,
        plate.classes,
        "abc",
        "tiny",
        {
            "balanced_accuracy": 0.875,
            "chance": 0.5,
            "recall": {"treated": 0.75, "untreated": 1.0},
            "confusion": [[3, 1], [0, 4]],
            "n_train": 16,
            "n_test": 8,
            "estimate": estimate_accuracy(
                [0] * 4 + [1] * 4, [0, 0, 0, 1, 1, 1, 1, 1], [0, 0, 1, 1, 2, 2, 3, 3], plate.classes
            ).as_dict(),
        },
        [
            {"epoch": 1, "loss": 1.0, "validation_loss": 0.9, "accuracy": 0.5},
            {"epoch": 2, "loss": 0.5, "validation_loss": 0.6, "accuracy": 0.8},
        ],
    )
    example = Example(
        3,
        plate.read([3])[0],
        rng.random((24, 24)).astype(np.float32),
        "treated",
        {"treated": 0.9, "untreated": 0.1},
        "treated",
        "A01",
        ("A plain sentence.",),
        {"srg": 0.3},
        "pcim",
    )
    latents = LatentsFacts(
        {
            "n": len(plate),
            "accuracy": {"latents": 0.8, "pixels_or_features": 0.7},
            "badges": [
                {"name": "Scale", "badge": "not verified", "words": "hardly goes along"},
                {"name": "Spare 1", "badge": "spare", "words": "unused latent"},
            ],
            "provenance": {"model": "texture-sprites"},
            "warnings": [],
        },
        png_of(rng.integers(0, 255, (40, 60, 3))),
    )
    return Findings(
        plate,
        "/data/dataset.toml",
        classifier,
        probabilities,
        importance,
        (example,),
        {"n": 1, "warnings": ["mind the border"]},
        latents,
    )
