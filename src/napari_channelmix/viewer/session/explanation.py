"""What is asked of a cell, and all that is known of the answer. It knows no Qt."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.settings import Question

if TYPE_CHECKING:
    from napari_channelmix.data.display_limits import DisplayLimits
    from napari_channelmix.pcim import Attribution, Reliability
    from napari_channelmix.pcim.channel_contributions import ChannelContributions
    from napari_channelmix.pcim.channel_reliability import ChannelReliability
    from napari_channelmix.pcim.scores import Fidelity
    from napari_channelmix.whatif.evidence_shares import EvidenceShares

__all__ = ["Box", "Explanation", "Question"]

FloatArray = npt.NDArray[np.float32]
#: Edges y0, x0, y1, x1 in pixels of a field of view.
Box = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class Explanation:
    """All that is known so far of why a cell is called what it is called.

    Attributes
    ----------
    cell, field : int
        Positions in ``cells`` and ``cells.fields``.
    box : (int, int, int, int)
        y0, x0, y1, x1 in pixels of the field; it may reach beyond its border.
    channels, classes : tuple of str
        Those of the classifier.
    crops : (C, H, W) float32 array
    map : (H, W) float32 array or None
    magnitude : (H, W) float32 array or None
        How much evidence there is at a pixel, for the class or against it; comes with ``map``.
    channel_maps : (C, H, W) float32 array or None
        Made after ``map``, with a mask for each channel; their sum is not ``map``.
    probabilities : (K,) float32 array or None
    target : int or None
        The class that is explained.
    attribution : Attribution or None
        Once the map is finished.
    fidelity, reliability
        Once they are measured.
    warnings : tuple of str
    called : str
        The id of the cell, as the user knows it.
    output : str
        What the numbers of a model made elsewhere mean, once the map is finished.
    doubts : tuple of str
        What the labels of all cells say against the model; they may be painted anew.
    caveats : tuple of str
        What to mind beside the map, a sentence each, once it is finished: a close prediction, what
        limits the classifier; see `pcim.caveats`.
    prior : str
        Which prior the probabilities have, in words, once the map is finished.
    training : str
        Whether the classifier was trained on the cell, once the map is finished; see
        `phenotypes.held_out`.
    limits : DisplayLimits or None
        Grey values that become black and white in the pictures of every cell.
    contributions : ChannelContributions or None
        What each channel contributes to this decision, once channels were exchanged.
    contributions_known : bool
        Whether they were looked for: there are none of one channel.
    channel_reliability : ChannelReliability or None
        How far the maps of the channels that decide can be trusted, once that is tested.
    shares : EvidenceShares or None
        Where the evidence lies, of this one cell, once the map is finished.
    """

    question: Question
    cell: int
    field: int
    box: Box
    channels: tuple[str, ...]
    classes: tuple[str, ...]
    crops: FloatArray = dataclasses.field(repr=False)
    map: FloatArray | None = dataclasses.field(default=None, repr=False)
    magnitude: FloatArray | None = dataclasses.field(default=None, repr=False)
    channel_maps: FloatArray | None = dataclasses.field(default=None, repr=False)
    probabilities: FloatArray | None = dataclasses.field(default=None, repr=False)
    target: int | None = None
    attribution: Attribution | None = dataclasses.field(default=None, repr=False)
    fidelity: Fidelity | None = dataclasses.field(default=None, repr=False)
    reliability: Reliability | None = dataclasses.field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    called: str = ""
    output: str = ""
    doubts: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
    prior: str = ""
    training: str = ""
    limits: DisplayLimits | None = dataclasses.field(default=None, repr=False)
    contributions: ChannelContributions | None = dataclasses.field(default=None, repr=False)
    contributions_known: bool = False
    shares: EvidenceShares | None = None
    channel_reliability: ChannelReliability | None = None

    @property
    def name(self) -> str:
        """What the cell is called in the window."""
        return self.called or str(self.cell)

    @property
    def nbytes(self) -> int:
        """Memory of its arrays, about."""
        # The attribution keeps maps and crops of its own.
        count = 2 if self.channel_maps is None else 2 + len(self.channels)
        height, width = self.crops.shape[1:]
        return int(2 * self.crops.nbytes + 2 * 4 * count * height * width)
