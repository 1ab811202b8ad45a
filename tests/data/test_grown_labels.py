"""Objects grown: by pixels, and to cell bodies."""

from __future__ import annotations

import numpy as np
import pytest

from napari_channelmix.data import grown_labels
from napari_channelmix.data.grown_labels import grown_job
from napari_channelmix.jobs import drain


def test_objects_grow_by_pixels_up_to_the_next_one() -> None:
    labels = np.zeros((1, 12), np.int32)
    labels[0, 2], labels[0, 7] = 1, 2
    expected = [[1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 0, 0]]
    np.testing.assert_array_equal(drain(grown_job(labels, 2)), expected)


def test_bodies_are_reached_within_foreground_and_no_further_than_asked_for() -> None:
    labels = np.zeros((1, 12), np.int32)
    labels[0, 2], labels[0, 9] = 1, 2
    # Dimmest between the two at 5.
    body = np.array([[-1, 9, 9, 8, 7, 1, 6, 8, 9, 9, 9, -1]], np.float32)
    grown = drain(grown_job(labels, 0, body, reach=9))
    assert grown[0, [0, 11]].tolist() == [0, 0]
    assert grown[0, [1, 2, 3, 4]].tolist() == [1] * 4
    assert grown[0, [6, 7, 8, 9, 10]].tolist() == [2] * 5
    near = drain(grown_job(labels, 0, body, reach=1))
    assert near.tolist() == [[0, 1, 1, 1, 0, 0, 0, 0, 2, 2, 2, 0]]


@pytest.mark.parametrize("with_body", [False, True])
def test_strips_of_a_large_plane_meet_without_a_seam(
    monkeypatch: pytest.MonkeyPatch, with_body: bool
) -> None:
    rng = np.random.default_rng(0)
    labels = np.zeros((200, 60), np.int32)
    places = rng.choice(labels.size, 60, replace=False)
    labels.ravel()[np.sort(places)] = np.arange(1, 61)
    body = rng.random(labels.shape).astype(np.float32) if with_body else None
    whole = drain(grown_job(labels, 5, body, reach=5))
    monkeypatch.setattr(grown_labels, "STEP", 60 * 30)
    strips = drain(grown_job(labels, 5, body, reach=5))
    np.testing.assert_array_equal(strips, whole)
