"""Bring your own model: any model in Python as a classifier with names and a normalisation."""

from __future__ import annotations

import inspect
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from napari_channelmix.classify.foreign import ForeignClassifier
from napari_channelmix.classify.load import load_model
from napari_channelmix.classify.model_kinds import function_of
from napari_channelmix.classify.named_model import named_classifier, names_of
from napari_channelmix.classify.predictor import Predictor
from napari_channelmix.errors import ModelError

if TYPE_CHECKING:
    import numpy.typing as npt

    from napari_channelmix.classify.named_model import Sides
    from napari_channelmix.classify.output_selection import Select
    from napari_channelmix.classify.outputs import Output

__all__ = ["wrap"]


def wrap(
    model: Any,
    *,
    channels: Sequence[str],
    classes: Sequence[str] | None = None,
    mean: npt.ArrayLike = 0.0,
    std: npt.ArrayLike = 1.0,
    output: Output = "auto",
    select: Select = None,
    size: Sides = None,
    resize: bool = False,
    allow_code: bool = False,
) -> ForeignClassifier:
    """Make a classifier of a model that was made elsewhere, to be used wherever a bundle is.

    Parameters
    ----------
    model : module, program, session, estimator, function or path
        A torch module (TorchScript too) or a program of `torch.export`, which gets tensors
        (n, C, H, W); a session of onnxruntime; an estimator in the manner of scikit-learn, a
        Pipeline too, which gets rows of pixels where it was fitted on such, else arrays
        (n, C, H, W); a function of arrays (n, C, H, W) float32 that gives (n, K) numbers; or a
        path or name as for `load_model`.
    channels : sequence of C str
        Names of the channels it takes, in its order; cells are brought into this order.
    classes : sequence of K str, optional
        Names of its classes, in the order of its outputs: text, or categories. Not needed for an
        estimator that has ``classes_``.
    mean, std : float or (C,) arrays
        Normalisation in front of the model: ``(x - mean) / std`` of raw units.
    output : str
        What the model gives, as for `load_model`; ``auto`` is found out from the first crops.
    select : int or str, optional
        Which of several outputs, by position or name.
    size : int or (int, int), optional
        Side, or height and width, in pixels of the crops it takes; None: those that the model
        states, else any. Other crops are refused, before one is read.
    resize : bool
        Crops of another size are resized to ``size``, bilinear and smoothed where they shrink;
        maps have the size of the crops. It changes what the model sees, so it is never done
        unasked, and is said in `warnings`.
    allow_code : bool
        Consent to run code of the model's maker, for a path or name; see `load_model`.

    Returns
    -------
    ForeignClassifier
        Gradients pass through modules, TorchScript and exported programs where PyTorch can; it is
        tried before they are used.

    Raises
    ------
    ModelError
        What is no model or not finished, such as a state dict or an estimator that is not fitted;
        names, numbers or a size that are missing or do not fit.
    BundleError
        A path of a pickle, which is never loaded.

    Examples
    --------
    >>> import torch
    >>> net = torch.nn.Sequential(
    ...     torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(2, 3)
    ... )
    >>> model = wrap(net, channels=["DNA", "GFP"], classes=["a", "b", "c"], std=[200.0, 50.0])
    >>> model.predict_proba(torch.zeros(4, 2, 16, 16).numpy()).shape
    (4, 3)
    """
    options: dict[str, Any] = {
        "channels": names_of(channels),
        "classes": names_of(classes) or None,
        "mean": mean,
        "std": std,
        "output": output,
        "select": select,
        "size": size,
        "resize": resize,
    }
    if isinstance(model, (str, os.PathLike)):
        loaded = load_model(_named(model), allow_code=allow_code, **options)
        if not isinstance(loaded, ForeignClassifier):
            raise ModelError(f"{model}: is a bundle, which has its names; open it with load_model")
        return loaded
    if isinstance(model, Predictor):
        raise ModelError(f"{model.who} is a classifier already; use it as it is")
    source = _source(model)
    function = function_of(model, len(options["channels"]), source)
    return named_classifier(function, source, **options)


def _named(model: str | os.PathLike[str]) -> str | Path:
    return model if isinstance(model, str) else Path(model)


def _source(model: Any) -> str:
    """What messages call a model that has no file."""
    if inspect.isroutine(model):
        return f"the wrapped function {getattr(model, '__name__', '')}".strip()
    name = getattr(model, "original_name", type(model).__name__)
    if isinstance(model, torch.fx.GraphModule):
        name = "GraphModule"
    return f"the wrapped {name}"
