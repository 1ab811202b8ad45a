"""Preferences of napari reach the docks and the jobs; older naparis have the usual values."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import napari.settings
import pytest
import torch
from npe2 import PluginManifest

import napari_channelmix
from napari_channelmix.classify.device import choose_device, choose_threads
from napari_channelmix.computing import Computing, compute_with, computing, within_cap
from napari_channelmix.jobs import drain
from napari_channelmix.viewer.pages.channels.jobs import cache_folder
from napari_channelmix.viewer.pages.channels.page import ChannelsPage
from napari_channelmix.viewer.pages.classifier.page import ClassifierPage
from napari_channelmix.viewer.pages.pixels.page import PixelsPage
from napari_channelmix.viewer.session.preferences import PLUGIN, PREFERENCES, Preferences

if TYPE_CHECKING:
    from collections.abc import Iterator

MANIFEST = Path(napari_channelmix.__file__).parent / "napari.yaml"


@pytest.fixture
def settings(plugin_settings: Any, npe2pm: Any) -> Iterator[Any]:
    """What napari keeps for this plugin, in a folder of this test."""
    if PLUGIN not in npe2pm:
        npe2pm.register(PluginManifest.from_file(MANIFEST))
    yield napari.settings.get_plugin_settings(PLUGIN)
    compute_with(Computing())


def test_the_usual_values_are_those_of_the_manifest(settings: Any) -> None:
    assert PREFERENCES.now == Preferences()
    assert computing() == Computing()


def test_a_value_that_is_not_known_is_refused(settings: Any) -> None:
    with pytest.raises(ValueError, match="tpu"):
        settings.computing.device = "tpu"


def test_jobs_follow_device_threads_and_memory(settings: Any) -> None:
    assert PREFERENCES.now.device == "auto"
    settings.computing.device = "cpu"
    settings.computing.memory = 0.5
    before = torch.get_num_threads()
    settings.computing.threads = 1
    try:
        assert computing() == Computing("cpu", 1, 0.5)
        assert choose_device("auto").type == "cpu"
        assert drain(choose_threads(lambda: pytest.fail("nothing is to be timed"))) == 1
        assert within_cap(2**40) == 2**29
        assert within_cap(1000) == 1000
    finally:
        torch.set_num_threads(before)


def test_docks_begin_with_the_seed_and_follow_it_until_it_is_chosen(
    settings: Any, dock: Any, qtbot: Any
) -> None:
    settings.computing.seed = 7
    classifier, importance = dock(ClassifierPage), dock(ChannelsPage)
    assert (classifier.seed.value(), importance.first_seed.value()) == (7, 7)
    importance.first_seed.setValue(3)
    settings.computing.seed = 9
    assert (classifier.seed.value(), importance.first_seed.value()) == (9, 3)


def test_the_cache_follows(settings: Any, dock: Any, kept: Path) -> None:
    explain = dock(PixelsPage)
    settings.cache.size = 2
    assert explain.cache._limit == 2 * 2**20
    assert cache_folder() is not None
    settings.cache.keep = False
    assert explain.cache._limit == 0
    assert cache_folder() is None


def test_an_older_napari_has_the_usual_values(monkeypatch: Any) -> None:
    monkeypatch.delattr(napari.settings, "get_plugin_settings")
    assert PREFERENCES.now == Preferences()
