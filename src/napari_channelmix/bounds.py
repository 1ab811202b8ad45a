"""Which numbers and texts a setting may have: one list for configs, commands, functions and docks.

A number that no run could mean (a seed of twenty digits, a million threads) is refused before
anything is computed or memory is asked for.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from napari_channelmix.errors import ChannelMixError, ModelError
from napari_channelmix.wording import quoted

__all__ = [
    "BOUNDS",
    "MOST_COLORS",
    "Batch",
    "Bounds",
    "Clip",
    "Crop",
    "Decay",
    "Epochs",
    "Finite",
    "Flag",
    "Forwards",
    "Index",
    "Limit",
    "LongText",
    "Mixes",
    "Name",
    "PathText",
    "Patience",
    "PlainMixes",
    "Positive",
    "Rate",
    "Replay",
    "Retries",
    "Seed",
    "Seeds",
    "Share",
    "Size",
    "Steps",
    "Threads",
    "Tuning",
    "Workers",
    "argument",
    "argument_within",
    "hold",
]

#: Colours of channels that can be told apart in one picture of three numbers a pixel.
MOST_COLORS = 6


@dataclass(frozen=True)
class Bounds:
    """Between which numbers a setting lies.

    Attributes
    ----------
    least, most : int or float
    whole : bool
        Whether it is a whole number.
    between : bool
        Whether ``least`` and ``most`` themselves are outside.
    label : str
        How messages name the setting; empty: by its own name.
    """

    least: float
    most: float
    whole: bool = True
    between: bool = False
    label: str = ""

    def refusal(self, value: object) -> str:
        """Why a value is refused (``must be ...``), or nothing where it is not."""
        number = _plain(value)
        if self.whole and not isinstance(number, int):
            return f"must be a whole number, not {quoted(value)}"
        if not isinstance(number, int | float):
            return f"must be a number, not {quoted(value)}"
        if self.between:
            if self.least < number < self.most:
                return ""
            return f"must lie between {self.least:g} and {self.most:g}, not {quoted(value)}"
        if isinstance(number, float) and not math.isfinite(number):
            return f"must be a finite number, not {quoted(value)}"
        if number < self.least:
            return f"must be {self._text(self.least)} or more, not {quoted(value)}"
        if number > self.most:
            return f"must be {self._text(self.most)} or less, not {quoted(value)}"
        return ""

    def checked(self, value: Any) -> Any:
        """The value as a plain number.

        Raises
        ------
        ValueError
            As pydantic takes it.
        """
        refusal = self.refusal(value)
        if refusal:
            raise ValueError(refusal)
        number = _plain(value)
        return number if self.whole else float(number)

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """As pydantic takes it from ``Annotated[int, bounds]``."""
        return core_schema.no_info_before_validator_function(self.checked, handler(source))

    def _text(self, number: float) -> str:
        return str(int(number)) if self.whole else f"{number:g}"


def _plain(value: Any) -> Any:
    """A number of NumPy as one of Python; True and False are no numbers."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    return value.item() if kind in "iuf" and kind and getattr(value, "ndim", 1) == 0 else None


BOUNDS = {
    # NumPy takes no more.
    "seed": Bounds(0, 2**32 - 1, label="the seed"),
    "threads": Bounds(0, 1024),
    # GiB.
    "memory": Bounds(0, 2**20, whole=False),
    "workers": Bounds(0, 1024),
    "retries": Bounds(0, 100),
    "epochs": Bounds(1, 100_000),
    "patience": Bounds(1, 100_000),
    "batch": Bounds(1, 65_536),
    "seeds": Bounds(1, 1000),
    "folds": Bounds(2, 1000),
    "mixes": Bounds(1, 64),
    "plain_mixes": Bounds(0, 64, label="mixes"),
    "finetune": Bounds(0, 100_000, label="epochs of fine-tuning"),
    "drawing_steps": Bounds(100, 1_000_000, label="steps of learning to draw"),
    "forwards": Bounds(2, 1_000_000),
    "limit": Bounds(1, 10**9),
    "steps": Bounds(3, 101),
    "crop": Bounds(4, 4096),
    "index": Bounds(0, 2**63 - 1),
    "rate": Bounds(0, 1, whole=False, between=True),
    "decay": Bounds(0, 10, whole=False),
    "replay": Bounds(0, 1, whole=False),
    "clip": Bounds(0, 1e9, whole=False, between=True),
    "held_out": Bounds(0, 1, whole=False, between=True, label="share of held-out cells"),
}


def hold(error: Callable[[str], ChannelMixError] = ModelError, **values: object) -> None:
    """Refuse settings outside their `BOUNDS`; a value that is None is not given.

    Raises
    ------
    ChannelMixError
        Of the type ``error``, with the name of the first setting that is refused.
    """
    for name, value in values.items():
        bounds = BOUNDS[name]
        refusal = "" if value is None else bounds.refusal(value)
        if refusal:
            raise error(f"{bounds.label or name} {refusal}")


def argument(name: str) -> Callable[[str], float]:
    """What `argparse` reads a setting of `BOUNDS` with."""
    return argument_within(BOUNDS[name], name)


def argument_within(bounds: Bounds, name: str) -> Callable[[str], float]:
    """What `argparse` reads a number within bounds with; ``name`` is that of the setting."""

    def read(text: str) -> float:
        try:
            number: Any = int(text) if bounds.whole else float(text)
        except ValueError:
            number = text
        refusal = bounds.refusal(number)
        if refusal:
            raise argparse.ArgumentTypeError(f"{bounds.label or name} {refusal}")
        return float(number) if not bounds.whole else int(number)

    return read


def _text(value: str) -> str:
    if "\0" in value:
        raise ValueError("holds a NUL character")
    return value


# The same bounds as types of pydantic.
Seed = Annotated[int, BOUNDS["seed"]]
Threads = Annotated[int, BOUNDS["threads"]]
Workers = Annotated[int, BOUNDS["workers"]]
Retries = Annotated[int, BOUNDS["retries"]]
Epochs = Annotated[int, BOUNDS["epochs"]]
Patience = Annotated[int, BOUNDS["patience"]]
Batch = Annotated[int, BOUNDS["batch"]]
Seeds = Annotated[int, BOUNDS["seeds"]]
Mixes = Annotated[int, BOUNDS["mixes"]]
PlainMixes = Annotated[int, BOUNDS["plain_mixes"]]
Tuning = Annotated[int, BOUNDS["finetune"]]
DrawingSteps = Annotated[int, BOUNDS["drawing_steps"]]
Forwards = Annotated[int, BOUNDS["forwards"]]
Limit = Annotated[int, BOUNDS["limit"]]
Steps = Annotated[int, BOUNDS["steps"]]
Rate = Annotated[float, BOUNDS["rate"]]
Decay = Annotated[float, BOUNDS["decay"]]
Clip = Annotated[float, BOUNDS["clip"]]
Replay = Annotated[float, BOUNDS["replay"]]
Crop = Annotated[int, BOUNDS["crop"]]
Share = Annotated[float, BOUNDS["held_out"]]
# Checked by pydantic itself: there may be a million of them.
Index = Annotated[int, Field(strict=True, ge=0, le=2**63 - 1)]
Size = Annotated[int, Field(strict=True, ge=1, le=10**12)]
Finite = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Positive = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
Flag = Annotated[bool, Field(strict=True)]
Name = Annotated[str, Field(max_length=1000)]
LongText = Annotated[str, Field(max_length=20_000)]
PathText = Annotated[str, Field(min_length=1, max_length=4096), AfterValidator(_text)]
