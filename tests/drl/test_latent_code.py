"""The code: names in the paper's order, values on a line or a circle, read back as they were."""

import pytest
import torch

from napari_channelmix.drl.latent_code import Code
from napari_channelmix.drl.sprites import CELLS, PAPER, TEXTURED
from napari_channelmix.errors import ModelError

CODES = [Code(TEXTURED, 10), Code(CELLS, 11), Code(PAPER, 8)]

every_code = pytest.mark.parametrize("code", CODES, ids=lambda code: code.of.name)


def random_digits(code, count=500):
    generator = torch.Generator().manual_seed(0)
    sizes = torch.tensor([len(factor) for factor in code.of.factors])
    return (torch.rand(count, len(sizes), generator=generator) * sizes).long()


def test_the_first_latents_are_in_the_order_of_the_paper():
    assert CODES[0].names == (
        "Texture",
        "Color",
        "Shape",
        "Scale",
        "Orientation",
        "PosX",
        "PosY",
        "Orientation (sin)",
        "Spare 1",
        "Spare 2",
    )
    assert CODES[1].names == (
        "Granularity",
        "Intensity",
        "Shape",
        "Scale",
        "Orientation",
        "PosX",
        "PosY",
        "Orientation (sin)",
        "Rim",
        "Spare 1",
        "Spare 2",
    )


@every_code
def test_every_latent_belongs_to_one_factor_or_is_spare(code):
    owners = code.owners()
    assert owners.shape == (len(code.of.factors), code.latents)
    assert torch.equal(owners.sum(dim=0) + code.spare, torch.ones(code.latents, dtype=torch.long))
    for row, factor in zip(owners, code.of.factors, strict=True):
        named = [name for name, own in zip(code.names, row, strict=True) if own]
        assert {name.removesuffix(" (sin)") for name in named} == {factor.name}
        assert tuple(row.nonzero().flatten().tolist()) == tuple(sorted(code.latents_of(factor)))


@every_code
def test_what_is_written_is_read_back(code):
    digits = random_digits(code)
    latents = code.targets(digits)
    assert torch.equal(code.read(latents), digits)
    assert (latents[:, code.spare] == 0).all()
    assert latents.abs().max() <= 1.5
    noise = torch.rand(latents.shape, generator=torch.Generator().manual_seed(1)) - 0.5
    # The places of the paper, the closest values of all, are 0.097 apart.
    assert torch.equal(code.read(latents + 0.09 * noise), digits)


@every_code
def test_values_lie_evenly_on_a_line_or_on_a_circle(code):
    for factor in code.of.factors:
        levels = code.levels(factor)
        assert len(levels) == len(factor)
        if factor.cyclic:
            torch.testing.assert_close(levels.norm(dim=1), torch.full((len(factor),), 1.5))
            apart = (levels - levels.roll(1, dims=0)).norm(dim=1)
            assert tuple(levels[0].tolist()) == (1.5, 0.0)
        else:
            assert (levels[0].item(), levels[-1].item()) == (-1.5, 1.5)
            apart = levels.diff(dim=0).flatten()
        torch.testing.assert_close(apart, apart[:1].expand(len(apart)))


def test_too_few_latents_for_the_factors_are_refused():
    with pytest.raises(ModelError, match="cell-sprites need 9 latents or more, not 8"):
        Code(CELLS, 8)


def test_levels_of_a_line_and_of_a_circle_by_hand():
    code = CODES[0]
    shape, turn = TEXTURED.factor("Shape"), TEXTURED.factor("Orientation")
    assert code.levels(shape).flatten().tolist() == [-1.5, 0, 1.5]
    # Of forty values the tenth is a quarter of a turn.
    torch.testing.assert_close(code.levels(turn)[10], torch.tensor([0.0, 1.5]), atol=1e-6, rtol=0)
    assert code.names.index("Orientation (sin)") == 7
    assert code.latents_of(turn) == (4, 7)
