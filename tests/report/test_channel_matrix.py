"""The matrix of channels by classes on the page: signs, what is pale, what is left out, tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_channelmix.report import Findings, page_of
from napari_channelmix.report.sections.channel_matrix import channel_matrix_section
from napari_channelmix.report.sections.groups import _blocks
from napari_channelmix.whatif.channel_means_result import ChannelMeans, MeanRow
from napari_channelmix.whatif.channel_shapley_result import (
    ALL_CLASSES,
    ChannelRow,
    ChannelShapley,
)

NAN = float("nan")
MINUS = "\N{MINUS SIGN}"


def row_of(channel: str, name: str, value: float, direction: float) -> ChannelRow:
    swap = (0.5, 0.4, 0.6, 40, 0.0, 0.0, 0.1)
    ends = direction - 0.2, direction + 0.2
    about = (channel, name, value, value - 0.05, value + 0.05, 40, 4)
    return ChannelRow(*about, *swap, direction, *ends, 0.012)


def answered(channels: int, classes: tuple[str, ...]) -> ChannelShapley:
    """The first class needs the last channel, the second its absence; nothing else is readable."""
    names = tuple(f"m{place}" for place in range(channels))
    rows = [row_of(channel, ALL_CLASSES, 0.1, NAN) for channel in names]
    for code, name in enumerate(classes):
        for channel in names:
            marked = channel == names[-1] and code < 2
            direction = (0.8, -0.7)[code] if marked else 0.1
            rows.append(row_of(channel, name, 0.3 - 0.1 * code if marked else 0.01, direction))
    return ChannelShapley(names, classes, tuple(rows), 0.9, 0.3, True, False, 100)


def means_of(result: ChannelShapley) -> ChannelMeans:
    rows = tuple(
        MeanRow(channel, name, 1.5, 1.0, 2.0, 40, 4)
        for name in result.classes
        for channel in result.channels
    )
    return ChannelMeans(result.channels, result.classes, rows, lines=("a regression is as good",))


def test_strongest_channels_come_first_with_sign_and_pale_fields_have_no_figure(
    plate: Any,
) -> None:
    result = answered(40, ("T", "B", "NK"))
    part = channel_matrix_section(Findings(plate, channel_shapley=result))
    assert part is not None
    ((names, (effects,)),) = part["tables"]
    assert names[0] == "m39" and len(names) == 40
    fields = effects["rows"][0]
    assert [text for text, _, _ in fields[:2]] == ["+.30", f"{MINUS}.20"]
    assert [sign for _, sign, _ in fields] == ["over", "under", "over"]
    assert fields[0][2] > fields[1][2] > fields[2][2] and fields[2][0] == ""
    assert part["sentences"] == ("T: needs m39.", "B: needs m39 absent.")
    assert part["sampled"] and part["error"] == pytest.approx(0.012)


def test_of_two_hundred_channels_those_without_an_effect_are_left_out_and_counted(
    plate: Any,
) -> None:
    result = answered(200, ("T", "B", "NK"))
    text = page_of(Findings(plate, channel_shapley=result))
    assert "160 more channels, none of which can be read, are left out" in text


def test_scores_stand_beside_few_classes_and_below_many(plate: Any) -> None:
    few = answered(10, ("T", "B", "NK"))
    part = channel_matrix_section(Findings(plate, channel_shapley=few, channel_means=means_of(few)))
    assert part is not None and len(part["tables"]) == 1 and len(part["tables"][0][1]) == 2
    assert part["linear"] == ("A regression is as good.",)
    many = answered(10, tuple(f"class {code}" for code in range(20)))
    findings = Findings(plate, channel_shapley=many, channel_means=means_of(many))
    part = channel_matrix_section(findings)
    assert part is not None and len(part["tables"]) == 2
    text = page_of(findings)
    assert text.count('<table class="effects many">') == 2 and "mean z-score" in text


def test_two_classes_and_few_channels_need_no_matrix(plate: Any) -> None:
    assert channel_matrix_section(Findings(plate)) is None
    small = Findings(plate, channel_shapley=answered(4, ("T", "B")))
    assert channel_matrix_section(small) is None
    # What each class needs is said in the lines then.
    assert "effects" not in page_of(small).split("<body>")[1]


def test_what_is_not_known_is_blank(plate: Any) -> None:
    result = answered(10, ("T", "B", "NK"))
    rows = tuple(
        row_of(row.channel, row.class_name, np.nan, np.nan) if row.class_name == "NK" else row
        for row in result.rows
    )
    known = ChannelShapley(result.channels, result.classes, rows, 0.9, 0.3, True, False, 100)
    part = channel_matrix_section(Findings(plate, channel_shapley=known))
    assert part is not None
    assert part["tables"][0][1][0]["rows"][0][2] == ("", "none", 0.0)


@pytest.mark.parametrize(
    ("classes", "most", "sizes"),
    [(3, 8, [3]), (9, 8, [4, 5]), (20, 8, [7, 6, 7]), (20, 4, [4] * 5)],
)
def test_tables_of_fractions_are_divided_evenly(classes: int, most: int, sizes: list[int]) -> None:
    assert [len(block) for block in _blocks(classes, most)] == sizes
