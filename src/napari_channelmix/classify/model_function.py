"""What answers to crops inside a wrapped model: a torch module, an ONNX session, a function."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import inspect
import io
import pickle
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from napari_channelmix.classify.callables import (
    Estimator,
    cast_to,
    in_pieces,
    input_dtype,
    refuse_size,
)
from napari_channelmix.classify.function_digest import function_digest
from napari_channelmix.errors import ModelError

__all__ = ["ModelFunction", "ModuleFunction", "PlainFunction", "in_evaluation_mode", "resized"]

FloatArray = npt.NDArray[np.float32]
# Height and width of crops; None where any will do.
Size = tuple[int | None, int | None]


class ModelFunction:
    """What a wrapped model gives for normalised crops (n, C, H, W) float32.

    Attributes
    ----------
    kind : str
        ``module``, ``torchscript``, ``export``, ``onnx``, ``estimator`` or ``function``.
    module : torch.nn.Module or None
        Gives the same, and can be asked for gradients.
    alone : bool
        Whether the module takes one crop at once and no more.
    size : (int or None, int or None)
        Height and width of the crops, where the model itself states them.
    estimator : Estimator or None
        Where it is one.
    """

    kind: str = "function"
    module: nn.Module | None = None
    alone: bool = False
    size: Size = (None, None)
    estimator: Estimator | None = None

    def __call__(self, crops: FloatArray) -> Any:
        """Whatever the model gives."""
        raise NotImplementedError

    @property
    def inner(self) -> ModelFunction:
        """What is asked in the end: of a file or a name, what is in it."""
        return self

    def digest(self) -> str:
        """SHA-256 of what decides its answers; empty where that cannot be known."""
        return ""

    def onnx_bytes(self) -> bytes | None:
        """The bytes of an ONNX file with the same model; None where it is none."""
        return None


class PlainFunction(ModelFunction):
    """A function or estimator that was handed over.

    Parameters
    ----------
    function : callable
        Takes crops (n, C, H, W).
    kind : {"function", "estimator"}
    subject : object, optional
        The estimator, for its hash: what a function refers to cannot be known.
    """

    def __init__(
        self, function: Callable[[FloatArray], Any], kind: str = "function", subject: Any = None
    ) -> None:
        self.kind, self._function, self._subject = kind, function, subject
        self.estimator = function if isinstance(function, Estimator) else None

    def __call__(self, crops: FloatArray) -> Any:
        """What the function gives."""
        return self._function(crops)

    def digest(self) -> str:
        """SHA-256 of an estimator as it is pickled, which is not kept, or of a plain function.

        Empty where what decides the answers is not known; see `function_digest`.
        """
        if self._subject is None:
            return function_digest(self._function)
        try:
            return hashlib.sha256(pickle.dumps(self._subject, protocol=4)).hexdigest()
        # Estimators may hold anything, such as a function without a name.
        except Exception:
            return ""


class ModuleFunction(ModelFunction):
    """A torch module: one that runs in Python, TorchScript, or an exported program.

    It is asked in evaluation mode, and is afterwards in the mode it was in.

    Parameters
    ----------
    module : torch.nn.Module or torch.export.ExportedProgram
    who : str
        What messages call it.
    """

    def __init__(self, module: Any, who: str) -> None:
        self._program: Any = None
        self._shape: tuple[Any, ...] | None = None
        self.who = who
        if isinstance(module, torch.export.ExportedProgram):
            self.kind, self._program = "export", module
            self._shape, self._dtype = stated_input(module)
            self.network: nn.Module = _OneMode(module.module())
            self.size = _free(self._shape[2]), _free(self._shape[3])
        else:
            self.kind = "torchscript" if isinstance(module, torch.jit.ScriptModule) else "module"
            self.network = module if _is_switchable(module) else _OneMode(module)
            self._dtype = input_dtype(self.network)
        batch = None if self._shape is None else self._shape[0]
        self.alone = batch == 1
        self._ask = in_pieces(self._once, batch) if isinstance(batch, int) else self._once
        # Whole numbers have no gradient; neither is there one in pieces of some other size.
        if self._dtype.is_floating_point and (batch is None or self.alone):
            self.module = self.network

    def __call__(self, crops: FloatArray) -> Any:
        """What the module gives, a tensor or several, on its device."""
        if self._shape is not None:
            refuse_size(crops.shape, self._shape, self.who)
        return self._ask(crops)

    def refuse_channels(self, channels: int) -> None:
        """Refuse another number of channels than it states, before there are crops.

        Raises
        ------
        ModelError
        """
        if self._shape is not None:
            refuse_size((None, channels, None, None), self._shape, self.who)

    def _once(self, crops: FloatArray) -> Any:
        batch = torch.from_numpy(np.ascontiguousarray(crops))
        if not self._dtype.is_floating_point:
            kind = torch.empty(0, dtype=self._dtype).numpy().dtype
            batch = torch.from_numpy(cast_to(crops, kind, self.who))
        with in_evaluation_mode(self.network), torch.inference_mode():
            return self.network(batch.to(device_of(self.network), self._dtype))

    def digest(self) -> str:
        """SHA-256 of its weights, and of its code as far as it is known."""
        if self.kind == "module":
            digest = hashlib.sha256(f"{type(self.network).__qualname__} {self.network}".encode())
            digest.update(_code_of(self.network).encode())
            _take_tensors(digest, self.network.state_dict())
            return digest.hexdigest()
        if self.kind == "export":
            # As it is written down, it has notes on how it came about.
            graph = f"{self._program.graph_module.code}{self._program.graph_signature}"
            digest = hashlib.sha256(graph.encode())
            _take_tensors(digest, {**self._program.state_dict, **self._program.constants})
            return digest.hexdigest()
        return _archive_digest(self._saved())

    def _saved(self) -> bytes:
        buffer = io.BytesIO()
        with warnings.catch_warnings():
            # PyTorch asks authors to move on; the model is as it is.
            warnings.simplefilter("ignore")
            if self.kind == "export":
                torch.export.save(self._program, buffer)
            else:
                torch.jit.save(self.network, buffer)
        return buffer.getvalue()

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = {"kind": self.kind, "who": self.who}
        if self.kind != "module":
            return {**state, "saved": self._saved()}
        network = self.network
        if device_of(network).type != "cpu":
            # Another process may have no such device.
            network = copy.deepcopy(network).cpu()
        return {**state, "network": network}

    def __setstate__(self, state: dict[str, Any]) -> None:
        module = state.get("network")
        if module is None:
            buffer = io.BytesIO(state["saved"])
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                module = (
                    torch.export.load(buffer)
                    if state["kind"] == "export"
                    else torch.jit.load(buffer, map_location="cpu")
                )
        self.__init__(module, state["who"])  # type: ignore[misc]


class _OneMode(nn.Module):
    """A module that refuses to be switched between training and evaluation, as exported ones."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner
        for module in self.modules():
            module.training = False

    def train(self, mode: bool = True) -> _OneMode:
        """Change nothing but what is said of it."""
        self.training = mode
        return self

    def forward(self, x: Tensor) -> Any:
        return self.inner(x)


def _is_switchable(module: nn.Module) -> bool:
    """Whether a module can be put into evaluation mode; it stays in its own."""
    if not isinstance(module, torch.fx.GraphModule):
        return True
    try:
        with in_evaluation_mode(module):
            return True
    except NotImplementedError:
        return False


@contextlib.contextmanager
def in_evaluation_mode(module: nn.Module) -> Iterator[None]:
    """In evaluation mode for a while; each of its parts is in its own mode afterwards."""
    # Frozen TorchScript modules have no mode.
    modes = {part: getattr(part, "training", False) for part in module.modules()}
    if not any(modes.values()):
        yield
        return
    module.eval()
    try:
        yield
    finally:
        for part, mode in modes.items():
            part.training = mode


def device_of(module: nn.Module) -> torch.device:
    """Where the weights of a module are; the CPU where it has none."""
    for tensor in (*module.parameters(), *module.buffers()):
        return tensor.device
    return torch.device("cpu")


def stated_input(program: Any) -> tuple[tuple[Any, ...], torch.dtype]:
    """Shape and dtype of the only input of an exported program; sizes that are free are None.

    Raises
    ------
    ValueError
        Several inputs, or one that is no tensor.
    """
    names = set(program.graph_signature.user_inputs)
    values = [
        node.meta["val"]
        for node in program.graph.nodes
        if node.op == "placeholder" and node.name in names
    ]
    if len(values) != 1 or not isinstance(values[0], Tensor):
        raise ValueError(f"it takes {len(values)} inputs, not crops alone")
    shape = tuple(size if isinstance(size, int) else None for size in values[0].shape)
    return shape, values[0].dtype


def resized(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Images (N, C, H, W) with another height and width, bilinear, smoothed before they shrink."""
    if tuple(x.shape[2:]) == size:
        return x
    images: Tensor = nn.functional.interpolate(
        x.float(), size=size, mode="bilinear", align_corners=False, antialias=True
    )
    return images.to(x.dtype)


class Resized(nn.Module):
    """A module behind a change of size of its images."""

    def __init__(self, inner: nn.Module, size: tuple[int, int]) -> None:
        super().__init__()
        self.inner, self.size = inner, size
        # Whoever wraps a module does not change its mode.
        self.training = getattr(inner, "training", False)

    def forward(self, x: Tensor) -> Any:
        return self.inner(resized(x, self.size))


def _free(size: Any) -> int | None:
    return size if isinstance(size, int) and size > 0 else None


def _code_of(network: nn.Module) -> str:
    """What the layers of a network do beside their weights: their code, and plain attributes.

    The code of PyTorch's own layers is known by their names; that of classes that were typed in is
    not known everywhere.
    """
    lines = []
    for name, layer in network.named_modules():
        facts = {
            key: value
            for key, value in vars(layer).items()
            if not key.startswith("_") and key != "training" and _is_plain(value)
        }
        lines.append(f"{name} {sorted(facts.items())}")
    kinds = {type(layer) for layer in network.modules()}
    for kind in sorted(kinds, key=lambda kind: kind.__qualname__):
        if not kind.__module__.startswith("torch."):
            with contextlib.suppress(OSError, TypeError):
                lines.append(inspect.getsource(kind))
    return "\n".join(lines)


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple | list):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, bool | int | float | str)


def _take_tensors(digest: Any, tensors: Mapping[str, Any]) -> None:
    """Let a hash see names, dtypes, shapes and bytes of tensors."""
    for name, value in sorted(tensors.items()):
        if isinstance(value, Tensor):
            plain = value.detach().cpu().contiguous()
            digest.update(f"{name} {plain.dtype} {tuple(plain.shape)}".encode())
            digest.update(plain.reshape(-1).view(torch.uint8).numpy().tobytes())


def _archive_digest(content: bytes) -> str:
    """SHA-256 of what a PyTorch archive holds; not of the notes for debugging, which name paths."""
    digest = hashlib.sha256()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in sorted(archive.namelist()):
                inside = name.partition("/")[2]
                if inside.endswith(".debug_pkl") or inside.startswith((".data/", "traced_inputs")):
                    continue
                digest.update(f"{inside} {archive.getinfo(name).file_size}".encode())
                digest.update(archive.read(name))
    except zipfile.BadZipFile as error:
        raise ModelError(f"the model cannot be written down ({error})") from error
    return digest.hexdigest()
