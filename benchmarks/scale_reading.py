"""What random crops cost, against decoding the chunks that they touch once.

    python benchmarks/scale_reading.py [--small] [--only WORDS]

Files of 30 MiB, 300 MiB and 3 GiB, of 4 and 40 channels of 16 bits: TIFF in tiles and strips,
uncompressed, deflate, zstd and LZW, and OME-Zarr 0.4 and 0.5 (in shards). Cells are scattered over
the whole image, 8 in 512 x 512 pixels, or in clusters, where crops would cover the image once; the
table is in random order. A row is the time of `Cells.passes` over all crops of 64 pixels, divided
by that of a peer that does the least that can be done: tifffile or zarr decode each touched chunk
once, without cutting anything out; of pages that lie in the file as they are numpy copies the crops
out of a memory map, into batches of 32-bit floats. Both in turns, in the same process; the quickest
of each counts. Files are open and cached by the system for both.

The pixels of a file are a few tiles, repeated: it is written quickly, and decoded as any other.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from napari_channelmix.data import Cells
from napari_channelmix.data.decoded_chunks import decoded_chunks
from napari_channelmix.data.image_formats import open_image

Row = dict[str, Any]

SECTION_AIM = "random crops at most 1.3 x the time of decoding the chunks they touch once"
AIM = 1.3
CROP, TILE, STRIP = 64, 512, 32
MIB = 2**20
ROUNDS = 3
# Crops of a batch, as of `Cells.passes`.
BATCH = 256


@dataclass(frozen=True)
class Kind:
    """A kind of file."""

    name: str
    compression: str | None = None
    strips: bool = False
    zarr: str = ""


KINDS = (
    Kind("TIFF tiles, uncompressed"),
    Kind("TIFF strips, uncompressed", strips=True),
    Kind("TIFF tiles, deflate", "zlib"),
    Kind("TIFF strips, deflate", "zlib", strips=True),
    Kind("TIFF tiles, zstd", "zstd"),
    Kind("TIFF tiles, LZW", "lzw"),
    Kind("OME-Zarr 0.4", zarr="0.4"),
    Kind("OME-Zarr 0.5, shards", zarr="0.5"),
)
# Of the largest files, which take long to write.
LARGE = ("TIFF tiles, uncompressed", "TIFF strips, uncompressed", "TIFF tiles, zstd")


def measure(folder: Path, *, small: bool) -> list[Row]:
    """Rows of the section: a ratio for each kind of file, and milliseconds a crop."""
    return list(_rows(folder, small=small, only=""))


def _rows(folder: Path, *, small: bool, only: str) -> Iterator[Row]:
    sizes = (4,) if small else (30, 300, 3072)
    for mib, channels, kind in itertools.product(sizes, (4, 40), KINDS):
        if mib > 1000 and kind.name not in LARGE:
            continue
        name = f"{kind.name}, {mib} MiB, {channels} channels"
        if only and not all(word in name for word in only.split("+")):
            continue
        path = _written(folder, kind, mib, channels)
        planes = open_image(path).planes("CYX")
        for layout in ("scattered", "clustered"):
            yield _row(f"{name}, {layout}", path, kind, planes, layout, small=small)
        _delete(path)
    if not only:
        yield _in_memory(small=small)


# ---------------------------------------------------------------- files


def _side(mib: int, channels: int) -> int:
    """Side of an image of so many MiB, a multiple of the tile."""
    return max(1, round((mib * MIB / (2 * channels)) ** 0.5 / TILE)) * TILE


def _blocks(height: int, width: int) -> list[np.ndarray[Any, np.dtype[np.uint16]]]:
    """Eight blocks of pixels as a camera gives them: light, cells and noise."""
    rng = np.random.default_rng(0)
    blocks = []
    for number in range(8):
        light = 400 + 40 * number + 300 * np.sin(np.arange(width) / 40) ** 8
        blocks.append(rng.poisson(light, (height, width)).astype(np.uint16))
    return blocks


def _written(folder: Path, kind: Kind, mib: int, channels: int) -> Path:
    side = _side(mib, channels)
    if kind.zarr:
        return _zarr(folder / "image.ome.zarr", kind, side, channels)
    path = folder / "image.tif"
    shape = (channels, side, side)
    height, width = (STRIP, side) if kind.strips else (TILE, TILE)
    blocks = _blocks(height, width)
    count = channels * (side // height) * (side // width)
    options: dict[str, Any] = {"photometric": "minisblack", "metadata": {"axes": "CYX"}}
    options |= {"rowsperstrip": STRIP} if kind.strips else {"tile": (TILE, TILE)}
    big = mib > 3000
    if kind.compression is None:
        with tifffile.TiffWriter(path, bigtiff=big) as writer:
            if kind.strips:
                # One plane after the other, as most programs write it.
                plane = np.concatenate([blocks[i % 8] for i in range(side // height)])
                pages = (plane for _ in range(channels))
                writer.write(pages, shape=shape, dtype="uint16", **options)
            else:
                tiles = (blocks[i % 8] for i in range(count))
                writer.write(tiles, shape=shape, dtype="uint16", **options)
        return path
    import imagecodecs

    encode = {
        "zlib": imagecodecs.zlib_encode,
        "zstd": imagecodecs.zstd_encode,
        "lzw": imagecodecs.lzw_encode,
    }[kind.compression]
    encoded = [bytes(encode(block)) for block in blocks]
    with tifffile.TiffWriter(path, bigtiff=big) as writer:
        segments = (encoded[i % 8] for i in range(count))
        writer.write(segments, shape=shape, dtype="uint16", compression=kind.compression, **options)
    return path


def _zarr(path: Path, kind: Kind, side: int, channels: int) -> Path:
    import zarr

    version = 2 if kind.zarr == "0.4" else 3
    group = zarr.open_group(path, mode="w", zarr_format=version)
    shape, chunks = (channels, side, side), (1, TILE, TILE)
    shards = {"shards": (1, 2 * TILE, 2 * TILE)} if version == 3 and side >= 2 * TILE else {}
    array = group.create_array("0", shape=shape, chunks=chunks, dtype="uint16", **shards)
    blocks = _blocks(TILE, TILE)
    row = np.concatenate([blocks[i % 8] for i in range(side // TILE)], axis=1)
    for channel in range(channels):
        array[channel] = np.tile(row, (side // TILE, 1))
    about: dict[str, Any] = {
        "multiscales": [{"axes": [{"name": a} for a in "cyx"], "datasets": [{"path": "0"}]}]
    }
    group.attrs.update(about if version == 2 else {"ome": {"version": "0.5", **about}})
    return path


def _delete(path: Path) -> None:
    import shutil

    shutil.rmtree(path) if path.is_dir() else path.unlink()


# ---------------------------------------------------------------- cells


def _points(layout: str, side: int, count: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Centres of cells (n, 2), in random order."""
    rng = np.random.default_rng(2)
    low, high = CROP // 2, side - CROP // 2
    if layout == "scattered":
        return rng.integers(low, high, (count, 2))
    # Clusters of 100 cells, whose crops would cover a square of 10 x 10 crops.
    middles = rng.integers(low, high, (max(1, count // 100), 2))
    spread = rng.integers(-5 * CROP, 5 * CROP, (count, 2))
    return np.clip(middles[rng.integers(0, len(middles), count)] + spread, low, high)


def _row(name: str, path: Path, kind: Kind, planes: Any, layout: str, *, small: bool) -> Row:
    side, channels = planes[0].shape[0], len(planes)
    # No more than can be decoded in some seconds.
    most = (400 if small else 1200) // channels * (1 if layout == "scattered" else 4)
    count = min(max(8, 8 * side**2 // TILE**2), most)
    points = _points(layout, side, count)
    cells = Cells.from_points(
        planes, [f"c{i}" for i in range(channels)], points, crop=CROP, name="slide"
    )
    peer, chunks = _peer(path, kind, cells)

    def ours() -> None:
        decoded_chunks().clear()
        for _ in cells.passes():
            pass

    begun = time.perf_counter()
    peer()
    # What takes no time is done more than once.
    repeats = min(20, max(1, round(0.05 / (time.perf_counter() - begun))))
    times: dict[str, list[float]] = {"ours": [], "peer": []}
    cpu: dict[str, list[float]] = {"ours": [], "peer": []}
    for _ in range(1 + ROUNDS):
        for which, run in (("ours", ours), ("peer", peer)):
            begun, used = time.perf_counter(), time.process_time()
            for _ in range(repeats):
                run()
            times[which].append((time.perf_counter() - begun) / repeats)
            cpu[which].append((time.process_time() - used) / repeats)
    best = {which: min(seconds[1:]) for which, seconds in times.items()}
    ratio = best["ours"] / best["peer"]
    return {
        "name": name,
        "value": round(ratio, 3),
        "aim": AIM,
        "unit": "x decoding",
        "met": ratio <= AIM,
        "details": {
            "crops": count,
            "chunks": chunks,
            "ms_per_crop": round(1000 * best["ours"] / count, 3),
            "seconds": round(best["ours"], 4),
            "peer_seconds": round(best["peer"], 4),
            "ratio_of_processor_time": round(min(cpu["ours"][1:]) / min(cpu["peer"][1:]), 3),
        },
    }


def _peer(path: Path, kind: Kind, cells: Cells) -> tuple[Callable[[], object], int]:
    """What decodes each touched chunk once, and how many there are."""
    boxes = cells.boxes
    if kind.compression is None and not kind.zarr:
        order = np.lexsort((boxes[:, 1], boxes[:, 0]))
        edges = boxes[order].tolist()
        return (_of_map if kind.strips else _of_mapped_tiles)(path, edges), 0
    high, wide = (STRIP, cells.fields[0].shape[1]) if kind.strips else (TILE, TILE)
    touched = sorted(
        {
            (row, column)
            for y0, x0, y1, x1 in boxes.tolist()
            for row in range(y0 // high, (y1 - 1) // high + 1)
            for column in range(x0 // wide, (x1 - 1) // wide + 1)
        }
    )
    channels = len(cells.channels)
    if kind.zarr:
        import zarr

        array = zarr.open_array(path / "0", mode="r")

        def chunks() -> None:
            for row, column in touched:
                array[:, row * high : (row + 1) * high, column * wide : (column + 1) * wide]

        return chunks, channels * len(touched)
    tiff = tifffile.TiffFile(path)
    pages = list(tiff.series[0].pages)
    across = -(-cells.fields[0].shape[1] // wide)

    def segments() -> None:
        file = tiff.filehandle
        for row, column in touched:
            index = row * across + column
            for page in pages:
                file.seek(page.dataoffsets[index])
                page.decode(file.read(page.databytecounts[index]), index)

    return segments, channels * len(touched)


def _of_map(path: Path, edges: list[list[int]]) -> Callable[[], object]:
    """Numpy copies crops out of the map of a file."""

    def copied() -> None:
        pixels = tifffile.memmap(path, mode="r")
        for first in range(0, len(edges), BATCH):
            some = edges[first : first + BATCH]
            crops = np.empty((len(some), len(pixels), CROP, CROP), np.float32)
            for crop, (y0, x0, y1, x1) in zip(crops, some, strict=True):
                crop[...] = pixels[:, y0:y1, x0:x1]

    return copied


def _of_mapped_tiles(path: Path, edges: list[list[int]]) -> Callable[[], object]:
    """The same of a file of tiles, one after the other."""
    with tifffile.TiffFile(path) as tiff:
        start = tiff.pages[0].dataoffsets[0]
        channels, side, _ = tiff.series[0].shape
    across = side // TILE

    def copied() -> None:
        tiles = np.memmap(path, np.uint16, "r", start, (channels, across, across, TILE, TILE))
        for first in range(0, len(edges), BATCH):
            some = edges[first : first + BATCH]
            crops = np.empty((len(some), channels, CROP, CROP), np.float32)
            for crop, (y0, x0, y1, x1) in zip(crops, some, strict=True):
                for row in range(y0 // TILE, (y1 - 1) // TILE + 1):
                    for column in range(x0 // TILE, (x1 - 1) // TILE + 1):
                        top, left = row * TILE, column * TILE
                        a, b = max(y0, top), min(y1, top + TILE)
                        c, d = max(x0, left), min(x1, left + TILE)
                        crop[:, a - y0 : b - y0, c - x0 : d - x0] = tiles[
                            :, row, column, a - top : b - top, c - left : d - left
                        ]

    return copied


def _in_memory(*, small: bool) -> Row:
    """Milliseconds a crop of 40 channels that are in memory."""
    side, count = 1024, 200 if small else 1000
    block = _blocks(side, side)
    planes = [block[i % 8] for i in range(40)]
    cells = Cells.from_points(
        planes, [f"c{i}" for i in range(40)], _points("scattered", side, count), crop=CROP
    )
    seconds = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        for _ in cells.passes():
            pass
        seconds.append(time.perf_counter() - begun)
    return {
        "name": "40 channels in memory",
        "value": round(1000 * min(seconds) / count, 3),
        "aim": None,
        "unit": "ms a crop",
        "met": None,
        "details": {"crops": count},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--small", action="store_true", help="small files: under a minute")
    parser.add_argument("--only", default="", help="words of the rows to measure, joined by +")
    parser.add_argument("--folder", type=Path, help="for the files (default: a temporary one)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as name:
        for row in _rows(Path(name), small=args.small, only=args.only):
            details = ", ".join(f"{key} {value}" for key, value in row["details"].items())
            met = {True: "", False: " MISSED", None: ""}[row["met"]]
            print(f"{row['name']}: {row['value']} {row['unit']}{met} ({details})", flush=True)


if __name__ == "__main__":
    main()
