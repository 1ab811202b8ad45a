"""The window closed at random moments while jobs run: nothing may crash, hang, complain or stay.

    python benchmarks/closings.py [--rounds 40] [--seed 0] [--at-once 1]

Each round is a process of its own with a real window: some docks open, one to four jobs at work on
tiny synthetic cells. At a random moment the window is closed in one of `WAYS`. Counted are
segmentation faults and other bad exit codes, tracebacks and Qt's complaints on stderr, ends that
take longer than 10 s, and processes or threads that are alive 5 s after. Where the computer is busy
with other work, seconds are those it would have taken alone: the slowdown of a plain loop is
measured around each round. Prints a table in Markdown; exits with 1 where anything went wrong.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WAYS = {
    "viewer": "`viewer.close()`",
    "window": "`close()` of the main window",
    "manager": "by the window manager, napari's question answered with yes",
    "docks": "docks closed while their jobs run, then the window",
    "quit": "`QApplication.quit()`",
    "script": "the script ends without closing anything",
}
JOBS = ("opening", "training", "importance", "explaining all", "latents", "fine-tuning")
# Seconds for the end of the process, and for what may still be alive after a dock was closed.
LONGEST, AFTER = 10.0, 5.0
# Seconds in which the round is prepared.
PREPARED = 300.0
COMPLAINTS = re.compile(
    r"Traceback|Fatal|Segmentation|QThread: Destroyed|wrapped C/C\+\+ object|Timers cannot be|"
    r"different thread|Exception ignored|RuntimeError|still alive"
)


# -------------------------------------------------------------------- one round, in its process


class Round:
    """A window with docks and jobs, and its end."""

    def __init__(self, seed: int) -> None:
        import napari

        import napari_channelmix as cm
        from napari_channelmix.data.samples import synthetic_plate
        from napari_channelmix.viewer.page_parts.open_page import open_dock
        from napari_channelmix.viewer.session.session import Trained

        self.random = random.Random(seed)
        self.way = list(WAYS)[seed % len(WAYS)]
        self.jobs = self.random.sample(JOBS, self.random.randint(1, 4))
        cells = synthetic_plate(wells=4, cells_per_well=8, side=96, crop=24).cells
        self.viewer = napari.Viewer()
        self.viewer.window.resize(1100, 700)
        wanted = {
            "opening": "Images and cells",
            "training": "Classifier",
            "importance": "Channel importance",
            "explaining all": "Explain a cell",
            "latents": "Latent traversals",
            "fine-tuning": "Latent traversals",
        }
        names = {"Images and cells", *(wanted[job] for job in self.jobs)}
        names |= set(self.random.sample(["Report and script", "Annotate", "Phenotypes"], 1))
        self.docks = {name: open_dock(self.viewer, name, front=False) for name in sorted(names)}
        workspace = open_dock(self.viewer, "Workspace")
        for name in sorted(names):
            if self.random.random() < 0.3:
                workspace.take_out(name)
        self.session = self.docks["Images and cells"].session
        self.docks["Images and cells"].open_cells(cells)
        self.pump(lambda: self.session.shown is not None)
        model = cm.train_classifier(cells, network="tiny", epochs=1, device="cpu")
        self.session.trained = Trained(model, "made for this round")
        self.pump(lambda: False, 0.3)

    def pump(self, done: Any, seconds: float = 60.0) -> None:
        """Let the window live until something is so, or for some seconds."""
        from qtpy.QtWidgets import QApplication

        end = time.monotonic() + seconds
        while not done() and time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.003)

    def start(self, job: str) -> None:
        """Start a job as the button of its dock does."""
        docks = self.docks
        if job == "opening":
            docks["Images and cells"].open_sample("synthetic_plate")
        elif job == "training":
            docks["Classifier"].network.setCurrentText("tiny")
            docks["Classifier"].epochs.setValue(500)
            docks["Classifier"].start()
        elif job == "importance":
            docks["Channel importance"].start()
        elif job == "explaining all":
            docks["Explain a cell"].many.explain_all()
        else:
            docks["Latent traversals"].settings.finetune.setChecked(job == "fine-tuning")
            docks["Latent traversals"].start()

    def end(self) -> None:
        """Close the window in the way of this round."""
        from qtpy.QtWidgets import QApplication

        self.at_work = self.session.running
        print(f"closing {time.time():.3f} {self.way} {len(self.at_work)}", flush=True)
        if self.way == "viewer":
            self.viewer.close()
        elif self.way == "window":
            self.viewer.window._qt_window.close()  # no public way to it
        elif self.way == "manager":
            self._by_the_window_manager()
        elif self.way == "docks":
            self._docks_first()
            self.viewer.close()
        elif self.way == "quit":
            QApplication.quit()

    def _by_the_window_manager(self) -> None:
        from qtpy.QtCore import QTimer
        from qtpy.QtWidgets import QApplication, QDialog

        def yes() -> None:
            for widget in QApplication.topLevelWidgets():
                if isinstance(widget, QDialog) and widget.isVisible():
                    widget.accept()

        self._answer = QTimer()
        self._answer.timeout.connect(yes)
        self._answer.start(50)
        # Qt takes it for one from outside, so that napari asks.
        self.viewer.window._qt_window.windowHandle().close()
        self._answer.stop()

    def _docks_first(self) -> None:
        import gc

        from napari_channelmix.viewer.tasks.task import Task

        # The workspace, and pages that are out.
        for widget in list(self.viewer.window.dock_widgets.values()):
            # Some by napari's close button, which destroys the dock; some from a script. A page
            # goes back into the workspace, if that is still there.
            if self.random.random() < 0.5:
                widget.parent().destroyOnClose()
            else:
                self.viewer.window.remove_dock_widget(widget)
        tasks = [one for one in gc.get_objects() if isinstance(one, Task)]
        self.pump(lambda: not any(task.threads for task in tasks), AFTER * slowdown())
        left = sum(task.threads for task in tasks)
        if left:
            print(f"{left} threads still alive", file=sys.stderr, flush=True)


def one_round(seed: int) -> None:
    import faulthandler

    import napari
    from qtpy.QtCore import QTimer

    faulthandler.enable()
    this = Round(seed)
    for job in this.jobs:
        this.start(job)
        this.pump(lambda: False, this.random.uniform(0, 0.3))
    this.pump(lambda: False, this.random.uniform(0, 3))
    if this.way == "script":
        this.end()
        return
    if "CLOSINGS_TRACE" in os.environ:
        faulthandler.dump_traceback_later(4, repeat=True)
    QTimer.singleShot(0, this.end)
    napari.run()
    print(f"ended {time.time():.3f}", flush=True)


# -------------------------------------------------------------------- all rounds


@dataclass(frozen=True)
class Outcome:
    """What came of a round."""

    seed: int
    way: str
    jobs: int
    seconds: float
    code: int
    orphans: int
    complaint: str

    @property
    def good(self) -> bool:
        """Whether the window went without a trace."""
        return not (self.code or self.orphans or self.complaint or self.seconds > LONGEST)


def alive(group: int) -> int:
    """Processes of a session that are still alive, as Linux tells."""
    count = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        count += int(fields[3]) == group and fields[0] != "Z"
    return count


def slowdown() -> float:
    """How many seconds pass for one of this process's own, at present."""
    wall, own = time.perf_counter(), time.process_time()
    while time.process_time() - own < 0.25:
        sum(range(1000))
    return max(1.0, (time.perf_counter() - wall) / (time.process_time() - own))


def watched(seed: int) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        paths = {f"XDG_{what}_HOME": folder for what in ("DATA", "CACHE", "CONFIG")}
        log, words = Path(folder) / "stderr", Path(folder) / "stdout"
        with log.open("w") as errors, words.open("w") as out:
            process = subprocess.Popen(
                [sys.executable, __file__, "--one", str(seed)],
                stdout=out,
                stderr=errors,
                env={**os.environ, **paths},
                start_new_session=True,
            )
            begun, closing, slow = time.time(), None, slowdown()
            while process.poll() is None:
                time.sleep(0.02)
                closing = closing or _closing(words)
                late = time.time() - (closing[0] if closing else begun)
                if late > slow * (3 * LONGEST if closing else PREPARED):
                    # Where it hangs.
                    process.send_signal(signal.SIGABRT)
                    process.wait()
            seconds = time.time() - (closing or _closing(words) or (begun,))[0]
        slow = (slow + slowdown()) / 2
        end = time.monotonic() + AFTER * slow
        while alive(process.pid) and time.monotonic() < end:
            time.sleep(0.1)
        orphans = alive(process.pid)
        if orphans:
            os.killpg(process.pid, signal.SIGKILL)
        closing = closing or _closing(words)
        text = log.read_text()
        bad = COMPLAINTS.search(text)
        complaint = text[max(0, bad.start() - 200) :] if bad else ""
        if closing is None:
            complaint = f"never came to be closed: {text}"
        way, jobs = (closing[1], closing[2]) if closing else (list(WAYS)[seed % len(WAYS)], 0)
        return Outcome(seed, way, jobs, seconds / slow, process.returncode, orphans, complaint)


def _closing(words: Path) -> tuple[float, str, int] | None:
    match = re.search(r"^closing (\S+) (\S+) (\d+)$", words.read_text(), re.MULTILINE)
    return (float(match[1]), match[2], int(match[3])) if match else None


def table(outcomes: list[Outcome]) -> str:
    lines = [
        "| closed | rounds | jobs at work | slowest (s) | crashes | tracebacks | hangs | left |",
        "|---|---|---|---|---|---|---|---|",
    ]
    rows = [(WAYS[way], [one for one in outcomes if one.way == way]) for way in WAYS]
    for name, those in [*rows, ("all", outcomes)]:
        if those:
            lines.append(
                "| "
                + " | ".join(
                    [
                        name,
                        str(len(those)),
                        str(sum(one.jobs for one in those)),
                        f"{max(one.seconds for one in those):.1f}",
                        str(sum(one.code != 0 for one in those)),
                        str(sum(bool(one.complaint) for one in those)),
                        str(sum(one.seconds > LONGEST for one in those)),
                        str(sum(one.orphans for one in those)),
                    ]
                )
                + " |"
            )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--at-once", type=int, default=1)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one is not None:
        one_round(chosen.one)
        return 0
    outcomes = []
    with ThreadPoolExecutor(chosen.at_once) as pool:
        for one in pool.map(watched, range(chosen.seed, chosen.seed + chosen.rounds)):
            outcomes.append(one)
            word = "good" if one.good else f"BAD {one}\n{one.complaint}"
            print(f"{one.seed} {one.way} {one.jobs} {one.seconds:.1f} {word}", file=sys.stderr)
    print(table(outcomes))
    return int(not all(one.good for one in outcomes))


if __name__ == "__main__":
    sys.exit(main())
