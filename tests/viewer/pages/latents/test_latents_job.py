from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Progress, drain
from napari_channelmix.settings import EncodingSettings
from napari_channelmix.viewer.pages.latents.latents_job import (
    Look,
    find_latents_job,
    resolved,
    view_of,
)

from ...latent_cases import cells, tiny, tiny_of_features


def test_channels_take_the_colours_of_their_layers() -> None:
    view = view_of(Look(("DNA", "GFP"), ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0))), 3)
    assert view.channels == ("DNA", "GFP")
    assert view.weights == ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0))


def test_red_green_and_blue_of_one_picture_stay_what_they_are() -> None:
    odd = ((0.0, 1.0, 0.0), (1.0, 0.0, 1.0), (1.0, 0.5, 0.0))
    view = view_of(Look(("red", "green", "blue"), odd), 3)
    assert view.natural and view.weights[0] == (1.0, 0.0, 0.0)


def test_one_channel_is_grey_in_as_many_channels_as_are_wanted() -> None:
    assert view_of(Look(("DNA",)), 1).weights == ((1.0,),)
    assert view_of(Look(("DNA",)), 3).weights == ((1.0, 1.0, 1.0),)


def test_a_blend_is_weighted_by_importance() -> None:
    view = view_of(Look(("DNA", "GFP"), shares=(0.75, 0.25)), 1)
    assert view.weights == ((0.75,), (0.25,))


def test_more_channels_than_colours_are_refused_in_a_line() -> None:
    with pytest.raises(DataError, match="7 channels, but only 6 colours"):
        view_of(Look(tuple("abcdefg")), 3)


def test_a_sum_adds_the_channels_that_its_patterns_name() -> None:
    look = resolved(Look(("g*", "DNA"), summed=True), cells())
    assert look.channels == ("DNA", "GFP")
    assert view_of(look, 1).weights == ((1.0,), (1.0,))


def test_too_many_colours_are_refused_before_an_encoder_of_features_is_learnt(
    monkeypatch: Any,
) -> None:
    from napari_channelmix.drl import source_encoder

    def learning(*args: Any, **more: Any) -> Any:
        raise AssertionError("it was learnt first")

    monkeypatch.setattr(source_encoder, "feature_disentangler_job", learning)
    settings = EncodingSettings(features="efficientnet-lite0")
    many = cells(8)
    with pytest.raises(DataError, match="8 channels, but only 6 colours"):
        drain(find_latents_job(many, settings, Look(many.channels)))


@pytest.mark.usefixtures("quick_learners")
def test_the_job_finds_the_latents_of_all_cells(tmp_path: Path) -> None:
    from napari_channelmix.drl import save_disentangler

    path = save_disentangler(tiny(), tmp_path / "tiny.safetensors")
    stages: list[str] = []
    found = drain(
        find_latents_job(cells(), EncodingSettings(model=str(path)), Look(("DNA", "GFP"))),
        lambda progress: stages.append(progress.stage),
    )
    assert found.values.shape == (12, 10) and np.isfinite(found.values).all()
    assert stages[0] == "loading PyTorch" and "cutting out the cells" in stages


@pytest.mark.usefixtures("quick_learners")
def test_features_are_those_of_the_settings(monkeypatch: Any) -> None:
    from napari_channelmix.drl import source_encoder

    asked: list[Any] = []

    def learnt(*args: Any, **options: Any) -> Any:
        asked.append((args, options))
        yield Progress(0, 1, "features of sprites")
        return tiny_of_features()

    monkeypatch.setattr(source_encoder, "feature_disentangler_job", learnt)
    found = drain(
        find_latents_job(cells(), EncodingSettings(features="quarters"), Look(("DNA", "GFP")))
    )
    assert asked == [(("texture-sprites", "quarters"), {"seed": 0, "device": "auto"})]
    assert found.disentangler.title == "texture-sprites through quarters"
