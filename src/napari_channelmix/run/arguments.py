"""What commands do with arguments that several of them have."""

from __future__ import annotations

import argparse
from typing import Any

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
        size=None if args.size is None else tuple(args.size * 2)[:2],
        resize=args.resize,
        allow_code=args.allow_code,
    )


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
