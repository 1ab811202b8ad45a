"""Settings of a training, and of a classifier that is trained."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from napari_channelmix.bounds import (
    Batch,
    Bounds,
    Clip,
    Decay,
    Epochs,
    Name,
    Patience,
    PlainMixes,
    Rate,
    Seed,
    Share,
)
from napari_channelmix.settings.fields import About, settings, settings_of

__all__ = ["ClassifierSettings", "Constraint", "Device", "NetworkSettings", "TrainingSettings"]

Constraint = Literal["softmax", "nonneg", "over"]
Outside = Literal["keep", "hide"]
Text = Annotated[str, Field(max_length=4096)]
Margin = Annotated[int, Bounds(0, 1000)]
Device = Literal["auto", "cpu", "cuda", "mps"]


@settings
class TrainingSettings:
    """How a network is trained, whatever it learns.

    Attributes
    ----------
    epochs : int
        Most passes over the training cells.
    patience : int
        Epochs without a better validation score after which training stops.
    batch : int
        Crops in a step.
    rate : float
        Highest learning rate of AdamW; it warms up over the first epoch and falls along a cosine.
    decay : float
        Weight decay of AdamW; never applied to mixing weights.
    clip : float or None
        Greatest norm of a step's gradient, all parameters together; None for any.

    Examples
    --------
    >>> TrainingSettings(epochs=5).epochs
    5
    >>> TrainingSettings(epochs=0)
    Traceback (most recent call last):
    napari_channelmix.errors.ModelError: ...
    """

    epochs: Annotated[
        Epochs,
        About("Epochs", "most passes over the training cells; may stop earlier"),
    ] = 40
    patience: Annotated[
        Patience,
        About("Patience", "epochs without a better score until training stops", advanced=True),
    ] = 10
    batch: Annotated[Batch, About("Batch", "cells in a training step", advanced=True)] = 64
    rate: Annotated[
        Rate, About("Learning rate", "highest learning rate of AdamW", advanced=True)
    ] = 2e-3
    decay: Annotated[Decay, About("Weight decay", "weight decay of AdamW", advanced=True)] = 1e-3
    clip: Annotated[
        Clip | None, About("Gradient clip", "greatest norm of a step's gradient", advanced=True)
    ] = None

    @property
    def training(self) -> TrainingSettings:
        """How the network is trained, without anything else."""
        return settings_of(TrainingSettings, self)


@settings
class NetworkSettings(TrainingSettings):
    """A network of crops, how its cells are divided, and where it is computed.

    Attributes
    ----------
    network : str
        A name of `network_names`, or of a library that is installed: ``timm:NAME``,
        ``torchvision:NAME``, ``transformers:NAME``.
    constraint : {"softmax", "nonneg", "over"}
        How the weights of a mixing layer are kept non-negative; see `ChannelMix`.
    held_out : float
        Share of the cells that are held out, in whole groups.
    seed : int
        Decides first weights, order, augmentation and the cells held back.
    device : {"auto", "cpu", "cuda", "mps"}
    """

    network: Annotated[
        Name,
        About(
            "Network",
            "small fits crops of 24 to 128 pixels; tiny is faster; also timm:NAME, "
            "torchvision:NAME, transformers:NAME where these are installed",
            metavar="NAME",
        ),
    ] = "small"
    constraint: Annotated[
        Constraint,
        About("Weight constraint", "how blending weights stay non-negative", advanced=True),
    ] = "softmax"
    held_out: Annotated[
        Share,
        About(
            "Test fraction",
            "share of the cells that are held out, in whole groups",
            metavar="SHARE",
        ),
    ] = 0.25
    seed: Annotated[Seed, About("Random seed", "the same seed gives the same result")] = 0
    device: Annotated[Device, About("Device", "where to compute", advanced=True)] = "auto"


@settings
class ClassifierSettings(NetworkSettings):
    """How a classifier is trained and measured.

    Attributes
    ----------
    weights : str
        Safetensors file with the weights to start from, all of the same network (behind the mixing
        layer, where there is one); empty: random ones.
    mixes : int
        Blended images in front of the network (DCMIX); 0 for a plain one.
    outside : {"keep", "hide"}
        Whether crops show what lies outside the outline of the cell. ``hide``: it is filled with
        background, in training and wherever the classifier is asked; see
        `Cells.without_surroundings`. Cells need outlines then.
    margin : int
        Pixels around the outline that stay where the outside is hidden.

    Examples
    --------
    >>> settings = ClassifierSettings(network="tiny", epochs=5)
    >>> settings.epochs, settings.seed
    (5, 0)
    """

    weights: Annotated[
        Text,
        About(
            "Starting weights",
            "safetensors file of the same network to start from; never downloaded",
            metavar="FILE",
            advanced=True,
        ),
    ] = ""
    mixes: Annotated[
        PlainMixes, About("Blended channels", "blended images in front of the network; 0: none")
    ] = 0
    outside: Annotated[
        Outside,
        About(
            "Outside the cell",
            "keep what lies outside the outline of a cell in its crop, or hide it: fill it with "
            "background",
            advanced=True,
        ),
    ] = "keep"
    margin: Annotated[
        Margin,
        About(
            "Margin",
            "pixels around the outline that stay where the outside is hidden",
            metavar="PX",
            advanced=True,
        ),
    ] = 3
