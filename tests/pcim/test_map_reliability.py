"""Reliability: a map is held against chance, random weights and noise, and said in words."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from napari_channelmix import explain
from napari_channelmix.classify import NetworkSpec
from napari_channelmix.jobs import drain
from napari_channelmix.pcim import reliability_job
from napari_channelmix.pcim.cell_source import Source
from napari_channelmix.pcim.chance import MAPS, ChanceTest, curves_job, random_maps
from napari_channelmix.pcim.map_reliability import randomised


def reliability(attribution, **more):
    return drain(reliability_job(attribution, **more))


def test_a_good_map_is_better_than_chance_and_a_random_one_is_not(planted):
    # Six spots: a single one is often met by a random map.
    spots = torch.zeros(24, 20)
    for y, x in ((2, 3), (2, 14), (10, 2), (11, 16), (19, 4), (18, 13)):
        spots[y : y + 3, x : x + 3] = 1
    planted.network.weight.data[1] = 0.1 * spots * torch.tensor([0.0, 1.0, 0.0]).view(3, 1, 1)
    planted.crops[:, 1] += 2 * spots.numpy()
    good = explain(planted.network, planted.crops, device="cpu")
    found = reliability(good)
    assert found.better_than_chance.all()
    assert found.words(0)[0].startswith("Faithful: better than random maps (p < 0.001, n = 24 ")
    source, unlinked = good.source.read(), random_maps(good.maps.shape, 30, seed=9)

    def curves(maps):
        return drain(curves_job(source, maps, good.target))

    chance = [curves(maps) for maps in random_maps(good.maps.shape, MAPS, seed=0)]
    passed = [ChanceTest.of(curves(maps), chance).better.mean() for maps in unlinked]
    # One in twenty is to pass, of these 120.
    assert np.mean(passed) < 0.15
    bad = reliability(replace(good, maps=unlinked[0]))
    cell = int(np.argmin(bad.better_than_chance))
    assert bad.words(cell)[0] == "This map is no better than a random one: do not read it."


def test_what_is_known_of_a_cell_does_not_depend_on_its_company(planted):
    together = reliability(explain(planted.network, planted.crops, device="cpu"), seed=3)
    attribution = explain(planted.network, planted.crops, device="cpu", only=[2])
    alone = reliability(attribution, seed=3)
    test, own = together.against_chance, alone.against_chance
    np.testing.assert_allclose(own.random[:, 0], test.random[:, 2], atol=1e-4)
    np.testing.assert_allclose(alone.staying[0], together.staying[2], atol=0.02)
    # Each cell is tested with random maps of its own.
    assert np.abs(test.random[:, 1] - test.random[:, 2]).max() > 0.01
    assert alone.words(0) == together.words(2)


def test_a_function_has_no_weights_to_be_randomised(planted):
    att = explain(planted.predict, planted.crops[:1], device="cpu", forwards=40)
    found = reliability(att)
    assert found.randomisation is None
    assert found.stability.shape == (1,)
    assert found.words()


def test_maps_are_made_again_with_the_settings_they_were_made_with(planted):
    asked = []

    def counting(crops):
        asked.append(len(crops))
        return planted.predict(crops)

    att = explain(counting, planted.crops[:1], device="cpu", forwards=40, method="blackbox-sharp")
    asked.clear()
    reliability(att)
    curves = (6 * 2 * 18 + 1) + 13 * (3 * 2 * 9 + 1)
    assert sum(asked) < curves + 2 * (40 + 20)


@pytest.mark.parametrize("bare", [False, True])
def test_maps_are_made_again_with_the_mean_and_the_device_of_the_first(planted, monkeypatch, bare):
    def another(name):
        raise AssertionError("the device was chosen anew")

    model = planted.network if bare else planted.predict
    crops = np.concatenate([planted.crops, 5 + planted.crops])
    part = Source.of(model, crops, "cpu").read(np.array([6, 1]))
    att = explain(model, part, method="blackbox-sharp", forwards=40)
    monkeypatch.setattr("napari_channelmix.pcim.cell_source.choose_device", another)
    # Without any noise, and with the weights as they were, the maps are the same.
    monkeypatch.setattr("napari_channelmix.pcim.map_reliability.NOISE", 0)
    monkeypatch.setattr(
        "napari_channelmix.pcim.map_reliability.randomised", lambda of, seed: of if bare else None
    )
    found = reliability(att)
    np.testing.assert_allclose(found.stability, 0, atol=1e-6)
    if bare:
        np.testing.assert_allclose(found.randomisation, 1, atol=1e-6)


def test_words_warn_of_what_was_found(classifier, crops):
    found = reliability(explain(classifier, crops[:2], device="cpu"))
    assert found.randomisation.shape == (2,)
    warned = replace(found, randomisation=np.array([0.9, 0.0]), staying=np.array([0.9, 0.31]))
    assert any("random weights gives a similar map" in line for line in warned.words(0))
    assert any("only 31% of the strongest tenth" in line for line in warned.words(1))
    assert not any("little noise" in line for line in warned.words(0))


def test_a_random_copy_leaves_the_original_as_it_was(classifier):
    before = {name: value.clone() for name, value in classifier.network.state_dict().items()}
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    fresh, again = randomised(classifier, 1), randomised(classifier, 1)
    assert torch.equal(torch.rand(1), expected), "the global seed has moved"
    for name, value in classifier.network.state_dict().items():
        assert torch.equal(value, before[name])
    weights = dict(fresh.network.named_parameters())
    assert any(not torch.equal(value, before[name]) for name, value in weights.items())
    for name, value in again.network.named_parameters():
        assert torch.equal(value, weights[name])
    assert randomised(lambda x: x) is None


def test_layers_that_cannot_begin_anew_are_shuffled(planted):
    fresh = randomised(planted.network)
    old = planted.network.weight.detach()
    assert not torch.equal(fresh.weight, old)
    torch.testing.assert_close(fresh.weight.flatten().sort().values, old.flatten().sort().values)
    assert randomised(nn.ReLU()) is not None


@pytest.mark.parametrize("method", ["pcim", "blackbox"])
def test_the_test_can_be_stopped_at_any_step(planted, method):
    planted.network.train()
    job = reliability_job(explain(planted.network, planted.crops[:1], method=method, forwards=20))
    for _ in range(50):
        assert 0 <= next(job).fraction <= 1
    job.close()
    assert planted.network.training


def test_random_weights_are_not_those_the_training_began_with():
    for seed in range(3):
        network = NetworkSpec("tiny", 2, 2).build(seed)
        other = randomised(network, seed)
        for before, after in zip(network.parameters(), other.parameters(), strict=True):
            if before.ndim > 1:
                assert not torch.allclose(before, after)
