"""Errors are one line, and are caught as the built-in kinds they stand for."""

from __future__ import annotations

import pickle

import pytest

from napari_channelmix.errors import (
    BundleError,
    ChannelMixError,
    ConfigError,
    DataError,
    ModelError,
    SaveError,
)

KINDS = (BundleError, ChannelMixError, ConfigError, DataError, ModelError, SaveError)


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_of_several_lines_becomes_one(kind: type[ChannelMixError]) -> None:
    assert str(kind("first\n  second\tthird ")) == "first second third"


@pytest.mark.parametrize("kind", KINDS)
def test_errors_survive_the_way_from_another_process(kind: type[ChannelMixError]) -> None:
    back = pickle.loads(pickle.dumps(kind("what\nwhere")))
    assert type(back) is kind
    assert str(back) == "what where"


def test_errors_are_the_builtin_kinds_they_stand_for() -> None:
    assert issubclass(DataError, ValueError)
    assert issubclass(BundleError, ModelError)
    assert issubclass(SaveError, OSError)
