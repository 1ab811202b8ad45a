"""What a function with settings says of itself: each setting, its type, its default, its help."""

import inspect
import re
from typing import Annotated, Any, Literal

import pytest

import napari_channelmix as cm
from napari_channelmix.bounds import Epochs, Flag
from napari_channelmix.settings.fields import About, settings, takes_settings

FUNCTIONS = [
    "audit",
    "channel_importance",
    "channel_shapley",
    "evaluate",
    "explain",
    "explain_cells",
    "export_cells",
    "latents",
    "panel",
    "predict_cells",
    "scan_folder",
    "scan_table",
    "segment",
    "train_classifier",
    "transplant",
    "what_if",
    "what_if_cells",
]


@settings
class ExampleSettings:
    epochs: Annotated[Epochs, About("Epochs", "passes over the cells")] = 7
    mode: Annotated[Literal["a", "b"], About("Mode", "which of two")] = "a"
    quick: Annotated[Flag | None, About("Quick", "whether to hurry")] = None
    prior: Any = None


@takes_settings(ExampleSettings, leave_out=("prior",))
def example(cells: str, **options: Any) -> int:
    """Do it.

    Parameters
    ----------
    cells : str
    **options
        Single settings.

    Returns
    -------
    int
    """
    return len(options)


def test_the_signature_has_the_type_and_default_of_each_setting():
    parameters = inspect.signature(example).parameters
    assert list(parameters) == ["cells", "epochs", "mode", "quick"]
    assert (parameters["epochs"].annotation, parameters["epochs"].default) == (int, 7)
    assert parameters["mode"].annotation == Literal["a", "b"]
    assert parameters["quick"].annotation == bool | None
    # So that tools that look up what annotations mean do not fail.
    inspect.signature(cm.train_classifier)


def test_the_docstring_explains_each_setting_before_what_is_returned():
    assert inspect.getdoc(example).splitlines()[6:18] == [
        "    Single settings.",
        "epochs : int, default 7",
        "    Passes over the cells.",
        "mode : {'a', 'b'}, default 'a'",
        "    Which of two.",
        "quick : bool or None, default None",
        "    Whether to hurry.",
        "",
        "Returns",
        "-------",
        "int",
    ]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_with_settings_explains_them(name):
    function = getattr(cm, name)
    doc = inspect.getdoc(function)
    entries = {
        name
        for line in re.findall(r"^(\w+(?:, \w+)*)(?: :|$)", doc, re.MULTILINE)
        for name in line.split(", ")
    }
    assert [name for name in inspect.signature(function).parameters if name not in entries] == []
