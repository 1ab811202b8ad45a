"""What is not known of outlines is said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_channelmix.whatif.outline_lines import outline_lines

from .crop_cases import discs


def test_discs_full_crops_and_constant_channels_are_said() -> None:
    crops = discs(3)
    assert outline_lines(crops) == ()
    assert outline_lines(crops[:0]) == ()
    unknown = replace(crops, origin=np.array(["label", "disc", "disc"]))
    (line,) = outline_lines(unknown)
    assert line.startswith("2 of 3 cells have no outline: a disc of radius 18 px")
    full = replace(crops, cell=np.ones_like(crops.cell))
    assert outline_lines(full)[0].startswith("3 of 3 outlines fill their crop")
    flat = crops.pixels.copy()
    flat[:, 1] = 4
    (line,) = outline_lines(crops.with_pixels(flat))
    assert line.startswith("channel reporter is the same in every pixel")
