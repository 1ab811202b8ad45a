"""A network of features: a vector for each picture, the same one whenever and beside whatever."""

import pickle

import numpy as np
import pytest
import torch
from torch import nn

from napari_channelmix.drl.feature_network import (
    TOGETHER,
    FeatureNetwork,
    checked,
    light,
    refuse_another_network,
)
from napari_channelmix.drl.sprites import CELLS, TEXTURED
from napari_channelmix.errors import DataError, ModelError

from .feature_cases import patches


def test_features_are_what_the_network_gives(pictures):
    features = FeatureNetwork("patches", patches).features(pictures)
    assert features.shape == (12, 192) and features.dtype == np.float32
    by_hand = pictures.reshape(12, 3, 8, 8, 8, 8).mean(axis=(3, 5)).reshape(12, -1)
    np.testing.assert_allclose(features, by_hand, atol=1e-6)


def test_the_same_picture_is_computed_once(pictures):
    counted = []

    def counting(batch):
        counted.append(len(batch))
        return patches(batch)

    network = FeatureNetwork("patches", counting)
    first = network.features(pictures)
    np.testing.assert_array_equal(network.features(pictures[::-1]), first[::-1])
    assert counted == [TOGETHER]


def test_features_do_not_depend_on_how_many_pictures_are_taken_together(pictures):
    """Convolutions differ in the last places with the size of a batch: here by far more."""

    def by_size(batch):
        return patches(batch) + len(batch)

    together = FeatureNetwork("by size", by_size).features(pictures)
    alone = FeatureNetwork("by size", by_size).features(pictures[4:5])
    np.testing.assert_array_equal(alone[0], together[4])


def test_bytes_are_the_same_pictures(pictures):
    network = FeatureNetwork("patches", patches)
    as_bytes = np.round(255 * pictures).astype(np.uint8)
    expected = network.features(as_bytes.astype(np.float32) / 255)
    np.testing.assert_allclose(network.features(as_bytes), expected, atol=1e-6)


def test_light_is_worked_out_by_hand():
    """Half of the pixels are .4: mean .2, mean of squares .08, brightness where lit .4."""
    picture = np.zeros((1, 1, 4, 4), np.float32)
    picture[0, 0, :2] = 0.4
    np.testing.assert_allclose(light(picture), np.log([[0.2, 0.4]]), rtol=1e-5)
    assert np.isfinite(light(np.zeros((1, 3, 4, 4), np.float32))).all()


def test_the_encoder_gets_features_and_light(pictures):
    network = FeatureNetwork("patches", patches)
    seen = network.seen(pictures)
    assert seen.shape == (12, 192 + 6)
    np.testing.assert_array_equal(seen[:, 192:], light(pictures))


def test_pictures_are_resized_to_what_the_network_takes(pictures):
    sides = []
    network = FeatureNetwork("sides", lambda x: sides.append(x.shape[-1]) or patches(x), side=32)
    assert network.features(pictures).shape == (12, 48)
    assert set(sides) == {32}


def test_one_grey_channel_is_repeated_and_said_to_be():
    network = FeatureNetwork("patches", patches)
    grey = np.random.default_rng(0).random((2, 1, 64, 64), np.float32)
    features = network.features(grey)
    np.testing.assert_array_equal(features[:, :64], features[:, 64:128])
    assert network.takes(3) == "" and "repeated 3 times" in network.takes(1)


def test_colours_are_never_made_grey():
    network = FeatureNetwork("patches", patches, channels=1)
    with pytest.raises(ModelError, match="takes images of 1 channel, these have 3"):
        checked(network, TEXTURED)
    assert checked(network, CELLS) is network


@pytest.mark.parametrize(
    ("extract", "words"),
    [
        (lambda x: x, "a vector of numbers for each image"),
        (lambda x: patches(x)[:1], "a vector of numbers for each image"),
        (lambda x: (patches(x), 1), "cannot take images of shape"),
        (lambda x: patches(x)[:, :1], "a vector of numbers for each image"),
        (lambda x: patches(x) * torch.nan, "NaN or infinite features"),
        (lambda x: patches(x) * 0 + 1, "the same features for all images"),
        (lambda x: patches(x) + torch.rand(1), "from call to call"),
        (lambda x: patches(x) - patches(x).mean(dim=0), "other images beside it"),
        (nn.Linear(3, 4), "cannot take images of shape"),
        (lambda x: len(x) / 0, "cannot take images of shape .*division by zero"),
    ],
)
def test_what_is_no_network_of_features_is_refused_in_a_line(extract, words):
    with pytest.raises(ModelError, match=words) as raised:
        checked(FeatureNetwork("odd", extract), TEXTURED)
    assert "\n" not in str(raised.value) and "odd" in str(raised.value)


def test_pixels_with_nan_are_refused(pictures):
    pictures = pictures.copy()
    pictures[3, 0, 5, 5] = np.nan
    with pytest.raises(DataError, match="image 3 has NaN"):
        FeatureNetwork("patches", patches).features(pictures)


def test_the_hash_is_that_of_the_network():
    network = FeatureNetwork("patches", patches)
    assert network.key(TEXTURED) == FeatureNetwork("patches", patches).key(TEXTURED)
    other = FeatureNetwork("patches", lambda x: 1.1 * patches(x))
    assert network.key(TEXTURED) != other.key(TEXTURED)


def test_another_network_is_refused():
    network = FeatureNetwork("patches", patches)
    known = network.probe(TEXTURED)
    refuse_another_network(network, TEXTURED, known)
    # Rounding is none.
    refuse_another_network(network, TEXTURED, known + np.float32(1e-5))
    with pytest.raises(ModelError, match="of another network than patches"):
        refuse_another_network(network, TEXTURED, 1.1 * known)
    with pytest.raises(ModelError, match="learnt from 100 features, patches gives 192"):
        refuse_another_network(network, TEXTURED, known[:, :100])


def test_another_process_gets_no_pictures(pictures):
    network = FeatureNetwork("patches", patches)
    network.features(pictures)
    assert len(network._remembered) == 12
    assert not pickle.loads(pickle.dumps(network))._remembered
