"""What speaks against using a channel: it is constant, a copy, has hot pixels, or is dim.

1. Some cells, of every field of view and every class.
2. Figures of each channel in them; see `data.channel_figures`.
3. How alike each two channels are.
4. Channels that are constant in the cells of one field: all of its cells are looked at.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.channel_figures import (
    COPY,
    ChannelFigures,
    channel_figures,
    likeness,
    pixels_of,
)
from napari_channelmix.data.pixel_scaling import RAW
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress, drain
from napari_channelmix.wording import counted, fraction, listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from napari_channelmix.data.cell_boxes import CellBoxes
    from napari_channelmix.progress_bar import ShowProgress

__all__ = [
    "KINDS",
    "ChannelNote",
    "ChannelNotes",
    "channel_notes",
    "channel_notes_job",
    "middle_of",
    "sampled_cells",
]

# How a line of each kind begins, the gravest first.
_BEGIN = {
    "constant": "constant channels",
    "copy": "copies of other channels",
    "hot pixels": "channels with hot pixels",
    "dim": "dim channels",
    "constant in a field": "channels that are constant in an image",
}
#: Kinds of notes, the gravest first.
KINDS = tuple(_BEGIN)
# Hot pixels that are said: so many, and so many of a million.
HOT, HOT_OF_A_MILLION = 3, 10.0
# Signal from which a channel is not dim, in standard deviations of the noise of a pixel: what has
# half of the brightest light is then five above the ground (the criterion of Rose). Noise alone has
# about 1, the percentile 99.9 of means of nine pixels.
DIM = 10.0
# Bytes of the crops that are looked at; cells, at least and at most; cells of each class; and of a
# field in which a channel seems to be constant. Side of the middle of larger crops.
BYTES, FEWEST, MOST, OF_CLASS, OF_FIELD, SIDE = 64 * 2**20, 24, 600, 12, 500, 64
# Cells of a field that must be constant before the others are looked at.
SEEMS = 2


@dataclass(frozen=True)
class ChannelNote:
    """One thing that speaks against a channel.

    Attributes
    ----------
    channel, kind : str
        See ``KINDS``.
    text : str
        What is shown, with the figure that made it so: ``copy of AF (r = .99)``.
    other : str
        The channel it is a copy of, or the field in which it is constant.
    value : float
        The figure: the constant value, the correlation, hot pixels of a million, signal to noise.
    """

    channel: str
    kind: str
    text: str
    other: str = ""
    value: float = float("nan")

    @property
    def short(self) -> str:
        """A word or two: ``dim``, ``copy of AF``."""
        if self.kind == "copy":
            return f"copy of {self.other}"
        return f"constant in {self.other}" if self.kind == "constant in a field" else self.kind


@dataclass(frozen=True, eq=False)
class ChannelNotes:
    """What speaks against the channels of a data set, and the figures of each.

    Attributes
    ----------
    name : str
        The data set.
    channels : tuple of str
    n : int
        Cells that were looked at.
    n_fields : int
        Fields of view that they lie in.
    notes : tuple of ChannelNote
        In the order of the channels.
    figures : tuple of ChannelFigures
    likest : tuple of (str, float)
        For each channel the one it correlates with most, and the correlation.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> crops = rng.normal(100, 5, (40, 3, 12, 12))
    >>> crops[:, 0, 4:8, 4:8] += 200
    >>> crops[:, 1, 2:5, 7:10] += 200
    >>> crops[:, 2] = 7
    >>> blank = cm.Cells.from_array(crops.round(), ["DNA", "CD8", "blank"])
    >>> cm.channel_notes(blank).lines
    ('constant channels: blank (7)',)
    """

    name: str
    channels: tuple[str, ...]
    n: int
    n_fields: int
    notes: tuple[ChannelNote, ...] = ()
    figures: tuple[ChannelFigures, ...] = field(default=(), repr=False)
    likest: tuple[tuple[str, float], ...] = field(default=(), repr=False)

    def of(self, channel: str) -> tuple[ChannelNote, ...]:
        """The notes of a channel."""
        return tuple(note for note in self.notes if note.channel == channel)

    def noted(self, *kinds: str) -> tuple[str, ...]:
        """Channels with a note of these kinds, in their order; default: of all kinds.

        Those that are constant in single fields only are not among all.
        """
        chosen = kinds or KINDS[:-1]
        named = {note.channel for note in self.notes if note.kind in chosen}
        return tuple(name for name in self.channels if name in named)

    @property
    def lines(self) -> tuple[str, ...]:
        """A line for each kind that there is, with all channels it is said of."""
        lines = []
        for kind in KINDS:
            of_kind = [note for note in self.notes if note.kind == kind]
            if of_kind:
                lines.append(f"{_BEGIN[kind]}: {listed(map(_short, of_kind), 40)}")
        return tuple(lines)

    @property
    def text(self) -> str:
        """How much was looked at."""
        return (
            f"{counted(self.n, 'cell')} of {counted(self.n_fields, 'image')} were looked at for "
            "notes on channels"
        )

    def to_frame(self) -> pd.DataFrame:
        """A row per channel: ``channel``, ``note``, its figures, ``likest``, ``correlation``."""
        import pandas as pd

        rows = [
            {
                "channel": name,
                "note": "; ".join(note.text for note in self.of(name)),
                **asdict(figures),
                "signal_to_noise": figures.signal_to_noise,
                "likest": likest,
                "correlation": correlation,
            }
            for name, figures, (likest, correlation) in zip(
                self.channels, self.figures, self.likest, strict=True
            )
        ]
        return pd.DataFrame(rows)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "n": self.n,
            "n_fields": self.n_fields,
            "notes": [
                {
                    "channel": note.channel,
                    "kind": note.kind,
                    "text": note.text,
                    "other": note.other,
                    "value": note.value if np.isfinite(note.value) else None,
                }
                for note in self.notes
            ],
        }


def _short(note: ChannelNote) -> str:
    """What is said of a channel in the line of a kind."""
    if note.kind == "constant":
        return f"{note.channel} ({note.value:g})"
    if note.kind == "copy":
        return f"{note.channel} of {note.other} (r = {fraction(note.value)})"
    if note.kind == "hot pixels":
        return f"{note.channel} ({note.value:.0f} of a million)"
    if note.kind == "dim":
        return f"{note.channel} ({note.value:.1f} times the noise)"
    return f"{note.channel} in {note.other}"


def channel_notes(cells: CellBoxes, *, progress: ShowProgress = None) -> ChannelNotes:
    """Look at some cells for what speaks against using a channel.

    ``constant``: one value in all pixels. ``copy``: correlates by .98 or more with a channel before
    it. ``hot pixels``: three or more, and ten or more of a million, are far above all of their
    neighbours. ``dim``: the signal is less than ten standard deviations of the noise of a pixel.
    ``constant in a field``: one value in all cells of a field of view, and not elsewhere. Our
    definitions; see `data.channel_figures`.

    Parameters
    ----------
    cells : Cells
        Up to 600 of them are read, of all fields of view and all classes, and no more than take
        64 MiB.
    progress : bool or callable, optional
        True: a bar, also in a notebook; a function: called with each `Progress`.

    Raises
    ------
    DataError
        No cells, pixels that cannot be read.

    Examples
    --------
    >>> notes = cm.channel_notes(cells)
    >>> notes.channels, notes.n
    (('GFP', 'DNA'), 40)
    >>> notes.to_frame()["maximum"].round().tolist()
    [11.0, 11.0]
    """
    return drain(channel_notes_job(cells), progress)


def channel_notes_job(cells: CellBoxes) -> Job[ChannelNotes]:
    """`channel_notes` as a job: a step for each batch of cells and each channel."""
    if not len(cells):
        raise DataError(f"{cells.name}: there are no cells to look at")
    # Notes are of the channels as the files have them: clipped, hot pixels are no longer seen.
    cells = replace(cells, scaling=RAW)
    chosen = sampled_cells(cells)
    total = len(chosen) + len(cells.channels)
    pixels: list[npt.NDArray[np.float32]] = []
    positions: list[npt.NDArray[np.int64]] = []
    done = 0
    for rows, crops in cells.passes(32, chosen):
        positions.append(rows)
        pixels.append(middle_of(crops))
        done += len(rows)
        yield Progress(done, total, "looking at the channels")
    looked_at, crops = np.concatenate(positions), np.concatenate(pixels)
    figures, compared = [], []
    for channel in range(len(cells.channels)):
        figures.append(channel_figures(crops[:, channel]))
        compared.append(pixels_of(crops[:, channel], figures[-1].high))
        yield Progress(len(chosen) + channel + 1, total, "looking at the channels")
    alike = likeness(np.stack(compared))
    pairs = yield from _constant_in_fields_job(cells, looked_at, crops, figures)
    in_fields = [(place, cells.field_names[index]) for place, index in pairs]
    return ChannelNotes(
        cells.name,
        cells.channels,
        len(chosen),
        len(np.unique(cells.table["field"].to_numpy(np.int64)[chosen])),
        _notes(cells.channels, figures, alike, in_fields),
        tuple(figures),
        _likest(cells.channels, alike),
    )


def sampled_cells(cells: CellBoxes) -> npt.NDArray[np.int64]:
    """Cells (n,) that stand for all: spread evenly over the fields, and some of every class."""
    side = min(cells.crop, SIDE)
    each = 4 * len(cells.channels) * side * side
    count = min(len(cells), max(FEWEST, min(MOST, BYTES // each)))
    order = np.argsort(cells.table["field"].to_numpy(np.int64), kind="stable")
    parts = [order[np.linspace(0, len(cells) - 1, count).astype(np.int64)]]
    labels = cells.labels
    for code in range(min(len(cells.classes), count // OF_CLASS)):
        members = np.flatnonzero(labels == code)
        some = np.linspace(0, len(members) - 1, min(len(members), OF_CLASS))
        parts.append(members[some.astype(np.int64)])
    return np.unique(np.concatenate(parts))


def middle_of(crops: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The middle of large crops; a copy, as the memory of a pass is used again."""
    start = max(0, (crops.shape[-1] - SIDE) // 2)
    inside = slice(start, start + SIDE)
    return np.array(crops[:, :, inside, inside])


def _constant_in_fields_job(
    cells: CellBoxes,
    looked_at: npt.NDArray[np.int64],
    crops: npt.NDArray[np.float32],
    figures: Sequence[ChannelFigures],
) -> Job[list[tuple[int, int]]]:
    """Channels and fields of view in whose cells they are constant, though not in all cells."""
    fields = cells.table["field"].to_numpy(np.int64)
    low, high = crops.min(axis=(2, 3)), crops.max(axis=(2, 3))
    varying = np.array([not one.constant for one in figures], bool)
    result: list[tuple[int, int]] = []
    used = np.unique(fields)
    if len(used) < 2:
        return result
    for index in np.unique(fields[looked_at]).tolist():
        here = fields[looked_at] == index
        flat = varying & (high[here].max(axis=0) <= low[here].min(axis=0))
        members = np.flatnonzero(fields == index)
        if not flat.any() or here.sum() < min(SEEMS, len(members)):
            continue
        names = [cells.channels[place] for place in np.flatnonzero(flat)]
        some = members[np.unique(np.linspace(0, len(members) - 1, OF_FIELD).astype(np.int64))]
        lows, highs = np.full(len(names), np.inf), np.full(len(names), -np.inf)
        for _, part in cells.with_channels(names).passes(64, some):
            lows = np.minimum(lows, part.min(axis=(0, 2, 3)))
            highs = np.maximum(highs, part.max(axis=(0, 2, 3)))
            yield Progress(0, 1, "looking at single images")
        still = np.flatnonzero(flat)[highs <= lows]
        result += [(place, index) for place in still.tolist()]
    return result


def _notes(
    channels: Sequence[str],
    figures: Sequence[ChannelFigures],
    alike: npt.NDArray[np.float64],
    in_fields: Sequence[tuple[int, str]],
) -> tuple[ChannelNote, ...]:
    notes = []
    for place, (name, own) in enumerate(zip(channels, figures, strict=True)):
        if own.constant:
            text = f"constant ({own.minimum:g})"
            notes.append(ChannelNote(name, "constant", text, value=own.minimum))
            continue
        before = alike[place, :place]
        if place and before.max() >= COPY:
            # The first of several copies is what the others are copies of.
            other = int(np.argmax(before >= COPY))
            value = float(before[other])
            text = f"copy of {channels[other]} (r = {fraction(value)})"
            notes.append(ChannelNote(name, "copy", text, channels[other], value))
        share = 1e6 * own.hot / max(1, own.pixels)
        if own.hot >= HOT and share >= HOT_OF_A_MILLION:
            text = f"hot pixels ({share:.0f} of a million)"
            notes.append(ChannelNote(name, "hot pixels", text, value=share))
        if own.signal_to_noise < DIM:
            value = own.signal_to_noise
            text = f"dim (signal {value:.1f} times the noise of a pixel)"
            notes.append(ChannelNote(name, "dim", text, value=value))
        for fields in [names for channel, names in in_fields if channel == place]:
            notes.append(ChannelNote(name, "constant in a field", f"constant in {fields}", fields))
    return tuple(notes)


def _likest(
    channels: Sequence[str], alike: npt.NDArray[np.float64]
) -> tuple[tuple[str, float], ...]:
    if len(channels) < 2:
        return (("", float("nan")),) * len(channels)
    others = alike.copy()
    np.fill_diagonal(others, -np.inf)
    nearest = others.argmax(axis=1)
    return tuple((channels[to], float(others[own, to])) for own, to in enumerate(nearest.tolist()))
