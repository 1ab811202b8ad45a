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
from collections.abc import Iterator
from pathlib import Path

import torch

from napari_channelmix.classify.model_function import ModelFunction, ModuleFunction
from napari_channelmix.classify.model_kinds import function_of, is_factory
from napari_channelmix.classify.onnx_function import OnnxFunction
from napari_channelmix.classify.predictor import Predictor
from napari_channelmix.errors import BundleError, ModelError

__all__ = ["file_kind", "function_name", "is_there", "open_file", "open_function", "refuse_weights"]

TORCHSCRIPT = (".pt", ".ts", ".torchscript")
EXPORTED = (".pt2",)
# What a pickle of weights is made of; anything else is an object of somebody's class.
OF_WEIGHTS = ("torch", "collections", "numpy", "builtins", "_codecs")
OF_PICKLES = (".pkl", ".pickle", ".joblib")
OF_KERAS = (".keras", ".h5", ".hdf5", ".pb", ".tflite")
# Bytes of a pickle that are looked at.
LOOKED_AT = 2**22


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
    if not what and path.suffix.lower() in OF_PICKLES:
        raise BundleError(
            f"{path}: a pickle by its name; pickles can run anyone's code and are never loaded; "
            "where you trust its maker, load it in a Python file of your own, wrap it there "
            "(napari_channelmix.wrap), and name that: file.py:name"
        )
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


def open_file(path: Path, kind: str, channels: int) -> ModelFunction:
    """How to ask the model in a file; what it states of its input is held against the channels.

    Raises
    ------
    ModelError
        A file that cannot be read, or a model that takes something else than such crops.
    """
    if kind == "onnx":
        return OnnxFunction(path, channels, str(path))
    return _torch_file(path, channels, exported=kind == "export")


def _torch_file(path: Path, channels: int, *, exported: bool) -> ModelFunction:
    try:
        with warnings.catch_warnings():
            # PyTorch asks authors to move to torch.export; the user's file is as it is.
            warnings.simplefilter("ignore")
            if exported:
                # PyTorch itself would write a traceback to the terminal.
                if not zipfile.is_zipfile(path):
                    raise ValueError("it is no zip archive, so it is cut off or something else")
                function = ModuleFunction(torch.export.load(path), str(path))
            else:
                function = ModuleFunction(
                    torch.jit.load(path, map_location="cpu").eval(), str(path)
                )
    # Damaged files raise anything from RuntimeError to KeyError.
    except Exception as error:
        kind = "torch.export" if exported else "TorchScript"
        reason = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
        raise ModelError(f"{path}: not a readable {kind} file ({reason})") from error
    function.refuse_channels(channels)
    return function


def open_function(
    name: tuple[str, str], text: str, channels: int = 0, folder: Path | None = None
) -> ModelFunction | Predictor:
    """Import a model by its name; the code of its module runs.

    Modules are also looked for in the folder, by default the current one; files lie in it.

    Returns
    -------
    ModelFunction or Predictor
        A predictor where the name is one, or a function without parameters that returns one.

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
        made = is_factory(model)
        if made:
            model = model()
    except ModelError as error:
        raise ModelError(f"{text}: {error}") from error
    # Importing runs a stranger's code, which may raise anything.
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise ModelError(f"{text}: cannot be imported ({reason})") from error
    if isinstance(model, Predictor):
        return model
    if made:
        raise ModelError(
            f"{text}: a function without parameters must return a classifier, as wrap makes it, "
            f"and this one returned {type(model).__name__}; let it return napari_channelmix.wrap"
            "(...), or take crops (n, C, H, W)"
        )
    try:
        return function_of(model, channels, text)
    except ModelError as error:
        if str(error).startswith(text):
            raise
        what = str(error) if isinstance(model, (type, dict)) else "is not a function"
        raise ModelError(f"{text}: {what}") from error


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
