"""The shortcut audit: functions that decide by a planted cue are told apart by their cards."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from napari_channelmix import audit, wrap
from napari_channelmix.classify.foreign import ForeignClassifier
from napari_channelmix.data.cells import Cells
from napari_channelmix.errors import DataError, ModelError
from napari_channelmix.whatif.audit_result import Audit

Floats = npt.NDArray[np.float32]
CLASSES = ("dim", "bright")
WELLS = ("A01", "A02", "A03", "A04", "B01", "B02", "B03", "B04")


def wells(
    inside: tuple[float, float] = (100, 100),
    spot: tuple[float, float] = (0, 0),
    glow: tuple[float, float] = (10, 10),
    mixed: bool = False,
) -> Cells:
    """Eight wells of six round cells of one class each, or of both where they are mixed.

    By class: the brightness of cells in the channel ``stain``, that of a bright spot in the middle
    of each in ``pattern``, and the background of ``stain``.
    """
    rng, parts = np.random.default_rng(0), []
    y, x = np.mgrid[:96, :144]
    for number, name in enumerate(WELLS):
        labels, stain, pattern = np.zeros((96, 144), int), np.zeros((96, 144)), np.zeros((96, 144))
        classes = {}
        for cell in range(6):
            code = (cell if mixed else number) % 2
            classes[cell + 1] = CLASSES[code]
            away = np.hypot(y - 24 - 48 * (cell // 3), x - 24 - 48 * (cell % 3))
            body, middle = away <= 7, away <= 2
            labels[body] = cell + 1
            stain[body] = inside[code] * rng.uniform(0.9, 1.1)
            pattern[body] = 40
            pattern[middle] += spot[code]
        stain += glow[(number % 2)]
        planes = [plane + rng.normal(0, 1, plane.shape) + 20 for plane in (stain, pattern)]
        made = Cells.from_labels(
            planes, ("stain", "pattern"), labels, crop=32, classes_of=classes, name=name
        )
        parts.append(_of_well(made, name))
    return Cells.together(parts, "wells")


def _of_well(cells: Cells, name: str) -> Cells:
    from dataclasses import replace

    fields = (replace(cells.fields[0], name=name),)
    return replace(cells, fields=fields, table=cells.table.assign(group=name), warnings=())


def model(number: Callable[[Floats], Floats], limit: float) -> ForeignClassifier:
    """Calls 'bright' where a number of a crop is above a limit."""

    def predict(crops: Floats) -> Floats:
        bright = (number(crops) > limit).astype(np.float32)
        return np.stack([1 - bright, bright], axis=1) * 0.8 + 0.1

    return ForeignClassifier(
        predict, ("stain", "pattern"), CLASSES, np.zeros(2), np.ones(2), "probabilities", "rule"
    )


def spot_of(crops: Floats) -> Floats:
    """How much brighter the middle is than the rest of the cell: a pattern, at any exposure."""
    pattern = crops[:, 1] - np.median(crops[:, 1], axis=(1, 2))[:, None, None]
    middle, ring = pattern[:, 15:17, 15:17].mean(axis=(1, 2)), pattern[:, 20, 14:18].mean(axis=1)
    return middle / np.maximum(ring, 5)


def card(rule: ForeignClassifier, cells: Cells, **options: Any) -> Audit:
    return audit(rule, cells, only="all", **options)


def in_the_cell(cells: Cells) -> npt.NDArray[np.float32]:
    """Maps that lie in the middle of each crop."""
    maps = np.zeros((len(cells), cells.crop, cells.crop), np.float32)
    maps[:, 12:20, 12:20] = 1
    return maps


def test_a_rule_on_the_pattern_of_the_cell_is_green_where_all_was_tested() -> None:
    cells = wells(spot=(0, 60))
    rule = model(spot_of, 1.6)
    result = card(rule, cells, maps=in_the_cell(cells))
    assert {check.key: check.answer for check in result.checks} == dict.fromkeys(
        (check.key for check in result.checks), "green"
    )
    assert result.answer == "green"
    assert result.accuracy.balanced == 1
    # Without maps not all is tested, and the card is no longer green.
    assert card(rule, cells).answer == "not tested"


def test_the_glow_around_a_cell_is_found_to_be_enough() -> None:
    cells = wells(glow=(10, 40))
    result = card(model(lambda crops: np.median(crops[:, 0], axis=(1, 2)), 45), cells)
    assert result.check("background alone").answer == "red"
    assert "does not need the cell" in result.check("background alone").line
    assert result.check("background alone").figure == 1
    assert result.check("background level").answer == "red"
    assert result.check("background learnt").answer == "amber"
    assert result.answer == "red"


def test_a_channel_whose_mere_level_decides_is_named_as_a_question() -> None:
    cells = wells(inside=(100, 200))
    rule = model(lambda crops: crops[:, 0, 12:20, 12:20].mean(axis=(1, 2)), 170)
    check = card(rule, cells).check("stain level")
    assert check.answer == "amber"
    assert "the level of stain" in check.line
    assert "pattern" not in check.line
    assert "biology, or stain, exposure or batch?" in check.line
    assert check.figure is not None
    assert check.figure > 0.9


def test_a_level_that_differs_within_wells_is_no_batch() -> None:
    cells = wells(inside=(100, 200), mixed=True)
    rule = model(lambda crops: crops[:, 0, 12:20, 12:20].mean(axis=(1, 2)), 170)
    check = card(rule, cells).check("stain level")
    assert check.answer == "green"
    assert "no batch between these" in check.line


def test_a_level_that_tells_the_classes_but_moves_no_call_is_not_named() -> None:
    cells = wells(inside=(100, 200), spot=(0, 60))
    check = card(model(spot_of, 1.6), cells).check("stain level")
    assert check.answer == "green"
    assert "no channel" in check.line


def test_an_absolute_threshold_is_moved_by_exposure() -> None:
    cells = wells(inside=(100, 110))
    result = card(model(lambda crops: crops[:, 0, 12:20, 12:20].mean(axis=(1, 2)), 132), cells)
    assert result.check("exposure").answer == "red"
    assert result.check("channel gain").answer == "red"
    assert "stain x" in result.check("channel gain").line


def test_the_place_of_a_well_is_told_and_does_not_count_where_no_pixel_says_it() -> None:
    result = card(model(spot_of, 1.6), wells(spot=(0, 60)))
    check = result.check("well position")
    # Odd columns are of one class, so a place outside its own well's is never told rightly.
    assert check.answer == "green"
    assert check.what == "balanced accuracy"


def test_a_rule_without_any_accuracy_is_not_audited_for_what_it_could_lose() -> None:
    result = card(model(lambda crops: crops[:, 1, 0, 0], 20), wells())
    for key in ("background alone", "background level", "neighbours", "stain level"):
        assert result.check(key).answer == "not tested"
        assert "not clearly better than a guess" in result.check(key).line


def test_a_card_comes_back_from_json_as_it_was() -> None:
    result = card(model(spot_of, 1.6), wells(spot=(0, 60)), limit=12)
    content = json.loads(json.dumps(result.as_dict()))
    assert Audit.from_dict(content).as_dict() == result.as_dict()
    assert len(result.to_frame()) == len(result.checks)
    assert {"key", "figure", "low", "high", "n"} <= set(result.figures_frame().columns)
    content["checks"][0]["answer"] = "fine"
    with pytest.raises(DataError, match=r"audit: checks\.0\.answer"):
        Audit.from_dict(content)


def test_cells_of_one_class_are_refused_in_one_line() -> None:
    cells = wells()
    of_one = cells.subset(cells.labels == 0)
    with pytest.raises(DataError, match="needs cells of two classes or more"):
        card(model(spot_of, 1.6), of_one)


def test_maps_of_other_cells_are_refused_in_one_line() -> None:
    with pytest.raises(ModelError, match="do not fit 48 cells"):
        card(model(spot_of, 1.6), wells(), maps=np.zeros((3, 32, 32)))


def test_a_model_whose_answers_change_is_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ModelError, match="changes its answer from call to call"):
        card(model(lambda crops: rng.normal(size=len(crops)), 0), wells())


def test_points_have_no_outline_so_nothing_is_taken_away() -> None:
    cells = wells(spot=(0, 60))
    y, x = cells.centres.T
    from dataclasses import replace

    bare = replace(
        cells,
        table=cells.table.assign(object=0),
        fields=tuple(replace(field, labels=None) for field in cells.fields),
    )
    assert len(y) == len(x)
    result = card(model(spot_of, 1.6), bare)
    # Found by light, so what a neighbour is is not known.
    assert result.check("neighbours").answer == "not tested"
    assert "label image" in result.check("neighbours").line


def test_crops_of_a_few_pixels_are_audited_like_others() -> None:
    crops = np.random.default_rng(0).normal(100, 5, (24, 1, 3, 3)).astype(np.float32)
    crops[::2] += 40
    cells = Cells.from_array(
        crops, ["stain"], np.arange(24) % 2, ["high", "low"], np.arange(24) // 4, name="tiny"
    )
    rule = wrap(
        lambda some: np.stack([some.mean((1, 2, 3)) - 120, 120 - some.mean((1, 2, 3))], axis=1),
        channels=cells.channels,
        classes=cells.classes,
    )
    answers = {check.key: check.answer for check in card(rule, cells).checks}
    assert answers["background alone"] == "not tested"
