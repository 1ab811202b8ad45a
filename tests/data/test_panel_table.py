"""Panel tables: what they say of channels, and what is refused in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_channelmix.data import Cells
from napari_channelmix.data.panel_table import read_panel_table, text_panel_table
from napari_channelmix.errors import DataError

TABLE = """channel,marker,use,group
Pr141,CD3,yes,lineage
Nd142,CD20,YES,lineage
Nd143,FOXP3,1,state
Nd144,blank,no,
Ir191,DNA,x,
"""
CHANNELS = ("Pr141", "Nd142", "Nd143", "Nd144", "Ir191")


def refused(text: str) -> str:
    with pytest.raises(DataError) as error:
        text_panel_table(text, "panel.csv")
    return str(error.value)


def cells_of(*channels: str) -> Cells:
    crops = np.arange(2.0 * len(channels) * 64).reshape(2, len(channels), 8, 8)
    return Cells.from_array(crops, channels)


def test_channels_are_renamed_left_out_and_grouped() -> None:
    cells = cells_of(*CHANNELS)
    panel = cells.with_panel(text_panel_table(TABLE))
    assert panel.channels == ("CD3", "CD20", "FOXP3", "DNA")
    assert panel.channel_groups == {"lineage": ("CD3", "CD20"), "state": ("FOXP3",)}
    assert np.array_equal(panel.read(), cells.read()[:, [0, 1, 2, 4]])
    assert panel.warnings == cells.warnings


def test_groups_are_those_of_the_channels_that_are_there() -> None:
    panel = cells_of(*CHANNELS).with_panel(text_panel_table(TABLE))
    assert panel.with_channels(["DNA", "CD20"]).channel_groups == {"lineage": ("CD20",)}
    assert Cells.together([panel, panel]).channel_groups == panel.channel_groups


def test_a_file_may_be_divided_by_tabs_and_hold_channels_alone(tmp_path: Path) -> None:
    path = tmp_path / "panel.tsv"
    path.write_text("Marker\tChannel\nCD3\tPr141\n\tNd142\n")
    panel = read_panel_table(path)
    assert panel.names_in(CHANNELS[:2]) == {"Pr141": "CD3", "Nd142": "Nd142"}
    assert panel.used(CHANNELS[:2]) == CHANNELS[:2]
    assert panel.groups == {}


def test_channels_without_a_row_stay_and_are_said() -> None:
    cells = cells_of("Pr141", "Xe131").with_panel(text_panel_table("channel,marker\nPr141,CD3"))
    assert cells.channels == ("CD3", "Xe131")
    assert cells.warnings[-1].endswith("no row for 1 channel, which stay: Xe131")


def test_a_channel_that_is_left_out_may_share_its_marker_name() -> None:
    panel = text_panel_table("channel,marker,use\nA,CD3,no\nB,CD3,yes")
    assert cells_of("A", "B").with_panel(panel).channels == ("CD3",)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "channel,marker,metal,clone\nA,CD3,Pr,x",
            "panel.csv: unknown columns 'metal', 'clone'; a panel table has channel, marker, use, "
            "group",
        ),
        (
            "marker,use\nCD3,1",
            "panel.csv: no column 'channel', the names of the channels in the images; a panel "
            "table has channel, marker, use, group",
        ),
        (
            "channel,marker\nA,CD3\nB,CD3",
            "panel.csv: the channels 'A' and 'B' have one marker name, 'CD3'; give them different",
        ),
        ("channel,marker\nA,CD3\nA,CD4", "panel.csv: channel 'A' has two rows"),
        ("channel,use\nA,perhaps", "panel.csv, line 2: use is 'perhaps'; write yes or no"),
        ("channel,marker\n,CD4", "panel.csv, line 2: the channel has no name"),
        ("channel,marker\n,\n", "panel.csv"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(text: str, line: str) -> None:
    assert refused(text).startswith(line)


def test_a_table_may_name_only_what_is_left_out() -> None:
    panel = text_panel_table("channel,use\nA,\nB,no", "panel.csv")
    assert cells_of("A", "B", "C").with_panel(panel).channels == ("C",)
    with pytest.raises(DataError, match=r"panel.csv: no channel is used; write yes in"):
        cells_of("A", "B").with_panel(panel)


def test_channels_the_images_do_not_have_are_named_together_with_the_nearest() -> None:
    panel = text_panel_table("channel,marker\nPr14,CD3\nNd142,CD20\nFe56,x", "panel.csv")
    with pytest.raises(DataError) as error:
        cells_of(*CHANNELS).with_panel(panel)
    assert str(error.value).startswith("panel.csv has no channels 'Pr14', 'Fe56'; it has Pr141")
    many = [f"channel {number}" for number in range(30)] + ["Pr141"]
    with pytest.raises(DataError, match=r"is 'Pr141' meant\? It has 31") as error:
        panel.names_in(many)


def test_a_marker_called_like_a_channel_without_a_row_is_refused() -> None:
    with pytest.raises(DataError, match="channel 'A' is called 'B', and so is a channel without"):
        cells_of("A", "B").with_panel(text_panel_table("channel,marker\nA,B"))
