"""The smallest set of channels: planted ones are found, and their accuracy is not flattered."""

import doctest
import json
from dataclasses import asdict

import numpy as np
import pytest

import napari_channelmix as cm
from napari_channelmix.errors import ChannelMixError, DataError, ModelError
from napari_channelmix.settings.panel import PanelSettings
from napari_channelmix.whatif.panel_result import Panel


def cells_of(weights, classes=2, count=120, groups=12, seed=0):
    """Channel c tells class 'c + 1' (modulo) from others by its weight; others are noise."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    crops = rng.normal(size=(count, len(weights), 10, 10))
    for channel, weight in enumerate(weights):
        crops[:, channel] += weight * (labels == (channel + 1) % classes)[:, None, None]
    wells = [f"well {number * groups // count}" for number in range(count)]
    names = [f"class {code}" for code in range(classes)]
    return cm.Cells.from_array(crops, list("abcdefgh")[: len(weights)], labels, names, wells)


@pytest.fixture(scope="module")
def result():
    return cm.panel(cells_of([0, 0.8, 0, 0.8], classes=4), retrain=False, folds=3)


def test_examples_are_true():
    import importlib

    outcome = doctest.testmod(importlib.import_module("napari_channelmix.whatif.panel"))
    assert outcome.attempted and not outcome.failed


def test_one_channel_that_says_it_all_is_the_panel():
    found = cm.panel(cells_of([0, 0, 3.0]), retrain=False, folds=3)
    assert found.channels == ("c",)
    assert found.nested["balanced"] == found.whole["balanced"] == 1.0
    row = found.table.set_index("channel").loc["c"]
    # Without its only channel the set is a guess between two classes.
    assert row["without"] == 0.5 and row["cost"] == 0.5 and row["low"] > 0.2
    others = found.table.set_index("channel").loc[["a", "b"]]
    assert (others["cost"].abs() < 0.02).all() and not others["chosen"].any()


def test_channels_that_are_needed_together_are_found_with_what_each_costs(result):
    assert result.channels == ("b", "d")
    rows = result.table.set_index("channel")
    assert (rows.loc[["b", "d"], "cost"] > 0.1).all()
    assert (rows["chosen_share"].loc[["b", "d"]] == 1).all()
    assert result.whole["n_groups"] == 12


def test_noise_is_not_flattered_by_the_search():
    noise = cm.panel(cells_of([0] * 3, count=90, groups=9), retrain=False, folds=3)
    low, high = noise.nested["low"], noise.nested["high"]
    assert low < 0.5 < high
    assert any("chance" in line for line in noise.warnings)


def test_more_than_six_channels_are_added_one_by_one():
    found = cm.panel(
        cells_of([0, 0, 3.0, 0, 0, 0, 0, 0], count=60, groups=6), retrain=False, folds=3
    )
    assert found.channels == ("c",)


def test_networks_trained_anew_are_compared_on_the_same_held_out_cells():
    found = cm.panel(
        cells_of([0, 3.0], count=48, groups=8), folds=3, network="tiny", epochs=1, device="cpu"
    )
    whole, few = found.retrained["whole"], found.retrained["panel"]
    assert whole["n_cells"] == few["n_cells"] > 0
    assert found.retrained["behind"]["difference"] == pytest.approx(
        whole["balanced"] - few["balanced"]
    )
    assert "networks trained anew: all channels" in found.lines[-1]
    assert "of groups that did not choose these" in found.lines[-1]


def test_groups_on_which_networks_are_compared_did_not_choose_the_set(monkeypatch):
    from napari_channelmix.whatif import panel as module

    cells = cells_of([0, 3.0, 3.0], count=72, groups=12)
    folds = module._folds(cells, PanelSettings(folds=3))
    # Channels b and c both tell the class; in the fold of the check now one does, now the other.
    rng = np.random.default_rng(1)
    pixels = rng.normal(size=(72, 3, 10, 10))
    for cell, (fold, label) in enumerate(zip(folds, cells.labels, strict=True)):
        told = [1, 2] if fold != module.CHECKED else [1 + cell // 2 % 2]
        pixels[cell, told] += 3.0 * label * (3 - len(told))
    changed = cm.Cells.from_array(
        pixels, cells.channels, cells.labels, cells.classes, list(cells.groups)
    )
    monkeypatch.setattr(module, "_folds", lambda cells, settings: folds)
    found = cm.panel(changed, folds=3, network="tiny", epochs=1, device="cpu")
    assert found.channels == ("b", "c")
    # Either says it all there, and only one is needed.
    assert found.retrained["channels"] in (["b"], ["c"])


def test_results_go_to_json_and_back(result):
    again = Panel.from_dict(json.loads(json.dumps(result.as_dict(), allow_nan=False)))
    assert asdict(again) == asdict(result)


def test_bad_input_is_refused_in_a_line():
    with pytest.raises(ModelError, match="one channel"):
        cm.panel(cells_of([1.0]))
    with pytest.raises(DataError, match="no cell has a class"):
        cm.panel(cm.Cells.from_array(np.zeros((4, 2, 8, 8)), ["a", "b"]))
    with pytest.raises(ChannelMixError, match="group"):
        cm.panel(cells_of([1.0, 0], groups=2), retrain=False)
    with pytest.raises(ModelError, match="margin"):
        cm.panel(cells_of([1.0, 0]), margin=2)
