"""What is left when a run is killed, the disk is full, the folder read-only, or another run there.

    python benchmarks/crashes.py [--rounds 50] [--seed 0] [--commands train importance ...]
                                 [--parts kill full readonly two]

A data set of 24 tiny images is made; each command is run once undisturbed, and its folder is what
all others are compared with. What may differ: times (``made``, ``seconds``), the id of a run of
maps, and ids and dates within SVG files.

kill      the process is killed (SIGKILL) after a random part of its usual time; the same command is
          run again to its end. Processes that are left behind are counted.
full      the folder lies on a file system with room for a part of the result only; then there is
          more room, and the same command is run again. And: with a finished result on a full file
          system the command is run again, and the result must still be there.
readonly  the folder cannot be written; then it can, and the same command is run again.
two       a run is held while the same command is started a second time in the same folder.

Prints tables in Markdown; ends with 1 where anything is not as it should be.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import tifffile
from safetensors import safe_open

from napari_channelmix.run import cli, report  # noqa: F401 - loaded before forking

COMMANDS = ("train", "importance", "explain", "latents", "run", "report")
PARTS = ("kill", "full", "readonly", "two")
# Shares of the result that a file system has room for.
ROOM = (0.0, 0.25, 0.5, 0.75)
LONGEST = 300
# How often a run is started again that ended before it could be held.
ATTEMPTS = 20
TIMES = {"made", "seconds", "seconds_per_cell", "run"}


@dataclass(frozen=True)
class Bench:
    """A folder with the data set, what the commands need, and their undisturbed results."""

    folder: Path

    @property
    def data(self) -> Path:
        """The data-set file."""
        return self.folder / "data" / "dataset.toml"

    def reference(self, command: str) -> Path:
        """Folder of the undisturbed result."""
        return self.folder / "undisturbed" / command

    def arguments(self, command: str, out: Path) -> list[str]:
        """The command that writes its result into a folder."""
        quick = ["--network", "tiny", "--epochs", "2", "--device", "cpu", "--quiet"]
        data, made = str(self.data), self.folder / "undisturbed"
        model = str(made / "train" / "M.cmx")
        if command == "train":
            return ["train", data, "--out", str(out / "M.cmx"), *quick]
        if command == "importance":
            return ["importance", data, "--out", str(out), "--seeds", "2", *quick]
        if command == "explain":
            return [
                "explain",
                data,
                "--model",
                model,
                "--out",
                str(out),
                "--device",
                "cpu",
                "--channels",
                "separate",
                "--quiet",
            ]
        if command == "latents":
            return [
                "latents",
                data,
                "--model",
                "cell-sprites",
                "--channel",
                "DNA",
                "--out",
                str(out),
                "--finetune",
                "1",
                "--device",
                "cpu",
                "--quiet",
            ]
        if command == "run":
            return ["run", str(self.folder / "config.json"), "--out", str(out), "--quiet"]
        return [
            "report",
            data,
            "--out",
            str(out / "report.html"),
            "--model",
            model,
            "--importance",
            str(made / "importance"),
            "--explain",
            str(made / "explain"),
            "--latents",
            str(made / "latents"),
            "--quiet",
        ]


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    errors: str
    seconds: float
    left: int = 0

    @property
    def traceback(self) -> bool:
        """Whether Python said how it failed."""
        return "Traceback" in self.errors

    @property
    def one_line(self) -> bool:
        """Whether it refused in one line."""
        lines = [line for line in self.errors.strip().splitlines() if "going on after" not in line]
        return self.code == 2 and len(lines) == 1 and not self.traceback


class Process:
    """A command in a process of its own, forked: the libraries are loaded already."""

    def __init__(self, arguments: list[str], errors: Path) -> None:
        self.errors, self.start, self.code = errors, time.monotonic(), None
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            os._exit(_forked(arguments, errors))

    def ends(self, within: float) -> bool:
        """Whether it ends within so many seconds."""
        stop = time.monotonic() + within
        while self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > stop:
                return False
            else:
                time.sleep(0.002)
        return True

    def send(self, number: int) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def ended(self) -> Ended:
        """Wait for its end, and for what it leaves behind."""
        if not self.ends(LONGEST):
            self.send(signal.SIGKILL)
            self.ends(LONGEST)
        left = group_of(self.pid)
        if left:
            os.killpg(self.pid, signal.SIGKILL)
        seconds = time.monotonic() - self.start
        return Ended(self.code or 0, self.errors.read_text("utf-8", "replace"), seconds, left)


def _forked(arguments: list[str], errors: Path) -> int:
    os.setsid()
    os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    try:
        return cli.main(arguments)
    except SystemExit as end:
        return int(end.code or 0)
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stderr.flush()


def group_of(leader: int) -> int:
    """Processes of a group that are alive a moment after its leader has ended."""
    time.sleep(0.2)
    alive = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        alive += fields[2] == str(leader) and fields[0] != "Z"
    return alive


def done(bench: Bench, command: str, out: Path) -> Ended:
    return Process(bench.arguments(command, out), bench.folder / "errors.txt").ended()


# ---------------------------------------------------------------- the data set


def made(folder: Path) -> Bench:
    """Write the data set and the config; run every command undisturbed."""
    bench = Bench(folder)
    images = folder / "data"
    images.mkdir(parents=True)
    rng = np.random.default_rng(0)
    yy, xx = np.mgrid[:32, :32]
    rows = [["image", "class", "well"]]
    for at in range(24):
        spot = 100.0 * ((yy - 16) ** 2 + (xx - 16) ** 2 < 40)
        pixels = rng.normal(200, 10, (2, 32, 32)) + np.stack([spot, spot * (at % 2)])
        tifffile.imwrite(images / f"{at}.tif", pixels.astype(np.uint16), photometric="minisblack")
        rows.append([f"{at}.tif", "odd" if at % 2 else "even", f"w{at // 2}"])
    with (images / "table.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    bench.data.write_text(
        'name = "tiny"\ntable = "table.csv"\nlabel = "class"\ngroup = "well"\n'
        '[image]\ncolumn = "image"\naxes = "CYX"\nchannels = ["DNA", "reporter"]\n'
        '[cells]\nfrom = "image"\ncrop = 32\n',
        "utf-8",
    )
    quick = {"network": "tiny", "epochs": 2, "threads": 1, "device": "cpu"}
    config = {
        "schema": "napari-channelmix/config/1",
        "data": {"dataset": "data/dataset.toml"},
        "classifier": {"training": quick},
        "importance": {**quick, "seeds": 1},
        "explanations": [{"cells": [0, 5]}, {"cells": [3], "channels": "separate"}],
    }
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    return bench


# ---------------------------------------------------------------- comparing


def differences(one: Path, other: Path) -> list[str]:
    """Files that are not in both folders, or do not hold the same but for times."""
    ours, theirs = (
        {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
        for folder in (one, other)
    )
    wrong = [str(path) for path in sorted(ours ^ theirs)]
    return wrong + [str(p) for p in sorted(ours & theirs) if content(one / p) != content(other / p)]


def content(path: Path) -> Any:
    if path.suffix == ".json":
        return timeless(json.loads(path.read_text("utf-8")))
    if path.suffix == ".svg":
        return None
    if path.suffix == ".html":
        text = path.read_text("utf-8")
        text = re.sub(r"data:image/svg\+xml;base64,[\w+/=]+", "", text)
        text = re.sub(
            r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?([+-]\d\d:\d\d)?|\d\d:\d\d UTC", "", text
        )
        return re.sub(r"(undisturbed|again)/\w+", "", text)
    if path.suffix in (".cmx", ".safetensors"):
        with safe_open(path, framework="np") as file:
            about = timeless(json.loads(file.metadata()["about"]))
            return about, {name: file.get_tensor(name).tobytes() for name in file.keys()}  # noqa: SIM118
    return path.read_bytes()


def timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: timeless(one) for key, one in value.items() if key not in TIMES}
    return [timeless(one) for one in value] if isinstance(value, list) else value


def hidden(folder: Path) -> int:
    """Half-written files, marks of runs and checkpoints that are left."""
    paths = folder.rglob("*") if folder.is_dir() else ()
    return sum(path.name.startswith(".") or path.suffix == ".partial" for path in paths)


# ---------------------------------------------------------------- the four trials


def killed(bench: Bench, command: str, usual: float, rng: random.Random) -> Counter[str]:
    """Kill the command at a random moment, run it again, compare."""
    out = fresh(bench)
    process = Process(bench.arguments(command, out), bench.folder / "killed.txt")
    if not process.ends(rng.uniform(0.05 * usual, 1.05 * usual)):
        process.send(signal.SIGKILL)
    first = process.ended()
    again = done(bench, command, out)
    same = again.code == 0 and not differences(bench.reference(command), out)
    if not same:
        report_odd(command, first, again, differences(bench.reference(command), out))
    tracebacks, orphans = first.traceback + again.traceback, first.left + again.left
    left = hidden(out)
    return Counter(
        rounds=1,
        killed=int(first.code == -signal.SIGKILL),
        same=int(same),
        tracebacks=tracebacks,
        orphans=orphans,
        leftovers=left,
        bad=int(not same or tracebacks + orphans + left > 0),
    )


def full(bench: Bench, command: str) -> Counter[str]:
    """Room for a part of the result only; then more; then none with the result there."""
    size = sum(path.stat().st_size for path in bench.reference(command).rglob("*"))
    found: Counter[str] = Counter()
    for share in ROOM:
        with Mounted(fresh(bench), f"{max(4, int(share * size / 1024))}k") as mounted:
            first = done(bench, command, mounted.folder)
            mounted.again("size=256m")
            again = done(bench, command, mounted.folder)
            odd = differences(bench.reference(command), mounted.folder)
            same = again.code == 0 and not odd
            # It may fit after all: files are smaller than their blocks, or were larger meanwhile.
            fits = first.code == 0 and same
            found += Counter(fits=1) if fits else seen(command, first, again, same, odd)
            if share == ROOM[-1]:
                found += kept(bench, command, mounted)
    return found


def kept(bench: Bench, command: str, mounted: Mounted) -> Counter[str]:
    """Fill the file system up, and run the command again over its own result."""
    filler = mounted.folder.parent / "filler"
    used = sum(path.stat().st_blocks * 512 for path in mounted.folder.rglob("*"))
    mounted.again(f"size={used // 1024 + 64}k")
    try:
        with (mounted.mount / "filler").open("wb") as file:
            while True:
                file.write(b"\0" * 4096)
                file.flush()
    except OSError:
        pass
    over = done(bench, command, mounted.folder)
    odd = differences(bench.reference(command), mounted.folder)
    intact = not [name for name in odd if "partial" not in name]
    good = intact and (over.one_line or over.code == 0) and not over.traceback
    if not good:
        report_odd(f"{command}, over its result", over, over, odd)
    filler.unlink(missing_ok=True)
    return Counter(intact=int(good), overs=1, tracebacks=int(over.traceback), bad=int(not good))


def read_only(bench: Bench, command: str) -> Counter[str]:
    """A folder that cannot be written; then it can."""
    with Mounted(fresh(bench), "256m") as mounted:
        mounted.again("ro")
        first = done(bench, command, mounted.folder)
        mounted.again("rw")
        again = done(bench, command, mounted.folder)
        odd = differences(bench.reference(command), mounted.folder)
        return seen(command, first, again, again.code == 0 and not odd, odd)


def marked(out: Path) -> bool:
    """Whether a run says that it works in the folder."""
    return out.is_dir() and any("in-use" in path.name for path in out.glob(".*"))


def hold_marked(process: Process, out: Path) -> bool:
    """Stop a process while its folder is marked; False for one that ended before."""
    while not process.ends(0):
        time.sleep(0.001)
        if marked(out):
            process.send(signal.SIGSTOP)
            if marked(out):
                return True
            process.send(signal.SIGCONT)
    return False


def two(bench: Bench, command: str) -> Counter[str]:
    """Hold a run once it has marked its folder; the second is told; the first goes on.

    On a busy machine a short run may end before it could be held: then nothing was tried, and it
    is started again.
    """
    for _ in range(ATTEMPTS):
        out = fresh(bench)
        process = Process(bench.arguments(command, out), bench.folder / "first.txt")
        held = hold_marked(process, out)
        if held:
            break
        process.ended()
    second = done(bench, command, out)
    if held:
        process.send(signal.SIGCONT)
    first = process.ended()
    odd = differences(bench.reference(command), out)
    told = held and second.one_line and "is in use by another run" in second.errors
    same = first.code == 0 and not odd
    if not (told and same):
        report_odd(f"{command}, two", second, first, odd)
    return Counter(
        tries=1,
        refused=int(told),
        same=int(same),
        bad=int(not (told and same)),
        tracebacks=first.traceback + second.traceback,
    )


def seen(command: str, first: Ended, again: Ended, same: bool, odd: list[str]) -> Counter[str]:
    good = first.one_line and same and not again.traceback
    if not good:
        report_odd(command, first, again, odd)
    return Counter(
        tries=1,
        refused=int(first.one_line),
        same=int(same),
        bad=int(not good),
        tracebacks=first.traceback + again.traceback,
    )


def report_odd(what: str, first: Ended, again: Ended, odd: list[str]) -> None:
    lines = [
        f"{what}: {first.code}, then {again.code}; other files: {', '.join(odd[:5]) or 'none'}"
    ]
    lines += [f"    {line}" for one in (first, again) for line in one.errors.splitlines()[-4:]]
    print("\n".join(lines), file=sys.stderr, flush=True)


def fresh(bench: Bench) -> Path:
    shutil.rmtree(bench.folder / "again", ignore_errors=True)
    out = bench.folder / "again" / "out"
    out.parent.mkdir()
    return out


class Mounted:
    """A file system in memory, with a folder ``out`` on it; needs the right to mount."""

    def __init__(self, out: Path, size: str) -> None:
        self.mount, self.folder, self.size = out.parent, out, size

    def __enter__(self) -> Mounted:
        self._run("mount", "-t", "tmpfs", "-o", f"size={self.size}", "tmpfs", str(self.mount))
        return self

    def again(self, options: str) -> None:
        """Mount it anew with other options; what it holds stays."""
        (self.mount / "filler").unlink(missing_ok=True) if options.startswith("size=256") else None
        self._run("mount", "-o", f"remount,{options}", str(self.mount))

    def __exit__(self, *_: object) -> None:
        self._run("umount", str(self.mount))

    def _run(self, *command: str) -> None:
        subprocess.run(command, check=True)


# ---------------------------------------------------------------- all of it


def table(title: str, heads: list[str], rows: dict[str, Counter[str]], keys: list[str]) -> None:
    print(f"\n{title}\n\n| command | {' | '.join(heads)} |\n|---|{'---:|' * len(heads)}")
    total: Counter[str] = sum(rows.values(), Counter())
    for name, counts in {**rows, "**all**": total}.items():
        print(f"| {name} | {' | '.join(str(counts[key]) for key in keys)} |", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=50, help="killed runs, over the commands")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--commands", nargs="+", choices=COMMANDS, default=list(COMMANDS))
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    asked = parser.parse_args()
    rng, bad = random.Random(asked.seed), 0
    with tempfile.TemporaryDirectory() as folder:
        bench, usual = made(Path(folder)), {}
        for command in COMMANDS:
            once = done(bench, command, bench.reference(command))
            if once.code:
                print(f"{command} undisturbed: {once.code}\n{once.errors}", file=sys.stderr)
                return 1
            usual[command] = once.seconds
        print(
            "seconds undisturbed:",
            {name: round(one, 1) for name, one in usual.items()},
            file=sys.stderr,
            flush=True,
        )
        trials: dict[str, Callable[[str], Counter[str]]] = {
            "full": lambda name: full(bench, name),
            "readonly": lambda name: read_only(bench, name),
            "two": lambda name: two(bench, name),
        }
        if "kill" in asked.parts:
            rows: dict[str, Counter[str]] = {name: Counter() for name in asked.commands}
            for at in range(asked.rounds):
                name = asked.commands[at % len(asked.commands)]
                rows[name] += killed(bench, name, usual[name], rng)
            table(
                "Killed",
                [
                    "rounds",
                    "killed before its end",
                    "same result",
                    "tracebacks",
                    "processes left",
                    "files left",
                ],
                rows,
                ["rounds", "killed", "same", "tracebacks", "orphans", "leftovers"],
            )
            bad += sum(row["bad"] for row in rows.values())
        for part in asked.parts:
            if part == "kill":
                continue
            rows = {name: trials[part](name) for name in asked.commands}
            heads = ["tries", "one line and status 2", "same result afterwards", "tracebacks"]
            keys = ["tries", "refused", "same", "tracebacks"]
            if part == "full":
                heads, keys = [*heads, "old result intact"], [*keys, "intact"]
            titles = {
                "full": "Disk full",
                "readonly": "Read-only folder",
                "two": "Two runs at once",
            }
            table(titles[part], heads, rows, keys)
            bad += sum(row["bad"] for row in rows.values())
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
