"""Changes of classes in words, for the buttons that take them back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from napari_channelmix.viewer.session.edits import Edit

__all__ = ["edit_in_words"]

LONGEST = 20


def edit_in_words(edit: Edit) -> str:
    """What a change did: ``5 cells to treated``, ``class debris added``."""
    before, after = edit.classes
    palette = _palette(before, after)
    if not len(edit.cell_indices):
        return palette
    count = f"{len(edit.cell_indices):,} cell{'s' if len(edit.cell_indices) > 1 else ''}"
    if palette.startswith("class"):
        return f"{palette}, {count}"
    codes = np.unique(edit.codes[1])
    if len(codes) > 1:
        return f"{count} to {len(codes)} classes"
    return f"{count} to {_short(after[int(codes[0])]) if codes[0] >= 0 else 'no class'}"


def _palette(before: tuple[str, ...], after: tuple[str, ...]) -> str:
    if before == after:
        return ""
    new = [name for name in after if name not in before]
    gone = [name for name in before if name not in after]
    if len(new) == len(gone) == 1:
        return f"class {_short(gone[0])} to {_short(new[0])}"
    if len(new) == 1 and not gone:
        return f"class {_short(new[0])} added"
    if len(gone) == 1 and not new:
        return f"class {_short(gone[0])} removed"
    return "" if new and not gone else "other classes"


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1].rstrip()}…"
