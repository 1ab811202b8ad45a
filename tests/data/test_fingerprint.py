"""A fingerprint is quick, the same for the same cells, and another one for any others."""

import numpy as np
import pytest

from napari_channelmix import open_dataset
from napari_channelmix.data import Cells
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
