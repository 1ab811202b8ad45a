"""Mean, spread and range of each channel, in one pass over the crops."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.crop_profile import CropProfile, Profiler
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.wording import listed, quoted

__all__ = ["ChannelStatistics", "constant_lines", "statistics_job"]

Crops = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class ChannelStatistics:
    """Statistics over all pixels of all crops, each (C,) float64, in raw units.

    ``profile`` is what single crops look like, measured in the same pass.
    """

    channels: tuple[str, ...]
    mean: npt.NDArray[np.float64]
    std: npt.NDArray[np.float64]
    minimum: npt.NDArray[np.float64]
    maximum: npt.NDArray[np.float64]
    profile: CropProfile | None = field(default=None, repr=False, compare=False)

    @property
    def constant(self) -> tuple[str, ...]:
        """Channels that have one value everywhere."""
        flat = self.maximum <= self.minimum
        return tuple(
            name for name, is_constant in zip(self.channels, flat, strict=True) if is_constant
        )

    def refuse_constant(self) -> None:
        """Raise `DataError` where a channel is constant: it could be neither scaled nor weighed."""
        if self.constant:
            values = [self.minimum[self.channels.index(name)] for name in self.constant]
            # A list of strings is written alike in JSON and in TOML.
            how = f"(in a data-set file: drop = {json.dumps(self.constant, ensure_ascii=False)})"
            if len(values) == 1:
                raise DataError(
                    f"channel {self.constant[0]!r} is constant ({values[0]:g} in every cell) and "
                    f"carries nothing; leave it out {how}"
                )
            pairs = zip(map(quoted, self.constant), values, strict=True)
            every = listed((f"{name} ({value:g})" for name, value in pairs), 40)
            raise DataError(
                f"channels {every} are constant in every cell and carry nothing; leave them out "
                f"{how}"
            )


def constant_lines(
    channels: Sequence[str], constant: npt.NDArray[np.bool_], change: str
) -> tuple[str, ...]:
    """All channels that are constant in some cells, in one line; none where there is none.

    Parameters
    ----------
    channels : sequence of str
    constant : (C,) bool array
    change : str
        What of them says nothing then, such as ``an exchange``.

    Examples
    --------
    >>> constant_lines(["DNA", "A", "B"], np.array([False, True, True]), "an exchange")
    ('A, B are constant in these cells: an exchange of them says nothing',)
    """
    names = [name for name, same in zip(channels, constant, strict=True) if same]
    if not names:
        return ()
    verb, them = ("is", "it") if len(names) == 1 else ("are", "them")
    return (f"{listed(names, 40)} {verb} constant in these cells: {change} of {them} says nothing",)


def statistics_job(
    batches: Iterable[Crops | tuple[npt.NDArray[np.int64], Crops]],
    count: int,
    channels: Sequence[str],
) -> Job[ChannelStatistics]:
    """Statistics of crops that come in batches (n, C, H, W), as a job over ``count`` crops.

    Batches may come with the positions (n,) of their crops, where they are in another order than
    the profile of the crops shall have.
    """
    if not count:
        raise DataError("there are no cells")
    zero = np.zeros(len(channels), dtype=np.float64)
    mean, squares, pixels = zero.copy(), zero.copy(), 0
    low, high, done = zero + np.inf, zero - np.inf, 0
    profiler = Profiler(count)
    for batch in batches:
        positions, crops = batch if isinstance(batch, tuple) else (None, batch)
        profiler.add(crops, positions)
        axes = (0, 2, 3)
        low, high = np.minimum(low, crops.min(axis=axes)), np.maximum(high, crops.max(axis=axes))
        values = crops.astype(np.float64)
        size = values.shape[0] * values.shape[2] * values.shape[3]
        batch_mean = values.mean(axis=axes)
        # Chan's pairwise update: exact for any number of batches, whatever the offset.
        shift = batch_mean - mean
        # In place: in double precision a batch takes twice its room as it is.
        values -= batch_mean[:, None, None]
        values **= 2
        squares += values.sum(axis=axes)
        squares += shift**2 * pixels * size / (pixels + size)
        mean += shift * size / (pixels + size)
        pixels += size
        done += len(crops)
        yield Progress(done, count, "reading the cells")
    return ChannelStatistics(
        tuple(channels), mean, np.sqrt(squares / pixels), low, high, profiler.profile()
    )
