"""The black box: answers alone are enough, no more is asked than was allowed, errors are honest."""

import numpy as np
import pytest
import torch

from napari_channelmix.errors import ModelError
from napari_channelmix.pcim import blackbox
from napari_channelmix.pcim.memory import BLACKBOX_BYTES
from napari_channelmix.pcim.methods import METHODS
from napari_channelmix.pcim.scores import auroc

NAMES = ("blackbox", "blackbox-sharp")


def last_of(name, problem):
    *_, last = METHODS[name].run(problem)
    return last


@pytest.mark.parametrize("name", NAMES)
def test_answers_alone_find_the_planted_pixels(name, planted, make_problem):
    last = last_of(name, make_problem(planted.predict, planted.crops, forwards=600))
    maps = last.values.sum(dim=1).numpy()
    masks = np.repeat(planted.masks[0][None], len(maps), 0)
    assert (auroc(maps, masks) > 0.9).all()
    for one in maps:
        y, x = np.unravel_index(one.argmax(), one.shape)
        # A mask is coarse: a neighbour of the planted pixels may win.
        assert planted.masks[0][max(0, y - 2) : y + 3, max(0, x - 2) : x + 3].any()


@pytest.mark.parametrize("name", NAMES)
def test_no_more_images_are_asked_about_than_allowed(name, planted, make_problem):
    asked = []

    def counting(crops):
        asked.append(len(crops))
        return planted.predict(crops)

    problem = make_problem(counting, planted.crops, forwards=200)
    asked.clear()
    last_of(name, problem)
    assert 0.8 * 200 <= sum(asked) / len(planted.crops) <= 1.1 * 200


@pytest.mark.parametrize("name", NAMES)
def test_the_map_of_a_cell_does_not_depend_on_its_company(name, planted, make_problem):
    together = last_of(name, make_problem(planted.predict, planted.crops, forwards=100))
    alone = last_of(name, make_problem(planted.predict, planted.crops[2:3], forwards=100))
    torch.testing.assert_close(together.values[2:3], alone.values, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_gives_one_map_and_another_seed_another(name, planted, make_problem):
    one, again, other = (
        last_of(name, make_problem(planted.predict, planted.crops, forwards=60, seed=seed)).values
        for seed in (1, 1, 2)
    )
    assert torch.equal(one, again)
    assert not torch.allclose(one, other)


def test_the_standard_error_is_that_of_repeated_runs(planted, make_problem):
    crops = planted.crops[:1]
    problems = [make_problem(planted.predict, crops, forwards=100, seed=seed) for seed in range(40)]
    runs = [next(iter(METHODS["blackbox"].run(problem))) for problem in problems]
    spread = torch.stack([one.values for one in runs]).std(dim=0)
    said = torch.stack([one.standard_error for one in runs]).mean(dim=0)
    ratio = (said / spread).median()
    assert 0.6 < ratio < 1.6


@pytest.mark.parametrize("name", NAMES)
def test_separate_maps_have_the_evidence_in_its_channel(name, planted, make_problem):
    problem = make_problem(planted.predict, planted.crops, separate=True, forwards=600)
    values = last_of(name, problem).values
    assert values.shape == problem.x.shape
    inside = values[:, :, planted.masks[0]].mean(dim=2)
    assert (inside.argmax(dim=1) == 1).all()
    assert inside[:, [0, 2]].abs().max() < 0.5 * inside[:, 1].min()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 3), (1, 7)])
def test_tiny_cells_have_finite_maps(name, size, make_problem):
    def predict(crops):
        return crops.mean(axis=(2, 3))

    x = np.random.default_rng(0).normal(size=(2, 2, *size)).astype(np.float32)
    last = last_of(name, make_problem(predict, x, forwards=40))
    assert last.values.shape == (2, 1, *size)
    assert torch.isfinite(last.values).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("separate", [False, True])
def test_what_the_fit_holds_is_counted(name, separate, planted, make_problem, monkeypatch):
    fits = []

    class Noted(blackbox._Fit):
        def __init__(self, problem):
            super().__init__(problem)
            fits.append(self)

    monkeypatch.setattr(blackbox, "_Fit", Noted)
    crops = planted.crops[:1]
    problem = make_problem(planted.predict, crops, separate=separate, forwards=200)
    last_of(name, problem)
    gram, features = fits[0].gram.nbytes, fits[0].features.nbytes
    images = 4 * blackbox.IMAGES * fits[0].weights[0].numel()
    room = METHODS[name].room(crops.shape[1:], 200, separate)
    assert room == blackbox.MATRICES * gram + blackbox.FEATURES * features + images


def test_gradients_need_no_room_of_that_kind():
    assert METHODS["pcim"].room((3, 24, 20), 10**9, True) == 0


@pytest.mark.parametrize("name", NAMES)
def test_forwards_are_refused_where_their_matrices_outgrow_a_gibibyte(name):
    room = METHODS[name].room
    with pytest.raises(ModelError, match="use at most") as raised:
        room((3, 24, 20), 10**6, False)
    most = int(str(raised.value).split("at most ")[1].split()[0])
    # The most that is said to go does go, and not a step more.
    assert room((3, 24, 20), most, False) > 0.9 * BLACKBOX_BYTES
    with pytest.raises(ModelError):
        room((3, 24, 20), most + 1, False)
