"""Amounts of axes in words and figures. It knows no Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_channelmix.whatif.axes import Axis

__all__ = ["amount_text", "number", "small_text"]

OFF, ON = "as it is", "on"


def number(value: float) -> str:
    """A figure as short as it may be: ``0.68``, ``12.5``, ``4,080``.

    Examples
    --------
    >>> number(0.678), number(-12.51), number(4080.4), number(0.0)
    ('0.68', '-12.5', '4,080', '0')
    """
    if abs(value) >= 100:
        return f"{value:,.0f}"
    text = f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
    return text.rstrip("0").rstrip(".") if float(text) else "0"


def amount_text(axis: Axis, amount: float) -> str:
    """An amount as it is read: doublings as a factor."""
    if axis.unit.startswith("on"):
        return OFF if amount == axis.neutral else ON
    if axis.unit.startswith("doublings"):
        return f"× {2.0**amount:.2f}"
    return number(amount)


def small_text(axis: Axis, amount: float) -> str:
    """What stands below: the amount in the unit of the axis, where that is another one."""
    if axis.unit.startswith("on"):
        return ""
    if axis.unit.startswith("doublings"):
        return f"{amount:+.2f} doublings" if amount else "0 doublings"
    return axis.unit
