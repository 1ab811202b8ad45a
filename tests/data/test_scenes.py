"""Which of several pictures of a file is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_channelmix.data.scenes import Scene, choose_scene
from napari_channelmix.errors import DataError

PATH = Path("a.tif")


@pytest.mark.parametrize("name", ["Thumbnail", "label image", "Macro", "slide macro image"])
def test_the_main_picture_of_a_slide_is_taken_with_a_word(name: str) -> None:
    scenes = [Scene(name, (10, 10)), Scene("", (900, 900)), Scene("x", (90, 90), reduced=True)]
    position, warning = choose_scene(PATH, scenes, None)
    assert position == 1
    assert warning is not None
    assert name in warning


@pytest.mark.parametrize("name", ["labelled", "micro", "Image:1", "macrophages"])
def test_a_name_that_only_resembles_one_of_a_thumbnail_is_a_scene(name: str) -> None:
    with pytest.raises(DataError, match="has 2 scenes"):
        choose_scene(PATH, [Scene("main", (9, 9)), Scene(name, (9, 9))], None)


def test_a_name_of_several_scenes_chooses_none() -> None:
    scenes = [Scene("a", (9, 9)), Scene("a", (9, 9)), Scene("2", (9, 9))]
    with pytest.raises(DataError, match="has 2 scenes of the name 'a'"):
        choose_scene(PATH, scenes, "a")
    assert choose_scene(PATH, scenes, "2") == (2, None)
    with pytest.raises(DataError, match="has no scene 3"):
        choose_scene(PATH, scenes, 3)


def test_a_long_list_is_cut() -> None:
    scenes = [Scene(f"{i}" * 100, (9, 9)) for i in range(500)]
    with pytest.raises(DataError, match="and 488 more") as raised:
        choose_scene(PATH, scenes, None)
    assert len(str(raised.value)) < 1200


def test_a_plain_picture_is_read_beside_files_of_named_scenes() -> None:
    assert choose_scene(PATH, [Scene("", (9, 9))], "left") == (0, None)
    with pytest.raises(DataError, match="no scene of the name 'left'"):
        choose_scene(PATH, [Scene("right", (9, 9))], "left")
    with pytest.raises(DataError, match="has no scene 1"):
        choose_scene(PATH, [Scene("", (9, 9))], 1)
    assert choose_scene(PATH, [Scene("right", (9, 9))], 1, optional=True) == (0, None)
