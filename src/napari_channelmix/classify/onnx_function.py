"""An ONNX model as a function of crops."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.callables import cast_to, in_pieces, refuse_size
from napari_channelmix.classify.model_function import ModelFunction
from napari_channelmix.errors import ModelError

__all__ = ["OnnxFunction", "is_session"]

FloatArray = npt.NDArray[np.float32]

ONNX_TYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(uint8)": np.uint8,
    "tensor(int8)": np.int8,
    "tensor(uint16)": np.uint16,
    "tensor(int16)": np.int16,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
}


class OnnxFunction(ModelFunction):
    """What an ONNX model gives for crops (n, C, H, W).

    Parameters
    ----------
    source : path, bytes or onnxruntime.InferenceSession
        A session goes to another process only where it was made from a file or bytes.
    channels : int
    who : str
        What messages call it.

    Raises
    ------
    ModelError
        onnxruntime is not installed; a file that cannot be read; a model that takes something else
        than such crops.
    """

    kind = "onnx"

    def __init__(self, source: Any, channels: int, who: str) -> None:
        self.who, self.channels = who, channels
        self._source = _origin(source) if is_session(source) else source
        session = source if is_session(source) else _opened(source, who)
        inputs, self._outputs = session.get_inputs(), [node.name for node in session.get_outputs()]
        if len(inputs) != 1:
            names = ", ".join(node.name for node in inputs)
            raise ModelError(
                f"{who} takes {len(inputs)} inputs ({names[:200]}), not crops alone; export a "
                "model that takes crops (N, C, H, W)"
            )
        self._session, self._name, self._shape = session, inputs[0].name, inputs[0].shape
        self._dtype = ONNX_TYPES.get(inputs[0].type)
        if self._dtype is None:
            raise ModelError(f"{who} takes {inputs[0].type}, not a tensor of numbers")
        # What can be said of the shape before there are crops.
        refuse_size((None, channels, None, None), self._shape, who)
        fixed = [size if isinstance(size, int) and size > 0 else None for size in self._shape]
        if fixed[1] == channels:
            self.size = fixed[2], fixed[3]
        self._ask = in_pieces(self._once, fixed[0]) if fixed[0] else self._once

    def __call__(self, crops: FloatArray) -> Any:
        """Its output, or a dict of several."""
        refuse_size(crops.shape, self._shape, self.who)
        return self._ask(crops)

    def _once(self, crops: FloatArray) -> Any:
        results = self._session.run(None, {self._name: cast_to(crops, self._dtype, self.who)})
        if len(results) == 1:
            return _unzipped(results[0])
        pairs = zip(self._outputs, results, strict=True)
        return {key: _unzipped(result) for key, result in pairs}

    def digest(self) -> str:
        """SHA-256 of its bytes; empty where a session does not tell them."""
        content = self.onnx_bytes()
        return "" if content is None else hashlib.sha256(content).hexdigest()

    def onnx_bytes(self) -> bytes | None:
        """The bytes it was opened from."""
        if isinstance(self._source, (str, os.PathLike)):
            try:
                return Path(self._source).read_bytes()
            except OSError as error:
                raise ModelError(
                    f"{self.who}: its file {self._source} cannot be read any more "
                    f"({error.strerror})"
                ) from error
        content: bytes | None = self._source
        return content

    def __getstate__(self) -> dict[str, Any]:
        if self._source is None:
            raise TypeError(f"{self.who}: a session does not tell the bytes it was made from")
        return {"source": self.onnx_bytes(), "channels": self.channels, "who": self.who}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]


def is_session(model: Any) -> bool:
    """Whether a model is a session of onnxruntime; which need not be installed for the answer."""
    kinds = {kind.__name__ for kind in type(model).__mro__ if "onnxruntime" in kind.__module__}
    return "InferenceSession" in kinds


def _origin(session: Any) -> Any:
    """Path or bytes that a session was made from; None where it does not tell."""
    path, content = getattr(session, "_model_path", None), getattr(session, "_model_bytes", None)
    return path or (content if isinstance(content, bytes) else None)


def _opened(source: Any, who: str) -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise ModelError(
            f"{who}: ONNX files need onnxruntime; "
            "install it with: pip install 'napari-channelmix[onnx]'"
        ) from None
    options = onnxruntime.SessionOptions()
    # Its warnings go to the terminal past Python; errors are raised all the same.
    options.log_severity_level = 4
    # A worker among others is told so.
    if os.environ.get("OMP_NUM_THREADS", "").isdecimal():
        options.intra_op_num_threads = int(os.environ["OMP_NUM_THREADS"])
    try:
        return onnxruntime.InferenceSession(
            source, sess_options=options, providers=["CPUExecutionProvider"]
        )
    # onnxruntime raises exceptions of its own C++ kinds on damaged files.
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        raise ModelError(f"{who}: not a readable ONNX file ({reason})") from error


def _unzipped(result: Any) -> Any:
    """Probabilities that converters of scikit-learn give as a dict for each cell, as a table."""
    if isinstance(result, list) and result and all(isinstance(row, dict) for row in result):
        return np.array([list(row.values()) for row in result])
    return result
