"""Edits do what their names say: own feature moves, others a third of it at most."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_channelmix import open_dataset
from napari_channelmix.data.samples import synthetic_plate
from napari_channelmix.whatif.axes import Axis
from napari_channelmix.whatif.axis_table import axes_of
from napari_channelmix.whatif.channel_edits import brightness
from napari_channelmix.whatif.crops import CellCrops, cell_crops
from napari_channelmix.whatif.self_consistency import self_consistency


def some_of(cells, count: int = 100) -> CellCrops:
    return cell_crops(cells, np.unique(np.linspace(0, len(cells) - 1, count).astype(int)))


@pytest.fixture(scope="module")
def plate() -> CellCrops:
    return some_of(synthetic_plate().cells)


def test_an_edit_that_does_something_else_is_found(plate: CellCrops) -> None:
    honest = next(axis for axis in axes_of(plate) if axis.name == "DNA brightness")
    wrong = Axis(
        "DNA brightness",
        "channel",
        "doublings",
        lambda crops, amounts: brightness(crops, amounts, 1),
        -4,
        4,
        feature=honest.feature,
        measure=honest.measure,
        to_level=honest.to_level,
        channel="DNA",
        moves_too=honest.moves_too,
    )
    table = self_consistency([honest, wrong], plate)
    assert table["pure"].tolist() == [True, False]
    assert table["other"][1] in ("reporter brightness", "reporter level")


def test_channel_surroundings_and_acquisition_are_pure_on_a_synthetic_plate(
    plate: CellCrops,
) -> None:
    axes = axes_of(plate, families=["channel", "surroundings", "acquisition"], channels=["DNA"])
    table = self_consistency(axes, plate)
    assert len(table) == len(axes)
    assert not table[~table["pure"]]["axis"].tolist()
    assert (table["moved"] > 0.5).all()


@pytest.mark.parametrize(
    ("name", "axes"),
    [
        ("jurkat_cellcycle_ifc", ("DNA brightness", "DNA level", "DNA rim")),
        ("bbbc013_wortmannin", ("GFP brightness", "DNA brightness", "DNA level", "size")),
        ("csm_breast_b14", ("DAPI brightness", "CD8a level", "CD8a rim", "size")),
    ],
)
def test_edits_are_pure_on_real_cells(shared_data: Path, name: str, axes: tuple[str, ...]) -> None:
    crops = some_of(open_dataset(shared_data / name / "dataset.toml"))
    table = self_consistency([axis for axis in axes_of(crops) if axis.name in axes], crops)
    assert len(table) == len(axes)
    assert table["pure"].all(), table.to_string()
