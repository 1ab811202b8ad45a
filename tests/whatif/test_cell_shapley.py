"""Shapley values of one cell."""

import doctest

import pytest

from napari_channelmix.jobs import drain
from napari_channelmix.whatif import cell_shapley
from napari_channelmix.whatif.asking import Asker
from napari_channelmix.whatif.cell_shapley import shapley_of_cell_job

from .channel_cases import cells_of, model_of


def test_examples_are_true():
    result = doctest.testmod(cell_shapley)
    assert result.attempted and not result.failed


def test_values_of_one_cell_sum_to_its_probability_less_that_of_the_donors():
    model = model_of(lambda means: means[:, 0] + means[:, 1] > 2)
    pixels = cells_of().read()
    asker = Asker(model, model.prior_of())
    values = drain(shapley_of_cell_job(asker, pixels[1], pixels[:20]))
    called = int(asker(pixels[1:2]).argmax())
    assert values.mean[0].sum() == pytest.approx(1 - asker(pixels[:20])[:, called].mean())
    assert values.mean[0].argmax() == 0
