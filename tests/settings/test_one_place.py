"""A setting that is declared once is there in Python, command line, window, config and script."""

from __future__ import annotations

import argparse
import inspect
from typing import TYPE_CHECKING, Annotated

import pytest
from pydantic import TypeAdapter
from qtpy.QtWidgets import QWidget

from napari_channelmix.bounds import Epochs
from napari_channelmix.config import ImportancePart
from napari_channelmix.config.script import arguments_of
from napari_channelmix.errors import ModelError
from napari_channelmix.run.options import add_options, settings_from
from napari_channelmix.settings import (
    About,
    ImportanceSettings,
    as_dict,
    merged,
    settings,
    takes_settings,
)
from napari_channelmix.viewer.widgets.job_form import JobForm

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


@settings
class More(ImportanceSettings):
    """The settings of channel importance and one more: this is all that is written for it."""

    burn_in: Annotated[
        Epochs, About("Burn-in", "epochs until the weights of the blend are learnt")
    ] = 5


@settings
class MorePart(More, ImportancePart):
    """The part of a config for it."""


def test_it_is_a_keyword_in_python() -> None:
    @takes_settings(More)
    def importance(cells: int, **options: object) -> More:
        return merged(More, None, options)

    assert inspect.signature(importance).parameters["burn_in"].default == 5
    assert importance(1, burn_in=7).burn_in == 7
    with pytest.raises(ModelError, match="burn_in must be 1 or more, not 0"):
        importance(1, burn_in=0)


def test_it_is_an_option_of_the_command_line() -> None:
    parser = argparse.ArgumentParser()
    add_options(parser, More)

    assert settings_from(parser.parse_args(["--burn-in", "7"]), More) == More(burn_in=7)
    text = " ".join(parser.format_help().split())
    assert "epochs until the weights of the blend are learnt (default: 5)" in text


def test_it_is_a_control_in_the_window(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    form = JobForm(More, parent)
    form["burn_in"].setValue(7)

    assert form.value == More(burn_in=7)


def test_it_is_a_key_of_configs() -> None:
    read = TypeAdapter(MorePart).validate_python({"burn_in": 7, "threads": 1})

    assert (read.burn_in, read.threads) == (7, 1)
    assert TypeAdapter(MorePart).dump_python(read, mode="json")["burn_in"] == 7


def test_it_is_an_argument_in_scripts_and_kept_in_provenance() -> None:
    assert "burn_in=7" in arguments_of(More(burn_in=7), More)
    assert as_dict(More(burn_in=7))["burn_in"] == 7
