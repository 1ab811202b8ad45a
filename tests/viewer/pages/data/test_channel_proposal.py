"""Which layers are ticked by themselves, and what is said of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from napari.layers import Image

from napari_channelmix.viewer import layers
from napari_channelmix.viewer.pages.data.axis_question import unclear_axis
from napari_channelmix.viewer.pages.data.channel_proposal import propose

ODD = {"scale": (0.5, 0.25), "translate": (7.0, -3.0), "units": ("um", "um")}


def image(name: str, shape: tuple[int, ...] = (31, 37), **options: Any) -> Any:
    return Image(np.zeros(shape, np.uint8), name=name, **options)


def opened(path: Path, viewer: Any) -> Any:
    return viewer.open(path, plugin="napari")[0]


def test_layers_of_one_size_and_place_are_ticked() -> None:
    images = [image(name, **ODD) for name in ("DAPI", "GFP", "actin")]
    proposal = propose(images)
    assert proposal.ticked == tuple(images)
    assert proposal.text.startswith("3 layers of the same size are ticked")


def test_none_is_ticked_where_sizes_or_places_differ() -> None:
    proposal = propose([image("DAPI"), image("GFP", (31, 38))])
    assert not proposal.ticked and "'DAPI' is 31 x 37, 'GFP' 31 x 38 pixels" in proposal.text
    proposal = propose([image("DAPI", **ODD), image("GFP", **(ODD | {"scale": (1, 1)}))])
    assert not proposal.ticked and "lie at different places" in proposal.text


def test_many_layers_of_one_size_may_be_several_images() -> None:
    proposal = propose([image(f"image {n}") for n in range(9)])
    assert not proposal.ticked and "9 layers of the same size may be several" in proposal.text


def test_an_rgb_picture_is_never_ticked() -> None:
    assert not propose([image("photo", (31, 37, 3), rgb=True)]).ticked
    grey = image("DAPI")
    assert propose([image("photo", (31, 37, 3), rgb=True), grey]).ticked == (grey,)


def test_a_named_axis_is_taken_for_the_channels() -> None:
    stack = image("stack", (4, 31, 37), axis_labels=("c", "y", "x"))
    proposal = propose([stack])
    assert proposal.stack is stack and proposal.axis == 0
    assert "4 channels along axis 0 of 'stack', as the name of the axis says" in proposal.text


def test_a_stack_without_names_is_ticked_so_that_it_is_asked() -> None:
    stack = image("stack", (7, 31, 37))
    proposal = propose([stack])
    assert proposal.ticked == (stack,) and proposal.stack is None
    axis = unclear_axis(stack)
    assert axis is not None and axis.length == 7


def test_the_file_tells_axis_and_names(viewer: Any, tmp_path: Path) -> None:
    path = tmp_path / "well B03.ome.tif"
    names = ["DAPI", "GFP", "actin"]
    pixels = np.zeros((3, 31, 37), np.uint16)
    tifffile.imwrite(path, pixels, ome=True, metadata={"axes": "CYX", "Channel": {"Name": names}})
    layer = viewer.add_image(pixels, name="well B03")
    assert layers.channel_axis_of(layer) is None
    layer = opened(path, viewer)
    assert layer.data.shape == (3, 31, 37)
    proposal = propose([layer])
    assert (proposal.stack, proposal.axis) == (layer, 0) and "as its file says" in proposal.text
    assert layers.channel_names_along(layer, 0) == tuple(names)


def test_planes_of_a_file_are_no_question(viewer: Any, tmp_path: Path) -> None:
    path = tmp_path / "stack.ome.tif"
    tifffile.imwrite(path, np.zeros((5, 31, 37), np.uint16), ome=True, metadata={"axes": "ZYX"})
    layer = opened(path, viewer)
    assert unclear_axis(layer) is None and layers.channel_axis_of(layer) is None
    assert propose([layer]).ticked == (layer,)


def test_layers_of_several_folders_are_not_ticked(viewer: Any, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        tifffile.imwrite(tmp_path / folder / "DAPI.tif", np.zeros((31, 37), np.uint8))
    images = [opened(tmp_path / folder / "DAPI.tif", viewer) for folder in ("a", "b")]
    assert not propose(images).ticked and "several folders" in propose(images).text
    tifffile.imwrite(tmp_path / "a" / "GFP.tif", np.zeros((31, 37), np.uint8))
    both = [images[0], opened(tmp_path / "a" / "GFP.tif", viewer)]
    assert propose(both).ticked == tuple(both)


def test_a_sample_is_ticked_as_it_was_made() -> None:
    made = image("DNA", metadata={"napari-channelmix sample": "channel"})
    assert propose([image("other"), made]).ticked == (made,)
