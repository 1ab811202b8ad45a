"""``python -m napari_channelmix`` is the command line."""

from __future__ import annotations

import sys

from napari_channelmix.run.cli import main

if __name__ == "__main__":
    sys.exit(main())
