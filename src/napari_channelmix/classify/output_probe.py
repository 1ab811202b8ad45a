"""Ask a model about a few crops, to find out what its numbers mean before they are used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_channelmix.classify.callables import failed, in_pieces, is_out_of_memory
from napari_channelmix.classify.output_selection import Select, selected
from napari_channelmix.classify.outputs import Reading, answers_of, reading_of
from napari_channelmix.errors import ModelError

__all__ = ["Ask", "changed_crops", "inferred_reading"]

FloatArray = npt.NDArray[np.float32]

# Crops asked at once.
AT_ONCE = 32
# Crops that are changed in several ways, and by what they are multiplied.
CHANGED = 8
GAINS = (0.25, 0.5, 2.0, 4.0)
# How far answers to the same crop may differ: as a share of their range, and of the largest.
UNSTEADY, ROUNDED = 0.02, 2e-3


class Ask:
    """A model of any kind as one that gives a table (n, K).

    Parameters
    ----------
    function : callable
        Takes crops, gives anything.
    who : str
        What messages call it.
    select : int, str or None
    output : Output
    columns : int, optional
        For messages.
    """

    def __init__(
        self,
        function: Callable[[Any], Any],
        who: str,
        select: Select = None,
        output: str = "auto",
        columns: int | None = None,
    ) -> None:
        self.function, self.who, self.select = function, who, select
        self.output, self.columns = output, columns

    def __call__(self, crops: FloatArray) -> Tensor:
        """Answers (n, K) on the CPU, without gradients.

        Raises
        ------
        ModelError
        """
        try:
            result = selected(self._result(crops), self.select, self.who)
            answers = answers_of(result, len(crops), self.who, self.output, self.columns)
        except ModelError:
            raise
        # A stranger's function may raise anything.
        except Exception as error:
            raise failed(self.who, error, crops.shape) from error
        return answers.detach().cpu()

    def _result(self, crops: FloatArray) -> Any:
        """What the function gives; half as many crops at once, and so on, where it takes no more.

        What it took is kept: it is not tried with more again.
        """
        try:
            return self.function(crops)
        except Exception as error:
            if len(crops) == 1 or isinstance(error, ModelError) or is_out_of_memory(error):
                raise
            count = len(crops) // 2
            while count:
                fewer = in_pieces(self.function, count)
                try:
                    result = fewer(crops)
                except Exception as refused:
                    if is_out_of_memory(refused):
                        raise
                    count //= 2
                    continue
                self.function = fewer
                return result
            raise error from None


def inferred_reading(
    ask: Callable[[FloatArray], Tensor],
    crops: FloatArray,
    output: str,
    who: str,
    classes: Sequence[str] | None = None,
) -> Reading:
    """What a model's numbers mean, from what it says of crops (n, C, H, W).

    Where it has to be found out, the crops are shown in changed forms as well: a few answers may
    look like probabilities by chance.

    Raises
    ------
    ModelError
        As `reading_of`.
    """
    answers = _answers(ask, crops)
    more = None
    if output == "auto":
        try:
            more = _answers(ask, changed_crops(crops))
        # It need not answer to what no image looks like.
        except Exception:
            more = None
    reading = reading_of(answers, output, who, classes=classes, more=more)
    return replace(reading, warnings=(*reading.warnings, *_unsteady(ask, crops, answers, who)))


def _unsteady(
    ask: Callable[[FloatArray], Tensor], crops: FloatArray, answers: Tensor, who: str
) -> tuple[str, ...]:
    """A line where a model says other things of the same crops: alone, or when asked again."""
    # Of a column: columns may lie far apart, however little each depends on the crops.
    room = UNSTEADY * float((answers.amax(dim=0) - answers.amin(dim=0)).max())
    room += ROUNDED * float(answers.abs().max())

    def differs(order: npt.NDArray[np.int64]) -> bool:
        again = ask(np.ascontiguousarray(crops[order]))
        return float((again.double() - answers[order].double()).abs().max()) > room

    every = np.arange(len(crops))[:AT_ONCE]
    if len(every) < 2:
        return ()
    try:
        if not differs(every[::-2].copy()):
            return ()
        random = differs(every)
    except Exception:
        return ()
    why = (
        "gives other outputs for the same crops when run again (dropout, noise?)"
        if random
        else "gives outputs that depend on the other crops of the batch (batch statistics?)"
    )
    return (f"{who} {why}: its maps and probabilities are not repeatable",)


def changed_crops(crops: FloatArray) -> FloatArray:
    """Some crops, brighter and darker, with their pixels shuffled, and without any structure."""
    some = crops[np.linspace(0, len(crops) - 1, min(CHANGED, len(crops))).astype(np.int64)]
    flat = some.reshape(*some.shape[:2], -1)
    order = np.random.default_rng(0).permutation(flat.shape[2])
    shuffled = flat[:, :, order].reshape(some.shape)
    constant = np.broadcast_to(flat.mean(axis=2)[:, :, None, None], some.shape)
    parts = [some * np.float32(gain) for gain in GAINS]
    return np.ascontiguousarray(np.concatenate([*parts, shuffled, constant]), dtype=np.float32)


def _answers(ask: Callable[[FloatArray], Tensor], crops: FloatArray) -> Tensor:
    """Answers to crops, as many at once as there is memory for."""
    parts: list[Tensor] = []
    done, size = 0, AT_ONCE
    while done < len(crops):
        try:
            # Copies: a stranger's function may write into what it is given.
            parts.append(ask(crops[done : done + size].copy()))
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            if size == 1:
                height, width = crops.shape[2:]
                raise ModelError(
                    f"memory ran out even with one cell of {height} x {width} pixels at once; "
                    "free some, or compute on another device"
                ) from error
            size = size // 2
            continue
        done += len(parts[-1])
        if parts[-1].shape[1] != parts[0].shape[1]:
            raise ModelError(
                f"the model gives {parts[0].shape[1]} and {parts[-1].shape[1]} numbers for a cell "
                "in turn; it must always give as many"
            )
    return torch.cat(parts)
