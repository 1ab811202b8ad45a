"""Notes on channels: what is said of which, and with which figures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from napari_channelmix.data import Cells, open_dataset
from napari_channelmix.data.channel_notes import DIM, channel_notes, channel_notes_job
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import drain


def cells_of(**channels: np.ndarray) -> Cells:
    return Cells.from_array(np.stack(list(channels.values()), axis=1), list(channels))


@pytest.fixture
def noise() -> np.ndarray:
    return np.random.default_rng(3).normal(100, 5, (40, 16, 16))


def cell_light() -> np.ndarray:
    y, x = np.mgrid[:16, :16]
    return 900 * np.exp(-((y - 8) ** 2 + (x - 8) ** 2) / 18)


def test_each_kind_is_noted_with_its_figure(noise: np.ndarray) -> None:
    rng = np.random.default_rng(4)
    light = cell_light() * rng.uniform(0.2, 1, (40, 1, 1))
    hot = noise[::-1] + cell_light() * rng.uniform(0.2, 1, (40, 1, 1))
    hot[:5, 2, 2] = 40_000
    cells = cells_of(
        AF=light + noise,
        blank=np.full_like(noise, 3.0),
        copy=2 * (light + noise) + 1,
        hot=hot,
        dim=noise[:, ::-1],
    )
    notes = channel_notes(cells)
    assert [(note.channel, note.kind) for note in notes.notes] == [
        ("blank", "constant"),
        ("copy", "copy"),
        ("hot", "hot pixels"),
        ("dim", "dim"),
    ]
    assert notes.of("copy")[0].other == "AF" and notes.of("copy")[0].value > 0.999
    # Five of 40 crops of 14 x 14 pixels with eight neighbours each.
    assert notes.of("hot")[0].value == pytest.approx(1e6 * 5 / (40 * 14 * 14))
    assert notes.of("dim")[0].value < 2 < DIM
    assert notes.noted() == ("blank", "copy", "hot", "dim")
    assert notes.noted("constant", "copy") == ("blank", "copy")
    assert notes.lines[0] == "constant channels: blank (3)"
    assert notes.lines[1] == "copies of other channels: copy of AF (r = 1.00)"
    frame = notes.to_frame().set_index("channel")
    assert frame.loc["copy", "likest"] == "AF" and frame.loc["blank", "maximum"] == 3
    assert json.dumps(notes.as_dict())


def test_a_channel_that_is_constant_in_one_field_is_said_with_its_name() -> None:
    rng = np.random.default_rng(5)
    planes = [[rng.normal(50, 5, (60, 70)) for _ in range(2)] for _ in range(3)]
    planes[1][1] = np.full((60, 70), 9.0)
    points = [(20, 20), (20, 45), (40, 30)]
    parts = [
        Cells.from_points(pair, ["DNA", "CD8"], points, crop=16, name=f"field {index}")
        for index, pair in enumerate(planes)
    ]
    notes = channel_notes(Cells.together(parts))
    told = [note for note in notes.notes if note.kind == "constant in a field"]
    assert [(note.channel, note.other) for note in told] == [("CD8", "field 1")]
    assert "channels that are constant in an image: CD8 in field 1" in notes.lines
    # Other fields have light: it is not left out with the others.
    assert "CD8" not in notes.noted("constant")


def test_notes_of_the_planted_multiplex_set(multiplex_file: Path) -> None:
    notes = channel_notes(open_dataset(multiplex_file))
    kinds = {kind: notes.noted(kind) for kind in ("constant", "copy", "hot pixels")}
    assert kinds["constant"] == ("Blank",)
    assert kinds["copy"] == ("AF-2",) and notes.of("AF-2")[0].other == "AF"
    assert set(kinds["hot pixels"]) <= {"CD57", "CD8"}


def test_a_job_can_be_closed_and_its_steps_are_counted(noise: np.ndarray) -> None:
    cells = cells_of(A=noise, B=noise[::-1])
    job = channel_notes_job(cells)
    assert next(job).total == 42
    job.close()
    assert drain(channel_notes_job(cells)).n == 40


def test_no_cells_are_refused(noise: np.ndarray) -> None:
    with pytest.raises(DataError, match="there are no cells to look at"):
        channel_notes(cells_of(A=noise).subset([]))


def test_all_constant_channels_are_refused_in_one_line(noise: np.ndarray) -> None:
    flat = np.ones_like(noise)
    statistics = cells_of(A=noise, B=flat, C=2 * flat).statistics()
    with pytest.raises(DataError) as error:
        statistics.refuse_constant()
    assert str(error.value) == (
        "channels 'B' (1), 'C' (2) are constant in every cell and carry nothing; leave them out "
        '(in a data-set file: drop = ["B", "C"])'
    )


def test_notes_are_of_the_files_whatever_is_clipped() -> None:
    rng = np.random.default_rng(0)
    crops = rng.normal(100, 5, (60, 1, 16, 16)).astype(np.float32)
    crops[:, :, 6:10, 6:10] += 300
    crops[::3, 0, 2, 2] = 9000
    cells = Cells.from_array(crops, ["CD8"])
    plain, clipped = channel_notes(cells), channel_notes(cells.scaled(clip=99))
    assert plain.noted("hot pixels") == clipped.noted("hot pixels") == ("CD8",)
    assert plain.figures == clipped.figures
