"""Means of classes: worked out by hand, inside the cells, and what a plain rule on them reaches."""

import json

import numpy as np
import pytest

import napari_channelmix as cm
from napari_channelmix.errors import DataError
from napari_channelmix.whatif.channel_means import channel_means_job

from .channel_cases import CLASSES, by_first, cells_of, model_of


def test_means_are_z_scores_over_all_cells_with_intervals_over_groups():
    levels = np.array([0.0, 0.0, 2.0, 2.0, 0.0, 0.0, 2.0, 6.0])
    labels = np.array([0, 0, 1, 1, 0, 0, 1, 1])
    crops = np.broadcast_to(levels[:, None, None, None], (8, 1, 4, 4)).astype(np.float32)
    groups = ["w1", "w1", "w1", "w1", "w2", "w2", "w2", "w2"]
    cells = cm.Cells.from_array(crops, ["a"], labels, CLASSES, groups)
    result = cm.channel_means(cells)
    # Mean 1.5, variance (4 * 2.25 + 3 * .25 + 20.25) / 8 = 3.75.
    spread = np.sqrt(3.75)
    assert result.matrix().loc["a"].tolist() == pytest.approx([-1.5 / spread, 1.5 / spread])
    high = result.rows[1]
    assert (high.n, high.n_groups) == (4, 2)
    # Two groups with means of 2 and 4: the surplus of either is half of 1; t(1) is 12.706.
    reach = 12.706 * np.sqrt(2 * 2 * 0.5**2) / spread
    assert high.high - high.mean == pytest.approx(reach, rel=1e-3)


def test_light_is_measured_inside_the_label_of_the_cell():
    labels_image = np.zeros((40, 80), np.int64)
    image = np.full((1, 40, 80), 100.0, np.float32)
    kinds = {}
    for number in range(8):
        y, x = 10 + 20 * (number // 4), 10 + 20 * (number % 4)
        labels_image[y - 3 : y + 3, x - 3 : x + 3] = number + 1
        image[0, y - 3 : y + 3, x - 3 : x + 3] = 1.0 if number % 2 else 3.0
        kinds[number + 1] = CLASSES[1 - number % 2]
    cells = cm.Cells.from_labels(image, ["a"], labels_image, crop=16, classes_of=kinds)
    result = cm.channel_means(cells)
    low, high = result.matrix().loc["a", ["low", "high"]].tolist()
    # Without the outlines the bright surroundings would hide both.
    assert (low, high) == pytest.approx((-1.0, 1.0))


def test_a_regression_that_is_as_good_as_the_network_is_said_to_be():
    cells = cells_of(2, count=240, groups=12)
    result = cm.channel_means(cells, model_of(by_first, 2))
    assert result.as_good and result.linear is not None and result.network is not None
    assert result.lines[0].startswith(
        "a logistic regression on cell means is as good as the network (1.00 against 1.00; "
    )
    assert result.lines[0].endswith("240 cells, 12 groups)")
    alone = cm.channel_means(cells)
    assert alone.network is None and "reaches 1.00" in alone.lines[0]


def test_a_rule_that_means_cannot_tell_is_said_to_be_better_known_by_the_network():
    # The class is where the light is, not how much.
    rng = np.random.default_rng(0)
    labels = np.arange(80) % 2
    crops = rng.normal(0, 0.1, (80, 2, 8, 8)).astype(np.float32)
    crops[labels == 0, 0, :4] += 2
    crops[labels == 1, 0, 4:] += 2
    wells = [f"well {number // 10}" for number in range(80)]
    cells = cm.Cells.from_array(crops, ["a", "b"], labels, CLASSES, wells)
    model = cm.wrap(
        lambda x: np.stack([x[:, 0, :4].mean((1, 2)), x[:, 0, 4:].mean((1, 2))], 1),
        channels=["a", "b"],
        classes=list(CLASSES),
    )
    result = cm.channel_means(cells, model)
    assert not result.as_good and "is not as good as the network" in result.lines[0]


def test_the_regression_learns_from_what_the_network_was_trained_on():
    cells = cells_of(side=16)
    train, test = cells.split()
    model = cm.train_classifier(train, network="tiny", epochs=1, seed=0, device="cpu")
    result = cm.channel_means(cells, model)
    assert result.linear.n_cells == result.network.n_cells == len(test)


def test_results_go_to_json_files_and_back(tmp_path):
    result = cm.channel_means(cells_of(), model_of(by_first))
    again = cm.ChannelMeans.from_dict(json.loads(json.dumps(result.as_dict(), allow_nan=False)))
    assert again.as_dict() == result.as_dict()
    names = [file.name for file in result.save(tmp_path)]
    assert names == ["means.json", "means.csv", "means.png"]
    assert "Means of the channels" in result._repr_html_()


def test_bad_input_is_refused_and_a_constant_channel_and_a_lone_class_are_said():
    cells = cells_of()
    bare = cm.Cells.from_array(cells.read(), cells.channels)
    with pytest.raises(DataError, match="no cell has a class"):
        cm.channel_means(bare)
    pixels = cells.read()
    pixels[:, 2] = 7
    flat = cm.Cells.from_array(pixels, cells.channels, np.zeros(48, int), CLASSES)
    result = cm.channel_means(flat)
    text = " ".join(result.warnings)
    assert "c is constant" in text and "one class" in text
    assert result.linear is None and result.matrix()["high"].isna().all()


def test_the_job_tells_of_its_steps_and_can_be_closed():
    job = channel_means_job(cells_of())
    assert next(job).total == 100
    job.close()


def test_one_value_in_masks_of_all_sizes_is_constant():
    labels_image = np.zeros((40, 80), np.int64)
    for number in range(8):
        y, x, half = 10 + 20 * (number // 4), 10 + 20 * (number % 4), 2 + number % 4
        labels_image[y - half : y + half, x - half : x + half] = number + 1
    planes = np.stack([np.full((40, 80), 0.1), labels_image / 7]).astype(np.float32)
    kinds = {number + 1: CLASSES[number % 2] for number in range(8)}
    cells = cm.Cells.from_labels(planes, ["a", "b"], labels_image, crop=16, classes_of=kinds)
    result = cm.channel_means(cells)
    assert any(line.startswith("a is constant in these cells") for line in result.warnings)
    assert (result.matrix().loc["a"] == 0).all()
