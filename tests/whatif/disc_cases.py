"""Discs of known brightness, and models that call them by it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.foreign import ForeignClassifier
from napari_channelmix.data import Cells
from napari_channelmix.whatif.axes import Axis

if TYPE_CHECKING:
    from napari_channelmix.whatif.crops import CellCrops

CHANNELS, CLASSES = ("DNA", "junk"), ("dim", "bright")
SIDE, GROUND = 17, 10.0
_DISTANCE = np.hypot(*(np.mgrid[0:SIDE, 0:SIDE] - (SIDE - 1) / 2))
DISC = _DISTANCE <= 5


def disc_crops(brightness: npt.ArrayLike, seed: int = 0) -> npt.NDArray[np.float32]:
    """Crops with a disc of each brightness above the ground, and noise in the other channel."""
    rng = np.random.default_rng(seed)
    light = np.asarray(brightness, np.float32)
    crops = np.full((len(light), 2, SIDE, SIDE), GROUND, np.float32)
    crops[:, 0] += light[:, None, None] * DISC
    crops[:, 1] += 20 * DISC + rng.normal(0, 1, (len(light), SIDE, SIDE)).astype(np.float32)
    return crops


def disc_cells(count: int = 40, groups: int = 8, seed: int = 0, labels: Any = None) -> Cells:
    """Dim discs (brightness 20 to 60) and bright ones (70 to 140), some of both in each group."""
    rng = np.random.default_rng(seed)
    codes = np.arange(count) % 2
    light = np.where(codes == 1, rng.uniform(70, 140, count), rng.uniform(20, 60, count))
    wells = [f"well {number * groups // count}" for number in range(count)]
    return outlined(light, codes if labels is None else labels, wells, seed)


def outlined(
    light: npt.ArrayLike, labels: Any = None, groups: Sequence[str] | None = None, seed: int = 0
) -> Cells:
    """Discs of each brightness, with their outlines as a label image."""
    crops = disc_crops(light, seed)
    count = len(crops)
    planes = [np.concatenate(list(crops[:, channel])) for channel in range(2)]
    outlines = np.concatenate([DISC * number for number in range(1, count + 1)])
    classes = None
    if labels is not None:
        classes = {number + 1: CLASSES[int(code)] for number, code in enumerate(labels)}
    cells = Cells.from_labels(planes, CHANNELS, outlines, crop=SIDE, classes_of=classes)
    names = [f"cell {number}" for number in range(count)] if groups is None else list(groups)
    return replace(cells, table=cells.table.assign(group=names), warnings=())


def light_of(crops: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Brightness of the discs (n,)."""
    return np.asarray((crops[:, 0] - GROUND)[:, DISC].mean(axis=1))


def model_of(
    score: Callable[[npt.NDArray[np.float32]], npt.NDArray[np.floating]],
    classes: tuple[str, ...] = CLASSES,
) -> ForeignClassifier:
    """A model of two classes from the log odds (n,) of the second."""

    def predict(crops: npt.NDArray[np.float32]) -> npt.NDArray[np.floating]:
        odds = score(crops)
        return np.stack([np.zeros_like(odds), odds], axis=1)

    zeros = np.zeros(len(CHANNELS))
    return ForeignClassifier(predict, CHANNELS, classes, zeros, zeros + 1, "logits", "a rule")


def by_light(threshold: float = 64.0) -> ForeignClassifier:
    """Bright from a brightness on."""
    return model_of(lambda crops: (light_of(crops) - threshold) / 4)


def brightness_axis() -> Axis:
    """Light above the ground times 2 to the amount; the feature is its mean in the outline."""

    def edit(crops: CellCrops, amounts: npt.NDArray[np.float32]) -> CellCrops:
        pixels = crops.pixels.copy()
        gain = (2.0 ** amounts.astype(np.float64))[:, None, None]
        inside = np.where(crops.mask, gain, 1.0)
        pixels[:, 0] = GROUND + (pixels[:, 0] - GROUND) * inside
        return crops.with_pixels(pixels)

    def measure(crops: CellCrops) -> npt.NDArray[np.float32]:
        cell = crops.cell
        total = np.where(cell, crops.pixels[:, 0] - GROUND, 0).sum(axis=(1, 2))
        return np.asarray(total / cell.sum(axis=(1, 2)), np.float32)

    def to_level(values: npt.NDArray[np.float32], target: float) -> npt.NDArray[np.float32]:
        return np.asarray(np.log2(target / values), np.float32)

    return Axis(
        "DNA brightness",
        "channel",
        "doublings",
        edit,
        -4,
        4,
        feature="DNA brightness",
        measure=measure,
        to_level=to_level,
        channel="DNA",
    )


def noise_axis() -> Axis:
    """The other channel, raised; no rule of these tests reads it."""

    def edit(crops: CellCrops, amounts: npt.NDArray[np.float32]) -> CellCrops:
        pixels = crops.pixels.copy()
        pixels[:, 1] += amounts[:, None, None]
        return crops.with_pixels(pixels)

    return Axis("junk offset", "channel", "raw units", edit, -10, 10, channel="junk")


def turn_axis() -> Axis:
    """A sham: a quarter turn."""

    def edit(crops: CellCrops, amounts: npt.NDArray[np.float32]) -> CellCrops:
        turned = np.rot90(crops.pixels, axes=(2, 3))
        return crops.with_pixels(np.where(amounts[:, None, None, None] > 0, turned, crops.pixels))

    return Axis("turn", "sham", "quarters", edit, 0, 1)
