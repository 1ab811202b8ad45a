"""Size of a pixel: what files write, checked; sizes in different units compared."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["checked_size", "in_micrometres"]

Size = tuple[float, float]

_UNITS = {
    1e-6: ("pm", "picometer", "picometre"),
    1e-4: ("å", "angstrom", "ångström"),
    1e-3: ("nm", "nanometer", "nanometre"),
    1.0: ("µm", "μm", "um", "micron", "microns", "micrometer", "micrometre", "\\u00b5m"),
    1e3: ("mm", "millimeter", "millimetre"),
    1e4: ("cm", "centimeter", "centimetre"),
    1e6: ("m", "meter", "metre"),
    25400.0: ("in", "inch", "inches"),
}
_MICROMETRES = {name: factor for factor, names in _UNITS.items() for name in names}
# Pixels of light microscopes are tenths of micrometres; these bounds leave room for all others.
SMALLEST, LARGEST = 1e-5, 1e6


def in_micrometres(size: Size | None, unit: str | None) -> Size | None:
    """A pixel size (y, x) in micrometres; None where it or its unit is not known."""
    factor = _MICROMETRES.get((unit or "").strip().lower())
    if size is None or factor is None:
        return None
    return size[0] * factor, size[1] * factor


def checked_size(
    y: Any, x: Any, unit: Any, unit_x: Any = None
) -> tuple[Size | None, str | None, str | None]:
    """A pixel size as a file writes it, where it can be one.

    Parameters
    ----------
    y, x : object
        Numbers or texts.
    unit, unit_x : object
        Unit of ``y``, and of ``x`` where it has its own.

    Returns
    -------
    size : tuple of float or None
        (y, x), both in ``unit``.
    unit : str or None
    warning : str or None
        Why the size was left out.
    """
    shown = _quoted(y, x, unit)
    try:
        size = float(y), float(x)
    except (TypeError, ValueError):
        return None, None, f"its pixel size cannot be read and is left out ({shown})"
    if unit is not None and not isinstance(unit, str):
        return None, None, f"its unit of length cannot be read, its pixel size is left out ({unit})"
    # Without a unit nothing can be compared, but the number may still be of use.
    name = unit.strip() if unit else None
    factor = _MICROMETRES.get(name.lower()) if name else 1.0
    if factor is None:
        return None, None, f"its unit of length is not known, its pixel size is left out ({shown})"
    if unit_x and unit_x != unit:
        other = _MICROMETRES.get(str(unit_x).strip().lower())
        if other is None:
            return (
                None,
                None,
                f"its unit of length is not known, its pixel size is left out ({unit_x!r:.40})",
            )
        size = size[0], size[1] * other / factor
    if not all(math.isfinite(side) and SMALLEST <= side * factor <= LARGEST for side in size):
        return None, None, f"its pixel size cannot be true and is left out ({shown})"
    return size, name, None


def _quoted(y: Any, x: Any, unit: Any) -> str:
    sides = str(y) if str(y) == str(x) else f"{y!s:.30} x {x!s:.30}"
    return f"{sides} {unit or ''}".strip()[:80]
