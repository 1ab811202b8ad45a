"""Colours of classes, twenty of them: for the window, and for files that other programs open.

The first six are Okabe and Ito's (https://jfly.uni-koeln.de/color) without black and yellow, of
which one vanishes on a dark canvas and the other on a light panel. The others were chosen one by
one, each as far as possible from all before it, for usual sight and for three kinds of colour
blindness (CIEDE2000; Machado, Oliveira and Fernandes 2009), with a lightness of 30 to 88. Any two
of the twenty are 16 apart for usual sight, and 8 for the others.
"""

from __future__ import annotations

__all__ = ["CLASS_COLORS"]

#: ``#RRGGBB``, in the order in which classes take them.
CLASS_COLORS = (
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#0072B2",
    "#8B172E",
    "#A2E88B",
    "#005D5D",
    "#0046B9",
    "#8B74FF",
    "#5DE8E8",
    "#B90074",
    "#5D7446",
    "#D1E800",
    "#B91700",
    "#745D8B",
    "#7400FF",
    "#FFB9B9",
    "#A2A25D",
)
