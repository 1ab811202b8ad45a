from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from napari_channelmix.viewer.pages.whatif.opened_cell import (
    axis_range,
    in_order,
    smallest_text,
    verdict,
)

from ...whatif_cases import CLASSES, brightness, changes, opened, plain


def test_the_real_range_is_what_brings_this_cell_to_the_ends_of_the_data() -> None:
    bounds = axis_range(brightness(), 8.0, (4.0, 16.0))
    assert bounds.real == (-1.0, 1.0)
    # 35 % of the two doublings beyond each end.
    assert (bounds.low, bounds.high) == pytest.approx((-1.7, 1.7))
    assert bounds.outside(1.2) and not bounds.outside(0.9)


def test_a_cell_that_lies_outside_itself_is_not_said_to_be_no_cell() -> None:
    bounds = axis_range(brightness(), 32.0, (4.0, 16.0))
    assert bounds.real == (-3.0, -1.0)
    assert not bounds.outside(0.0) and bounds.outside(-0.5)
    assert bounds.low <= 0.0 <= bounds.high


@pytest.mark.parametrize(("own", "span"), [(np.nan, (4.0, 16.0)), (8.0, None), (8.0, (4.0, 4.0))])
def test_without_a_feature_the_whole_axis_is_offered(
    own: float, span: tuple[float, float] | None
) -> None:
    bounds = axis_range(brightness(), own, span)
    assert (bounds.low, bounds.high, bounds.real) == (-4, 4, None)
    assert not bounds.outside(4.0)


def test_no_amount_is_beyond_what_is_possible() -> None:
    bounds = axis_range(brightness(), 8.0, (0.1, 4096.0))
    assert bounds.real == (-4.0, 4.0)
    assert (bounds.low, bounds.high) == (-4, 4)


def test_edits_are_applied_in_one_order_whatever_was_moved_first() -> None:
    axes = (
        plain("offset", "acquisition"),
        plain("away", "surroundings"),
        plain("size", "shape"),
        brightness(),
    )
    moves = {"offset": 1.0, "size": 1.0, "DNA brightness": 1.0, "away": 0.0}
    assert [axis.name for axis in in_order(axes, moves)] == ["DNA brightness", "size", "offset"]
    cell = opened(axes=axes)
    # 8 doubled, then two times one more: not 8 and one more, doubled.
    assert (cell.edited(moves).pixels == 18).all()


def test_without_moves_the_pixels_are_the_very_same() -> None:
    cell = opened()
    assert cell.edited({}).pixels is cell.crops.pixels


def test_the_verdict_names_the_class_and_says_where_it_must_not_be_read() -> None:
    cell = opened()
    asker = cell.asker

    def said(moves: dict[str, float], sham: float = 0.0) -> str:
        of = opened(sham)
        return verdict(of, asker(of.edited(moves).pixels)[0], moves)

    assert said({}) == "Predicted as dim. Move a slider to change the cell."
    assert said({"DNA brightness": 0.8}) == "Would be predicted as bright instead of dim."
    assert said({"DNA brightness": 0.1}) == "Still predicted as dim."
    assert said({"DNA brightness": 1e-5}) == "Still dim: nothing changes."
    assert said({"DNA brightness": 1.5}).endswith("; no such cell in the data.")
    assert "no more change than by turning" in said({"DNA brightness": 0.1}, sham=0.2)
    assert "turning or shifting the cell changes it as much" in said(
        {"DNA brightness": 0.8}, sham=0.95
    )


def test_changes_that_flip_are_told_in_sentences_the_smallest_first() -> None:
    def change(to_class: int, words: str, plausible: float = 0.5) -> SimpleNamespace:
        return SimpleNamespace(to_class=to_class, words=words, plausible=plausible, real_cells=40)

    lines = smallest_text(
        changes(change(1, "its DNA were a"), change(1, "its size were b", 0.0)), CLASSES
    )
    assert lines == (
        "Would be predicted as bright if its DNA were a.",
        "Or if its size were b; none of 40 such cells lies as far out.",
    )
    assert smallest_text(changes(), CLASSES) == ("Predicted as dim: nothing flips it.",)
