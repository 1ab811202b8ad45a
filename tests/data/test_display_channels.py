"""Which channels are shown together, and in which grey values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import napari_channelmix as cm
from napari_channelmix.data import Cells
from napari_channelmix.data.channel_colors import TOGETHER, colors_together
from napari_channelmix.data.display_channels import (
    class_contrast,
    display_channels_job,
    unmeasured_channels,
)
from napari_channelmix.data.display_limits import channel_sample_job, without_hot_pixels
from napari_channelmix.data.multiplex_sample import MULTIPLEX_RULES
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import drain


def cells_of(levels: dict[str, np.ndarray], labels: np.ndarray | None = None) -> Cells:
    """Cells whose middle has these levels, by channel, in noise of 2 on a ground of 50."""
    rng = np.random.default_rng(1)
    count = len(next(iter(levels.values())))
    crops = rng.normal(50, 2, (count, len(levels), 12, 12)).astype(np.float32)
    for place, values in enumerate(levels.values()):
        crops[:, place, 3:9, 3:9] += values[:, None, None]
    cells = Cells.from_array(crops, list(levels))
    if labels is None:
        return cells
    return cells.with_labels(labels, [f"class {code}" for code in range(labels.max() + 1)])


def test_each_class_gets_its_marker_and_a_copy_is_left_out() -> None:
    labels = np.arange(60) % 3
    rng = np.random.default_rng(0)
    levels = {f"noise {place}": rng.normal(0, 9, 60) for place in range(6)}
    levels["third"] = 40.0 * (labels == 2)
    levels["copy of third"] = levels["third"] * 3 + rng.normal(0, 0.1, 60)
    levels["second"] = 90.0 * (labels == 1)
    levels["constant"] = np.zeros(60)
    display = drain(display_channels_job(cells_of(levels, labels)))
    assert {"second"} < set(display.channels)
    assert len({"third", "copy of third"} & set(display.channels)) == 1
    assert not any(name.startswith("noise") for name in display.channels)
    assert "constant" not in display.channels


def test_without_classes_channels_of_dark_and_bright_cells_are_proposed() -> None:
    rng = np.random.default_rng(0)
    levels = {f"even {place}": rng.uniform(0, 80, 60) for place in range(7)}
    levels["two"] = 80.0 * (np.arange(60) % 4 == 0)
    display = drain(display_channels_job(cells_of(levels)))
    assert display.channels[0] == "two"


def test_few_channels_stay_as_they_come_and_names_are_checked() -> None:
    assert unmeasured_channels(("A", "B", "C", "D", "E")) == ("A", "B", "C", "D")
    cells = cells_of({"A": np.zeros(9), "B": np.zeros(9)})
    assert drain(display_channels_job(cells)).channels == ("A", "B")
    with pytest.raises(DataError, match="there is no channel C"):
        drain(display_channels_job(cells, ["A", "C"]))


def test_contrast_of_classes_by_hand() -> None:
    levels = np.array([[1.0], [2], [3], [2], [4], [5], [9], [9], [9]])
    codes = np.repeat([0, 1, 2], 3)
    # Class 0 against 1: of 9 pairs 7 are darker, 1 brighter, 1 equal; against 2: all darker.
    first, _, last = class_contrast(levels, codes, 3)[:, 0]
    assert first == pytest.approx((-6 / 9 - 1) / 2) and last == 1
    assert np.isnan(class_contrast(levels, codes, 4)[3, 0])


def test_colours_are_apart_and_stay_with_their_channel() -> None:
    names = ("DAPI", "a", "b", "c", "d", "e")
    colors = colors_together(names)
    assert len(set(colors)) == 6 and set(colors) == {"#4A78FF", *TOGETHER}
    assert colors_together(("e", "DAPI"), dict(zip(names, colors, strict=True))) == (
        colors[5],
        colors[0],
    )
    assert len(set(colors_together(("a", "b", "c", "d", "e", "f")))) == 6


def test_hot_pixels_and_a_rare_class_do_not_saturate() -> None:
    rng = np.random.default_rng(2)
    crops = rng.normal(50, 2, (800, 1, 12, 12)).astype(np.float32)
    labels = np.zeros(800, int)
    labels[[100, 300, 500, 700]] = 1
    crops[labels == 1, 0, 3:9, 3:9] += np.linspace(200, 400, 4)[:, None, None]
    hot = rng.integers(0, 800, 300)
    crops[hot, 0, rng.integers(0, 12, 300), rng.integers(0, 12, 300)] = 20_000
    cells = Cells.from_array(crops, ["M"]).with_labels(labels, ["many", "rare"])
    limits = drain(channel_sample_job(cells)).limits
    assert 400 < limits.high[0] < 500
    levels = limits.levels(crops)[labels == 1, 0, 4:8, 4:8].mean(axis=(1, 2))
    assert (np.diff(levels) > 0.05).all()


def test_a_line_of_bright_pixels_is_no_hot_pixel() -> None:
    plane = np.random.default_rng(0).normal(10, 1, (20, 20))
    plane[5, 5], plane[10, 3:9], plane[0, 0] = 500, 500, 500
    clean = without_hot_pixels(plane)
    assert clean[5, 5] < 20 and clean[0, 0] < 20 and (clean[10, 3:9] == 500).all()


def test_the_planted_markers_are_told_apart_by_what_is_displayed(multiplex_file: Path) -> None:
    """Mean of the picture over the middle of the cell; see benchmarks/multiplex_display.py."""
    import pandas as pd

    cells = cm.open_dataset(multiplex_file)
    truth = pd.read_csv(multiplex_file.parent / "levels.csv")
    display = drain(display_channels_job(cells))
    assert display.channels[0] == "DAPI" and len(display.channels) <= 6
    markers = {name for rule in MULTIPLEX_RULES.values() for name in rule}
    assert len(markers & set(display.channels)) >= 4
    for name in sorted(markers):
        alone = drain(display_channels_job(cells, [name]))
        brightness = alone.pictures(cells, np.arange(len(cells)))[:, 8:16, 8:16].mean(
            axis=(1, 2, 3)
        )
        ranks = pd.Series(brightness).rank().to_numpy()
        positive = truth[name].to_numpy() > 0.5
        count, rest = positive.sum(), (~positive).sum()
        area = (ranks[positive].sum() - count * (count + 1) / 2) / (count * rest)
        assert area >= 0.95, name
