"""The fields of view of cells out of layers, and the layers that show them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari.layers import Points

from napari_channelmix.viewer import layers
from napari_channelmix.viewer.pages.data.layer_cells import SLICE_KEY
from napari_channelmix.viewer.session.session import Shown
from napari_channelmix.viewer.session.slice_follower import field_in_view

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.viewer.pages.data.chosen_channels import ChosenChannels
    from napari_channelmix.viewer.pages.data.layer_cells import CellsPlan

__all__ = ["add_nuclei", "in_view", "moved_on", "shown_of", "with_fields"]


def shown_of(plan: CellsPlan) -> Shown:
    """The layers of cells that are about to be cut out.

    Connected regions have numbers of their own: no layer knows them.
    """
    chosen, layer, column = plan.chosen, plan.layer, plan.id_column
    if isinstance(layer, Points):
        column = layers.point_ids(layer, column)[1]
    objects = layer if plan.labelled else None
    return Shown(0, chosen.images, objects, chosen.slice_position, chosen.axes, column)


def with_fields(shown: Shown, plan: CellsPlan, cells: Cells) -> Shown:
    """Which slice each field is of, where every slice is one."""
    if not plan.chosen.stacked:
        return shown
    places = {section.name: section.slice_position for section in plan.chosen.slices}
    stack = {number: places[field.name] for number, field in enumerate(cells.fields)}
    return replace(shown, field=0, slice_position=stack[0], stack=stack)


def add_nuclei(viewer: Any, channel: str, labels: Any, chosen: ChosenChannels) -> Any:
    """Add the nuclei that were found in a channel, in the slice that they were found in."""
    place = layers.field_place(Shown(0, chosen.images, None, chosen.slice_position, chosen.axes))
    if place.repeated:
        # An array that repeats its values cannot be corrected.
        place = layers.FieldPlace(layers.like(chosen.reference, chosen.axes))
    return viewer.add_labels(
        place.picture(labels),
        name=f"nuclei in {channel}",
        metadata={SLICE_KEY: chosen.slice_index},
        **place.geometry,
    )


def in_view(viewer: Any, shown: Shown) -> Shown:
    """The same layers, with the field whose slice the viewer shows; else the first."""
    field = field_in_view(viewer, shown)
    return (
        shown if field is None else replace(shown, field=field, slice_position=shown.stack[field])
    )


def moved_on(shown: Shown, count: int) -> Shown:
    """The same layers, where so many fields of view come before theirs."""
    stack = {number + count: indices for number, indices in shown.stack.items()}
    return replace(shown, field=shown.field + count, stack=stack)
