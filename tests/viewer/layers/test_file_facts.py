"""What the file of a layer says of its axes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import tifffile
from napari.layers import Image
from napari.layers._source import layer_source

from napari_channelmix.viewer import layers

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def of_file(path: Path) -> Image:
    with layer_source(path=str(path)):
        return Image(tifffile.imread(path))


def test_axes_are_those_of_the_file_and_long_stacks_are_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "stack.tif"
    stack = np.zeros((4, 2, 16, 16), np.uint16)
    tifffile.imwrite(path, stack, imagej=True, metadata={"axes": "TCYX"})
    assert layers.file_facts(of_file(path)).axes == {0: "T", 1: "C", 2: "Y", 3: "X"}
    assert layers.channel_axis_of(of_file(path)) == 1
    # The package gives out the function of this name.
    module = sys.modules["napari_channelmix.viewer.layers.file_facts"]
    monkeypatch.setattr(module, "MOST_PAGES", 7)
    facts = layers.file_facts(of_file(path))
    assert facts.axes == {} and facts.path == path


def test_a_file_that_is_gone_or_broken_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, np.zeros((5, 16, 16), np.uint16))
    layer, other = of_file(path), of_file(path)
    path.write_bytes(b"II*\0" + bytes(range(60)))
    assert layers.file_facts(layer).axes == {}
    path.unlink()
    assert layers.file_facts(other).axes == {}
