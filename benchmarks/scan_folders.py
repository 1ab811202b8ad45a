"""Folders in twelve naming styles, scanned and compared with the truth; styles learnt by example.

    python benchmarks/scan_folders.py [--files 10000]

Makes each folder by script, with tiny images of known content, scans it, answers what is asked,
opens the data set and compares wells, fields, planes, times, classes, doses, channels and pixels
with what was written. Then lists a folder of many files. Prints tables in Markdown; a minute.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from itertools import product
from pathlib import Path

from scan_styles import SIDE, Style, make, styles, unknown_styles, verdict

from napari_channelmix.errors import ChannelMixError
from napari_channelmix.scan import scan_folder_job


def tried(style: Style) -> str:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        values = make(style, folder)
        try:
            return verdict(style, folder, values)
        except ChannelMixError as error:
            return f"wrong: refused ({error})"


def table(title: str, tested: list[Style]) -> int:
    print(f"| {title} | files | fields of view | result |\n|---|---|---|---|")
    good = 0
    for style in tested:
        result = tried(style)
        good += result.split(":")[0] in ("right", "asked")
        print(f"| {style.name} | {len(style.files)} | {style.fields} | {result} |")
    print(f"\n{good} of {len(tested)} right or asked\n")
    return good


def many(count: int) -> None:
    """Time of a folder of many files, and the longest step."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        one = make(Style("one", {"one.tif": {}}, 1), folder)
        content = (folder / "one.tif").read_bytes()
        (folder / "one.tif").unlink()
        assert one and SIDE
        places = product("ABCDEFGHIJKLMNOP", range(1, 25), range(1, 100), (1, 2, 3, 4))
        for (row, column, site, wave), _ in zip(places, range(count), strict=False):
            (folder / f"plate_{row}{column:02d}_s{site}_w{wave}.tif").write_bytes(content)
        start = last = time.perf_counter()
        longest, job = 0.0, scan_folder_job(folder)
        while True:
            try:
                next(job)
            except StopIteration as end:
                scan = end.value
                break
            finally:
                now = time.perf_counter()
                longest, last = max(longest, now - last), now
        seconds = time.perf_counter() - start
    print(f"{count:,} files: {seconds:.1f} s, longest step {longest:.2f} s, {scan.style}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    args = parser.parse_args()
    table("style", styles())
    table("style outside the presets, learnt by example", unknown_styles())
    many(args.files)


if __name__ == "__main__":
    main()
