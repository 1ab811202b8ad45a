"""Opened cells for the tests of the page 'What if', with a classifier that looks at brightness."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from napari_channelmix.viewer.pages.whatif.opened_cell import OpenedCell, axis_range
from napari_channelmix.whatif.axes import Axis
from napari_channelmix.whatif.crops import CellCrops

CLASSES = ("dim", "bright")
SIDE = 12
# Mean of the first channel at which both classes are as likely.
MIDDLE = 10.0


def brighter(crops: CellCrops, amounts: Any) -> CellCrops:
    return crops.with_pixels(crops.pixels * np.exp2(amounts)[:, None, None, None])


def raised(crops: CellCrops, amounts: Any) -> CellCrops:
    return crops.with_pixels(crops.pixels + amounts[:, None, None, None])


def mean(crops: CellCrops) -> Any:
    return crops.pixels[:, 0].mean(axis=(1, 2))


def brightness() -> Axis:
    return Axis(
        "DNA brightness",
        "channel",
        "doublings",
        brighter,
        -4,
        4,
        "DNA mean",
        mean,
        lambda values, target: np.log2(target / values),
        channel="DNA",
    )


def plain(name: str, family: str, unit: str = "raw units", channel: str | None = None) -> Axis:
    return Axis(name, family, unit, raised, -5, 5, channel=channel)  # type: ignore[arg-type]


class BrightnessAsker:
    """Says ``bright`` the surer, the brighter the first channel is."""

    classes = CLASSES
    asked = 0

    def __call__(self, pixels: Any) -> Any:
        self.asked += len(pixels)
        bright = 1 / (1 + np.exp(MIDDLE - pixels[:, 0].mean(axis=(1, 2))))
        return np.stack([1 - bright, bright], axis=1).astype(np.float32)


def one_cell(level: float = 8.0) -> CellCrops:
    pixels = np.full((1, 1, SIDE, SIDE), level, np.float32)
    cell = np.zeros((1, SIDE, SIDE), bool)
    cell[:, 3:9, 3:9] = True
    return CellCrops(
        pixels,
        ("DNA",),
        cell,
        np.zeros_like(cell),
        np.array(["label"]),
        None,
        np.zeros((1, 1), np.float32),
        np.array([0]),
    )


def opened(sham: float = 0.0, axes: tuple[Axis, ...] | None = None, **given: Any) -> OpenedCell:
    crops, asker = one_cell(), BrightnessAsker()
    axes = axes or (brightness(), plain("offset", "acquisition"))
    ranges = tuple(
        axis_range(axis, 8.0, (4.0, 16.0) if axis.to_level is not None else None) for axis in axes
    )
    return OpenedCell(
        0,
        "1",
        0,
        (0, 0, SIDE, SIDE),
        asker,
        crops,
        ranges,
        asker(crops.pixels)[0],
        sham,
        **given,  # type: ignore[arg-type]
    )


def changes(*found: Any) -> Any:
    return SimpleNamespace(
        changes=found,
        sentence=lambda classes, rank=0: f"predicted as {classes[0]}: nothing flips it",
    )
