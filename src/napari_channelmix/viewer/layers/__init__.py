"""The only door to the viewer's layers: read channels and cells from them, add results to them."""

from napari_channelmix.data.label_projection import ProjectedLabels, project_labels
from napari_channelmix.viewer.layers.axes import as_text, match_axes, match_points
from napari_channelmix.viewer.layers.camera import (
    center_on,
    select_object,
    select_objects,
    selected_objects,
    selection_signal,
    side_on_screen,
    zoom_to,
)
from napari_channelmix.viewer.layers.cell_rings import ring_cells
from napari_channelmix.viewer.layers.channel_stack import ChannelStack
from napari_channelmix.viewer.layers.class_layer import show_codes
from napari_channelmix.viewer.layers.columns import own_columns, unwritable_reason, write_features
from napari_channelmix.viewer.layers.crop_box import hide_crop_boxes, show_crop_boxes
from napari_channelmix.viewer.layers.export import result_images
from napari_channelmix.viewer.layers.features import (
    ClassColumn,
    FeatureTable,
    class_column_of,
    class_names_of,
    classes_in_column,
    columns_of,
    id_columns_of,
    label_ids,
    point_ids,
    point_rows,
)
from napari_channelmix.viewer.layers.field_of_view import (
    FieldPixels,
    field_job,
    forget_in_turns,
    forget_ours,
    show_field,
    show_in_turns,
)
from napari_channelmix.viewer.layers.file_facts import (
    channel_axis_of,
    channel_names_along,
    file_facts,
    file_names_of,
)
from napari_channelmix.viewer.layers.geometry import (
    PlaneOfWorld,
    like,
    part,
    plane_axes,
    plane_of_world,
    plane_point,
    same_place,
)
from napari_channelmix.viewer.layers.grid_layer import GridLayer, mosaic
from napari_channelmix.viewer.layers.hidden_layers import hide, reveal
from napari_channelmix.viewer.layers.in_sight import nearest_in_sight, view_of
from napari_channelmix.viewer.layers.keep_selection import keep_selection
from napari_channelmix.viewer.layers.map_layer import MapLayer, box_geometry, box_shape
from napari_channelmix.viewer.layers.overview_filling import is_filling, stop_filling
from napari_channelmix.viewer.layers.own_layers import (
    OURS,
    add_image,
    add_labels,
    find_ours,
    is_own,
    role_of,
)
from napari_channelmix.viewer.layers.patches import Patches
from napari_channelmix.viewer.layers.picture_layer import PictureLayer
from napari_channelmix.viewer.layers.placing import FieldPlace, field_place
from napari_channelmix.viewer.layers.planes import PROJECT, Axis, LayerPlane, axes_of, plane_of
from napari_channelmix.viewer.layers.reading import (
    label_plane,
    planes_from_axis,
    planes_from_layers,
    points_plane,
)
from napari_channelmix.viewer.layers.rendering import color_of, looks_of
from napari_channelmix.viewer.layers.score_layer import show_scores
from napari_channelmix.viewer.layers.table_points import POSITIONS, points_of_table

__all__ = [
    "OURS",
    "POSITIONS",
    "PROJECT",
    "Axis",
    "ChannelStack",
    "ClassColumn",
    "FeatureTable",
    "FieldPixels",
    "FieldPlace",
    "GridLayer",
    "LayerPlane",
    "MapLayer",
    "Patches",
    "PictureLayer",
    "PlaneOfWorld",
    "ProjectedLabels",
    "add_image",
    "add_labels",
    "as_text",
    "axes_of",
    "box_geometry",
    "box_shape",
    "center_on",
    "channel_axis_of",
    "channel_names_along",
    "class_column_of",
    "class_names_of",
    "classes_in_column",
    "color_of",
    "columns_of",
    "field_job",
    "field_place",
    "file_facts",
    "file_names_of",
    "find_ours",
    "forget_in_turns",
    "forget_ours",
    "hide",
    "hide_crop_boxes",
    "id_columns_of",
    "is_filling",
    "is_own",
    "keep_selection",
    "label_ids",
    "label_plane",
    "like",
    "looks_of",
    "match_axes",
    "match_points",
    "mosaic",
    "nearest_in_sight",
    "own_columns",
    "part",
    "plane_axes",
    "plane_of",
    "plane_of_world",
    "plane_point",
    "planes_from_axis",
    "planes_from_layers",
    "point_ids",
    "point_rows",
    "points_of_table",
    "points_plane",
    "project_labels",
    "result_images",
    "reveal",
    "ring_cells",
    "role_of",
    "same_place",
    "select_object",
    "select_objects",
    "selected_objects",
    "selection_signal",
    "show_codes",
    "show_crop_boxes",
    "show_field",
    "show_in_turns",
    "show_scores",
    "side_on_screen",
    "stop_filling",
    "unwritable_reason",
    "view_of",
    "write_features",
    "zoom_to",
]
