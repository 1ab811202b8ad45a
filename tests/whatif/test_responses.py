"""Answers along axes: the neutral amount is not asked, nor what an edit leaves as it was."""

import numpy as np

from napari_channelmix.jobs import drain
from napari_channelmix.whatif.asking import asker_job
from napari_channelmix.whatif.axes import Axis
from napari_channelmix.whatif.crops import cell_crops
from napari_channelmix.whatif.data_range import data_range
from napari_channelmix.whatif.responses import AxisGrid, Responses, respond_job

from .disc_cases import brightness_axis, by_light, disc_cells, light_of


def asked(count=6, scopes=("cell",), amounts=(-1, 0, 1), axis=None):
    cells = disc_cells(count)
    asker, _ = drain(asker_job(by_light(), cells))
    crops = cell_crops(cells)
    axis = axis or brightness_axis()
    limits = data_range(axis, crops, cells.labels)
    steps = np.array(amounts, np.float32)
    grids = [AxisGrid(axis, scope, steps, limits) for scope in scopes]
    return asker, crops, drain(respond_job(asker, crops, grids))


def test_answers_are_those_of_the_edited_crops():
    asker, crops, answers = asked()
    row = answers.axes[0]
    for place, amount in enumerate(row.amounts):
        expected = asker(brightness_axis()(crops, float(amount)).pixels)
        np.testing.assert_allclose(row.probabilities[:, place], expected, atol=1e-6)
    np.testing.assert_array_equal(row.probabilities[:, 1], answers.base)
    assert row.inside[:, 1].all()


def test_each_edited_crop_is_asked_about_once():
    asker, _, _ = asked(count=6, amounts=(-1, 0, 1, 2))
    # The cells as they are, and three amounts.
    assert asker.asked == 6 + 3 * 6


def test_all_cells_of_a_crop_that_holds_one_are_not_asked_about_again():
    asker, crops, answers = asked(scopes=("cell", "crop"))
    assert not crops.others.any()
    assert asker.asked == 6 + 2 * 6
    np.testing.assert_array_equal(answers.axes[0].probabilities, answers.axes[1].probabilities)
    assert [row.scope for row in answers.axes] == ["cell", "crop"]


def test_an_edit_that_does_nothing_is_not_asked_about():
    idle = Axis("idle", "channel", "", lambda crops, _: crops, -1, 1)
    asker, _, answers = asked(axis=idle)
    assert asker.asked == 6
    assert answers.axes[0].inside.all()


def test_blocks_are_put_together():
    _, _, answers = asked()
    both = Responses.together([answers, answers])
    assert len(both) == 12 and both.axes[0].probabilities.shape == (12, 3, 2)


def test_one_cell_is_asked_about_all_amounts_at_once():
    cells = disc_cells(1)
    asker, _ = drain(asker_job(by_light(), cells))
    batches = []
    answer = type(asker).__call__

    class Counting(type(asker)):
        def __call__(self, pixels):
            batches.append(len(pixels))
            return answer(self, pixels)

    counting = Counting(asker.model, asker.prior)
    crops = cell_crops(cells)
    axis = brightness_axis()
    grid = AxisGrid(axis, "cell", np.array([-1, 0, 1, 2], np.float32), data_range(axis, crops, [0]))
    drain(respond_job(counting, crops, [grid]))
    assert batches == [1, 3]
    assert light_of(crops.pixels).shape == (1,)
