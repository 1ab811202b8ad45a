"""Channel importance finds what was planted, says when it cannot be read, and can be resumed."""

import json
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy import stats

from napari_channelmix import Cells, ChannelImportance, channel_importance
from napari_channelmix.classify import ChannelMix, TrainingSettings
from napari_channelmix.classify.train import loaded
from napari_channelmix.data.samples import graded_channels, synthetic_plate
from napari_channelmix.dcmix.importance import channel_importance_job
from napari_channelmix.dcmix.negative_control import WithDecoys
from napari_channelmix.dcmix.repeats import METHOD, shares_of
from napari_channelmix.errors import DataError, ModelError
from napari_channelmix.jobs import drain

QUICK = {"network": "tiny", "settings": TrainingSettings(epochs=4), "device": "cpu"}
# Where it does not matter how well the networks have learnt.
BRIEF = {**QUICK, "settings": TrainingSettings(epochs=2)}


@pytest.fixture(scope="module")
def halves():
    sample = graded_channels((1.2, 0.5, 0.0), count=240, side=16)
    return *sample.cells.split(seed=0), sample.relevance


@pytest.fixture(scope="module")
def importance(halves):
    train, test, _ = halves
    return channel_importance(train, test, seeds=2, **QUICK)


def test_shares_and_shapley_rank_the_channels_as_planted(importance, halves):
    planted = list(halves[2].values())
    assert stats.spearmanr(importance.share, planted).statistic == 1
    assert np.argmax(importance.shapley) == np.argmax(planted)


def test_shares_sum_to_one_in_every_seed_and_in_the_mean(importance):
    np.testing.assert_allclose(np.sum(importance.share_of_seed, axis=1), 1)
    assert sum(importance.share) == pytest.approx(1)
    assert np.std(importance.share_of_seed, axis=0, ddof=1) == pytest.approx(importance.share_sd)


def test_accuracy_is_that_of_the_classifiers_on_the_held_out_cells(importance, halves):
    _, test, _ = halves
    recalls = [
        [
            np.mean(one.predict(test, prior="balanced")[test.labels == code] == code)
            for code in (0, 1)
        ]
        for one in importance.classifiers
    ]
    assert importance.accuracy["mixed"] == pytest.approx(np.mean(recalls))


def test_same_seed_same_numbers_and_another_seed_others(halves, importance):
    train, test, _ = halves
    again = channel_importance(train, test, seeds=1, shapley=False, **QUICK)
    other = channel_importance(train, test, seeds=1, seed=1, shapley=False, **QUICK)
    assert again.share_of_seed[0] == importance.share_of_seed[0]
    assert other.share_of_seed[0] == importance.share_of_seed[1]


def test_gains_and_offsets_of_channels_do_not_change_the_shares(halves, importance):
    train, test, _ = halves
    scaled = [
        Cells.from_array(
            part.read() * np.array([50, 0.02, 1])[:, None, None] + 7,
            part.channels,
            part.labels,
            part.classes,
            list(part.groups),
        )
        for part in (train, test)
    ]
    found = channel_importance(*scaled, seeds=1, shapley=False, **QUICK)
    np.testing.assert_allclose(found.share, importance.share_of_seed[0], atol=0.01)


def test_shuffled_labels_give_accuracy_at_chance_and_say_that_nothing_can_be_read():
    cells = graded_channels((1.2, 0.5, 0.0), count=600, side=16).cells
    dealt = np.random.default_rng(0).permutation(cells.labels)
    train, test = cells.with_labels(dealt, cells.classes).split(test=0.5)
    found = channel_importance(train, test, seeds=2, shapley=False, decoys=False, **QUICK)
    assert abs(found.accuracy["plain"] - 0.5) < 0.1
    assert "nothing can be read" in found.gate
    assert not found.open


def test_gate_closes_where_one_blend_cannot_hold_the_answer():
    # The class is which of four look-alike channels is lit, at any brightness: all-channel networks
    # see it, while a blend shows only some brightness.
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 480)
    lit = np.eye(4)[labels] * np.exp(rng.uniform(-1.5, 1.5, 480))[:, None]
    crops = lit[:, :, None, None] + rng.normal(0, 0.05, (480, 4, 16, 16))
    cells = Cells.from_array(crops, list("abcd"), labels, ("in a", "in b", "in c", "in d"))
    train, test = cells.split()
    found = channel_importance(
        train,
        test,
        seeds=1,
        decoys=False,
        network="tiny",
        settings=TrainingSettings(epochs=10),
        device="cpu",
    )
    assert found.accuracy["plain"] > 0.9
    assert found.accuracy["mixed"] < found.accuracy["plain"] - 0.05
    assert "costs accuracy" in found.gate
    assert "recall lost: in " in found.gate
    assert not found.open
    # The second answer still has all four: each is needed to know its own class.
    assert min(found.shapley) > 0.02


def test_decoy_of_a_channel_is_that_channel_of_another_cell(halves):
    train, _, _ = halves
    crops = drain(loaded(train))
    doubled = WithDecoys.behind(crops, seed=3)
    chosen = np.array([5, 0, 9])
    both = doubled.take(chosen)
    assert both.shape[1] == 2 * len(train.channels)
    everything = crops.take(np.arange(len(crops)))
    np.testing.assert_array_equal(both[:, :3], everything[chosen])
    for decoy in both[:, 3:]:
        matches = [(decoy == one).all() for one in everything]
        assert sum(matches) == 1
    subset = doubled.subset(np.array([9, 5]))
    np.testing.assert_array_equal(subset.take(np.array([1])), both[:1])
    np.testing.assert_array_equal(subset.cells.labels, train.labels[[9, 5]])


def test_bars_and_negative_control_are_of_one_fit(halves, importance):
    train, test, _ = halves
    assert importance.share_alone != importance.share
    assert sum(importance.share_alone) == pytest.approx(1)
    bare = channel_importance(train, test, seeds=1, shapley=False, decoys=False, **QUICK)
    assert bare.share == bare.share_alone and bare.decoy is None


def test_shapley_values_lie_between_nothing_and_the_whole(importance):
    assert importance.nothing == pytest.approx(0.5, abs=0.1)
    assert sum(importance.shapley) == pytest.approx(importance.whole - importance.nothing)


def test_a_channel_that_carries_nothing_gets_no_more_than_its_decoys(importance, halves):
    nothing = list(halves[2].values()).index(0.0)
    best = int(np.argmax(list(halves[2].values())))
    assert importance.share[best] > 2 * importance.decoy[best]
    assert importance.share[nothing] < 2.5 * max(importance.decoy)


def test_shares_are_ratios_of_alphas_averaged_over_mixes():
    mixing = ChannelMix(2, mixes=2)
    with torch.no_grad():
        mixing.weight.copy_(torch.log(torch.tensor([[3.0, 1.0], [1.0, 1.0]])))
    np.testing.assert_allclose(shares_of(mixing), [0.625, 0.375], atol=1e-6)
    # The sum of the alphas means nothing: only their ratios do.
    free = ChannelMix(2, constraint="nonneg")
    with torch.no_grad():
        free.weight.copy_(torch.log(torch.expm1(torch.tensor([[6.0, 2.0]]))))
    np.testing.assert_allclose(shares_of(free), [0.75, 0.25], atol=1e-6)


def test_p_values_need_four_seeds_and_find_the_channel_that_matters(importance):
    assert importance.p_value is None
    assert importance.p_value_reason == "fewer than 4 repeats"
    sample = graded_channels((1.6, 0.0, 0.0), count=240, side=16)
    found = channel_importance(sample.cells, seeds=4, shapley=False, **QUICK)
    # One channel decides, by its brightness: that may be a stain, but the shares can be read.
    assert found.verdict.startswith("Readable from the brightness of channel")
    assert found.answer == "share" and found.p_value_reason == ""
    best = int(np.argmax(list(sample.relevance.values())))
    assert found.p_value[best] < 0.01
    assert max(found.p_value) <= 1
    assert not any("too few for an error bar" in line for line in found.warnings)


def test_one_channel_has_nothing_to_compare(halves):
    train, test, _ = halves
    name = train.channels[0]
    with pytest.raises(ModelError, match=r"has one channel .* nothing to compare"):
        channel_importance(train.with_channels([name]), test.with_channels([name]), **QUICK)


def test_bad_data_is_refused_before_training(halves):
    train, test, _ = halves
    one_class = train.subset(train.labels == 0)
    with pytest.raises(DataError, match="all cells are of class"):
        channel_importance(one_class, test, **QUICK)
    flat = train.read()
    flat[:, 1] = 3
    constant = Cells.from_array(flat, train.channels, train.labels, train.classes)
    with pytest.raises(DataError, match="'channel 2' is constant"):
        channel_importance(constant, test, **QUICK)
    with pytest.raises(DataError, match="same channels"):
        channel_importance(train, test.with_channels(train.channels[:2]), **QUICK)


def test_progress_rises_to_its_total_and_streams_the_result_so_far(halves):
    train, test, _ = halves
    steps = []
    found = drain(channel_importance_job(train, test, seeds=2, **BRIEF), steps.append)
    fractions = [step.fraction for step in steps]
    assert all(b >= a - 1e-9 for a, b in pairwise(fractions))
    assert fractions[-1] == pytest.approx(1)
    partial = [step.partial for step in steps if step.partial is not None]
    assert [len(one.seeds) for one in partial] == [1, 2]
    assert partial[-1] == found


def test_an_interrupted_run_keeps_finished_seeds_and_does_only_the_rest(halves, tmp_path):
    train, test, _ = halves
    job = channel_importance_job(train, test, seeds=2, parts=tmp_path, decoys=False, **BRIEF)
    for step in job:
        if step.partial is not None:
            break
    job.close()
    whole = channel_importance(train, test, seeds=2, decoys=False, **BRIEF)
    stages = []
    resumed = drain(
        channel_importance_job(train, test, seeds=2, parts=tmp_path, decoys=False, **BRIEF),
        lambda step: stages.append(step.stage),
    )
    assert "repeat 1 of 2: kept from an earlier run" in stages
    assert not any(stage.startswith("repeat 1 of 2: mixed") for stage in stages)
    assert resumed == whole
    np.testing.assert_array_equal(
        resumed.classifiers[0].predict_proba(test), whole.classifiers[0].predict_proba(test)
    )


def test_repeats_of_an_earlier_version_are_used_and_are_not_mixed_in_silence(halves, tmp_path):
    train, test, _ = halves
    brief = {**BRIEF, "decoys": False, "seeds": 2, "parts": tmp_path}
    new = channel_importance(train, test, **brief)

    def as_before(path):
        # Earlier versions did not write how a repeat was computed.
        content = json.loads(path.read_text("utf-8"))
        assert content.pop("method") == METHOD
        path.write_text(json.dumps(content), "utf-8")

    first, second = sorted(tmp_path.glob("*.json"))
    as_before(first)
    some = channel_importance(train, test, **brief)
    as_before(second)
    all_earlier = channel_importance(train, test, **brief)

    (line,) = set(some.warnings) - set(new.warnings)
    assert line.startswith("1 of 2 repeats were kept from an earlier version")
    assert "method" not in json.loads(second.read_text("utf-8"))
    assert all_earlier == new


def test_parts_of_other_settings_or_damaged_ones_are_not_used(halves, tmp_path):
    train, test, _ = halves
    quick = {**BRIEF, "shapley": False, "decoys": False, "seeds": 1, "parts": tmp_path}
    first = channel_importance(train, test, **quick)
    for path in tmp_path.glob("*.json"):
        path.write_text('{"seed": 0}', "utf-8")
    assert channel_importance(train, test, **quick) == first
    quick["settings"] = TrainingSettings(epochs=1)
    assert channel_importance(train, test, **quick).share != first.share


def test_alike_channels_and_rare_classes_are_warned_of():
    sample = graded_channels((1.0, 0.0), count=120, side=16)
    crops = sample.cells.read()
    twins = np.concatenate([crops, crops[:, :1] * 2], axis=1)
    cells = Cells.from_array(twins, ("a", "b", "twin of a"), sample.cells.labels, ("x", "y"))
    train, test = cells.split(test=0.1)
    found = channel_importance(train, test, seeds=1, shapley=False, decoys=False, **QUICK)
    assert any("a and twin of a are alike (r = 1.00)" in line for line in found.warnings)
    assert any("figures are rough" in line for line in found.warnings)
    assert any("too few for an error bar" in line for line in found.warnings)


def test_the_planted_reporter_of_the_synthetic_plate_comes_first():
    train, test = synthetic_plate(wells=8, cells_per_well=16, side=128, crop=24).cells.split()
    found = channel_importance(
        train,
        test,
        seeds=1,
        decoys=False,
        network="tiny",
        settings=TrainingSettings(epochs=6),
        device="cpu",
    )
    assert found.channels[int(np.argmax(found.share))] == "reporter"
    assert found.channels[int(np.argmax(found.shapley))] == "reporter"
    # Two held-out wells prove nothing, however right the calls are.
    assert found.verdict == "Nothing can be read: too few groups"
    assert found.order == (0, 1, 2, 3)


def test_result_is_what_was_saved(importance, tmp_path):
    paths = importance.save(tmp_path)
    assert {path.name for path in paths} == {
        f"importance.{kind}" for kind in ("json", "csv", "png", "svg")
    }
    assert all(path.stat().st_size > 0 for path in paths)
    content = json.loads((tmp_path / "importance.json").read_text("utf-8"))
    assert content["schema"] == "napari-channelmix/importance/1"
    assert content["provenance"]["seeds"] == [0, 1]
    assert ChannelImportance.load(tmp_path / "importance.json") == importance


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"mixes": 0}, "mixes must be 1 or more, not 0"),
        ({"seeds": 0}, "seeds must be 1 or more, not 0"),
        ({"seed": -1}, "the seed must be 0 or more, not -1"),
        ({"constraint": "tight"}, "constraint 'tight' is unknown"),
        ({"network": "medium"}, "network 'medium' cannot take crops of 8 pixels"),
    ],
)
def test_settings_that_cannot_work_are_refused_before_a_pixel_is_read(
    asked, says, halves, monkeypatch
):
    train, test, _ = halves
    small = [
        Cells.from_array(part.read()[:, :, :8, :8], part.channels, part.labels, part.classes)
        for part in (train, test)
    ]
    monkeypatch.setattr(Cells, "read", lambda *_: pytest.fail("a pixel was read"))
    with pytest.raises(ModelError, match=says):
        channel_importance(*small, **{**QUICK, **asked})


@pytest.fixture(scope="module")
def wells():
    """Wells of ten cells of one class, of which one channel tells it."""
    sample = graded_channels((1.6, 0.0, 0.0), count=240, side=16)
    rows = np.argsort(sample.cells.labels, kind="stable")
    labels = sample.cells.labels[rows]
    place = np.where(labels == 0, np.arange(240), np.arange(240) - (labels == 0).sum())
    names = [f"{label} {at // 10}" for label, at in zip(labels, place, strict=True)]
    cells = Cells.from_array(
        sample.cells.read()[rows], sample.cells.channels, labels, ("a", "b"), names
    )
    return cells, int(np.argmax(list(sample.relevance.values())))


def test_cells_that_come_in_wells_get_p_values_over_the_wells(wells):
    cells, best = wells
    found = channel_importance(cells, seeds=4, shapley=False, **QUICK)
    assert found.p_value_reason == ""
    assert found.p_value[best] < 0.05 < min(np.delete(found.p_value, best))
    # The larger of both; for the smallest of three channels, Holm's correction triples it.
    assert found.p_value[best] == pytest.approx(3 * max(found.p_decoy[best], found.p_alone[best]))


def test_effects_have_a_sign_in_table_and_file(halves, tmp_path):
    train, test, _ = halves
    result = channel_importance(train, test, **{**BRIEF, "decoys": False, "seeds": 3})
    effects = result.effects()
    assert effects.index.tolist() == list(result.channels)
    assert list(effects.columns) == list(result.per_class)
    for name, values in result.per_class.items():
        np.testing.assert_allclose(effects[name].abs(), np.abs(values))
        assert np.sign(effects[name]).tolist() == np.sign(result.direction[name]).tolist()
        columns = result.to_frame()[f"effect on {name}"]
        np.testing.assert_allclose(columns[list(result.channels)], effects[name])
    result.save(tmp_path)
    content = json.loads((tmp_path / "importance.json").read_text("utf-8"))
    assert set(content["direction"]) == set(content["effects_readable"]) == set(result.per_class)
    assert content["sampling_error"] is None
    assert ChannelImportance.load(tmp_path / "importance.json").effects().equals(effects)
