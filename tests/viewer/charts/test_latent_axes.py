from __future__ import annotations

import numpy as np
import pytest

from napari_channelmix.viewer.charts.latent_axes import (
    axes_of,
    figure,
    inactive_of,
    moved,
    signed,
    title_of,
)

from ..latent_cases import latents


def test_orientation_is_one_axis_over_two_latents() -> None:
    found = latents()
    axes = {axis.name: axis for axis in axes_of(found)}
    assert "Orientation (sin)" not in axes
    turn = axes["Orientation"]
    assert turn.cyclic and len(turn.columns) == 2
    assert (turn.low, turn.high) == (0.0, 2 * np.pi)
    assert turn.values.min() >= 0 and turn.values.max() < 2 * np.pi


def test_inactive_latents_are_named_and_not_moved() -> None:
    found = latents(inactive=("PosX", "Color"))
    assert inactive_of(found) == ("Colour", "Position x")
    assert not {"PosX", "Color"} & {axis.name for axis in axes_of(found)}


def test_texture_is_worded_as_typical() -> None:
    assert title_of("Texture") == "Typical texture"
    assert title_of("Granularity") == "Typical texture"
    tip = next(axis.tip for axis in axes_of(latents()) if axis.name == "Texture")
    assert "not with that of this cell" in tip


def test_the_weaker_badge_of_two_latents_counts() -> None:
    found = latents()
    both = [one.badge for one in found.trust if one.name.startswith("Orientation")]
    assert both == ["plausible", "plausible"] or len(set(both)) == 2
    from dataclasses import replace

    judged = tuple(
        replace(
            one,
            badge="not verified" if "sin" in one.name else "verified",
            r=0.1 if "sin" in one.name else 0.9,
        )
        for one in found.trust
    )
    axes = axes_of(replace(found, trust=judged))
    assert next(axis.badge for axis in axes if axis.name == "Orientation") == "not verified"


def test_a_tip_says_why_in_words() -> None:
    tip = next(axis.tip for axis in axes_of(latents()) if axis.name == "Shape")
    assert "correlates with area (r +0.60)" in tip
    assert "S on sprites 0.95, now 0.90" in tip
    assert "square, ellipse, heart" in tip


def test_an_unmoved_cell_keeps_its_latents_exactly() -> None:
    found = latents()
    np.testing.assert_array_equal(moved(found, 3, axes_of(found), {}), found.values[3])


def test_moving_an_axis_changes_its_latents_alone() -> None:
    found, axes = latents(), None
    axes = axes_of(found)
    z = moved(found, 3, axes, {"Scale": 0.7})
    at = found.names.index("Scale")
    assert z[at] == pytest.approx(0.7)
    np.testing.assert_array_equal(np.delete(z, at), np.delete(found.values[3], at))


def test_an_angle_goes_round_its_circle() -> None:
    found = latents()
    axes = axes_of(found)
    cosine, sine = next(axis.columns for axis in axes if axis.cyclic)
    z = moved(found, 3, axes, {"Orientation": np.pi / 2})
    radius = max(float(np.hypot(*found.values[3, [cosine, sine]])), 0.75)
    assert z[cosine] == pytest.approx(0, abs=1e-6) and z[sine] == pytest.approx(radius)


def test_an_axis_reaches_as_far_as_the_cell() -> None:
    axis = next(axis for axis in axes_of(latents()) if axis.name == "Scale")
    assert axis.reaching(5.0).high == 5.0 and axis.reaching(-5.0).low == -5.0
    assert axis.reaching(0.0) is axis


def test_values_are_written_as_one_would() -> None:
    axes = {axis.name: axis for axis in axes_of(latents())}
    assert figure(axes["Scale"], 0.256) == "+0.26"
    assert figure(axes["Orientation"], np.pi / 2) == "90°"
    assert signed(-0.5, 1) == "\N{MINUS SIGN}0.5" and signed(0.5, 1, plus=False) == "0.5"
    assert signed(-0.001, 2) == "+0.00"
