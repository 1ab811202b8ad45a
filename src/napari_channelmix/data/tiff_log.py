"""What tifffile logs while it reads: lost data are an error, whatever the logger's level."""

from __future__ import annotations

import logging
import re
import threading
from pathlib import Path
from typing import ClassVar

from napari_channelmix.errors import DataError

__all__ = ["TiffLog"]

# Records that speak of no pixel. All others of level WARNING and above are errors.
_HARMLESS = tuple(
    re.compile(pattern)
    for pattern in (
        # Texts and tables beside the pixels; the pixels are read without them.
        r"coercing invalid ASCII to bytes",
        r"imagej_metadata> raised",
        r"fluoview_metadata> raised",
        r"STK Datetime",
        r"(parsing GDAL_NODATA|GeoKeyDirectoryTag)",
        r"<get_resolution> raised",
        r"<(nuvu|andor|epics|ndpi)_tags> raised",
        r"eer_xml_metadata failed",
        r"<tifffile\.read_(utf8|json|uic_tag|tvips_header|micromanager_metadata)>",
        r"<tifffile\.read_(colormap|lsm_\w+)>",
        r"<tifffile\.(read_uic1tag|stk_description_metadata|scanimage_artist_metadata)>",
        r"<tifffile\.(imagej_metadata|olympus_ini_metadata)>",
        r"<tifffile\.astrotiff_description_metadata>",
        r"invalid self\.subfiletype",
        # The description is broken: the pages are then read as a plain stack, whose axes the
        # user must name. Our own reader of OME-XML warns.
        r"OME series raised ParseError",
        r"ImageJ series (metadata invalid or corrupted file|of unknown order)",
        r"shaped series axes do not match shape",
        r"(Indica|Philips) series raised",
        r"NDTiff\.index not found",
        # Only the smaller copies of a pyramid; the full resolution is read.
        r"OME series level \d+ is empty",
        # More strips are listed than the picture has; fewer are found by our own count.
        r"incorrect Strip(ByteCounts|Offsets) count",
        r"estimating ByteCounts for CCITT",
    )
)
# Tags that say where pixels lie and what they mean; damage to any other tag costs no pixel.
_STRUCTURE = {
    254,
    255,
    256,
    257,
    258,
    259,
    262,
    266,
    273,
    277,
    278,
    279,
    284,
    317,
    318,
    319,
    320,
    322,
    323,
    324,
    325,
    330,
    338,
    339,
    347,
    529,
    530,
    531,
    32997,
    32998,
}
_TAG = re.compile(r"(?:TiffTag |tag #)(\d+)")


class TiffLog:
    """While it is entered, collects what tifffile logs in this thread; raises it when left.

    Records of this thread go nowhere else: each is an error of ours, or harmless. What other
    threads log passes as if nothing were there.
    """

    _lock: ClassVar = threading.Lock()
    _open: ClassVar[dict[int, list[TiffLog]]] = {}
    _before: ClassVar[tuple[int, bool]] = (logging.NOTSET, False)

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lost: list[str] = []

    def __enter__(self) -> TiffLog:
        logger = logging.getLogger("tifffile")
        with TiffLog._lock:
            if not TiffLog._open:
                TiffLog._before = (logger.level, logger.disabled)
                logger.addFilter(_sort)
                # Somebody may have silenced the logger; the filter keeps it silent for them.
                if logger.getEffectiveLevel() > logging.WARNING:
                    logger.setLevel(logging.WARNING)
                logger.disabled = False
            TiffLog._open.setdefault(threading.get_ident(), []).append(self)
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        logger = logging.getLogger("tifffile")
        with TiffLog._lock:
            mine = TiffLog._open[threading.get_ident()]
            mine.remove(self)
            if not mine:
                del TiffLog._open[threading.get_ident()]
            if not TiffLog._open:
                logger.removeFilter(_sort)
                level, logger.disabled = TiffLog._before
                logger.setLevel(level)
        if self._lost and kind is None:
            raise DataError(
                f"{self._path}: cannot be read, is it truncated? pixels are missing "
                f"({_plain(self._lost[0])})"
            )

    def _take(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.levelno < logging.WARNING or any(pattern.search(text) for pattern in _HARMLESS):
            return
        tag = _TAG.search(text)
        if tag is None or int(tag[1]) in _STRUCTURE:
            self._lost.append(text)


def _sort(record: logging.LogRecord) -> bool:
    """Filter of the logger: give a record to the file that is read in its thread."""
    stack = TiffLog._open.get(threading.get_ident())
    if stack:
        stack[-1]._take(record)
        return False
    level, disabled = TiffLog._before
    usual = level or logging.getLogger().getEffectiveLevel()
    return not disabled and record.levelno >= usual


def _plain(text: str) -> str:
    """The message without tifffile's name of the object."""
    text = re.sub(r"^<?tifffile\.\w+[^>]*>\s*", "", " ".join(text.split()))
    return text if len(text) <= 160 else f"{text[:160]}..."
