"""Amounts in words."""

import doctest

import pytest

from napari_channelmix.whatif import amount_words as module
from napari_channelmix.whatif.amount_words import condition
from napari_channelmix.whatif.axes import named
from napari_channelmix.whatif.axis_table import axes_of


def test_examples_are_true():
    result = doctest.testmod(module)
    assert result.attempted and not result.failed


@pytest.mark.parametrize(
    ("name", "amount", "words"),
    [
        ("DNA brightness", -1, "its DNA brightness were 0.5 times as bright (-1 doublings)"),
        ("DNA brightness", 0.03, "its DNA brightness were 1.02 times as bright (0.03 doublings)"),
        ("DNA level", -120, "its DNA level were lowered by 120 raw units"),
        ("size", 0.5, "its size were 1.4 times as large (0.5 doublings of the diameter)"),
        ("neighbours away", 1, "its neighbours were taken away"),
        ("neighbours away", 0.5, "its neighbours were taken away by 50 %"),
        ("blur", 1.5, "its blur were 1.5 px"),
        ("DNA rim", 0.85, "its DNA lay more at the rim (strength 0.85 of 1)"),
        ("DNA rim", -0.5, "its DNA lay more inside (strength 0.5 of 1)"),
        (
            "DNA nucleus against cytoplasm",
            1,
            "its ratio of DNA in the nucleus to that in the cytoplasm were 2 times as high "
            "(1 doublings of the ratio)",
        ),
    ],
)
def test_every_kind_of_axis_has_words(name, amount, words):
    assert condition(named(axes_of(["DNA"]), name), amount) == words
