"""A calibration goes to JSON and back; figures that cannot be are refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from napari_channelmix.classify import Classifier, load_model
from napari_channelmix.classify.calibrate import held_out_calibration
from napari_channelmix.classify.calibration import Calibration
from napari_channelmix.errors import BundleError

if TYPE_CHECKING:
    from pathlib import Path


def test_it_survives_json(overconfident: Any) -> None:
    scores, labels, groups = overconfident(groups=4)
    found = held_out_calibration(scores, labels, groups, ("a", "b"), [0.5, 0.5])
    again = Calibration.from_dict(json.loads(json.dumps(found.as_dict())))
    assert again.as_dict() == found.as_dict() and again.text() == found.text()


def test_a_temperature_that_none_could_be_is_refused(
    overconfident: Any, on_plate: Classifier, tmp_path: Path
) -> None:
    scores, labels, groups = overconfident(groups=4)
    content = held_out_calibration(scores, labels, groups, ("a", "b"), [0.5, 0.5]).as_dict()
    odd = replace(on_plate, record={"calibration": {**content, "temperature": 0.0}})
    path = tmp_path / "odd.cmx"
    with pytest.raises((BundleError, ZeroDivisionError)):
        load_model(odd.save(path))
