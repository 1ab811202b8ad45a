"""Response curves: the classifier's answer against the amount of an edit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.whatif.flip_intervals import share_intervals
from napari_channelmix.whatif.group_intervals import class_means
from napari_channelmix.whatif.stored import TABLES

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.whatif.axes import Axis
    from napari_channelmix.whatif.responses import Responses

__all__ = ["cell_curve_table", "curve_table"]

IntArray = npt.NDArray[np.int64]


def curve_table(
    responses: Responses,
    axes: Sequence[Axis],
    classes: Sequence[str],
    groups: IntArray,
) -> pd.DataFrame:
    """Mean probability of each class, and share of the cells called so, at each amount.

    Parameters
    ----------
    responses : Responses
        Of n cells.
    axes : sequence of Axis
    classes : sequence of str
        K names.
    groups : (n,) int array

    Returns
    -------
    data frame
        A row per scope, axis, class of the cells as they are, amount and class; see
        `result.WhatIf.curves`.
    """
    import pandas as pd

    by_name = {axis.name: axis for axis in axes}
    base = responses.calls
    codes = np.unique(base)
    names = np.array(list(classes), object)
    shams = {
        scope: [_sham_means(responses, by_name, base == code, scope) for code in codes]
        for scope in {answers.scope for answers in responses.axes}
    }
    parts: dict[str, list[npt.NDArray[Any]]] = {name: [] for name in TABLES["curves"]}
    for answers in responses.axes:
        amounts, count = len(answers.amounts), len(classes)
        called = np.eye(count, dtype=bool)[answers.calls].reshape(len(base), -1)
        flat = answers.probabilities.reshape(len(base), -1)
        means = class_means(flat, base, groups, count)
        called_low, called_high = share_intervals(called, groups, base)
        for kind, code in enumerate(codes):
            own = base == code
            columns: dict[str, Any] = {
                "scope": answers.scope,
                "axis": answers.name,
                "amount": np.repeat(answers.amounts.astype(np.float64), count),
                "unit": by_name[answers.name].unit,
                "from_class": classes[int(code)],
                "class_name": np.tile(names, amounts),
                "probability": means.mean[code],
                "low": np.clip(means.low[code], 0, 1),
                "high": np.clip(means.high[code], 0, 1),
                "called": called[own].mean(axis=0),
                "called_low": called_low[kind],
                "called_high": called_high[kind],
                "n": int(own.sum()),
                "outside": np.repeat(1 - answers.inside[own].mean(axis=0), count),
                "sham": np.tile(shams[answers.scope][kind], amounts),
            }
            for name, values in columns.items():
                whole = (
                    values
                    if isinstance(values, np.ndarray)
                    else np.full(
                        amounts * count, values, object if isinstance(values, str) else None
                    )
                )
                parts[name].append(whole)
    if not parts["axis"]:
        return pd.DataFrame(columns=list(parts))
    return pd.DataFrame({name: np.concatenate(rows) for name, rows in parts.items()})


def cell_curve_table(
    responses: Responses, axes: Sequence[Axis], classes: Sequence[str]
) -> pd.DataFrame:
    """Probability of each class of each cell at each amount: response curves of single cells.

    Parameters
    ----------
    responses : Responses
        Of n cells; for one cell ask `respond_job` about crops of that cell.
    axes : sequence of Axis
    classes : sequence of str
        K names.

    Returns
    -------
    data frame
        ``cell`` (position in the data set), ``scope``, ``axis``, ``amount``, ``unit``,
        ``class_name``, ``probability`` and ``inside``: whether the data has such cells.
    """
    import pandas as pd

    units = {axis.name: axis.unit for axis in axes}
    count, frames = len(classes), []
    for answers in responses.axes:
        cells, amounts, _ = answers.probabilities.shape
        columns = {
            "cell": np.repeat(responses.positions, amounts * count),
            "scope": answers.scope,
            "axis": answers.name,
            "amount": np.tile(np.repeat(answers.amounts.astype(np.float64), count), cells),
            "unit": units[answers.name],
            "class_name": list(classes) * (cells * amounts),
            "probability": answers.probabilities.ravel().astype(np.float64),
            "inside": np.repeat(answers.inside.ravel(), count),
        }
        frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _sham_means(
    responses: Responses, axes: dict[str, Axis], of_class: npt.NDArray[np.bool_], scope: str
) -> npt.NDArray[np.float64]:
    """Mean probability (K,) of each class over a scope's sham edits of the cells of one class."""
    shams = [
        answers.probabilities[of_class][
            :, answers.amounts != np.float32(axes[answers.name].neutral)
        ]
        for answers in responses.axes
        if axes[answers.name].family == "sham" and answers.scope == scope
    ]
    if not shams:
        return np.full(responses.base.shape[1], np.nan)
    return np.asarray(np.concatenate(shams, axis=1).mean(axis=(0, 1)), np.float64)
