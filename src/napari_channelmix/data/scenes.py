"""Scenes: several pictures in one file, of which one is read; thumbnails are told apart by name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_channelmix.errors import DataError

__all__ = ["Scene", "choose_scene"]

# What scanners call the small pictures beside the main one.
_SMALL = re.compile(r"\b(thumb(nail)?s?|label|macro)( image)?\b", re.IGNORECASE)
# Longer lists say no more.
SHOWN = 12


@dataclass(frozen=True)
class Scene:
    """One picture of a file.

    Attributes
    ----------
    name : str
        As the file has it; may be empty.
    shape : tuple of int
    reduced : bool
        The file marks it as a smaller copy or a mask of another picture.
    """

    name: str
    shape: tuple[int, ...]
    reduced: bool = False

    @property
    def small(self) -> bool:
        """Whether it is plainly a thumbnail, a label or a macro picture."""
        return self.reduced or bool(_SMALL.search(self.name))


def choose_scene(
    path: Path, scenes: Sequence[Scene], requested: int | str | None, *, optional: bool = False
) -> tuple[int, str | None]:
    """Position of the scene to read, and a warning where others are left out unasked.

    Parameters
    ----------
    requested : int, str or None
        Position, name, or None where the data set does not say.
    optional : bool
        The choice is for files of several scenes; one of a single scene is read whatever it is.

    Raises
    ------
    DataError
        Several scenes and none chosen, or no scene of that name or position.
    """
    # A plain picture has no name to be chosen by.
    if len(scenes) == 1 and (optional or (isinstance(requested, str) and not scenes[0].name)):
        return 0, None
    if isinstance(requested, str):
        positions = [i for i, scene in enumerate(scenes) if scene.name == requested]
        if not positions and re.fullmatch(r"\d+", requested):
            requested = int(requested)
        elif len(positions) == 1:
            return positions[0], None
        else:
            why = "has no scene" if not positions else f"has {len(positions)} scenes"
            raise DataError(
                f"{path}: {why} of the name {requested!r:.60}; its scenes are {_listed(scenes)}"
            )
    if isinstance(requested, int):
        if not 0 <= requested < len(scenes):
            raise DataError(f"{path}: has no scene {requested}; its scenes are {_listed(scenes)}")
        return requested, None
    if len(scenes) == 1:
        return 0, None
    main = [i for i, scene in enumerate(scenes) if not scene.small]
    if len(main) == 1:
        others = [scene for scene in scenes if scene.small]
        return main[0], f"its thumbnail, label or macro images are left out ({_listed(others)})"
    raise DataError(
        f"{path}: has {len(scenes)} scenes: {_listed(scenes)}; "
        "choose one for all files with scene = 0 (or its name) in the data-set file, "
        "under [image] or at the top"
    )


def _listed(scenes: Sequence[Scene]) -> str:
    lines = [
        f"{i} {scene.name[:40]!r} {scene.shape}" if scene.name else f"{i} {scene.shape}"
        for i, scene in enumerate(scenes[:SHOWN])
    ]
    more = len(scenes) - SHOWN
    return ", ".join(lines) + (f" and {more} more" if more > 0 else "")
