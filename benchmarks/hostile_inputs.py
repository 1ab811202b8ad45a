"""Seeded malformed inputs: bytes, texts and JSON trees that are changed at random.

Nothing here knows the project; `hostile.py` feeds what is made here to it.
"""

from __future__ import annotations

import copy
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

__all__ = [
    "damaged_png",
    "damaged_zip",
    "hostile_text",
    "json_text",
    "mutated_bytes",
    "mutated_text",
    "mutated_tree",
    "replaced_file",
    "safetensors_with",
]

Rng = np.random.Generator

# What people, spreadsheets and attackers put where a number, a name or a path is expected.
VALUES: tuple[Any, ...] = (
    "",
    " ",
    "NA",
    "nan",
    "inf",
    "-inf",
    "1e308",
    "1e400",
    "-1",
    "0",
    "1",
    "2.5",
    "1,5",
    "1,000",
    "1.234,5",
    "0x10",
    "9" * 30,
    "9" * 5000,
    str(2**31),
    str(2**53 + 1),
    str(2**63),
    str(2**64),
    "true",
    "None",
    "null",
    "\x00",
    "a\x00b",
    "\ud800",
    "é" * 50,
    "\u202e",
    "💥",
    "a" * 300,
    "a" * 100_000,
    "../../../etc/passwd",
    "/dev/zero",
    "/dev/stdin",
    "/etc",
    ".",
    "..",
    "~",
    "C:\\images\\a.tif",
    "images\\a.tif",
    "fifo",
    "folder",
    "empty",
    "=1+1",
    "@x",
    "+x",
    "-x",
    "'",
    '"',
    "'''",
    "a;b",
    "a\tb",
    "a\nb",
    "a\r\nb",
    "{}",
    "[]",
    "[[",
    "YX",
    "XY",
    "CYX",
    "TZCYX",
    "segment",
    "mask",
    "point",
    "box",
    "tile",
    "image",
    "train",
    "test",
    "scores",
    "pcim",
    "tiny",
)
TREES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    1,
    -1,
    3,
    2.5,
    -0.0,
    1e308,
    2**31,
    2**63,
    2**64,
    -(2**63),
    10**30,
    [],
    {},
    [[]],
    [None],
    {"": None},
    [0] * 3,
    [1.5] * 1000,
    {"a": {"b": [1, {"c": None}]}},
)


def hostile_text(rng: Rng) -> str:
    """One of the hostile values, as text."""
    return str(VALUES[rng.integers(len(VALUES))])


def mutated_bytes(rng: Rng, content: bytes, head: int = 256) -> bytes:
    """Bytes with one change, now and then up to four: flipped, cut, repeated, taken out, put in.

    Half of the changes lie in the first ``head`` bytes, where formats keep what matters.
    """
    data = bytearray(content)
    for _ in range(min(rng.geometric(0.7), 4)):
        if not data:
            break
        limit = min(head, len(data)) if rng.random() < 0.5 else len(data)
        start = int(rng.integers(limit))
        length = int(min(1 + rng.geometric(0.2), len(data) - start))
        how = rng.integers(7)
        if how == 0:
            data[start] ^= 1 << int(rng.integers(8))
        elif how == 1:
            data[start : start + length] = rng.bytes(length)
        elif how == 2:
            data[start : start + length] = (b"\x00" if rng.random() < 0.5 else b"\xff") * length
        elif how == 3:
            del data[start : start + length]
        elif how == 4:
            data[start:start] = data[start : start + length] * int(rng.integers(1, 5))
        elif how == 5:
            number = int(rng.choice([0, 1, 2**15, 2**16 - 1, 2**31 - 1, 2**32 - 1]))
            data[start : start + 4] = struct.pack("<I" if rng.random() < 0.5 else ">I", number)
        else:
            del data[start:]
    return bytes(data)


def mutated_text(rng: Rng, text: str, marks: str = ",\n=\"[]{}:' ") -> str:
    """Text of which a part between ``marks`` is replaced, or lines moved about."""
    for _ in range(min(rng.geometric(0.7), 4)):
        how = rng.integers(6)
        lines = text.split("\n")
        line = int(rng.integers(len(lines)))
        if how == 0:
            del lines[line]
            text = "\n".join(lines)
        elif how == 1:
            lines.insert(int(rng.integers(len(lines) + 1)), lines[line])
            text = "\n".join(lines)
        elif how == 2 and text:
            # A single character.
            place = int(rng.integers(len(text)))
            new = chr(int(rng.choice([0, 9, 10, 34, 39, 44, 59, 61, 91, 92, 233, 0x2028])))
            text = text[:place] + new + text[place + int(rng.integers(2)) :]
        elif text:
            # What stands between two marks.
            place = int(rng.integers(len(text)))
            start = max((text.rfind(mark, 0, place) for mark in marks), default=-1) + 1
            ends = [end for mark in marks if (end := text.find(mark, place)) >= 0]
            text = text[:start] + hostile_text(rng) + text[min(ends, default=len(text)) :]
    return text


def mutated_tree(rng: Rng, tree: Any) -> Any:
    """A JSON value of which a part is taken out, replaced, doubled or nested."""
    tree = copy.deepcopy(tree)
    for _ in range(min(rng.geometric(0.7), 4)):
        holder, key = _any_place(rng, tree)
        if holder is None:
            return _any_tree(rng)
        how = rng.integers(5)
        if how == 0:
            del holder[key]
        elif how == 1 and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        elif how == 2:
            holder[key] = [holder[key]]
        elif how == 3:
            holder[key] = _nearly(rng, holder[key])
        else:
            holder[key] = _any_tree(rng)
    return tree


def _nearly(rng: Rng, value: Any) -> Any:
    """A value of the same type, so that what checks types alone lets it pass."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        choices = [value + 1, -value, value * 1000, value + 0.5, 0, 10**6]
        return choices[rng.integers(len(choices))]
    if isinstance(value, str):
        choices = [value[:-1], value + "x", value.upper(), f" {value} ", value[::-1]]
        return choices[rng.integers(len(choices))]
    if isinstance(value, list):
        choices = [value[:-1], value[::-1], value * 2, []]
        return choices[rng.integers(len(choices))]
    if isinstance(value, dict):
        keys = list(value)
        return {key: value[other] for key, other in zip(keys, rng.permutation(keys), strict=True)}
    return value


def _any_place(rng: Rng, tree: Any) -> tuple[Any, Any]:
    """A random container in a tree with one of its keys, outer ones as likely as inner ones."""
    places: list[tuple[Any, Any]] = []

    def walk(node: Any, depth: int) -> None:
        keys: Any = node if isinstance(node, dict) else range(len(node))
        for key in list(keys)[:50]:
            places.append((node, key))
            if isinstance(node[key], (dict, list)) and depth < 6:
                walk(node[key], depth + 1)

    if isinstance(tree, (dict, list)):
        walk(tree, 0)
    return places[rng.integers(len(places))] if places else (None, None)


def _any_tree(rng: Rng) -> Any:
    if rng.random() < 0.4:
        return copy.deepcopy(TREES[rng.integers(len(TREES))])
    return hostile_text(rng)


def json_text(rng: Rng, tree: Any) -> bytes:
    """A changed JSON tree as bytes, now and then with what JSON itself does not allow."""
    how = rng.random()
    if how < 0.1:
        deep = int(rng.choice([50, 1000, 100_000]))
        return b"[" * deep + b"]" * int(rng.choice([0, deep]))
    text = json.dumps(mutated_tree(rng, tree))
    if how < 0.2:
        text = mutated_text(rng, text)
    if how < 0.3:
        text = text.replace("1", str(rng.choice(["NaN", "Infinity", "1e999", "01"])), 1)
    return text.encode("utf-8", "surrogatepass")


def damaged_png(rng: Rng, content: bytes) -> bytes:
    """A PNG with changed chunks whose check sums are right, so that decoders believe them."""
    if rng.random() < 0.3:
        return mutated_bytes(rng, content, 64)
    chunks, place = [], 8
    while place + 8 <= len(content):
        (size,) = struct.unpack(">I", content[place : place + 4])
        chunks.append((content[place + 4 : place + 8], content[place + 8 : place + 8 + size]))
        place += 12 + size
    for _ in range(rng.integers(1, 3)):
        index = 0 if rng.random() < 0.5 else int(rng.integers(len(chunks)))
        name, data = chunks[index]
        how = rng.random()
        if how < 0.7:
            chunks[index] = (name, mutated_bytes(rng, data, 16))
        elif how < 0.85:
            del chunks[index]
        else:
            chunks.insert(int(rng.integers(len(chunks) + 1)), (name, data))
        if not chunks:
            break
    parts = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    ]
    return content[:8] + b"".join(parts)


def damaged_zip(rng: Rng, content: bytes) -> bytes:
    """An archive of which one member is changed, and packed again with right check sums."""
    if rng.random() < 0.4:
        return mutated_bytes(rng, content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = sorted(members)[rng.integers(len(members))]
    how = rng.random()
    if how < 0.15:
        del members[name]
    elif how < 0.5 and name.endswith((".py", ".json")):
        text = mutated_text(rng, members[name].decode("utf-8", "replace"))
        members[name] = text.encode("utf-8", "replace")
    else:
        members[name] = mutated_bytes(rng, members[name])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for key, data in members.items():
            archive.writestr(key, data)
    return packed.getvalue()


def safetensors_with(content: bytes, change: Callable[[dict[str, Any]], dict[str, Any]]) -> bytes:
    """A safetensors file with another header, whose stated length is right."""
    (size,) = struct.unpack("<Q", content[:8])
    header = change(json.loads(content[8 : 8 + size]))
    text = json.dumps(header).encode("utf-8", "replace")
    return struct.pack("<Q", len(text)) + text + content[8 + size :]


def replaced_file(rng: Rng, path: Path, change: Callable[[bytes], bytes]) -> None:
    """Change a file in place; now and then it is missing, empty, or a folder."""
    if not path.is_file():
        return
    how, content = rng.random(), path.read_bytes()
    path.unlink()
    if how < 0.04:
        return
    if how < 0.08:
        path.mkdir()
    elif how < 0.12:
        path.write_bytes(b"")
    else:
        path.write_bytes(change(content))
