"""A classifier measured on cells with classes: matched by name, counted by hand, with a word."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import napari_channelmix as cm
from napari_channelmix.classify import Classifier, ForeignClassifier, evaluate
from napari_channelmix.data import Cells
from napari_channelmix.errors import DataError, ModelError

if TYPE_CHECKING:
    from napari_channelmix.classify import Evaluation


def by_hand(model: Classifier, cells: Cells) -> list[float]:
    codes = model.predict(cells)
    given = [model.classes.index(name) for name in np.array(cells.classes)[cells.labels]]
    return [
        float((codes[np.equal(given, code)] == code).mean()) for code in range(len(model.classes))
    ]


def test_accuracy_recall_and_confusion_are_those_of_the_calls(
    on_plate: Classifier, other_plate: Cells
) -> None:
    found: Evaluation = cm.evaluate(on_plate, other_plate)
    recall = by_hand(on_plate, other_plate)
    assert list(found.recall.values()) == pytest.approx(recall)
    assert found.accuracy == pytest.approx(np.mean(recall))
    assert found.interval[0] <= found.accuracy <= found.interval[1]
    assert (found.n, found.groups, found.unlabelled, found.unknown) == (120, 6, 0, {})
    assert [row.n_groups for row in found.estimate.per_class] == [3, 3]
    assert found.counts == {"low": 60, "high": 60}
    assert found.confusion.counts.sum(axis=1).tolist() == [60, 60]
    assert found.shift.warnings == ()
    assert f"balanced accuracy {found.accuracy:.3f} (95 % interval " in found.words
    assert "chance 0.50; 6 groups, 120 cells)" in found.words


def test_classes_are_matched_by_name_whatever_their_order(
    on_plate: Classifier, other_plate: Cells
) -> None:
    turned = other_plate.with_labels(1 - other_plate.labels, ("high", " low "))
    assert evaluate(on_plate, turned).recall == evaluate(on_plate, other_plate).recall


def test_unknown_and_missing_classes_are_listed_and_counted(
    on_plate: Classifier, other_plate: Cells
) -> None:
    labels = other_plate.labels.copy()
    labels[:5], labels[5:12], labels[labels == 1] = 2, -1, 0
    cells = other_plate.with_labels(labels, ("low", "high", "debris"))
    found = evaluate(on_plate, cells)
    assert found.unknown == {"debris": 5}
    assert found.unlabelled == 7
    assert found.n == 108
    assert found.recall["high"] is None
    assert "classes that the model does not know are left out: debris (5 cells)" in found.warnings
    assert "no cell of class high" in found.warnings


def test_cells_without_classes_or_with_foreign_ones_are_refused(
    on_plate: Classifier, other_plate: Cells
) -> None:
    bare = other_plate.with_labels(np.full(120, -1), ())
    with pytest.raises(DataError, match="no cell has a class to evaluate with"):
        evaluate(on_plate, bare)
    with pytest.raises(DataError, match=r"none of the classes a, b is one of the model's \(low"):
        evaluate(on_plate, other_plate.with_labels(other_plate.labels, ("a", "b")))


def test_crops_of_another_side_are_refused(on_plate: Classifier) -> None:
    cells = Cells.from_array(np.zeros((2, 2, 8, 8)), ["DNA", "GFP"], [0, 1], ["low", "high"])
    with pytest.raises(ModelError, match="set crop = 16"):
        evaluate(on_plate, cells)


def test_few_groups_and_no_groups_are_said(on_plate: Classifier, other_plate: Cells) -> None:
    some = other_plate.subset(other_plate.groups <= "well 2")
    assert any(
        line.startswith("3 groups say little about other groups")
        for line in evaluate(on_plate, some).warnings
    )
    single = replace(
        other_plate, table=other_plate.table.assign(group=[str(i) for i in range(120)])
    )
    assert any(
        line.startswith("no groups are known") for line in evaluate(on_plate, single).warnings
    )


def test_accuracy_lost_with_pixels_that_look_alike_is_said(
    on_plate: Classifier, other_plate: Cells
) -> None:
    record = {**on_plate.record, "held_out": {"balanced_accuracy": 0.97, "confidence": 0.9}}
    model = replace(on_plate, record=record)
    wrong = other_plate.with_labels(1 - other_plate.labels, other_plate.classes)
    said = "\n".join(evaluate(model, wrong).warnings)
    assert "the pixels are like those of training, yet balanced accuracy is 0." in said
    assert "(0.970 on held-out cells at training)" in said
    assert "yet balanced" not in "\n".join(evaluate(model, other_plate).warnings)


def test_the_result_is_json_with_schema_and_provenance(
    on_plate: Classifier, other_plate: Cells
) -> None:
    content = json.loads(json.dumps(evaluate(on_plate, other_plate, seed=3).as_dict()))
    assert content["schema"] == "napari-channelmix/evaluation/1"
    assert content["provenance"]["seed"] == 3
    assert content["provenance"]["data"] == other_plate.fingerprint
    assert content["confusion"]["rows"] == ["low", "high"]
    assert content["data_shift"]["n"] == 120
    assert content["interval"] == [content["estimate"]["low"], content["estimate"]["high"]]


def test_labels_speak_against_a_model_and_names_in_another_case_are_said() -> None:
    pixels = np.full((60, 2, 12, 12), 100, np.float32)
    labels = np.arange(60) % 2
    pixels[labels == 1, 0] += 50
    cells = Cells.from_array(pixels, ("a", "b"), labels, ("neg", "pos"))

    def predict(x: Any) -> Any:
        v = x[:, 1].mean(axis=(1, 2)) - 125
        return np.stack([-v, v], axis=1)

    model = ForeignClassifier(
        predict, ("a", "b"), ("Neg", "pos"), np.zeros(2), np.ones(2), "logits", "her model"
    )
    lines = evaluate(model, cells).warnings
    assert any("not clearly better than chance (0.50)" in line for line in lines)
    assert any("with the channels in the order b, a" in line for line in lines)
    assert "class 'neg' of the cells is taken for the model's class 'Neg'" in lines


def test_cells_of_the_training_make_it_too_good_where_they_are_not_known_one_by_one(
    on_plate: Classifier, plate: Cells, other_plate: Cells
) -> None:
    record = {"balanced_accuracy": 0.75, "confidence": 0.9, "n_train": 90, "n_test": 30}
    model = replace(
        on_plate,
        record={**on_plate.record, "held_out": record},
        provenance={**on_plate.provenance, "cells": plate.fingerprint},
        training_cells=None,
    )
    assert (
        "the classifier was trained on 90 of these cells, so this accuracy is too good; on the 30 "
        "held-out cells it was 0.750"
    ) in evaluate(model, plate).warnings
    assert "trained on 90" not in "\n".join(evaluate(model, other_plate).warnings)
    unmeasured = replace(model, record={})
    assert any("it is not known on which" in line for line in evaluate(unmeasured, plate).warnings)
    unmeasured = evaluate(unmeasured, other_plate)
    assert "it is not known on which" not in "\n".join(unmeasured.warnings)


def test_a_model_at_chance_or_with_its_classes_turned_is_said(
    on_plate: Classifier, other_plate: Cells
) -> None:
    def said(cells: Cells) -> str:
        return "\n".join(evaluate(on_plate, cells).warnings)

    assert "chance" not in said(other_plate)
    # Every second cell of each well has the other class: half of the calls are right.
    mixed = np.arange(120) // 2 % 2
    assert "0.500, is not clearly better than chance (0.50): are its classes and channels" in said(
        other_plate.with_labels(mixed, ("low", "high"))
    )
    # Of two wells nothing can be said, and no remedy is named.
    few = said(other_plate.subset(other_plate.groups <= "well 1"))
    assert "is not clearly better than chance (0.50)\n" in few
    assert "2 groups are too few to say anything about other groups" in few
    turned = other_plate.with_labels(1 - other_plate.labels, ("low", "high"))
    assert "are the classes named rightly?" in said(turned)


def test_classes_that_are_exchanged_are_said(on_plate: Classifier, other_plate: Cells) -> None:
    exchanged = other_plate.with_labels(1 - other_plate.labels, other_plate.classes)
    found = evaluate(on_plate, exchanged)
    assert found.accuracy < 0.5
    assert any("are the classes named rightly?" in line for line in found.warnings)
    assert not any("named rightly" in line for line in evaluate(on_plate, other_plate).warnings)
