"""Four jobs from an empty window, by real mouse and keys: how many clicks, how many decisions.

A: a TIFF of seven channels and a table of points and classes -> an explained cell. B: a folder of
single-channel files named by well -> a trained classifier. C: six files without labels -> two
classes given by hand. D: an RGB picture -> latents. `four_jobs_ways.py` holds the way of each,
`four_jobs_data.py` makes the files, `four_jobs_hand.py` clicks and counts.

Rules:

- An action is a press of the mouse, a drag, a drop of files, a key, or a text typed with its
  Enter. A list costs two: one opens it, one takes a line. A file dialog costs two beside the press
  that opens it: the path, Enter. A menu costs one for each of its levels.
- Actions outside the window (a table edited in a spreadsheet, lines typed in an editor) count as
  one each: a program opened, a line typed, a file saved.
- A decision is a point where the user has to choose between alternatives, nothing was proposed,
  and a wrong choice gives a wrong answer. What the job is about (which cells are of a class) is
  none. Each is listed in words.
- A trap, which no count shows, is a way that goes wrong without a word.
- The window is napari's, 1280 x 800, with nothing in it. The user is attentive and knows no TOML;
  the way is the shortest that gives the right answer, which is checked: cells, channels with their
  names, classes.
- Moving the mouse, scrolling and waiting are free. To save time networks are small and trained
  for few epochs; that is set without being counted, since a user need not.

What was needed before is kept in `four_jobs_before.json`: it was counted by the same rules on the
commit that stands there, by the script of the revision that stands there.

    xvfb-run -a -s "-screen 0 1600x1000x24" python benchmarks/four_jobs.py --pictures FOLDER
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
import traceback
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from four_jobs_hand import CountingHand, Step
from four_jobs_ways import WAYS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["AIMS", "before", "counts", "table"]

SIZE = (1280, 800)
# Actions and decisions aimed at, by the letter of the job.
AIMS = {"A": (12, 3), "B": (10, 2), "C": (20, 4), "D": (10, 3)}
BEFORE = Path(__file__).with_name("four_jobs_before.json")


def before() -> dict[str, Any]:
    """What was needed before: the commit, the revision of the script, steps of each job."""
    kept: dict[str, Any] = json.loads(BEFORE.read_text("utf-8"))
    for job in kept["jobs"].values():
        job["steps"] = [
            Step(kind, words) for kind, words, *times in job["steps"] for _ in range(*times or [1])
        ]
    return kept


def counts(steps: Iterable[Step]) -> tuple[int, int]:
    """Actions and decisions."""
    steps = list(steps)
    return sum(step.counts for step in steps), sum(step.kind == "decision" for step in steps)


def run(name: str, folder: Path, pictures: Path | None = None) -> dict[str, Any]:
    """Do a job in a window of its own: its steps, its answer, how long it took."""
    import napari

    begun = time.perf_counter()
    viewer = napari.Viewer()
    viewer.window.resize(*SIZE)
    hand = CountingHand(viewer, pictures, name)
    hand.pause(0.5)
    try:
        answer = WAYS[name].go(hand, folder)
        wrong = ""
    except AssertionError as error:
        answer, wrong = {}, str(error)
        hand.take("failed")
    if hand.workspace is not None:
        hand.workspace.halt()
    viewer.close()
    hand.pause(0.3)
    seconds = round(time.perf_counter() - begun)
    return {"steps": hand.steps, "answer": answer, "wrong": wrong, "seconds": seconds}


def listed(steps: Sequence[Step]) -> list[str]:
    """A line for each step; the same again is counted."""
    lines, number = [], 0
    for step, same in groupby(steps):
        times = len(list(same))
        if step.counts:
            where = " (outside the window)" if step.kind == "outside" else ""
            many = f" x {times}" if times > 1 else ""
            lines.append(f"{number + 1:4d}  {step.words}{where}{many}")
            number += times
        else:
            lines.append(f"      {step.kind}: {step.words}")
    return lines


def table(results: dict[str, Any]) -> list[str]:
    """The table of the documentation: before, now and aim of each job."""
    kept = before()
    lines = [
        "| job | clicks before | now | aim | decisions before | now | aim |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, result in results.items():
        way, (aim, most) = WAYS[name], AIMS[name[0]]
        earlier = kept["jobs"][way.before]["steps"]
        (clicks, decisions), now = counts(earlier), counts(result["steps"])
        outside = sum(step.kind == "outside" for step in earlier)
        where = f"{clicks} ({outside} outside the window)" if outside else str(clicks)
        cells = (way.title, where, now[0], aim, decisions, now[1], most)
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return [*lines, "", f"Before: commit {kept['commit']}, script of revision {kept['script']}."]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--jobs", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--pictures", type=Path, help="keep a picture of every step in this folder")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        # The user's own settings and files are neither read nor written.
        os.environ["NAPARI_CONFIG"] = str(Path(home) / "settings.yaml")
        import platformdirs

        platformdirs.user_cache_path = lambda *_, **__: Path(home) / "cache"
        platformdirs.user_data_path = lambda *_, **__: Path(home) / "user"
        # As napari does it: without, an error in a slot ends the program.
        sys.excepthook = traceback.print_exception
        kept, results = before(), {}
        for name in args.jobs:
            way, folder = WAYS[name], Path(home) / name
            folder.mkdir()
            earlier = kept["jobs"][way.before]["steps"]
            print(f"\n{name}: {way.title}")
            print(f"  before, on {kept['commit']} by the script of {kept['script']}:")
            print(*listed(earlier), sep="\n")
            results[name] = result = run(name, folder, args.pictures)
            print(f"  now ({result['seconds']} s):", *listed(result["steps"]), sep="\n")
            print(f"  {result['wrong'] or result['answer']}", flush=True)
    print("", *table(results), sep="\n")
    if args.json:
        args.json.write_text(json.dumps(results, indent=1, default=vars) + "\n", encoding="utf-8")
    return 1 if any(result["wrong"] for result in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
