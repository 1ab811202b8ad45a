"""Which kind of model something is, and how it is asked."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from napari_channelmix.classify.callables import Estimator, refuse_no_model
from napari_channelmix.classify.model_function import ModelFunction, ModuleFunction, PlainFunction
from napari_channelmix.classify.onnx_function import OnnxFunction, is_session
from napari_channelmix.errors import ModelError

__all__ = ["function_of", "is_factory"]


def function_of(model: Any, channels: int, who: str) -> ModelFunction:
    """How a model is asked about normalised crops (n, C, H, W).

    Parameters
    ----------
    model : torch.nn.Module, ExportedProgram, InferenceSession, estimator or callable
    channels : int
        C; 0 where it is not known yet.
    who : str
        What messages call it.

    Raises
    ------
    ModelError
        What is no model, or one that is not finished: a state dict, a class, lazy layers without
        weights, an estimator that is not fitted.
    """
    if isinstance(model, torch.export.ExportedProgram):
        try:
            return ModuleFunction(model, who)
        except ValueError as error:
            raise ModelError(f"{who}: {error}") from error
    if isinstance(model, nn.Module):
        if any(map(is_lazy, model.parameters())):
            raise ModelError(
                f"{who} has lazy layers without weights yet; call it once with a batch of crops "
                "first"
            )
        return ModuleFunction(model, who)
    if is_session(model):
        if not channels:
            raise ModelError(f"{who}: name the channels and the classes")
        return OnnxFunction(model, channels, who)
    refuse_no_model(model)
    if Estimator.fits(model):
        _refuse_unfitted(model, who)
        return PlainFunction(Estimator(model), "estimator", model)
    return PlainFunction(model)


def is_factory(model: Any) -> bool:
    """Whether something is a function without any parameter, so that it cannot take crops."""
    if not inspect.isfunction(model):
        return False
    return not inspect.signature(model).parameters


def _refuse_unfitted(model: Any, who: str) -> None:
    from sklearn.base import BaseEstimator
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    if not isinstance(model, BaseEstimator):
        return
    try:
        check_is_fitted(model)
    except NotFittedError:
        raise ModelError(f"{who} is not fitted yet; call its fit first") from None
