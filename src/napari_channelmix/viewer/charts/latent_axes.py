"""The axes a person can move: where the cells lie, how far to trust an axis, what to call it.

An axis is a latent, or the angle of the two latents of a cyclic factor. This module knows no Qt.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_channelmix.drl import Latents
    from napari_channelmix.drl.sprites import Factor
    from napari_channelmix.drl.trust import Trust

__all__ = ["BADGES", "Axis", "axes_of", "figure", "inactive_of", "moved", "signed", "title_of"]

FloatArray = npt.NDArray[np.float64]

#: The badges of `drl.trust`, best first, and what each means.
BADGES = {
    "verified": "the name holds on these cells",
    "plausible": "the name may hold: a weak correlation, or reconstructions that do not resemble "
    "the cells",
    "not verified": "not shown that the name holds on these cells",
}
TURN = 2 * np.pi


@dataclass(frozen=True, eq=False)
class Axis:
    """One axis.

    Attributes
    ----------
    name : str
        Of its factor.
    columns : tuple of int
        Its latents: one, or cosine and sine.
    values : (N,) array
        Where the cells lie; an angle in radians for a cyclic axis.
    low, high : float
        From where to where it is worth moving.
    badge : str
        How far its name can be trusted, see `BADGES`; the weaker one of two latents.
    tip : str
        The reason in words, and what its ends were on sprites.
    """

    name: str
    columns: tuple[int, ...]
    values: FloatArray = field(repr=False)
    low: float
    high: float
    badge: str
    tip: str

    @property
    def title(self) -> str:
        """What to call it."""
        return title_of(self.name)

    @property
    def cyclic(self) -> bool:
        """Whether its end is its beginning."""
        return len(self.columns) == 2

    def reaching(self, value: float) -> Axis:
        """The same axis, long enough for a value."""
        from dataclasses import replace

        if self.cyclic or self.low <= value <= self.high:
            return self
        return replace(self, low=min(self.low, value), high=max(self.high, value))


def title_of(name: str) -> str:
    """What to call an axis."""
    # Imported here: it loads torch, and a page opens without it.
    from napari_channelmix.drl.latent_code import title_of as called

    return called(name)


def figure(axis: Axis, value: float) -> str:
    """A value as one would write it."""
    if axis.cyclic:
        return f"{np.degrees(value) % 360:.0f}°"
    return signed(value, 2)


def signed(value: float, decimals: int, plus: bool = True) -> str:
    """A number with a real minus, which is as wide as a plus."""
    # Nothing is minus nothing.
    rounded = round(value, decimals) + 0.0
    text = f"{rounded:{'+' if plus else ''}.{decimals}f}"
    return text.replace("-", "\N{MINUS SIGN}")


def axes_of(latents: Latents) -> tuple[Axis, ...]:
    """The axes worth moving, in the order of the factors."""
    of, spans = latents.disentangler, latents.ranges()
    axes = []
    for name in latents.axes():
        columns = tuple(of.columns(name))
        cyclic = len(columns) == 2
        low, high = (0.0, TURN) if cyclic else (float(v) for v in spans[columns[0]])
        active = [latents.trust[column] for column in columns if latents.active[column]]
        weakest = min(active, key=lambda trust: trust.value)
        tip = _tip(name, active, weakest, of.code.of.factor(name))
        axes.append(Axis(name, columns, latents.of_axis(name), low, high, weakest.badge, tip))
    return tuple(axes)


def inactive_of(latents: Latents) -> tuple[str, ...]:
    """Titles of the axes along which there is nothing to see."""
    moving = latents.axes()
    return tuple(title_of(name) for name in latents.disentangler.axes() if name not in moving)


def moved(
    latents: Latents, cell: int, axes: Sequence[Axis], moves: Mapping[str, float]
) -> npt.NDArray[np.float32]:
    """Latents (Z,) of a cell after some axes were moved to other values."""
    z: npt.NDArray[np.float32] = latents.values[cell].copy()
    for axis in axes:
        if axis.name not in moves:
            continue
        value = moves[axis.name]
        if axis.cyclic:
            # The circle on which the cell lies, or one that is large enough to be seen.
            start = latents.disentangler.steps(latents.values[cell], axis.name, 2)[0]
            radius = float(np.hypot(*start[list(axis.columns)]))
            z[list(axis.columns)] = radius * np.cos(value), radius * np.sin(value)
        else:
            z[axis.columns[0]] = value
    return z


def _tip(name: str, trusts: Sequence[Trust], weakest: Trust, factor: Factor) -> str:
    called = title_of(name) if title_of(name) == name else f"{title_of(name)} ({name})"
    lines = [f"{called}, {weakest.badge}: {BADGES.get(weakest.badge, '')}."]
    for trust in trusts:
        lines.append(
            f"{trust.name}: {trust.words}; S on sprites {trust.source:.2f}"
            + (f", now {trust.now:.2f}" if trust.now != trust.source else "")
            + f"; divergence {trust.kl:.1f} nats."
        )
    if isinstance(factor.values[0], str):
        lines.append(f"On sprites, from low to high: {', '.join(map(str, factor.values))}.")
    if name in ("Texture", "Granularity"):
        lines.append("Drawn with a typical texture of its kind, not with that of this cell.")
    return "\n".join(lines)
