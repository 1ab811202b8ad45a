"""Which cells a classifier was trained on: they are known again by their pixels, for ever.

A digest of the crop's pixels is kept of each, whatever the data set is called and wherever its
files lie, and one of each group's name. Digests do not give pixels back; a short name of a group,
such as ``A01``, can be guessed from its digest by trying names.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.errors import DataError
from napari_channelmix.phenotypes.held_out import NO, SAME_GROUP, YES, Marks
from napari_channelmix.wording import shown_error

if TYPE_CHECKING:
    from napari_channelmix.data import Cells

__all__ = ["BLANK", "Digests", "TrainingCells", "blank_crops", "crop_digests"]

Digests = npt.NDArray[np.uint64]

# Digests that are kept; 11 MB in a bundle.
MOST = 1_000_000
# Bytes of a digest: that any of a million cells meets one of a million others by chance has a
# probability of 5e-8.
BYTES = 8
#: Stands for a crop that is blank: such crops are equal without being the same cell.
BLANK = np.uint64(0)


def blank_crops(crops: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Which crops (n, C, H, W) are one value all over in every channel, (n,)."""
    flat = crops.reshape(*crops.shape[:2], -1)
    return np.asarray((flat.min(axis=2) == flat.max(axis=2)).all(axis=1))


def crop_digests(crops: npt.NDArray[np.float32]) -> Digests:
    """A digest (n,) of the pixels of each crop (n, C, H, W), in raw units, channels in order.

    The first 8 bytes of BLAKE2b over the float32 pixels; `BLANK` for `blank_crops`. Our definition.
    """
    rows = np.ascontiguousarray(crops, dtype="<f4")
    digests = np.array([_digest(row.tobytes()) for row in rows], dtype=np.uint64)
    digests[blank_crops(rows)] = BLANK
    return digests


@dataclass(frozen=True, eq=False)
class TrainingCells:
    """Digests of the cells that a classifier has seen in training, validation included.

    Attributes
    ----------
    cells : (n,) uint64 array, sorted
        See `crop_digests`.
    groups : (g,) uint64 array, sorted
        Of the names of their groups; none where every cell is a group of its own.
    """

    cells: Digests = field(repr=False)
    groups: Digests = field(repr=False)

    @classmethod
    def of(cls, cells: Cells, digests: Digests) -> TrainingCells | None:
        """Of training cells and the digests of their crops; None where there are too many."""
        if len(cells) > MOST:
            return None
        names = np.unique(cells.groups)
        if len(names) == len(cells):
            names = names[:0]
        return cls(np.unique(digests[digests != BLANK]), _name_digests(names.tolist()))

    def marks(self, digests: Digests, groups: Sequence[str] | None = None) -> Marks:
        """Whether each of N cells was trained on: ``yes``, ``same group`` or ``no``.

        Parameters
        ----------
        digests : (N,) uint64 array
        groups : sequence of N str, optional

        Notes
        -----
        Names such as ``A01`` come again on every plate. So the name of a group says something
        only where other cells of the same set are training cells; a cell is of the same group
        where a training cell is in its group, or the training knew a group of that name. Blank
        crops are known by their group alone.
        """
        seen = np.isin(digests, self.cells) & (digests != BLANK)
        marks = np.where(seen, YES, NO).astype("<U10")
        if groups is None or not seen.any():
            return marks
        names = np.asarray(groups, dtype=str)
        unique, which = np.unique(names, return_inverse=True)
        if len(unique) == len(names):
            return marks
        known = np.isin(_name_digests(unique.tolist(), in_order=True), self.groups)
        known[which[seen]] = True
        marks[~seen & known[which]] = SAME_GROUP
        return marks

    def as_dict(self) -> dict[str, str]:
        """For JSON: the digests as base64."""
        return {
            name: base64.b64encode(getattr(self, name).astype("<u8").tobytes()).decode("ascii")
            for name in ("cells", "groups")
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> TrainingCells:
        """From JSON.

        Raises
        ------
        DataError
            Content that is missing or of another kind.
        """
        try:
            return cls(*(_unpacked(content[name]) for name in ("cells", "groups")))
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"trained_on: {type(error).__name__} ({shown_error(error)})") from None


def _digest(content: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(content, digest_size=BYTES).digest(), "little")


def _name_digests(names: Sequence[str], *, in_order: bool = False) -> Digests:
    digests = np.array(
        [_digest(name.encode("utf-8", "surrogatepass")) for name in names], dtype=np.uint64
    )
    return digests if in_order else np.unique(digests)


def _unpacked(text: Any) -> Digests:
    if not isinstance(text, str):
        raise TypeError("digests are no text")
    content = base64.b64decode(text, validate=True)
    if len(content) % BYTES or len(content) > BYTES * MOST:
        raise ValueError(f"{len(content)} bytes of digests")
    return np.sort(np.frombuffer(content, dtype="<u8").astype(np.uint64))
