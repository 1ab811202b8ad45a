"""What became of the chunks of a job: done, done again, missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from napari_channelmix.errors import DataError

__all__ = ["ChunkReport"]

# Missing chunks that a message names.
NAMED = 3


@dataclass(frozen=True)
class ChunkReport:
    """What became of the chunks of a job.

    Attributes
    ----------
    total : int
        Chunks that were to be computed.
    done : int
        Chunks that were computed and kept.
    again : tuple of int
        Chunks that were begun more than once because a worker died or was lost, rising.
    failed : tuple of (int, str)
        Chunks that could not be computed, rising, and why, in one line.
    first_error : Exception or None
        What the first of them raised.
    """

    total: int
    done: int
    again: tuple[int, ...] = ()
    failed: tuple[tuple[int, str], ...] = ()
    first_error: Exception | None = field(default=None, repr=False, compare=False)

    def refuse_missing(
        self, name_of: Callable[[int], str] = "chunk {}".format, kept: int = 0
    ) -> None:
        """Say which chunks are missing, where any is.

        Parameters
        ----------
        name_of : callable
            What a chunk is called, by its index: ``cells 1,025 to 2,048``.
        kept : int
            Chunks that an earlier run had computed.

        Raises
        ------
        Exception
            What the first chunk raised, where not one could be computed, now or earlier.
        DataError
            One line with the first missing chunks and their reasons.
        """
        if not self.failed:
            return
        if not self.done and not kept and self.first_error is not None:
            raise self.first_error
        named = "; ".join(f"{name_of(index)}: {why}" for index, why in self.failed[:NAMED])
        more = len(self.failed) - NAMED
        others = f"; and {more} more" if more > 0 else ""
        raise DataError(
            f"{len(self.failed)} of {self.total + kept} chunks could not be computed "
            f"({named}{others}); the others are kept, and the same command again computes only "
            "those that are missing"
        )
