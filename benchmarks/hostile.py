"""Malformed inputs of ten kinds: each is used, or refused in one line, in bounded time and memory.

    python benchmarks/hostile.py                         all kinds, 500 inputs each
    python benchmarks/hostile.py --kinds table tiff --number 50 --show
    python benchmarks/hostile.py --kinds tiff --only 137 --show      one input again

Inputs are made from valid ones by a seed. A failure is: an exception that is no `ChannelMixError`,
a message of more than one line or 1,000 characters, more than 5 s, more than 2 GB of memory beyond
what the process had, a process that dies, or one that hangs. Exits 1 where there is any.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from hostile_kinds import KINDS

SECONDS, MEGABYTES, LENGTH, HANG = 5.0, 2000.0, 1000, 60.0

# ---------------------------------------------------------------- in the process that is watched


class PeakMemory(threading.Thread):
    """The most resident memory of this process since `reset`, in megabytes; looked at each 5 ms."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak = 0.0

    def now(self) -> float:
        """Resident memory in megabytes."""
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def run(self) -> None:
        """Look, again and again."""
        while True:
            self.peak = max(self.peak, self.now())
            time.sleep(0.005)

    def reset(self) -> float:
        """Begin anew; gives what is used now."""
        self.peak = self.now()
        return self.peak


def watched(kind: str, seed: int, start: int, number: int) -> None:
    """Make and use inputs ``start`` to ``number``; a line of JSON for each."""
    from napari_channelmix.errors import ChannelMixError

    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        source = KINDS[kind](Path(folder))
        # The first use of anything imports and compiles: no input is to blame for that.
        with contextlib.suppress(Exception):
            source.make(np.random.default_rng(0))()
        memory = PeakMemory()
        memory.start()
        for index in range(start, number):
            rng = np.random.default_rng([seed, list(KINDS).index(kind), index])
            use = source.make(rng)
            before, began = memory.reset(), time.monotonic()
            row: dict[str, Any] = {"index": index}
            try:
                row |= {"outcome": "used", "text": str(use())[:300]}
            except ChannelMixError as error:
                row |= {"outcome": "refused", "text": str(error)}
                if "\n" in str(error) or len(str(error)) > LENGTH:
                    row["outcome"] = "long message"
            except BaseException as error:
                last = traceback.extract_tb(error.__traceback__)[-1]
                row |= {
                    "outcome": f"{type(error).__name__}",
                    "text": f"{error} ({Path(last.filename).name}:{last.lineno})",
                }
                row["trace"] = traceback.format_exc()[-3000:]
            row |= {"seconds": time.monotonic() - began, "megabytes": memory.peak - before}
            sys.stdout.write(json.dumps(row) + "\n")
            sys.stdout.flush()


# ---------------------------------------------------------------- in the process that watches


def rows_of(kind: str, seed: int, start: int, number: int) -> Iterator[dict[str, Any]]:
    """Outcomes of all inputs of a kind, whatever becomes of the process that uses them."""
    index, barren = start, 0
    while index < number and barren < 3:
        with tempfile.TemporaryFile("w+") as errors:
            before = index
            index, outcome = yield from _rows_of_process(kind, seed, index, number, errors)
            if index < number:
                errors.seek(0)
                yield {
                    "index": index,
                    "outcome": outcome,
                    "text": errors.read()[-1500:],
                    "seconds": 0,
                    "megabytes": 0,
                }
                index += 1
            # A process that never comes to its first input cannot even prepare.
            barren = barren + 1 if index <= before + 1 else 0


def _rows_of_process(
    kind: str, seed: int, index: int, number: int, errors: IO[str]
) -> Generator[dict[str, Any], None, tuple[int, str]]:
    """Outcomes from one process; gives the input it ended at, and how it ended."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-W",
            "ignore",
            __file__,
            "--watched",
            kind,
            "--seed",
            str(seed),
            "--start",
            str(index),
            "--number",
            str(number),
        ],
        stdout=subprocess.PIPE,
        stderr=errors,
        stdin=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONFAULTHANDLER": "1"},
    )
    assert process.stdout is not None
    # Preparing takes longer: it imports and trains.
    patience, hung = 4 * HANG, False
    while True:
        timer = threading.Timer(patience, process.kill)
        timer.start()
        line = process.stdout.readline()
        hung = not timer.is_alive()
        timer.cancel()
        patience = HANG
        if not line:
            process.wait()
            return index, "hang" if hung else f"process ended with {process.returncode}"
        with contextlib.suppress(ValueError):
            row = json.loads(line)
            index = row["index"] + 1
            yield row


def is_failure(row: dict[str, Any]) -> str:
    """Why an outcome is a failure; empty where it is none."""
    if row["outcome"] not in ("used", "refused"):
        return str(row["outcome"])
    if row["seconds"] > SECONDS:
        return f"{row['seconds']:.1f} s"
    return f"{row['megabytes']:.0f} MB" if row["megabytes"] > MEGABYTES else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kinds", nargs="+", choices=tuple(KINDS), default=list(KINDS))
    parser.add_argument("--number", type=int, default=500, help="inputs of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, help="one input, by its number")
    parser.add_argument("--show", action="store_true", help="each outcome, tracebacks included")
    parser.add_argument("--start", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--watched", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.watched:
        watched(args.watched, args.seed, args.start, args.number)
        return 0
    start, number = (0, args.number) if args.only is None else (args.only, args.only + 1)
    lines, failed = [], 0
    for kind in args.kinds:
        rows = []
        for row in rows_of(kind, args.seed, start, number):
            rows.append(row)
            why = is_failure(row)
            if why or args.show:
                print(
                    f"{kind} {row['index']}: {why or row['outcome']}: {row['text'][:400]}",
                    file=sys.stderr,
                )
                if args.show and "trace" in row:
                    print(row["trace"], file=sys.stderr)
        counts = Counter("failed" if is_failure(row) else row["outcome"] for row in rows)
        failed += counts["failed"]
        lines.append(
            f"| {kind} | {len(rows)} | {counts['used']} | {counts['refused']} | {counts['failed']} "
            f"| {max(row['seconds'] for row in rows):.1f} "
            f"| {max(row['megabytes'] for row in rows):.0f} |"
        )
        print(f"{kind}: {dict(counts)}", file=sys.stderr)
    print("| kind | inputs | used | refused in one line | failed | longest, s | most memory, MB |")
    print("|---|---|---|---|---|---|---|")
    print("\n".join(lines))
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
