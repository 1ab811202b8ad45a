"""A small network in inference is the same function, in parts that fit a cache."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from napari_channelmix.classify import inference
from napari_channelmix.classify.inference import for_inference, halved
from napari_channelmix.classify.mixing import ChannelMix, MixedNetwork
from napari_channelmix.classify.networks import NetworkSpec, SmallNetwork


def trained(name: str = "tiny", channels: int = 3, mixes: int = 0) -> nn.Module:
    """A network whose normalisation is not that of a new one; some weights are negative."""
    network = NetworkSpec(name, channels, 4, mixes).build(seed=1)
    draw = torch.Generator().manual_seed(0)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            assert layer.running_mean is not None and layer.running_var is not None
            layer.running_mean.uniform_(-0.3, 0.3, generator=draw)
            layer.running_var.uniform_(0.2, 3.0, generator=draw)
            with torch.no_grad():
                layer.weight.uniform_(-1.0, 1.5, generator=draw)
                layer.bias.uniform_(-0.5, 0.5, generator=draw)
    return network.eval()


@pytest.mark.parametrize("shape", [(2, 2), (5, 4), (4, 7), (9, 9)])
def test_halving_is_that_of_pytorch(shape: tuple[int, int]) -> None:
    x = torch.randn(3, 2, *shape)
    assert torch.equal(halved(x), nn.functional.max_pool2d(x, 2))


@pytest.mark.parametrize("name", ["tiny", "small", "medium"])
@pytest.mark.parametrize("mixes", [0, 1, 2])
def test_scores_are_those_of_the_layers_one_by_one(name: str, mixes: int) -> None:
    network, x = trained(name, mixes=mixes), torch.randn(5, 3, 26, 26)
    by_layers = network(x)
    assert by_layers.requires_grad, "with gradients every layer is computed by itself"
    with torch.inference_mode():
        torch.testing.assert_close(network(x), by_layers.detach(), atol=2e-5, rtol=1e-4)


def test_in_training_the_statistics_of_the_batch_are_used_and_kept() -> None:
    network = trained()
    assert isinstance(network, SmallNetwork)
    norm = network.features[0]
    before = norm.running_mean.clone()
    network.train()
    with torch.no_grad():
        network(torch.randn(6, 3, 16, 16))
    assert not torch.equal(norm.running_mean, before)


def test_it_computes_with_the_statistics_of_the_moment() -> None:
    network, x = trained(), torch.randn(2, 3, 16, 16)
    assert isinstance(network, SmallNetwork)
    with torch.inference_mode():
        before = network(x)
    with torch.no_grad():
        network.features[0].running_mean += 1
    with torch.inference_mode():
        assert not torch.equal(network(x), before)


def test_large_batches_are_cut_and_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    network, x = trained(), torch.randn(50, 3, 16, 16)
    assert isinstance(network, SmallNetwork)
    whole = network.inference()
    # Maps of 8 channels, 256 pixels and 4 bytes: 8 KiB a crop.
    assert whole.at_once(x) == 1024
    monkeypatch.setattr(inference, "CACHE_BYTES", 20 * 8192)
    assert whole.at_once(x) == 20
    with torch.inference_mode():
        torch.testing.assert_close(whole(x), torch.cat([whole(part) for part in x.split(20)]))
        assert whole(x[:0]).shape == (0, 4)


@pytest.mark.parametrize("mixes", [0, 1])
def test_gradients_of_pixels_are_those_of_the_layers(mixes: int) -> None:
    network = trained(mixes=mixes)
    x = torch.randn(2, 3, 16, 16, requires_grad=True)
    (by_layers,) = torch.autograd.grad(network(x).sum(), x)
    fast = for_inference(network)
    assert not list(fast.parameters())
    (folded,) = torch.autograd.grad(fast(x).sum(), x)
    torch.testing.assert_close(folded, by_layers, atol=1e-5, rtol=1e-4)


def test_a_network_that_is_none_of_ours_is_given_back() -> None:
    other = nn.Sequential(nn.Flatten(), nn.Linear(12, 2))
    assert for_inference(other) is other
    behind = MixedNetwork(ChannelMix(3), other)
    assert for_inference(behind) is behind
