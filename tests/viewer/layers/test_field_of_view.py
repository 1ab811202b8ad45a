"""How a field of view is shown: its contrast."""

from __future__ import annotations

import gc
import sys
from dataclasses import replace

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_channelmix.data import Cells
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import drain
from napari_channelmix.viewer import layers


def field_of(names: tuple[str, ...]) -> Cells:
    """One cell on a field that is bright in the first channel and dim in the last."""
    rng = np.random.default_rng(3)
    planes = [rng.integers(low, low + 40, (31, 37), np.uint8) for low in (180, 120, 20)]
    labels = np.zeros((31, 37), np.int32)
    labels[9:20, 12:22] = 5
    return Cells.from_labels(planes, names, labels, crop=16)


def test_a_photo_keeps_the_proportions_of_its_colours() -> None:
    limits = drain(layers.field_job(field_of(("R", "G", "B")), 0)).limits
    assert len(set(limits)) == 1
    assert limits[0] == (0.0, pytest.approx(219, abs=2))


def test_each_stain_has_contrast_of_its_own() -> None:
    limits = drain(layers.field_job(field_of(("DNA", "GFP", "actin")), 0)).limits
    assert len(set(limits)) == 3


def test_contrast_is_the_same_for_all_fields_and_noise_is_dark() -> None:
    rng = np.random.default_rng(1)
    disc = ((np.mgrid[0:64, 0:64] - 32) ** 2).sum(axis=0) < 200
    sets = []
    for number, bright in enumerate((20, 900)):
        signal = (100 + bright * disc + rng.normal(0, 3, disc.shape)).astype(np.float32)
        noise = rng.normal(300, 20, disc.shape).astype(np.float32)
        planes = [signal, noise]
        sets.append(Cells.from_points(planes, ["A", "B"], [(32, 32)], crop=32, name=f"f{number}"))
    cells = Cells.together(sets, "both")
    first, second = (drain(layers.field_job(cells, index)).limits for index in (0, 1))
    assert first == second
    assert first[0][1] > 900
    # 25th percentile to 99.8th of noise of 20 would be 286 to 358.
    assert 280 < first[1][0] < 290 and first[1][1] - first[1][0] > 290


def test_a_field_that_cannot_be_read_is_no_part_of_the_contrast() -> None:
    class Missing:
        shape, dtype = (31, 37), np.dtype(np.uint8)

        def __getitem__(self, region: object) -> object:
            raise DataError("no such file")

    good = field_of(("DNA", "GFP", "actin"))
    broken = replace(good, fields=(replace(good.fields[0], planes=(Missing(),) * 3),))
    both = Cells.together([good, broken], "both")
    assert len(drain(layers.field_job(both, 0)).limits) == 3


@pytest.mark.skipif(sys.platform == "win32", reason="drivers need the search at once")
def test_python_does_not_look_through_all_objects_while_a_layer_is_added() -> None:
    viewer, cells, aside = ViewerModel(), field_of(("DNA", "GFP", "actin")), []
    # What the tests' own tools set aside in this process would be respected.
    gc.unfreeze()
    before = gc.get_freeze_count()
    viewer.layers.events.inserted.connect(lambda: aside.append(gc.get_freeze_count()))
    for _ in layers.show_in_turns(viewer, cells, drain(layers.field_job(cells, 0))):
        # Nothing stays set aside between two steps: the window lives there.
        assert gc.get_freeze_count() == before
    assert len(viewer.layers) == 4
    assert all(count > before for count in aside[:3])
