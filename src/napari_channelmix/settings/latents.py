"""Settings of the latents of a data set."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from napari_channelmix.bounds import (
    DrawingSteps,
    Epochs,
    Flag,
    Limit,
    Name,
    PathText,
    Rate,
    Replay,
    Seed,
    Tuning,
)
from napari_channelmix.errors import ModelError
from napari_channelmix.settings.cluster import ClusterSettings
from napari_channelmix.settings.fields import About, settings, settings_of

__all__ = ["EncodingSettings", "FinetuneSettings", "LatentsSettings"]


@settings
class FinetuneSettings:
    """How a copy of an encoder is fine-tuned on cells, without labels.

    Attributes
    ----------
    epochs : int
        Passes over the cells.
    replay : float
        Sprites for each cell in a batch, 0 to 1.
    rate : float
        Highest learning rate.
    seed : int

    Examples
    --------
    >>> FinetuneSettings(epochs=5).epochs
    5
    """

    epochs: Annotated[Epochs, About("Epochs", "passes over the cells")] = 20
    replay: Annotated[
        Replay, About("Sprites", "sprites for each cell in a batch, 0 to 1", advanced=True)
    ] = 0.25
    rate: Annotated[Rate, About("Learning rate", "highest learning rate", advanced=True)] = 2e-4
    seed: Annotated[Seed, About("Random seed", "the same seed gives the same weights")] = 0


@settings
class EncodingSettings(ClusterSettings):
    """How cells are encoded, whichever they are and whatever of them is looked at.

    Attributes
    ----------
    model : str
        Name or path of the encoder.
    features : str or None
        Network whose features of a picture are encoded in place of its pixels; None: pixels.
    finetune : int
        Epochs of fine-tuning; 0 encodes with the weights as they are.
    drawing : {"named", "residual"}
        Whether cells are drawn from the named latents alone, or from residual latents as well,
        which are learnt from these cells in minutes; the named latents are the same either way.
    drawing_steps : int
        Steps of learning to draw, with ``drawing="residual"``.
    pixels : bool
        Whether a classifier of the pixels is trained on the same folds, for comparison; takes
        minutes.
    seed : int
    workers, scheduler, retries
        See `ClusterSettings`; latents do not depend on them.

    Examples
    --------
    >>> EncodingSettings(finetune=5).finetune
    5
    """

    model: Annotated[
        PathText,
        About(
            "Encoder",
            "texture-sprites (colours), cell-sprites (one channel), or a file",
            metavar="NAME|FILE",
        ),
    ] = "texture-sprites"
    features: Annotated[
        PathText | None,
        About(
            "Features",
            "encode the features of a network in place of pixels: efficientnet-lite0 (an extra), a "
            "classifier's file, or the folder of a vision model; traversals are then real cells, "
            "and place and turn are hardly read",
            metavar="NAME|FILE|DIR",
            advanced=True,
        ),
    ] = None
    finetune: Annotated[
        Tuning,
        About(
            "Fine-tuning",
            "epochs of fine-tuning on these cells, without labels (20 is usually enough)",
            metavar="EPOCHS",
        ),
    ] = 0
    drawing: Annotated[
        Literal["named", "residual"],
        About(
            "Drawing",
            "named: draw the named latents alone; residual: learn to draw these cells (minutes)",
        ),
    ] = "named"
    drawing_steps: Annotated[
        DrawingSteps,
        About(
            "Drawing steps",
            "steps of learning to draw these cells (0.1 to 0.2 s each on one core)",
            metavar="N",
            advanced=True,
        ),
    ] = 1000
    pixels: Annotated[
        Flag,
        About(
            "Pixels",
            "train a classifier of the pixels on the same folds, for comparison (minutes)",
            advanced=True,
        ),
    ] = False
    seed: Annotated[Seed, About("Random seed", "the same seed gives the same latents")] = 0

    @property
    def encoding(self) -> EncodingSettings:
        """How the cells are encoded, without which they are."""
        return settings_of(EncodingSettings, self)


@settings
class LatentsSettings(EncodingSettings):
    """How the cells of a data set are encoded.

    Attributes
    ----------
    channel : str or None
        Look at this channel alone.
    sum : str or None
        Look at the sum of these channels as one grey picture: names or patterns such as ``CD*``,
        with commas between them, ``membrane`` or ``rims``; see `drl.channel_view.summed_channels`.
    limit : int or None
        Encode this many cells; see `run.explain_dataset.chosen_cells`. None: all.
    view : View or None
        What of the channels is looked at, where it is more than ``channel`` and ``sum`` can say.
    """

    channel: Annotated[Name | None, About("Input", "use this channel alone", metavar="NAME")] = None
    sum: Annotated[
        Name | None,
        About(
            "Sum",
            "use the sum of these channels as one grey picture: names or patterns with commas "
            "between them (CD3,CD4 or CD*), membrane (the membrane markers by name) or rims (those "
            "measured to be brightest at the outlines)",
            metavar="NAMES",
        ),
    ] = None
    limit: Annotated[
        Limit | None,
        About("Cells", "encode N cells, spread over the data set (default: all)", metavar="N"),
    ] = None
    view: Any = None

    @property
    def looked_at(self) -> Any:
        """What of the channels is looked at, as `drl.latents` takes it.

        Raises
        ------
        ModelError
            Both a channel and a sum.
        """
        if self.channel is not None and self.sum is not None:
            raise ModelError("one channel or a sum of several is looked at: leave one of them out")
        if self.view is not None:
            return self.view
        if self.sum is not None:
            return [name for name in self.sum.split(",") if name.strip()]
        return self.channel
