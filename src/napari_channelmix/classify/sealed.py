"""Sealed files: weights as safetensors, with a description in the header and a hash over both.

Nothing in such a file is code: weights are plain tensors, the rest is JSON. Pickles are refused
under whatever name they come.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from napari_channelmix.errors import BundleError
from napari_channelmix.files import write_bytes

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["read_sealed", "seal", "write_sealed"]


def write_sealed(
    path: str | Path, form: str, schema: int, about: str, weights: dict[str, Tensor]
) -> Path:
    """Write weights and their description (JSON text), whole or not at all.

    Raises
    ------
    SaveError
        Disk full and the like; a file that was there is intact.
    """
    metadata = {
        "format": form,
        "schema": str(schema),
        "about": about,
        "sha256": seal(about, weights, str(schema)),
    }
    return write_bytes(path, save(weights, metadata=metadata))


def seal(about: str, weights: dict[str, Tensor], schema: str) -> str:
    """SHA-256 over schema, description and every tensor: name, dtype, shape and bytes."""
    digest = hashlib.sha256(f"{schema} {about}".encode())
    for name in sorted(weights):
        value = weights[name].detach().cpu().contiguous()
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def read_sealed(
    path: str | Path, form: str, schema: int, what: str
) -> tuple[str, dict[str, Tensor]]:
    """Description and weights of a file.

    Parameters
    ----------
    path : path
    form : str
        What the file says it is, in its header.
    schema : int
        The newest schema that is understood.
    what : str
        What it is called in messages, such as ``bundle``.

    Raises
    ------
    BundleError
        File missing, truncated, altered, from a newer version, of another kind, or a pickle.
    """
    path = Path(path)
    metadata, weights = _read(path, what)
    if metadata.get("format") != form:
        raise BundleError(f"{path}: a safetensors file, but not a ChannelMix {what}")
    said = metadata.get("schema", "")
    if not said.isdecimal() or int(said) > schema:
        raise BundleError(
            f"{path}: made by a newer version ({what} schema {said or 'unknown'}, this version "
            f"reads up to {schema}); update napari-channelmix"
        )
    about = metadata.get("about", "")
    if seal(about, weights, said) != metadata.get("sha256"):
        raise BundleError(f"{path}: the {what} was altered after it was saved (its hash differs)")
    return about, weights


def _read(path: Path, what: str) -> tuple[dict[str, str], dict[str, Tensor]]:
    try:
        with path.open("rb") as file:
            head = file.read(9)
    except FileNotFoundError:
        raise BundleError(f"{path}: no such file") from None
    except OSError as error:
        raise BundleError(f"{path}: cannot be read ({error.strerror})") from error
    # A zip archive is how PyTorch writes its pickles; \x80 starts a bare one. It may also be the
    # length of a safetensors header, but behind the eight bytes of that stands the header's brace.
    if head[:2] == b"PK" or (head[:1] == b"\x80" and head[8:9] != b"{"):
        raise BundleError(
            f"{path}: this is a pickle (a PyTorch checkpoint), not a {what}; pickles can run "
            "anyone's code and are never loaded; export the model to ONNX instead"
        )
    try:
        with safe_open(path, framework="pt") as file:
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return file.metadata() or {}, weights
    except (SafetensorError, OSError, ValueError) as error:
        raise BundleError(f"{path}: truncated or no {what} at all ({error})") from error
