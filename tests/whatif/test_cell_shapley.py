"""Shapley values of one cell."""

import doctest

import numpy as np
import pytest

from napari_channelmix.errors import DataError, ModelError
from napari_channelmix.jobs import drain
from napari_channelmix.whatif import cell_shapley
from napari_channelmix.whatif.asking import Asker
from napari_channelmix.whatif.cell_shapley import channels_of_cell, shapley_of_cell_job

from .channel_cases import by_first, cells_of, model_of


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


def test_a_cell_gets_its_class_its_donors_and_whether_it_was_trained_on():
    result = channels_of_cell(model_of(by_first), cells_of(), 3)
    assert (result.class_name, result.probability) == ("high", 1.0)
    assert result.value[1:] == (0.0, 0.0)
    assert result.low[0] < result.value[0] == 0.5 < result.high[0]
    assert result.n_donors == 32
    assert "not known" in result.line


def test_cells_and_models_that_will_not_do_are_refused():
    with pytest.raises(DataError, match="no cell 48"):
        channels_of_cell(model_of(by_first), cells_of(), 48)
    with pytest.raises(DataError, match="one cell"):
        channels_of_cell(model_of(by_first), cells_of().subset(np.array([0])), 0)
    with pytest.raises(ModelError, match="one channel"):
        channels_of_cell(model_of(by_first, 1), cells_of(1), 0)
