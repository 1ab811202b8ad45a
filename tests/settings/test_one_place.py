"""A setting that is declared once is there in Python, command line, window, config and script."""

from __future__ import annotations

import argparse
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from pydantic import TypeAdapter
from qtpy.QtWidgets import QWidget

from napari_channelmix.bounds import Epochs
from napari_channelmix.config import ExplanationPart, ImportancePart, LatentsPart
from napari_channelmix.config.from_results import explanation_part, latents_part
from napari_channelmix.config.script import arguments_of
from napari_channelmix.errors import ModelError
from napari_channelmix.run.options import add_options, settings_from
from napari_channelmix.settings import (
    About,
    ExplainSettings,
    ImportanceSettings,
    LatentsSettings,
    as_dict,
    merged,
    settings,
    takes_settings,
)
from napari_channelmix.viewer.widgets.job_form import JobForm

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

BurnIn = Annotated[Epochs, About("Burn-in", "epochs until the weights are learnt")]


@settings
class MoreImportance(ImportanceSettings):
    """The settings of channel importance and one more: this is all that is written for it."""

    burn_in: BurnIn = 5


@settings
class MoreMaps(ExplainSettings):
    """Those of explanations and one more."""

    burn_in: BurnIn = 5


@settings
class MoreLatents(LatentsSettings):
    """Those of latents and one more."""

    burn_in: BurnIn = 5


@settings
class MoreImportancePart(ImportancePart, MoreImportance):
    """The part of a config for it."""


@settings
class MoreMapsPart(ExplanationPart, MoreMaps):
    """The part of a config for it."""


@settings
class MoreLatentsPart(LatentsPart, MoreLatents):
    """The part of a config for it."""


@dataclass(frozen=True)
class Case:
    """A job: its settings, and the part of a config."""

    settings: Any
    part: Any


CASES = (
    Case(MoreImportance, MoreImportancePart),
    Case(MoreMaps, MoreMapsPart),
    Case(MoreLatents, MoreLatentsPart),
)
every_job = pytest.mark.parametrize("case", CASES, ids=lambda case: case.settings.__name__)


@every_job
def test_it_is_a_keyword_in_python(case: Case) -> None:
    @takes_settings(case.settings)
    def job(cells: int, **options: object) -> Any:
        return merged(case.settings, None, options)

    assert inspect.signature(job).parameters["burn_in"].default == 5
    assert job(1, burn_in=7).burn_in == 7
    with pytest.raises(ModelError, match="burn_in must be 1 or more, not 0"):
        job(1, burn_in=0)


@every_job
def test_it_is_an_option_of_the_command_line(case: Case) -> None:
    parser = argparse.ArgumentParser()
    add_options(parser, case.settings)

    args = parser.parse_args(["--burn-in", "7"])
    assert settings_from(args, case.settings) == case.settings(burn_in=7)
    text = " ".join(parser.format_help().split())
    assert "epochs until the weights are learnt (default: 5)" in text


@every_job
def test_it_is_a_control_in_the_window(qtbot: QtBot, case: Case) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    form = JobForm(case.settings, parent)
    form["burn_in"].setValue(7)

    assert form.value == case.settings(burn_in=7)


@every_job
def test_it_is_a_key_of_configs(case: Case) -> None:
    reader = TypeAdapter(case.part)
    part = reader.validate_python({"burn_in": 7, "seed": 1})

    assert (part.burn_in, part.seed) == (7, 1)
    assert reader.dump_python(part, mode="json")["burn_in"] == 7


@every_job
def test_it_is_an_argument_in_scripts_and_kept_in_provenance(case: Case) -> None:
    changed = case.settings(burn_in=7)

    assert "burn_in=7" in arguments_of(changed, case.settings)
    assert as_dict(changed)["burn_in"] == 7


@pytest.mark.parametrize(
    ("name", "cls"),
    [
        ("train_classifier", "ClassifierSettings"),
        ("channel_importance", "ImportanceSettings"),
        ("explain", "MapSettings"),
        ("explain_cells", "ExplainSettings"),
        ("latents", "EncodingSettings"),
        ("evaluate", "EvaluationSettings"),
    ],
)
def test_the_functions_of_the_package_take_their_settings_from_these(name: str, cls: str) -> None:
    import napari_channelmix as cm
    from napari_channelmix import settings as room
    from napari_channelmix.settings import fields_of

    # The share that is held out is for cells that are divided, which this function is given.
    others = {"train_classifier": {"held_out"}, "explain_cells": {"cells"}}.get(name, set())
    shown = inspect.signature(getattr(cm, name)).parameters
    declared = {row.name: row.default for row in fields_of(getattr(room, cls))}
    assert {key: shown[key].default for key in declared if key not in others} == {
        key: value for key, value in declared.items() if key not in others
    }


def test_provenance_of_maps_gives_the_part_of_a_config_with_every_setting() -> None:
    request = as_dict(ExplainSettings(seed=3, channels="separate", limit=5), ["prior"])
    part = explanation_part((1, 4), {"method": "blackbox", "mode": "blackbox"}, request)

    assert part is not None and part.cells == (1, 4)
    assert (part.seed, part.channels, part.method) == (3, "separate", "blackbox")
    # Which cells is said by their positions.
    assert part.limit is None
    unknown = {**request, "burn_in": 7}
    assert explanation_part(None, {"method": "pcim", "mode": "autograd"}, unknown) is None


def test_provenance_of_latents_gives_the_part_of_a_config_with_every_setting() -> None:
    about = {
        "settings": {"view": None, "finetune": 2},
        "disentangler": "cell-sprites",
        "request": as_dict(LatentsSettings(finetune=2, pixels=True, limit=9, seed=4), ["view"]),
    }
    part = latents_part(about)

    assert part is not None
    assert (part.finetune, part.pixels, part.limit, part.seed) == (2, True, 9, 4)
    assert part.model == "cell-sprites"
    # As earlier versions wrote it.
    earlier = {"settings": {"view": None, "finetune": 2, "pixels": True}, "model": "a", "seed": 4}
    part = latents_part(earlier)
    assert part is not None and (part.finetune, part.pixels, part.seed) == (2, True, 4)
