"""Changes of layers are taken one by one; the window lives between two of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from napari_channelmix.viewer.layers.layer_steps import LayerSteps

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


def test_steps_are_taken_in_their_order_and_none_within_the_call(qtbot: QtBot) -> None:
    done: list[str] = []
    steps = LayerSteps(lambda: done.append("ended"))
    for name in ("ring", "map", "stack"):
        steps.then(partial(done.append, name))
    assert done == [] and steps.busy
    qtbot.waitUntil(lambda: not steps.busy)
    assert done == ["ring", "map", "stack", "ended"]


def test_a_step_out_of_another_one_comes_after_it(qtbot: QtBot) -> None:
    done: list[str] = []

    def first() -> None:
        steps.then(lambda: done.append("second"))
        done.append("first")

    steps = LayerSteps(lambda: done.append("ended"))
    steps.then(first)
    qtbot.waitUntil(lambda: "ended" in done)
    assert done == ["first", "second", "ended"]


def test_what_waits_can_be_done_at_once_or_not_at_all(qtbot: QtBot) -> None:
    done: list[int] = []
    steps = LayerSteps(lambda: done.append(0))
    steps.then(lambda: done.append(1))
    steps.then(lambda: done.append(2))
    steps.finish()
    assert done == [1, 2, 0] and not steps.busy
    steps.then(lambda: done.append(3))
    steps.drop()
    qtbot.wait(30)
    assert done == [1, 2, 0]


def test_an_error_in_a_step_does_not_keep_the_others_from_their_turn(qtbot: QtBot) -> None:
    done: list[int] = []

    def fails() -> None:
        raise ValueError("no layer")

    steps = LayerSteps(lambda: None)
    steps.then(fails)
    steps.then(lambda: done.append(1))
    with qtbot.captureExceptions() as errors:
        qtbot.waitUntil(lambda: done == [1])
    assert [str(error[1]) for error in errors] == ["no layer"]


@pytest.mark.parametrize("count", [1, 3])
def test_without_turns_each_is_taken_at_once(count: int) -> None:
    done: list[int] = []
    steps = LayerSteps(lambda: None, in_turns=False)
    for number in range(count):
        steps.then(partial(done.append, number))
    assert done == list(range(count)) and not steps.busy
