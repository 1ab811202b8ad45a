"""Contributions of channels in the folder that 'explain' writes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import napari_channelmix as cm
from napari_channelmix.data.samples import graded_channels
from napari_channelmix.jobs import drain
from napari_channelmix.pcim.cell_source import Source
from napari_channelmix.pcim.channel_contributions import channel_contributions, donors_job
from napari_channelmix.stored_files import parsed_json


def test_figures_are_those_of_the_page_in_json_table_and_picture(tmp_path: Path) -> None:
    cells = graded_channels((2.5, 0.0), count=60, side=12).cells
    model = cm.train_classifier(cells, network="tiny", epochs=8, device="cpu")
    options = {"only": "all", "check": False, "limit": 8, "channels": "separate"}
    cm.explain_cells(
        model, cells, tmp_path, contributions=True, reliability=True, device="cpu", **options
    )
    content = parsed_json((tmp_path / "explain.json").read_text("utf-8"))
    known = content["contributions"]
    assert len(known["words"]) == len(known["fall"]) == len(known["maps"]) == 8
    chosen = np.array(content["cells"]["index"], np.int64)
    source = Source.of(model, cells, "cpu", chosen)
    donors = drain(donors_job(source))
    for row, target in enumerate(content["target"]):
        one = channel_contributions(source, donors, target, row=row)
        assert one is not None
        assert known["fall"][row] == pytest.approx(one.fall.tolist(), abs=1e-4)
        assert known["sign"][row] == one.signs.tolist() and known["words"][row] == one.words
        assert sum(known["evidence"][row]) == pytest.approx(1, abs=1e-4)
        decide = {name for name, above in zip(cells.channels, one.above, strict=True) if above}
        assert set(known["maps"][row]["channels"]) == decide
    table = pd.read_csv(tmp_path / "cells.csv", keep_default_na=False)
    first = cells.channels[0]
    assert table["decided by"].tolist() == known["words"]
    falls = [row[0] for row in known["fall"]]
    assert table[f"contribution of {first}"].tolist() == pytest.approx(falls)
    assert set(table[f"sign of {first}"]) <= {-1, 0, 1}
    assert (tmp_path / "explain-channels.png").stat().st_size > 5000


def test_nothing_is_said_where_it_was_not_asked_for(tmp_path: Path) -> None:
    cells = graded_channels((2.5, 0.0), count=24, side=12).cells
    model = cm.train_classifier(cells, network="tiny", epochs=1, device="cpu")
    cm.explain_cells(model, cells, tmp_path, only="all", check=False, limit=2, device="cpu")
    content = parsed_json((tmp_path / "explain.json").read_text("utf-8"))
    assert content["contributions"] is None
    assert "decided by" not in pd.read_csv(tmp_path / "cells.csv").columns
    assert not (tmp_path / "explain-channels.png").exists()


def test_many_channels_are_measured_as_steps_of_the_run(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    crops = rng.normal(500, 40, (24, 7, 12, 12)).astype(np.float32)
    crops[1::2, 3] += 300
    names = [f"marker {number}" for number in range(7)]
    groups = [f"g{number % 4}" for number in range(24)]
    cells = cm.Cells.from_array(crops, names, np.arange(24) % 2, ["a", "b"], groups=groups)
    model = cm.train_classifier(cells, network="tiny", epochs=1, device="cpu")
    stages: list[str] = []
    cm.explain_cells(
        model,
        cells,
        tmp_path,
        only="all",
        check=False,
        limit=2,
        device="cpu",
        progress=lambda step: stages.append(step.stage),
    )
    # A run can be stopped between two of them.
    assert "drawing the maps" in stages
    assert (tmp_path / "explain.png").stat().st_size > 5000
