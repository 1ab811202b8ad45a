"""Objects segmented as the settings say."""

from __future__ import annotations

import doctest
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from napari_channelmix.data import find_nuclei
from napari_channelmix.data import segmentation as module
from napari_channelmix.data.segmentation import PIECE, segment, segment_job
from napari_channelmix.errors import DataError, ModelError
from napari_channelmix.jobs import drain
from napari_channelmix.settings import SegmentationSettings

Image = npt.NDArray[np.float64]


def picture(
    *discs: tuple[float, float, float, float], shape: tuple[int, int] = (90, 110), noise: float = 4
) -> Image:
    """Discs (y, x, radius, height) with noise on a ground of 100."""
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]]
    image = np.random.default_rng(0).normal(100, noise, shape)
    for y, x, radius, height in discs:
        np.maximum(image, 100 + height * (np.hypot(rows - y, columns - x) < radius), out=image)
    return image


def grid(step: int, radius: float, shape: tuple[int, int], height: float = 500) -> Image:
    """Discs in rows and columns."""
    centres = [
        (y, x, radius, height)
        for y in range(step // 2, shape[0], step)
        for x in range(step // 2, shape[1], step)
    ]
    return picture(*centres, shape=shape)


def areas(labels: npt.NDArray[Any]) -> list[int]:
    return [int(each) for each in np.bincount(labels.ravel())[1:]]


def test_the_diameter_is_estimated_and_what_is_given_is_used() -> None:
    image = grid(30, 8, (120, 150))
    result = segment(image)
    assert result.count == 20
    assert result.labels.dtype == np.int32
    assert result.diameter == pytest.approx(16, rel=0.2)
    assert result.median_diameter == pytest.approx(16, abs=1)
    assert segment(image, SegmentationSettings(diameter=13)).diameter == 13


def test_the_same_image_gives_the_same_labels() -> None:
    image = grid(20, 7, (100, 100))
    np.testing.assert_array_equal(segment(image).labels, segment(image).labels)


def test_neither_unit_nor_type_of_the_channel_matters() -> None:
    image = np.round(grid(30, 8, (90, 120)))
    labels = segment(image).labels
    for other in (image.astype(np.uint16), image.astype(np.int32), image * 0.5 - 7):
        np.testing.assert_array_equal(segment(other).labels, labels)


def test_the_threshold_is_in_the_unit_of_the_channel() -> None:
    image = grid(30, 8, (90, 120), height=500)
    assert 150 < segment(image).threshold < 350
    assert 650 < segment(1000 - image, SegmentationSettings(dark=True)).threshold < 850


def test_a_lower_threshold_finds_dim_nuclei_and_leaves_bright_ones_without_a_halo() -> None:
    bright = [(20, 20, 8, 3000), (20, 80, 8, 3000), (65, 50, 8, 3000)]
    dim = [(65, 15, 8, 300), (65, 90, 8, 300)]
    image = picture(*bright, *dim)
    assert segment(image).count == 3
    result = segment(image, SegmentationSettings(threshold=0.2))
    assert result.count == 5
    # A disc of radius 8 has 197 pixels.
    assert max(areas(result.labels)) < 1.2 * 197


def test_dark_objects_on_a_bright_ground_are_found_where_asked_for() -> None:
    image = 1000 - grid(30, 8, (90, 120))
    result = segment(image, SegmentationSettings(dark=True))
    assert result.count == 12
    assert result.warnings == ()
    wrong = segment(image)
    assert any("dark objects" in line for line in wrong.warnings)


def test_an_uneven_background_is_taken_away_where_asked_for() -> None:
    image = grid(30, 7, (120, 240), height=200) + 5 * np.arange(240)
    assert segment(image).count != 32
    result = segment(image, SegmentationSettings(uneven=True, diameter=14))
    assert result.count == 32


def test_touching_objects_are_split_as_readily_as_asked_for() -> None:
    # Centres 12 apart, radius 7: they overlap by 2.
    image = picture((40, 32, 7, 500), (40, 44, 7, 500), (70, 90, 7, 500))
    assert segment(image).count == 3
    assert segment(image, SegmentationSettings(splitting=0)).count == 2
    assert segment(image, SegmentationSettings(diameter=14, splitting=0.4)).count == 2
    # One that is long and has no waist is one.
    long = picture(*[(40, x, 6, 500) for x in range(20, 80, 2)])
    assert segment(long, SegmentationSettings(diameter=12)).count == 1


def test_nuclei_packed_closely_are_told_apart_by_their_brightness() -> None:
    rows, columns = np.mgrid[0:96, 0:96]
    packed = 400 + 100 * np.cos(2 * np.pi * rows / 16) * np.cos(2 * np.pi * columns / 16)
    image = np.full((160, 160), 100.0)
    image[32:128, 32:128] = packed
    result = segment(image, SegmentationSettings(diameter=12))
    # Maxima lie at even and at odd multiples of 8: 7 x 7 and 6 x 6, those at the rim cut.
    assert 60 <= result.count <= 85


def test_the_smallest_size_follows_the_diameter_unless_it_is_given() -> None:
    image = picture((30, 30, 10, 500), (30, 80, 10, 500), (70, 30, 3, 500))
    # An eighth of a disc of 20 pixels has 39; the speck has 25.
    assert segment(image, SegmentationSettings(diameter=20)).count == 2
    assert segment(image, SegmentationSettings(diameter=20, min_area=10)).count == 3


def test_hollow_objects_are_filled() -> None:
    image = picture((40, 40, 14, 500), (40, 85, 14, 500))
    rows, columns = np.mgrid[0:90, 0:110]
    image[np.hypot(rows - 40, columns - 40) < 6] = 100
    labels = segment(image, SegmentationSettings(diameter=28)).labels
    assert labels[40, 40] == labels[40, 30] > 0


def test_objects_grow_by_pixels_and_meet_without_overlap() -> None:
    image = picture((40, 30, 8, 500), (40, 56, 8, 500))
    nuclei = segment(image).labels
    grown = segment(image, SegmentationSettings(expand=5)).labels
    assert grown.max() == 2
    assert (grown[nuclei > 0] == nuclei[nuclei > 0]).all()
    # Edges at about 38 and 48 are 10 apart, so that both reach the middle.
    assert grown[40, 41] == nuclei[40, 30]
    assert grown[40, 45] == nuclei[40, 56]
    assert grown[40, 15] == 0


def test_objects_grow_to_bodies_of_another_channel() -> None:
    nuclei = picture((40, 30, 6, 500), (40, 80, 6, 500))
    bodies = picture((40, 32, 18, 300), (40, 80, 11, 300))
    settings = SegmentationSettings(body_channel="actin", expand=40)
    labels = segment(nuclei, settings, bodies).labels
    first, second = areas(labels)
    # Discs of radius 18 and 11, blurred by a pixel.
    assert 1018 <= first <= 1.1 * 1018
    assert 380 <= second <= 1.2 * 380
    near = segment(nuclei, SegmentationSettings(body_channel="actin", expand=3), bodies).labels
    assert max(areas(near)) < 330


def test_objects_at_the_border_can_be_left_out() -> None:
    image = picture((2, 40, 8, 500), (45, 55, 8, 500), (45, 108, 8, 500))
    assert segment(image).count == 3
    kept = segment(image, SegmentationSettings(clear_border=True))
    assert kept.count == 1
    assert kept.labels[45, 55] == 1


def test_a_large_plane_in_pieces_has_the_same_objects_as_in_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    image = grid(25, 8, (300, 420))
    settings = SegmentationSettings(diameter=16)
    whole = segment(image, settings)
    monkeypatch.setattr(module, "PIECE", 128)
    steps: list[Any] = []
    pieces = drain(segment_job(image, settings), steps.append)
    assert pieces.count == whole.count == 12 * 16 + 12
    np.testing.assert_array_equal(pieces.labels > 0, whole.labels > 0)
    # No object is cut where pieces meet.
    assert sorted(areas(pieces.labels)) == sorted(areas(whole.labels))
    assert len(steps) > 10
    assert [step.fraction for step in steps] == sorted(step.fraction for step in steps)


def test_a_job_that_is_closed_stops() -> None:
    job = segment_job(np.zeros((PIECE, 40)) + np.arange(40))
    next(job)
    job.close()
    with pytest.raises(StopIteration):
        next(job)


def test_a_preview_takes_about_as_long_as_the_nuclei_of_earlier_versions() -> None:
    image = grid(40, 11, (1024, 1024)).astype(np.float32)

    def seconds(run: Callable[[], object]) -> float:
        start = time.process_time()
        run()
        return time.process_time() - start

    plain = min(seconds(lambda: find_nuclei(image)) for _ in range(3))
    steered = min(seconds(lambda: segment(image)) for _ in range(3))
    # Measured: 1.4 to 2.
    assert steered < 6 * plain


def test_a_constant_channel_is_said() -> None:
    result = segment(np.full((40, 40), 7, np.uint8))
    assert result.count == 0
    assert "constant" in result.warnings[0]


def test_noise_is_said_to_be_noise() -> None:
    noise = np.random.default_rng(1).normal(100, 10, (200, 200))
    assert "in the noise" in segment(noise).warnings[0]
    assert segment(grid(30, 8, (120, 150))).warnings == ()


def test_a_few_hot_pixels_do_not_hide_the_objects() -> None:
    image = grid(30, 8, (120, 150))
    image[5, 5] = image[60, 70] = 60_000
    assert segment(image).count == 20


@pytest.mark.parametrize(
    ("plane", "says"),
    [
        (np.array([[1.0, np.nan]]), "NaN"),
        (np.zeros((3, 4, 5)), r"\(Y, X\)"),
        (np.zeros((0, 4)), r"\(Y, X\)"),
        (np.array([["a"]]), r"\(Y, X\)"),
        (np.zeros((4, 4), complex), r"\(Y, X\)"),
    ],
)
def test_what_is_no_channel_is_refused(plane: Any, says: str) -> None:
    with pytest.raises(DataError, match=says):
        segment(plane)


def test_a_body_channel_is_given_where_it_is_named_and_only_there() -> None:
    image = picture((40, 40, 8, 500))
    named = SegmentationSettings(body_channel="actin")
    with pytest.raises(DataError, match="'actin' is not given"):
        segment(image, named)
    with pytest.raises(DataError, match="without its name"):
        segment(image, None, image)
    with pytest.raises(DataError, match="pixels"):
        segment(image, named, image[:50])


@pytest.mark.parametrize(
    "wrong", [{"diameter": 0}, {"threshold": 0}, {"expand": -1}, {"min_area": 0}, {"splitting": -1}]
)
def test_settings_out_of_bounds_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match=next(iter(wrong))):
        SegmentationSettings(**wrong)


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (3, 3), (7, 400)])
def test_small_and_narrow_planes_are_segmented(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).random(shape)
    assert segment(image, SegmentationSettings(uneven=True)).labels.shape == shape


def test_the_examples_of_its_documentation_are_right() -> None:
    assert doctest.testmod(module).failed == 0


def test_nuclei_of_bbbc013_are_as_many_as_its_readme_counts(shared_data: Path) -> None:
    import pandas as pd
    import tifffile

    folder = shared_data / "bbbc013_wortmannin"
    table = pd.read_csv(folder / "labels.csv").iloc[5::16]
    for path, expected in zip(table["dna_path"], table["approx_nuclei"], strict=True):
        assert segment(tifffile.imread(folder / path)).count == pytest.approx(expected, rel=0.15)
