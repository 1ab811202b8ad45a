"""Models in files, and functions by name: what a file is, and how to ask what is in it."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import importlib.util
import os
import pickletools
import re
import sys
import types
import warnings
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from napari_channelmix.classify.callables import (
    Estimator,
    cast_to,
    in_pieces,
    input_dtype,
    refuse_no_model,
    refuse_size,
)
from napari_channelmix.errors import BundleError, ModelError

__all__ = ["file_kind", "function_name", "is_there", "open_file", "open_function", "refuse_weights"]

FloatArray = npt.NDArray[np.float32]
Predict = Callable[[FloatArray], Any]

TORCHSCRIPT = (".pt", ".ts", ".torchscript")
EXPORTED = (".pt2",)
# What a pickle of weights is made of; anything else is an object of somebody's class.
OF_WEIGHTS = ("torch", "collections", "numpy", "builtins", "_codecs")
OF_KERAS = (".keras", ".h5", ".hdf5", ".pb", ".tflite")
# Bytes of a pickle that are looked at.
LOOKED_AT = 2**22

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


def function_name(text: str) -> tuple[str, str] | None:
    """The module (or Python file) and the name in ``"module:name"``; None for anything else."""
    match = re.fullmatch(r"([\w.]+|.*\.py):(\w+)", text, re.DOTALL)
    return None if match is None or is_there(Path(text)) else (match[1], match[2])


def is_there(path: Path) -> bool:
    """Whether there is such a file; one whose name cannot be is not there."""
    try:
        return path.exists()
    # Names that are too long, or hold what no name may.
    except (OSError, ValueError):
        return False


def file_kind(path: Path) -> str:
    """What a model file is, by what is in it: onnx, torchscript, export, or bundle for the rest."""
    suffix = path.suffix.lower()
    if suffix == ".onnx":
        return "onnx"
    inside = _members(path)
    if any(name.split("/")[-1] == "constants.pkl" or "/code/" in name for name in inside):
        return "torchscript"
    if any(name.endswith(("archive_format", "exported_program.json")) for name in inside):
        return "export"
    if suffix in TORCHSCRIPT:
        return "torchscript"
    return "export" if suffix in EXPORTED else "bundle"


def refuse_weights(path: Path) -> None:
    """Refuse a pickle, and say whether it is weights alone; it is never loaded.

    Raises
    ------
    BundleError, ModelError
    """
    if path.suffix.lower() in OF_KERAS:
        raise ModelError(
            f"{path}: a model of Keras or TensorFlow; export it to ONNX, or name a function that "
            "asks it (module:name)"
        )
    what = _pickled(path)
    if what:
        kind = "TorchScript file: it" if path.suffix.lower() in TORCHSCRIPT else "model file: it"
        raise BundleError(
            f"{path}: not a readable {kind} is a pickle ({what}); pickles can run anyone's code "
            "and are never loaded; export the model to ONNX, or to TorchScript, instead"
        )


def _members(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return []


def _pickled(path: Path) -> str:
    """What a PyTorch pickle holds, from its opcodes; empty where the file is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            inside = [name for name in names if name.split("/")[-1] == "data.pkl"]
            if not inside or any("/code/" in name for name in names):
                return ""
            with archive.open(inside[0]) as file:
                return _made_of(file.read(LOOKED_AT))
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError):
        pass
    try:
        with path.open("rb") as file:
            head = file.read(LOOKED_AT)
    except OSError:
        return ""
    # Behind \x80 stands the protocol; the header of a safetensors file has a brace there.
    if head[:1] == b"\x80" and head[8:9] != b"{":
        return _made_of(head)
    return ""


def _made_of(content: bytes) -> str:
    """A state dict, or an object of some class, by the names that a pickle asks for."""
    modules, texts, start = set(), [""], 0
    # The old format is several pickles in a row.
    for _ in range(6):
        try:
            for code, argument, place in pickletools.genops(content[start:]):
                if code.name == "GLOBAL":
                    modules.add(str(argument).split(" ")[0].split(".")[0])
                elif code.name == "STACK_GLOBAL":
                    modules.add(texts[-2].split(".")[0] if len(texts) > 1 else "")
                elif isinstance(argument, str):
                    texts.append(argument)
                end = (place or 0) + 1
            start += end
        # A piece that was cut off, or no pickle any more.
        except Exception:
            break
        if start >= len(content):
            break
    if modules <= set(OF_WEIGHTS) and "torch" in modules:
        return "a state dict or checkpoint of PyTorch: weights without a network"
    return "a PyTorch checkpoint or another object"


def open_file(path: Path, kind: str, channels: int) -> Predict:
    """How to ask the model in a file; what it states of its input is held against the channels.

    Raises
    ------
    ModelError
        A file that cannot be read, or a model that takes something else than such crops.
    """
    if kind == "onnx":
        return _onnx(path, channels)
    return _torch_file(path, channels, exported=kind == "export")


def _onnx(path: Path, channels: int) -> Predict:
    try:
        import onnxruntime
    except ImportError:
        raise ModelError(
            f"{path}: ONNX files need onnxruntime; "
            "install it with: pip install 'napari-channelmix[onnx]'"
        ) from None
    options = onnxruntime.SessionOptions()
    # Its warnings go to the terminal past Python; errors are raised all the same.
    options.log_severity_level = 4
    # A worker among others is told so.
    if os.environ.get("OMP_NUM_THREADS", "").isdecimal():
        options.intra_op_num_threads = int(os.environ["OMP_NUM_THREADS"])
    try:
        session = onnxruntime.InferenceSession(
            path, sess_options=options, providers=["CPUExecutionProvider"]
        )
    # onnxruntime raises exceptions of its own C++ kinds on damaged files.
    except Exception as error:
        raise ModelError(f"{path}: not a readable ONNX file ({str(error)[:300]})") from error
    inputs, outputs = session.get_inputs(), [node.name for node in session.get_outputs()]
    if len(inputs) != 1:
        names = ", ".join(node.name for node in inputs)
        raise ModelError(
            f"{path} takes {len(inputs)} inputs ({names[:200]}), not crops alone; export a model "
            "that takes crops (N, C, H, W)"
        )
    name, shape, dtype = inputs[0].name, inputs[0].shape, ONNX_TYPES.get(inputs[0].type)
    if dtype is None:
        raise ModelError(f"{path} takes {inputs[0].type}, not a tensor of numbers")
    _refuse_channels(path, shape, channels)

    def predict(crops: FloatArray) -> Any:
        refuse_size(crops.shape, shape, str(path))
        results = session.run(None, {name: cast_to(crops, dtype, str(path))})
        if len(results) == 1:
            return _unzipped(results[0])
        return {key: _unzipped(result) for key, result in zip(outputs, results, strict=True)}

    return in_pieces(predict, shape[0]) if isinstance(shape[0], int) else predict


def _unzipped(result: Any) -> Any:
    """Probabilities that converters of scikit-learn give as a dict for each cell, as a table."""
    if isinstance(result, list) and result and all(isinstance(row, dict) for row in result):
        return np.array([list(row.values()) for row in result])
    return result


def _refuse_channels(path: Path, shape: Sequence[Any], channels: int) -> None:
    """What can be said of the shape before there are crops."""
    refuse_size((None, channels, None, None), shape, str(path))


def _torch_file(path: Path, channels: int, *, exported: bool) -> Predict:
    module: Any
    shape: tuple[Any, ...] | None = None
    dtype = torch.float32
    try:
        with warnings.catch_warnings():
            # PyTorch asks authors to move to torch.export; the user's file is as it is.
            warnings.simplefilter("ignore")
            if exported:
                # PyTorch itself would write a traceback to the terminal.
                if not zipfile.is_zipfile(path):
                    raise ValueError("it is no zip archive, so it is cut off or something else")
                program = torch.export.load(path)
                module = program.module()
                shape, dtype = _stated(program)
            else:
                module = torch.jit.load(path, map_location="cpu").eval()
                dtype = input_dtype(module)
    # Damaged files raise anything from RuntimeError to KeyError.
    except Exception as error:
        kind = "torch.export" if exported else "TorchScript"
        reason = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
        raise ModelError(f"{path}: not a readable {kind} file ({reason})") from error
    if shape is not None:
        _refuse_channels(path, shape, channels)

    def predict(crops: FloatArray) -> Any:
        if shape is not None:
            refuse_size(crops.shape, shape, str(path))
        batch = torch.from_numpy(np.ascontiguousarray(crops))
        if not dtype.is_floating_point:
            kind = torch.empty(0, dtype=dtype).numpy().dtype
            batch = torch.from_numpy(cast_to(crops, kind, str(path)))
        with torch.inference_mode():
            return module(batch.to(dtype))

    fixed = shape[0] if shape else None
    return in_pieces(predict, fixed) if isinstance(fixed, int) else predict


def _stated(program: Any) -> tuple[tuple[Any, ...] | None, torch.dtype]:
    """Shape and dtype of the only input of an exported program; sizes that are free are None."""
    names = set(program.graph_signature.user_inputs)
    values = [
        node.meta["val"]
        for node in program.graph.nodes
        if node.op == "placeholder" and node.name in names
    ]
    if len(values) != 1 or not isinstance(values[0], torch.Tensor):
        raise ValueError(f"it takes {len(values)} inputs, not crops alone")
    shape = tuple(size if isinstance(size, int) else None for size in values[0].shape)
    return shape, values[0].dtype


def open_function(
    name: tuple[str, str], text: str, folder: Path | None = None
) -> tuple[Predict, Estimator | None]:
    """Import a function, network or estimator by its name; the code of its module runs.

    Modules are also looked for in the folder, by default the current one; files lie in it.

    Raises
    ------
    ModelError
        What cannot be imported, or is no model.
    """
    module_name, attribute = name
    folder = folder or Path.cwd()
    try:
        module = (
            _from_file(folder / module_name)
            if module_name.endswith(".py")
            else _imported(module_name, folder)
        )
        model = getattr(module, attribute)
    # Importing runs a stranger's code, which may raise anything.
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"[:300]
        raise ModelError(f"{text}: cannot be imported ({reason})") from error
    if isinstance(model, torch.nn.Module):
        return _network(model), None
    try:
        refuse_no_model(model)
    except ModelError as error:
        what = str(error) if isinstance(model, (type, dict)) else "is not a function"
        raise ModelError(f"{text}: {what}") from error
    if Estimator.fits(model):
        estimator = Estimator(model)
        return estimator, estimator
    return model, None


def _network(module: torch.nn.Module) -> Predict:
    module.eval()
    dtype = input_dtype(module)

    def predict(crops: FloatArray) -> Any:
        place = next((parameter.device for parameter in module.parameters()), torch.device("cpu"))
        with torch.inference_mode():
            return module(torch.from_numpy(crops).to(place, dtype))

    return predict


def _imported(name: str, place: Path) -> types.ModuleType:
    with _also_in(place):
        return importlib.import_module(name)


@contextlib.contextmanager
def _also_in(place: Path) -> Iterator[None]:
    """A folder among the places of modules, as ``python -m`` has the current one."""
    folder = str(place)
    # An empty entry stands for the current folder.
    added = folder not in sys.path and not ("" in sys.path and place == Path.cwd())
    if added:
        sys.path.append(folder)
    try:
        yield
    finally:
        if added and folder in sys.path:
            sys.path.remove(folder)


def _from_file(path: Path) -> types.ModuleType:
    # By its whole path: two files of one name must not stand for each other.
    digest = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:12]
    spec = importlib.util.spec_from_file_location(f"_channelmix_{path.stem}_{digest}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[spec.name]
        raise
    return module
