"""Regular expressions of unknown cost: compared in a process of their own, which a clock ends.

Some expressions take longer than the age of the universe on a name of forty characters, and
Python's matching cannot be interrupted. So whatever a user or a file brings runs elsewhere.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.wording import quoted

__all__ = ["LIMIT", "bounded_matches_job"]

# Seconds for all names together.
LIMIT = 5.0

_SCRIPT = """
import json, re, sys
expression, texts = json.load(sys.stdin)
compiled = re.compile(expression, re.IGNORECASE)
matched = []
for text in texts:
    match = None if text is None else compiled.fullmatch(text)
    matched.append(
        None if match is None else {name: value or "" for name, value in match.groupdict().items()}
    )
json.dump(matched, sys.stdout)
"""


def bounded_matches_job(
    expression: str, texts: Sequence[str | None], limit: float = LIMIT
) -> Job[list[dict[str, str] | None]]:
    """Named groups of each text that the whole expression fits, None for the others.

    Raises
    ------
    DataError
        Not done after ``limit`` seconds.
    """
    # Files, not pipes: a process that nobody reads from would wait for ever.
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as answer:
        given.write(json.dumps([expression, list(texts)]).encode())
        given.seek(0)
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _SCRIPT],
            stdin=given,
            stdout=answer,
            stderr=subprocess.DEVNULL,
        )
        try:
            started = time.monotonic()
            while process.poll() is None:
                passed = time.monotonic() - started
                if passed > limit:
                    raise DataError(
                        f"pattern {quoted(expression, 100)}: is not done with {len(texts):,} names "
                        f"after {limit:g} seconds; use fewer * and + that follow each other, or a "
                        "template"
                    )
                yield Progress(min(passed, limit), limit, "reading names")
                try:
                    process.wait(0.02)
                except subprocess.TimeoutExpired:
                    continue
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        answer.seek(0)
        content = answer.read()
    if process.returncode:
        raise DataError(f"pattern {quoted(expression, 100)}: could not be compared with names")
    matched: list[dict[str, str] | None] = json.loads(content)
    return matched
