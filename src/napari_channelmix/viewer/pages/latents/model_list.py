"""Which disentanglers there are, told from the headers of their files: PyTorch is not asked."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from napari_channelmix.errors import DataError
from napari_channelmix.stored_files import MIB, parsed_json, regular_file

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Model", "model_in", "shipped_models"]

SUFFIX = ".safetensors"
# No header of ours is longer.
LONGEST = 16 * MIB
LARGEST = 8192 * MIB


@dataclass(frozen=True)
class Model:
    """A disentangler that may be loaded.

    Attributes
    ----------
    name : str
    source : str or Path
        What `drl.load_disentangler` takes.
    depth : int or None
        Channels of its pictures, 3 or 1; None where the file does not say.
    """

    name: str
    source: str | Path
    depth: int | None


def shipped_models() -> tuple[Model, ...]:
    """Those that come with the package."""
    # Not through the package `drl`, whose import brings PyTorch.
    folder = resources.files("napari_channelmix") / "drl" / "weights"
    if not folder.is_dir():
        return ()
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(SUFFIX))
    models = []
    for name in names:
        with resources.as_file(folder / name) as path:
            stem = name.removesuffix(SUFFIX)
            models.append(Model(stem, stem, _depth(path)))
    # Colour first: it takes whatever is in the viewer.
    return tuple(sorted(models, key=lambda model: model.depth != 3))


def model_in(path: Path) -> Model:
    """The one in a file; whether it is intact is seen when it is loaded."""
    return Model(path.name, path, _depth(path))


def _depth(path: Path) -> int | None:
    try:
        regular_file(path, most=LARGEST, error=DataError)
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if length > LONGEST:
                return None
            about = parsed_json(file.read(length).decode("utf-8"))["__metadata__"]["about"]
        depth = parsed_json(about)["network"]["channels"]
    except (OSError, ValueError, KeyError, TypeError):
        # `DataError` is a ValueError.
        return None
    return depth if type(depth) is int else None
