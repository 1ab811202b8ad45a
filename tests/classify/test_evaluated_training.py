"""A measured classifier carries its figures, and all that is needed to train it again."""

from dataclasses import replace

import numpy as np
import pytest

from napari_channelmix import load_model, train_classifier
from napari_channelmix.classify.accuracy import estimate_accuracy
from napari_channelmix.classify.evaluated_training import measured_training_job
from napari_channelmix.classify.model_hash import model_hash
from napari_channelmix.classify.sampling import classifier_limits, sampling_warnings
from napari_channelmix.config.from_results import classifier_part, training_part
from napari_channelmix.data.samples import synthetic_plate
from napari_channelmix.errors import BundleError
from napari_channelmix.jobs import drain


@pytest.fixture(scope="module")
def cells():
    return synthetic_plate(wells=6, cells_per_well=8, side=128, crop=24).cells


@pytest.fixture(scope="module")
def trained(cells):
    return drain(
        measured_training_job(
            cells,
            network="tiny",
            epochs=2,
            seed=4,
            device="cpu",
            mixes=2,
            constraint="nonneg",
            held_out=0.4,
        )
    )


def test_its_figures_are_of_the_cells_held_out(cells, trained):
    _, test = cells.split(test=0.4, seed=4)
    found, codes = trained.record["held_out"], trained.predict(test)
    assert (found["n_train"], found["n_test"]) == (len(cells) - len(test), len(test))
    recall = [float(np.mean(codes[test.labels == code] == code)) for code in (0, 1)]
    assert list(found["recall"].values()) == pytest.approx(recall)
    assert found["balanced_accuracy"] == pytest.approx(np.mean(recall))
    assert trained.accuracy == estimate_accuracy(test.labels, codes, test.groups, test.classes)
    assert found["estimate"] == trained.accuracy.as_dict()
    assert trained.accuracy.text() in repr(trained)
    confusion = np.array(found["confusion"])
    assert confusion.sum() == len(test)
    assert np.diag(confusion).tolist() == [
        round(r * n) for r, n in zip(recall, confusion.sum(axis=1), strict=True)
    ]


def test_what_the_choice_of_cells_leaves_in_doubt_is_kept_with_the_classifier(
    cells, trained, tmp_path
):
    train, test = cells.split(test=0.4, seed=4)
    lines = sampling_warnings(cells, train, test.labels)
    # 48 cells of two classes: fewer than 20 of each to learn from.
    assert sum("2 classes were trained on fewer than 20 cells" in line for line in lines) == 1
    assert set(lines) <= set(trained.record["warnings"])
    loaded = load_model(trained.save(tmp_path / "kept.cmx"))
    assert loaded.record["warnings"] == trained.record["warnings"]
    assert any("knows few cells" in line for line in classifier_limits(loaded))


def test_a_bundle_shows_accuracy_and_one_of_an_earlier_version_takes_cells_as_independent(
    cells, trained, tmp_path
):
    _, test = cells.split(test=0.4, seed=4)
    loaded = load_model(trained.save(tmp_path / "m.cmx"))
    assert loaded.accuracy == trained.accuracy
    held_out = {key: of for key, of in trained.record["held_out"].items() if key != "estimate"}
    earlier = replace(trained, record={**trained.record, "held_out": held_out})
    found = load_model(earlier.save(tmp_path / "earlier.cmx")).accuracy
    assert found.balanced == pytest.approx(trained.accuracy.balanced)
    assert found.n_groups == found.n_cells == len(test)
    assert found.warning.startswith("no groups are known")
    del held_out["confusion"]
    bare = replace(trained, record={**trained.record, "held_out": held_out})
    assert bare.accuracy is None
    assert "accuracy not measured" in repr(bare)
    held_out["estimate"] = {**trained.accuracy.as_dict(), "low": "none"}
    with pytest.raises(BundleError, match=r"record.*held_out.estimate.low"):
        load_model(replace(bare, record={"held_out": held_out}).save(tmp_path / "bad.cmx"))


def test_its_provenance_says_how_to_train_it_again(cells, trained, tmp_path):
    part = training_part(trained.provenance)
    assert (part.network, part.epochs, part.seed, part.mixes) == ("tiny", 2, 4, 2)
    assert (part.constraint, part.held_out, part.device) == ("nonneg", 0.4, "cpu")
    assert trained.provenance["cells"] == cells.fingerprint
    loaded = load_model(trained.save(tmp_path / "m.cmx"))
    assert training_part(loaded.provenance) == part
    assert model_hash(loaded) == model_hash(trained)
    assert classifier_part(loaded).accuracy == trained.record["held_out"]["balanced_accuracy"]


def test_one_trained_otherwise_does_not_pretend(cells):
    train, _ = cells.split()
    bare = train_classifier(train, network="tiny", epochs=1, device="cpu")
    assert training_part(bare.provenance) is None
    assert classifier_part(bare) is None


def test_training_and_calibrating_by_hand_finds_the_same_figures(cells, trained):
    train, test = cells.split(test=0.4, seed=4)
    by_hand = train_classifier(
        train,
        mix=True,
        mixes=2,
        constraint="nonneg",
        network="tiny",
        epochs=2,
        seed=4,
        device="cpu",
    ).calibrate(test)
    assert by_hand.record["held_out"] == trained.record["held_out"]
    # One that was measured when it was trained keeps those figures.
    other = trained.calibrate(test.subset(test.labels == 0))
    assert other.record["held_out"] == trained.record["held_out"]
