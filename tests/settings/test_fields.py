from __future__ import annotations

import dataclasses
import inspect
import pickle
from typing import Annotated

import pytest

from napari_channelmix.bounds import Epochs, Flag, Share
from napari_channelmix.errors import ModelError
from napari_channelmix.settings import (
    About,
    ClassifierSettings,
    EncodingSettings,
    EvaluationSettings,
    ExplainSettings,
    FinetuneSettings,
    ImportanceSettings,
    LatentsSettings,
    MapSettings,
    Question,
    TrainingSettings,
    WhatIfSettings,
    as_dict,
    fields_of,
    merged,
    settings,
    takes_settings,
)

EVERY = (
    ClassifierSettings,
    EncodingSettings,
    EvaluationSettings,
    ExplainSettings,
    FinetuneSettings,
    ImportanceSettings,
    LatentsSettings,
    MapSettings,
    Question,
    WhatIfSettings,
)


@settings
class Small:
    epochs: Annotated[Epochs, About("Epochs", "passes over the cells")] = 3
    held_out: Annotated[Share, About("Test fraction", "share held out")] = 0.5
    fast: Annotated[Flag, About("Fast", "less exact")] = False
    rows: tuple[int, ...] | None = None


def test_settings_are_given_by_name() -> None:
    # Their order changes where a setting joins a part that others share.
    with pytest.raises(TypeError, match=r"^the settings of Small are given by name, not by pos"):
        Small(4)  # type: ignore[misc]


def test_a_setting_is_described_by_its_declaration() -> None:
    epochs, share, fast, rows = fields_of(Small)

    assert (epochs.name, epochs.default, epochs.kind) == ("epochs", 3, "whole number")
    assert epochs.about == About("Epochs", "passes over the cells")
    assert epochs.bounds is not None and epochs.bounds.least == 1
    assert (share.kind, fast.kind, rows.kind) == ("number", "flag", "other")
    assert rows.optional and rows.about is None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epochs": 0}, "epochs must be 1 or more, not 0"),
        ({"epochs": 2.5}, "epochs must be a whole number, not 2.5"),
        ({"seed": -1}, "the seed must be 0 or more, not -1"),
        ({"held_out": 1}, "share of held-out cells must lie between 0 and 1, not 1"),
        ({"rate": float("nan")}, "rate must lie between 0 and 1, not nan"),
        ({"device": "tpu"}, "device 'tpu' is unknown; use auto, cpu, cuda, mps"),
        ({"shapley": "no"}, "shapley input should be a valid boolean, not 'no'"),
        ({"network": 3}, "network input should be a valid string, not 3"),
    ],
)
def test_a_value_outside_its_bounds_is_refused_in_one_line(
    values: dict[str, object], message: str
) -> None:
    with pytest.raises(ModelError) as caught:
        ImportanceSettings(**values)  # type: ignore[arg-type]
    assert str(caught.value) == message


def test_a_setting_that_does_not_exist_is_refused_as_python_does() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'epoch'"):
        ImportanceSettings(epoch=3)  # type: ignore[call-arg]


@pytest.mark.parametrize("kind", EVERY)
def test_settings_are_frozen_compared_by_value_and_can_be_pickled(kind: type) -> None:
    one = kind(seed=3)

    assert one == kind(seed=3) != kind(seed=4)
    assert pickle.loads(pickle.dumps(one)) == one
    assert dataclasses.replace(one, seed=4) == kind(seed=4)
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.seed = 5


@pytest.mark.parametrize("kind", EVERY)
def test_every_setting_for_people_has_a_label_and_one_line_of_help(kind: type) -> None:
    for field in fields_of(kind):
        if field.about is None:
            assert field.kind == "other", f"{field.name} could be set by people and says nothing"
            continue
        assert field.about.label and field.about.help
        assert "\n" not in field.about.help and not field.about.help.endswith(".")
        assert field.kind != "other"


@pytest.mark.parametrize("kind", EVERY)
def test_every_setting_is_explained_in_the_docstring(kind: type) -> None:
    text = "".join(inspect.getdoc(base) or "" for base in kind.__mro__)
    for field in fields_of(kind):
        assert field.name in text, f"{field.name} is missing in the docstring of {kind.__name__}"


def test_settings_of_the_training_alone_are_completed() -> None:
    given = merged(ImportanceSettings, TrainingSettings(epochs=7, clip=2.0), {"seeds": 3})

    assert given == ImportanceSettings(epochs=7, clip=2.0, seeds=3)
    assert given.training == TrainingSettings(epochs=7, clip=2.0)


def test_single_settings_win_over_an_object() -> None:
    assert merged(ImportanceSettings, ImportanceSettings(seeds=5), {"seeds": 6}).seeds == 6


def test_settings_of_another_job_are_refused() -> None:
    with pytest.raises(TypeError, match="must be ImportanceSettings, not ExplainSettings"):
        merged(ImportanceSettings, ExplainSettings(), {})


def test_as_dict_gives_the_values_by_name() -> None:
    assert as_dict(Small(rows=(1, 2))) == {
        "epochs": 3,
        "held_out": 0.5,
        "fast": False,
        "rows": (1, 2),
    }


def test_the_signature_of_a_function_shows_the_settings() -> None:
    @takes_settings(Small, leave_out=("rows",))
    def job(cells: int, *, settings: Small | None = None, **options: object) -> Small:
        return merged(Small, settings, options)

    assert str(inspect.signature(job)) == (
        "(cells: 'int', *, settings: 'Small | None' = None, epochs: int = 3, "
        "held_out: float = 0.5, fast: bool = False) -> 'Small'"
    )
    assert job(1, epochs=4) == Small(epochs=4)


def test_a_setting_that_is_taken_by_position_shows_its_default_there() -> None:
    @takes_settings(Small)
    def job(cells: int, epochs: int | None = None, **options: object) -> None: ...

    assert str(inspect.signature(job)) == (
        "(cells: 'int', epochs: 'int | None' = 3, *, held_out: float = 0.5, fast: bool = False, "
        "rows: Any = None) -> 'None'"
    )


def test_settings_of_a_wider_job_begin_with_those_of_a_question() -> None:
    question = Question(target="a", method="saliency", seed=3)

    given = merged(ExplainSettings, question, {"only": "all"})
    assert given == ExplainSettings(target="a", method="saliency", seed=3, only="all")
    assert given.maps == MapSettings(method="saliency", seed=3)
    assert hash(question) == hash(Question(target="a", method="saliency", seed=3))
