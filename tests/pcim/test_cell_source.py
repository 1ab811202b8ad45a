"""Sources: cells of any kind for a subject, called as the user's data set calls them."""

import numpy as np
import pytest
import torch

from napari_channelmix import Cells, wrap
from napari_channelmix.errors import DataError
from napari_channelmix.pcim.cell_source import Source

CHOSEN = np.array([1, 3, 4])


@pytest.fixture
def spoilt(crops):
    """Cell 3 of six cannot be used."""
    crops[3, 0, 2, 2] = np.nan
    return crops


@pytest.mark.parametrize("as_cells", [False, True])
def test_a_cell_that_cannot_be_used_has_its_number_in_the_data_set(as_cells, classifier, spoilt):
    cells = Cells.from_array(spoilt, classifier.channels) if as_cells else spoilt
    # Looked at when the source is made: the first and the last.
    source = Source.of(classifier, cells, "cpu", CHOSEN)
    for ask in (source.tensor, lambda some: source.read(some).tensor(slice(None))):
        with pytest.raises(DataError, match=r"cell 3 .*NaN|NaN .*cell 3 "):
            ask(np.array([0, 1]))
    with pytest.raises(DataError, match=r"cell 3 .*NaN|NaN .*cell 3 "):
        Source.of(classifier, cells, "cpu", CHOSEN[:2])


@pytest.mark.parametrize("as_cells", [False, True])
def test_chosen_cells_are_a_source_of_their_own(as_cells, planted, crops):
    def predict(some):
        return some.mean(axis=(2, 3))

    cells = Cells.from_array(crops, ["a", "b"]) if as_cells else crops
    source = Source.of(predict, cells, "cpu", CHOSEN)
    alone = Source.of(predict, crops[CHOSEN], "cpu")
    assert len(source) == 3
    assert source.shape == alone.shape == (3, 2, 16, 16)
    assert source.numbers.tolist() == [1, 3, 4]
    # The mean is that of the data set, whichever cells are chosen.
    torch.testing.assert_close(source.mean, Source.of(predict, crops, "cpu").mean)
    for some in (slice(None), np.array([2, 0])):
        assert torch.equal(source.tensor(some), alone.tensor(some))
        read = source.read(some)
        assert torch.equal(read.tensor(slice(None)), alone.tensor(some))
        assert read.numbers.tolist() == CHOSEN[some].tolist()


def test_cells_that_cannot_be_used_have_no_part_in_the_mean_of_others(spoilt):
    def predict(some):
        return some.mean(axis=(2, 3))

    source = Source.of(predict, spoilt, "cpu", np.array([0, 1]))
    usable = torch.from_numpy(np.delete(spoilt, 3, axis=0))
    torch.testing.assert_close(source.mean, usable.mean(dim=(0, 2, 3), keepdim=True))


def test_a_wrapped_network_with_a_mean_alone_has_the_spread_of_its_cells(planted):
    names = {"channels": ["a", "b", "c"], "classes": ["none", "one"], "mean": [0.0, 0.1, 0.0]}
    centred = Source.of(wrap(planted.network, **names), planted.crops, "cpu")
    assert centred.mean.flatten().tolist() == [0, 0, 0]
    spread = torch.from_numpy(planted.crops).std(dim=(0, 2, 3), correction=0)
    torch.testing.assert_close(centred.sd.flatten(), spread)
    scaled = Source.of(wrap(planted.network, std=2.0, **names), planted.crops, "cpu")
    assert scaled.sd.flatten().tolist() == [1, 1, 1]


def test_no_cells_are_nothing_to_explain(classifier, crops):
    with pytest.raises(DataError, match="no cells to explain"):
        Source.of(classifier, crops, "cpu", np.array([], np.int64))


def test_another_model_is_asked_about_the_same_cells_with_the_same_mean(planted):
    source = Source.of(planted.network, planted.crops, "cpu").read(np.array([2]))
    other = source.with_model(type(planted.network)(gain=1.0))
    assert other.mean is source.mean
    assert other.cells is source.cells
    x = source.tensor(slice(None))
    torch.testing.assert_close(4 * other.subject.scores(x), source.subject.scores(x))


def test_channels_that_stand_last_are_refused() -> None:
    def ask(x: np.ndarray) -> np.ndarray:
        return np.zeros((len(x), 2))

    with pytest.raises(DataError, match="are the channels last"):
        Source.of(ask, np.zeros((3, 24, 24, 2), np.float32))


def test_tensors_with_gradients_are_read_and_what_is_no_image_is_refused() -> None:
    def ask(x: np.ndarray) -> np.ndarray:
        v = x.mean(axis=(1, 2, 3))
        return np.stack([-v, v + 3], axis=1)

    crops = np.random.default_rng(0).normal(0, 1, (3, 1, 8, 8)).astype(np.float32)
    source = Source.of(ask, torch.from_numpy(crops).requires_grad_())
    np.testing.assert_array_equal(source.cells, crops)
    with pytest.raises(DataError, match="not complex numbers"):
        Source.of(ask, crops.astype(complex))
    with pytest.raises(DataError, match="masked pixels"):
        Source.of(ask, np.ma.masked_greater(crops, 1))
