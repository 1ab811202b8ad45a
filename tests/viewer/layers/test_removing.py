"""Layers leave the viewer one by one, and their pixels leave memory."""

from __future__ import annotations

import gc
import weakref

import numpy as np
from napari.components import ViewerModel

from napari_channelmix.jobs import drain
from napari_channelmix.viewer.layers.removing import remove_in_turns


def test_each_step_takes_one_layer_and_their_memory_is_free_afterwards() -> None:
    viewer = ViewerModel()
    first, second, stays = (viewer.add_image(np.zeros((8, 8)), name=name) for name in "abc")
    gone = weakref.ref(first)
    job = remove_in_turns(viewer, [first, second])
    next(job)
    assert [layer.name for layer in viewer.layers] == ["b", "c"]
    # By the user, meanwhile.
    viewer.layers.remove(second)
    drain(job)
    assert list(viewer.layers) == [stays]
    del first, second, job
    gc.collect()
    assert gone() is None


def test_what_others_set_aside_stays_aside() -> None:
    viewer = ViewerModel()
    layer = viewer.add_image(np.zeros((8, 8)))
    before = gc.get_freeze_count()
    drain(remove_in_turns(viewer, [layer]))
    assert gc.get_freeze_count() >= before
    gc.freeze()
    try:
        layer, aside = viewer.add_image(np.zeros((8, 8))), gc.get_freeze_count()
        drain(remove_in_turns(viewer, [layer]))
        assert 0 < gc.get_freeze_count() <= aside
    finally:
        if not before:
            gc.unfreeze()
