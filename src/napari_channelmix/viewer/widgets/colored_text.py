"""Names beside a mark in a colour, as rich text that wraps between the names."""

from __future__ import annotations

import html
from collections.abc import Iterable

__all__ = ["marked"]

LONGEST = 24


def marked(mark: str, named: Iterable[tuple[str, str]], longest: int = LONGEST) -> str:
    """Colours and names, ``(#RRGGBB, name)``, as ``■ one  ■ two``; long names are cut off."""
    return "&nbsp; ".join(
        f'<nobr><span style="color:{color}">{mark}</span> {_shown(name, longest)}</nobr>'
        for color, name in named
    )


def _shown(name: str, longest: int) -> str:
    return html.escape(name if len(name) <= longest else f"{name[: longest - 1]}…")
