"""The latents of the session's cells, as a job, and what was chosen for it.

PyTorch is imported where the job begins, never with the page.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from napari_channelmix.computing import leave_a_core
from napari_channelmix.jobs import Job, Progress, drain, mapped_results, part
from napari_channelmix.settings import FinetuneSettings
from napari_channelmix.viewer.charts.colors import is_photo

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.drl import Latents, View
    from napari_channelmix.settings import EncodingSettings

__all__ = ["EPOCHS", "Look", "find_latents_job", "view_of"]

Color = tuple[float, float, float]

# Passes over the cells when the disentangler is to get used to them.
EPOCHS = FinetuneSettings().epochs


@dataclass(frozen=True)
class Look:
    """The channels that the encoder gets.

    Attributes
    ----------
    channels : tuple of str
    colors : tuple of colours or None
        Of each channel; None for those of `drl.channel_view.PALETTE`.
    shares : tuple of float or None
        Weight of each channel in one grey picture; colours are then of no account.
    summed : bool
        Whether ``channels`` are added up to one grey picture; until `resolved` they may then be
        patterns, or words for several: see `drl.channel_view.summed_channels`.
    """

    channels: tuple[str, ...]
    colors: tuple[Color, ...] | None = None
    shares: tuple[float, ...] | None = None
    summed: bool = False


def resolved(look: Look, cells: Cells) -> Look:
    """The same look, with the channels themselves where they are named by pattern or word.

    Raises
    ------
    DataError
        As `drl.channel_view.summed_channels`.
    """
    return drain(resolved_job(look, cells))


def resolved_job(look: Look, cells: Cells) -> Job[Look]:
    """`resolved` as a job: rims are measured in steps."""
    from napari_channelmix.drl.channel_view import summed_channels_job

    if not look.summed:
        return look
    return replace(look, channels=(yield from summed_channels_job(cells, look.channels)))


def view_of(look: Look, depth: int) -> View:
    """A look as the pictures of a disentangler of ``depth`` channels.

    Raises
    ------
    DataError
        More channels than there are colours, a blend without weight, a sum of no channels.
    """
    from napari_channelmix.drl import View

    if look.summed:
        return View.sum(look.channels, depth)
    if look.shares is not None:
        return View.blend(dict(zip(look.channels, look.shares, strict=True)), depth)
    if len(look.channels) == 1 and (depth == 1 or look.colors is None):
        return View.one(look.channels[0], depth)
    if look.colors is None:
        return View.colors(look.channels)
    if is_photo(look.channels):
        # Red, green and blue of one picture are what they are, whatever the layers' colours.
        return View.colors(look.channels)
    return View.colors(look.channels, dict(zip(look.channels, look.colors, strict=True)))


def find_latents_job(cells: Cells, settings: EncodingSettings, look: Look) -> Job[Latents]:
    """Load the disentangler and find the latents of all cells; ``partial`` as of `latents_job`.

    Raises
    ------
    DataError, ModelError
        As `drl.latents_job`.
    """
    yield Progress(0, 100, "loading PyTorch")
    import torch

    from napari_channelmix.drl import latents_job
    from napari_channelmix.drl.source_encoder import source_job
    from napari_channelmix.drl.sprites import sprite_set
    from napari_channelmix.drl.store import shipped

    leave_a_core()
    yield Progress(1, 100, "loading the weights")
    # That of features is learnt where it never was, which takes minutes.
    learnt = 50 if settings.features else 2
    look = yield from part(resolved_job(look, cells), 1, 0, 100)
    if settings.model in shipped():
        # What cannot be is said before that.
        view_of(look, sprite_set(settings.model).channels)
    loading = source_job(settings.model, settings.features, seed=settings.seed)
    of = yield from part(loading, 1, learnt - 1, 100)
    job = latents_job(cells, of, view=view_of(look, of.shape[0]), settings=settings.encoding)
    # What the latents themselves cannot know, and what is needed to find them again.
    again = {
        "disentangler": settings.model,
        "cells": cells.fingerprint,
        "threads": torch.get_num_threads(),
    }
    latents = yield from part(_traced(job, again), learnt, 100 - learnt, 100)
    return latents


def _traced(job: Job[Latents], again: dict[str, object]) -> Job[Latents]:
    """The job, with more in the provenance of its result, and of what is known of it before."""

    def with_origin(latents: Latents) -> Latents:
        return replace(latents, provenance={**latents.provenance, **again})

    return mapped_results(job, with_origin)
