"""The command line ``napari-channelmix``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from napari_channelmix.errors import ChannelMixError
from napari_channelmix.run.interrupts import terminated_as_interrupted
from napari_channelmix.run.parser import parser
from napari_channelmix.wording import path_shown

__all__ = ["main"]

STOPPED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; give its exit status: 0 done, 2 bad input, 130 stopped by Ctrl-C (SIGTERM)."""
    try:
        args = parser().parse_args(arguments)
    except SystemExit as end:
        # It has printed what is wrong, or what was asked for.
        return int(end.code or 0)
    if hasattr(sys.stdout, "reconfigure"):
        # A path whose bytes are no text is still printed.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        with terminated_as_interrupted():
            args.run(args)
    except ChannelMixError as error:
        print(f"napari-channelmix: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        # Of the system, where nothing of ours was in between: a full disk, a name too long.
        where = "" if error.filename is None else f"{path_shown(error.filename)}: "
        print(f"napari-channelmix: {where}{error.strerror or error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        note = "; the same command goes on from what was finished" if hasattr(args, "out") else ""
        print(f"napari-channelmix: stopped{note}", file=sys.stderr)
        return STOPPED
    return 0


if __name__ == "__main__":
    sys.exit(main())
