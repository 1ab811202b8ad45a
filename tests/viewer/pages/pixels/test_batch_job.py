"""Maps of many cells of a field of view: cells are called by their place in the data set."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from napari_channelmix.classify import Classifier
from napari_channelmix.classify.networks import NetworkSpec
from napari_channelmix.classify.training_cells import TrainingCells, crop_digests
from napari_channelmix.data import Cells
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import drain
from napari_channelmix.settings import ExplainSettings, Only
from napari_channelmix.viewer.layers import Patches
from napari_channelmix.viewer.pages.pixels.batch_job import FieldMaps, field_maps_job
from napari_channelmix.viewer.session.cell_sources import Sources
from napari_channelmix.viewer.session.session import Trained


def empty(shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    return np.zeros(shape, np.float32), np.zeros(shape, np.float32)


def test_a_chosen_cell_that_cannot_be_used_has_its_number_in_the_data_set() -> None:
    crops = np.random.default_rng(0).random((6, 2, 12, 12), np.float32)
    crops[4, 0, 3, 3] = np.nan
    spec = NetworkSpec("tiny", 2, 2)
    classifier = Classifier(
        spec.build().eval(), spec, ("DNA", "GFP"), ("a", "b"), np.zeros(2), np.ones(2), 12
    )
    cells = Cells.from_array(crops, ["DNA", "GFP"])
    trained, settings = Trained(classifier, "here"), ExplainSettings(only="all")
    job = field_maps_job(Sources(), trained, cells, [1, 4], settings, empty((12, 12)))
    with pytest.raises(DataError, match="in cell 4 "):
        drain(job)


def test_cells_that_were_trained_on_are_left_out_where_that_is_asked_for() -> None:
    crops = np.random.default_rng(0).random((4, 2, 12, 12), np.float32)
    cells = Cells.from_array(crops, ["DNA", "GFP"])
    spec = NetworkSpec("tiny", 2, 2)
    seen = TrainingCells.of(cells.subset([0]), crop_digests(crops[:1]))
    classifier = Classifier(
        spec.build().eval(),
        spec,
        ("DNA", "GFP"),
        ("a", "b"),
        np.zeros(2),
        np.ones(2),
        12,
        training_cells=seen,
    )
    trained = Trained(classifier, "here")

    def maps(only: Only) -> FieldMaps:
        settings = ExplainSettings(only=only)
        images = empty((12, 12))
        return drain(field_maps_job(Sources(), trained, cells, [0, 1, 2], settings, images))

    assert (maps("held-out").done, maps("all").done) == (2, 3)
    assert maps("held-out").warnings[0] == (
        "1 of 3 cells were trained on: the maps are of the other 2"
    )


def test_the_order_is_asked_for_before_each_batch_and_maps_lie_on_their_cells(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = importlib.import_module("napari_channelmix.pcim.explain")
    monkeypatch.setattr(module, "cells_at_once", lambda *_: 2)
    rng = np.random.default_rng(0)
    planes = [rng.random((12, 72)).astype(np.float32) for _ in range(2)]
    centres = np.array([[5.5, 12 * n + 5.5] for n in range(6)])
    cells = Cells.from_points(planes, ["DNA", "GFP"], centres, crop=12)
    spec = NetworkSpec("tiny", 2, 2)
    classifier = Classifier(
        spec.build().eval(), spec, ("DNA", "GFP"), ("a", "b"), np.zeros(2), np.ones(2), 12
    )
    trained, settings = Trained(classifier, "here"), ExplainSettings(only="all")
    asked: list[list[int]] = []

    def following(left: np.ndarray) -> np.ndarray:
        asked.append(left.tolist())
        # The last ones first; after the first batch the view moves to the first ones.
        return np.sort(left)[::-1] if len(left) == 5 else np.sort(left)

    chosen = [0, 1, 2, 4, 5]
    images = empty((12, 72))
    image, magnitude = images
    job = field_maps_job(Sources(), trained, cells, chosen, settings, images, following)
    painted: list[set[int]] = []
    for step in job:
        if step.partial is not None:
            columns = np.flatnonzero(np.abs(image).max(axis=0))
            painted.append(set((columns // 12).tolist()))
    assert asked == [[0, 1, 2, 4, 5], [2, 1, 0], [2]]
    order = list(dict.fromkeys(frozenset(cells) for cells in painted))
    assert order == [frozenset(), frozenset({4, 5}), frozenset({0, 1, 4, 5})]
    # Maps have evidence for and against, magnitudes have no sign; both are of the same cells.
    assert image.min() == -1 and image.max() == 1 and magnitude.min() == 0 and magnitude.max() == 1
    seen = [np.flatnonzero(np.abs(each).max(axis=0)) // 12 for each in images]
    assert set(seen[0]) == set(seen[1]) == {0, 1, 2, 4, 5}
    plain = empty((12, 72))
    drain(field_maps_job(Sources(), trained, cells, chosen, settings, plain))
    np.testing.assert_allclose(images, plain, atol=1e-4)
    patches = Patches((12, 72)), Patches((12, 72))
    drain(field_maps_job(Sources(), trained, cells, chosen, settings, patches, following))
    for drawn, each in zip(patches, images, strict=True):
        np.testing.assert_allclose(drawn.levels[0][:, :], each, atol=1e-6)


def test_maps_of_each_channel_are_painted_on_one_scale_for_each_cell() -> None:
    rng = np.random.default_rng(0)
    planes = [rng.random((12, 24)).astype(np.float32) for _ in range(2)]
    centres = np.array([[5.5, 5.5], [5.5, 17.5]])
    cells = Cells.from_points(planes, ["DNA", "GFP"], centres, crop=12)
    spec = NetworkSpec("tiny", 2, 2)
    classifier = Classifier(
        spec.build(seed=1).eval(), spec, ("DNA", "GFP"), ("a", "b"), np.zeros(2), np.ones(2), 12
    )
    trained, settings = Trained(classifier, "here"), ExplainSettings(only="all")
    images, by_channel = empty((12, 24)), (Patches((12, 24)), Patches((12, 24)))
    job = field_maps_job(Sources(), trained, cells, [0, 1], settings, images, by_channel=by_channel)
    maps = drain(job)
    assert maps.done == 2
    painted = np.stack([patches.levels[0][:, :] for patches in by_channel])
    for cell in (slice(0, 12), slice(12, 24)):
        strongest = np.abs(painted[:, :, cell]).max(axis=(1, 2))
        assert strongest.max() == 1 and strongest.min() > 0
    plain = empty((12, 24))
    drain(field_maps_job(Sources(), trained, cells, [0, 1], settings, plain))
    np.testing.assert_allclose(images, plain, atol=1e-6)
