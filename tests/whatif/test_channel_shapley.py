"""Channel Shapley values of a finished classifier: known rules are found, bad input is said."""

import doctest
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

import napari_channelmix as cm
from napari_channelmix.classify.classifier import Classifier
from napari_channelmix.classify.networks import NetworkSpec
from napari_channelmix.errors import DataError, ModelError
from napari_channelmix.whatif import channel_shapley as module
from napari_channelmix.whatif.channel_shapley import channel_shapley_job
from napari_channelmix.whatif.channel_shapley_result import ChannelShapley

from .channel_cases import CLASSES, by_first, cells_of, model_of


def test_examples_are_true():
    result = doctest.testmod(module)
    assert result.attempted and not result.failed


def test_a_rule_of_one_channel_is_found_and_the_others_get_exactly_nothing():
    result = cm.channel_shapley(model_of(by_first), cells_of(), forwards=800)
    first, *others = result.of_class()
    assert result.order[0] == first.channel == "a"
    # With none of its channels a cell is its donor, whose class is right in half of the cases.
    assert first.value == pytest.approx(result.whole - result.nothing)
    assert first.swap == 1.0 and first.sham == 0.0
    assert all(row.value == row.low == row.high == row.swap == 0 for row in others)
    assert first.low < first.value < first.high
    assert result.exact and result.of_labels


def test_values_sum_to_what_all_channels_add_to_none():
    model = model_of(lambda means: means[:, 0] + 2 * means[:, 1] - means[:, 2] > 2)
    result = cm.channel_shapley(model, cells_of(), forwards=800)
    for name in CLASSES:
        assert np.isfinite([row.value for row in result.of_class(name)]).all()
    total = sum(row.value for row in result.of_class())
    assert total == pytest.approx(result.whole - result.nothing)


def test_two_channels_that_are_needed_together_share_evenly():
    cells = cells_of(2)
    pixels = cells.read()
    pixels[:, 1] = pixels[:, 0]
    twins = cm.Cells.from_array(
        pixels, cells.channels, cells.labels, cells.classes, cells.groups.tolist()
    )
    model = model_of(lambda means: (means[:, 0] > 2) & (means[:, 1] > 2), 2)
    first, second = cm.channel_shapley(model, twins, forwards=2000).of_class("high")
    assert first.value == pytest.approx(second.value, abs=0.03)
    # A 'high' cell needs both; a 'low' one stays so with either.
    assert first.swap == second.swap == 1.0


def test_more_than_eight_channels_are_sampled_and_keep_the_sum():
    model = model_of(by_first, 10)
    result = cm.channel_shapley(model, cells_of(10), forwards=3000)
    assert not result.exact
    assert result.order[0] == "a"
    total = sum(row.value for row in result.of_class())
    assert total == pytest.approx(result.whole - result.nothing)


def test_our_network_gives_the_same_by_its_fast_way_as_by_its_answers(monkeypatch):
    cells = cells_of(side=16)
    network = NetworkSpec("tiny", 3, 2).build(seed=1).eval()
    model = Classifier(
        network, NetworkSpec("tiny", 3, 2), cells.channels, CLASSES, np.zeros(3), np.ones(3), 16
    )
    fast = cm.channel_shapley(model, cells, forwards=400)
    from napari_channelmix.classify import networks

    monkeypatch.setattr(networks, "SmallNetwork", ForeignNetwork)
    plain = cm.channel_shapley(model, cells, forwards=400)
    np.testing.assert_allclose(
        fast.table.select_dtypes("number"), plain.table.select_dtypes("number"), atol=0.02
    )


class ForeignNetwork:
    """None of ours is one."""


def test_the_trained_cells_are_left_out_and_that_is_said():
    cells = cells_of(side=16)
    train, test = cells.split()
    model = cm.train_classifier(train, network="tiny", epochs=1, seed=0, device="cpu")
    result = cm.channel_shapley(model, cells, forwards=200)
    assert f"of the other {len(test)}" in result.lines[-1]
    assert result.of_class()[0].n <= len(test)
    every = cm.channel_shapley(model, cells, forwards=200, only="all")
    assert "too good" in every.lines[-1]


def test_cells_without_classes_are_judged_by_the_calls_of_the_classifier():
    cells = cells_of()
    bare = cm.Cells.from_array(cells.read(), cells.channels, groups=cells.groups.tolist())
    result = cm.channel_shapley(model_of(by_first), bare, forwards=800)
    assert not result.of_labels and result.whole == 1.0
    assert any("no cell has a class" in line for line in result.warnings)


def test_results_go_to_json_and_back():
    result = cm.channel_shapley(model_of(by_first), cells_of(groups=1), forwards=400)
    assert np.isnan(result.of_class()[0].low)
    again = ChannelShapley.from_dict(json.loads(json.dumps(result.as_dict(), allow_nan=False)))
    assert again.as_dict() == result.as_dict()
    assert list(again.table.columns)[:5] == ["channel", "class_name", "value", "low", "high"]


def test_one_group_a_constant_channel_and_a_class_of_one_cell_are_said():
    cells = cells_of(groups=1)
    pixels, labels = cells.read(), np.zeros(len(cells), np.int64)
    pixels[:, 2] = 7.0
    labels[1] = 1
    odd = cm.Cells.from_array(pixels, cells.channels, labels, CLASSES, ["well"] * len(cells))
    text = " ".join(cm.channel_shapley(model_of(by_first), odd, forwards=400).warnings)
    assert "c is constant" in text
    assert "high has one cell" in text
    assert "1 group is too few" in text


def test_a_model_that_calls_all_cells_the_same_leaves_nothing_to_exchange():
    result = cm.channel_shapley(model_of(lambda means: means[:, 0] > 99), cells_of(), forwards=400)
    assert all(np.isnan(row.swap) and row.value == 0 for row in result.of_class())
    assert any("predicts all these cells as one class" in line for line in result.warnings)


def test_bad_input_is_refused_in_a_line():
    with pytest.raises(ModelError, match="one channel"):
        cm.channel_shapley(model_of(by_first, 1), cells_of(1))
    with pytest.raises(DataError, match="no cells"):
        cm.channel_shapley(model_of(by_first), cells_of().subset([]))
    rng = np.random.default_rng(0)
    unsteady = model_of(lambda means: rng.integers(0, 2, len(means)))
    with pytest.raises(ModelError, match="from call to call"):
        cm.channel_shapley(unsteady, cells_of())
    with pytest.raises(ModelError, match="needs the channels"):
        cm.channel_shapley(model_of(by_first), cells_of(2))
    with pytest.raises(ModelError, match="no class 'x'"):
        cm.channel_shapley(model_of(by_first), cells_of(), forwards=200).of_class("x")


def test_what_is_no_classifier_is_refused_in_a_line():
    for ask in (cm.channel_shapley, lambda model, cells: cm.channel_means(cells, model)):
        with pytest.raises(ModelError, match="a Ridge cannot be asked about cells as it is"):
            ask(Ridge(), cells_of())


def test_a_copy_of_a_channel_is_said_unless_both_are_asked_together():
    cells = cells_of()
    pixels = cells.read()
    pixels[:, 2] = 3 * pixels[:, 0] + 1
    twins = cm.Cells.from_array(pixels, cells.channels, cells.labels, CLASSES, cells.groups)
    model = model_of(by_first)
    text = " ".join(cm.channel_shapley(model, twins, forwards=400).warnings)
    assert "c is a copy of a (r = 1.00): what is owed to a channel and its copy is split" in text
    together = cm.channel_shapley(model, twins, forwards=400, players={"both": ["a", "c"]})
    assert "copy" not in " ".join(together.warnings)
    assert "copy" not in " ".join(cm.channel_shapley(model, cells, forwards=400).warnings)


def test_the_job_tells_of_its_steps_and_can_be_closed():
    job = channel_shapley_job(model_of(by_first), cells_of(), forwards=400)
    assert next(job).total == 100
    job.close()


def test_a_classifier_that_is_wrong_of_these_cells_is_said_to_be_so():
    right, wrong = (model_of(rule) for rule in (by_first, lambda means: ~by_first(means)))
    said = [
        any("better than chance" in line for line in cm.channel_shapley(model, cells_of()).warnings)
        for model in (right, wrong)
    ]
    assert said == [False, True]


# ---------------------------------------------------------------- effects

T_CELLS = ("helper", "cytotoxic", "other")


def t_cell(means):
    """Helper cells have light in a and none in b; cytotoxic ones have light in b."""
    return np.where(means[:, 1] > 1, 1, np.where(means[:, 0] > 1, 0, 2))


def t_cells(channels=3, groups=8):
    rng = np.random.default_rng(5)
    labels = np.arange(96) % 3
    crops = rng.normal(0, 0.1, (96, channels, 8, 8)).astype(np.float32)
    crops[:, 0] += 2.0 * (labels == 0)[:, None, None]
    crops[:, 1] += 2.0 * (labels == 1)[:, None, None]
    # Half of the cytotoxic cells have light in a too.
    crops[1::6, 0] += 2.0
    wells = [f"well {number * groups // 96}" for number in range(96)]
    return cm.Cells.from_array(crops, list("abcdefghij")[:channels], labels, T_CELLS, wells)


@pytest.mark.parametrize("channels", [3, 10])
def test_effects_have_the_sign_of_a_need_and_of_a_needed_absence(channels):
    result = cm.channel_shapley(model_of(t_cell, channels, T_CELLS), t_cells(channels))
    effects, readable = result.effects(), result.readable()
    assert effects.index.tolist() == list(result.channels)
    assert effects.columns.tolist() == readable.columns.tolist() == list(T_CELLS)
    assert np.sign(effects.loc["a"]).tolist() == [1, 0, -1]
    assert np.sign(effects.loc["b"]).tolist() == [-1, 1, -1]
    assert readable.loc[["a", "b"]].to_numpy().tolist() == [[True, False, True], [True, True, True]]
    assert not readable.drop(["a", "b"]).to_numpy().any()
    assert (effects.drop(["a", "b"]) == 0).to_numpy().all()
    assert result.sentences == (
        "helper: needs a; needs b absent",
        "cytotoxic: needs b",
        "other: needs a, b absent",
    )
    assert set(result.sentences) < set(result.lines)


def test_a_value_below_0_is_no_need():
    # Everything with light in a is called the wrong class.
    model = model_of(lambda means: ~by_first(means))
    result = cm.channel_shapley(model, cells_of(), forwards=800)
    first = result.of_class("high")[0]
    assert first.value < 0 and not first.readable and result.sentences == ()


def test_a_channel_that_is_needed_in_the_middle_has_no_readable_direction():
    def middle(means):
        return np.abs(means[:, 0] - 2) < 1

    rng = np.random.default_rng(0)
    labels = np.arange(120) % 2
    levels = np.where(labels == 1, 2.0, rng.permutation(np.arange(120) % 4 // 2 * 4.0))
    crops = (rng.normal(0, 0.1, (120, 2, 8, 8)) + 0.0).astype(np.float32)
    crops[:, 0] += levels[:, None, None].astype(np.float32)
    wells = [f"well {number // 12}" for number in range(120)]
    cells = cm.Cells.from_array(crops, ["a", "b"], labels, CLASSES, wells)
    result = cm.channel_shapley(model_of(middle, 2), cells)
    row = result.of_class("high")[0]
    assert row.low > 0 and row.direction_low < 0 < row.direction_high and not row.readable
    assert "high: depends on a, neither on more nor on less of it alone" in result.sentences


def test_values_of_sampled_orders_say_their_sampling_error():
    model = model_of(lambda means: means[:, 0] + means[:, 1] > 2, 10)
    result = cm.channel_shapley(model, cells_of(10), forwards=3000)
    rows = result.of_class("high")
    assert rows[0].sampling_error > 0
    assert "sampled, ± sampling error" in result.lines[0] and " ± " in result.lines[0]
    assert "sampled, ± sampling error" in result.summary().facts
    exact = cm.channel_shapley(model_of(by_first), cells_of(), forwards=400)
    assert {row.sampling_error for row in exact.rows} == {0.0}
    assert "±" not in exact.lines[0]
    # Over seeds, values vary by about what is said (cells differ as well, which is part of it).
    values, errors = [], []
    for seed in range(12):
        row = cm.channel_shapley(model, cells_of(10), forwards=3000, seed=seed).of_class("high")[0]
        values.append(row.value)
        errors.append(row.sampling_error)
    assert np.std(values, ddof=1) < 1.6 * np.mean(errors)


def test_files_hold_a_long_table_a_table_by_class_and_both_in_json(tmp_path):
    result = cm.channel_shapley(model_of(t_cell, 10, T_CELLS), t_cells(10), forwards=2000)
    names = [file.name for file in result.save(tmp_path)]
    assert names == ["channels.json", "channels.csv", "channels.png", "channel_effects.csv"]
    table = pd.read_csv(tmp_path / "channel_effects.csv", index_col="channel")
    np.testing.assert_allclose(table, result.effects(), atol=1e-9)
    long = pd.read_csv(tmp_path / "channels.csv")
    assert {"direction", "direction_low", "direction_high", "sampling_error"} <= set(long.columns)
    content = json.loads((tmp_path / "channels.json").read_text("utf-8"))
    assert content["effects"]["helper"][:2] == pytest.approx(result.effects()["helper"][:2])
    assert content["effects_readable"]["helper"][:3] == [True, True, False]
    again = ChannelShapley.from_dict(content)
    pd.testing.assert_frame_equal(again.effects(), result.effects())


def test_rows_of_an_earlier_version_have_no_direction():
    content = cm.channel_shapley(model_of(by_first), cells_of(), forwards=400).as_dict()
    for name in ("effects", "effects_readable", "players"):
        content.pop(name)
    for row in content["rows"]:
        for name in ("direction", "direction_low", "direction_high", "sampling_error"):
            row.pop(name)
    old = ChannelShapley.from_dict(content)
    assert np.isnan(old.effects().loc["a"]).all() and not old.readable().to_numpy().any()


def test_classes_in_colours_or_bars_where_there_are_few(tmp_path):
    many = cm.channel_shapley(model_of(t_cell, 3, T_CELLS), t_cells(), forwards=400).plot()
    axes = many.axes[0]
    assert [text.get_text() for text in axes.get_xticklabels()] == list(T_CELLS)
    assert {text.get_text() for text in axes.get_yticklabels()} == set("abc")
    few = cm.channel_shapley(model_of(by_first), cells_of(), forwards=400).plot()
    assert "Shapley value" in few.axes[0].get_xlabel()


@pytest.mark.timeout(120)
def test_two_hundred_channels_are_asked_within_the_budget():
    cells = cells_of(2, side=16)
    pixels = np.random.default_rng(0).normal(size=(48, 200, 16, 16)).astype(np.float32)
    pixels[:, :2] = cells.read()
    names = [f"c{number}" for number in range(200)]
    wide = cm.Cells.from_array(pixels, names, cells.labels, CLASSES, cells.groups.tolist())
    spec = NetworkSpec("tiny", 200, 2)
    model = Classifier(
        spec.build(seed=1).eval(), spec, tuple(names), CLASSES, np.zeros(200), np.ones(200), 16
    )
    result = cm.channel_shapley(model, wide, forwards=4000)
    assert len(result.channels) == 200 and result.asked < 2 * 4000 + 4000 + 200


def test_a_wide_direction_is_not_known_and_few_cells_are_said():
    row = replace(
        cm.channel_shapley(model_of(by_first), cells_of(), forwards=400).of_class("high")[0],
        value=0.4,
        low=0.2,
        direction=0.5,
    )
    wide = replace(row, direction_low=-0.1, direction_high=1.0)
    narrow = replace(row, direction=0.0, direction_low=-0.2, direction_high=0.3)
    assert (wide.both_ways, wide.way_unknown) == (False, True)
    assert (narrow.both_ways, narrow.way_unknown) == (True, False)
    sure = replace(row, direction_low=0.2, direction_high=0.8)
    assert sure.readable and not sure.both_ways and not sure.way_unknown
    cells = cells_of()
    kept = np.concatenate(
        [np.flatnonzero(cells.labels == 0), np.flatnonzero(cells.labels == 1)[:3]]
    )
    rare = cm.channel_shapley(model_of(by_first), cells.subset(kept), forwards=400)
    assert "few cells, figures are rough: high (3)" in rare.warnings
