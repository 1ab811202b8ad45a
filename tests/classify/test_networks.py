"""Networks by name, for any number of channels and crops of 24 to 128 pixels."""

from __future__ import annotations

import sys

import pytest
import torch

from napari_channelmix.classify.networks import NetworkSpec, network_names
from napari_channelmix.errors import ModelError


@pytest.mark.parametrize("name", ["tiny", "small", "medium"])
@pytest.mark.parametrize("channels", [1, 2, 13])
@pytest.mark.parametrize("side", [24, 41, 128])
def test_small_networks_take_any_channels_and_sizes(name: str, channels: int, side: int) -> None:
    network = NetworkSpec(name, channels, 3).build()
    scores = network(torch.randn(2, channels, side, side))
    assert scores.shape == (2, 3)
    scores.sum().backward()
    assert all(p.grad is not None for p in network.parameters())


@pytest.mark.parametrize("name", network_names()[3:])
def test_monai_networks_take_any_channels_and_can_be_mixed(name: str) -> None:
    pytest.importorskip("monai")
    network = NetworkSpec(name, 5, 3, mixes=2).build().eval()
    with torch.inference_mode():
        assert network(torch.randn(2, 5, 64, 64)).shape == (2, 3)


def test_monai_that_is_absent_is_named_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "monai.networks", None)
    with pytest.raises(ModelError, match=r"'resnet18' comes from MONAI.*napari-channelmix\[zoo\]"):
        NetworkSpec("resnet18", 3, 2).build()


def test_an_unknown_network_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ModelError, match="network 'vast' is unknown; use tiny, small"):
        NetworkSpec("vast", 3, 2).build()


def test_a_description_builds_the_same_network_again() -> None:
    spec = NetworkSpec("tiny", 4, 2, 3, "over")
    assert NetworkSpec(**spec.as_dict()) == spec
    again = NetworkSpec(**spec.as_dict()).build()
    again.load_state_dict(spec.build().state_dict())


def test_crops_that_vanish_within_a_network_are_refused_in_a_line() -> None:
    assert NetworkSpec("small", 2, 2).trial(8) is not None
    with pytest.raises(ModelError, match="network 'small' cannot take crops of 6 pixels"):
        NetworkSpec("small", 2, 2).trial(6)


def test_building_leaves_the_random_state_of_others_alone() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    NetworkSpec("tiny", 2, 2, mixes=1).build(seed=5)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("name", "widths"),
    [("tiny", (8, 16, 32)), ("small", (16, 32, 64, 64)), ("medium", (32, 64, 128, 128, 256))],
)
def test_a_small_network_is_built_as_its_name_says(name: str, widths: tuple[int, ...]) -> None:
    network = NetworkSpec(name, 2, 3).build()
    layers = [one for one in network.modules() if isinstance(one, torch.nn.Conv2d)]
    assert tuple(one.out_channels for one in layers) == widths
    # Mean and maximum of the last map.
    assert network.head.in_features == 2 * widths[-1]


def test_the_scores_are_those_of_mean_and_maximum_of_the_last_map() -> None:
    network = NetworkSpec("tiny", 2, 3).build().eval()
    x = torch.randn(4, 2, 16, 16, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, torch.nn.BatchNorm2d):
                layer.running_mean.uniform_(-0.2, 0.2)
    maps, layers = network.stem(x), list(network.features)
    # Normalised and rectified; then, twice for three widths, halved by maximum, and so on again.
    for stage in range(3):
        if stage:
            maps = layers.pop(1)(torch.nn.functional.max_pool2d(maps, 2))
            del layers[0]
        maps = layers.pop(0)(maps).clamp(min=0)
        del layers[0]
    assert not layers
    assert maps.shape == (4, 32, 4, 4)
    pooled = torch.cat([maps.flatten(2).mean(dim=2), maps.flatten(2).max(dim=2).values], dim=1)
    wanted = pooled @ network.head.weight.T + network.head.bias
    torch.testing.assert_close(network(x), wanted)
