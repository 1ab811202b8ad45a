"""The planted multiplex set: its rules hold, and its pixels have the faults that it names."""

from __future__ import annotations

import doctest
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

import napari_channelmix as cm
from napari_channelmix.data import multiplex_panel
from napari_channelmix.data import multiplex_sample as module
from napari_channelmix.data.multiplex_sample import (
    LEVELS_FILE,
    MULTIPLEX_CLASSES,
    MULTIPLEX_RULES,
    POSITIVE,
    multiplex_channels,
    multiplex_sample,
    multiplex_sample_job,
    multiplex_tissue,
    type_of_markers,
)
from napari_channelmix.errors import DataError

MARKERS = tuple(
    name for name in multiplex_channels() if any(name in rule for rule in MULTIPLEX_RULES.values())
)


@pytest.fixture(scope="module")
def folder(multiplex_file: Path) -> Path:
    return multiplex_file.parent


@pytest.fixture(scope="module")
def cells(multiplex_file: Path) -> cm.Cells:
    return cm.open_dataset(multiplex_file)


@pytest.fixture(scope="module")
def levels(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / LEVELS_FILE)


@pytest.fixture(scope="module")
def inside(cells: cm.Cells) -> np.ndarray:
    """Mean of every channel over the cell's own pixels (N, C)."""
    means = np.zeros((len(cells), len(cells.channels)))
    for index, field in enumerate(cells.fields):
        rows = np.flatnonzero(cells.table["field"] == index)
        ids = cells.table["object"].to_numpy()[rows]
        for channel, plane in enumerate(field.planes):
            pixels = np.asarray(plane[:, :], np.float64)
            total = np.bincount(field.labels.ravel(), pixels.ravel())
            means[rows, channel] = (total / np.bincount(field.labels.ravel()))[ids]
    return means


def test_the_set_has_forty_named_channels_seven_types_and_patients(cells: cm.Cells) -> None:
    assert cells.channels == multiplex_channels(40)
    assert len(cells.channels) == 40
    assert cells.classes == MULTIPLEX_CLASSES
    assert cells.class_counts == {
        "Tumour": 178,
        "B cell": 32,
        "Macrophage": 28,
        "Cytotoxic T": 36,
        "Helper T": 42,
        "Treg": 4,
        "Other": 80,
    }
    assert len(cells.fields) == len(set(cells.groups)) == 8
    assert cells.fields[0].pixel_size == (0.5, 0.5)
    assert not cells.warnings


def test_types_follow_the_rules_of_the_true_levels(levels: pd.DataFrame, cells: cm.Cells) -> None:
    has = levels[list(MARKERS)].to_numpy() >= POSITIVE
    codes = type_of_markers(has)
    assert [MULTIPLEX_CLASSES[code] for code in codes] == levels["label"].tolist()
    assert levels["label"].tolist() == [cells.classes[code] for code in cells.labels]
    for name, rule in MULTIPLEX_RULES.items():
        of_type = has[levels["label"] == name]
        for marker, sign in rule.items():
            assert (of_type[:, MARKERS.index(marker)] == (sign > 0)).all()


def test_levels_tell_clearly_whether_a_cell_has_a_marker(levels: pd.DataFrame) -> None:
    values = levels[list(MARKERS)].to_numpy()
    assert ((values <= 0.25) | (values >= 0.6)).all()


def test_a_logistic_regression_on_true_levels_finds_the_signs_of_the_rules(
    tmp_path: Path,
) -> None:
    from sklearn.linear_model import LogisticRegression

    levels = pd.read_csv(multiplex_sample(tmp_path, cells=2000, channels=12).parent / LEVELS_FILE)
    values = levels[list(MARKERS)].to_numpy()
    model = LogisticRegression(C=100, max_iter=2000, class_weight="balanced")
    model.fit(values, levels["label"])
    assert model.score(values, levels["label"]) > 0.97
    for name, rule in MULTIPLEX_RULES.items():
        weights = model.coef_[list(model.classes_).index(name)]
        for marker, sign in rule.items():
            assert np.sign(weights[MARKERS.index(marker)]) == sign, (name, marker)


# All cells have these, or they show no cells at all.
OF_ALL_CELLS = ("DAPI", "AF", "AF-2", "SMA", "COL4", "Blank")


@pytest.mark.parametrize("name", sorted(set(multiplex_channels()).difference(OF_ALL_CELLS)))
def test_cells_that_have_a_marker_are_brighter_in_its_channel(
    name: str, levels: pd.DataFrame, cells: cm.Cells, inside: np.ndarray
) -> None:
    from sklearn.metrics import roc_auc_score

    has = levels[name] >= POSITIVE
    # Hot pixels outshine a cell's own light in a few of them.
    assert roc_auc_score(has, inside[:, cells.channels.index(name)]) > 0.97


def test_light_spills_over_to_neighbours(
    levels: pd.DataFrame, cells: cm.Cells, inside: np.ndarray
) -> None:
    """Cells without CD20 are brighter in it the more of their neighbours have it."""
    centres, field = cells.centres, cells.table["field"].to_numpy()
    has = (levels["CD20"] >= POSITIVE).to_numpy()
    apart = np.hypot(*(centres[:, None] - centres).transpose(2, 0, 1))
    near = (apart < 20) & (field[:, None] == field) & (apart > 0)
    beside = (near & has).sum(axis=1)
    light = inside[:, cells.channels.index("CD20")]
    alone, lit = light[~has & (beside == 0)], light[~has & (beside > 0)]
    assert np.mean(lit) > np.mean(alone) + 5


def test_the_blank_is_constant_and_the_copy_is_autofluorescence(cells: cm.Cells) -> None:
    pixels = cells.read()
    assert np.ptp(pixels[:, cells.channels.index("Blank")]) == 0
    first, again = (pixels[:, cells.channels.index(name)].ravel() for name in ("AF", "AF-2"))
    assert np.corrcoef(first, again)[0, 1] > 0.99
    assert 5 < np.std(first - again) < 8


def test_hot_pixels_are_where_the_truth_says(cells: cm.Cells, folder: Path) -> None:
    hot = json.loads((folder / "truth.json").read_text("utf-8"))["hot pixels"]
    assert hot == ["CD57", "CD8"]
    for name in ("CD57", "CD8", "CD38"):
        channel = cells.channels.index(name)
        planes = [np.asarray(field.planes[channel][:, :]) for field in cells.fields]
        share = np.mean([(plane >= 8000).mean() for plane in planes])
        assert (3e-5 < share < 3e-4) if name in hot else share == 0


def test_patients_are_stained_more_or_less(cells: cm.Cells, levels: pd.DataFrame) -> None:
    light = cells.read()[:, cells.channels.index("DAPI")].mean(axis=(1, 2))
    of_patient = pd.Series(light / levels["DAPI"]).groupby(cells.groups).median()
    assert of_patient.max() / of_patient.min() > 1.1


def test_the_same_seed_gives_the_same_pixels_and_another_seed_others(tmp_path: Path) -> None:
    made = [
        cm.open_dataset(multiplex_sample(tmp_path / str(n), cells=60, channels=12, seed=seed))
        for n, seed in enumerate((3, 3, 4))
    ]
    np.testing.assert_array_equal(made[0].read(), made[1].read())
    assert made[0].read().shape == made[2].read().shape
    assert (made[0].read() != made[2].read()).any()


def test_rare_cells_are_dealt_to_as_many_patients_as_there_are_cells(tmp_path: Path) -> None:
    cells = cm.open_dataset(multiplex_sample(tmp_path, cells=1600, channels=12))
    rare = cells.labels == MULTIPLEX_CLASSES.index("Treg")
    assert rare.sum() == len(set(cells.groups[rare])) == 8


def test_more_channels_than_forty_are_markers_of_no_rule() -> None:
    names = multiplex_channels(200)
    assert len(names) == len(set(names)) == 200
    assert names[:40] == multiplex_channels(40)
    assert names[-1] == "marker 200"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"channels": 11}, "12 to 400 channels, not 11"),
        ({"channels": 401}, "12 to 400 channels, not 401"),
        ({"cells": 39}, "40 to 1,000,000 cells, not 39"),
    ],
)
def test_a_set_that_cannot_be_made_is_refused(
    options: dict[str, int], words: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=words):
        multiplex_sample(tmp_path / "set", **options)
    assert not (tmp_path / "set").exists()


def test_a_sample_that_is_stopped_leaves_no_data_set_file(tmp_path: Path) -> None:
    job = multiplex_sample_job(tmp_path / "set", cells=60, channels=12)
    for _ in range(3):
        next(job)
    job.close()
    assert not (tmp_path / "set" / "dataset.toml").exists()


def test_the_tissue_in_memory_is_that_of_the_files(tmp_path: Path) -> None:
    written = cm.open_dataset(multiplex_sample(tmp_path, cells=60, channels=12, seed=2))
    sample = multiplex_tissue(2, cells=60, channels=12)
    np.testing.assert_array_equal(sample.cells.read(), written.read())
    assert sample.cells.labels.tolist() == written.labels.tolist()
    assert sample.cells.groups.tolist() == written.groups.tolist()
    assert sample.cells.classes == written.classes
    assert sum(sample.relevance.values()) == 8
    assert "Treg: CD3 +, CD4 +, CD8 -, FOXP3 +" in sample.story


@pytest.mark.parametrize("examples", [multiplex_panel, module], ids=lambda of: of.__name__)
def test_examples_are_true(examples: ModuleType, tmp_path: Path) -> None:
    result = doctest.testmod(examples, extraglobs={"cm": cm, "np": np, "folder": tmp_path})
    assert result.attempted > 0 == result.failed
