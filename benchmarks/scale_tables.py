"""What tables of many cells cost: opening, memory, scanning, and what is asked of all cells.

    python benchmarks/scale_tables.py [--small]

A table of points with their files, two coordinates, a class, a well and two numbers of CellProfiler
over 96 images, of 10,000 to 1,000,000 rows, is opened in a process of its own: seconds of one core
(the time of the processor, so that other work beside it does not count), peak of the memory above
that of the process before, and longest step of the job (until it can be cancelled). The peer in the
same process is pandas, which reads the same table, and numpy, which makes the same boxes. Then
rows that name objects in label images, rows of whole images, a scan of the table, and what is asked
of all cells at once.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

Row = dict[str, Any]

SECTION_AIM = (
    "open_dataset: a million points in at most 10 s and 600 MB, in steps below a second",
    "scan of a table of a million rows in at most 30 s; rows of images: 0.3 ms beyond opening",
)
AIM_SECONDS, AIM_MB, AIM_STEP, AIM_SCAN, AIM_IMAGE = 10.0, 600.0, 1.0, 30.0, 0.3
MILLION = 1_000_000
IMAGES, SIDE = 96, 512
POINTS = """name = "points"
table = "{table}"
label = "class"
group = "Well"
[image]
column = "path"
axes = "CYX"
channels = ["DNA", "GFP"]
[cells]
from = "point"
columns = ["y", "x"]
crop = 32
"""
OBJECTS = """name = "objects"
table = "{table}"
label = "class"
[channels]
DNA = "path"
[cells]
from = "mask"
column = "mask"
object = "ObjectNumber"
crop = 16
"""
WHOLE = """name = "images"
table = "{table}"
label = "class"
[image]
column = "path"
axes = "CYX"
channels = ["DNA", "GFP"]
[cells]
from = "image"
crop = 16
"""


def measure(folder: Path, *, small: bool) -> list[Row]:
    """Rows of the section."""
    return list(_rows(folder, small=small))


def _rows(folder: Path, *, small: bool) -> Iterator[Row]:
    sizes = (10_000,) if small else (10_000, 100_000, MILLION)
    for count in sizes:
        dataset = _points(folder, count)
        for storage in ("pyarrow", "python"):
            if storage == "python" and count < sizes[-1]:
                continue
            yield from _opening(dataset, count, storage)
    largest = sizes[-1]
    yield _row(
        f"scan, {largest:,} points",
        _in_process("scan", folder / f"points{largest}.csv")["seconds"],
        "s",
        AIM_SCAN if largest == MILLION else None,
    )
    for name, seconds in _in_process("asked", dataset).items():
        yield _row(f"{name}, {largest:,} cells", seconds, "s")
    objects = 10_000 if small else 100_000
    seconds = _in_process("open", _objects(folder, objects))["seconds"]
    yield _row(f"open, {objects:,} rows that name objects of one mask", seconds, "s")
    images = 200 if small else 10_000
    measured = _in_process("images", _images(folder, images))
    beyond = 1000 * (measured["seconds"] - measured["opening"]) / images
    yield _row(
        "a row of a whole image, beyond opening its file",
        beyond,
        "ms",
        None if small else AIM_IMAGE,
        {"opening": f"{1000 * measured['opening'] / images:.2f} ms", "images": images},
    )


def _opening(dataset: Path, count: int, storage: str) -> Iterator[Row]:
    measured = _in_process("open", dataset, storage)
    words = f"{count:,} points" + ("" if storage == "pyarrow" else ", strings without pyarrow")
    whole = count == MILLION
    details = {"wall": f"{measured['wall']:.1f} s", "pandas": f"{measured['peer']:.2f} s"}
    aim = AIM_SECONDS if whole else None
    yield _row(f"open, {words}", measured["seconds"], "s", aim, details)
    ratio = measured["seconds"] / measured["peer"]
    yield _row(f"open, {words}, against pandas and numpy", ratio, "x")
    yield _row(f"peak memory, {words}", measured["peak"], "MB", AIM_MB if whole else None)
    yield _row(f"longest step, {words}", measured["step"], "s", AIM_STEP if whole else None)


def _row(
    name: str,
    value: float,
    unit: str,
    aim: float | None = None,
    details: dict[str, Any] | None = None,
) -> Row:
    met = None if aim is None else value <= aim
    return {
        "name": name,
        "value": round(value, 3),
        "aim": aim,
        "unit": unit,
        "met": met,
        "details": details or {},
    }


# ------------------------------------------------------------------ what is opened


def _points(folder: Path, count: int) -> Path:
    import pandas as pd
    import tifffile

    rng = np.random.default_rng(0)
    for number in range(IMAGES):
        path = folder / f"image{number:03d}.tif"
        if not path.exists():
            pixels = rng.integers(0, 4000, (2, SIDE, SIDE), dtype=np.uint16)
            tifffile.imwrite(
                path, pixels, photometric="minisblack", metadata={"axes": "CYX"}, compression="zlib"
            )
    image = np.sort(rng.integers(0, IMAGES, count))
    place = rng.uniform(0, SIDE - 1, (count, 2)).round(2)
    table = pd.DataFrame(
        {
            "path": [f"image{number:03d}.tif" for number in image],
            "y": place[:, 0],
            "x": place[:, 1],
            "class": rng.choice(["positive", "negative"], count),
            "Well": [f"{'ABCDEFGH'[n // 12]}{n % 12 + 1:02d}" for n in image],
            "ImageNumber": image + 1,
            "ObjectNumber": np.arange(count),
        }
    )
    return _dataset(folder, f"points{count}", table, POINTS)


def _objects(folder: Path, count: int) -> Path:
    import pandas as pd
    import tifffile

    rows = int(np.ceil(np.sqrt(count)))
    ids = np.arange(1, rows * rows + 1, dtype=np.int32).reshape(rows, rows)
    labels = np.kron(ids, np.pad(np.ones((6, 6), np.int32), ((0, 2), (0, 2))))
    tifffile.imwrite(folder / "mask.tif", labels, compression="zlib")
    tifffile.imwrite(folder / "plane.tif", np.zeros(labels.shape, np.uint8), compression="zlib")
    table = pd.DataFrame(
        {
            "path": "plane.tif",
            "mask": "mask.tif",
            "ObjectNumber": np.arange(1, count + 1),
            "class": np.where(np.arange(count) % 2, "a", "b"),
        }
    )
    return _dataset(folder, "objects", table, OBJECTS)


def _images(folder: Path, count: int) -> Path:
    import pandas as pd
    import tifffile

    below = folder / "small"
    below.mkdir()
    pixels = np.zeros((2, 16, 16), np.uint16)
    tifffile.imwrite(below / "0.tif", pixels, photometric="minisblack", metadata={"axes": "CYX"})
    content = (below / "0.tif").read_bytes()
    for number in range(1, count):
        (below / f"{number}.tif").write_bytes(content)
    names = [f"small/{number}.tif" for number in range(count)]
    table = pd.DataFrame({"path": names, "class": np.where(np.arange(count) % 2, "a", "b")})
    return _dataset(folder, "images", table, WHOLE)


def _dataset(folder: Path, name: str, table: Any, text: str) -> Path:
    table.to_csv(folder / f"{name}.csv", index=False)
    path = folder / f"{name}.toml"
    path.write_text(text.format(table=f"{name}.csv"))
    return path


# ------------------------------------------------------------------ in a process of its own


def _in_process(what: str, path: Path, storage: str = "pyarrow") -> dict[str, float]:
    command = [sys.executable, __file__, "--what", what, "--path", str(path), "--storage", storage]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def _peak() -> float:
    """Peak of the memory of this process so far, in MB.

    Linux says it of what runs now. The figure of ``getrusage`` outlives the start of a program: a
    process begins with the peak of the one that started it, which here made the tables.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _seconds(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def _measured(what: str, path: Path) -> dict[str, float]:
    # What is imported once does not count.
    import pandas as pd
    import scipy.ndimage  # noqa: F401
    import skimage.measure  # noqa: F401
    import tifffile  # noqa: F401

    from napari_channelmix.data import open_dataset
    from napari_channelmix.data.image_formats import open_image

    if what == "scan":
        from napari_channelmix import scan_table

        return {"seconds": _seconds(lambda: scan_table(path))}
    if what == "asked":
        cells = open_dataset(path)
        even = np.arange(0, len(cells), 2)
        asked: dict[str, Callable[[], object]] = {
            "fingerprint": lambda: cells.fingerprint,
            "subset": lambda: cells.subset(even),
            "names of 10,000": lambda: [cells.name_of(n) for n in range(10_000)],
            "at the border": lambda: cells.at_border,
            "counts of classes": lambda: cells.class_counts,
            "table of all cells": cells.to_frame,
            "split": cells.split,
        }
        return {name: _seconds(work) for name, work in asked.items()}
    opening = 0.0
    if what == "images":
        files = sorted(Path(path.parent, "small").glob("*.tif"))
        opening = _seconds(lambda: [open_image(file).planes("CYX", {}) for file in files])
    return {**_opened(path), "opening": opening, "peer": _peer(path, pd)}


def _opened(path: Path) -> dict[str, float]:
    from napari_channelmix.data import open_dataset_job

    before, wall = _peak(), time.perf_counter()
    begun = last = time.process_time()
    step = 0.0
    for _ in open_dataset_job(path):
        now = time.process_time()
        step, last = max(step, now - last), now
    end = time.process_time()
    return {
        "seconds": end - begun,
        "wall": time.perf_counter() - wall,
        "step": max(step, end - last),
        "peak": _peak() - before,
    }


def _peer(path: Path, pd: Any) -> float:
    """The same table read by pandas, and the same boxes made by numpy."""

    def read() -> None:
        table = pd.read_csv(path.with_suffix(".csv"))
        if "y" in table:
            corner = np.ceil(table[["y", "x"]].to_numpy() - 16).astype(np.int64)
            np.hstack([corner, corner + 32])

    return min(_seconds(read) for _ in range(3))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--small", action="store_true", help="small tables: under a minute")
    parser.add_argument("--folder", type=Path, help="for the files (default: a temporary one)")
    # How the script measures in processes of its own.
    parser.add_argument("--what", help=argparse.SUPPRESS)
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--storage", default="pyarrow", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.what:
        import pandas as pd

        if args.storage == "python":
            pd.options.mode.string_storage = "python"
        print(json.dumps(_measured(args.what, args.path)))
        return
    with tempfile.TemporaryDirectory(dir=args.folder) as name:
        for row in _rows(Path(name), small=args.small):
            details = ", ".join(f"{key} {value}" for key, value in row["details"].items())
            met = {True: "", False: " MISSED", None: ""}[row["met"]]
            print(
                f"{row['name']}: {row['value']} {row['unit']}{met} {details}".rstrip(), flush=True
            )


if __name__ == "__main__":
    main()
