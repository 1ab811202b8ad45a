"""Objects segmented in a channel become the Labels layer that marks the cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_channelmix.viewer.pages.data.jobs import objects_job
from napari_channelmix.viewer.pages.data.layer_fields import add_objects
from napari_channelmix.viewer.pages.data.segmenting.panel import STACKED

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_channelmix.data import Segmentation
    from napari_channelmix.settings import SegmentationSettings
    from napari_channelmix.viewer.page_parts.base_page import Page
    from napari_channelmix.viewer.pages.data.cells_panel import CellsPanel
    from napari_channelmix.viewer.pages.data.chosen_channels import ChosenChannels

__all__ = ["SegmentedObjects"]


class SegmentedObjects:
    """Makes the layer when the objects are to be used; has the preview follow the view.

    Parameters
    ----------
    page : Page
        Whose task does the work.
    cells : CellsPanel
    choose : callable
        Gives the channels as they stand now, and why they or the cells cannot be used.
    """

    def __init__(
        self, page: Page, cells: CellsPanel, choose: Callable[[], tuple[ChosenChannels | None, str]]
    ) -> None:
        self.page, self.cells, self.choose = page, cells, choose
        panel = self.panel = cells.segmentation
        panel.choose = lambda: choose()[0]
        panel.requested.connect(self.segment)
        page.follow(page.viewer.dims.events.current_step, self._slice_changed)
        camera = page.viewer.scene.camera.events
        for event in (camera.center, camera.zoom):
            page.follow(event, self._moved)

    def _slice_changed(self, _: object = None) -> None:
        self.panel.moved(slice_changed=True)

    def _moved(self, _: object = None) -> None:
        self.panel.moved()

    def segment(self, channel: str, settings: SegmentationSettings) -> None:
        """Segment objects in a channel and mark the cells by them."""
        chosen, why = self.choose()
        if chosen is None or channel not in chosen.names:
            self.page.fail(why)
            return
        if chosen.stacked:
            self.page.fail(STACKED)
            return
        self.page.task.run(
            "segmenting nuclei",
            objects_job(chosen, channel, settings),
            lambda result: self._segmented(channel, settings, result, chosen),
            on_error=self.page.fail,
        )

    def _segmented(
        self,
        channel: str,
        settings: SegmentationSettings,
        result: Segmentation,
        chosen: ChosenChannels,
    ) -> None:
        self.panel.used(result)
        if not result.count:
            self.page.fail(f"no nuclei were found in this channel: {result.warnings[0]}")
            return
        noun = "objects" if settings.dark or settings.expand or settings.body_channel else "nuclei"
        # A layer of the user's from now on: it may be corrected, and is never written over.
        layer: Any = add_objects(self.page.viewer, f"{noun} in {channel}", result.labels, chosen)
        # Outlines, so that the channels stay in sight.
        layer.contour = 1
        self.cells.fill()
        self.cells.choose_source(layer)
        lines = [f"{result.count} {noun} found in {channel}", *result.warnings]
        self.page.notice.say("\n".join(lines), "warning" if result.warnings else "good")
