"""Crops in colour: channels between their limits, each in its colour, added up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from napari_channelmix.data.display_limits import DisplayLimits

__all__ = ["Look", "composed", "plain_looks", "settled"]

FloatArray = npt.NDArray[np.float32]

LEVELS = 256


@dataclass(frozen=True)
class Look:
    """How a channel is drawn.

    Attributes
    ----------
    table : bytes
        256 colours of red, green and blue, from the darkest to the brightest.
    low, high : float or None
        Grey values that become the first and the last of them; None: those of the data set.
    gamma, opacity : float
    """

    table: bytes
    low: float | None = None
    high: float | None = None
    gamma: float = 1.0
    opacity: float = 1.0

    @classmethod
    def of_color(cls, color: str, low: float | None = None, high: float | None = None) -> Look:
        """From black to a colour ``#RRGGBB``."""
        end = np.array([int(color[start : start + 2], 16) for start in (1, 3, 5)])
        table = np.round(np.linspace(0, 1, LEVELS)[:, None] * end).astype(np.uint8)
        return cls(table.tobytes(), low, high)


def plain_looks(colors: tuple[str, ...], visible: int) -> tuple[Look | None, ...]:
    """Looks of channels that no layer shows; those beyond the first ``visible`` are hidden."""
    return tuple(
        Look.of_color(color) if index < visible else None for index, color in enumerate(colors)
    )


def settled(limits: DisplayLimits, looks: tuple[Look | None, ...]) -> tuple[Look | None, ...]:
    """The same looks with the limits of the data set, where they have none."""
    return tuple(
        replace(look, low=float(low), high=float(high))
        if look is not None and look.low is None
        else look
        for look, low, high in zip(looks, limits.low, limits.high, strict=True)
    )


def composed(crops: FloatArray, looks: tuple[Look | None, ...]) -> npt.NDArray[np.uint8]:
    """Crops (n, C, H, W) as pictures (n, H, W, 3), their channels added up; None hides one."""
    count, _, height, width = crops.shape
    total = np.zeros((count, height, width, 3), np.float32)
    for channel, look in enumerate(looks):
        if look is None:
            continue
        pixels = crops[:, channel]
        low, high = look.low or 0.0, 1.0 if look.high is None else look.high
        levels = np.clip((pixels - low) / max(high - low, 1e-12), 0, 1)
        if look.gamma != 1:
            levels **= look.gamma
        table = np.frombuffer(look.table, np.uint8).reshape(LEVELS, 3).astype(np.float32)
        total += (look.opacity * table)[np.round(levels * (LEVELS - 1)).astype(np.uint8)]
    return np.minimum(total, 255).astype(np.uint8)
