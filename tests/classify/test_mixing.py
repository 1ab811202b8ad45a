"""The mixing layer: its weights, its blends, and the stem folded into it."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from napari_channelmix.classify.mixing import ChannelMix, Constraint, MixedNetwork
from napari_channelmix.classify.networks import NetworkSpec
from napari_channelmix.errors import ModelError

CONSTRAINTS: list[Constraint] = ["softmax", "nonneg", "over"]


@pytest.mark.parametrize("constraint", CONSTRAINTS)
@pytest.mark.parametrize("channels", [1, 2, 7, 40])
def test_alphas_start_equal(constraint: Constraint, channels: int) -> None:
    alpha = ChannelMix(channels, constraint=constraint).alpha
    share = 1 / (channels + 1) if constraint == "over" else 1 / channels
    torch.testing.assert_close(alpha, torch.full((1, channels), share))


@pytest.mark.parametrize("constraint", CONSTRAINTS)
@pytest.mark.parametrize("mixes", [1, 3])
def test_alphas_are_never_negative_whatever_the_weights(constraint: Constraint, mixes: int) -> None:
    layer = ChannelMix(5, mixes, constraint)
    for seed in range(5):
        torch.manual_seed(seed)
        nn.init.normal_(layer.weight, std=30.0)
        alpha = layer.alpha
        assert alpha.shape == (mixes, 5)
        assert torch.isfinite(alpha).all()
        assert (alpha >= 0).all()
        if constraint == "softmax":
            torch.testing.assert_close(alpha.sum(dim=1), torch.ones(mixes))
        if constraint == "over":
            assert (alpha.sum(dim=1) <= 1 + 1e-6).all()


def test_over_puts_the_first_channel_in_front() -> None:
    layer = ChannelMix(3, constraint="over")
    with torch.no_grad():
        layer.weight[:] = torch.tensor([1.0, 0.0, -1.0])
        front = layer.alpha.clone()
        layer.weight[:] = layer.weight.flip(1)
        back = layer.alpha.flip(1)
    opacity = torch.sigmoid(torch.tensor([1.0, 0.0, -1.0]))
    by_hand = torch.stack(
        [
            opacity[0],
            opacity[1] * (1 - opacity[0]),
            opacity[2] * (1 - opacity[0]) * (1 - opacity[1]),
        ]
    )
    torch.testing.assert_close(front[0], by_hand)
    assert not torch.allclose(front, back)
    assert front.sum() < 1


@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_several_mixes_start_different_and_the_same_each_time(constraint: Constraint) -> None:
    first, again = ChannelMix(4, 3, constraint), ChannelMix(4, 3, constraint)
    torch.testing.assert_close(first.weight, again.weight)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert not torch.allclose(first.alpha[one], first.alpha[other], atol=1e-2)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_blend_is_the_weighted_sum(dtype: torch.dtype) -> None:
    layer = ChannelMix(4, 2, "nonneg")
    x = torch.randn(3, 4, 6, 5, dtype=dtype)
    blended = layer(x)
    assert blended.dtype == dtype
    wanted = torch.einsum("kc,nchw->nkhw", layer.alpha.to(dtype), x)
    torch.testing.assert_close(blended, wanted)


@pytest.mark.parametrize("constraint", CONSTRAINTS)
@pytest.mark.parametrize("mixes", [1, 3])
def test_the_folded_stem_is_the_same_function_with_the_same_gradients(
    constraint: Constraint, mixes: int
) -> None:
    torch.manual_seed(0)
    folded = NetworkSpec("tiny", 4, 3, mixes, constraint).build().eval()
    assert isinstance(folded, MixedNetwork)
    x = torch.randn(5, 4, 24, 24)
    gradients, scores = [], []
    for forward in (folded, lambda x: folded.network(folded.mixing(x))):
        folded.zero_grad()
        scores.append(forward(x))
        scores[-1].square().sum().backward()
        gradients.append(
            [folded.mixing.weight.grad.clone(), folded.network.stem.weight.grad.clone()]  # type: ignore[union-attr]
        )
    torch.testing.assert_close(scores[0], scores[1], rtol=1e-5, atol=1e-5)
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_a_mixed_network_works_in_float64() -> None:
    network = NetworkSpec("tiny", 4, 3, 1).build().double().eval()
    assert network(torch.randn(2, 4, 24, 24, dtype=torch.float64)).dtype == torch.float64


def test_a_network_without_a_stem_is_given_the_blend() -> None:
    class Mean(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.mean(dim=(2, 3))

    network = MixedNetwork(ChannelMix(3, 2), Mean())
    x = torch.randn(2, 3, 5, 5)
    torch.testing.assert_close(network(x), network.mixing(x).mean(dim=(2, 3)))


def test_unknown_constraints_and_empty_layers_are_refused() -> None:
    with pytest.raises(ModelError, match="constraint 'free' is unknown; use softmax, nonneg, over"):
        ChannelMix(3, constraint="free")  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="0 channels and 1 mixes"):
        ChannelMix(0)
    with pytest.raises(ModelError, match="3 channels and 0 mixes"):
        ChannelMix(3, 0)


# ---------------------------------------------------------------- the formulas, by hand


@pytest.mark.parametrize(
    ("constraint", "weight", "alpha"),
    [
        # exp(w) / sum: 3 / 6, 2 / 6, 1 / 6.
        ("softmax", [math.log(3), math.log(2), 0.0], [1 / 2, 1 / 3, 1 / 6]),
        # log(1 + exp(w)), with no sum to keep.
        ("nonneg", [0.0, math.log(math.e - 1), math.log(math.e**2 - 1)], [math.log(2), 1.0, 2.0]),
        # Opacities 3/4, 1/2, 1/3; each channel shows through what is left by those in front.
        ("over", [math.log(3), 0.0, -math.log(2)], [3 / 4, 1 / 4 * 1 / 2, 1 / 4 * 1 / 2 * 1 / 3]),
    ],
)
def test_alphas_are_those_of_the_formula(
    constraint: Constraint, weight: list[float], alpha: list[float]
) -> None:
    layer = ChannelMix(3, constraint=constraint)
    with torch.no_grad():
        layer.weight[:] = torch.tensor([weight])
    torch.testing.assert_close(layer.alpha, torch.tensor([alpha]))


@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_several_mixes_start_half_a_unit_from_the_weights_of_equal_alphas(
    constraint: Constraint,
) -> None:
    equal = ChannelMix(40, 1, constraint).weight.detach()
    several = ChannelMix(40, 30, constraint).weight.detach()
    assert (several - equal).std().item() == pytest.approx(0.5, rel=0.05)


def test_a_mix_of_two_pixels_is_their_weighted_sum() -> None:
    layer = ChannelMix(2)
    with torch.no_grad():
        layer.weight[:] = torch.tensor([[math.log(3), 0.0]])
    x = torch.tensor([[[[1.0, 2.0]], [[10.0, -4.0]]]])
    torch.testing.assert_close(layer(x), torch.tensor([[[[0.75 + 2.5, 1.5 - 1.0]]]]))
