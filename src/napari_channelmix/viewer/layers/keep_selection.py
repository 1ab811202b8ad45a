"""napari selects each layer that is added; a layer of ours must not take the user's place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["keep_selection"]


@contextmanager
def keep_selection(layers: Any) -> Iterator[None]:
    """Have the same layers selected afterwards: the user may be painting in one of them.

    Parameters
    ----------
    layers : LayerList
        Of the viewer. Layers that were removed meanwhile are left out.
    """
    selected = set(layers.selection)
    yield
    if set(layers.selection) != selected:
        layers.selection.clear()
        layers.selection.update(selected & set(layers))
