"""Settings of the latents of a data set."""

from __future__ import annotations

from typing import Annotated, Any

from napari_channelmix.bounds import Flag, Limit, Name, PathText, Seed, Tuning
from napari_channelmix.settings.fields import About, settings

__all__ = ["LatentsSettings"]


@settings
class LatentsSettings:
    """How the cells of a data set are encoded.

    Attributes
    ----------
    channel : str or None
        Look at this channel alone.
    finetune : int
        Epochs of fine-tuning.
    limit : int or None
        Encode this many cells; see `run.explaining.chosen_cells`. None: all.
    seed : int
    model : str
        Name or path of the disentangler.
    view : View or None
        What of the channels is looked at, where it is more than ``channel`` can say.
    pixels : bool
        Whether a classifier of the pixels is trained on the same folds, to stand beside.
    """

    channel: Annotated[Name | None, About("Input", "use this channel alone", metavar="NAME")] = None
    finetune: Annotated[
        Tuning,
        About(
            "Fine-tuning",
            "epochs of fine-tuning on these cells, without labels (20 is usually enough)",
            metavar="EPOCHS",
        ),
    ] = 0
    limit: Annotated[
        Limit | None,
        About("Cells", "encode N cells, spread over the data set (default: all)", metavar="N"),
    ] = None
    seed: Annotated[Seed, About("Random seed", "the same seed gives the same latents")] = 0
    model: Annotated[
        PathText,
        About(
            "Encoder",
            "texture-sprites (colours), cell-sprites (one channel), or a file",
            metavar="NAME|FILE",
        ),
    ] = "texture-sprites"
    view: Any = None
    pixels: Annotated[
        Flag,
        About(
            "Pixels",
            "train a classifier of the pixels on the same folds, for comparison (minutes)",
            advanced=True,
        ),
    ] = False
