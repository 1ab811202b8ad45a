"""Which of several outputs of a model is its answer."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from napari_channelmix.errors import ModelError

__all__ = ["Select", "selected"]

Select = int | str | None

# The name under which libraries give the scores among other outputs.
LOGITS = "logits"
# Outputs that a message lists.
LISTED = 8


def selected(result: Any, select: Select, who: str) -> Any:
    """The answer among what a model returned.

    Parameters
    ----------
    result
        A table of numbers is the answer itself. A tuple, list, dict, named tuple, dataclass or
        object with ``logits`` may hold several.
    select : int, str or None
        Position or key. None: the only one there is, or the one that is called ``logits``.

    Raises
    ------
    ModelError
        Several outputs and none chosen, or one chosen that is not there; the line lists them.
    """
    if result is None:
        raise ModelError(f"{who} gave nothing (None); it must give scores (n, K)")
    outputs = _outputs(result)
    if outputs is None:
        if select in (None, 0, "0"):
            return result
        raise ModelError(f"{who} gives one output only, not {select!r}; leave select out")
    if select is not None:
        return _chosen(outputs, select, who)
    if LOGITS in outputs and _is_table(outputs[LOGITS]):
        return outputs[LOGITS]
    tables = [
        output
        for output in outputs.values()
        if not isinstance(output, (str, int, float, type(None)))
    ]
    if len(tables) == 1 and _is_table(tables[0]):
        return tables[0]
    if not outputs:
        raise ModelError(f"{who} gave an empty {type(result).__name__}; it must give scores (n, K)")
    first = next(iter(outputs))
    raise ModelError(
        f"{who} gives {len(outputs)} output{'s' * (len(outputs) > 1)} ({_list(outputs)}), not one "
        f"table of scores; say which with select, such as select={first!r}"
    )


def _chosen(outputs: dict[Any, Any], select: int | str, who: str) -> Any:
    output: Any = None
    if select in outputs:
        output = outputs[select]
    else:
        # The command line and configs know text only, and dicts have an order too.
        place = int(select) if str(select).lstrip("-").isdecimal() else None
        if place is not None and -len(outputs) <= place < len(outputs):
            output = list(outputs.values())[place]
    if output is None:
        raise ModelError(f"{who} has no output {select!r}; it gives {_list(outputs)}")
    if _outputs(output) is not None:
        raise ModelError(
            f"{who}: output {select!r} holds several outputs itself ({_list(_outputs(output))}); "
            "wrap the model in a function that gives the scores"
        )
    return output


def _outputs(result: Any) -> dict[Any, Any] | None:
    """Outputs by key or position; None where the result is one table of numbers."""
    if _is_table(result):
        return None
    if isinstance(result, Mapping):
        return dict(result)
    if hasattr(result, "_asdict"):
        return dict(result._asdict())
    if dataclasses.is_dataclass(result) and not isinstance(result, type):
        return {field.name: getattr(result, field.name) for field in dataclasses.fields(result)}
    if isinstance(result, tuple) and any(map(_is_table, result)):
        return dict(enumerate(result))
    if isinstance(result, (tuple, list)) and any(map(_is_no_row, result)):
        return dict(enumerate(result))
    if _is_table(getattr(result, LOGITS, None)):
        return {LOGITS: getattr(result, LOGITS)}
    return None


def _is_table(value: Any) -> bool:
    if isinstance(value, (Tensor, np.ndarray)):
        return True
    # Arrays of other libraries; numbers of NumPy have a shape too.
    return hasattr(value, "__array__") and len(getattr(value, "shape", ())) > 0


def _is_no_row(value: Any) -> bool:
    """Whether a member of a list cannot be a row of one table."""
    if isinstance(value, (tuple, list)):
        return any(map(_is_table, value))
    return (
        value is None or isinstance(value, Mapping) or (_is_table(value) and len(value.shape) > 1)
    )


def _list(outputs: dict[Any, Any] | None) -> str:
    """Names, shapes and dtypes, as a message has them."""
    items = list((outputs or {}).items())
    texts = [
        f"{str(key)[:40]!r}: {_described(output)}"
        if isinstance(key, str)
        else f"{key}: {_described(output)}"
        for key, output in items[:LISTED]
    ]
    more = len(items) - LISTED
    return ", ".join(texts) + (f" and {more} more" if more > 0 else "")


def _described(value: Any) -> str:
    if not _is_table(value):
        return type(value).__name__
    return f"{tuple(value.shape)} {str(getattr(value, 'dtype', '')).removeprefix('torch.')}".strip()
