"""One object for each viewer, made when it is first asked for, gone with the viewer. No Qt."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PerViewer", "own_viewer"]

Object = TypeVar("Object")


def own_viewer(viewer: Any) -> Any:
    """The viewer itself: napari hands plugins a proxy, and each dock may get another one."""
    return getattr(viewer, "__wrapped__", viewer)


class PerViewer(Generic[Object]):
    """Makes an object for each viewer and gives it to whoever asks.

    Parameters
    ----------
    make : callable
        Takes the viewer itself. What it makes must not hold the viewer, which would then never go.
    end : callable, optional
        Takes the object when the viewer is gone.
    """

    def __init__(
        self, make: Callable[[Any], Object], end: Callable[[Object], object] = lambda _: None
    ) -> None:
        self._make, self._end = make, end
        # By identity: two viewers with equal contents compare equal, and must not share.
        self._objects: dict[int, Object] = {}

    def __len__(self) -> int:
        return len(self._objects)

    def __call__(self, viewer: Any) -> Object:
        """The object of a viewer, or of a proxy of it."""
        viewer = own_viewer(viewer)
        key = id(viewer)
        if key not in self._objects:
            self._objects[key] = self._make(viewer)
            weakref.finalize(viewer, self._gone, key)
        return self._objects[key]

    def _gone(self, key: int) -> None:
        self._end(self._objects.pop(key))
