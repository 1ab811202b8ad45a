"""A model that is at chance, or better with other names, is told of; a good one is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from napari_channelmix import Cells
from napari_channelmix.classify import ForeignClassifier
from napari_channelmix.classify.plausibility import class_order_line, plausibility_job
from napari_channelmix.errors import ModelError
from napari_channelmix.jobs import drain

CHANNELS = ("DNA", "GFP", "actin")


def cells(count: int = 200, channels: int = 3, seed: int = 0) -> Cells:
    """Class 'up' is brighter in the second channel: 100 against 60, noise 10 between cells."""
    draws = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    level = draws.normal(60, 10, (count, channels))
    level[:, 1] += 40 * labels
    level[:, 0] += 400
    crops = level[:, :, None, None] + draws.normal(0, 1, (count, channels, 8, 8))
    names = CHANNELS[:channels] if channels <= 3 else tuple(f"c{i}" for i in range(channels))
    return Cells.from_array(crops.astype(np.float32), names, labels, ("down", "up"))


def model(
    channel: int = 1,
    classes: tuple[str, ...] = ("down", "up"),
    channels: Any = CHANNELS,
    sign: float = 1,
    threshold: float = 80,
) -> ForeignClassifier:
    def predict(x: Any) -> Any:
        v = sign * (x[:, channel].mean(axis=(1, 2)) - threshold)
        return np.stack([-v, v], axis=1)

    zeros = np.zeros(len(channels))
    return ForeignClassifier(
        predict, tuple(channels), classes, zeros, zeros + 1, "logits", "her model"
    )


def said(one: Any, of: Cells, **more: Any) -> tuple[str, ...]:
    return drain(plausibility_job(one, of, **more))


def test_nothing_is_said_of_a_model_that_does_what_its_names_say() -> None:
    for seed in range(5):
        assert said(model(), cells(seed=seed)) == ()


def test_a_model_at_chance_is_told_of_with_its_interval() -> None:
    (line,) = said(model(channel=2, threshold=60), cells())
    assert line.startswith("the model is not clearly better than chance (0.50): a balanced ")
    assert "on 200 labelled cells (95 % interval 0." in line


def test_wells_that_are_wrong_as_a_whole_count_as_wells_and_not_as_cells() -> None:
    good = cells()
    # Wells of one class each, of which three of eight are called wrongly.
    wells = np.concatenate(
        [np.arange(100).reshape(4, 25) * 2, np.arange(100).reshape(4, 25) * 2 + 1]
    )
    group = np.empty(200, int)
    for at, members in enumerate(wells):
        group[members] = at
    turned = np.where(np.isin(group, (0, 1, 4)), 1 - good.labels, good.labels)
    some = good.with_labels(turned, good.classes)
    grouped = replace(some, table=some.table.assign(group=group.astype(str)))
    # As single cells, 5 of 8 right are more than chance.
    assert not any("chance" in line for line in said(model(), some))
    assert any("not clearly better than chance (0.50)" in line for line in said(model(), grouped))


def test_channels_in_another_order_are_named_with_both_accuracies() -> None:
    # Made for GFP, DNA, actin: it looks at its first channel.
    lines = said(model(channel=0), cells())
    assert any(
        "with the channels in the order GFP, DNA, actin, but 0.50 in the order given "
        "(DNA, GFP, actin): are the channels named rightly?" in line
        for line in lines
    ) or any("in the order GFP, actin, DNA, but 0.50" in line for line in lines)
    assert any("not clearly better than chance" in line for line in lines)


def test_with_more_channels_exchanges_of_two_are_tried() -> None:
    six = tuple(f"c{i}" for i in range(6))
    lines = said(model(channel=4, channels=six, threshold=80), cells(channels=6))
    assert any("in the order c0, c4, c2, c3, c1, c5, but" in line for line in lines)


def test_classes_in_another_order_are_named() -> None:
    lines = said(model(classes=("up", "down")), cells())
    assert lines[0].startswith("the model is worse than chance (0.50): ")
    assert "with its classes in the order down, up, but 0." in lines[1]
    assert lines[1].endswith("in the order given: are the classes named rightly?")


def test_few_labels_none_and_unknown_ones_say_nothing() -> None:
    bad = model(channel=2, threshold=60)
    assert said(bad, cells(count=18)) == ()
    assert said(bad, cells().with_labels(np.full(200, -1), ("down", "up"))) == ()
    assert said(model(channel=2, classes=("x", "y")), cells()) == ()
    one = np.zeros(200, np.int64)
    one[:3] = 1
    assert said(bad, cells().with_labels(one, ("down", "up"))) == ()


def test_names_that_differ_in_case_are_the_same_class() -> None:
    assert said(model(channel=2, threshold=60, classes=("Down", " UP")), cells()) != ()


def test_work_is_bounded_and_the_channels_are_those_of_the_model() -> None:
    asked: list[int] = []

    def counting(x: Any) -> Any:
        asked.append(len(x))
        v = x[:, 0].mean(axis=(1, 2)) - 80
        return np.stack([-v, v], axis=1)

    zeros = np.zeros(2)
    one = ForeignClassifier(
        counting, ("actin", "GFP"), ("down", "up"), zeros, zeros + 1, "logits", "m"
    )
    lines = said(one, cells(count=400), limit=100)
    # All of 100, and the other order on one half and then on the other; before that 32, and half of
    # them again in another order, to see whether its answers repeat.
    assert sum(asked) == 200 + 32 + 16
    assert any("in the order GFP, actin, but" in line for line in lines)


def test_a_channel_that_is_missing_is_an_error_as_elsewhere() -> None:
    with pytest.raises(ModelError, match="missing: ER"):
        said(model(channels=("DNA", "GFP", "ER")), cells())


@pytest.mark.parametrize("seed", range(20))
def test_a_mediocre_model_is_not_accused_of_its_names(seed: int) -> None:
    """Right in about 70 of 100 cells: no order of the names is clearly better."""
    found = said(model(channel=1, threshold=100), cells(count=120, seed=seed))
    assert not any("named rightly" in line for line in found)


def test_an_order_of_classes_is_found_out_of_calls() -> None:
    truth = np.arange(40) % 2
    line = class_order_line(truth, 1 - truth, ("neg", "pos"))
    assert "reaches 1.00 with its classes in the order pos, neg, but 0.00" in line
    assert class_order_line(truth, truth, ("neg", "pos")) == ""
    assert class_order_line(truth[:10], 1 - truth[:10], ("neg", "pos")) == ""
