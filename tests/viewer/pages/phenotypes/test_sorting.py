"""Orders and filters, by numbers that can be seen."""

from __future__ import annotations

import numpy as np
import pytest

from napari_channelmix.data import Cells
from napari_channelmix.viewer.pages.phenotypes.cell_facts import Facts
from napari_channelmix.viewer.pages.phenotypes.sorting import (
    ORDERS,
    Choice,
    Filter,
    arranged,
    choices_of,
    reason_not_possible,
)

from ...latent_cases import latents
from ...phenotype_cases import CLASSES, cells, facts, predictions

EVERY = Filter()


def test_the_surest_disagreement_comes_first() -> None:
    known = facts()
    order = arranged(known, Choice("disagreement", descending=True), EVERY)
    assert order[:2].tolist() == [7, 4]
    assert sorted(order.tolist()) == list(range(12))
    assert arranged(known, Choice("disagreement"), EVERY)[-1] == 7


def test_the_least_sure_come_first_by_margin() -> None:
    of = cells(3)
    table = np.array([[0.9, 0.1, 0], [0.4, 0.35, 0.25], [0.6, 0.2, 0.2]], np.float32)
    known = Facts(of, type(predictions(of))(CLASSES, table))
    assert arranged(known, Choice("margin"), EVERY).tolist() == [1, 2, 0]
    assert arranged(known, Choice("probability", "round", True), EVERY).tolist() == [0, 2, 1]
    assert Choice("margin").words == "least certain first"
    assert Choice("probability", "round", True).words == "most probably round first"


def test_cells_without_a_number_are_last_whichever_end_comes_first() -> None:
    of = cells(6).with_labels([0, 1, -1, 2, -1, 0], CLASSES)
    known = Facts(of, predictions(of))
    for key in ("class", "disagreement"):
        for down in (False, True):
            last = arranged(known, Choice(key, descending=down), EVERY)[-2:]
            assert set(last.tolist()) == {2, 4}, key


def test_orders_by_latent_and_distance() -> None:
    found = latents()
    known = Facts(found.cells, None, found)
    values = found.of_axis("Scale")
    order = arranged(known, Choice("latent", "Scale"), EVERY)
    assert (np.diff(values[order]) >= 0).all()
    assert "Scale" in choices_of(next(one for one in ORDERS if one.key == "latent"), known)
    far = arranged(known, Choice("distance", descending=True), EVERY)
    assert known.distance[far[0]] == np.nanmax(known.distance)


def test_a_random_order_is_the_same_for_a_seed() -> None:
    known = facts(50)
    one, again = (arranged(known, Choice("random", seed=3), EVERY) for _ in range(2))
    np.testing.assert_array_equal(one, again)
    assert one.tolist() != arranged(known, Choice("random", seed=4), EVERY).tolist()


def test_what_is_missing_is_said() -> None:
    bare = Facts(Cells.from_array(np.zeros((2, 1, 4, 4), np.float32), ["DNA"]))
    reasons = {order.key: reason_not_possible(order, bare) for order in ORDERS}
    assert "Classify all cells" in reasons["margin"]
    assert "'Latents'" in reasons["distance"]
    assert "no cell has a class" in reasons["class"]
    assert not reasons["data"] and not reasons["random"]
    assert arranged(bare, Choice("margin"), EVERY).tolist() == [0, 1]
    assert reason_not_possible(ORDERS[0], None)


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        (Filter(classes=frozenset({0})), [0, 3, 6, 9]),
        (Filter(classes=frozenset({-1})), []),
        (Filter(predicted=frozenset({2})), [2, 4, 5, 7, 8, 11]),
        (Filter(pair=(1, 2)), [4, 7]),
        (Filter(group=1), [4, 5, 6, 7]),
        (Filter(only=(3, 1, 99)), [1, 3]),
        (Filter(classes=frozenset({1}), group=1, predicted=frozenset({2})), [4, 7]),
    ],
)
def test_filters_together(which: Filter, expected: list[int]) -> None:
    known = facts()
    assert arranged(known, Choice(), which).tolist() == expected
    assert len(arranged(Facts(known.cells), Choice(), Filter(pair=(1, 2)))) == 12


def test_a_hundred_thousand_cells_are_put_in_order_at_once() -> None:
    import time

    count = 100_000
    crops = np.broadcast_to(np.zeros((1, 1, 1, 1), np.float32), (count, 1, 1, 1))
    of = Cells.from_array(crops, ["DNA"], np.arange(count) % 3, CLASSES)
    table = np.random.default_rng(0).dirichlet(np.ones(3), count).astype(np.float32)
    known = Facts(of, type(predictions(cells()))(CLASSES, table))
    known.disagreement  # noqa: B018 - worked out once, as the dock does
    begun = time.perf_counter()
    order = arranged(known, Choice("disagreement", descending=True), EVERY)
    assert time.perf_counter() - begun < 1
    assert (np.diff(known.disagreement[order]) <= 0).all()
