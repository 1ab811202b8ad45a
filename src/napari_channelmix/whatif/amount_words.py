"""Amounts of edits in words: ``its DNA brightness were 1.6 times as high (0.68 doublings)``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_channelmix.whatif.axes import Axis

__all__ = ["amount_text", "condition"]

#: Units of amounts that are doublings begin so.
DOUBLINGS = "doublings"
# By the last word of an axis' name.
ADJECTIVES = {"brightness": "bright", "size": "large", "detail": "strong", "exposure": "bright"}


def amount_text(axis: Axis, amount: float) -> str:
    """An amount with its unit: ``0.68 doublings``.

    Examples
    --------
    >>> from napari_channelmix.whatif.axes import Axis
    >>> amount_text(Axis("blur", "acquisition", "px", lambda crops, _: crops, 0, 4), 1.5)
    '1.5 px'
    """
    return f"{amount:.3g} {axis.unit}".strip()


def condition(axis: Axis, amount: float) -> str:
    """What would be different: ``its DNA brightness were 1.6 times as bright (0.68 doublings)``.

    Examples
    --------
    >>> from napari_channelmix.whatif.axes import Axis
    >>> axis = Axis("DNA brightness", "channel", "doublings", lambda crops, _: crops, -4, 4)
    >>> condition(axis, 0.68)
    'its DNA brightness were 1.6 times as bright (0.68 doublings)'
    """
    words = axis.name.split()
    name = f"its {axis.name}"
    if axis.kind == "rim":
        where = "at the rim" if amount > 0 else "inside"
        return f"its {axis.channel} lay more {where} (strength {abs(amount):.2g} of 1)"
    if axis.kind == "nucleus against cytoplasm":
        name = f"its ratio of {axis.channel} in the nucleus to that in the cytoplasm"
    if axis.unit.startswith(DOUBLINGS):
        adjective = ADJECTIVES.get(words[-1], "high")
        times = 2.0**amount
        # Near 1 two digits would say that nothing changes.
        factor = f"{times:.3g}" if 0.8 < times < 1.25 else f"{times:.2g}"
        return f"{name} were {factor} times as {adjective} ({amount:.2g} {axis.unit})"
    if words[-1] == "away":
        part = "" if amount > 0.995 else f" by {100 * amount:.0f} %"
        return f"its {' '.join(words[:-1])} were taken away{part}"
    if axis.neutral == 0 and axis.low < 0:
        return (
            f"{name} were {'raised' if amount > 0 else 'lowered'} by {abs(amount):.3g} {axis.unit}"
        )
    return f"{name} were {amount_text(axis, amount)}"
