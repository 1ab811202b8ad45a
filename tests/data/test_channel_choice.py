"""Which channels of a data set are used: in its file, from Python."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from napari_channelmix.data import open_dataset, save_dataset
from napari_channelmix.data.channel_choice import chosen_channels, nearest_names
from napari_channelmix.errors import DataError

WriteSet = Callable[..., Path]

SEGMENT = ("[cells]", 'from = "segment"', 'channel = "DNA"', "crop = 16")
STACK = ("[image]", 'column = "stack"')


def refused(path: Path, **options: object) -> str:
    with pytest.raises(DataError) as error:
        open_dataset(path, **options)  # type: ignore[arg-type]
    return str(error.value)


def test_use_takes_channels_in_its_order_and_drop_leaves_them_out(write_set: WriteSet) -> None:
    both = open_dataset(write_set(*STACK, *SEGMENT))
    assert both.channels == ("DNA", "GFP")
    crops = both.read()
    used = open_dataset(write_set('use = ["GFP", "DNA"]', *STACK, *SEGMENT))
    assert used.channels == ("GFP", "DNA")
    assert np.array_equal(used.read(), crops[:, ::-1])
    # What is segmented need not be used.
    dropped = open_dataset(write_set('drop = ["DNA"]', *STACK, *SEGMENT))
    assert dropped.channels == ("GFP",) and len(dropped) == len(both)
    assert np.array_equal(dropped.read(), crops[:, 1:])


def test_names_that_are_not_there_are_refused_with_the_nearest(write_set: WriteSet) -> None:
    file = write_set('use = ["GPF", "DNA"]', *STACK, *SEGMENT)
    assert refused(file) == f"{file} has no channel 'GPF'; it has DNA, GFP"
    assert nearest_names("cd8", ["CD8a", "CD4", "DAPI"])[0] == "CD8a"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('drop = ["GFP", "DNA"]', "no channel is left"),
        ('use = ["GFP", "GFP"]', "two channels are called 'GFP'; name each once"),
        ("use = []", "use"),
        ('use = ["GFP"]\ndrop = ["DNA"]', "give either use = [...] or drop = [...], not both"),
        ('panel = "none.csv"', "none.csv"),
    ],
)
def test_other_choices_are_refused_in_one_line(write_set: WriteSet, line: str, says: str) -> None:
    text = refused(write_set(*line.splitlines(), *STACK, *SEGMENT))
    assert says in text and "\n" not in text


def test_a_panel_table_names_the_channels_that_use_then_chooses(write_set: WriteSet) -> None:
    file = write_set('panel = "panel.csv"', 'use = ["reporter"]', *STACK, *SEGMENT)
    (file.parent / "panel.csv").write_text(
        "channel,marker,group\nGFP,reporter,light\nDNA,nuclei,\n"
    )
    cells = open_dataset(file)
    assert cells.channels == ("reporter",) and cells.channel_groups == {"light": ("reporter",)}
    (file.parent / "panel.csv").write_text("channel,marker\nGFPP,reporter\n")
    assert "panel.csv has no channel 'GFPP'; it has DNA, GFP" in refused(file)


def test_channels_are_chosen_when_a_data_set_is_opened(write_set: WriteSet) -> None:
    file = write_set(*STACK, *SEGMENT)
    assert open_dataset(file, channels=["GFP"]).channels == ("GFP",)
    assert "has no channel 'x'" in refused(file, channels=["x"])
    assert "must be a list of names" in refused(file, channels="GFP")


def test_groups_of_channels_are_saved_and_opened_again(write_set: WriteSet, tmp_path: Path) -> None:
    file = write_set('panel = "panel.csv"', *STACK, *SEGMENT)
    (file.parent / "panel.csv").write_text("channel,marker,group\nGFP,=x,a\nDNA,DNA,\n")
    cells = open_dataset(file)
    again = open_dataset(save_dataset(cells, tmp_path / "saved"))
    assert again.channels == cells.channels == ("DNA", "=x")
    assert again.channel_groups == {"a": ("=x",)}
    assert np.array_equal(again.read(), cells.read())


def test_both_use_and_drop_are_refused_from_python() -> None:
    with pytest.raises(DataError, match="not both"):
        chosen_channels(["A"], ["A"], ["A"], who="set")
