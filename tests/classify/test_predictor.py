"""What predicts: channels by name, arrays and cells alike, whatever the size of the batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_channelmix.classify.predictor import matched
from napari_channelmix.data import Cells
from napari_channelmix.errors import ModelError

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
