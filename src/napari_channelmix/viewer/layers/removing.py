"""Layers come into the viewer, and leave it, without a search of all memory for each of them."""

from __future__ import annotations

import gc
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from napari_channelmix.jobs import Job, Progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["no_search", "remove_in_turns", "remove_small"]


def remove_in_turns(viewer: Any, removed: Sequence[Any]) -> Job[None]:
    """Remove layers, a step of the main thread for each.

    napari has Python look through all objects for unused ones whenever a layer goes, which takes a
    quarter of a second. Here that is done once, after the last one.
    """
    for layer in removed:
        # It may be gone by now: between two steps the window lives.
        if layer in viewer.layers:
            with no_search():
                viewer.layers.remove(layer)
            yield Progress(0, 1, "taking layers away")
    if removed:
        gc.collect()
        yield Progress(0, 1, "taking layers away")


def remove_small(viewer: Any, layer: Any) -> None:
    """Remove a layer that holds little memory: Python finds that at its next collection."""
    with no_search():
        viewer.layers.remove(layer)


@contextmanager
def no_search() -> Iterator[None]:
    """Have the collections of a moment pass over what is there; they find it again later.

    For the main thread, around a change of layers. A layer is thousands of objects: amid the change
    Python would look through all there are, which takes longer than the change itself.
    """
    if sys.platform == "win32" or any_set_aside():
        # Drivers on Windows need it done at once; or objects were set aside by someone else.
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def any_set_aside() -> bool:
    """Whether objects were set aside by someone else; they are counted, so many take a while."""
    return gc.get_freeze_count() > 0
