"""The panel of a planted tissue: its channels, and which cell is of which type."""

from itertools import product

import numpy as np
import pytest

from napari_channelmix.data.multiplex_panel import (
    MULTIPLEX_CLASSES,
    MULTIPLEX_RULES,
    OTHER,
    RULE_MARKERS,
    drawn_channels,
    multiplex_channels,
    type_of_markers,
)
from napari_channelmix.errors import DataError

EVERY = np.array(list(product([False, True], repeat=len(RULE_MARKERS))))


def test_a_type_has_what_its_rule_asks_for_and_no_other_rule_fits():
    codes = type_of_markers(EVERY)
    for has, code in zip(EVERY, codes, strict=True):
        own = dict(zip(RULE_MARKERS, has, strict=True))
        fitting = [
            name
            for name, rule in MULTIPLEX_RULES.items()
            if all(own[marker] == (sign > 0) for marker, sign in rule.items())
        ]
        expected = {0: OTHER, 1: (*fitting, "")[0]}.get(len(fitting))
        assert (None if code < 0 else MULTIPLEX_CLASSES[code]) == expected


def test_each_rule_can_be_met_by_a_cell_of_no_other_type():
    assert set(type_of_markers(EVERY).tolist()) == {-1, *range(len(MULTIPLEX_CLASSES))}


@pytest.mark.parametrize("count", [12, 13, 39, 40, 41, 104, 400])
def test_every_panel_has_as_many_channels_each_of_its_own_name(count):
    names = multiplex_channels(count)
    assert len(set(names)) == count and set(RULE_MARKERS) < set(names)
    assert [channel.name for channel in drawn_channels(count)] == list(names)


@pytest.mark.parametrize("count", [11, 401, 0])
def test_a_panel_that_cannot_be_drawn_is_refused(count):
    with pytest.raises(DataError, match=f"12 to 400 channels, not {count}"):
        multiplex_channels(count)
