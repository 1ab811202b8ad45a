"""How far decoded pictures resemble cells: figures worked out by hand, intervals over groups."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from napari_channelmix.drl.reconstruction import Reconstruction, reconstruction_job
from napari_channelmix.jobs import drain


class Decoder:
    """Draws the pictures that it was given, by number."""

    def __init__(self, drawn: Any) -> None:
        self.drawn = np.asarray(drawn, np.float32)

    def decode(self, latents: Any) -> Any:
        return self.drawn[np.asarray(latents)[:, 0].astype(int)]


def measured(seen: Any, drawn: Any, groups: Any = None) -> Reconstruction | None:
    """Of pictures (N, C, H, W) as bytes and drawn ones."""
    pictures = np.asarray(seen, np.uint8)
    values = np.arange(len(pictures), dtype=np.float32)[:, None]
    of: Any = Decoder(drawn)
    known = np.arange(len(pictures)) if groups is None else np.asarray(groups)
    return drain(reconstruction_job(of, pictures, values, known))


def cells(count: int = 6, side: int = 8, seed: int = 0) -> Any:
    """Pictures with a square cell in a black frame, each of its own texture."""
    pictures = np.zeros((count, 1, side, side), np.uint8)
    rng = np.random.default_rng(seed)
    pictures[:, :, 2:6, 2:6] = rng.integers(50, 200, (count, 1, 4, 4))
    return pictures


def test_the_same_picture_explains_all_and_an_even_grey_nothing() -> None:
    seen = cells()
    same = measured(seen, seen / 255)
    assert same is not None and same.explained == pytest.approx(1)
    assert same.resembles and same.ahead > 0.5
    grey = seen[:, :, 2:6, 2:6].mean(axis=(1, 2, 3)) / 255
    even = measured(seen, np.ones_like(seen) * grey[:, None, None, None])
    assert even is not None and even.explained == pytest.approx(0, abs=1e-6)
    assert not even.resembles


def test_the_figures_are_those_worked_out_by_hand() -> None:
    # Two pixels inside: 51 and 153 of 255, which is .2 and .6; their mean is .4.
    seen = np.zeros((2, 1, 1, 4), np.uint8)
    seen[:, 0, 0, 1:3] = 51, 153
    # Differences of .1 at both pixels; what is drawn outside the outline is of no account.
    drawn = np.array([[0.9, 0.3, 0.5, 0.9], [0.9, 0.2, 0.6, 0.9]]).reshape(2, 1, 1, 4)
    found = measured(seen, drawn)
    assert found is not None
    # First cell: 1 - .02 / .08; second 1. Each is the other one of the other.
    assert found.explained == pytest.approx(1 - 0.02 / 0.16)
    assert found.others == pytest.approx(1 - 0.02 / 0.16)
    assert found.ahead == pytest.approx(0, abs=1e-6)
    assert not found.resembles
    # By groups of one: residuals +-.0625, variance 2 * 2 * .0625^2.
    reach = stats.t.ppf(0.975, 1) * 0.125
    assert found.low == pytest.approx(0.875 - reach, rel=1e-4)
    assert found.high == 1


def test_groups_not_cells_make_the_interval() -> None:
    seen = cells(12)
    noise = np.random.default_rng(1).normal(0, 0.05, seen.shape)
    noise[:6] *= 3
    drawn = seen / 255 + noise
    many = measured(seen, drawn)
    wells = measured(seen, drawn, np.repeat(["a", "b", "c", "d"], 3))
    two = measured(seen, drawn, np.repeat(["a", "b"], 6))
    alone = measured(seen, drawn, ["a"] * 12)
    assert many and wells and two and alone
    assert many.explained == wells.explained == two.explained == alone.explained
    widths = [one.high - one.low for one in (many, wells, two)]
    assert widths[0] < widths[2]
    assert "95 % interval" in wells.text and "n = 12 cells of 4 groups" in wells.text
    assert "n = 12 cells, no groups" in many.text
    # One group says nothing of others: no interval.
    assert alone.low is None and "interval" not in alone.text


def test_a_picture_that_fits_any_cell_as_well_does_not_resemble_them() -> None:
    # All cells alike but for noise: half of the variance is common.
    common = np.random.default_rng(2).integers(50, 200, (1, 1, 4, 4))
    seen = np.zeros((6, 1, 8, 8), np.uint8)
    seen[:, :, 2:6, 2:6] = common + np.random.default_rng(3).integers(-5, 5, (6, 1, 4, 4))
    blob = np.repeat(seen[:1], 6, axis=0) / 255
    found = measured(seen, blob)
    assert found is not None and found.explained > 0.9
    assert found.ahead == pytest.approx(0, abs=1e-9) and not found.resembles


def test_the_words_carry_figures_and_say_what_must_not_be_read() -> None:
    good = Reconstruction(0.61, 0.55, 0.67, 0.1, 0.51, 0.4, 200, 12)
    assert good.text == (
        "The reconstruction explains 61 % (95 % interval 55 to 67, n = 200 cells of 12 groups) of "
        "the variance inside the cells; that of another cell 10 %."
    )
    bad = replace(good, explained=0.41)
    assert not bad.resembles and "does not resemble these cells" in bad.text
    assert "uniform grey is closer" in replace(good, explained=-2.0).text
    assert replace(good, n_groups=4).text.endswith("4 groups say little about other groups.")


def test_a_drawing_of_too_few_groups_is_not_said_to_differ_from_its_cells() -> None:
    wide = Reconstruction(0.86, 0.55, 1.0, -4.75, 5.61, -2.0, 140, 3)
    assert "is not shown by these groups" in wide.drawing_text("cells")
    sure = replace(wide, ahead_low=1.0, n_groups=20).drawing_text("cells")
    assert sure.endswith("that of another cell -475 %.")
    assert replace(wide, explained=0.3).drawing_text("cells").endswith("do not read it.")
    assert replace(wide, ahead=-0.1).drawing_text("cells").endswith("do not read it.")


def test_a_single_cell_and_empty_pictures_have_no_figure() -> None:
    assert measured(cells(1), cells(1) / 255) is None
    assert measured(np.zeros((3, 1, 4, 4)), np.zeros((3, 1, 4, 4))) is None


def test_at_most_five_hundred_cells_are_decoded_spread_over_all() -> None:
    seen = np.tile(cells(2), (300, 1, 1, 1))
    found = measured(seen, seen / 255)
    assert found is not None and found.n_cells == 500 and found.explained == pytest.approx(1)
