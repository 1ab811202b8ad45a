"""importance.json is refused where its numbers cannot be right, with the name of the one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from napari_channelmix.dcmix import ChannelImportance
from napari_channelmix.dcmix.stored import RepeatPart
from napari_channelmix.errors import DataError

FOUND = ChannelImportance(
    ("a", "b", "c", "d"),
    (0.1, 0.2, 0.3, 0.4),
    (0.0,) * 4,
    (0.1,) * 4,
    (0.0,) * 4,
    {"x": (0.1,) * 4},
    (0.5,) * 4,
    (1.0,) * 4,
    {"mixed": 0.9, "plain": 0.95},
    {"mixed": {"x": 0.9}, "plain": {"x": None}},
    "ok",
    (0, 1),
    ((0.1, 0.2, 0.3, 0.4),) * 2,
    8,
    4,
    ("a warning",),
    {"made": "now"},
)


def written(folder: Path, **changes: Any) -> Path:
    content = {**FOUND.to_dict(), **changes}
    path = folder / "importance.json"
    path.write_text(json.dumps(content), "utf-8")
    return path


def test_what_was_saved_comes_back(tmp_path: Path) -> None:
    assert ChannelImportance.load(written(tmp_path)) == FOUND
    tests = {"p_decoy": [0.1, 0.2, 0.3, 0.4], "p_alone": [0.4, 0.3, 0.2, 0.1]}
    assert ChannelImportance.load(written(tmp_path, **tests)).p_alone == (0.4, 0.3, 0.2, 0.1)
    none = dict.fromkeys(("shapley", "shapley_sd", "decoy", "p_value"))
    assert ChannelImportance.load(written(tmp_path, **none)).shapley is None
    assert ChannelImportance.load(written(tmp_path, of_a_newer_version=3)) == FOUND


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"share": [0.1, 0.2, 0.7]}, "share has 3 numbers for 4 channels; run 'importance' again"),
        ({"share": [0.1, 0.2, 0.3, 0.3]}, "share sums to 0.9, not to 1"),
        ({"share": [0.1, 0.2, 0.3, float("nan")]}, "NaN is no number of JSON"),
        ({"share": [0.1, 0.2, 0.3, "0.4"]}, "share.3: input should be a valid number"),
        ({"share": [-0.4, 0.5, 0.5, 0.4]}, "share.0: input should be greater than or equal to 0"),
        ({"share": 3}, "share: input should be a valid tuple, not 3"),
        ({"share_sd": [0.0]}, "share_sd has 1 numbers for 4 channels"),
        ({"per_class": {"x": [0.1]}}, "per_class of x has 1 numbers for 4 channels"),
        ({"p_alone": [0.5]}, "p_alone has 1 numbers for 4 channels"),
        ({"channels": ["a", "a", "b", "c"]}, "two channels have the same name"),
        ({"share_of_seed": [[0.1, 0.2, 0.3, 0.4]]}, "share_of_seed has 1 rows for 2 seeds"),
        (
            {"share_of_seed": [[0.5, 0.5], [0.1, 0.2, 0.3, 0.4]]},
            "share_of_seed has 2 numbers for 4",
        ),
        ({"shapley_sd": None}, "shapley and shapley_sd go together"),
        ({"seeds": []}, "seeds: tuple should have at least 1 item"),
        ({"seeds": [-1, 0]}, "seeds.0: must be 0 or more, not -1"),
        ({"accuracy": {"mixed": 0.9}}, "accuracy has no plain"),
        ({"accuracy": {"mixed": 90, "plain": 95}}, "accuracy.mixed: input should be less than"),
        ({"schema": "napari-channelmix/explain/1"}, "schema: input should be"),
        ({"provenance": None}, "provenance: input should be a valid dictionary"),
        ({"n_train": 1.5}, "n_train: input should be a valid integer"),
    ],
)
def test_wrong_numbers_are_named(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    path = written(tmp_path, **changes)
    with pytest.raises(DataError) as caught:
        ChannelImportance.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


ACCURACY = {"balanced": 0.9, "recall": [0.9, None], "error": 0.1, "chance": 0.5}
PART = {
    "seed": 3,
    "share": [0.4, 0.6],
    "mixed": ACCURACY,
    "plain": ACCURACY,
    "decoy_share": [0.4, 0.6],
    "decoys": [0.1, 1.2],
    "shapley": [0.1, 0.2],
    "shapley_per_class": [[0.1, None], [0.1, 0.2]],
    "warnings": [],
    "mixed_predicted": [0, 1, 1],
    "plain_predicted": [0, 1, 0],
    "whole": 0.9,
    "nothing": 0.5,
}


def refuse(changes: dict[str, Any], **more: Any) -> None:
    asked = {
        "seed": 3,
        "cells": 3,
        "channels": 2,
        "classes": 2,
        "shapley": True,
        "decoys": True,
    } | more
    RepeatPart.model_validate(PART | changes).refuse_others(**asked)


def test_a_part_of_this_run_is_taken() -> None:
    refuse({})
    refuse({"decoys": None, "decoy_share": None}, decoys=False)
    refuse({"shapley": None, "shapley_per_class": None}, shapley=False)


@pytest.mark.parametrize(
    ("changes", "more"),
    [
        ({"seed": 4}, {}),
        ({"share": [1.0]}, {}),
        ({"share": [0.4, 0.5]}, {}),
        ({"decoys": None}, {}),
        ({"decoys": None, "decoy_share": None}, {}),
        ({}, {"decoys": False}),
        ({}, {"shapley": False}),
        ({"shapley": None}, {}),
        ({}, {"classes": 3}),
        ({}, {"channels": 3}),
        ({"shapley_per_class": [[0.1], [0.2]]}, {}),
        ({"mixed": {}}, {}),
        ({"plain": 3}, {}),
        ({}, {"cells": 4}),
        ({"plain_predicted": [0, 1, 2]}, {}),
        ({"mixed_predicted": None}, {}),
    ],
)
def test_a_part_of_another_run_is_not(changes: dict[str, Any], more: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        refuse(changes, **more)
