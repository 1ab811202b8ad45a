"""Boxes over fields: which have the same pixels, and a fingerprint that tells others apart."""

import os
from dataclasses import replace

import numpy as np
import pytest

from napari_channelmix import open_dataset
from napari_channelmix.data import Cells, cell_places
from napari_channelmix.data.samples import synthetic_plate


@pytest.fixture(scope="module")
def plate():
    return synthetic_plate(wells=2, cells_per_well=5, side=96, crop=24)


def test_it_is_the_same_when_opened_again(plate, tmp_path):
    dataset = plate.save(tmp_path)
    assert open_dataset(dataset).fingerprint == open_dataset(dataset).fingerprint


def test_any_change_gives_another_one(plate):
    cells = plate.cells
    others = [
        cells.subset(slice(1, None)),
        cells.with_labels(1 - cells.labels, cells.classes),
        cells.with_labels(cells.labels, cells.classes[::-1]),
        cells.with_channels(cells.channels[::-1]),
    ]
    assert len({one.fingerprint for one in [cells, *others]}) == 5


@pytest.mark.skipif(os.linesep != "\n", reason="lines of the table that is hashed end otherwise")
def test_results_of_earlier_versions_are_known_by_the_same_fingerprint(monkeypatch):
    rng = np.random.default_rng(0)
    planes = [rng.integers(0, 4000, (40, 50)).astype(np.uint16) for _ in range(2)]
    places = [(10, 10), (20.5, 30.25), (30, 12), (5, 44)]
    one = Cells.from_points(planes, ["DNA", "GFP"], places, crop=8, name='a "b", c')
    other = Cells.from_points(planes[::-1], ["DNA", "GFP"], [(9, 9), (3, 3)], crop=8, name="ü\n2")
    cells = Cells.together([one, other], "both")
    cells = cells.with_labels([0, 1, -1, 0, 1, 1], ["neg", "pos"])
    groups = ["w 1", "w,2", 'w"3"', "w\n4", "", "1"]
    parts = ["train", "test", "val", "train", "test", "train"]
    cells = replace(cells, table=cells.table.assign(group=groups, split=parts))
    for block in (50_000, 2):
        monkeypatch.setattr(cell_places, "BLOCK", block)
        cells = replace(cells)
        assert cells.signing().hexdigest().startswith("6633ade37a31d402b1e9643996fec054")
        assert cells.fingerprint.startswith("83fa3cabda58bd9b7736e1f3f1b1810154cd51842f525ed01")
        assert cells.signature == cells.fingerprint
        assert cells.subset([4, 5, 1]).fingerprint.startswith("3dbf9198a0c527c7180f96c8d1e379")


def test_a_cell_is_called_by_its_id_where_its_image_has_any():
    cells = Cells.from_points([np.zeros((40, 50))], ["a"], [(10, 20), (30, 15)], crop=10)
    assert [cells.name_of(n) for n in range(2)] == ["0", "1"]
    named = replace(cells, table=cells.table.assign(object=[7, 0]))
    assert [named.name_of(n) for n in range(2)] == ["7", "0"]


def test_pixels_count():
    crops = np.zeros((3, 1, 8, 8))
    brighter = crops.copy()
    brighter[0, 0, 0, 0] = 1
    one, other = (Cells.from_array(some, ("a",)) for some in (crops, brighter))
    assert one.fingerprint != other.fingerprint


def test_few_crops_are_read(plate, monkeypatch):
    many = plate.cells.subset(np.tile(np.arange(len(plate.cells)), 20))
    read = []
    original = Cells.read
    monkeypatch.setattr(
        Cells, "read", lambda self, at=None: read.append(len(at)) or original(self, at)
    )
    assert many.fingerprint
    assert read == [32]


def test_boxes_are_half_open_and_whole_numbers():
    cells = Cells.from_points([np.zeros((40, 50))], ["a"], [(10, 20), (30, 15)], crop=10)
    assert cells.boxes.tolist() == [[5, 15, 15, 25], [25, 10, 35, 20]]
    assert cells.boxes.dtype == np.int64


def test_other_classes_and_groups_leave_the_pixels_the_same(plate):
    cells = plate.cells
    assert cells.same_pixels(cells)
    assert cells.same_pixels(cells.with_labels(1 - cells.labels, cells.classes[::-1]))
    other = replace(cells, name="other", table=cells.table.assign(group="all"))
    assert cells.same_pixels(other) and other.same_pixels(cells)


def test_other_cells_channels_crops_boxes_and_fields_are_other_pixels(plate):
    cells = plate.cells
    some = np.arange(len(cells))
    others = [
        cells.subset(some[1:]),
        cells.subset(some[::-1]),
        cells.with_channels(cells.channels[::-1]),
        replace(cells, channels=tuple(f"{name} 2" for name in cells.channels)),
        replace(cells, crop=cells.crop + 2),
        replace(cells, table=cells.table.assign(y1=cells.table["y1"] + 1)),
        # Equal fields are not compared pixel by pixel: they may be large files.
        replace(cells, fields=tuple(replace(one) for one in cells.fields)),
    ]
    assert not any(cells.same_pixels(other) for other in others)
