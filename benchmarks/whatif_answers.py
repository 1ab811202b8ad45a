"""What is known of each set, asked by transplants, flips, channel importance, audit and a clock."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
from whatif_figures import Aim, Measured, Questioned, at_least, at_most
from whatif_rules import KNOWN_CHANNELS
from whatif_sets import Case, untrained

import napari_channelmix as cm
from napari_channelmix.whatif.axes import named
from napari_channelmix.whatif.axis_table import axes_of
from napari_channelmix.whatif.crops import cell_crops

Found = Iterator[tuple[str, Measured, Aim | None]]
