"""Edits of the real cell along latents, read back by an encoder that is known."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from napari_channelmix.jobs import drain
from napari_channelmix.viewer.pages.latents.real_cell_box import agreement
from napari_channelmix.viewer.pages.latents.real_edits import AxisEdit, real_cell_job

from ...latent_cases import cells, latents

AXES = ("Scale", "Intensity", "Rim", "Orientation", "Granularity")


class Reader:
    """Says how wide and how bright the picture is, and which way it lies: known to the reader."""

    names = ("Scale", "Intensity", "Cosine", "Sine")

    def axes(self) -> tuple[str, ...]:
        return AXES

    def columns(self, axis: str) -> tuple[int, ...]:
        return {"Scale": (0,), "Intensity": (1,), "Orientation": (2, 3)}.get(axis, (0,))

    def encode(self, pictures: Any) -> Any:
        light = np.asarray(pictures, np.float64)[:, 0] / 255
        area = (light > 0.05).sum(axis=(1, 2))
        y, x = np.indices(light.shape[1:]) - (light.shape[1] - 1) / 2
        total = np.maximum(light.sum(axis=(1, 2)), 1e-6)
        xx, yy, xy = ((light * part).sum(axis=(1, 2)) / total for part in (x * x, y * y, x * y))
        angle = np.arctan2(2 * xy, xx - yy)
        size = np.log2(np.maximum(area, 1)) / 2
        bright = np.log2(np.maximum(light.max(axis=(1, 2)), 1e-3))
        return np.stack([size, bright, np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)


def known(cell: int = 11) -> Any:
    """A cell of the twelve as a reader sees it that is no network."""
    of = latents(channels=1)
    reader = Reader()
    return SimpleNamespace(
        cells=cells(),
        prepared=of.prepared,
        disentangler=reader,
        axes=reader.axes,
        cell=cell,
    )


def test_size_and_brightness_are_edited_and_read_back() -> None:
    of = known()
    real = drain(real_cell_job(of, of.cell))
    assert {"Scale", "Intensity"} <= set(real.edits)
    # Nothing edits a cell's grains, and a rim is none of what this reader sees.
    assert "Granularity" not in real.edits
    own = {name: edit.own for name, edit in real.edits.items()}
    for name, asked in (("Scale", -0.4), ("Intensity", -0.8)):
        edited = real.edited({name: own[name] + asked})
        assert edited.wanted[name] == pytest.approx(asked)
        assert edited.read[name] == pytest.approx(asked, abs=0.15)
        assert list(edited.wanted) == [name]


def test_without_moves_the_cell_is_drawn_as_it_was_encoded() -> None:
    of = known()
    real = drain(real_cell_job(of, of.cell))
    edited = real.edited({})
    apart = edited.picture.astype(int) - of.prepared.pictures[of.cell].astype(int)
    assert np.abs(apart).max() <= 1
    assert edited.wanted == {} == edited.read and agreement(real, edited) == ""


def test_several_latents_are_moved_together_and_told_in_words() -> None:
    of = known()
    real = drain(real_cell_job(of, of.cell))
    own = {name: edit.own for name, edit in real.edits.items()}
    edited = real.edited({"Scale": own["Scale"] - 0.3, "Intensity": own["Intensity"] - 0.5})
    words = agreement(real, edited)
    assert words.startswith("Scale: asked \N{MINUS SIGN}0.30, read \N{MINUS SIGN}0.")
    assert "Intensity: asked \N{MINUS SIGN}0.50" in words and "not followed" not in words
    lost = dataclasses.replace(edited, read={"Scale": 0.4, "Intensity": edited.read["Intensity"]})
    assert "Scale: asked \N{MINUS SIGN}0.30, read +0.40 (not followed); " in agreement(real, lost)


def test_a_classifier_that_fits_follows_the_edit_and_one_that_does_not_is_left_out() -> None:
    from napari_channelmix.classify import ForeignClassifier

    def rule(crops: Any) -> Any:
        bright = np.clip(crops[:, 0].max(axis=(1, 2)), 0, 1)
        return np.stack([1 - bright, bright], axis=1).astype(np.float32)

    def asked(channels: tuple[str, ...]) -> Any:
        one, zero = np.ones(1), np.zeros(1)
        model = ForeignClassifier(
            rule, channels, ("dim", "bright"), zero, one, "probabilities", "a rule"
        )
        of = known()
        return drain(real_cell_job(of, of.cell, model))

    real = asked(("DNA",))
    own = real.edits["Intensity"].own
    darker = real.edited({"Intensity": own - 1.0})
    assert real.before[1] > darker.probabilities[1] > 0
    assert asked(("nothing",)).asker is None


def test_the_amount_that_changes_least_is_taken_where_several_would_do() -> None:
    axis = SimpleNamespace(neutral=0.0)
    amounts = np.array([-2.0, -1.0, 0.0, 1.0, 2.0], np.float32)
    edit = AxisEdit("Scale", (axis,), amounts, np.array([4.0, 1.0, 0.0, 2.0, 4.0]), 0.0)  # type: ignore[arg-type]
    assert edit.amount_for(1.0) == pytest.approx(0.5)
    assert edit.amount_for(3.0) == pytest.approx(1.5)
    # Beyond what it reaches: as near as can be.
    assert edit.amount_for(9.0) == -2.0
    assert edit.reach == 4.0


def test_an_angle_is_reached_the_short_way_round() -> None:
    axis = SimpleNamespace(neutral=0.0)
    amounts = np.array([-90.0, 0.0, 90.0], np.float32)
    own = 0.1
    values = np.array([own - np.pi / 2, own, own + np.pi / 2])
    edit = AxisEdit("Orientation", (axis,), amounts, values, own, cyclic=True)  # type: ignore[arg-type]
    assert edit.amount_for(2 * np.pi - 0.1) == pytest.approx(np.degrees(-0.2), abs=1e-3)
