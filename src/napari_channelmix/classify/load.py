"""Open a classifier: a bundle, or a model made elsewhere that is in a file or has a name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.bundle import open_bundle
from napari_channelmix.classify.classifier import Classifier
from napari_channelmix.classify.foreign import ForeignClassifier
from napari_channelmix.classify.model_files import (
    file_kind,
    function_name,
    is_there,
    refuse_weights,
)
from napari_channelmix.classify.named_model import Sides, named_classifier, names_of
from napari_channelmix.classify.opened_model import OpenedModel
from napari_channelmix.classify.outputs import Output, output_named
from napari_channelmix.errors import BundleError, ModelError

if TYPE_CHECKING:
    from napari_channelmix.classify.output_selection import Select
    from napari_channelmix.classify.predictor import Predictor

__all__ = ["load_model"]


def load_model(
    source: str | Path,
    *,
    channels: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
    mean: npt.ArrayLike = 0.0,
    std: npt.ArrayLike = 1.0,
    output: Output = "auto",
    select: Select = None,
    size: Sides = None,
    resize: bool = False,
    allow_code: bool = False,
) -> Classifier | ForeignClassifier:
    """Load a classifier.

    Parameters
    ----------
    source : path or str
        A bundle (``.cmx``), an ONNX file (``.onnx``), a TorchScript file (``.pt``, ``.ts``), a
        torch.export file (``.pt2``), or ``"module:name"`` or ``"file.py:name"`` for a Python
        function that takes crops (n, C, H, W) and gives (n, K), a torch module, an estimator in
        the manner of scikit-learn, or a classifier made with `wrap`, which may also be what a
        function without parameters returns.
    channels, classes : sequence of str
        Names the model does not carry itself; not needed for bundles and wrapped classifiers, the
        classes also not for an estimator that has ``classes_``.
    mean, std : float or (C,) arrays
        Normalisation in front of the model, in raw units; the default leaves raw units.
    output : str
        What the model gives. ``logits`` (before a softmax; ``scores`` is the old word),
        ``probabilities`` (after it), ``sigmoid`` (a probability for each of several independent
        labels), ``sigmoid_logits`` (those before the sigmoid), ``one_logit`` or
        ``one_probability`` (one column, for the second of two classes). ``auto``: found out from
        the first crops, and refused where it stays in doubt.
    select : int or str, optional
        Which of several outputs, by position or name.
    size, resize
        As for `wrap`: the size of crops the model takes, and whether others are resized; a bundle
        has its own, and another is refused.
    allow_code : bool
        Consent to run code of the model's maker. TorchScript and torch.export files and Python
        functions can do anything on this machine; ONNX files and bundles cannot.

    Raises
    ------
    BundleError
        A bundle that is truncated, altered, too new, or no bundle; a pickle.
    ModelError
        Names missing, consent missing, or a file that cannot be loaded.

    Examples
    --------
    >>> path = model.save(folder / "model.cmx")
    >>> cm.load_model(path).classes
    ('low', 'high')
    """
    text, path = str(source), Path(source)
    named = function_name(text)
    kind = "function" if named else file_kind(path)
    output = output_named(output)  # type: ignore[assignment]
    options: dict[str, Any] = {
        "channels": names_of(channels),
        "classes": names_of(classes),
        "mean": mean,
        "std": std,
        "output": output,
        "select": select,
        "size": size,
        "resize": resize,
    }
    if not named:
        if not is_there(path):
            raise BundleError(f"{text[:200]}: no such file")
        refuse_weights(path)
        if kind == "bundle":
            return _of_bundle(open_bundle(path), text, options)
        if not (options["channels"] and options["classes"]):
            raise ModelError(f"{text}: name the channels and the classes; only bundles carry them")
    function = OpenedModel(text, kind, len(options["channels"]), named, allow_code=allow_code)
    if function.predictor is not None:
        return _of_file(function, function.predictor, options)
    return named_classifier(function, text, **options)


def _of_bundle(
    model: Classifier | ForeignClassifier, text: str, options: dict[str, Any]
) -> Classifier | ForeignClassifier:
    """A model as its bundle has it, which knows the size of its crops.

    Raises
    ------
    ModelError
        Another size, or crops that are to be resized where the model does not.
    """
    size, resize = options["size"], options["resize"]
    if isinstance(size, int):
        size = (size, size)
    if isinstance(model, Classifier):
        own: tuple[int, ...] | None = (model.crop, model.crop)
        resizes = False
    else:
        own, resizes = model.size, model.resize
    if (size is not None and size != own) or (resize and not resizes):
        of = "any size" if own is None else f"{own[0]} x {own[1]} pixels"
        raise ModelError(
            f"{text}: a bundle has its own size of crops ({of}), which cannot be changed; leave "
            "out size and resize, and cut or resample the cells to it (crop in the data-set file, "
            "Cells.at_pixel_size)"
        )
    return model


def _of_file(
    function: OpenedModel, model: Predictor, options: dict[str, Any]
) -> Classifier | ForeignClassifier:
    """A classifier that a Python file made, known by its name there.

    Raises
    ------
    ModelError
        Something that it says itself was named otherwise.
    """
    text = function.text
    if isinstance(model, Classifier):
        own: dict[str, Any] = {"channels": model.channels, "classes": model.classes}
    elif isinstance(model, ForeignClassifier):
        own = {name: getattr(model, name) for name in ("channels", "classes", "output", "select")}
    else:
        raise ModelError(f"{text}: is a {type(model).__name__}, which cannot be used so")
    for name, value in own.items():
        other = options[name]
        if other not in ((), None, "auto", value):
            raise ModelError(
                f"{text}: the classifier there has its own {name} ({_shown(value)}), not "
                f"{_shown(other)}; leave them out"
            )
    for name, usual in (("mean", 0.0), ("std", 1.0)):
        other = np.asarray(options[name], dtype=np.float64)
        same = np.array_equal(other, getattr(model, name))
        if not same and not bool((other == usual).all()):
            raise ModelError(f"{text}: the classifier there has its own {name}; leave it out")
    if options["size"] is not None or options["resize"]:
        raise ModelError(f"{text}: the classifier there has its own size; leave it out")
    if isinstance(model, Classifier):
        return model
    return replace(model, function=function, source=text)


def _shown(value: Any) -> str:
    return str(value) if isinstance(value, str) or value is None else ", ".join(map(str, value))
