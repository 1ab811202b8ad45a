"""Doses as numbers of one unit: ``10nM`` and ``0.5 uM`` are 0.01 and 0.5 µM."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

__all__ = ["doses_in_one_unit"]

# Powers of ten of the letters before M (molar) and g (gram).
_POWERS = {"f": -15, "p": -12, "n": -9, "u": -6, "µ": -6, "μ": -6, "m": -3, "": 0}
_DOSE = re.compile(r"(\d+)(?:[.,p](\d+))?[ _]*([fpnuµμm]?)(M|g)")


def doses_in_one_unit(texts: Sequence[str]) -> tuple[list[str], str] | None:
    """Doses as plain numbers, and their unit.

    Parameters
    ----------
    texts : sequence of str
        Numbers with a unit of molarity or of mass; a comma or a ``p`` may be the decimal sign.

    Returns
    -------
    tuple of (list of str, str) or None
        In the unit that all have, else in µM or µg; None where a text is no such number.

    Examples
    --------
    >>> doses_in_one_unit(["10nM", "0.5 uM", "0p25uM"])
    (['0.01', '0.5', '0.25'], 'µM')
    >>> doses_in_one_unit(["10 nM", "5nM"])
    (['10', '5'], 'nM')
    >>> doses_in_one_unit(["10nM", "5mg"]) is None
    True
    """
    matches = [_DOSE.fullmatch(text.strip()) for text in texts]
    known = [match for match in matches if match is not None]
    kinds = {match[4] for match in known}
    if len(known) < len(texts) or len(kinds) != 1:
        return None
    powers = [_POWERS[match[3]] for match in known]
    target = powers[0] if len(set(powers)) == 1 else -6
    letter = next(
        name for name, power in _POWERS.items() if power == target and name not in ("u", "μ")
    )
    numbers = [
        Decimal(f"{match[1]}.{match[2] or 0}").scaleb(power - target)
        for match, power in zip(known, powers, strict=True)
    ]
    return [_plain(number) for number in numbers], f"{letter}{next(iter(kinds))}"


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
