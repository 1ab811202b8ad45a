"""Each viewer has its own, whichever proxy asks, and it ends with the viewer."""

from __future__ import annotations

import gc
from typing import Any

from napari_channelmix.viewer.session.per_viewer import PerViewer


class Window:
    """Equal to every other one, as viewers with the same contents are."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Window)

    __hash__ = None  # type: ignore[assignment]


class Proxy:
    def __init__(self, viewer: Any) -> None:
        self.__wrapped__ = viewer


def test_equal_viewers_do_not_share_and_proxies_do() -> None:
    of = PerViewer(lambda _: [])
    one, other = Window(), Window()
    assert of(one) is of(Proxy(one)) is of(Proxy(one))
    assert of(one) is not of(other)


def test_what_is_kept_ends_with_its_viewer() -> None:
    ended: list[str] = []
    of = PerViewer(lambda _: "kept", ended.append)
    one = Window()
    of(one)
    assert len(of) == 1 and ended == []
    del one
    gc.collect()
    assert len(of) == 0 and ended == ["kept"]
