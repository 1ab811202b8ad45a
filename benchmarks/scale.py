"""Scale: what reading, tables, cells, workers, a whole plate and the window cost as data grow.

    python benchmarks/scale.py [SECTION ...] [--small] [--json FILE]

Runs the sections, each a script ``scale_SECTION.py`` that also runs by itself, and prints a table:
what was measured, what was aimed at, and whether it was reached. Times are ratios against a peer in
the same run where that is possible. ``--small`` takes small inputs and ends within minutes: it
shows that the measuring works, its figures are not the published ones. The whole takes about two
hours on two cores and 12 GB of disk.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SECTIONS = ("reading", "tables", "cells", "cluster", "methods", "plate", "window")


def run_section(name: str, folder: Path, *, small: bool) -> list[dict[str, Any]]:
    """The rows of a section, each with its name and seconds."""
    begun = time.perf_counter()
    rows = importlib.import_module(f"scale_{name}").measure(folder, small=small)
    seconds = round(time.perf_counter() - begun, 1)
    return [{"section": name, **row, "section_seconds": seconds} for row in rows]


def line(row: dict[str, Any]) -> str:
    """A row of the table."""
    met = {True: "reached", False: "**missed**", None: ""}[row["met"]]
    aim = "" if row["aim"] is None else f"{row['aim']:g} {row['unit']}"
    return (
        f"| {row['section']} | {row['name']} | {row['value']:.3g} {row['unit']} | {aim} | {met} |"
    )


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    import torch

    from napari_channelmix.provenance import provenance

    memory = None
    if Path("/proc/meminfo").exists():
        first = Path("/proc/meminfo").read_text().split("\n", 1)[0]
        memory = f"{int(first.split()[1]) / 2**20:.0f} GiB"
    return {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "memory": memory,
        "torch_threads": torch.get_num_threads(),
        "versions": provenance()["versions"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--small", action="store_true", help="small inputs: a few minutes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the rows as JSON")
    parser.add_argument("--folder", type=Path, help="for large files (default: a temporary one)")
    args = parser.parse_args()
    unknown = [name for name in args.sections if name not in SECTIONS]
    if unknown:
        parser.error(f"no section {unknown[0]!r}; there are {', '.join(SECTIONS)}")
    rows: list[dict[str, Any]] = []
    print("| section | measured | value | aim | |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(dir=args.folder) as name:
        for section in args.sections or SECTIONS:
            folder = Path(name) / section
            folder.mkdir()
            measured = run_section(section, folder, small=args.small)
            print("\n".join(map(line, measured)), flush=True)
            rows += measured
    if args.json is not None:
        args.json.write_text(
            json.dumps({"small": args.small, "machine": machine(), "rows": rows}, indent=2)
        )
    missed = [row for row in rows if row["met"] is False]
    print(f"\n{len(rows)} measured, {len(missed)} missed what was aimed at")
    sys.exit(bool(missed) and not args.small)


if __name__ == "__main__":
    main()
