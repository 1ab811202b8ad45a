"""A classifier applied: bad input refused, raw units normalised, channels blended."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from napari_channelmix.data import Cells
from napari_channelmix.errors import DataError, ModelError

if TYPE_CHECKING:
    from napari_channelmix.classify import Classifier


@pytest.mark.parametrize("shape", [(2, 2, 12, 12), (2, 3, 12), (3, 12, 12)])
def test_arrays_of_another_shape_are_refused(trained: Classifier, shape: tuple[int, ...]) -> None:
    with pytest.raises(ModelError, match=r"shape \(N, 3, H, W\) with the channels noise, signal"):
        trained.predict_proba(np.zeros(shape))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_infinity_are_refused(trained: Classifier, cells: Cells, bad: float) -> None:
    crops = cells.read()
    crops[3, 1, 2, 2] = bad
    with pytest.raises(ModelError, match="NaN or infinite"):
        trained.predict_proba(crops)
    with pytest.raises(DataError, match=r"channel 'signal' .* cell 3"):
        trained.predict_proba(Cells.from_array(crops, cells.channels))


def test_raw_units_are_normalised_by_the_training_statistics(
    trained: Classifier, cells: Cells
) -> None:
    x = trained.normalise(cells.read())
    torch.testing.assert_close(x.mean((0, 2, 3)), torch.zeros(3), atol=1e-3, rtol=0)
    other = replace(trained, mean=trained.mean * 2 + 5, std=trained.std * 2, training_data=None)
    np.testing.assert_allclose(
        other.predict_proba(cells.read() * 2 + 5), trained.predict_proba(cells), atol=1e-3
    )


def test_the_blend_is_what_the_network_sees(trained_mix: Classifier, cells: Cells) -> None:
    crops = cells.read()
    assert trained_mix.mixing is not None
    blended = trained_mix.blend(crops)
    alpha = trained_mix.mixing.alpha.detach().numpy()
    x = trained_mix.normalise(crops).numpy()
    np.testing.assert_allclose(blended, np.einsum("kc,nchw->nkhw", alpha, x), atol=1e-4)


def test_a_classifier_without_a_mixing_layer_has_no_blend(
    trained: Classifier, cells: Cells
) -> None:
    assert trained.mixing is None
    with pytest.raises(ModelError, match="no mixing layer"):
        trained.blend(cells.read())


def test_moving_to_a_device_gives_the_classifier_itself(trained: Classifier) -> None:
    assert trained.to(torch.device("cpu")) is trained
    assert trained.device.type == "cpu"
