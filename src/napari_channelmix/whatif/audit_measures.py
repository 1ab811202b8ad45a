"""What a shortcut audit measures: predictions of changed crops, and numbers that need no cell."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.jobs import Job, Progress
from napari_channelmix.whatif.crops import batches_of, cell_crops
from napari_channelmix.whatif.illumination import dark_levels, with_gain, with_shading
from napari_channelmix.whatif.outside_cues import UntrainedFeatures
from napari_channelmix.whatif.removal import (
    at_background_level,
    filled,
    removal_margin,
    sham_area,
    territories,
    with_area_of_another,
)
from napari_channelmix.whatif.shams import resampling
from napari_channelmix.whatif.stain_levels import at_levels, donors_of, levels_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_channelmix.data import Cells
    from napari_channelmix.whatif.asking import Asker
    from napari_channelmix.whatif.crops import CellCrops

__all__ = ["GAINS", "RESAMPLED", "SHADING", "Measured", "measured_job"]

IntArray = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]

#: Exposures, and gains of one channel, that are tried; and how far shading reaches.
GAINS, SHADING = (0.7, 1.4), 0.2
#: The sham of other light: all cells of the crop interpolated by half a pixel there and back.
RESAMPLED, HALF = "resampled (sham)", 0.5
# Cells that tell how large cells are, and how bright channels without light.
SAMPLE = 200
BATCH = 128


@dataclass(frozen=True, eq=False)
class Measured:
    """What is known of n cells.

    Attributes
    ----------
    calls : dict of str to (n,) int array
        By what was changed; ``as it is`` among them.
    numbers : dict of str to (n, F) array
        ``background``, ``untrained`` and ``untrained background``.
    levels : (n, C) array
    has_others, disc, room, free : (n,) bool arrays
        Whether a crop shows another cell, has no outline, has room for the sham, and has any
        background.
    margin : float
        Pixels around an outline that belong to the cell.
    within : tuple of str
        Changes of light that are as large as those between the groups of the data.
    """

    calls: dict[str, IntArray] = field(repr=False)
    numbers: dict[str, Doubles] = field(repr=False)
    levels: Doubles = field(repr=False)
    has_others: npt.NDArray[np.bool_] = field(repr=False)
    disc: npt.NDArray[np.bool_] = field(repr=False)
    labelled: npt.NDArray[np.bool_] = field(repr=False)
    room: npt.NDArray[np.bool_] = field(repr=False)
    free: npt.NDArray[np.bool_] = field(repr=False)
    margin: float
    within: tuple[str, ...]


# Part of a crop that must be background for its level to mean anything.
LEAST_FREE = 0.02


def measured_job(
    asker: Asker, cells: Cells, labels: IntArray, margin: float | None, seed: int
) -> Job[Measured]:
    """Ask about every cell as it is, and changed in every way.

    Parameters
    ----------
    asker : Asker
    cells : Cells
        With the channels of the classifier, in its order; the cells that are audited.
    labels : (n,) int array
    margin : float or None
    seed : int
    """
    total = 1.6 * len(cells)
    yield Progress(0, total, "finding outlines")
    some = np.arange(min(len(cells), SAMPLE))
    sample = cell_crops(cells, some)
    yield Progress(0, total, "asking twice about the same cells")
    asker.refuse_unsteady(sample.pixels[:8])
    reach = removal_margin(sample) if margin is None else margin
    light = _Light(sample, dark_levels(sample), labels[some], cells.groups[some])
    untrained = UntrainedFeatures(
        sample.pixels.mean(axis=(0, 2, 3)), sample.pixels.std(axis=(0, 2, 3)), seed
    )
    everything = np.arange(len(cells))
    rows: dict[str, list[npt.NDArray[np.int64]]] = {}
    numbers: dict[str, list[Doubles]] = {}
    done = 0
    for crops in batches_of(cells, everything, BATCH):
        stage = f"auditing the cells, {done + len(crops):,} of {len(cells):,}"
        yield Progress(done, total, stage)
        own, others = territories(crops, reach, cells)
        own_labels = labels[done : done + len(crops)]
        empty = filled(crops, own | others)
        changes = _changes(crops, own, others, own_labels, light, seed)
        for name, pixels in (*changes, ("background alone", empty.pixels)):
            rows.setdefault(name, []).append(asker.calls(pixels))
            yield Progress(done, total, stage)
        _, room = sham_area(own, others, "cell")
        for name, values in {
            "levels": levels_of(crops),
            "background": crops.background,
            "untrained": untrained(crops.pixels),
            "untrained background": untrained(empty.pixels),
            "others": crops.others.any(axis=(1, 2)),
            "disc": crops.disc,
            "labelled": crops.origin == "label",
            "room": room,
            "free": (~(own | others)).mean(axis=(1, 2)) >= LEAST_FREE,
        }.items():
            numbers.setdefault(name, []).append(np.asarray(values, np.float64))
        done += len(crops)
        yield Progress(done, total, stage)
    calls = {name: np.concatenate(parts) for name, parts in rows.items()}
    values = {name: np.concatenate(parts) for name, parts in numbers.items()}
    levels = values.pop("levels")
    calls |= yield from _levels_job(asker, cells, labels, levels, seed)
    flags = {name: values.pop(name) > 0 for name in ("others", "disc", "labelled", "room", "free")}
    return Measured(
        calls,
        values,
        levels,
        flags["others"],
        flags["disc"],
        flags["labelled"],
        flags["room"],
        flags["free"],
        reach,
        light.within,
    )


class _Light:
    """Which gains are tried: large ones, and those by which the groups differ themselves."""

    def __init__(
        self,
        crops: CellCrops,
        dark: npt.NDArray[np.float32],
        labels: IntArray,
        groups: npt.NDArray[np.str_],
    ) -> None:
        self.dark = dark
        self.gains: dict[str, tuple[int | None, float]] = {}
        own = gains_between_groups(levels_of(crops), labels, groups)
        between: list[str] = []
        several = len(crops.channels) > 1
        for channel in (None, *(range(len(crops.channels)) if several else ())):
            title = "exposure" if channel is None else crops.channels[channel]
            for gain in GAINS:
                self.gains[f"{title} x {gain:g}"] = channel, gain
            if own is None:
                continue
            reach = float(np.median(own) if channel is None else own[channel])
            for gain in (round(1 / reach, 2), round(reach, 2)):
                if GAINS[0] < gain < GAINS[1] and gain != 1:
                    self.gains[f"{title} x {gain:g}"] = channel, gain
                    between.append(f"{title} x {gain:g}")
        self.within = tuple(between)


def gains_between_groups(
    levels: Doubles, labels: IntArray, groups: npt.NDArray[np.str_]
) -> Doubles | None:
    """By which factor groups differ in the level of each channel (C,), 1 or more.

    The 90th percentile, over the groups, of how far the median of a group is from that of its
    class, as a ratio. None where no groups are known or there are fewer than three. Our
    definition.
    """
    names, which = np.unique(groups, return_inverse=True)
    if not 3 <= len(names) < len(groups):
        return None
    apart = np.full(levels.shape, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        for code in np.unique(labels).tolist():
            own = labels == code
            apart[own] = np.log2(levels[own] / np.median(levels[own], axis=0))
    apart[~np.isfinite(apart)] = 0.0
    medians = np.stack([np.median(apart[which == group], axis=0) for group in range(len(names))])
    return np.asarray(2 ** np.percentile(np.abs(medians), 90, axis=0))


def _changes(
    crops: CellCrops,
    own: npt.NDArray[np.bool_],
    others: npt.NDArray[np.bool_],
    labels: IntArray,
    light: _Light,
    seed: int,
) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    """Every change of some crops, by its name."""
    pixels = crops.pixels
    yield "as it is", pixels
    yield "cell away", filled(crops, own).pixels
    yield "neighbours away", filled(crops, others).pixels
    yield "cell alone", filled(crops, ~own).pixels
    both = with_area_of_another(own | others, labels, seed)
    yield "background alone, shapes mixed", filled(crops, both).pixels
    shams, _ = sham_area(own, others, "cell")
    yield "as much background filled (sham)", filled(crops, shams).pixels
    yield "background level", at_background_level(crops).pixels
    half = np.full(len(crops), HALF, np.float32)
    yield RESAMPLED, resampling(crops.scoped("crop"), half).pixels
    for name, (channel, gain) in light.gains.items():
        yield name, with_gain(pixels, light.dark, gain, channel)
    yield "brighter on the left", with_shading(pixels, light.dark, SHADING)
    yield "brighter on the right", with_shading(pixels, light.dark, -SHADING)


def _levels_job(
    asker: Asker, cells: Cells, labels: IntArray, levels: Doubles, seed: int
) -> Job[dict[str, IntArray]]:
    """Calls of the cells whose channels have the level of another cell."""
    other, same = donors_of(levels, labels, seed)
    rows: dict[str, list[IntArray]] = {}
    done = 0
    total = 1.6 * len(cells)
    for crops in batches_of(cells, np.arange(len(cells)), BATCH):
        these = slice(done, done + len(crops))
        stage = f"changing the levels of channels, {done + len(crops):,} of {len(cells):,}"
        for place, name in enumerate(cells.channels):
            for kind, target in (("other", other), ("same", same)):
                pixels = at_levels(crops, place, levels[these, place], target[these, place])
                rows.setdefault(f"{name}: level of {kind}", []).append(asker.calls(pixels))
            yield Progress(len(cells) + 0.5 * done, total, stage)
        done += len(crops)
        yield Progress(len(cells) + 0.5 * done, total, stage)
    return {name: np.concatenate(parts) for name, parts in rows.items()}
