"""The cell or the crop: rules that look at the middle, or at everything, are told apart."""

from __future__ import annotations

import json

import numpy as np
import numpy.typing as npt
import pytest

from napari_channelmix.classify.foreign import ForeignClassifier
from napari_channelmix.data.cells import Cells
from napari_channelmix.errors import ModelError
from napari_channelmix.jobs import drain
from napari_channelmix.whatif.cell_or_crop import SHAM, CellOrCrop, cell_or_crop_job

Floats = npt.NDArray[np.float32]


def pairs() -> Cells:
    """Wells of pairs of cells 12 pixels apart; in the bright wells both cells are bright."""
    rng, parts = np.random.default_rng(0), []
    y, x = np.mgrid[:64, :160]
    for number in range(6):
        labels, plane, classes = np.zeros((64, 160), int), np.zeros((64, 160)), {}
        for cell in range(4):
            middle = 24 + 12 * (cell % 2) + 80 * (cell // 2)
            body = np.hypot(y - 32, x - middle) <= 4
            labels[body] = cell + 1
            plane[body] = (100, 200)[number % 2] * rng.uniform(0.95, 1.05)
            classes[cell + 1] = ("dim", "bright")[number % 2]
        noisy = plane + 20 + rng.normal(0, 1, plane.shape)
        made = Cells.from_labels([noisy], ("stain",), labels, crop=36, classes_of=classes)
        from dataclasses import replace

        name = f"A{number + 1:02d}"
        fields = (replace(made.fields[0], name=name),)
        parts.append(replace(made, fields=fields, table=made.table.assign(group=name), warnings=()))
    return Cells.together(parts, "pairs")


def rule(whole_crop: bool) -> ForeignClassifier:
    """Calls 'bright' by the brightest pixels of the crop, or of its middle."""

    def predict(crops: Floats) -> Floats:
        part = crops[:, 0] if whole_crop else crops[:, 0, 14:22, 14:22]
        bright = np.percentile(part, 98, axis=(1, 2)) > 160
        return np.stack([1 - bright, bright], axis=1).astype(np.float32) * 0.8 + 0.1

    one = np.ones(1)
    return ForeignClassifier(
        predict, ("stain",), ("dim", "bright"), 0 * one, one, "probabilities", "rule"
    )


def test_a_rule_on_the_crop_is_moved_only_when_all_cells_go() -> None:
    result = drain(cell_or_crop_job(rule(whole_crop=True), pairs(), only="all"))
    assert result.row("cell", "bright").changed == 0
    assert result.row("crop", "bright").changed == 1
    assert result.row("neighbours", "bright").changed == 0
    assert result.row(SHAM).changed == 0
    assert result.row("crop").accuracy == 0.5
    assert "judges the crop, not the cell" in result.line


def test_a_rule_on_the_middle_is_moved_when_the_cell_goes() -> None:
    result = drain(cell_or_crop_job(rule(whole_crop=False), pairs(), only="all"))
    assert result.row("cell", "bright").changed == 1
    assert result.row("crop", "bright").changed == 1
    assert result.row("neighbours").changed == 0
    assert "judges the crop" not in result.line
    assert result.row("cell").n == 24
    assert result.row("cell").groups == 6


def test_an_axis_is_applied_in_every_scope() -> None:
    job = cell_or_crop_job(
        rule(whole_crop=True), pairs(), axis="stain brightness", amount=1.0, only="all"
    )
    result = drain(job)
    assert result.change == "stain brightness +1 doublings"
    # The brighter of the two cells decides, whichever it is.
    assert result.row("cell", "dim").changed == 1
    assert result.row("neighbours", "dim").changed == 1
    with pytest.raises(ModelError, match="there is no axis 'DNA size'"):
        drain(cell_or_crop_job(rule(whole_crop=True), pairs(), axis="DNA size", only="all"))


def test_a_result_comes_back_from_json_as_it_was() -> None:
    result = drain(cell_or_crop_job(rule(whole_crop=True), pairs(), only="all"))
    again = CellOrCrop.from_dict(json.loads(json.dumps(result.as_dict())))
    assert again == result
    assert len(result.to_frame()) == len(result.rows) == 4 * 3
