"""What each channel contributes to the explained decisions: per chunk, in the report, in a picture.

The same figures as on the page 'Pixels': see `pcim.channel_contributions`, and of the maps of the
channels that decide `pcim.channel_reliability`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.display_limits import display_limits_job
from napari_channelmix.jobs import Job, Progress, part
from napari_channelmix.pcim.channel_contributions import channel_contributions, donors_job
from napari_channelmix.pcim.channel_reliability import channel_reliability_job
from napari_channelmix.pcim.map_figure import channel_maps_figure

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

    from napari_channelmix.data import Cells
    from napari_channelmix.pcim import Attribution
    from napari_channelmix.pcim.cell_source import Source

__all__ = [
    "channel_columns",
    "channels_content",
    "channels_picture_job",
    "contributions_job",
]

# Figures of each channel that are kept of each cell.
KEPT = ["fall", "low", "high", "sham", "above", "sign", "direction", "direction_low"]
KEPT += ["direction_high", "evidence"]
# Cells in the picture, and channels of each.
CELLS, TOP = 6, 8


def contributions_job(
    source: Source, cells: Source, result: Attribution, seed: int, *, tested: bool
) -> Job[list[dict[str, Any] | None]]:
    """What each channel contributes to the decision about each cell of a chunk, for JSON.

    ``source`` has all cells that are explained, ``cells`` those of the chunk. With ``tested`` the
    maps of each channel, where there are any, are tested: ``maps`` says how far those of the
    channels that decide can be trusted. None for a cell without: there is one channel, or no other
    cell is called otherwise.
    """
    # The same cells for all chunks, wherever these are computed.
    donors = yield from part(donors_job(source, seed=seed), 0, 1, len(result) + 1)
    kept: list[dict[str, Any] | None] = []
    for row in range(len(result)):
        yield Progress(row + 1, len(result) + 1, "exchanging channels")
        target = int(result.target[row])
        versus = None if result.versus is None else int(result.versus[row])
        of_cell = channel_contributions(cells, donors, target, versus, row)
        if of_cell is None:
            kept.append(None)
            continue
        maps = None if result.channel_maps is None else result.channel_maps[row]
        if maps is not None:
            of_cell = of_cell.with_evidence(maps)
        content = of_cell.as_dict()
        if maps is not None and tested:
            job = channel_reliability_job(cells, maps, of_cell, target, versus, row=row, seed=seed)
            of_maps = yield from part(job, row + 1, 1, len(result) + 1)
            content["maps"] = of_maps.as_dict()
        kept.append(content)
    return kept


def channels_content(parts: list[dict[str, Any]]) -> dict[str, Any] | None:
    """What ``explain.json`` says of the channels; None where it was not asked for."""
    if any(chunk.get("contributions") is None for chunk in parts):
        return None
    rows = [row for chunk in parts for row in chunk["contributions"]]
    content: dict[str, Any] = {
        "unit": "fall of the probability of the explained class, 0 to 1; intervals are at 95 %",
        "words": ["" if row is None else row["words"] for row in rows],
        "donors": [None if row is None else row["donors"] for row in rows],
        "groups": [None if row is None else row["groups"] for row in rows],
    }
    content |= {name: [None if row is None else row[name] for row in rows] for name in KEPT}
    if any(row is not None and "maps" in row for row in rows):
        content["maps"] = [None if row is None else row.get("maps") for row in rows]
    return content


def channel_columns(content: dict[str, Any]) -> dict[str, Any]:
    """Columns for the table of the cells: which channels decide, and how far each does."""
    known = content.get("contributions")
    if known is None:
        return {}
    columns: dict[str, Any] = {"decided by": known["words"]}
    for name, title in (("fall", "contribution of"), ("sign", "sign of")):
        rows = [[None] * len(content["channels"]) if row is None else row for row in known[name]]
        columns |= {
            f"{title} {channel}": [row[place] for row in rows]
            for place, channel in enumerate(content["channels"])
        }
    return columns


def channels_picture_job(
    cells: Cells,
    chosen_cells: npt.NDArray[np.int64],
    content: dict[str, Any],
    name_of: Callable[[int], str],
    maps_of: Callable[[int], npt.NDArray[np.float32]] | None,
) -> Job[Figure | None]:
    """Some cells, each in the eight channels that contribute most, as a job; None without maps.

    ``maps_of`` gives the maps (C, H, W) of a row; None where there are none of each channel.
    """
    known = content.get("contributions")
    if known is None or maps_of is None:
        return None
    rows = np.unique(np.linspace(0, len(chosen_cells) - 1, CELLS).astype(np.int64))
    rows = np.array([row for row in rows.tolist() if known["fall"][row] is not None], np.int64)
    if not len(rows):
        return None
    chosen = [_order(known, row)[:TOP] for row in rows.tolist()]
    crops = cells.read(chosen_cells[rows])
    # One scale for all cells: stretched by itself, a cell without a marker would show its noise.
    limits = yield from display_limits_job(cells)
    levels = limits.levels(crops)
    maps = [maps_of(row) for row in rows.tolist()]
    channels = content["channels"]
    titles = [
        [_title(channels[place], known, row, place) for place in places]
        for row, places in zip(rows.tolist(), chosen, strict=True)
    ]
    names = [
        f"{name_of(chosen_cells[row])}: {content['classes'][content['target'][row]]}"
        for row in rows.tolist()
    ]
    heading = (
        f"{cells.name}: the {len(chosen[0])} channels that contribute most to the class, and "
        "by how many points its probability falls without; in brackets: no more than its sham"
    )
    return channel_maps_figure(
        [level[places] for level, places in zip(levels, chosen, strict=True)],
        [each[places] for each, places in zip(maps, chosen, strict=True)],
        titles,
        names,
        heading,
    )


def _order(known: dict[str, Any], row: int) -> npt.NDArray[np.int64]:
    """As `ChannelContributions.order`, from what is kept."""
    fall, above = np.array(known["fall"][row]), np.array(known["above"][row], bool)
    return np.lexsort((-np.abs(fall), -np.where(above, fall, 0), ~above))


def _title(name: str, known: dict[str, Any], row: int, place: int) -> str:
    sign = {1: " +", -1: " \N{MINUS SIGN}", 0: ""}[known["sign"][row][place]]
    points = round(100 * known["fall"][row][place])
    return f"{name}{sign} {points}" if known["above"][row][place] else f"({name} {points})"
