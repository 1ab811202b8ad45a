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

__all__ = [
    "add_objects",
    "in_view",
    "moved_on",
    "place_of_objects",
    "shown_of",
    "with_fields",
]


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


def place_of_objects(chosen: ChosenChannels, corner: tuple[int, int] = (0, 0)) -> layers.FieldPlace:
    """Where objects lie that were segmented in a channel: in its slice.

    Parameters
    ----------
    chosen : ChosenChannels
    corner : (int, int)
        Row and column of their first pixel.
    """
    shown = Shown(0, chosen.images, None, chosen.slice_position, chosen.axes)
    place = layers.field_place(shown, corner)
    if not place.repeated:
        return place
    # An array that repeats its values cannot be corrected.
    geometry = layers.like(chosen.reference, chosen.axes)
    return layers.FieldPlace(
        {**geometry, "translate": place.geometry["translate"][list(place.plane)]}
    )


def add_objects(viewer: Any, name: str, labels: Any, chosen: ChosenChannels) -> Any:
    """Add objects that were segmented in a channel, in the slice that they were found in."""
    place = place_of_objects(chosen)
    return viewer.add_labels(
        place.picture(labels),
        name=name,
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
