"""Whether a classifier judges the cell or its whole crop: the same change made to either.

A change is made to this cell, to all cells in the crop and to its neighbours alone; and beside them
as large a part of the background is filled, the sham. Without an axis the change is the removal.
Our definition.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field

from napari_channelmix.bounds import LongText, Name
from napari_channelmix.classify.accuracy import estimate_accuracy
from napari_channelmix.errors import ModelError
from napari_channelmix.jobs import Job, Progress, part
from napari_channelmix.settings.audit import AuditSettings
from napari_channelmix.settings.fields import merged
from napari_channelmix.stored_files import Stored, validated
from napari_channelmix.whatif.asking import asker_job
from napari_channelmix.whatif.audited_cells import audited_cells_job
from napari_channelmix.whatif.axes import Axis, named
from napari_channelmix.whatif.axis_table import axes_of
from napari_channelmix.whatif.crops import SCOPES, CellCrops, batches_of, cell_crops
from napari_channelmix.whatif.group_intervals import share_of, surplus_of
from napari_channelmix.whatif.removal import (
    filled,
    removal_margin,
    removed_area,
    sham_area,
    territories,
)
from napari_channelmix.wording import fraction, listed

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.classify.predictor import Predictor
    from napari_channelmix.data import Cells
    from napari_channelmix.whatif.asking import Asker

__all__ = ["SHAM", "CellOrCrop", "ScopeEffect", "cell_or_crop", "cell_or_crop_job"]

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float32]

#: As the row of the sham is called.
SHAM = "background (sham)"
WORDS = {
    "cell": "this cell",
    "crop": "all cells in the crop",
    "neighbours": "only the neighbours",
    SHAM: "as much background",
}
ALL = "all classes"
# Effects on the cell alone and on the whole crop that differ by more are said to differ.
DIFFER = 0.2
BATCH = 128


@dataclass(frozen=True)
class ScopeEffect:
    """What a change of one scope does to the predictions of one class.

    Attributes
    ----------
    scope : str
        ``cell``, ``crop``, ``neighbours`` or `SHAM`.
    class_name : str
        Of the cells; ``all classes`` for all of them.
    changed, low, high : float or None
        Share of the predictions that change, and its 95 % interval over groups.
    accuracy, accuracy_low, accuracy_high : float or None
        What is left of the recall; of all classes the balanced accuracy.
    n, groups : int
        Cells whose crops have what is changed, and their groups.
    warning : str
        Why the intervals say little; empty where they do not.
    """

    scope: str
    class_name: str
    changed: float | None
    low: float | None
    high: float | None
    accuracy: float | None
    accuracy_low: float | None
    accuracy_high: float | None
    n: int
    groups: int
    warning: str = ""


@dataclass(frozen=True)
class CellOrCrop:
    """The same change made to this cell, all cells in the crop, the neighbours, the background.

    Attributes
    ----------
    change : str
        What was done: ``removal``, or an axis with its amount.
    rows : tuple of ScopeEffect
    surplus : tuple of float or None
        How many more predictions change with all cells than with this cell alone, and the
        interval.
    line : str
        What follows.
    warnings : tuple of str
    """

    change: str
    rows: tuple[ScopeEffect, ...]
    surplus: tuple[float, float, float] | None
    line: str
    warnings: tuple[str, ...] = field(default=())

    def row(self, scope: str, class_name: str = ALL) -> ScopeEffect:
        """The effect of a scope on a class.

        Raises
        ------
        ModelError
            There is none.
        """
        for row in self.rows:
            if (row.scope, row.class_name) == (scope, class_name):
                return row
        known = listed(dict.fromkeys(f"{row.scope} of {row.class_name}" for row in self.rows))
        raise ModelError(f"there is no effect of {scope} of {class_name}; there are {known}")

    def to_frame(self) -> pd.DataFrame:
        """A row per scope and class."""
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in self.rows])

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Of what `as_dict` gave, checked.

        Raises
        ------
        DataError
        """
        stored = validated(dict(content), _StoredCellOrCrop, where="cell or crop")
        rows = tuple(ScopeEffect(**row.model_dump()) for row in stored.rows)
        return cls(stored.change, rows, stored.surplus, stored.line, stored.warnings)


class _Changes:
    """Pixels of crops, changed in every scope, and which crops have what is changed."""

    def __init__(
        self, axis: Axis | None, amount: float, margin: float, cells: Cells | None = None
    ) -> None:
        self._axis, self._amount, self._margin, self._cells = axis, amount, margin, cells

    def __call__(self, crops: CellCrops) -> dict[str, tuple[FloatArray, npt.NDArray[np.bool_]]]:
        own, others = territories(crops, self._margin, self._cells)
        made: dict[str, tuple[FloatArray, npt.NDArray[np.bool_]]] = {}
        for scope in SCOPES:
            area = removed_area(own, others, scope)
            there = np.asarray(area.any(axis=(1, 2)))
            if self._axis is None:
                made[scope] = filled(crops, area).pixels, there
            else:
                made[scope] = self._axis(crops.scoped(scope), self._amount).pixels, there
        area, room = sham_area(own, others, "cell")
        made[SHAM] = filled(crops, area).pixels, room
        return made


def cell_or_crop(
    asker: Asker,
    crops: CellCrops,
    labels: IntArray,
    groups: npt.NDArray[Any],
    *,
    axis: Axis | None = None,
    amount: float = 0.0,
    margin: float | None = None,
) -> CellOrCrop:
    """Make one change in every scope, and ask.

    Parameters
    ----------
    asker : Asker
    crops : CellCrops
        Of n cells.
    labels : (n,) int array
        Positions in the classes of the asker.
    groups : (n,) array
    axis : Axis, optional
        Default: what the scope names is removed.
    amount : float
        In the unit of the axis.
    margin : float, optional
        Pixels around an outline that belong to the cell; see `removal.removal_margin`.
    """
    reach = removal_margin(crops) if margin is None else margin
    base = asker.calls(crops.pixels)
    made = _Changes(axis, amount, reach)(crops)
    calls = {scope: (asker.calls(pixels), there) for scope, (pixels, there) in made.items()}
    return _read(calls, base, labels, groups, asker.classes, _title(axis, amount))


def cell_or_crop_job(
    model: Predictor,
    cells: Cells,
    *,
    axis: str | None = None,
    amount: float = 0.0,
    settings: AuditSettings | None = None,
    **options: Any,
) -> Job[CellOrCrop]:
    """`cell_or_crop` of the held-out cells of a data set, as a job.

    Parameters
    ----------
    model : Classifier or ForeignClassifier
    cells : Cells
    axis : str, optional
        A name of `axis_table.axes_of`.
    amount : float
    settings : AuditSettings, optional
        Which cells, and the margin.
    **options
        Single settings.

    Raises
    ------
    DataError, ModelError
        As `audit.audit`; an axis that there is none of.
    """
    chosen = merged(AuditSettings, settings, options)
    asker, fitting = yield from part(asker_job(model, cells, "balanced"), 0, 1, 100)
    choosing = audited_cells_job(model, fitting, chosen.only, chosen.limit, chosen.seed)
    picked = yield from part(choosing, 1, 9, 100)
    some = fitting.subset(picked.positions)
    sample = cell_crops(some, np.arange(min(len(some), BATCH)))
    asker.refuse_unsteady(sample.pixels[:8])
    made_by = None if axis is None else named(axes_of(sample), axis)
    reach = removal_margin(sample) if chosen.margin is None else chosen.margin
    changes, base = _Changes(made_by, amount, reach, some), []
    parts: dict[str, list[tuple[IntArray, npt.NDArray[np.bool_]]]] = {}
    done = 0
    for crops in batches_of(some, np.arange(len(some)), BATCH):
        base.append(asker.calls(crops.pixels))
        for scope, (pixels, there) in changes(crops).items():
            parts.setdefault(scope, []).append((asker.calls(pixels), there))
        done += len(crops)
        stage = f"the cell or the crop, {done:,} of {len(some):,}"
        yield Progress(10 + 90 * done / len(some), 100, stage)
    calls = {
        scope: (
            np.concatenate([called for called, _ in rows]),
            np.concatenate([there for _, there in rows]),
        )
        for scope, rows in parts.items()
    }
    lines = tuple(line for line in (picked.line, picked.groups_line) if line)
    names = np.asarray(picked.groups)
    result = _read(
        calls,
        np.concatenate(base),
        picked.labels,
        names,
        asker.classes,
        _title(made_by, amount),
    )
    return CellOrCrop(result.change, result.rows, result.surplus, result.line, lines)


def _title(axis: Axis | None, amount: float) -> str:
    return "removal" if axis is None else f"{axis.name} {amount:+g} {axis.unit}"


def _read(
    calls: dict[str, tuple[IntArray, npt.NDArray[np.bool_]]],
    base: IntArray,
    labels: IntArray,
    groups: npt.NDArray[Any],
    classes: tuple[str, ...],
    change: str,
) -> CellOrCrop:
    rows = []
    for scope, (called, there) in calls.items():
        for code, name in ((None, ALL), *enumerate(classes)):
            some = there if code is None else there & (labels == code)
            rows.append(_effect(scope, name, called, base, labels, groups, classes, some))
    both = calls["cell"][1] & calls["neighbours"][1]
    changed = {scope: called != base for scope, (called, _) in calls.items()}
    surplus = None
    if both.any():
        surplus = surplus_of(changed["crop"][both], changed["cell"][both], groups[both])
    return CellOrCrop(change, tuple(rows), surplus, _line(rows, surplus, change))


def _effect(
    scope: str,
    name: str,
    called: IntArray,
    base: IntArray,
    labels: IntArray,
    groups: npt.NDArray[Any],
    classes: tuple[str, ...],
    some: npt.NDArray[np.bool_],
) -> ScopeEffect:
    if not some.any():
        return ScopeEffect(scope, name, None, None, None, None, None, None, 0, 0, "no such cell")
    share = share_of((called != base)[some], groups[some])
    left = estimate_accuracy(labels[some], called[some], groups[some], classes)
    return ScopeEffect(
        scope,
        name,
        share.share,
        share.low,
        share.high,
        left.balanced,
        left.low,
        left.high,
        share.n,
        share.groups,
        share.warning,
    )


def _line(rows: list[ScopeEffect], surplus: tuple[float, float, float] | None, change: str) -> str:
    shares = {row.scope: row for row in rows if row.class_name == ALL}

    def text(scope: str) -> str:
        row = shares[scope]
        if row.changed is None:
            return f"{WORDS[scope]}: none"
        return f"{WORDS[scope]} {fraction(row.changed)} (n {row.n:,})"

    line = (
        f"{change}, share of predictions that change: {', '.join(text(scope) for scope in shares)}"
    )
    if surplus is None:
        return f"{line}; no crop shows another cell"
    more, low, _ = surplus
    if more >= DIFFER and low > 0:
        return f"{line}. The classifier judges the crop, not the cell alone"
    return line


class _StoredEffect(Stored):
    scope: Name
    class_name: Name
    changed: float | None
    low: float | None
    high: float | None
    accuracy: float | None
    accuracy_low: float | None
    accuracy_high: float | None
    n: Annotated[int, Field(strict=True, ge=0)]
    groups: Annotated[int, Field(strict=True, ge=0)]
    warning: LongText = ""


class _StoredCellOrCrop(Stored):
    change: Name
    rows: Annotated[tuple[_StoredEffect, ...], Field(min_length=1, max_length=10_000)]
    surplus: tuple[float, float, float] | None
    line: LongText
    warnings: Annotated[tuple[LongText, ...], Field(max_length=1000)] = ()
