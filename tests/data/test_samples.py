"""Embedded samples: deterministic, with a truth that the pixels bear out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from napari_channelmix.data import open_dataset
from napari_channelmix.data.samples import (
    PLATE_PARTS,
    Sample,
    graded_channels,
    immunohistochemistry,
    synthetic_plate,
)
from napari_channelmix.errors import DataError


@pytest.fixture(scope="module")
def plate() -> Sample:
    return synthetic_plate(0, wells=4, cells_per_well=12, side=160, crop=32)


def between_classes(sample: Sample, feature: np.ndarray) -> float:  # type: ignore[type-arg]
    """Difference of the class means in standard deviations."""
    one, other = (feature[sample.cells.labels == code] for code in (0, 1))
    return float(abs(one.mean() - other.mean()) / np.sqrt((one.var() + other.var()) / 2))


def test_the_same_seed_gives_the_same_plate_and_another_seed_another(plate: Sample) -> None:
    again = synthetic_plate(0, wells=4, cells_per_well=12, side=160, crop=32)
    np.testing.assert_array_equal(plate.cells.read(), again.cells.read())
    assert plate.cells.signature == again.cells.signature
    other = synthetic_plate(1, wells=4, cells_per_well=12, side=160, crop=32)
    assert plate.cells.signature != other.cells.signature


def test_the_reporter_moves_and_dna_and_look_alike_say_nothing(plate: Sample) -> None:
    crops = plate.cells.read()
    middle, whole = crops[:, :, 11:21, 11:21].mean((2, 3)), crops.mean((2, 3))
    ratio = middle / whole
    assert set(plate.cells.channels) == set(plate.relevance)
    by_channel = dict(zip(plate.cells.channels, ratio.T, strict=True))
    assert between_classes(plate, by_channel["reporter"]) > 2
    assert between_classes(plate, by_channel["look-alike"]) < 0.8
    assert between_classes(plate, by_channel["DNA"]) < 0.8


def test_wells_hold_one_class_and_truth_marks_pixels_of_cells(plate: Sample) -> None:
    wells = plate.cells.table.groupby("group")["label"].nunique()
    assert wells.tolist() == [1, 1, 1, 1]
    assert len(plate.pixels) == len(plate.cells.fields)
    for truth, one in zip(plate.pixels, plate.cells.fields, strict=True):
        assert one.labels is not None
        assert truth[one.labels > 0].all()
        assert 0 < truth.mean() < 0.8


def test_wells_of_a_mixed_plate_hold_both_classes() -> None:
    cells = synthetic_plate(0, wells=2, cells_per_well=12, side=160, crop=32, mixed=True).cells
    for well in ("A01", "B01"):
        assert set(cells.labels[cells.groups == well].tolist()) == {0, 1}


def test_a_saved_plate_opens_as_the_same_cells(plate: Sample, tmp_path: Path) -> None:
    back = open_dataset(plate.save(tmp_path / "plate"))
    assert back.channels == plate.cells.channels
    assert set(back.classes) == set(plate.cells.classes)
    assert back.groups.tolist() == plate.cells.groups.tolist()
    assert back.fields[0].pixel_size == (0.65, 0.65)
    np.testing.assert_array_equal(back.read(), plate.cells.read())
    truth = json.loads((tmp_path / "plate" / "truth.json").read_text("utf-8"))
    assert truth["relevance"] == plate.relevance


def test_samples_whose_images_hold_several_classes_are_not_saved_as_if_they_held_one(
    tmp_path: Path,
) -> None:
    with pytest.raises(DataError, match="only images with cells of one class are saved"):
        graded_channels(count=4).save(tmp_path / "a")
    with pytest.raises(DataError, match="only images with cells of one class are saved"):
        immunohistochemistry().save(tmp_path / "b")
    assert not list(tmp_path.iterdir())


def test_graded_channels_differ_between_classes_in_the_order_of_their_relevance() -> None:
    sample = graded_channels(seed=3, count=3000, side=12)
    crops = sample.cells.read()
    differences = [between_classes(sample, crops[:, at, 4:8, 4:8].mean((1, 2))) for at in range(6)]
    planted = [sample.relevance[name] for name in sample.cells.channels]
    assert np.argsort(differences).tolist() == np.argsort(planted).tolist()
    gains = crops.std((0, 2, 3))
    assert gains.max() / gains.min() > 5, "gains must differ, or normalising is not tested"
    assert sorted(planted) == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]


def test_stained_tissue_has_dab_as_its_answer() -> None:
    sample = immunohistochemistry()
    assert sample.cells.channels == ("hematoxylin", "eosin", "DAB")
    assert min(sample.cells.class_counts.values()) > 20
    levels = sample.cells.read()[:, 2].mean((1, 2))
    assert between_classes(sample, levels) > 1


@pytest.mark.parametrize("part", PLATE_PARTS)
def test_a_part_that_is_left_out_is_gone_and_the_rest_stays(part: str) -> None:
    sizes = {"wells": 2, "cells_per_well": 4, "side": 96}
    plate = synthetic_plate(3, **sizes).cells
    without = synthetic_plate(3, **sizes, without=(part,)).cells
    lost = plate.read() - without.read()
    channel = plate.channels.index(PLATE_PARTS[part])
    assert not np.delete(lost, channel, axis=1).any()
    # Each cell loses light that is far above the noise of what was there.
    assert (lost[:, channel].max(axis=(1, 2)) > 5 * -lost[:, channel].min(axis=(1, 2))).all()


def test_a_part_that_a_plate_does_not_have_is_refused() -> None:
    with pytest.raises(DataError, match="has no 'tubulin'; use nuclear stain, "):
        synthetic_plate(without=("tubulin",))
