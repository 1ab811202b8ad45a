"""Real cells as references: which they are depends on the data set alone."""

import pickle

import numpy as np
import pytest
import torch

from napari_channelmix import Cells
from napari_channelmix.classify.training_cells import TrainingCells, crop_digests
from napari_channelmix.errors import DataError
from napari_channelmix.pcim import cell_pool
from napari_channelmix.pcim.cell_pool import CellPool
from napari_channelmix.pcim.cell_source import Source


def crops_of(count, side=8, channels=2, seed=0):
    values = np.random.default_rng(seed).normal(size=(count, channels, side, side))
    return values.astype(np.float32)


def pool_of(cells, training=None):
    return CellPool(cells, training, torch.from_numpy)


def test_the_cells_for_the_methods_are_not_those_for_the_scores():
    crops = crops_of(300)
    solving, reported = pool_of(crops).stored
    assert len(solving.numbers) == len(reported.numbers) == 64
    assert not set(solving.numbers) & set(reported.numbers)
    np.testing.assert_array_equal(solving.crops, crops[solving.numbers])
    again = pool_of(crops).stored[0]
    np.testing.assert_array_equal(solving.numbers, again.numbers)


@pytest.mark.parametrize(("count", "each"), [(11, None), (12, 6), (20, 10)])
def test_small_sets_are_halved_and_very_small_ones_have_no_pool(count, each):
    stored = pool_of(crops_of(count)).stored
    assert (stored and [len(one.numbers) for one in stored]) == (each and [each, each])


def test_the_explained_cells_are_known_among_them():
    pool = pool_of(crops_of(20))
    numbers = pool.stored[0].numbers
    explained = np.array([numbers[3], pool.stored[1].numbers[0], numbers[0]])
    assert pool.solving(explained).own.tolist() == [3, -1, 0]
    assert pool.solving(explained)[1:].own.tolist() == [-1, 0]
    assert pool.reported(explained).own.tolist() == [-1, 0, -1]


def test_methods_get_training_cells_and_scores_get_others():
    crops = crops_of(60)
    trained = np.arange(60) % 2 == 0
    training = TrainingCells(np.unique(crop_digests(crops[trained])), np.zeros(0, np.uint64))
    solving, reported = pool_of(crops, training).stored
    assert trained[solving.numbers].all()
    assert not trained[reported.numbers].any()
    # With too few of them, all are taken.
    few = TrainingCells(np.unique(crop_digests(crops[:2])), np.zeros(0, np.uint64))
    assert len(pool_of(crops, few).stored[0].numbers) == 30


def test_large_crops_are_fewer_and_cells_come_from_few_fields(monkeypatch):
    monkeypatch.setattr(cell_pool, "BYTES", 20 * 4 * 2 * 8 * 8)
    assert len(pool_of(crops_of(100)).stored[0].numbers) == 20
    monkeypatch.setattr(cell_pool, "FIELDS", 3)
    cells = Cells.from_array(crops_of(1000), ["a", "b"])
    cells.table["field"] = np.arange(1000) % 10
    read = []
    monkeypatch.setattr(Cells, "read", lambda self, some: read.append(some) or crops_of(len(some)))
    assert pool_of(cells).stored is not None
    assert len(set(np.concatenate(read) % 10)) == 3


def test_cells_that_cannot_be_used_are_left_out(monkeypatch):
    crops = crops_of(20)
    everything = set(pool_of(crops).stored[0].numbers.tolist())
    bad, unread = sorted(everything)[:2]
    crops[bad, 0, 0, 0] = np.nan
    cells = Cells.from_array(crops, ["a", "b"])
    whole = Cells.read

    def failing(self, some):
        if unread in np.asarray(some):
            raise DataError("no such file")
        return whole(self, some)

    monkeypatch.setattr(Cells, "read", failing)
    assert set(pool_of(cells).stored[0].numbers.tolist()) == everything - {bad, unread}


def test_nothing_is_read_before_it_is_needed(classifier, monkeypatch):
    cells = Cells.from_array(crops_of(40, 16), classifier.channels)
    reads = []
    whole = Cells.read
    monkeypatch.setattr(
        Cells, "read", lambda self, some: reads.append(len(some)) or whole(self, some)
    )
    source = Source.of(classifier, cells, "cpu")
    problem, _ = source.problem(np.array([0]))
    before = len(reads)
    assert problem.pool.shape == (20, 2, 16, 16)
    assert len(reads) == before + 2
    assert source.read(np.array([3])).problem(np.array([0]))[0].pool is problem.pool
    # The explained cell was read, the pool was not read again.
    assert len(reads) == before + 3


def test_the_pool_of_a_cell_does_not_depend_on_its_company(classifier):
    crops = crops_of(40, 16)
    whole = Source.of(classifier, crops, "cpu")
    chosen = Source.of(classifier, crops, "cpu", np.array([7, 3]))
    narrowed = whole.narrowed([3]).read()
    sent = pickle.loads(pickle.dumps(chosen))
    wanted = whole.problem(np.array([3]))[0]
    for source, row in ((chosen, 1), (narrowed, 0), (sent, 1)):
        problem = source.problem(np.array([row]))[0]
        assert torch.equal(problem.pool, wanted.pool)
        assert torch.equal(problem.pooled.own, wanted.pooled.own)
        assert torch.equal(problem.other_cells.x, wanted.other_cells.x)
        assert torch.equal(problem.sd, wanted.sd)


def test_another_model_gets_the_same_real_cells_on_its_own_scale(planted):
    crops = np.concatenate([planted.crops] * 4)
    source = Source.of(planted.network, crops, "cpu")
    other = source.with_model(type(planted.network)(gain=1.0))
    assert torch.equal(other.problem(np.array([1]))[0].pool, source.problem(np.array([1]))[0].pool)
