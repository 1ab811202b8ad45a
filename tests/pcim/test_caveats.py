"""Beside a faithful map stands what limits it: a close prediction, a classifier of few cells."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from napari_channelmix.pcim.caveats import call_caveats, caveat_lines, close_calls
from napari_channelmix.pcim.chance import ChanceTest
from napari_channelmix.pcim.map_reliability import Reliability

TWO = ("big", "small")
NO_LIMITS = SimpleNamespace()


@pytest.mark.parametrize(
    ("row", "close"),
    [
        ((0.502, 0.498), True),
        ((0.59, 0.41), True),
        ((0.61, 0.39), False),
        ((0.4, 0.3, 0.3), True),
        ((0.5, 0.25, 0.25), False),
        ((1.0,), False),
    ],
)
def test_a_call_is_close_where_the_next_class_is_less_than_a_fifth_behind(row, close):
    assert close_calls([row], [0]).tolist() == [close]


def test_independent_labels_are_close_to_undecided_around_a_half():
    rows = [(0.55, 0.9), (0.65, 0.9), (0.55, 0.41)]
    assert close_calls(rows, [0, 0, 1], independent=True).tolist() == [True, False, True]
    model = SimpleNamespace(reading=SimpleNamespace(independent=True))
    # The other label is sure; of this one nothing is.
    caveats = call_caveats(model, TWO, rows, [0, 0, 1])
    assert caveats[0] == ("the prediction is close to undecided: big 55.0 %",)
    assert caveats[1] == ()


def test_what_the_numbers_mean_is_taken_from_the_map_where_the_model_does_not_say_it():
    rows = [(0.998, 0.995), (0.55, 0.9)]
    output = "probabilities of independent labels (sigmoid) (declared)"
    assert call_caveats(NO_LIMITS, TWO, rows, [0, 0], output) == (
        (),
        ("the prediction is close to undecided: big 55.0 %",),
    )
    (line,) = caveat_lines(NO_LIMITS, TWO, rows, [0, 0], str, output)
    assert line.startswith(
        "1 of 2 predictions is close to undecided (less than 10 % from a half; cell 1)"
    )
    exclusive = call_caveats(NO_LIMITS, TWO, [(0.55, 0.45)], [0], "probabilities (declared)")
    assert "close to undecided" in exclusive[0][0]


def test_two_labels_that_are_both_true_are_no_close_call():
    import torch

    from napari_channelmix import explain
    from napari_channelmix.pcim.caveats import attribution_caveats

    class Sure(torch.nn.Module):
        def forward(self, x):
            first = x.mean(dim=(1, 2, 3))
            return torch.sigmoid(torch.stack([5 + first, 4.5 - first], dim=1))

    crops = np.random.default_rng(0).random((2, 2, 16, 16)).astype(np.float32)
    result = explain(
        Sure().eval(), crops, output="sigmoid", method="blackbox", forwards=200, device="cpu"
    )
    assert result.probabilities.min() > 0.95
    assert attribution_caveats(result) == ((), ())
    assert not any("close to undecided" in line for line in result.warnings)


def test_a_close_call_is_said_with_both_figures():
    caveats = call_caveats(NO_LIMITS, TWO, [(0.502, 0.498), (0.1, 0.9)], [0, 1])
    assert caveats == (("the prediction is close to undecided: big 50.2 %, small 49.8 %",), ())


def test_of_many_cells_the_close_calls_are_counted_and_named():
    rows = [(0.502, 0.498), (0.1, 0.9), (0.45, 0.55)]
    (line,) = caveat_lines(NO_LIMITS, TWO, rows, [0, 1, 1], lambda row: 100 + row)
    assert line.startswith("2 of 3 predictions are close to undecided (less than 20 % between the")
    assert "; 100, 102): " in line
    assert caveat_lines(NO_LIMITS, TWO, rows[1:2], [1], str) == ()
    # A single cell has its figures.
    assert "big 50.2 %" in caveat_lines(NO_LIMITS, TWO, rows[:1], [0], str)[0]


def made(gain, **more):
    """A map of one cell that gains so much beside random maps of a spread of 0.1."""
    random = np.tile([0.1, -0.1], 6)[:, None]
    curves = np.zeros((1, 1, 2))
    fidelity = SimpleNamespace(inserting=curves, deleting=curves)
    chance = ChanceTest(np.array([gain]), random, np.array([0.9]))
    return Reliability(fidelity, chance, None, np.zeros(1), np.ones(1), **more)


def test_a_faithful_map_is_good_only_without_caveats():
    clear = made(0.5)
    # t = 5 with 12 degrees of freedom: p = .00015.
    assert clear.against_chance.p_value == pytest.approx(1.5e-4, abs=1e-5)
    assert clear.words() == ("Faithful: better than random maps (p < 0.001, n = 24 random maps).",)
    assert clear.verdict() == "good"
    close = replace(clear, caveats=(("the prediction is close to undecided: big 50.2 %",),))
    assert close.words()[0].startswith("Faithful") and "close to undecided" in close.words()[1]
    assert close.verdict() == "warning" and close.readable()


def test_a_map_that_must_not_be_read_stays_an_error_with_its_caveats_behind():
    found = made(0.0, caveats=(("the prediction is close",),))
    assert found.verdict() == "error"
    assert found.words() == (
        "This map is no better than a random one: do not read it.",
        "The prediction is close.",
    )
    doubted = made(
        0.5, doubts=(("its pixels are noise",),), caveats=(("the prediction is close",),)
    )
    assert doubted.verdict() == "error"
    assert not any("Faithful" in line for line in doubted.words())


@pytest.mark.parametrize(("gain", "better"), [(0.17, False), (0.19, True)])
def test_the_p_value_and_the_verdict_are_of_one_test(gain, better):
    # The limit of .05 with 12 degrees of freedom is t = 1.782.
    test = made(gain).against_chance
    assert bool(test.better[0]) == better == bool(test.p_value[0] < 0.05)


def test_an_attribution_knows_the_cells_without_structure(classifier):
    from napari_channelmix import explain

    rng = np.random.default_rng(0)
    y, x = np.mgrid[:16, :16]
    spot = np.exp(-((y - 7) ** 2 + (x - 7) ** 2) / 12).astype(np.float32)
    crops = np.stack([np.stack([spot, spot]), rng.normal(size=(2, 16, 16))]).astype(np.float32)
    found = explain(classifier, crops, device="cpu")
    assert found.noise == (1,)
    assert sum("no structure" in line for line in found.warnings) == 1
