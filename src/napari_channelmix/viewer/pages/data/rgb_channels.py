"""Channel layers out of an RGB picture: its three colours, or its stains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.data.stains import STAINS, unmix_job
from napari_channelmix.viewer import layers
from napari_channelmix.viewer.charts.colors import channel_colors
from napari_channelmix.viewer.pages.data.chosen_channels import CHANNEL_NAME, MADE_OF
from napari_channelmix.viewer.pages.data.rgb_bar import COLOURS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_channelmix.viewer.pages.data.channels_panel import ChannelsPanel
    from napari_channelmix.viewer.tasks.task import Task

__all__ = ["RgbChannels"]


class RgbChannels:
    """Makes the layers when one of the buttons is pressed, and has them ticked.

    Parameters
    ----------
    viewer : napari viewer
    panel : ChannelsPanel
    task : Task
    fail : callable
        Shows an error.
    """

    def __init__(
        self, viewer: Any, panel: ChannelsPanel, task: Task, fail: Callable[[str], None]
    ) -> None:
        self.viewer, self.panel, self.task, self.fail = viewer, panel, task, fail
        panel.rgb.split.connect(self.split)
        panel.rgb.unmix.connect(self.unmix)

    def split(self, layer: Any) -> None:
        """Add red, green and blue: views of the picture, so that nothing is copied or read."""
        levels = layer.data if layer.multiscale else [layer.data]
        parts = [[level[..., place] for level in levels] for place in range(3)]
        dtype = np.dtype(levels[0].dtype)
        white = float(np.iinfo(dtype).max) if dtype.kind in "ui" else 1.0
        self._add(layer, COLOURS, [part if layer.multiscale else part[0] for part in parts], white)

    def unmix(self, layer: Any, title: str) -> None:
        """Add the stains of a protocol, unmixed in a worker."""
        picture = layer.data[0] if layer.multiscale else layer.data
        stains = STAINS[title]
        self.task.run(
            "unmixing the stains",
            unmix_job(picture, stains, f"layer {layer.name!r}"),
            lambda images: self._add(layer, stains.names, images),
            on_error=self.fail,
        )

    def _add(
        self, layer: Any, names: Sequence[str], images: Sequence[Any], white: float | None = None
    ) -> None:
        geometry = layers.part(layer, list(range(layer.ndim)))
        added = []
        for name, image, color in zip(names, images, channel_colors(tuple(names)), strict=True):
            multiscale = isinstance(image, list)
            added.append(
                self.viewer.add_image(
                    image,
                    multiscale=multiscale,
                    name=f"{layer.name} {name}",
                    colormap=color,
                    blending="additive",
                    contrast_limits=None if white is None else (0, white),
                    metadata={CHANNEL_NAME: name, MADE_OF: layer.name},
                    **geometry,
                )
            )
        # The picture and what was made of it before would be seen through the new channels.
        layer.visible = False
        for other in self.viewer.layers:
            if other not in added and other.metadata.get(MADE_OF) == layer.name:
                other.visible = False
        self.panel.choose_layers(added)
