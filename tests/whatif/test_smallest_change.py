"""The smallest change of a cell that flips it, against rules whose threshold is known."""

import numpy as np
import pytest

from napari_channelmix.jobs import drain
from napari_channelmix.whatif.asking import asker_job
from napari_channelmix.whatif.axes import Axis
from napari_channelmix.whatif.crops import cell_crops
from napari_channelmix.whatif.data_range import UNMEASURED, data_range
from napari_channelmix.whatif.responses import AxisGrid
from napari_channelmix.whatif.smallest_change import smallest_change

from .disc_cases import (
    brightness_axis,
    by_light,
    light_of,
    model_of,
    noise_axis,
    outlined,
)

STEPS = np.linspace(-2, 2, 9).astype(np.float32)


def changes_of(light, model, axes=None, reference=None):
    cells = outlined(light)
    asker, _ = drain(asker_job(model, cells))
    crops = cell_crops(cells)
    real = cell_crops(outlined(reference or [10, 250]))
    grids = []
    for axis in axes or (brightness_axis(),):
        limits = data_range(axis, real, np.zeros(len(real), int)) if axis.measure else UNMEASURED
        steps = STEPS if axis.unit == "doublings" else np.linspace(-10, 10, 9).astype(np.float32)
        grids.append(AxisGrid(axis, "cell", steps, limits))
    return smallest_change(asker, crops, grids)


def test_the_amount_is_that_of_the_threshold():
    for found, light in zip(changes_of([40.0, 100.0], by_light(64)), (40, 100), strict=True):
        change = found.changes[0]
        # Five halvings of a step of half a doubling.
        assert change.amounts[0] == pytest.approx(np.log2(64 / light), abs=0.5 / 2**5)
        assert change.axes == ("DNA brightness",) and change.units == ("doublings",)
        assert change.to_class == (light < 64)
        assert change.probability >= 0.5
        assert change.size == pytest.approx(abs(change.amounts[0]) / 2)
    assert (
        "would be predicted as bright if its DNA brightness were 1.6 times as bright"
        in changes_of([40.0], by_light(64))[0].sentence(("dim", "bright"))
    )


def test_nothing_on_the_range_of_the_data_is_an_answer():
    (found,) = changes_of([40.0], by_light(64), reference=[30, 50])
    assert found.changes == ()
    assert found.sentence(("dim", "bright")).endswith("nothing on the data's range flips it")


def test_a_decision_that_comes_and_goes_flips_at_the_nearest_amount():
    between = model_of(lambda crops: np.where(np.abs(light_of(crops) - 60) < 8, 3.0, -3.0))
    (found,) = changes_of([45.0], between)
    assert found.changes[0].amounts[0] == pytest.approx(np.log2(52 / 45), abs=0.5 / 2**5 + 0.01)


def test_two_axes_together_only_where_none_does_alone():
    def both(crops):
        return (light_of(crops) - 60) / 20 + (crops[:, 1].mean(axis=(1, 2)) - 20) / 5

    axes = (brightness_axis(), noise_axis())
    limit = [30, 60]
    (found,) = changes_of([30.0], model_of(both), axes, reference=limit)
    assert {len(change.axes) for change in found.changes} == {2}
    first = found.changes[0]
    assert first.axes == ("DNA brightness", "junk offset")
    assert 0 < first.amounts[0] <= 2 and 0 < first.amounts[1] <= 10
    assert " and " in first.words
    alone = changes_of([55.0], model_of(both), axes, reference=limit)[0]
    assert {len(change.axes) for change in alone.changes} == {1}


def test_plausible_counts_real_cells_of_the_new_class():
    axis = brightness_axis()
    cells = outlined([40.0])
    asker, _ = drain(asker_job(by_light(64), cells))
    real = cell_crops(outlined([30, 50, 60, 66, 80, 90]))
    limits = data_range(axis, real, np.array([0, 0, 0, 1, 1, 1]))
    grid = AxisGrid(axis, "cell", STEPS, limits)
    change = smallest_change(asker, cell_crops(cells), [grid])[0].changes[0]
    # 64 is dimmer than the dimmest of three bright cells.
    assert change.real_cells == 3 and change.plausible == 0


def test_changes_of_the_acquisition_come_after_those_of_the_cell():
    gain = Axis(
        "exposure",
        "acquisition",
        "doublings",
        lambda crops, a: crops.with_pixels(crops.pixels * 2 ** a[:, None, None, None]),
        -2,
        2,
    )
    (found,) = changes_of([30.0], by_light(64), (gain, brightness_axis()))
    assert [change.axes[0] for change in found.changes] == ["DNA brightness", "exposure"]
    assert [change.technical for change in found.changes] == [False, True]
