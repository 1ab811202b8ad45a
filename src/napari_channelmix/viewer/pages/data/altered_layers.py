"""Hears of layers whose place or features are altered, which may make them usable."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakSet

from napari_channelmix.viewer import layers

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Layer

    from napari_channelmix.viewer.page_parts.base_page import Page

__all__ = ["AlteredLayers"]

# Events of a layer that tell of it, and milliseconds in which they gather.
TELLING = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels", "features")
PAUSE = 100


class AlteredLayers:
    """Has the layers of the viewer read again; while the page is not in sight, once it is.

    Parameters
    ----------
    page : Page
    read_soon : callable
        Reads the layers after so many milliseconds.
    """

    def __init__(self, page: Page, read_soon: Callable[[int], object]) -> None:
        self.page, self._read_soon = page, read_soon
        self._watched: WeakSet[Layer] = WeakSet()
        self._altered = False

    def watch(self) -> None:
        """The layers are read now: hear of those that came."""
        self._altered = False
        for layer in self.page.viewer.layers:
            if layer in self._watched or layers.is_own(layer):
                continue
            self._watched.add(layer)
            for name in TELLING:
                emitter = getattr(layer.events, name, None)
                if emitter is not None:
                    self.page.follow(emitter, self._heard)

    def shown(self) -> None:
        """The page comes into sight."""
        if self._altered:
            self._read_soon(PAUSE)

    def _heard(self, _: object = None) -> None:
        self._altered = True
        if self.page.isVisible():
            self._read_soon(PAUSE)
