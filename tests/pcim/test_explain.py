"""Explaining: every kind of model and question, batches that do not matter, bad input in a line."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from napari_channelmix import Cells, explain
from napari_channelmix.classify import ForeignClassifier, TrainingSettings, train_classifier
from napari_channelmix.errors import DataError, ModelError
from napari_channelmix.jobs import drain
from napari_channelmix.pcim import BASELINES, explain_job, measure_job
from napari_channelmix.pcim import batch_size as memory
from napari_channelmix.pcim.blackbox_solver import room
from napari_channelmix.pcim.cell_source import Source
from napari_channelmix.pcim.methods import METHODS
from napari_channelmix.pcim.scores import rank_correlation

from ..same_order import assert_same_order

OURS = ("pcim", "pcim-fidelity", "blackbox", "blackbox-sharp")


def explained(model, cells, target=None, method="pcim", mode="autograd", **more):
    return explain(model, cells, target, method, mode, **{"device": "cpu", "forwards": 200} | more)


def peak(one):
    return np.unravel_index(np.abs(one).argmax(), one.shape)


# ---------------------------------------------------------------- what is found


@pytest.mark.parametrize("method", OURS)
def test_the_planted_pixels_are_found(method, planted):
    att = explained(planted.network, planted.crops, method=method, forwards=600)
    assert att.maps.shape == (4, 24, 20)
    assert att.maps.dtype == np.float32
    assert att.target.tolist() == [1, 1, 1, 1]
    for one in att.maps:
        y, x = peak(one)
        near = planted.masks[0][max(0, y - 2) : y + 3, max(0, x - 2) : x + 3]
        assert near.any() if "blackbox" in method else planted.masks[0][y, x]
    chance = drain(measure_job(planted.network, planted.crops, noise(att.maps.shape), att.target))
    assert att.scores()["srg"] > chance.srg.mean() + 0.2


def noise(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def same(maps, wanted):
    """Alike but for rounding, which steps in units of a spread make larger."""
    within = {"rtol": 0.02, "atol": 0.02 * np.std(wanted)}
    np.testing.assert_allclose(np.sort(maps, axis=None), np.sort(wanted, axis=None), **within)
    # Rounding exchanges the values of pixels that rank nearly alike, and of no others.
    planes = [one.reshape(-1, *one.shape[-2:]) for one in (maps, wanted)]
    assert_same_order(*planes)
    assert np.corrcoef(maps.ravel(), wanted.ravel())[0, 1] > 0.999


def test_against_one_class_is_another_question_than_against_all(planted_three):
    network, crops = planted_three.network, planted_three.crops
    one, two = planted_three.masks
    alone = explained(network, crops, "class 1", versus="class 0")
    other = explained(network, crops, "class 1", versus="class 2")
    every = explained(network, crops, "class 1")
    assert alone.versus.tolist() == [0] * 4
    assert every.versus is None
    # Class 0 has no pixels, so those of class 2 say nothing in the first question.
    assert np.abs(alone.maps[:, two]).mean() < 0.1 * alone.maps[:, one].mean()
    assert (other.maps[:, two].mean(axis=1) < -0.5 * other.maps[:, one].mean(axis=1)).all()
    spread = every.maps.std()
    assert np.abs(every.maps - alone.maps).max() > spread
    assert np.abs(every.maps - other.maps).max() > 0.02 * spread


def test_each_cell_may_have_its_own_question(planted_three):
    network, crops = planted_three.network, planted_three.crops
    mixed = explained(network, crops, [1, "class 2", 1, 2], versus=[0, 0, 2, 1], batch=3)
    for cell, (of, versus) in enumerate([(1, 0), (2, 0), (1, 2), (2, 1)]):
        alone = explained(network, crops[cell : cell + 1], of, versus=versus)
        same(alone.maps[0], mixed.maps[cell])
    assert mixed.target.tolist() == [1, 2, 1, 2]
    assert mixed.versus.tolist() == [0, 0, 2, 1]


@pytest.mark.parametrize("method", ["pcim", "blackbox", "blackbox-sharp", "saliency"])
def test_separate_maps_sum_to_the_map_and_name_the_channel(method, planted):
    if method in BASELINES:
        pytest.importorskip("captum")
    att = explained(
        planted.network, planted.crops, method=method, channels="separate", forwards=600
    )
    assert att.channel_maps.shape == (4, 3, 24, 20)
    np.testing.assert_allclose(att.maps, att.channel_maps.sum(axis=1), rtol=1e-3, atol=1e-4)
    inside = att.channel_maps[:, :, planted.masks[0]].mean(axis=2)
    assert (inside.argmax(axis=1) == 1).all()
    assert np.abs(inside[:, [0, 2]]).max() < 0.5 * inside[:, 1].min()
    assert explained(planted.network, planted.crops, method=method).channel_maps is None


def test_the_same_function_has_the_same_black_box_map_whatever_holds_it(planted):
    crops = planted.crops - planted.crops.mean(axis=(0, 2, 3), keepdims=True)
    zeros, names = np.zeros(3), ("a", "b", "c")
    foreign = ForeignClassifier(
        planted.predict, names, ("class 0", "class 1"), zeros, zeros + 1, "scores", "mine"
    )
    asked = {"method": "blackbox", "target": "class 1"}
    maps = [
        explained(model, crops, **asked).maps
        for model in (planted.network, planted.predict, foreign)
    ]
    spread = maps[0].std()
    np.testing.assert_allclose(maps[1], maps[0], atol=1e-3 * spread)
    np.testing.assert_allclose(maps[2], maps[0], atol=1e-2 * spread)


def test_a_classifier_and_its_network_have_the_same_maps(classifier, crops):
    crops = crops - crops.mean(axis=(0, 2, 3), keepdims=True)
    for method in ("pcim", "blackbox"):
        maps = explained(classifier, crops, method=method).maps
        bare = explained(classifier.network, crops, method=method).maps
        # Rounding of the mean, seen through a few normalised steps.
        assert rank_correlation(bare, maps).min() > 0.999


def test_cells_may_have_other_channels_and_another_order(classifier, crops):
    extra = np.concatenate([noise(crops[:, :1].shape), crops[:, ::-1]], axis=1)
    cells = Cells.from_array(extra, ["other", "channel 1", "channel 0"])
    wanted = explained(classifier, crops)
    found = explained(classifier, cells)
    np.testing.assert_allclose(found.maps, wanted.maps, atol=1e-5)
    assert found.channels == ("channel 0", "channel 1")
    assert found.scores() == pytest.approx(wanted.scores())


# ---------------------------------------------------------------- batches, seeds, streams


def test_neither_company_nor_batch_changes_a_map_of_high_fidelity_much(classifier, crops):
    # What rounding makes different grows over 120 steps, each in units of a spread.
    whole = explained(classifier, crops, method="pcim-fidelity").maps
    parts = explained(classifier, crops, method="pcim-fidelity", batch=1).maps
    alone = explained(classifier, crops[4:5], method="pcim-fidelity").maps
    for one, another in [*zip(parts, whole, strict=True), (alone[0], whole[4])]:
        assert np.corrcoef(one.ravel(), another.ravel())[0, 1] > 0.95


@pytest.mark.parametrize("method", ["pcim", "blackbox", "blackbox-sharp"])
def test_neither_company_nor_batch_changes_a_map(method, classifier, crops):
    whole = explained(classifier, crops, method=method)
    for batch in (1, 4):
        parts = explained(classifier, crops, method=method, batch=batch)
        same(parts.maps, whole.maps)
        np.testing.assert_allclose(parts.probabilities, whole.probabilities, atol=1e-5)
    alone = explained(classifier, crops[4:5], method=method)
    same(alone.maps[0], whole.maps[4])


@pytest.mark.parametrize("method", ["pcim", "blackbox", "blackbox-sharp"])
def test_a_seed_gives_one_map(method, classifier, crops):
    one, again = (explained(classifier, crops, method=method, seed=5).maps for _ in range(2))
    np.testing.assert_array_equal(one, again)
    torch.manual_seed(1)
    state = torch.random.get_rng_state()
    explained(classifier, crops, method=method)
    assert torch.equal(torch.random.get_rng_state(), state), "the global seed has moved"


@pytest.mark.parametrize("method", ["pcim", "blackbox"])
def test_maps_stream_from_the_first_step_and_settle(method, classifier, crops):
    job = explain_job(classifier, crops, method=method, device="cpu", forwards=400, batch=4)
    updates, fractions = [], []
    while True:
        try:
            step = next(job)
        except StopIteration as stop:
            final = stop.value
            break
        fractions.append(step.fraction)
        updates.append(step.partial)
        assert step.metrics["step"] <= step.metrics["steps"]
    first = updates[0]
    assert first.cells.tolist() == [0, 1, 2, 3]
    assert first.maps.shape == (4, 16, 16)
    assert first.maps.std() > 0
    assert first.probabilities.shape == (4, 2)
    assert first.target.tolist() == final.target[:4].tolist()
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    own = [one.maps for one in updates if 0 in one.cells]
    np.testing.assert_array_equal(own[-1], final.maps[:4])
    likeness = [rank_correlation(one, final.maps[:4]).mean() for one in own]
    assert likeness[-2] > 0.9
    assert likeness[-2] > likeness[0]


def test_an_update_is_not_changed_by_the_next(classifier, crops):
    job = explain_job(classifier, crops, device="cpu")
    first = next(job).partial.maps
    kept = first.copy()
    next(job)
    job.close()
    np.testing.assert_array_equal(first, kept)


class Traveller(nn.Module):
    """Knows where it was sent."""

    def __init__(self, inner):
        super().__init__()
        self.inner, self.sent = inner, []

    def to(self, device):
        self.sent.append(str(device))
        return super().to(device)

    def forward(self, x):
        return self.inner(x)


@pytest.mark.parametrize("method", ["pcim", "blackbox"])
def test_a_module_is_where_it_was_after_a_job_that_ended_or_was_closed(
    method, planted, monkeypatch
):
    # Another name for the same device will do.
    monkeypatch.setattr(
        "napari_channelmix.pcim.cell_source.choose_device", lambda name: torch.device("cpu", 0)
    )
    network = Traveller(planted.network).train()
    found = explained(network, planted.crops, method=method, forwards=20)
    assert set(network.sent) == {"cpu:0", "cpu"}
    assert network.sent[-1] == "cpu"
    network.sent.clear()
    found.scores()
    assert network.sent == ["cpu:0", "cpu"]
    job = explain_job(network, planted.crops, method=method, forwards=20)
    next(job)
    assert network.sent[-1] == "cpu:0"
    job.close()
    assert network.sent[-1] == "cpu"
    assert network.training


@pytest.mark.parametrize("method", ["pcim", "blackbox", "saliency"])
def test_closing_midway_leaves_the_network_as_it_was(method, classifier, crops):
    if method in BASELINES:
        pytest.importorskip("captum")
    network = classifier.network.train()
    frozen = next(network.parameters()).requires_grad_(False)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    job = explain_job(classifier, crops, method=method, device="cpu")
    next(job)
    assert not network.training
    job.close()
    assert all(module.training for module in network.modules())
    assert not frozen.requires_grad
    assert all(weight.requires_grad for weight in network.parameters() if weight is not frozen)
    assert all(weight.grad is None for weight in network.parameters())
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_time_is_that_of_the_work_and_not_of_who_looks_on(classifier, crops, monkeypatch):
    clock = iter(range(0, 100000, 10))
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    job = explain_job(classifier, crops[:1], device="cpu")
    for step in job:
        for _ in range(50):
            next(clock)
        steps = step.metrics["steps"]
    att = drain(explain_job(classifier, crops[:1], device="cpu"))
    assert att.seconds_per_cell <= 10 * (steps + 1)


# ---------------------------------------------------------------- what goes wrong


def test_training_mode_is_noted_and_comes_back(classifier, crops):
    wanted = explained(classifier, crops)
    classifier.network.train()
    found = explained(classifier, crops)
    assert classifier.network.training
    assert any("in training mode" in line for line in found.warnings)
    assert not any("in training mode" in line for line in wanted.warnings)
    np.testing.assert_array_equal(found.maps, wanted.maps)


class Cramped(nn.Module):
    """Has memory for a few images."""

    def __init__(self, inner, most, error):
        super().__init__()
        self.inner, self.most, self.error = inner, most, error

    def forward(self, x):
        if len(x) > self.most:
            raise self.error
        return self.inner(x)


OUT = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


@pytest.mark.parametrize("batch", [None, 6])
@pytest.mark.parametrize("most", [4, 2])
def test_where_memory_runs_out_batches_are_halved_and_that_is_said(most, batch, classifier, crops):
    cramped = Cramped(classifier.network, most, OUT)
    wanted = explained(classifier.network, crops)
    found = explained(cramped, crops, batch=batch)
    assert any(line.startswith("memory ran out: now ") for line in found.warnings)
    same(found.maps, wanted.maps)
    scores = drain(measure_job(cramped, crops, found.maps, found.target))
    np.testing.assert_allclose(scores.srg, wanted.scores(per_cell=True)["srg"], atol=1e-3)


def test_a_function_without_memory_is_asked_about_fewer(planted):
    def cramped(crops):
        if len(crops) > 2:
            raise MemoryError
        return planted.predict(crops)

    found = explained(cramped, planted.crops)
    assert any("memory ran out" in line for line in found.warnings)
    np.testing.assert_allclose(
        found.maps, explained(planted.predict, planted.crops).maps, rtol=1e-3, atol=1e-4
    )


def test_where_not_even_one_cell_fits_one_line_says_so(classifier, crops):
    # A step works on the kept and the dropped version of a cell.
    cramped = Cramped(classifier.network, 1, OUT)
    with pytest.raises(ModelError, match="even with one cell of 16 x 16 pixels"):
        explained(cramped, crops[:1])
    nothing = Cramped(classifier.network, 0, OUT)
    with pytest.raises(ModelError, match="memory"):
        drain(measure_job(nothing, crops[:1], noise((1, 16, 16)), device="cpu"))


def test_what_the_black_box_holds_for_its_cells_decides_how_many_go_together(planted, monkeypatch):
    asked = {"method": "blackbox", "forwards": 200}
    monkeypatch.setattr(memory, "BLACKBOX_BYTES", 3 * room(planted.crops.shape[1:], 200))
    job = explain_job(planted.predict, planted.crops, device="cpu", **asked)
    assert next(job).partial.cells.tolist() == [0, 1, 2]
    job.close()


def test_more_forwards_than_memory_are_refused_before_any_is_asked(planted):
    asked = []

    def counting(crops):
        asked.append(len(crops))
        return planted.predict(crops)

    with pytest.raises(ModelError, match=r"forwards 200000: .* GiB; use at most \d+") as raised:
        explained(counting, planted.crops, forwards=200_000)
    assert "\n" not in str(raised.value)
    # The few that a model is tried on: four crops, each in six other forms, and two once more.
    assert sum(asked) == 4 + 6 * 4 + 2
    # No matrices, no limit.
    assert explained(planted.network, planted.crops, forwards=200_000).method == "pcim"


class Opaque(nn.Module):
    """A network whose scores come from outside of PyTorch, or without its gradients."""

    def __init__(self, inner, way):
        super().__init__()
        self.inner, self.way = inner, way

    def forward(self, x):
        if self.way == "no_grad":
            with torch.no_grad():
                return self.inner(x)
        if self.way == "numpy":
            x = torch.from_numpy(x.numpy())
        return self.inner(x).detach()


@pytest.mark.parametrize("way", ["no_grad", "detach", "numpy"])
@pytest.mark.parametrize("method", ["pcim", "pcim-fidelity", "literal"])
@pytest.mark.parametrize("batch", [None, 2])
def test_a_network_without_gradients_is_one_line_that_names_the_way_out(
    way, method, batch, planted
):
    network = Opaque(planted.network, way)
    with pytest.raises(ModelError, match="the network gives no gradient") as raised:
        explained(network, planted.crops, method=method, batch=batch)
    assert str(raised.value).endswith('use mode="blackbox"')
    assert "\n" not in str(raised.value)


def test_a_network_without_gradients_can_be_explained_as_a_black_box(planted):
    network = Opaque(planted.network, "no_grad")
    found = explained(network, planted.crops, mode="blackbox")
    same(found.maps, explained(planted.network, planted.crops, mode="blackbox").maps)


def test_where_not_even_a_look_at_one_cell_fits_one_line_says_so(planted):
    class Nothing(nn.Module):
        def forward(self, x):
            if x.requires_grad:
                raise OUT
            return planted.network(x)

    with pytest.raises(ModelError, match="even with one cell of 24 x 20 pixels"):
        explained(Nothing(), planted.crops)


def test_a_constant_cell_is_noted_by_its_number(classifier, crops):
    crops[3] = 0.25
    found = explained(classifier, crops, batch=2)
    assert [line for line in found.warnings if "constant" in line] == [
        "cell 3 is constant: its map is empty"
    ]
    assert np.isfinite(found.maps).all()


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 3), (1, 6)])
@pytest.mark.parametrize("method", ["pcim", "pcim-fidelity", "literal", "blackbox"])
def test_cells_of_a_few_pixels_have_finite_maps(size, method):
    network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    crops = noise((3, 2, *size))
    for model in (network, lambda x: x.mean(axis=(2, 3))):
        if method in ("pcim-fidelity", "literal") and model is not network:
            continue
        found = explained(model, crops, method=method, forwards=40)
        assert found.maps.shape == (3, *size)
        assert np.isfinite(found.maps).all()
        assert all(np.isfinite(value) for value in found.scores().values())


def test_one_cell_is_enough(classifier, crops):
    found = explained(classifier, crops[:1])
    assert len(found) == 1
    assert set(found.scores()) == {"srg", "insertion", "deletion"}


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.astype(np.float64),
        lambda x: np.asfortranarray(x),
        lambda x: np.flip(np.flip(x, 2).copy(), 2),
        lambda x: np.repeat(x, 2, axis=0)[::2],
        lambda x: x.tolist(),
    ],
    ids=["float64", "fortran", "flipped", "strided", "list"],
)
@pytest.mark.parametrize("bare", [False, True])
def test_arrays_of_any_kind_are_the_same_cells(change, bare, classifier, crops):
    model = classifier.network if bare else classifier
    wanted = explained(model, crops)
    np.testing.assert_allclose(explained(model, change(crops)).maps, wanted.maps, atol=1e-5)


def test_an_array_that_may_not_be_written_is_only_read(planted):
    before = planted.crops.copy()
    planted.crops.flags.writeable = False
    explained(planted.network, planted.crops)
    explained(planted.predict, planted.crops, forwards=20)
    np.testing.assert_array_equal(planted.crops, before)


def test_whole_numbers_are_cells_too(planted):
    crops = (100 * planted.crops).astype(np.int16)
    found = explained(planted.network, crops)
    np.testing.assert_allclose(
        found.maps, explained(planted.network, crops.astype(np.float32)).maps, atol=1e-5
    )


def test_what_answers_differently_each_time_is_noted(planted):
    draws = np.random.default_rng(0)

    def restless(crops):
        return planted.predict(crops) + draws.normal(size=(len(crops), 2))

    found = explained(restless, planted.crops)
    assert any(
        "gives other outputs for the same input each time" in line for line in found.warnings
    )
    calm = explained(planted.predict, planted.crops)
    assert not any("differently" in line for line in calm.warnings)
    assert any("explained as a black box" in line for line in calm.warnings)
    assert (calm.method, calm.mode) == ("blackbox", "blackbox")
    assert calm.standard_error.shape == calm.maps.shape


def test_a_function_that_fails_on_the_way_is_one_line(planted):
    asked = []

    def tired(crops):
        asked.append(len(crops))
        if len(asked) > 20:
            raise ConnectionError("server\nis gone")
        return planted.predict(crops)

    with pytest.raises(ModelError, match="ConnectionError: server is gone"):
        explained(tired, planted.crops)


with_nan = noise((3, 2, 16, 16))
with_nan[2, 0, 3, 3] = np.nan


@pytest.mark.parametrize(
    ("error", "says", "cells", "more"),
    [
        (DataError, r"crops must be \(N, C, H, W\), not \(16, 16\)", noise((16, 16)), {}),
        (DataError, "there are no cells to explain", noise((0, 2, 16, 16)), {}),
        (DataError, r"not \(2, 2, 0, 16\)", noise((2, 2, 0, 16)), {}),
        (DataError, "cell 2 has NaN or infinite pixels", with_nan, {}),
        (DataError, "must be an", [[["cat"]]], {}),
        (ModelError, "takes crops of shape", noise((2, 3, 16, 16)), {}),
        (ModelError, "knows no class 'z'; it has a, b", noise((2, 2, 16, 16)), {"target": "z"}),
        (
            ModelError,
            "cannot be compared with itself",
            noise((2, 2, 16, 16)),
            {"target": "a", "versus": "a"},
        ),
        (ModelError, "target: 1 classes for 2 cells", noise((2, 2, 16, 16)), {"target": ["a"]}),
        (ModelError, "target: 3 classes for 2 cells", noise((2, 2, 16, 16)), {"target": [0, 1, 0]}),
        (ModelError, "method 'magic' is unknown", noise((2, 2, 16, 16)), {"method": "magic"}),
        (ModelError, "mode 'slow' is unknown", noise((2, 2, 16, 16)), {"mode": "slow"}),
        (
            ModelError,
            "needs the gradients",
            noise((2, 2, 16, 16)),
            {"method": "saliency", "mode": "blackbox"},
        ),
        (ModelError, "channels 'both' is unknown", noise((2, 2, 16, 16)), {"channels": "both"}),
        (ModelError, "forwards must be 2 or more", noise((2, 2, 16, 16)), {"forwards": 1}),
        (ModelError, "batch must be 1 or more", noise((2, 2, 16, 16)), {"batch": 0}),
        (ModelError, "device 'abacus'", noise((2, 2, 16, 16)), {"device": "abacus"}),
    ],
)
def test_bad_input_is_one_line(error, says, cells, more, classifier):
    with pytest.raises(error, match=says) as raised:
        explained(classifier, cells, **more)
    assert "\n" not in str(raised.value)
    assert classifier.network.training is False
    assert all(weight.requires_grad for weight in classifier.network.parameters())


def test_a_cell_that_is_predicted_as_the_other_class_is_named(planted_three):
    crops = planted_three.crops.copy()
    crops[3, 1] -= 1
    # Cell 3 alone is predicted as class 2.
    crops[:3, 2] -= 1
    with pytest.raises(ModelError, match="cell 3: class 'class 2' cannot be compared with itself"):
        explained(planted_three.network, crops, versus="class 2", batch=2)


def test_missing_channels_are_named(classifier, crops):
    cells = Cells.from_array(crops, ["channel 0", "DNA"])
    with pytest.raises(ModelError, match="missing: channel 1"):
        explained(classifier, cells)


def test_a_column_of_nothing_but_zeros_is_in_doubt_and_refused(planted):
    with pytest.raises(ModelError, match=r'"one_probability" .*else output="one_logit"'):
        explained(lambda x: planted.predict(x)[:, :1], planted.crops)


def test_scores_need_a_map_for_each_cell(classifier, crops):
    with pytest.raises(DataError, match="2 maps for 6 cells"):
        drain(measure_job(classifier, crops, noise((2, 16, 16)), device="cpu"))


# ---------------------------------------------------------------- sources


def test_parts_of_a_source_keep_its_mean_and_numbers(planted):
    crops = np.concatenate([planted.crops, 5 + planted.crops])
    whole = Source.of(planted.predict, crops, "cpu")
    part = whole.read(np.array([6, 1]))
    assert part.numbers.tolist() == [6, 1]
    assert torch.equal(part.mean, whole.mean)
    assert Source.of(planted.predict, part) is part
    every = explained(planted.predict, whole, forwards=60)
    some = explained(planted.predict, part, forwards=60)
    np.testing.assert_allclose(some.maps, every.maps[[6, 1]], rtol=1e-3, atol=1e-4)


def test_messages_use_the_numbers_of_a_source(classifier, crops):
    crops[1] = 0
    source = replace(Source.of(classifier, crops, "cpu"), numbers=np.arange(6) + 100)
    assert "cell 101 is constant: its map is empty" in explained(classifier, source).warnings


# ---------------------------------------------------------------- real cells


def test_on_real_cells_the_map_is_far_better_than_a_random_one(shared_data):
    from napari_channelmix import open_dataset
    from napari_channelmix.pcim.map_reliability import random_maps

    cells = open_dataset(shared_data / "bbbc013_wortmannin" / "dataset.toml")
    train, test = cells.split(test=0.25, seed=0)
    some = np.random.default_rng(0).permutation(len(train))[:400]
    model = train_classifier(
        train.subset(some), network="tiny", settings=TrainingSettings(epochs=6), device="cpu"
    )
    held_out = test.subset(np.arange(0, len(test), max(1, len(test) // 24)))
    att = explained(model, held_out)
    chance = random_maps(att.maps.shape, 1, seed=0)[0]
    random = drain(measure_job(model, held_out, chance, att.target, device="cpu")).srg
    difference = att.scores(per_cell=True)["srg"] - random
    assert difference.mean() > 0.1
    assert difference.mean() > 4 * difference.std() / np.sqrt(len(difference))


def test_maps_of_channels_are_summed_and_so_are_their_sizes_and_squared_errors(planted):
    found = explain(
        planted.predict,
        planted.crops,
        mode="blackbox",
        channels="separate",
        forwards=60,
        device="cpu",
        seed=3,
        batch=4,
    )
    problem, _ = found.source.problem(np.arange(4), separate=True, seed=3, forwards=60)
    *_, last = METHODS["blackbox"].run(problem)
    values, errors = last.values.numpy(), last.standard_error.numpy()
    np.testing.assert_allclose(found.channel_maps, values, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.maps, values.sum(axis=1), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.magnitude, np.abs(values).sum(axis=1), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        found.standard_error, np.sqrt((errors**2).sum(axis=1)), rtol=1e-4, atol=1e-5
    )
