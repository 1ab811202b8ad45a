"""Arrays of OME-Zarr images, of which nothing is read but regular files inside their folder."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.file_limits import refuse_special
from napari_channelmix.errors import DataError

__all__ = ["METADATA", "PlainChunks", "open_array"]

METADATA = ("zarr.json", ".zarray", ".zattrs")


def open_array(path: Path, place: Path, *, complete: bool = False) -> Any:
    """An array in the folder of an image, which reads nothing outside of it.

    Of a ``complete`` one, a chunk that is not there is refused when it is read.

    Raises
    ------
    DataError
        Not there, or links that lead out of the folder.
    """
    import zarr

    if not place.is_dir():
        raise DataError(f"{path}: cannot be read, its array {place.name!r:.60} is missing")
    for name in METADATA:
        if (place / name).exists() or (place / name).is_symlink():
            refuse_special(place / name)
            if not (place / name).resolve().is_relative_to(path.resolve()):
                raise DataError(f"{path}: a link in it leads out of its folder ({name})")
    return zarr.open_array(_store(path, place, complete), mode="r")


def _store(path: Path, place: Path, complete: bool) -> Any:
    """A store that reads regular files inside the folder of the image, and nothing else."""
    from zarr.storage import LocalStore

    class Inside(LocalStore):
        files = _FilesInside(path, place, complete)

        async def get(self, key: str, *args: Any, **kwargs: Any) -> Any:
            self.files.check(key)
            content = await super().get(key, *args, **kwargs)
            if content is None:
                self.files.refuse_missing(key)
            return content

    return Inside(place, read_only=True)


class _FilesInside:
    """The files of an array, each of them checked before it is read."""

    def __init__(self, path: Path, place: Path, complete: bool) -> None:
        self._path, self._place, self._complete = path, place, complete
        self._root = path.resolve()
        self._inside: set[str] = set()

    def check(self, key: str) -> None:
        """Refuse what is no regular file, or lies outside the folder of the image."""
        folder = key.rpartition("/")[0]
        if folder not in self._inside:
            _refuse_outside(self._root, self._place / folder, key)
            if (self._place / folder).is_dir():
                self._inside.add(folder)
        try:
            # As text: a path of each of thousands of chunks costs more than its reading.
            plain = stat.S_ISREG(os.lstat(f"{self._place}/{key}").st_mode)
        except OSError:
            plain = True
        if not plain:
            _refuse_outside(self._root, self._place / key, key)

    def refuse_missing(self, key: str) -> None:
        """Refuse that a chunk is not there, where all of them were."""
        if self._complete and key.rpartition("/")[2][-1:].isdigit():
            raise DataError(
                f"{self._path}: a part of it is no longer there ({key}); put it back, or open the "
                "data set again"
            )

    def content(self, key: str) -> bytes | None:
        """Bytes of a file; None where there is none."""
        self.check(key)
        try:
            with (self._place / key).open("rb", buffering=0) as file:
                return file.read()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            self.refuse_missing(key)
            return None


def _refuse_outside(root: Path, target: Path, key: str) -> None:
    if target.exists() or target.is_symlink():
        refuse_special(target, folder=True)
        if not target.resolve().is_relative_to(root):
            raise DataError(f"{root}: a link in it leads out of its folder ({key[:80]})")


@dataclass(frozen=True)
class PlainChunks:
    """Chunks of an array of version 2 that are files of their own, decoded by its compressor alone.

    Zarr takes as long to go about the reading of such a chunk as its decoding takes.
    """

    files: _FilesInside
    key_of: Any
    compressor: Any
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    order: Any

    @classmethod
    def of(cls, array: Any) -> PlainChunks | None:
        """Those of an array that `open_array` opened; None where zarr is needed to read them."""
        metadata = array.metadata
        plain = int(metadata.zarr_format) == 2 and not array.filters and len(array.compressors) < 2
        if not plain or np.dtype(array.dtype).kind not in "buif":
            return None
        return cls(
            array.store.files,
            metadata.encode_chunk_key,
            array.compressors[0] if array.compressors else None,
            tuple(int(n) for n in array.chunks),
            np.dtype(array.dtype),
            metadata.order,
        )

    def read(self, place: tuple[int, ...]) -> npt.NDArray[Any] | None:
        """The chunk at a place along all axes; None where it is left out.

        Raises
        ------
        DataError
            A file outside the folder of the image, or one that was there and is no longer.
        ValueError
            A chunk of another size.
        """
        content = self.files.content(self.key_of(place))
        if content is None:
            return None
        decoded = content if self.compressor is None else self.compressor.decode(content)
        pixels = np.frombuffer(decoded, self.dtype)
        return pixels.reshape(self.shape, order=self.order)
