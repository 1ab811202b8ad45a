"""Batches of mixed crops: what a model is given does not grow with the number of channels."""

import numpy as np

from napari_channelmix.whatif.asking import Asker
from napari_channelmix.whatif.blended_calls import (
    AskedBlends,
    blend_batch,
    blended_probabilities,
    exchanged_probabilities,
)

from .channel_cases import model_of

PLAYERS = ((0,), (1, 2))


def asker_of(channels=3):
    """A classifier of the first channel against the third."""
    model = model_of(lambda means: means[:, 0] > means[:, -1], channels)
    return Asker(model, model.prior_of())


def test_batches_are_smaller_where_crops_have_more_channels():
    asker = asker_of()
    few, many = (np.zeros((1, channels, 128, 128), np.float32) for channels in (3, 200))
    assert blend_batch(asker, few) == 227 and blend_batch(asker, many) == 3
    pairs = AskedBlends(asker, many, np.zeros(9, int), np.zeros(9, int), PLAYERS)
    assert pairs.at_once(walking=True) == 1 and pairs.at_once(walking=False) == 3


def test_a_group_is_exchanged_as_one():
    pixels = np.zeros((1, 3, 4, 4), np.float32)
    donors = np.zeros((1, 3, 4, 4), np.float32)
    pixels[:, 0], donors[:, 2] = 2.0, 5.0
    asker = asker_of()
    blended = blended_probabilities(asker, pixels, donors, PLAYERS)
    assert blended(np.array([True, True])).argmax() == 1
    assert blended(np.array([True, False])).argmax() == 0
    calls = [some.argmax() for some in exchanged_probabilities(asker, pixels, donors, PLAYERS)]
    # Without its first channel, and with the donor's second and third: 'low' both times.
    assert calls == [0, 0]
    assert asker.asked == 4
    assert pixels[0, 2].max() == 0


def test_walks_of_a_model_of_pixels_are_its_answers_to_mixtures():
    rng = np.random.default_rng(0)
    pixels = rng.normal(size=(6, 3, 4, 4)).astype(np.float32)
    cells, donors = np.array([0, 1, 2]), np.array([3, 4, 5])
    pairs = AskedBlends(asker_of(), pixels, cells, donors, PLAYERS)
    ((forwards, backwards),) = pairs.walked(slice(0, 3), np.array([[0, 1], [1, 0], [0, 1]]))
    for row, first in enumerate([0, 1, 0]):
        present = np.arange(2) == first
        own, donated = pixels[cells[row]][None], pixels[donors[row]][None]
        blended = blended_probabilities(asker_of(), own, donated, PLAYERS)
        np.testing.assert_allclose(forwards[row], blended(present)[0])
        np.testing.assert_allclose(backwards[row], blended(~present)[0])
