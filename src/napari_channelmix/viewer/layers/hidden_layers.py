"""Layers hidden for a while, as those of other channels, and shown again with what is new in them.

A layer of ours is used again for the next result. Where it was hidden by us, and not by the user,
the next result would stay unseen: whoever writes into a layer calls `reveal`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from weakref import WeakSet

__all__ = ["hidden_for_a_while", "hide", "reveal", "stay_hidden", "to_be_seen"]

# Those that were visible when they were hidden.
_HIDDEN: WeakSet[Any] = WeakSet()


def hide(layer: Any) -> None:
    """Hide a layer for a while; one that is hidden already stays the user's affair."""
    if layer.visible:
        _HIDDEN.add(layer)
        layer.visible = False


def reveal(layer: Any) -> None:
    """Show a layer again that `hide` has hidden; others stay as they are."""
    if layer in _HIDDEN:
        _HIDDEN.discard(layer)
        layer.visible = True


def stay_hidden(layer: Any) -> None:
    """Hide a layer for good: `reveal` will not show it."""
    _HIDDEN.discard(layer)
    layer.visible = False


def to_be_seen(layer: Any) -> bool:
    """Whether a layer is visible, or will be when what `hide` has hidden is shown again."""
    return bool(layer.visible) or layer in _HIDDEN


def hidden_for_a_while(layers: Iterable[Any]) -> bool:
    """Whether any of these layers was hidden by `hide`, and is not shown again yet."""
    return any(layer in _HIDDEN for layer in layers)
