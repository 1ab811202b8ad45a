"""What commands do with arguments that several of them have."""

from __future__ import annotations

import argparse
from typing import Any

from napari_channelmix.errors import ModelError

__all__ = ["model_on_device", "named_model", "named_prior", "say"]


def named_model(args: argparse.Namespace) -> Any:
    """The classifier that was named, with what it does not say itself."""
    from napari_channelmix.classify import load_model

    return load_model(
        args.model,
        channels=args.channel_names,
        classes=args.class_names,
        mean=args.mean,
        std=args.std,
        output=args.output,
        select=args.select,
        size=_size(args.size),
        resize=args.resize,
        allow_code=args.allow_code,
    )


def _size(sides: list[int] | None) -> tuple[int, int] | None:
    """Height and width from a side, or from both.

    Raises
    ------
    ModelError
        More than two.
    """
    if sides is None:
        return None
    if len(sides) > 2:
        given = " ".join(map(str, sides))
        raise ModelError(f"--size {given}: give a side in pixels, or height and width")
    return sides[0], sides[-1]


def model_on_device(args: argparse.Namespace) -> Any:
    """The classifier that was named, where it is to compute."""
    from napari_channelmix.classify.device import choose_device

    model = named_model(args)
    return model.to(choose_device(args.device)) if hasattr(model, "to") else model


def named_prior(args: argparse.Namespace) -> str | dict[str, float] | None:
    """The prior that was named."""
    from napari_channelmix.classify.priors import prior_argument

    return prior_argument(args.prior)


def say(args: argparse.Namespace, text: str) -> None:
    """Print, unless quiet."""
    if not args.quiet:
        print(text, flush=True)
