"""What a step along a latent does to a picture by definition."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_channelmix.drl.known_operations import applied, known_columns, steps_of
from napari_channelmix.drl.latent_code import Code
from napari_channelmix.drl.sprites import CELLS, TEXTURED, Sprites

CODE, COLOURED = Code(CELLS, 11), Code(TEXTURED, 10)


def at(code, **values):
    """Latents (1, Z) of 0 but for some; orientation at angle 0."""
    z = torch.zeros(1, code.latents)
    z[0, code.names.index("Orientation")] = 1.5
    for name, value in values.items():
        z[0, code.names.index(name)] = value
    return z


def test_all_but_the_rim_is_known():
    known = {CODE.names[column] for column in known_columns(CODE)}
    assert {"Rim"} == {name for name in CODE.names if not name.startswith("Spare")} - known
    assert len(known_columns(COLOURED)) == 8


def test_a_step_of_scale_is_the_ratio_of_the_sprites_diameters():
    # Six diameters, four a doubling: a fifth of the axis, .6, is a factor of 2 ** .25.
    steps = steps_of(CODE, at(CODE), at(CODE, Scale=0.6))
    assert float(steps.zoom) == pytest.approx(2**0.25, rel=1e-4)
    assert float(steps.gain) == 1
    # Coloured sprites grow evenly, from 18 to 40 pixels; 29 in the middle.
    steps = steps_of(COLOURED, at(COLOURED), at(COLOURED, Scale=1.5))
    assert float(steps.zoom) == pytest.approx(40 / 29, rel=1e-4)


def test_a_step_of_intensity_is_a_gain_and_goes_on_beyond_the_sprites():
    # Five values, two a doubling: a quarter of the axis, .75, is a factor of 2 ** .5.
    for start in (0.0, 1.5):
        steps = steps_of(CODE, at(CODE, Intensity=start), at(CODE, Intensity=start + 0.75))
        assert float(steps.gain) == pytest.approx(2**0.5, rel=1e-4)


def test_a_turn_is_divided_by_the_period_of_the_outline():
    quarter = at(CODE)
    quarter[0, CODE.names.index("Orientation")] = 0.0
    quarter[0, CODE.names.index("Orientation (sin)")] = 1.5
    # Roundish: period 2. A bean, at +.5: period 1.
    start, bean = at(CODE, Shape=-1.5), at(CODE, Shape=0.5)
    for begin, period in ((start, 2), (bean, 1)):
        end = quarter.clone()
        end[0, CODE.names.index("Shape")] = begin[0, CODE.names.index("Shape")]
        assert float(steps_of(CODE, begin, end).turn) == pytest.approx(np.pi / 2 / period, abs=1e-5)


def test_nothing_moves_where_no_slider_does():
    picture = torch.rand(1, 1, 64, 64)
    same = applied(picture, steps_of(CODE, at(CODE), at(CODE)))
    torch.testing.assert_close(same, picture)


def test_a_square_is_zoomed_about_the_middle_and_shifted():
    picture = torch.zeros(1, 1, 64, 64)
    picture[:, :, 22:42, 22:42] = 0.5
    grown = applied(picture, steps_of(CODE, at(CODE), at(CODE, Scale=0.6)))
    # A side of 20 becomes one of 20 * 2 ** .25 = 23.8.
    assert float(grown.sum()) == pytest.approx(0.5 * 23.78**2, rel=0.02)
    assert float(grown.max()) == pytest.approx(0.5)
    # Nine places from -4 to 4 pixels: .75 along the axis is two pixels.
    moved = applied(picture, steps_of(CODE, at(CODE), at(CODE, PosX=0.75)))
    assert float(moved[0, 0, 30, 42]) > 0.45
    assert float(moved[0, 0, 30, 22]) < 0.05
    assert float(moved[0, 0, 22, 30]) > 0.45


@pytest.mark.parametrize(("name", "value"), [("Shape", 0.5), ("Scale", 0.9), ("Orientation", 8)])
def test_a_smooth_sprite_becomes_the_sprite_with_the_other_value(name, value):
    """The operation on one sprite gives the other sprite: turn and outline agree with the set."""
    sprites = Sprites(CELLS)
    digits = torch.zeros(1, len(CELLS.factors), dtype=torch.long)
    digits[0] = torch.tensor([0, 2, 1, 3, 3, 4, 4, 1])
    other = digits.clone()
    column = CELLS.column(name)
    other[0, column] = {"Shape": 2, "Scale": 5, "Orientation": 11}[name]
    first, second = (sprites.draw(some).targets for some in (digits, other))
    start, end = (CODE.targets(some) for some in (digits, other))
    drawn = applied(first, steps_of(CODE, start, end))
    before, after = ((one - second).abs().mean() for one in (first, drawn))
    assert float(after) < 0.25 * float(before)


def test_grains_replace_the_fine_texture_inside_and_leave_light_and_outline():
    y, x = np.mgrid[:64, :64] - 31.5
    picture = torch.from_numpy(0.4 * (np.hypot(y, x) < 20)).float()[None, None]
    steps = steps_of(CODE, at(CODE, Granularity=-1.5), at(CODE, Granularity=0.5))
    grainy = applied(picture, steps)
    inside = torch.from_numpy(np.hypot(y, x) < 15)
    assert float(grainy[0, 0][inside].std()) > 0.05
    assert float(picture[0, 0][inside].std()) < 1e-6
    assert float(grainy.mean()) == pytest.approx(float(picture.mean()), rel=0.06)
    assert float(grainy[0, 0][torch.from_numpy(np.hypot(y, x) > 23)].abs().max()) < 1e-6


def test_a_colour_is_that_of_the_sprites_as_bright_as_before():
    # White stands in the middle of the axis, green (.3765, .7284, .5963) at +1.
    steps = steps_of(COLOURED, at(COLOURED), at(COLOURED, Color=1.0))
    assert steps.gain[0].tolist() == pytest.approx([0.3765, 0.7284, 0.5963], rel=1e-3)
