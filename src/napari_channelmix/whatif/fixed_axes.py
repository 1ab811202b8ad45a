"""Axes that are the same for all cells: shape, neighbours, acquisition and shams."""

from __future__ import annotations

from napari_channelmix.whatif import acquisition, measures, shams, shape_edits, surroundings
from napari_channelmix.whatif.amount_of_level import difference
from napari_channelmix.whatif.axes import Axis

__all__ = ["ACQUISITION", "FIXED", "NEIGHBOURS", "RESAMPLING", "SHAMS", "SHAPE"]

#: Name of the sham of all edits that interpolate.
RESAMPLING = "resampling"

SHAPE = [
    Axis(
        "size",
        "shape",
        "doublings of the diameter",
        shape_edits.size,
        -2,
        2,
        feature="size",
        measure=measures.size,
        to_level=difference,
        sham=RESAMPLING,
        kind="size",
        moves_too=("exposure", "surrounding light", "background", "noise", "sharpness"),
    ),
    Axis(
        "elongation",
        "shape",
        "doublings of the ratio of the axes",
        shape_edits.elongation,
        -2,
        2,
        feature="elongation",
        measure=measures.elongation,
        sham=RESAMPLING,
        kind="elongation",
        moves_too=("roundness", "sharpness", "noise"),
    ),
    Axis(
        "roundness",
        "shape",
        "share of the way to a disc",
        shape_edits.roundness,
        0,
        1,
        feature="roundness",
        measure=measures.roundness,
        sham=RESAMPLING,
        kind="roundness",
        moves_too=("elongation", "sharpness", "noise"),
    ),
]
NEIGHBOURS = Axis(
    "neighbours away",
    "surroundings",
    "share",
    surroundings.neighbours_away,
    0,
    1,
    feature="surrounding light",
    measure=measures.surrounding_light,
    kind="neighbours away",
    moves_too=("background", "exposure", "offset", "sharpness", "noise", "shading"),
)
ACQUISITION = [
    Axis(
        "exposure",
        "acquisition",
        "doublings",
        acquisition.exposure,
        -2,
        2,
        feature="exposure",
        measure=measures.contrast,
        kind="exposure",
        moves_too=("brightness", "level", "background", "offset", "surrounding light", "noise"),
    ),
    Axis(
        "offset",
        "acquisition",
        "% of the brightest",
        acquisition.offset,
        -50,
        50,
        feature="offset",
        measure=measures.darkest,
        kind="offset",
        moves_too=("level", "background", "exposure", "shading"),
    ),
    Axis(
        "blur",
        "acquisition",
        "px",
        acquisition.blur,
        0,
        4,
        feature="sharpness",
        measure=measures.sharpness,
        kind="blur",
        moves_too=("detail", "noise"),
    ),
    Axis(
        "noise",
        "acquisition",
        "% of the brightest",
        acquisition.noise,
        0,
        20,
        feature="noise",
        measure=measures.graininess,
        kind="noise",
        moves_too=("detail", "sharpness", "offset", "surrounding light"),
    ),
    Axis(
        "shading",
        "acquisition",
        "% from left to right",
        acquisition.shading,
        -80,
        80,
        feature="shading",
        measure=measures.gradient,
        to_level=difference,
        kind="shading",
    ),
]
SHAMS = [
    Axis("turn", "sham", "degrees", shams.turn, -180, 180, sham=RESAMPLING, kind="turn"),
    Axis("shift", "sham", "px", shams.shift, -4, 4, sham=RESAMPLING, kind="shift"),
    Axis(RESAMPLING, "sham", "px", shams.resampling, 0, 0.5, kind=RESAMPLING),
]

#: All of them.
FIXED = (*SHAPE, NEIGHBOURS, *ACQUISITION, *SHAMS)
