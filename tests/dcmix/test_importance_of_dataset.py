"""Channel importance of a whole data set: groups are held out in turn, and all of it is noted."""

from dataclasses import replace

import pytest

from napari_channelmix import channel_importance
from napari_channelmix.classify import TrainingSettings
from napari_channelmix.config.from_results import importance_part
from napari_channelmix.data.samples import synthetic_plate
from napari_channelmix.data.split import cross_validation_folds
from napari_channelmix.dcmix.importance_of_dataset import divided_importance_job
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import drain

ASKED = {"shapley": False, "decoys": False, "network": "tiny", "device": "cpu"}


@pytest.fixture(scope="module")
def cells():
    cells = synthetic_plate(wells=6, cells_per_well=6, side=128, crop=24).cells
    return cells.with_channels(cells.channels[:2])


def of_sides(train, test, **asked):
    return channel_importance(train, test, settings=TrainingSettings(epochs=2), **asked, **ASKED)


def test_each_repeat_is_that_of_its_fold(cells):
    partial = []
    found = drain(
        divided_importance_job(
            cells, epochs=2, held_out=0.4, seeds=2, seed=3, split_seed=1, **ASKED
        ),
        lambda step: partial.append(step.partial),
    )
    folds = cross_validation_folds(cells, 2, 1)
    for number, flags in enumerate(folds):
        usual = of_sides(cells.subset(~flags), cells.subset(flags), seeds=1, seed=3 + number)
        assert found.share_of_seed[number] == usual.share
    assert found.n_test == len(cells)
    assert found.estimates["plain"].n_groups == 6
    part = importance_part(found)
    assert (part.held_out, part.seed, part.split_seed, part.one_split, part.epochs, part.seeds) == (
        0.4,
        3,
        1,
        False,
        2,
        2,
    )
    assert part.share == dict(zip(cells.channels, found.share, strict=True))
    assert found.provenance["cells"] == cells.fingerprint
    known = [one for one in partial if one is not None]
    assert [one.n_test for one in known] == [18, 36]
    assert all("split" in one.provenance for one in known)


def test_one_split_is_kept_where_it_is_asked_for(cells):
    found = drain(
        divided_importance_job(
            cells, epochs=2, held_out=0.4, seed=3, seeds=1, one_split=True, **ASKED
        )
    )
    usual = of_sides(*cells.split(test=0.4, seed=3), seed=3, seeds=1)
    assert found.share == usual.share
    assert importance_part(found).one_split
    assert "one split" in found.division


def test_results_of_earlier_versions_had_one_split(cells):
    found = of_sides(*cells.split(), seeds=1)
    old = replace(found, provenance={**found.provenance, "split": {"held_out": 0.3, "seed": 0}})
    assert importance_part(old).one_split
    assert importance_part(old).split_seed == 0


def test_a_well_that_was_copied_under_other_names_is_an_error(cells):
    # Three of five wells of the class: they cannot all be in one of three folds.
    copied = cells.subset([*range(len(cells)), *range(6), *range(6)])
    table = copied.table.assign(group=[*cells.groups, *["copy 1"] * 6, *["copy 2"] * 6])
    job = divided_importance_job(replace(copied, table=table), held_out=0.34, **ASKED)
    with pytest.raises(DataError, match=r"held-out cells have the same pixels as training cells"):
        drain(job)


def test_cells_scaled_per_group_are_those_of_the_method_and_it_is_noted(cells):
    asked = {"seeds": 1, "epochs": 2, "held_out": 0.4, **ASKED}
    found = drain(divided_importance_job(cells, scaled_per="group", **asked))
    by_hand = drain(divided_importance_job(cells.normalised_by_group(), **asked))
    assert found.share == by_hand.share
    assert found.provenance["cells"] == cells.fingerprint
    assert importance_part(found).scaled_per == "group"
    assert "every group holds one class only" in " ".join(found.warnings)
    with pytest.raises(DataError, match="normalise per one of: group"):
        drain(divided_importance_job(cells, scaled_per="plate", **asked))
