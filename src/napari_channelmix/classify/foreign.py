"""Models made elsewhere: ONNX files, TorchScript and torch.export files, Python functions."""

from __future__ import annotations

import importlib
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from napari_channelmix.classify.bundle import load_bundle
from napari_channelmix.classify.classifier import Classifier, Predictor
from napari_channelmix.errors import ModelError

__all__ = ["ForeignClassifier", "Output", "load_model"]

Floats = npt.NDArray[np.float32]
Predict = Callable[[Floats], npt.ArrayLike]
Output = Literal["scores", "probabilities"]

TORCHSCRIPT = (".pt", ".ts", ".torchscript")
EXPORTED = (".pt2",)


@dataclass(frozen=True, eq=False)
class ForeignClassifier(Predictor):
    """A classifier that only predicts; what is inside is not ours.

    Attributes
    ----------
    function : callable
        Takes normalised crops (n, C, H, W) float32, gives (n, K) scores or probabilities.
    channels, classes : tuple of str
    mean, std : (C,) float64 arrays
        ``(x - mean) / std`` is what the function gets; 0 and 1 leave raw units.
    output : {"scores", "probabilities"}
        What the function gives; scores go through a softmax.
    source : str
        Where it came from, for messages and provenance.
    """

    function: Predict = field(repr=False)
    channels: tuple[str, ...]
    classes: tuple[str, ...]
    mean: npt.NDArray[np.float64] = field(repr=False)
    std: npt.NDArray[np.float64] = field(repr=False)
    output: Output
    source: str

    @property
    def _who(self) -> str:
        return self.source

    def _probabilities(self, crops: Floats) -> Floats:
        if crops.ndim != 4 or crops.shape[1] != len(self.channels):
            raise ModelError(
                f"{self.source} takes crops of shape (N, {len(self.channels)}, H, W), "
                f"not {crops.shape}"
            )
        if not np.isfinite(crops).all():
            raise ModelError("the crops have NaN or infinite pixels")
        scaled = (crops - self.mean[:, None, None]) / self.std[:, None, None]
        try:
            scores = np.asarray(self.function(scaled.astype(np.float32)), dtype=np.float64)
        # A stranger's function may raise anything.
        except Exception as error:
            raise ModelError(f"{self.source} failed: {type(error).__name__}: {error}") from error
        wanted = (len(crops), len(self.classes))
        if scores.shape != wanted:
            raise ModelError(
                f"{self.source} gave scores of shape {scores.shape} for {wanted[0]} crops and "
                f"{wanted[1]} classes ({', '.join(self.classes)}); it must give {wanted}"
            )
        if not np.isfinite(scores).all():
            raise ModelError(f"{self.source} gave scores that are NaN or infinite")
        if self.output == "scores":
            powers = np.exp(scores - scores.max(axis=1, keepdims=True))
            return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float32)
        if (scores < -1e-4).any() or (np.abs(scores.sum(axis=1) - 1) > 1e-3).any():
            raise ModelError(
                f'{self.source} gave numbers that are no probabilities; use output="scores"'
            )
        return np.asarray(scores, dtype=np.float32)


def load_model(
    source: str | Path,
    *,
    channels: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
    mean: npt.ArrayLike = 0.0,
    std: npt.ArrayLike = 1.0,
    output: Output = "scores",
    allow_code: bool = False,
) -> Classifier | ForeignClassifier:
    """Load a classifier.

    Parameters
    ----------
    source : path or str
        A bundle (``.cmx``), an ONNX file (``.onnx``), a TorchScript file (``.pt``, ``.ts``), a
        torch.export file (``.pt2``), or ``"module:function"`` for a Python function that takes
        crops (n, C, H, W) and gives (n, K).
    channels, classes : sequence of str
        Names the model does not carry itself; needed for all but bundles.
    mean, std : float or (C,) arrays
        Normalisation in front of the model, in raw units; the default leaves raw units.
    output : {"scores", "probabilities"}
        What the model gives.
    allow_code : bool
        Consent to run code of the model's maker. TorchScript and torch.export files and Python
        functions can do anything on this machine; ONNX files and bundles cannot.

    Raises
    ------
    BundleError
        A bundle that is truncated, altered, too new, or no bundle.
    ModelError
        Names missing, consent missing, or a file that cannot be loaded.
    """
    text = str(source)
    path = Path(source)
    suffix = path.suffix.lower()
    named_function = re.fullmatch(r"[\w.]+:\w+", text) is not None and not path.exists()
    if not named_function and suffix not in (".onnx", *TORCHSCRIPT, *EXPORTED):
        return load_bundle(path)
    if not named_function and not path.exists():
        raise ModelError(f"{path}: no such file")
    if not channels or not classes:
        raise ModelError(f"{text}: name the channels and the classes; only bundles carry them")
    if suffix != ".onnx" and not allow_code:
        raise ModelError(
            f"{text}: loading this runs code of its maker; if you trust it, allow it "
            "(allow_code=True), else export the model to ONNX"
        )
    if named_function:
        function = _python_function(text)
    elif suffix == ".onnx":
        function = _onnx(path)
    else:
        function = _torch_file(path, exported=suffix in EXPORTED)
    return ForeignClassifier(
        function,
        tuple(channels),
        tuple(classes),
        _for_each(mean, channels, "mean"),
        _for_each(std, channels, "std"),
        output,
        text,
    )


def _for_each(value: npt.ArrayLike, channels: Sequence[str], what: str) -> npt.NDArray[np.float64]:
    """One number for each channel, from one for all or one for each."""
    numbers = np.asarray(value, dtype=np.float64)
    if numbers.shape not in ((), (1,), (len(channels),)):
        raise ModelError(f"{what} has {numbers.size} numbers for {len(channels)} channels")
    if not np.isfinite(numbers).all() or (what == "std" and (numbers <= 0).any()):
        raise ModelError(f"{what} must be finite{', above 0' if what == 'std' else ''}: {numbers}")
    return np.broadcast_to(numbers, (len(channels),))


def _python_function(text: str) -> Predict:
    module_name, _, name = text.partition(":")
    try:
        function = getattr(importlib.import_module(module_name), name)
    # Importing runs a stranger's code, which may raise anything.
    except Exception as error:
        raise ModelError(f"{text}: cannot be imported ({type(error).__name__}: {error})") from error
    if not callable(function):
        raise ModelError(f"{text}: is not a function")
    return function  # type: ignore[no-any-return]


def _onnx(path: Path) -> Predict:
    try:
        import onnxruntime
    except ImportError:
        raise ModelError(
            f"{path}: ONNX files need onnxruntime; "
            "install it with: pip install 'napari-channelmix[onnx]'"
        ) from None
    try:
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    # onnxruntime raises exceptions of its own C++ kinds on damaged files.
    except Exception as error:
        raise ModelError(f"{path}: not a readable ONNX file ({error})") from error
    name = session.get_inputs()[0].name

    def predict(crops: Floats) -> npt.ArrayLike:
        result: npt.ArrayLike = session.run(None, {name: crops})[0]
        return result

    return predict


def _torch_file(path: Path, *, exported: bool) -> Predict:
    module: Any
    try:
        with warnings.catch_warnings():
            # PyTorch asks authors to move to torch.export; the user's file is as it is.
            warnings.simplefilter("ignore")
            if exported:
                module = torch.export.load(path).module()
            else:
                module = torch.jit.load(path, map_location="cpu").eval()
    # Damaged files raise anything from RuntimeError to KeyError.
    except Exception as error:
        kind = "torch.export" if exported else "TorchScript"
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(f"{path}: not a readable {kind} file ({reason})") from error

    def predict(crops: Floats) -> npt.ArrayLike:
        with torch.inference_mode():
            result: npt.ArrayLike = module(torch.from_numpy(crops)).float().numpy()
        return result

    return predict
