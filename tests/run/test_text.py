"""Results as text for a terminal."""

from dataclasses import replace

import pytest

from napari_channelmix.dcmix import ChannelImportance
from napari_channelmix.run.text import importance_text

RESULT = ChannelImportance(
    ("GFP", "DNA"), (0.8, 0.2), (0.02, 0.01), (0.3, -0.01), (0.0, 0.0), {}, (0.2, 0.3),
    (0.0004, 0.21), {"mixed": 0.9, "plain": 0.92}, {"mixed": {}, "plain": {}}, "ok", (0, 1, 2, 3),
    ((0.8, 0.2),) * 4, 8, 4, (), {},
)  # fmt: skip


@pytest.mark.parametrize(("shapley", "ends"), [
    ((0.3, -0.01), ["0.020 +0.300    < 0.001", "0.010 -0.010      0.210"]),
    (None, ["0.020           < 0.001", "0.010             0.210"]),
])  # fmt: skip
def test_p_values_stand_beside_the_shares(shapley, ends):
    lines = importance_text(replace(RESULT, shapley=shapley, shapley_sd=shapley)).splitlines()
    head, first, second = lines[-3:]
    assert head.endswith("Shapley         p")
    assert first.startswith("GFP") and first.endswith(ends[0])
    assert second.startswith("DNA") and second.endswith(ends[1])


def test_the_reason_stands_where_there_are_no_p_values():
    text = importance_text(replace(RESULT, p_value=None, p_value_reason="fewer than 4 seeds"))
    assert text.endswith("DNA  ██████                          0.200 ± 0.010 -0.010\n"
                         "note: no p-values: fewer than 4 seeds")  # fmt: skip
