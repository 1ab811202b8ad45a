"""Charts draw any name as it is, and stay of a size that can be shown."""

from __future__ import annotations

import numpy as np
import pytest

from napari_channelmix.charts import bars_figure, literal, matrix_figure, ranges_figure
from napari_channelmix.pcim.map_figure import maps_figure, mean_maps_figure
from napari_channelmix.result_display import Bar, Bars

# To matplotlib a formula that has an error.
FORMULA = r"$\frac_$"


def test_a_dollar_sign_is_no_formula() -> None:
    assert literal("a $5 and $6") == r"a \$5 and \$6"
    crops, maps = np.ones((1, 2, 8, 8), np.float32), np.ones((1, 8, 8), np.float32)
    figures = [
        matrix_figure([[1, 2], [3, 4]], [FORMULA, "b"], [FORMULA, "b"], FORMULA, [FORMULA]),
        ranges_figure([FORMULA], {FORMULA: np.zeros((1, 3))}, FORMULA, FORMULA),
        bars_figure(Bars([Bar(FORMULA, 1.0, note=FORMULA)], FORMULA), FORMULA),
        maps_figure(crops, maps, [FORMULA], FORMULA),
        mean_maps_figure(crops, np.stack([maps, maps], 1), [FORMULA], [FORMULA, FORMULA]),
    ]
    for figure in figures:
        assert figure._repr_png_().startswith(b"\x89PNG")  # type: ignore[attr-defined]


@pytest.mark.parametrize("count", [2, 300])
def test_a_matrix_of_many_classes_can_be_shown(count: int) -> None:
    names = [f"class {index}" for index in range(count)]
    figure = matrix_figure(np.eye(count, dtype=int), names, names, "all right")
    assert max(figure.get_size_inches()) < 22
    ticks = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert len(ticks) <= 30 and ticks[1] == f"class {1 if count == 2 else 10} (n = 1)"


def test_what_is_left_out_of_a_chart_is_told() -> None:
    rows = [Bar(f"channel {index}", 1.0) for index in range(100)]
    assert "first 40 of 100 are" in title_of(bars_figure(Bars(rows, "share"), "channels"))
    assert "first" not in title_of(bars_figure(Bars(rows[:40], "share"), "channels"))
    ranges = {f"class {index}": np.zeros((70, 3)) for index in range(300)}
    figure = ranges_figure([f"axis {index}" for index in range(70)], ranges, "SD", "latents")
    assert "first 8 of 300 classes; the first 60 of 70 rows" in title_of(figure)
    assert max(figure.get_size_inches()) < 60


def title_of(figure: object) -> str:
    return " ".join(figure.get_suptitle().split())  # type: ignore[attr-defined]
