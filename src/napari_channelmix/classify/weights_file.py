"""Sealed files: weights as safetensors, with a description in the header and a hash over both.

Nothing in such a file is code: weights are plain tensors, the rest is JSON. Pickles are refused
under whatever name they come.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import torch
from pydantic import BaseModel
from safetensors import safe_open
from safetensors.torch import save

from napari_channelmix.atomic_write import write_bytes
from napari_channelmix.errors import BundleError
from napari_channelmix.stored_files import MIB, parsed_json, regular_file, validated
from napari_channelmix.wording import path_shown, quoted, shown_error

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["described", "read_sealed", "refuse_other_tensors", "seal", "write_sealed"]

# Bytes of a file, and of its description.
LARGEST = 8192 * MIB
LONGEST = 64 * MIB

Model = TypeVar("Model", bound=BaseModel)


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
    path = regular_file(path, most=LARGEST, error=BundleError, name=f"the {what}")
    metadata, weights = _read(path, what)
    if metadata.get("format") != form:
        raise BundleError(f"{path}: a safetensors file, but not a ChannelMix {what}")
    version = metadata.get("schema", "")
    if (
        not (version.isascii() and version.isdecimal() and len(version) < 10)
        or int(version) > schema
    ):
        raise BundleError(
            f"{path}: made by a newer version ({what} schema {version[:20] or 'unknown'}, this "
            f"version reads up to {schema}); update napari-channelmix"
        )
    about = metadata.get("about", "")
    if seal(about, weights, version) != metadata.get("sha256"):
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
    # Of tensors of a kind that this PyTorch does not know, it raises anything.
    except Exception as error:
        raise BundleError(
            f"{path}: truncated or no {what} at all ({shown_error(error)})"
        ) from error


def described(about: str, model: type[Model], *, path: str | Path) -> Model:
    """The description of a sealed file, as a schema has it.

    Raises
    ------
    BundleError
        No JSON, nested too deep, or with values that do not fit.
    """
    where = f"{path_shown(path)}: does not describe its network"
    if len(about) > LONGEST:
        raise BundleError(f"{where} (its description has more than {LONGEST // MIB} MiB)")
    try:
        content = parsed_json(about)
    except ValueError as error:
        raise BundleError(f"{where} ({shown_error(error)})") from error
    return validated(content, model, where=where, error=BundleError)


def refuse_other_tensors(
    weights: Mapping[str, Tensor], needed: Mapping[str, Tensor], *, path: str | Path, what: str
) -> None:
    """Refuse weights that are not those a network needs: other names, shapes, dtypes, no numbers.

    Parameters
    ----------
    weights : dict of str to Tensor
        From the file; floating point numbers may be of half precision where ``needed`` are.
    needed : dict of str to Tensor
        Of the network, which may lie on PyTorch's ``meta`` device: their values do not count.

    Raises
    ------
    BundleError
        Names the first tensor that differs.
    """
    for name, want in needed.items():
        have = weights.get(name)
        if have is None:
            wrong = f"there is no tensor {quoted(name)}, which it needs"
        elif have.shape != want.shape:
            wrong = (
                f"tensor {quoted(name)} has the shape {tuple(have.shape)}, it needs "
                f"{tuple(want.shape)}"
            )
        elif have.dtype != want.dtype:
            wrong = f"tensor {quoted(name)} is of type {have.dtype}, it needs {want.dtype}"
        elif have.is_floating_point() and not bool(torch.isfinite(have).all()):
            raise BundleError(
                f"{path_shown(path)}: tensor {quoted(name)} has NaN or infinite values; make the "
                f"{what} anew"
            )
        else:
            continue
        raise BundleError(f"{path_shown(path)}: does not describe its network ({wrong})")
    more = next((name for name in weights if name not in needed), None)
    if more is not None:
        raise BundleError(
            f"{path_shown(path)}: does not describe its network (there is a tensor "
            f"{quoted(more)}, which it does not know)"
        )
