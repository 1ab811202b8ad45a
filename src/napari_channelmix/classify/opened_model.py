"""A model made elsewhere that can go to another process: it is opened there again, by its name."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.model_files import open_file, open_function
from napari_channelmix.classify.model_function import ModelFunction
from napari_channelmix.classify.predictor import Predictor
from napari_channelmix.errors import ModelError

if TYPE_CHECKING:
    from torch import nn

    from napari_channelmix.classify.callables import Estimator
    from napari_channelmix.classify.model_function import Size

__all__ = ["OpenedModel"]

FloatArray = npt.NDArray[np.float32]


class OpenedModel(ModelFunction):
    """What a model file, or a Python function with a name, answers to crops (n, C, H, W).

    Pickled, it is where the model lies, a hash of the file, and the consent that was given; nothing
    of the model itself. It is opened again at the first call after that, from the same place.

    Parameters
    ----------
    text : str
        As it was named, for messages.
    kind : {"onnx", "torchscript", "export", "function"}
    channels : int
        C; 0 where it is not known, as the model may name its channels itself.
    named : (str, str), optional
        Module or Python file, and name, of a function.
    allow_code : bool
        Consent to run code of the model's maker; nothing but ONNX is opened without.

    Raises
    ------
    ModelError
        Consent missing; as `open_file` and `open_function`.

    Attributes
    ----------
    is_classifier : bool
        Whether the name is a classifier that knows its channels and classes itself.
    predictor : Predictor or None
        That classifier, in the process that opened it.
    estimator : Estimator or None
        Where the function is one.
    """

    def __init__(
        self,
        text: str,
        kind: str,
        channels: int,
        named: tuple[str, str] | None = None,
        *,
        allow_code: bool = False,
    ) -> None:
        self.text, self.kind, self.channels, self.allow_code = text, kind, channels, allow_code
        self.named, self.folder = named, Path.cwd()
        # Of what it is in; a module of an installed package has none that is ours to watch.
        in_file = named is None or named[0].endswith(".py")
        self.path = self.folder / (text if named is None else named[0]) if in_file else None
        self._stamp = self._stamp_now()
        self._digest = ""
        self.is_classifier = False
        self.predictor: Predictor | None = None
        self._function: ModelFunction | None = None
        self._open(Path(text))

    def __call__(self, crops: FloatArray) -> Any:
        """What the model gives for crops (n, C, H, W) float32.

        Raises
        ------
        ModelError
            Opened again in another process: a file that is not there, or is another one.
        """
        return self.function(crops)

    @property
    def function(self) -> ModelFunction:
        """What is in the file or has the name; opened again in another process.

        Raises
        ------
        ModelError
            A file that is not there, or is another one; a predictor that is asked by itself.
        """
        if self._function is None:
            self._refuse_other_file()
            self._open(self.path)
        if self._function is None:
            raise ModelError(f"{self.text}: is a classifier of this package and asked as such")
        return self._function

    @property
    def inner(self) -> ModelFunction:
        """What is in the file or has the name."""
        return self.function.inner

    @property
    def module(self) -> nn.Module | None:  # type: ignore[override]
        """As of what is in the file."""
        return self.function.module

    @property
    def alone(self) -> bool:  # type: ignore[override]
        """As of what is in the file."""
        return self.function.alone

    @property
    def size(self) -> Size:  # type: ignore[override]
        """As of what is in the file."""
        return self.function.size

    @property
    def estimator(self) -> Estimator | None:  # type: ignore[override]
        """As of what has the name."""
        return self.function.estimator

    def digest(self) -> str:
        """SHA-256 of the model file, or of what has the name; empty where that cannot be known."""
        return self._digest_now() if self.named is None else self.function.digest()

    def onnx_bytes(self) -> bytes | None:
        """The bytes of an ONNX file."""
        return self.function.onnx_bytes()

    def _open(self, path: Path | None) -> None:
        if self.kind != "onnx" and not self.allow_code:
            raise ModelError(
                f"{self.text}: loading this runs code of its maker; if you trust it, allow it "
                "(allow_code=True, or --allow-code on the command line), else export the model to "
                "ONNX"
            )
        if self.named is None:
            assert path is not None
            self._function = open_file(path, self.kind, self.channels)
            return
        # As it was named, from the folder it was named in.
        model = open_function(self.named, self.text, self.channels, self.folder)
        if isinstance(model, Predictor):
            self.is_classifier = True
            self.predictor, self._function = model, getattr(model, "model", None)
        else:
            self._function = model

    def _stamp_now(self) -> tuple[int, int]:
        try:
            about = None if self.path is None else self.path.stat()
        except OSError:
            about = None
        return (0, 0) if about is None else (about.st_size, about.st_mtime_ns)

    def _digest_now(self) -> str:
        """SHA-256 of the file; empty where there is none."""
        if self.path is None:
            return ""
        try:
            with self.path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ModelError(
                f"{self.text}: cannot be opened in another process ({error.strerror}); its file "
                f"must be there under the same path, {self.path}"
            ) from error

    def _refuse_other_file(self) -> None:
        if self._digest_now() != self._digest:
            raise ModelError(f"{self.text}: the file {self.path} is not the one that was opened")

    def __getstate__(self) -> dict[str, Any]:
        if self._stamp_now() != self._stamp:
            raise ModelError(f"{self.text}: the file has changed since it was opened; load it anew")
        self._digest = self._digest or self._digest_now()
        return {**vars(self), "_function": None, "predictor": None}
