"""The part of the picture that is in view stays there while axes come and go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["keep_view"]


@contextmanager
def keep_view(viewer: Any) -> Iterator[None]:
    """Have the camera where it was: napari shows all layers whole when an axis comes or goes.

    Parameters
    ----------
    viewer : napari viewer
        One with a layer at least; a first layer is to be brought into view.
    """
    if not viewer.layers:
        yield
        return
    with viewer.dims.events.order.blocker(viewer.fit_to_view):
        yield
