"""Latents that move the real cell: edits of its own pixels, read back by the encoder.

It knows no Qt. For each latent that has an edit of the same meaning, the cell is edited by a series
of amounts and encoded each time; so it is known which amount brings it to a value of the latent,
and what the encoder says of the cell that was edited so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.drl.cell_drawing import picture_of_crop
from napari_channelmix.errors import ChannelMixError
from napari_channelmix.jobs import Job, Progress, part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_channelmix.classify.predictor import Predictor
    from napari_channelmix.classify.priors import Prior
    from napari_channelmix.data import Cells
    from napari_channelmix.drl import Latents
    from napari_channelmix.whatif.asking import Asker
    from napari_channelmix.whatif.axes import Axis
    from napari_channelmix.whatif.crops import CellCrops

__all__ = ["EDITS", "AxisEdit", "EditedCell", "RealCell", "real_cell_job"]

FloatArray = npt.NDArray[np.float32]

#: For each latent the edits that may move it: names of axes without their channel.
EDITS: dict[str, tuple[str, ...]] = {
    "Scale": ("size",),
    "Orientation": ("turn",),
    "Intensity": ("brightness",),
    "Rim": ("rim",),
    "Shape": ("roundness", "elongation"),
}
# Amounts that are tried: from one to the other, as far as the axis goes.
REACH: dict[str, tuple[float, float]] = {
    "size": (-1.0, 1.0),
    "turn": (-180.0, 180.0),
    "brightness": (-3.0, 3.0),
    "rim": (-1.0, 1.0),
    "roundness": (0.0, 1.0),
    "elongation": (-1.5, 1.5),
}
STEPS = 17
# An edit that moves its latent by less, in units of the latent, is none: values of a factor lie on
# -1.5 to 1.5.
LEAST = 0.15
TURN = 2 * np.pi
# Pictures that are encoded at a time.
BATCH = 16


@dataclass(frozen=True, eq=False)
class AxisEdit:
    """How an edit moves a latent of one cell.

    Attributes
    ----------
    latent : str
        Name of the axis of the encoder.
    axes : tuple of Axis
        The edit; one for each channel, where it is of channels.
    amounts : (A,) float32 array
    values : (A,) float array
        What the encoder says after each amount; angles in radians, without jumps.
    own : float
        What it says of the cell as it is.
    cyclic : bool
    """

    latent: str
    axes: tuple[Axis, ...]
    amounts: FloatArray = field(repr=False)
    values: npt.NDArray[np.float64] = field(repr=False)
    own: float
    cyclic: bool = False

    @property
    def reach(self) -> float:
        """How far it moves the latent."""
        return float(np.ptp(self.values))

    def amount_for(self, value: float) -> float:
        """The amount that brings the latent to a value, or as near as can be.

        Of several the one that changes the cell least.
        """
        target = value
        if self.cyclic:
            target = self.own + (value - self.own + np.pi) % TURN - np.pi
        neutral = self.axes[0].neutral
        best = abs(self.values - target).argmin()
        nearest = float(self.amounts[best])
        low, high = self.values[:-1], self.values[1:]
        crossed = np.flatnonzero((low - target) * (high - target) <= 0)
        amounts = []
        for place in crossed:
            step = high[place] - low[place]
            share = 0.0 if step == 0 else (target - low[place]) / step
            start, end = self.amounts[place], self.amounts[place + 1]
            amounts.append(float(start + share * (end - start)))
        return min(amounts, key=lambda amount: abs(amount - neutral), default=nearest)


@dataclass(frozen=True, eq=False)
class EditedCell:
    """The real cell after its latents were moved.

    Attributes
    ----------
    picture : (depth, 64, 64) uint8 array
        As the encoder gets it.
    wanted, read : dict of str to float
        For each latent that has an edit: by how much it was to move, and by how much it did.
    probabilities : (K,) float32 array or None
        What the classifier says of it.
    """

    picture: npt.NDArray[np.uint8] = field(repr=False)
    wanted: dict[str, float]
    read: dict[str, float]
    probabilities: FloatArray | None = field(default=None, repr=False)


@dataclass(frozen=True, eq=False)
class RealCell:
    """A cell whose own pixels are edited.

    Attributes
    ----------
    cell : int
    latents : Latents
    crops : CellCrops
        This one cell.
    step : float
        Pixels of the image for a pixel of the crop.
    edits : dict of str to AxisEdit
        By latent; only those that move it.
    asker : Asker or None
        The classifier, where there is one that fits.
    before : (K,) float32 array or None
        What it says of the cell as it is.
    """

    cell: int
    latents: Latents = field(repr=False)
    crops: CellCrops = field(repr=False)
    step: float
    edits: dict[str, AxisEdit] = field(repr=False)
    asker: Asker | None = field(default=None, repr=False)
    before: FloatArray | None = field(default=None, repr=False)

    def edited(self, moves: Mapping[str, float]) -> EditedCell:
        """Move latents to values; those without an edit stay.

        Raises
        ------
        ModelError
            As `whatif.axes.Axis`.
        """
        crops, wanted = self.crops, {}
        for name, edit in self.edits.items():
            if name not in moves:
                continue
            amount = edit.amount_for(moves[name])
            for axis in edit.axes:
                crops = axis(crops, amount)
            wanted[name] = _apart(moves[name], edit.own, edit.cyclic)
        picture = _drawn(self.latents, crops, self.step)
        z = self.latents.disentangler.encode(picture[None])[0]
        read = {
            name: _apart(_value(self.latents, z, name), self.edits[name].own, edit.cyclic)
            for name, edit in self.edits.items()
            if name in wanted
        }
        probabilities = None
        if self.asker is not None:
            own = [crops.channels.index(name) for name in self.asker.channels]
            probabilities = self.asker(crops.pixels[:, own])[0]
        return EditedCell(picture, wanted, read, probabilities)


def real_cell_job(
    latents: Latents, cell: int, model: Predictor | None = None, prior: Prior | None = None
) -> Job[RealCell]:
    """Read a cell and find out how edits move its latents; a job.

    Parameters
    ----------
    latents : Latents
    cell : int
    model : Predictor, optional
        The classifier that is asked about the edited cell.
    prior : Prior, optional

    Raises
    ------
    DataError, ModelError
        A cell that cannot be read; an edit that fails.
    """
    yield Progress(0, 10, "reading the cell")
    from napari_channelmix.whatif.axis_table import axes_of
    from napari_channelmix.whatif.crops import cell_crops

    cells, view = latents.cells, latents.prepared.how.view
    asker = None
    if model is not None:
        asker = yield from part(_asker_job(model, cells, prior), 0, 1, 10)
    more = () if asker is None else tuple(n for n in asker.channels if n not in view.channels)
    seen = cells.with_channels((*view.channels, *more))
    crops = cell_crops(seen, np.array([cell]))
    y0, _, y1, _ = cells.boxes[cell].tolist()
    step = (y1 - y0) / cells.crop
    edits: dict[str, AxisEdit] = {}
    axes = axes_of(crops)
    moving = [name for name in latents.axes() if name in EDITS]
    for place, name in enumerate(moving):
        yield Progress(1 + 9 * place / len(moving), 10, f"editing the cell along {name}")
        tried: list[AxisEdit] = []
        for own in _candidates(axes, name, view.channels):
            edit = yield from _calibrated_job(latents, crops, step, name, own)
            tried.append(edit)
        best = max(tried, key=lambda edit: edit.reach, default=None)
        if best is not None and best.reach >= LEAST:
            edits[name] = best
    before = None
    if asker is not None:
        before = asker(crops.pixels[:, [crops.channels.index(n) for n in asker.channels]])[0]
    return RealCell(cell, latents, crops, step, edits, asker, before)


def _asker_job(model: Predictor, cells: Cells, prior: Prior | None) -> Job[Asker | None]:
    from napari_channelmix.whatif.asking import asker_job

    try:
        asker, _ = yield from asker_job(model, cells, prior)
    except ChannelMixError:
        # Of these cells the classifier cannot be asked: the page says so elsewhere.
        return None
    return asker


def _candidates(
    axes: tuple[Axis, ...], latent: str, channels: tuple[str, ...]
) -> Iterator[tuple[Axis, ...]]:
    """The edits that may move a latent: those of channels are made to all that are looked at."""
    for kind in EDITS[latent]:
        of_channels = tuple(
            axis for axis in axes if axis.name in {f"{channel} {kind}" for channel in channels}
        )
        whole = tuple(axis for axis in axes if axis.name == kind)
        if of_channels or whole:
            yield of_channels or whole


def _calibrated_job(
    latents: Latents, crops: CellCrops, step: float, name: str, axes: tuple[Axis, ...]
) -> Job[AxisEdit]:
    """What the encoder says of the cell after each of some amounts; a job."""
    kind = axes[0].name if axes[0].channel is None else axes[0].name.split()[-1]
    low, high = REACH[kind]
    low, high = max(low, axes[0].low), min(high, axes[0].high)
    amounts = np.linspace(low, high, STEPS, dtype=np.float32)
    values: list[float] = []
    for start in range(0, STEPS, BATCH):
        pictures = []
        for amount in amounts[start : start + BATCH].tolist():
            edited = crops
            for axis in axes:
                edited = axis(edited, amount)
            pictures.append(_drawn(latents, edited, step))
        encoded = latents.disentangler.encode(np.stack(pictures))
        values += [_value(latents, z, name) for z in encoded]
        yield Progress(0, 1, f"editing the cell along {name}")
    own = _value(latents, latents.disentangler.encode(_drawn(latents, crops, step)[None])[0], name)
    cyclic = len(latents.disentangler.columns(name)) == 2
    known = np.array(values, np.float64)
    if cyclic:
        known = np.unwrap(known)
        # Of the turns of the circle that one in which the cell itself lies.
        at_rest = known[np.abs(amounts - axes[0].neutral).argmin()]
        known += own - at_rest - _apart(own, at_rest, True)
    return AxisEdit(name, axes, amounts, known, own, cyclic)


def _drawn(latents: Latents, crops: CellCrops, step: float) -> npt.NDArray[np.uint8]:
    """The cell as the encoder gets it."""
    view = latents.prepared.how.view
    own = [crops.channels.index(name) for name in view.channels]
    return picture_of_crop(crops.pixels[0, own], crops.cell[0], latents.prepared.how, step)


def _value(latents: Latents, z: FloatArray, name: str) -> float:
    """Where latents (Z,) lie on an axis; of a cyclic one the angle in radians."""
    columns = latents.disentangler.columns(name)
    if len(columns) == 1:
        return float(z[columns[0]])
    return float(np.arctan2(z[columns[1]], z[columns[0]]) % TURN)


def _apart(value: float, own: float, cyclic: bool) -> float:
    """From one value to another; angles the short way round."""
    apart = value - own
    return float((apart + np.pi) % TURN - np.pi) if cyclic else float(apart)
