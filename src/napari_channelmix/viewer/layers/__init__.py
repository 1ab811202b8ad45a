"""The only door to the viewer's layers: read channels and cells from them, add results to them."""

from napari_channelmix.viewer.layers.geometry import like, plane_axes, plane_point, same_place
from napari_channelmix.viewer.layers.maps import MapLayer, box_geometry, box_shape
from napari_channelmix.viewer.layers.marks import ring_cells
from napari_channelmix.viewer.layers.planes import PROJECT, Axis, LayerPlane, axes_of, plane_of
from napari_channelmix.viewer.layers.reading import (
    classes_in_column,
    columns_of,
    label_plane,
    planes_from_axis,
    planes_from_layers,
    points_plane,
)
from napari_channelmix.viewer.layers.results import (
    OURS,
    add_image,
    add_labels,
    find_ours,
    show_codes,
    write_features,
)
from napari_channelmix.viewer.layers.showing import FieldPixels, field_job, forget_ours, show_field

__all__ = [
    "OURS",
    "PROJECT",
    "Axis",
    "FieldPixels",
    "LayerPlane",
    "MapLayer",
    "add_image",
    "add_labels",
    "axes_of",
    "box_geometry",
    "box_shape",
    "classes_in_column",
    "columns_of",
    "field_job",
    "find_ours",
    "forget_ours",
    "label_plane",
    "like",
    "plane_axes",
    "plane_of",
    "plane_point",
    "planes_from_axis",
    "planes_from_layers",
    "points_plane",
    "ring_cells",
    "same_place",
    "show_codes",
    "show_field",
    "write_features",
]
