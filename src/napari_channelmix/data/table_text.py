"""The text of a table file: which encoding, and which formats are none.

A table is UTF-8 (with or without a byte order mark), UTF-16 or UTF-32 with one, else Windows code
page 1252, which is said in a warning.
"""

from __future__ import annotations

import codecs
import re
import zlib
from pathlib import Path

from napari_channelmix.data.paths import read_bounded
from napari_channelmix.errors import DataError
from napari_channelmix.wording import quoted

__all__ = ["REMEDY", "text_of_table"]

REMEDY = "save the table as CSV (UTF-8)"
# How other formats begin.
OTHER_FORMATS = (
    (b"PK\x03\x04", "an Excel or OpenDocument workbook (or another zip file)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (or another Office file)"),
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "a Feather (Arrow) file"),
    (b"FEA1", "a Feather file"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy file"),
    (b"MATLAB 5.0", "a MATLAB file"),
    (b"BZh", "a compressed file (bzip2)"),
    (b"\xfd7zXZ", "a compressed file (xz)"),
    (b"\x28\xb5\x2f\xfd", "a compressed file (Zstandard)"),
    (b"\x89PNG", "an image (PNG)"),
    (b"\xff\xd8\xff", "an image (JPEG)"),
    (b"II*\0", "an image (TIFF)"),
    (b"MM\0*", "an image (TIFF)"),
    (b"%PDF", "a PDF"),
    (b"{\\rtf", "a text document (RTF)"),
)
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    # The mark of UTF-32 begins with that of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def text_of_table(path: Path, largest: int) -> tuple[str, tuple[str, ...]]:
    """The text of a file of at most ``largest`` bytes, and what there is to say of its encoding.

    Raises
    ------
    DataError
        One line: no such file, another format, or an encoding that is not known.
    """
    content = read_bounded(path, largest)
    if content.startswith(b"\x1f\x8b"):
        content = _uncompressed(path, content, largest)
    kind = next((kind for start, kind in OTHER_FORMATS if content.startswith(start)), None)
    if kind:
        raise DataError(f"{path}: is {kind}, which is not read as a table; {REMEDY}")
    mark, encoding = next(((m, e) for m, e in MARKS if content.startswith(m)), (b"", "utf-8"))
    warnings: list[str] = []
    try:
        text = content[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        if mark:
            raise DataError(
                f"{path}: begins as {encoding.upper()} text, but byte {error.start:,} is none; "
                f"{REMEDY}"
            ) from None
        text = _of_windows(path, content, warnings)
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise DataError(
            f"{path}: line {line} holds NUL characters, so this cannot be read as a table; {REMEDY}"
        )
    if not text or text.isspace():
        raise DataError(f"{path}: is empty and cannot be read as a table")
    start = text[:200].lstrip().lower()
    if start.startswith(("<!doctype", "<html", "<?xml", "<table")):
        raise DataError(f"{path}: is HTML or XML, which is not read as a table; {REMEDY}")
    if path.suffix.lower() in (".json", ".jsonl", ".ndjson") or re.match(r'[\[{]\s*[{\["]', start):
        raise DataError(f"{path}: is JSON, which is not read as a table; {REMEDY}")
    return text, tuple(warnings)


def _uncompressed(path: Path, content: bytes, largest: int) -> bytes:
    """What gzip has packed, no more than a file may hold."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacker.decompress(content, largest + 1)
    except zlib.error as error:
        raise DataError(f"{path}: cannot be unpacked, is it truncated? ({error})") from None
    if len(unpacked) > largest:
        raise DataError(f"{path}: holds more than {largest:,} bytes when it is unpacked")
    if not unpacker.eof:
        raise DataError(f"{path}: cannot be unpacked, it is truncated")
    if unpacker.unused_data.strip(b"\0"):
        raise DataError(f"{path}: holds several packed files; unpack it and {REMEDY}")
    return unpacked


def _of_windows(path: Path, content: bytes, warnings: list[str]) -> str:
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}: line {line} is neither UTF-8 nor Windows code page 1252, so this cannot be "
            f"read as a table; {REMEDY}"
        ) from None
    strange = re.search(r"[^\x00-\x7f]", text)
    assert strange is not None
    begin = text.rfind("\n", 0, strange.start()) + 1
    word = re.search(r"\S*$", text[max(begin, strange.start() - 20) : strange.start()])
    rest = re.match(r"[^\s,;]*", text[strange.start() : strange.start() + 20])
    shown = (word[0] if word else "") + (rest[0] if rest else "")
    line = text.count("\n", 0, strange.start()) + 1
    warnings.append(
        f"{path}: is not UTF-8 and was read as Windows code page 1252 (line {line} then has "
        f"{quoted(re.split('[,;]', shown)[-1])}); if letters are wrong, {REMEDY}"
    )
    return text
