"""Whether the window stays alive while other display channels are chosen, with many layers.

    python benchmarks/display_window.py [--channels 40] [--cells 600] [--repeats 3]

The script opens the planted multiplex tissue in a real window of 1280 x 800 pixels, brings the
gallery to the front and shows the markers of each class in turn. A timer beats every 5 ms; a block
is what a beat comes late. Beside it the blocks of the same window at rest: what the machine itself
does. It also says how long it takes until layers and gallery show the new channels. A screen is
needed, as by `xvfb-run -a -s "-screen 0 1280x800x24"`.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import napari
from gui_beats import Heartbeat, Living, figures

import napari_channelmix as cm
from napari_channelmix.viewer.layers.display_layers import display_layers_of
from napari_channelmix.viewer.page_parts.open_page import open_workspace

AIM = 200


class Window(Living):
    """The window with the planted set in it."""

    def __init__(self, path: Path) -> None:
        self.viewer = napari.Viewer()
        self.viewer.window.resize(1280, 800)
        self.workspace = open_workspace(self.viewer)
        self.session = self.workspace.session
        self.kept = display_layers_of(self.viewer)
        page = self.workspace.page("data")
        page.open_file(path)
        assert self.wait(lambda: self.session.shown is not None and not page.task.busy, 600)
        self.gallery = self.workspace.show_page("phenotypes").gallery
        assert self.wait(self.rested, 60)

    def rested(self) -> bool:
        """Whether layers and gallery show the display channels."""
        return not self.kept.busy and not self.gallery.reader.busy

    def markers_of(self, name: str) -> tuple[dict[str, Any], float]:
        """Show the markers of a class: the blocks, and the seconds until all show them."""
        beats, begun = Heartbeat(), time.perf_counter()
        self.workspace.header.legend.show_markers(name)
        # The gallery hears of it a little later.
        self.wait(lambda: False, 0.3)
        assert self.wait(self.rested, 60)
        return figures(beats.stop()), time.perf_counter() - begun


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--channels", type=int, default=40)
    parser.add_argument("--cells", type=int, default=600)
    parser.add_argument("--repeats", type=int, default=3)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = cm.multiplex_sample(
            Path(folder) / "set", cells=chosen.cells, channels=chosen.channels
        )
        window = Window(path)
        rest = window.idle()
        print(f"{chosen.channels} channels; display channels {window.session.display.channels}")
        print(f"at rest: longest block {rest['block_longest_ms']} ms")
        longest = 0.0
        for _ in range(chosen.repeats):
            for name in window.session.cells.classes:
                blocks, seconds = window.markers_of(name)
                longest = max(longest, blocks["block_longest_ms"])
                print(
                    f"markers of {name:12s} longest block {blocks['block_longest_ms']:6.1f} ms, "
                    f"99th percentile {blocks['block_p99_ms']:6.1f} ms, shown in {seconds:.2f} s"
                )
        print(f"longest of all {longest:.0f} ms; aimed at: {AIM} ms")
        window.viewer.close()


if __name__ == "__main__":
    main()
