"""Every file of ours, changed at random, is read or refused in one line; never anything else."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_channelmix.classify.accuracy import (
    AccuracyEstimate,
    accuracy_difference,
    estimate_accuracy,
    stored_estimate,
)
from napari_channelmix.classify.bundle import FORMAT, SCHEMA, load_bundle
from napari_channelmix.classify.calibration import Calibration
from napari_channelmix.classify.calibration_metrics import calibration_of
from napari_channelmix.classify.networks import NetworkSpec
from napari_channelmix.classify.training_cells import TrainingCells
from napari_channelmix.classify.weights_file import read_sealed, write_sealed
from napari_channelmix.config import (
    ClassifierPart,
    Config,
    DataPart,
    ExplanationPart,
    ImportancePart,
    LatentsPart,
    TrainingPart,
    read_config,
    script_of,
)
from napari_channelmix.config.file import as_json
from napari_channelmix.config.from_results import importance_part, latents_part
from napari_channelmix.data.annotation_files import palette_beside
from napari_channelmix.data.description import read_description
from napari_channelmix.dcmix import ChannelImportance
from napari_channelmix.dcmix.separability import OneNumber, Separability
from napari_channelmix.dcmix.single_channels import ChannelsAlone, ChannelSet
from napari_channelmix.drl import store
from napari_channelmix.drl.disentangler import Disentangler
from napari_channelmix.drl.latent_code import Code
from napari_channelmix.drl.network import NetworkSettings, VariationalAutoencoder
from napari_channelmix.drl.sprites import sprite_set
from napari_channelmix.errors import ChannelMixError
from napari_channelmix.phenotypes.adjusted import HeldOutCalls, adjusted_fractions
from napari_channelmix.report import ClassifierFacts
from napari_channelmix.report.text import accuracy_doubts, accuracy_in_words
from napari_channelmix.run.stored_schemas import ExplainFile, LatentsFile, LatentsMadeFrom
from napari_channelmix.run.text import explanation_text, importance_text
from napari_channelmix.stored_files import read_content

ORIGIN = {"made": "2026-01-02", "versions": {"torch": "2", "napari-channelmix": "0.1"}, "seed": 0}


def deep(levels: int) -> Any:
    value: Any = 0
    for _ in range(levels):
        value = [value]
    return value


ODD = [
    None,
    True,
    -1,
    0,
    1.5,
    2**70,
    10**400,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "x" * 9999,
    "\ud800",
    "a\0b",
    "../../../etc/passwd",
    "=1+1",
    [],
    {},
    [[]],
    {"a": {}},
    deep(40),
    deep(200),
    [1, 2, 3],
    ["a"],
    {"": None},
]

CONFIG = as_json(
    Config(
        data=DataPart(dataset="d.toml", fingerprint="ab", n=3, channels=("a", "b")),
        classifier=ClassifierPart(training=TrainingPart(network="tiny", mixes=2), accuracy=0.9),
        importance=ImportancePart(seeds=2, share={"DNA": 1.0}),
        explanations=(ExplanationPart(cells=(1, 2), target="x"),),
        latents=LatentsPart(
            finetune=3, view={"channels": ["a"], "weights": [[1.0]], "natural": False}
        ),
    )
)
ACCURACY = estimate_accuracy([0, 0, 1, 1], [0, 1, 1, 1], list("gghh"), ("x", "y"))
AHEAD = accuracy_difference([0, 0, 1, 1], [0, 1, 1, 1], [0, 0, 1, 1], list("gghh"), 2)
SETS = tuple(ChannelSet((name,), ACCURACY, AHEAD) for name in "ab")
NUMBER = OneNumber("a", "brightness", ACCURACY, 0.4, 0.01)
IMPORTANCE = ChannelImportance(
    ("a", "b"),
    (0.25, 0.75),
    (0.1, 0.1),
    (0.1, 0.2),
    (0.0, 0.1),
    {"x": (0.1, 0.2)},
    (0.1, 0.2),
    None,
    {"mixed": 0.9, "plain": 0.95},
    {"mixed": {"x": 0.9}, "plain": {"x": None}},
    "ok",
    (0, 1),
    ((0.2, 0.8), (0.3, 0.7)),
    8,
    4,
    ("a warning",),
    ORIGIN,
    estimates={"mixed": ACCURACY, "plain": ACCURACY},
    alone=ChannelsAlone(("a", "b"), ACCURACY, SETS, SETS, SETS[0], (), ACCURACY, AHEAD),
    separability=Separability((NUMBER,), NUMBER, NUMBER, ACCURACY, AHEAD),
).to_dict()
EXPLAIN = {
    "schema": "napari-channelmix/explain/1",
    "run": "r",
    "data": "set",
    "n": 2,
    "method": "pcim",
    "mode": "autograd",
    "channels": ["a", "b"],
    "classes": ["x", "y"],
    "versus": None,
    "seconds_per_cell": 0.1,
    "target": [0, 1],
    "predicted": [0, 1],
    "probabilities": [[0.9, 0.1], [0.2, 0.8]],
    "cells": {"index": [0, 1], "label": ["x", None], "group": ["g", "h"], "split": ["", ""]},
    "scores": {"pcim": {"srg": 0.1, "insertion": 0.2, "deletion": 0.1, "seconds_per_cell": 0.1}},
    "scores_per_cell": {"pcim": {"srg": [0.1, 0.1], "insertion": [0, 1], "deletion": [0, 1]}},
    "left_out": {},
    "warnings": [],
    "provenance": {
        **ORIGIN,
        "data": "f",
        "settings": {"target": None, "versus": None, "channels": "shared", "forwards": None},
    },
}
LATENTS = {
    "schema": "napari-channelmix/latents/1",
    "n": 3,
    "names": ["z"],
    "trust": [0.5],
    "badges": [{"name": "z", "badge": "verified", "words": "goes along"}],
    "active": [True],
    "accuracy": {"latents": 0.9, "pixels_or_features": 0.8},
    "finetuned": {"epochs": 2},
    "warnings": [],
    "provenance": {
        **ORIGIN,
        "model": "m",
        "data": "d",
        "disentangler": "t",
        "settings": {"finetune": 0, "view": {}, "limit": None},
    },
}
PALETTE = {
    "schema": "napari-channelmix/annotations/1",
    "classes": ["x", "y"],
    "rows": 3,
    "provenance": ORIGIN,
}
BUNDLE = {
    "network": {"name": "tiny", "channels": 2, "classes": 2, "mixes": 1, "constraint": "softmax"},
    "channels": ["a", "b"],
    "classes": ["x", "y"],
    "mean": [1.0, 2.0],
    "std": [1.0, 0.5],
    "crop": 32,
    "provenance": ORIGIN,
    "record": {
        "history": [{"epoch": 1.0, "loss": 0.5}],
        "warnings": [],
        "held_out": {
            "balanced_accuracy": 0.9,
            "chance": 0.5,
            "recall": {"x": 0.9, "y": None},
            "confusion": [[1, 0], [0, 1]],
            "n_train": 3,
            "n_test": 2,
            "estimate": ACCURACY.as_dict(),
            "calls": HeldOutCalls.of([0, 0, 1, 1], [0, 1, 1, 1], list("gghh"), "xy").as_rows(),
        },
        "calibration": calibration_of(
            np.full((4, 2), 0.5), [0, 0, 1, 1], list("gghh"), ("x", "y")
        ).as_dict(),
    },
    "trained_on": TrainingCells(
        np.arange(1, 4, dtype=np.uint64), np.arange(2, dtype=np.uint64)
    ).as_dict(),
}


def changed(content: Any, seed: int) -> str:
    """JSON text of the content with one to three random changes; sometimes cut or spoilt."""
    rng = random.Random(seed)
    content = json.loads(json.dumps(content))
    for _ in range(rng.randint(1, 3)):
        places: list[tuple[Any, Any]] = []

        def walk(value: Any, places: list[tuple[Any, Any]] = places) -> None:
            inside = (
                value.items()
                if isinstance(value, dict)
                else (enumerate(value) if isinstance(value, list) else ())
            )
            for key, one in inside:
                places.append((value, key))
                walk(one)

        walk(content)
        if not places:
            break
        where, key = rng.choice(places)
        what = rng.randrange(5)
        if what == 0:
            del where[key]
        elif what == 1 and isinstance(where, list):
            where.insert(key, where[key])
        elif what == 2 and isinstance(where, dict):
            where[str(rng.choice(["more", "schema", "n", "classes"]))] = where.pop(key)
        else:
            # A copy: a list of these that was put into itself would never end.
            where[key] = copy.deepcopy(rng.choice(ODD))
    text = json.dumps(content)
    spoilt = rng.randrange(12)
    if spoilt == 0:
        return text[: rng.randrange(len(text))]
    if spoilt == 1:
        at = rng.randrange(len(text))
        return text[:at] + rng.choice(["NaN", "[" * 500, "\0", "{", '"', "\u2028"]) + text[at:]
    return text


def one_line(read: Any) -> None:
    try:
        read()
    except ChannelMixError as error:
        assert "\n" not in str(error)
        assert 0 < len(str(error)) < 900


def _config(path: Path) -> None:
    script_of(read_config(path))


def _importance(path: Path) -> None:
    found = ChannelImportance.load(path)
    importance_text(found)
    importance_part(found)
    found.to_frame()
    found.to_dict()


def _bundle(path: Path) -> None:
    """All figures that a bundle stores, as the report shows them."""
    facts = ClassifierFacts.of(load_bundle(path), "bundle")
    accuracy_in_words(facts)
    accuracy_doubts(facts)
    _figures(facts.held_out, facts.classes)
    if facts.accuracy is not None:
        assert [row.text() for row in facts.accuracy.per_class]


def _figures(held_out: Any, classes: Any) -> None:
    """The figures that a record stores."""
    accuracy = stored_estimate(held_out, classes)
    if accuracy is not None:
        accuracy.text()
        assert [row.text() for row in accuracy.per_class]
    if held_out.get("calls") is not None:
        calls = HeldOutCalls.from_rows(held_out["calls"], classes)
        adjusted_fractions([[1] * len(classes)], calls, draws=4)


def _explain(path: Path) -> None:
    explanation_text(read_content(path, ExplainFile))


def _latents(path: Path) -> None:
    about = read_content(path, LatentsFile)["provenance"]
    latents_part(about)
    read_content(path, LatentsMadeFrom)


QUICK = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
KINDS = {
    "config": (CONFIG, _config),
    "importance": (IMPORTANCE, _importance),
    "explain": (EXPLAIN, _explain),
    "latents": (LATENTS, _latents),
    "palette": (PALETTE, lambda path: palette_beside(path.with_suffix(".csv"))),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_not_changed_is_read(kind: str, tmp_path: Path) -> None:
    content, read = KINDS[kind]
    path = tmp_path / "own.json"
    path.write_text(json.dumps(content), "utf-8")
    read(path)


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 2**32))
@QUICK
def test_changed_json_is_read_or_refused_in_one_line(kind: str, seed: int, tmp_path: Path) -> None:
    content, read = KINDS[kind]
    path = tmp_path / "own.json"
    path.write_text(changed(content, seed), "utf-8", errors="replace")
    one_line(lambda: read(path))


def _sealed_bundle(path: Path, about: str) -> Path:
    weights = NetworkSpec("tiny", 2, 2, 1).build().state_dict()
    return write_sealed(path, FORMAT, SCHEMA, about, weights)


@given(seed=st.integers(0, 2**32))
@QUICK
def test_changed_descriptions_of_a_bundle_are_refused_in_one_line(
    seed: int, tmp_path: Path
) -> None:
    path = _sealed_bundle(tmp_path / "m.cmx", changed(BUNDLE, seed))
    one_line(lambda: _bundle(path))


def damaged(content: Any) -> Iterator[Any]:
    """Copies of the content, each with one value left out or changed into another."""

    def walk(value: Any, where: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        inside = (
            value.items()
            if isinstance(value, dict)
            else (enumerate(value[:2]) if isinstance(value, list) else ())
        )
        for key, one in inside:
            yield (*where, key)
            yield from walk(one, (*where, key))

    content = json.loads(json.dumps(content))
    for *above, key in list(walk(content)):
        for other in (KeyError, None, True, -1, 2.5, 2**70, "x", [], {}, [None], [[1]]):
            copied = copy.deepcopy(content)
            place = copied
            for step in above:
                place = place[step]
            if other is KeyError:
                del place[key]
            else:
                place[key] = other
            yield copied


RECORD = BUNDLE["record"]
STORED = {
    "accuracy": (RECORD["held_out"], lambda it: _figures(it, ("x", "y"))),
    "calibration": (RECORD["calibration"], lambda it: Calibration.from_dict(it).text()),
    "estimate": (ACCURACY.as_dict(), lambda it: AccuracyEstimate.from_dict(it).text()),
    "training cells": (BUNDLE["trained_on"], TrainingCells.from_dict),
}


@pytest.mark.parametrize("kind", STORED)
def test_every_figure_that_is_damaged_is_read_or_refused_in_one_line(kind: str) -> None:
    content, read = STORED[kind]
    read(json.loads(json.dumps(content)))
    count = 0
    for other in damaged(content):
        one_line(lambda other=other: read(other))
        count += 1
    assert count > 20


def test_the_line_names_the_file_and_the_key(tmp_path: Path) -> None:
    about = copy.deepcopy(BUNDLE)
    about["record"]["held_out"]["estimate"]["per_class"][0]["low"] = None
    path = _sealed_bundle(tmp_path / "m.cmx", json.dumps(about))
    with pytest.raises(
        ChannelMixError, match=r"m\.cmx.*held_out\.estimate\.per_class.*go together"
    ):
        load_bundle(path)
    content = copy.deepcopy(IMPORTANCE)
    content["alone"]["alone"][0]["accuracy"]["low"] = "none"
    path = tmp_path / "importance.json"
    path.write_text(json.dumps(content))
    with pytest.raises(ChannelMixError, match=r"importance\.json.*alone.*accuracy\.low"):
        ChannelImportance.load(path)
    content = copy.deepcopy(IMPORTANCE)
    content["alone"]["smallest"]["channels"] = []
    path.write_text(json.dumps(content))
    with pytest.raises(ChannelMixError, match=r"importance\.json.*alone: a set of no channels"):
        ChannelImportance.load(path)


def test_a_description_that_was_not_changed_is_read(tmp_path: Path) -> None:
    assert load_bundle(_sealed_bundle(tmp_path / "m.cmx", json.dumps(BUNDLE))).crop == 32


@pytest.fixture(scope="module")
def disentangler(tmp_path_factory: pytest.TempPathFactory) -> Path:
    of = sprite_set("texture-sprites")
    how = NetworkSettings(filters=4, hidden=4, expansion=0, summary=False)
    about = {
        "recipe": {"objective": {"pairs": "labels"}},
        "card": {"association": {"a": 0.5}},
        "finetuned": {"epochs": 1, "error": [0.2, 0.1], "made_from": {}},
    }
    made = Disentangler(VariationalAutoencoder(how), Code(of, how.latents), about)
    return store.save_disentangler(made, tmp_path_factory.mktemp("d") / "d.safetensors")


@given(seed=st.integers(0, 2**32))
@settings(QUICK, max_examples=60)
def test_changed_descriptions_of_a_disentangler_are_refused_in_one_line(
    seed: int, tmp_path: Path, disentangler: Path
) -> None:
    about, weights = read_sealed(disentangler, store.FORMAT, 1, "disentangler")
    text = changed(json.loads(about), seed)
    path = write_sealed(tmp_path / "d.safetensors", store.FORMAT, 1, text, weights)
    one_line(lambda: store.load_disentangler(path))


@given(seed=st.integers(0, 2**32))
@QUICK
def test_changed_data_set_files_are_refused_in_one_line(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    text = (
        'name = "set"\ntable = "t.csv"\nlabel = "l"\nkeep = {l = ["a"]}\n[channels]\nDNA = "p"'
        '\n[cells]\nfrom = "point"\ncolumns = ["y", "x"]\ncrop = 32\n'
    )
    odd = [
        "nan",
        "-1",
        "[" * 300,
        '"' * 3,
        "\0",
        "{a=" * 100,
        "a." * 200,
        "1e999",
        "9" * 5000,
        "2026-01-01",
        "\ud7ff",
        "#",
        "'",
        "=",
        "\n",
    ]
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(text))
        text = text[:at] + rng.choice(odd) + text[at + rng.randrange(8) :]
    path = tmp_path / "d.toml"
    path.write_text(text, "utf-8")
    one_line(lambda: read_description(path))


@pytest.mark.parametrize(
    "change",
    [
        {"channels": ["a"]},
        {"classes": ["x", "y", "z"]},
        {"classes": ["x", "x"]},
        {"mean": [1.0]},
        {"std": [1.0, 0.0]},
        {"std": [1.0, -1.0]},
        {"crop": 0},
        {"crop": 10**9},
        {"network": {**BUNDLE["network"], "channels": 10**9}, "channels": ["a", "b"]},
        {"network": {**BUNDLE["network"], "mixes": 10**9}},
        {"network": {**BUNDLE["network"], "name": "medium"}},
        {"network": {**BUNDLE["network"], "mixes": 0}},
        {"record": {"held_out": []}},
        {"record": {"held_out": {**BUNDLE["record"]["held_out"], "confusion": [[1]]}}},
        {"provenance": {"settings": 3}},
    ],
)
def test_a_bundle_that_says_other_than_it_holds_is_refused(
    change: dict[str, Any], tmp_path: Path
) -> None:
    path = _sealed_bundle(tmp_path / "m.cmx", json.dumps(BUNDLE | change))
    with pytest.raises(ChannelMixError, match="does not describe its network") as caught:
        load_bundle(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("spoil", ["shape", "name", "more", "dtype", "nan", "float8"])
def test_a_bundle_with_other_tensors_than_its_network_needs_is_refused(
    spoil: str, tmp_path: Path
) -> None:
    weights = NetworkSpec("tiny", 2, 2, 1).build().state_dict()
    first = next(name for name, value in weights.items() if value.ndim == 4)
    if spoil == "shape":
        weights[first] = weights[first][:1].clone()
    elif spoil == "name":
        weights["other"] = weights.pop(first)
    elif spoil == "more":
        weights["more"] = torch.zeros(3)
    elif spoil == "dtype":
        weights[first] = weights[first].double()
    elif spoil == "float8":
        weights[first] = weights[first].to(torch.float8_e4m3fn)
    else:
        weights[first] = torch.full_like(weights[first], torch.nan)
    path = write_sealed(tmp_path / "m.cmx", FORMAT, SCHEMA, json.dumps(BUNDLE), weights)
    with pytest.raises(ChannelMixError, match=r"tensor '.*'") as caught:
        load_bundle(path)
    assert "\n" not in str(caught.value)
