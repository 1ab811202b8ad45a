"""A classifier applied: channels by name, arrays and cells alike, bad input refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from napari_channelmix.classify.predictor import matched
from napari_channelmix.data import Cells
from napari_channelmix.errors import DataError, ModelError

if TYPE_CHECKING:
    from napari_channelmix.classify import Classifier


def test_probabilities_are_probabilities_and_alike_for_arrays_and_cells(
    trained: Classifier, cells: Cells
) -> None:
    found = trained.predict_proba(cells)
    assert (found.shape, found.dtype) == ((len(cells), 2), np.float32)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(trained.predict_proba(cells.read()), found)
    np.testing.assert_array_equal(trained.predict(cells), found.argmax(axis=1))


def test_the_size_of_the_batches_does_not_matter(trained: Classifier, cells: Cells) -> None:
    steps = list(trained.predict_job(cells, batch=20))
    assert [step.done for step in steps] == [20, 40, 48]
    np.testing.assert_allclose(
        trained.predict_proba(cells, batch=7), trained.predict_proba(cells), atol=1e-6
    )


def test_no_cells_give_no_probabilities(trained: Classifier, cells: Cells) -> None:
    assert trained.predict_proba(cells.subset([])).shape == (0, 2)


def test_channels_in_another_order_and_more_of_them_give_the_same_answer(
    trained: Classifier, cells: Cells
) -> None:
    wanted = trained.predict_proba(cells)
    turned = cells.with_channels(["other", "noise", "signal"])
    np.testing.assert_array_equal(trained.predict_proba(turned), wanted)
    more = np.concatenate([np.zeros((48, 1, 12, 12)), cells.read()], axis=1)
    wider = Cells.from_array(more, ["extra", *cells.channels])
    np.testing.assert_array_equal(trained.predict_proba(wider), wanted)


def test_missing_channels_are_refused_by_name(trained: Classifier, cells: Cells) -> None:
    says = (
        r"the classifier needs the channels noise, signal, other; array has noise, other "
        r"\(missing: signal\)"
    )
    with pytest.raises(ModelError, match=says):
        trained.predict_proba(cells.with_channels(["noise", "other"]))
    with pytest.raises(ModelError, match="someone else needs the channels"):
        matched(cells, ["DAPI"], "someone else")


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
