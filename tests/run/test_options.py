from __future__ import annotations

import argparse
from typing import Annotated

import pytest

from napari_channelmix.bounds import Epochs, Flag, Limit, Share
from napari_channelmix.run.options import add_options, settings_from
from napari_channelmix.settings import About, settings


@settings
class Small:
    epochs: Annotated[Epochs, About("Epochs", "passes over the cells")] = 3
    held_out: Annotated[Share, About("Test", "share held out", metavar="SHARE")] = 0.5
    fast: Annotated[Flag, About("Fast", "less exact", advanced=True)] = False
    shapley: Annotated[Flag, About("Shapley", "values", off="leave them out")] = True
    limit: Annotated[Limit | None, About("Cells", "so many cells", metavar="N")] = None
    rows: tuple[int, ...] | None = None


def read(*words: str) -> Small:
    parser = argparse.ArgumentParser()
    add_options(parser, Small)
    return settings_from(parser.parse_args(words), Small)


def test_without_options_the_settings_are_the_usual_ones() -> None:
    assert read() == Small()


def test_every_setting_is_an_option() -> None:
    words = ["--epochs", "7", "--held-out", ".2", "--fast", "--no-shapley", "--limit", "9"]

    assert read(*words) == Small(epochs=7, held_out=0.2, fast=True, shapley=False, limit=9)


def test_what_is_given_wins_and_what_is_left_out_keeps_its_value() -> None:
    parser = argparse.ArgumentParser()
    add_options(parser, Small, leave_out=("fast",))

    with pytest.raises(SystemExit):
        parser.parse_args(["--fast"])
    assert settings_from(parser.parse_args([]), Small, rows=(1,)) == Small(rows=(1,))


def test_a_value_outside_its_bounds_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read("--epochs", "0")
    assert "epochs must be 1 or more, not 0" in capsys.readouterr().err


def test_the_help_has_defaults_and_a_group_for_what_few_change() -> None:
    parser = argparse.ArgumentParser()
    add_options(parser, Small)
    text = " ".join(parser.format_help().split())

    assert "--held-out SHARE share held out (default: 0.5)" in text
    assert "--no-shapley leave them out" in text
    assert text.index("more settings") < text.index("--fast less exact")
    assert "--rows" not in text
