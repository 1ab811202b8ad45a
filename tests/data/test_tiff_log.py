"""What tifffile logs becomes an error of the file that is read, in its own thread."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from napari_channelmix.data.tiff_log import TiffLog
from napari_channelmix.errors import DataError

LOGGER = logging.getLogger("tifffile")


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    level, disabled = LOGGER.level, LOGGER.disabled
    yield
    LOGGER.setLevel(level)
    LOGGER.disabled = disabled


def read(name: str, message: str | None, meet: Barrier | None = None) -> str | None:
    try:
        with TiffLog(Path(name)):
            if meet:
                meet.wait()
            if message:
                LOGGER.warning(message)
            if meet:
                meet.wait()
    except DataError as error:
        return str(error)
    return None


@pytest.mark.parametrize("silenced", ["not", "level", "disabled"])
def test_lost_data_are_an_error_even_where_the_logger_is_silenced(silenced: str) -> None:
    if silenced == "level":
        LOGGER.setLevel(60)
    LOGGER.disabled = silenced == "disabled"
    message = read("a.tif", "<tifffile.TiffFile 'a.tif'> OME series is missing 2 frames.")
    assert message is not None
    assert message.startswith("a.tif: cannot be read, is it truncated? pixels are missing")
    assert "missing 2 frames" in message
    assert (LOGGER.level == 60, LOGGER.disabled) == (silenced == "level", silenced == "disabled")
    assert not LOGGER.filters


def test_a_record_goes_to_the_file_of_its_own_thread() -> None:
    meet = Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        bad = pool.submit(read, "bad.tif", "invalid page offset 7", meet)
        good = pool.submit(read, "good.tif", None, meet)
        assert "bad.tif" in str(bad.result())
        assert good.result() is None


def test_what_others_log_meanwhile_passes_as_before(caplog: pytest.LogCaptureFixture) -> None:
    with ThreadPoolExecutor(1) as pool, TiffLog(Path("a.tif")):
        pool.submit(LOGGER.warning, "from elsewhere").result()
    assert [record.message for record in caplog.records] == ["from elsewhere"]


def test_a_silenced_logger_stays_silent_for_others(caplog: pytest.LogCaptureFixture) -> None:
    LOGGER.setLevel(60)
    with ThreadPoolExecutor(1) as pool, TiffLog(Path("a.tif")):
        pool.submit(LOGGER.warning, "from elsewhere").result()
    assert not caplog.records


@pytest.mark.parametrize(
    "harmless",
    [
        "<tifffile.TiffTag 306 @8> coercing invalid ASCII to bytes, due to ...",
        "<tifffile.TiffTag 305 @8> raised ValueError",
        "<tifffile.TiffPage 0 @8> parsing GDAL_NODATA tag raised ValueError",
        "<tifffile.imagej_metadata> raised ValueError",
    ],
)
def test_damage_beside_the_pixels_is_no_error(harmless: str) -> None:
    assert read("a.tif", harmless) is None


def test_damage_to_a_tag_that_places_pixels_is_an_error() -> None:
    assert "pixels are missing" in str(read("a.tif", "<tifffile.TiffTag 273 @8> raised X"))


def test_an_error_of_the_reader_itself_is_not_hidden() -> None:
    with pytest.raises(KeyError), TiffLog(Path("a.tif")):
        LOGGER.error("invalid page offset 7")
        raise KeyError("x")
