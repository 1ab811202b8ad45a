"""What attributions, mean maps and their reliability show of themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.crop_pictures import grey, map_over_grey, png_of_row, stretched
from napari_channelmix.errors import DataError
from napari_channelmix.result_display import Picture, Summary
from napari_channelmix.wording import counted, listed

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "attribution_summary",
    "map_titles",
    "mean_maps_summary",
    "reliability_frame",
    "reliability_summary",
]

# Cells in the picture of a card, and classes that are named.
SHOWN, CLASSES = 6, 8
NOT_TESTED = "the maps were not tested: explain(..., reliability=True) tells which may be read"


def attribution_summary(result: Any) -> Summary:
    """Of an `Attribution`: of what, what speaks against it, and some maps over their cells."""
    targets, counts = np.unique(result.target, return_counts=True)
    kinds = ", ".join(
        f"{result.classes[code]} ({count})"
        for code, count in zip(targets.tolist(), counts.tolist(), strict=True)
    )
    facts = [
        f"n = {counted(len(result), 'cell')}",
        f"method {result.method}",
        f"classes explained: {kinds}",
        f"{result.seconds_per_cell:.2g} s per cell",
    ]
    warnings, lines = list(result.warnings), []
    if result.reliability is None:
        warnings.insert(0, NOT_TESTED)
    else:
        facts.insert(1, result.reliability.readable_text)
        lines = list(result.reliability.lines)
    chosen = np.unique(np.linspace(0, len(result) - 1, SHOWN).astype(np.int64))
    pictures: tuple[Picture, ...] = ()
    try:
        greys, words = result.source.greys(chosen)
    except DataError as error:
        warnings.insert(0, str(error))
    else:
        pairs = [
            picture
            for below, heatmap in zip(greys, result.maps[chosen], strict=True)
            for picture in (below, map_over_grey(below, heatmap))
        ]
        titles = "; ".join(map_titles(result, chosen))
        also = f" ({words})" if words else ""
        caption = f"each cell, and its map over it{also}: {titles}"
        pictures = (Picture(png_of_row(pairs), caption),)
    return Summary("Attribution", facts, warnings, lines, None, None, pictures)


def map_titles(result: Any, rows: Any) -> list[str]:
    """A title for each map: the cell, its target, and whether it may be read."""
    titles = []
    for row in rows.tolist():
        code = int(result.target[row])
        name = result.source.name_of(int(result.source.numbers[row]))
        mark = ""
        if result.reliability is not None and not result.reliability.readable(row):
            mark = " (do not read)"
        probability = float(result.probabilities[row][code])
        titles.append(f"{name}: {result.classes[code]} ({probability:.2f}){mark}")
    return titles


def mean_maps_summary(result: Any) -> Summary:
    """Of `MeanMaps`: a row per class, and the mean maps over the mean cells."""
    pictures = []
    for index, name in enumerate(result.classes):
        crop = result.crops[index]
        of_all = len(result.channels) != len(crop)
        below = grey(crop) if result.greys is None else result.greys[index]
        row = [
            map_over_grey(below if of_all else stretched(crop)[place], heatmap)
            for place, heatmap in enumerate(result.maps[index])
        ]
        caption = (
            f"{name}: mean cell, and its mean map for {', '.join(result.channels)} "
            f"(n = {int(result.n[index])}, {counted(int(result.groups[index]), 'group')})"
        )
        pictures.append(Picture(png_of_row([below, *row]), caption))
    facts = (
        f"n = {counted(int(result.n.sum()), 'map')}",
        f"classes: {listed(result.classes, CLASSES)}",
        f"aligned: {result.align}",
    )
    warnings = [line for line in result.lines if not line.startswith("cells were aligned")]
    lines = [line for line in result.lines if line not in warnings]
    return Summary("Mean maps", facts, warnings, lines, None, result.to_frame(), pictures[:4])


def reliability_summary(result: Any) -> Summary:
    """Of a `Reliability`: how many maps may be read, and a row for each."""
    warnings = [] if result.share_readable > 0 else ["none of these maps may be read"]
    return Summary(
        "Reliability of the maps",
        (result.readable_text,),
        warnings,
        result.lines,
        None,
        reliability_frame(result),
    )


def reliability_frame(result: Any) -> pd.DataFrame:
    """A row per map; see `Reliability.to_frame`."""
    import pandas as pd

    count, test = len(result), result.against_chance
    nothing = np.full(count, np.nan)
    return pd.DataFrame(
        {
            "verdict": [result.verdict(row) for row in range(count)],
            "readable": [result.readable(row) for row in range(count)],
            "srg": result.fidelity.srg,
            "insertion": result.fidelity.insertion,
            "deletion": result.fidelity.deletion,
            "gain": test.gain,
            "p_value": test.p_value,
            "better_than_chance": result.better_than_chance,
            "randomisation": nothing if result.randomisation is None else result.randomisation,
            "stability": result.stability,
            "staying": result.staying,
            "words": [" ".join(result.words(row)) for row in range(count)],
        }
    )
