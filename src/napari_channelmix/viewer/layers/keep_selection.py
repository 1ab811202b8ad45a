"""napari selects each layer that is added; a layer of ours must not take the user's place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["keep_selection"]


@contextmanager
def keep_selection(layers: Any) -> Iterator[None]:
    """Have the same layers selected afterwards: the user may be painting in one of them.

    Where no more than one is selected, nobody hears of what comes and goes meanwhile: napari would
    exchange the controls of the selected layer three times, and lay out the window each time.

    Parameters
    ----------
    layers : LayerList
        Of the viewer. Layers that were removed meanwhile are left out.
    """
    selection = layers.selection
    before = set(selection)
    if len(before) > 1:
        # Which of several is the current one has no public name; napari tells it by events.
        yield
        _select(layers, before)
        return
    with selection.events.blocker_all():
        try:
            yield
        finally:
            _select(layers, before)
    gone = before - set(selection)
    if gone:
        selection.events.changed(added=set(), removed=gone)
        selection.events.active(value=None)


def _select(layers: Any, selected: set[Any]) -> None:
    """Select these layers, as far as they are there, and no others."""
    selection, there = layers.selection, selected & set(layers)
    if set(selection) != there:
        selection.clear()
        selection.update(there)
