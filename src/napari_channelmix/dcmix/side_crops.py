"""Normalised crops of the two sides of a repeat, from pixels that all repeats share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_channelmix.classify.pixels import SelectedCrops
from napari_channelmix.jobs import Job, part

if TYPE_CHECKING:
    from napari_channelmix.classify.crops import NormalisedCrops
    from napari_channelmix.dcmix.divisions import Division, Sides

__all__ = ["SideCrops", "read_job"]


def read_job(division: Division) -> Job[None]:
    """Read every pixel, once in each process."""
    count = len(division.pixels)
    for number, pixels in enumerate(division.pixels):
        yield from part(pixels.load(), number, 1, count)


class SideCrops:
    """Normalised crops of both sides of a repeat; made anew only where the sides are others."""

    def __init__(self) -> None:
        self._sides: Sides | None = None
        self._crops: tuple[NormalisedCrops, NormalisedCrops] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: another process makes them of its own pixels."""
        return {"_sides": None, "_crops": None}

    def crops_job(self, sides: Sides) -> Job[tuple[NormalisedCrops, NormalisedCrops]]:
        """Training and held-out crops, both by the statistics of the training cells.

        Raises
        ------
        DataError
            A channel that is constant in the training cells.
        """
        if self._crops is None or sides is not self._sides:
            statistics = yield from part(sides.train.statistics_job(), 0, 2, 4)
            statistics.refuse_constant()
            yield from part(sides.train.sign(), 2, 1, 4)
            yield from part(sides.test.sign(), 3, 1, 4)
            self._sides = sides
            self._crops = (
                SelectedCrops(sides.train, statistics),
                SelectedCrops(sides.test, statistics),
            )
        return self._crops
