"""Models and results go to other processes and back as they are."""

from __future__ import annotations

import dataclasses
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import napari_channelmix as cm
from napari_channelmix.classify.model_hash import model_hash
from napari_channelmix.data.samples import graded_channels
from napari_channelmix.drl import load_disentangler
from napari_channelmix.drl.sprites import CELLS
from napari_channelmix.pcim.cell_source import Source

if TYPE_CHECKING:
    from napari_channelmix.classify import Classifier


def pickled(of: Any) -> Any:
    """What another process gets."""
    return pickle.loads(pickle.dumps(of))


def assert_equal(one: Any, other: Any, where: str = "it") -> None:
    """Compare field by field, to the bit."""
    assert type(one) is type(other), where
    if isinstance(one, nn.Module):
        assert_equal(one.state_dict(), other.state_dict(), where)
        assert one.training == other.training
    elif isinstance(one, torch.Tensor):
        assert torch.equal(one, other), where
        # Convolutions follow the order in memory, and rounding follows them.
        assert one.stride() == other.stride(), where
    elif isinstance(one, np.ndarray):
        np.testing.assert_array_equal(one, other, where)
    elif isinstance(one, (pd.DataFrame, pd.Series)):
        assert one.equals(other), where
    elif isinstance(one, dict):
        assert list(one) == list(other), where
        for key in one:
            assert_equal(one[key], other[key], f"{where}[{key!r}]")
    elif isinstance(one, (tuple, list)):
        assert len(one) == len(other), where
        for index, pair in enumerate(zip(one, other, strict=True)):
            assert_equal(*pair, f"{where}[{index}]")
    elif isinstance(one, cm.Cells):
        assert one.fingerprint == other.fingerprint, where
        np.testing.assert_array_equal(one.read(np.arange(2)), other.read(np.arange(2)))
    elif isinstance(one, Source):
        assert_equal(one.model, other.model, f"{where}.model")
        assert_equal([one.mean, one.numbers], [other.mean, other.numbers], where)
        assert torch.equal(one.tensor(slice(2)), other.tensor(slice(2))), where
    elif dataclasses.is_dataclass(one):
        for row in dataclasses.fields(one):
            if row.name != "_known":
                name = f"{where}.{row.name}"
                assert_equal(getattr(one, row.name), getattr(other, row.name), name)
    else:
        assert one == other, where


@pytest.fixture(scope="module")
def cells() -> cm.Cells:
    return graded_channels((1.5, 0.0), count=48, side=16).cells


@pytest.fixture(scope="module")
def classifier(cells: cm.Cells) -> Classifier:
    return cm.train_classifier(cells, network="tiny", epochs=2, device="cpu")


def test_a_classifier_answers_the_same_in_another_process(
    cells: cm.Cells, classifier: Classifier
) -> None:
    again = pickled(classifier)
    assert_equal(again, classifier)
    assert model_hash(again) == model_hash(classifier)
    np.testing.assert_array_equal(again.predict_proba(cells), classifier.predict_proba(cells))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_classifier_on_a_device_is_pickled_for_machines_without_one(
    classifier: Classifier,
) -> None:
    there = dataclasses.replace(pickled(classifier)).to(torch.device("cuda"))
    assert pickled(there).device.type == "cpu"
    assert there.device.type == "cuda"


@pytest.mark.parametrize("kind", ["classifier", "module", "function"])
def test_maps_take_along_what_was_explained(
    kind: str, cells: cm.Cells, classifier: Classifier
) -> None:
    model = {"classifier": classifier, "module": classifier.network, "function": first_channel}
    maps = cm.explain(model[kind], cells.subset(slice(3)), forwards=20, check=False)
    again = pickled(maps)
    assert_equal(again, maps)
    assert again.scores() == maps.scores()


def first_channel(crops: Any) -> Any:
    """Bright in the first channel is of the second class."""
    level = crops[:, 0].mean(axis=(1, 2))
    return np.stack([-level, level], axis=1)


def test_what_was_evaluated_and_called(cells: cm.Cells, classifier: Classifier) -> None:
    evaluation = cm.evaluate(classifier, cells)
    assert_equal(pickled(evaluation), evaluation)
    shift = classifier.compare(cells)
    assert_equal(pickled(shift), shift)


def test_channel_importance_with_its_classifiers(cells: cm.Cells, tmp_path: Path) -> None:
    result = cm.channel_importance(
        cells, network="tiny", epochs=1, seeds=2, shapley=False, device="cpu"
    )
    again = pickled(result)
    assert_equal(again, result)
    assert again.to_dict() == result.to_dict()


def test_an_encoder_draws_and_encodes_the_same(cells: cm.Cells) -> None:
    encoder = load_disentangler("cell-sprites")
    again = pickled(encoder)
    # How sprites are drawn is code: the set is the one of this process.
    assert again.code.of is CELLS
    assert_equal(again.network, encoder.network)
    result = cm.latents(cells, encoder, view=cells.channels[0], separate=False)
    back = pickled(result)
    assert_equal(back.values, result.values)
    assert_equal(back.prepared, result.prepared)
    assert back.as_dict() == result.as_dict()
