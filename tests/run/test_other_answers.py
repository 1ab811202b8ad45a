"""What else is asked about changed cells: files, or a line why there are none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import napari_channelmix as cm
from napari_channelmix.jobs import drain
from napari_channelmix.run.other_answers import (
    audit_file_job,
    channels_files_job,
    players_of,
    transplants_files_job,
)


def bright(crops: npt.NDArray[Any]) -> npt.NDArray[Any]:
    share = np.clip(crops[:, 0].mean(axis=(1, 2)) / 10, 0, 1)
    return np.stack([1 - share, share], axis=1)


def cells_of(levels: tuple[int, ...]) -> cm.Cells:
    crops = np.ones((len(levels), 2, 8, 8), np.float32) * np.array(levels)[:, None, None, None]
    crops += np.random.default_rng(0).random(crops.shape, np.float32) / 10
    labels = ["bright" if level > 5 else "dark" for level in levels]
    groups = [f"well {index % 4}" for index in range(len(levels))]
    return cm.Cells.from_array(crops, ["A", "B"], labels, groups=groups)


def test_channels_are_written_as_json_and_a_table(tmp_path: Path) -> None:
    cells = cells_of((1, 9) * 8)
    model = cm.wrap(bright, channels=["A", "B"], classes=["dark", "bright"])
    result = drain(channels_files_job(model, cells, tmp_path, cm.ChannelSettings(only="all")))
    names = [file.name for file in result.files]
    assert names == ["channels.json", "channels.csv", "channel_effects.csv"]
    assert players_of(tmp_path) == {} and any("bright: needs A" in line for line in result.lines)
    assert result.left_out == ""
    assert json.loads((tmp_path / "channels.json").read_text("utf-8"))["channels"] == ["A", "B"]


def test_what_cannot_be_asked_is_left_out_in_one_line(tmp_path: Path) -> None:
    # All are predicted as one class: there is no donor.
    cells = cells_of((9,) * 8)
    model = cm.wrap(bright, channels=["A", "B"], classes=["dark", "bright"])
    transplants = cm.TransplantSettings(only="all")
    result = drain(transplants_files_job(model, cells, tmp_path, transplants))
    assert result.files == () and result.left_out.startswith("transplants are left out: ")
    assert "\n" not in result.left_out
    audit = drain(audit_file_job(model, cells, tmp_path, cm.AuditSettings(only="all"), [99]))
    assert audit.files == () and audit.left_out.startswith("the shortcut audit is left out: ")
    assert not list(tmp_path.iterdir())


def test_groups_of_channels_are_kept_with_the_answer(tmp_path: Path) -> None:
    assert players_of(tmp_path) == {}
    (tmp_path / "channels.json").write_text("{", "utf-8")
    assert players_of(tmp_path) == {}
    cells = cells_of((1, 9) * 8)
    model = cm.wrap(bright, channels=["A", "B"], classes=["dark", "bright"])
    settings = cm.ChannelSettings(only="all", players={"stain": ["A"]})
    drain(channels_files_job(model, cells, tmp_path, settings))
    assert players_of(tmp_path) == {"stain": ["A"]}
