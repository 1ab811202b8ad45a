"""Pictures of stained samples, unmixed into an image per stain."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.color import rgb2hed, rgb_from_hed

from napari_channelmix.data.stains import MOST_PIXELS, STAINS, unmix_job
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import drain


def stained(amounts: np.ndarray) -> np.ndarray:
    """Colours (Y, X, 3) of so much haematoxylin and eosin (Y, X, 2): light is absorbed."""
    return np.exp(amounts @ rgb_from_hed[:2] * -np.log(1e6) / 10)


def test_each_stain_goes_into_its_own_channel() -> None:
    amounts = np.zeros((5, 7, 2))
    amounts[1:3, :, 0], amounts[:, 4:6, 1] = 0.8, 0.5
    unmixed = drain(unmix_job(stained(amounts), STAINS["H&E"]))
    assert unmixed.shape == (2, 5, 7) and unmixed.dtype == np.float32
    # The unit of a stain is its share of the densest picture; only proportions count.
    for place in range(2):
        scale = unmixed[place].max() / amounts[..., place].max()
        np.testing.assert_allclose(unmixed[place], amounts[..., place] * scale, atol=1e-5)


def test_three_stains_are_those_of_scikit_image() -> None:
    picture = np.random.default_rng(0).integers(1, 255, (6, 9, 3), np.uint8)
    unmixed = drain(unmix_job(picture, STAINS["H&E with DAB"]))
    np.testing.assert_allclose(np.moveaxis(unmixed, 0, -1), rgb2hed(picture), rtol=1e-5)


def test_every_protocol_in_the_menu_works_and_transparency_is_left_out() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (2, 4, 6, 4), np.uint8)
    for stains in STAINS.values():
        unmixed = drain(unmix_job(picture, stains))
        assert unmixed.shape == (len(stains.names), 2, 4, 6) and np.isfinite(unmixed).all()


def test_what_has_no_stains_is_refused_in_one_line() -> None:
    with pytest.raises(DataError, match=r"between 0 .black. and 1"):
        drain(unmix_job(np.full((4, 4, 3), 200.0), STAINS["H-DAB"], "layer 'x'"))
    large = np.broadcast_to(np.zeros((1, 1, 3), np.uint8), (MOST_PIXELS // 1000 + 1, 1000, 3))
    with pytest.raises(DataError, match="too many to be unmixed"):
        drain(unmix_job(large, STAINS["H-DAB"]))
