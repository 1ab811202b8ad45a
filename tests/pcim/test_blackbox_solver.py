"""The black box: answers alone are enough, no more is asked than was allowed, errors are honest."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from scipy import fft, ndimage

from napari_channelmix.errors import ModelError
from napari_channelmix.pcim import blackbox_solver as blackbox
from napari_channelmix.pcim.batch_size import BLACKBOX_BYTES
from napari_channelmix.pcim.methods import METHODS
from napari_channelmix.pcim.references import Reference
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


# ---------------------------------------------------------------- the formulas, by hand

WEIGHT = np.random.default_rng(2).normal(0, 0.1, (2, 24, 20))
KINDS = ("mean", "blur", "border")


def curved(crops):
    """Log odds ``sum w x^3`` of the second class."""
    odds = (WEIGHT * crops.astype(np.float64) ** 3).sum(axis=(1, 2, 3))
    return np.stack([np.zeros_like(odds), odds], axis=1)


@pytest.fixture
def ask(make_problem):
    """A problem of one cell around a data-set mean that is not 0."""

    def made(**more):
        x = np.random.default_rng(5).normal(0.3, 0.5, (1, 2, 24, 20)).astype(np.float32)
        problem = make_problem(curved, x, seed=11, **more)
        return replace(problem, mean=torch.tensor([0.4, -0.2]).view(1, 2, 1, 1))

    return made


def smooth(planes, sigma):
    blurred = [ndimage.gaussian_filter(one, sigma, mode="mirror", truncate=3.5) for one in planes]
    return np.stack(blurred)


def logistic(values):
    return 1 / (1 + np.exp(-values))


@dataclass
class Exam:
    """What the black box asks, drawn in the same order."""

    x: np.ndarray
    mean: torch.Tensor
    draws: torch.Generator
    references: Reference
    asked: int = 0

    @classmethod
    def of(cls, problem):
        draws = torch.Generator().manual_seed(problem.seed)
        return cls(
            problem.x[0].double().numpy(),
            problem.mean,
            draws,
            Reference(problem.x, problem.mean, draws),
        )

    def noise(self, planes, sigma):
        """Smooth noise (planes, H, W) of mean square 1; sigma as a share of the side."""
        drawn = torch.randn(1, planes, 24, 20, generator=self.draws)[0].double().numpy()
        drawn = smooth(drawn, sigma * (24 * 20) ** 0.5)
        return drawn / np.sqrt((drawn**2).mean(axis=(1, 2), keepdims=True))

    def reference(self):
        self.asked += 1
        return self.references.draw(KINDS[(self.asked - 1) % 3])[0].double().numpy()

    def answers(self, r, m):
        """Log odds of what a mask keeps, and of what it leaves."""
        keep, drop = r + (self.x - r) * m, self.x + (r - self.x) * m
        return curved(np.stack([keep, drop]))[:, 1]

    def contrast(self):
        """How far the cell is from the mean of the three references, of mean square 1."""
        inner = self.x[:, 1:-1]
        ring = [self.x[:, 0], self.x[:, -1], inner[:, :, 0], inner[:, :, -1]]
        ring = np.concatenate(ring, axis=1)
        median = np.sort(ring, axis=1)[:, (ring.shape[1] - 1) // 2, None, None]
        away = self.x - (median + smooth(self.x, 6.0) + self.mean[0].numpy()) / 3
        away /= away.std(axis=(1, 2), keepdims=True)
        return away / np.sqrt((away**2).sum(axis=0).mean())


def smooth_basis():
    """Cosines (480, D) times their spreads: evidence is smooth on .05 and .15 of the side."""
    columns = []
    for i in range(24):
        for j in range(20):
            squared = 24 * 20 * ((np.pi * i / 24) ** 2 + (np.pi * j / 20) ** 2)
            variance = sum(s**2 * np.exp(-squared * s**2) for s in (0.05, 0.15))
            variance /= 0.05**2 + 0.15**2
            if variance > 1e-3:
                one = np.zeros((24, 20))
                one[i, j] = np.sqrt(variance)
                columns.append(fft.idctn(one, norm="ortho").ravel())
    return np.stack(columns, axis=1)


class Process:
    """The Gaussian process of the map, with dense matrices."""

    def __init__(self, exam, planes):
        plain = np.full((planes, 24, 20), np.sqrt(0.02))
        self.weights = np.concatenate([plain, exam.contrast()])
        self.basis, self.planes = smooth_basis(), planes
        self.tilted, self.differences = [], []

    def ask(self, exam):
        m = logistic(exam.noise(self.planes, 0.025) / 0.3)
        kept, dropped = exam.answers(exam.reference(), m)
        # Of two planes, the plain part and the contrast of a channel meet its own mask.
        tilt = (2 * m - 1)[np.arange(len(self.weights)) % self.planes]
        self.tilted.append(tilt * self.weights)
        self.differences.append(kept - dropped)

    def assembled(self, w):
        """Maps (P, H, W) of what each weight is multiplied with."""
        parts = self.weights * w
        return np.stack([parts[p :: self.planes].sum(axis=0) for p in range(self.planes)])

    def map(self, out=()):
        """The mean of the process given the answers, some of them left out."""
        tilted = np.stack(self.tilted).reshape(len(self.tilted), len(self.weights), -1)
        features = tilted @ self.basis
        gram = np.einsum("kfd,lfd->kl", features, features)
        noise = 0.8 * np.diag(gram).mean()
        some = np.setdiff1d(np.arange(len(gram)), out)
        shares = np.linalg.solve(
            gram[np.ix_(some, some)] + noise * np.eye(len(some)), np.array(self.differences)[some]
        )
        w = np.einsum("k,kfd,pd->fp", shares, features[some], self.basis)
        return self.assembled(w.reshape(-1, 24, 20))

    def error(self):
        """Jackknife over ten groups of masks."""
        whole, count = self.map(), len(self.tilted)
        away = [self.map(np.arange(first, count, 10)) - whole for first in range(10)]
        return np.sqrt(9 / 10 * (np.stack(away) ** 2).sum(axis=0))


def spreads(maps):
    return maps / maps.std()


@pytest.mark.parametrize("separate", [False, True])
def test_the_fit_is_the_mean_of_its_gaussian_process(ask, separate):
    problem = ask(forwards=24, separate=separate)
    exam = Exam.of(problem)
    process = Process(exam, 2 if separate else 1)
    # Twelve pairs of a mask and its opposite, ten of them before the first map.
    for found, pairs in zip(blackbox.solve(problem, sharp=True), (10, 2), strict=True):
        for _ in range(pairs):
            process.ask(exam)
        wanted = process.map()
        np.testing.assert_allclose(found.values[0], wanted, atol=1e-3 * wanted.std())
        if pairs == 2:
            error = process.error()
            np.testing.assert_allclose(found.standard_error[0], error, atol=1e-2 * error.mean())


def test_the_search_is_that_of_its_formula(ask):
    problem = ask(forwards=40)
    exam = Exam.of(problem)
    process = Process(exam, 1)
    # Half of twenty pairs for the fit, two of them for each step of the search.
    for _ in range(10):
        process.ask(exam)
    start = process.map()
    moved, velocity, squares = np.zeros_like(start), np.zeros_like(start), 0.0
    # All five of a round are tried around the same ranking.
    theta = spreads(start)
    for step in range(5):
        z = spreads(process.assembled(exam.noise(3, (0.05, 0.1)[step % 2])))
        place = int(step * 0.6180339887 % 1 * 480)
        r, gains = exam.reference(), []
        for tried in (theta + 0.3 * z, theta - 0.3 * z):
            edge = np.sort(tried.ravel())[::-1][place]
            kept, dropped = exam.answers(r, logistic((tried - edge) / 0.3))
            gains.append(logistic(kept / 2) - logistic(dropped / 2))
        better = gains[0] - gains[1]
        squares += better**2
        pull = better / np.sqrt(squares / (step + 1)) * z
        velocity = 0.9 * velocity + 0.1 * pull
        moved = moved + 0.03 * velocity
    fitted, found = blackbox.solve(problem, sharp=False)
    np.testing.assert_allclose(fitted.values[0], start, atol=1e-3 * start.std())
    wanted = start + start.std() * moved
    assert np.abs(wanted - start).max() > 0.05 * start.std()
    np.testing.assert_allclose(found.values[0], wanted, atol=2e-3 * start.std())
    assert torch.equal(found.standard_error, fitted.standard_error)


@pytest.mark.parametrize(
    ("forwards", "maps", "fitted"), [(1, 1, 1), (20, 1, 1), (21, 1, 1), (22, 2, 1), (120, 6, 3)]
)
def test_answers_are_asked_for_ten_pairs_at_a_time_and_half_go_into_the_fit(
    ask, forwards, maps, fitted
):
    problem = ask(forwards=forwards)
    assert blackbox.steps(forwards) == maps
    found = list(blackbox.solve(problem, sharp=False))
    assert len(found) == maps
    # The error is that of the fit, so that it stays the same from there on.
    same = [torch.equal(one.standard_error, found[-1].standard_error) for one in found]
    assert same == [at + 1 >= fitted for at in range(maps)]


def test_questions_go_together_in_calls_of_up_to_64_images(ask, monkeypatch):
    problem = ask(forwards=120)
    sizes = []
    scores = problem.subject.scores

    def counted(x):
        sizes.append(len(x))
        return scores(x)

    counting = replace(problem, subject=replace(problem.subject, scores=counted))
    together = list(blackbox.solve(counting, sharp=False))[-1]
    # Three rounds of ten pairs for the fit, three of five trials, of 20 images each.
    assert sizes == [20] * 6
    monkeypatch.setattr(blackbox, "IMAGES_AT_ONCE", 2)
    singly = list(blackbox.solve(problem, sharp=False))[-1]
    torch.testing.assert_close(singly.values, together.values, rtol=1e-3, atol=1e-3)


def test_room_is_that_of_the_matrices_and_images():
    # 100 pairs; 3 + 1 weights, each with as many cosines as count on 24 x 20 pixels.
    cosines = 4 * smooth_basis().shape[1]
    wanted = 4 * 100 * (5 * 100 + 2 * cosines) + 4 * 10 * 4 * 24 * 20
    assert blackbox.room((3, 24, 20), 200, sharp=True) == wanted
