"""Sprites: any index to a picture, drawn as its factors say; pairs that differ as they claim."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import rotate

from napari_channelmix.drl.sprites import (
    CELLS,
    COLORS,
    PAPER,
    TEXTURED,
    Sprites,
    sprite_set,
)
from napari_channelmix.errors import ModelError

SETS = {of.name: of for of in (TEXTURED, CELLS, PAPER)}
WHITE = list(COLORS).index("white")


@pytest.fixture(scope="module")
def paper():
    return Sprites(PAPER)


def digits_of(of, **values):
    """Digits (1, K): the middle value of each factor but those that are named."""
    middle = [len(factor) // 2 for factor in of.factors]
    for name, value in values.items():
        middle[of.column(name)] = value
    return torch.tensor([middle])


def centred(of, **values):
    return digits_of(of, **{"Orientation": 0, **values})


# ---------------------------------------------------------------- indices


@pytest.mark.parametrize(
    ("of", "size"),
    [(PAPER, 25_804_800), (TEXTURED, 2_041_200)],
    ids=lambda one: getattr(one, "name", ""),
)
def test_the_number_of_sprites_is_that_of_all_combinations(of, size):
    assert of.size == size
    last = Sprites(of).digits(torch.tensor([0, size - 1]))
    assert last[0].tolist() == [0] * len(of.factors)
    assert last[1].tolist() == [len(factor) - 1 for factor in of.factors]


@given(st.sampled_from(sorted(SETS)), st.floats(0, 1, exclude_max=True))
def test_digits_are_the_index_in_mixed_radix_with_the_last_factor_fastest(name, share):
    of = SETS[name]
    index = int(share * of.size)
    digits = Sprites.digits(bare(of), torch.tensor([index]))[0].tolist()
    assert tuple(digits) == np.unravel_index(index, [len(factor) for factor in of.factors])


def bare(of):
    """Sprites without pictures, which are slow to prepare."""
    one = object.__new__(Sprites)
    one.of, one._radix = of, torch.tensor([len(factor) for factor in of.factors])
    return one


@pytest.mark.parametrize("index", [-1, TEXTURED.size])
def test_an_index_outside_the_set_is_refused(textured, index):
    with pytest.raises(ModelError, match="sprites 0 to 2041199"):
        textured.digits(torch.tensor([0, index]))


def test_names_that_are_not_there_are_refused():
    with pytest.raises(ModelError, match="no sprites 'dogs'; there are texture-sprites, cell-"):
        sprite_set("dogs")
    with pytest.raises(ModelError, match="texture-sprites has no factor 'Rim'; it has Texture"):
        TEXTURED.factor("Rim")


# ---------------------------------------------------------------- draws


def test_random_sprites_are_uniform_over_every_factor(textured, generator):
    digits = textured.random(20_000, generator)
    for column, factor in zip(digits.T, TEXTURED.factors, strict=True):
        share = torch.bincount(column, minlength=len(factor)) / len(column)
        assert len(share) == len(factor)
        assert (share - 1 / len(factor)).abs().max() < 0.02


@pytest.mark.parametrize("other", [True, False])
def test_a_redrawn_factor_is_uniform_over_the_other_values_or_over_all(textured, generator, other):
    start = digits_of(TEXTURED, Scale=2).repeat(6000, 1)
    column = TEXTURED.column("Scale")
    new = textured.redrawn(start, torch.full((6000,), column), generator, other=other)
    kept = [at for at in range(new.shape[1]) if at != column]
    assert torch.equal(new[:, kept], start[:, kept])
    share = torch.bincount(new[:, column], minlength=6) / 6000
    wanted = torch.full((6,), 1 / 5 if other else 1 / 6)
    if other:
        wanted[2] = 0
        assert share[2] == 0
    torch.testing.assert_close(share, wanted, atol=0.02, rtol=0)


@pytest.mark.parametrize("changes", [1, 3])
def test_pairs_differ_in_exactly_the_factors_that_are_named(textured, generator, changes):
    first, second, changed = textured.pairs(4000, generator, changes)
    assert torch.equal(first != second, changed)
    number, times = torch.unique(changed.sum(dim=1), return_counts=True)
    assert number.tolist() == sorted({1, changes})
    if changes > 1:
        assert abs(times[0] / 4000 - 0.5) < 0.03
    assert (second >= 0).all()
    assert (second < torch.tensor([len(factor) for factor in TEXTURED.factors])).all()


def test_factors_change_as_often_as_their_weights_say(textured, generator):
    changed = textured.pairs(20_000, generator)[2]
    weights = torch.tensor([factor.weight for factor in TEXTURED.factors])
    torch.testing.assert_close(
        changed.float().mean(dim=0), weights / weights.sum(), atol=0.015, rtol=0
    )


def test_more_changes_than_factors_are_refused(textured, generator):
    with pytest.raises(ModelError, match="have 7 factors; 8 of them cannot change"):
        textured.pairs(2, generator, 8)


# ---------------------------------------------------------------- outlines


@pytest.mark.parametrize("shape", range(3))
@pytest.mark.parametrize("turn", [7, 20])
def test_a_turned_sprite_has_the_mask_of_the_upright_one_turned(textured, shape, turn):
    upright, turned = (
        textured.draw(digits_of(TEXTURED, Shape=shape, Scale=5, Orientation=at)).masks[0].numpy()
        for at in (0, turn)
    )
    period = TEXTURED.outlines[shape].period
    wanted = rotate(upright, -360 * turn / 40 / period, reshape=False, order=1)
    both, either = ((turned > 0.5) & (wanted > 0.5)).sum(), ((turned > 0.5) | (wanted > 0.5)).sum()
    assert both / either > 0.97
    if shape:
        stays = ((turned > 0.5) & (upright > 0.5)).sum() / ((turned > 0.5) | (upright > 0.5)).sum()
        assert stays < 0.95


def test_orientation_is_a_circle_without_a_seam(textured):
    masks = textured.draw(
        torch.cat([digits_of(TEXTURED, Shape=2, Scale=5, Orientation=at) for at in range(40)])
    ).masks
    steps = (masks - masks.roll(1, dims=0)).abs().mean(dim=(1, 2))
    # The step from the last value to the first is like the others.
    assert steps[0] < 1.3 * steps[1:].max()
    assert steps[0] > 0.7 * steps[1:].min()


@pytest.mark.parametrize(("axis", "dimension"), [("PosY", 0), ("PosX", 1)])
def test_position_moves_the_mask_by_whole_pixels_down_and_right(textured, axis, dimension):
    middle = textured.draw(digits_of(TEXTURED)).masks[0]
    for digit, value in enumerate(TEXTURED.factor(axis).values):
        moved = textured.draw(digits_of(TEXTURED, **{axis: digit})).masks[0]
        torch.testing.assert_close(moved, middle.roll(round(float(value)), dims=dimension))


def test_the_sizes_of_squares_are_those_of_the_set(textured):
    for digit, size in enumerate(TEXTURED.factor("Scale").values):
        mask = textured.draw(centred(TEXTURED, Shape=0, Scale=digit)).masks[0]
        assert float(mask.sum()) == pytest.approx(float(size) ** 2, rel=0.03)


def test_the_geometry_of_the_paper_is_that_of_its_pictures(paper):
    # dSprites: squares of 10 to 20 pixels, their centre at 15.5 + 32 * position.
    first = paper.draw(centred(PAPER, Shape=0, Scale=0, PosX=0, PosY=31)).distance[0] > 0
    y, x = np.nonzero(first.numpy())
    assert (np.ptp(y) + 1, np.ptp(x) + 1) == (10, 10)
    assert (y.mean(), x.mean()) == (31.5 + 15, 31.5 - 16)
    last = paper.draw(centred(PAPER, Shape=0, Scale=5)).distance[0] > 0
    assert last.sum() == 400


def test_cells_have_one_area_whatever_their_shape(grainy):
    for digit, diameter in enumerate(CELLS.factor("Scale").values):
        wanted = math.pi / 4 * float(diameter) ** 2
        for shape in range(4):
            drawn = grainy.draw(centred(CELLS, Shape=shape, Scale=digit, Orientation=3))
            assert float((drawn.distance > 0).sum()) == pytest.approx(wanted, rel=0.04)


# ---------------------------------------------------------------- what fills them


@pytest.mark.parametrize("name", ["textured", "grainy"])
def test_pictures_lie_between_0_and_1_and_are_black_outside(name, request, generator):
    sprites = request.getfixturevalue(name)
    drawn = sprites.draw(sprites.random(64, generator), generator)
    outside = (drawn.distance < -2)[:, None]
    for pictures in (drawn.inputs, drawn.targets):
        assert pictures.shape == (64, sprites.of.channels, 64, 64)
        assert pictures.min() >= 0
        assert pictures.max() <= 1
        assert (pictures * outside).max() < 0.005
        assert (pictures.amax(dim=(1, 2, 3)) > 0.05).all()


@pytest.mark.parametrize("color", COLORS)
def test_a_color_is_the_ratio_of_the_channels(textured, color):
    digit = list(COLORS).index(color)
    picture = textured.draw(digits_of(TEXTURED, Color=digit)).inputs[0]
    mean = picture.mean(dim=(1, 2))
    wanted = torch.tensor(COLORS[color])
    torch.testing.assert_close(mean / mean.sum(), wanted / wanted.sum())


def test_an_input_is_a_window_of_a_tile_of_its_texture_anywhere(textured, generator):
    digits = digits_of(TEXTURED, Texture=3, Color=WHITE, Scale=5, Shape=0, Orientation=0)
    inputs = textured.draw(digits.repeat(6, 1), generator).inputs[:, 0, 28:36, 28:36]
    tiles = textured._tiles[3, :, :64, :64]
    offsets = set()
    for patch in inputs:
        # Try all tiles at all phases.
        found = torch.ones(tiles.shape, dtype=torch.bool)
        for y in range(8):
            for x in range(8):
                near = (tiles.roll((-y, -x), dims=(1, 2)) - patch[y, x]).abs() < 1e-4
                found &= near
        assert found.sum() == 1
        offsets.add(tuple(found.nonzero()[0].tolist()))
    assert len(offsets) == 6
    assert len({variant for variant, _, _ in offsets}) > 1


def test_targets_do_not_know_the_phase_and_inputs_do(textured, generator):
    digits = digits_of(TEXTURED).repeat(2, 1)
    drawn = textured.draw(digits, generator)
    assert torch.equal(drawn.targets[0], drawn.targets[1])
    assert not torch.equal(drawn.inputs[0], drawn.inputs[1])
    without = textured.draw(digits)
    assert torch.equal(without.inputs, without.targets)


def test_textures_of_the_paper_stay_where_they_are(paper, generator):
    drawn = paper.draw(digits_of(PAPER).repeat(2, 1), generator)
    assert torch.equal(drawn.inputs, drawn.targets)


def test_the_same_generator_draws_the_same_pictures(textured):
    one, other = (
        textured.draw(digits_of(TEXTURED).repeat(3, 1), torch.Generator().manual_seed(5)).inputs
        for _ in range(2)
    )
    assert torch.equal(one, other)


def test_another_seed_gives_textures_never_seen(textured):
    strangers = Sprites(TEXTURED, tile_seed=1007)
    digits = digits_of(TEXTURED)
    assert not torch.equal(strangers.draw(digits).targets, textured.draw(digits).targets)
    assert torch.equal(strangers.draw(digits).distance, textured.draw(digits).distance)


def test_two_steps_of_intensity_double_the_light(grainy):
    light = [
        float(grainy.draw(digits_of(CELLS, Granularity=0, Intensity=at)).targets.sum())
        for at in range(len(CELLS.factor("Intensity")))
    ]
    for low, high in zip(light, light[2:], strict=False):
        assert high / low == pytest.approx(2, rel=0.01)


def test_the_rim_is_brighter_or_darker_and_leaves_the_mean_alone(grainy):
    means, rims, values = [], [], CELLS.factor("Rim").values
    for at in range(len(values)):
        drawn = grainy.draw(digits_of(CELLS, Granularity=0, Rim=at, Scale=5))
        picture, inside = drawn.targets[0, 0], drawn.distance[0] > 0
        outer = (drawn.distance[0] > 1) & (drawn.distance[0] < 4)
        core = drawn.distance[0] > 12
        means.append(float(picture[inside].mean()))
        rims.append(float(picture[outer].mean() - picture[core].mean()))
    assert rims == sorted(rims)
    assert rims[0] < -0.05
    assert rims[values.index(0.0)] == pytest.approx(0, abs=0.01)
    assert rims[-1] > 0.05
    # But for the soft step at the outline, which dims bright rims a little.
    assert max(means) / min(means) < 1.03


# ---------------------------------------------------------------- the ranges, by their values


def values_of(of):
    return {factor.name: factor.values for factor in of.factors}


def test_textured_sprites_have_these_factors():
    found = values_of(TEXTURED)
    assert found["Texture"] == ("weave", "fibres", "lace", "pebbles", "cane")
    assert found["Color"] == ("orange", "pink", "olive", "white", "purple", "green", "cyan")
    assert found["Shape"] == ("square", "ellipse", "heart")
    assert found["Scale"] == pytest.approx((18, 22.4, 26.8, 31.2, 35.6, 40))
    assert found["Orientation"] == pytest.approx([k / 40 for k in range(40)])
    assert found["PosX"] == found["PosY"] == (-4, -3, -2, -1, 0, 1, 2, 3, 4)
    assert [factor.weight for factor in TEXTURED.factors] == [2, 2, 1.5, 1, 1.5, 0.5, 0.5]
    assert [factor.name for factor in TEXTURED.factors if factor.cyclic] == ["Orientation"]
    assert (TEXTURED.brightness, TEXTURED.variants, TEXTURED.tile_seed) == ((0.15, 1.0), 4, 7)


def test_cell_sprites_have_these_factors():
    found = values_of(CELLS)
    assert found["Granularity"] == ("smooth", "fine", "granular", "coarse")
    # Two steps double the light, four the diameter.
    assert found["Intensity"] == pytest.approx([0.13 * 2 ** (k / 2) for k in range(5)])
    assert found["Intensity"][4] == pytest.approx(0.52)
    assert found["Shape"] == ("roundish", "oval", "bean", "lobed")
    assert found["Scale"] == pytest.approx([18 * 2 ** (k / 4) for k in range(6)])
    assert found["Scale"][4] == pytest.approx(36)
    assert found["PosX"] == found["PosY"] == (-4, -3, -2, -1, 0, 1, 2, 3, 4)
    assert found["Rim"] == (-0.7, 0.0, 0.7)
    assert [factor.weight for factor in CELLS.factors] == [2, 1, 1.5, 1, 1.5, 0.5, 0.5, 1.5]
    assert (CELLS.brightness, CELLS.variants, CELLS.equal_area) == ((0.5, 1.5), 8, True)


def test_sprites_of_the_paper_have_its_ranges():
    found = values_of(PAPER)
    assert found["Scale"] == pytest.approx((10, 12, 14, 16, 18, 20))
    assert found["PosX"] == found["PosY"] == tuple(range(-16, 16))
    assert [factor.weight for factor in PAPER.factors] == [2, 2, 1.5, 1, 1.5, 0.5, 0.5]
    assert (PAPER.variants, PAPER.anchored) == (1, True)


def test_colors_are_equally_bright():
    # Rec. 709 luminance of the linear channels; white, the middle of the axis, is brighter.
    for name, color in COLORS.items():
        linear = [((v + 0.055) / 1.055) ** 2.4 for v in color]
        light = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        assert light == pytest.approx(1.0 if name == "white" else 0.3976, abs=2e-4), name


def test_the_mask_falls_within_a_pixel_of_the_outline(textured):
    drawn = textured.draw(digits_of(TEXTURED))
    torch.testing.assert_close(drawn.masks, 1 / (1 + torch.exp(-3 * drawn.distance)))


def test_a_colored_sprite_is_texture_times_mask_times_color(textured):
    digits = digits_of(TEXTURED, Texture=1, Color=0, PosX=4, PosY=4)
    drawn = textured.draw(digits)
    tile = textured._tiles[1, 0, :64, :64]
    color = torch.tensor([0.9096, 0.5883, 0.3658])[:, None, None]
    torch.testing.assert_close(drawn.targets[0], tile * drawn.masks * color)


def test_a_cell_is_texture_times_mask_times_intensity_and_rim(grainy):
    digits = digits_of(CELLS, Granularity=0, Shape=0, Scale=3, Intensity=2, Rim=2)
    drawn = grainy.draw(digits)
    depth = drawn.distance.clamp(min=0)
    # How deep a pixel lies, as a share of the deepest one, above the mean of the sprite.
    whole = depth / depth.max()
    above = whole - whole.sum() / (drawn.distance > 0).sum()
    light = 0.26 * (1 - 2 * 0.7 * above) * drawn.masks
    torch.testing.assert_close(drawn.targets[0], light, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("share", [0.0, 0.999999])
def test_a_phase_can_be_any_of_a_tile(textured, share, monkeypatch):
    def extreme(low, high, size, generator):
        return torch.full(size, low if share == 0 else high - 1)

    monkeypatch.setattr(torch, "randint", extreme)
    digits = digits_of(TEXTURED, Texture=2, Color=WHITE)
    inputs = textured.draw(digits, torch.Generator()).inputs[0, 0]
    tile = textured._tiles[2, 0 if share == 0 else 3, :64, :64]
    phase = 0 if share == 0 else 63
    light = textured.draw(digits).masks[0]
    torch.testing.assert_close(inputs, tile.roll((-phase, -phase), dims=(0, 1)) * light)
