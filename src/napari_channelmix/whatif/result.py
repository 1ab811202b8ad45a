"""What would change the classifier's mind: the answers, as tables and in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_channelmix.atomic_write import write_json, write_text
from napari_channelmix.data.csv_text import csv_text
from napari_channelmix.errors import ModelError
from napari_channelmix.shown_result import BarsResult
from napari_channelmix.stored_files import read_content, validated
from napari_channelmix.whatif.stored import SCHEMA, TABLES, WhatIfFile, frame_of, table_of
from napari_channelmix.wording import listed, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from napari_channelmix.result_display import Summary

__all__ = ["SCHEMA", "WhatIf"]

ADVICE = "run what-if again"


@dataclass(frozen=True, eq=False, repr=False)
class WhatIf(BarsResult):
    """What a classifier answers about cells that were edited along named axes.

    Amounts are in the unit of their axis; classes are names; shares and probabilities are 0 to 1;
    ``low`` and ``high`` are the ends of a 95 % interval over groups, NaN where there is none.

    Attributes
    ----------
    classes, channels : tuple of str
    n : int
        Cells that were edited.
    groups : int
        Their groups.
    group_kind : str
        What these are: ``group``, ``field of view``, or ``cell`` where none is known.
    scope : str
        What was edited: ``cell``, ``crop`` or ``neighbours``.
    curves : data frame
        ``scope``, ``axis``, ``amount``, ``unit``, ``from_class`` (called as it is),
        ``class_name``, ``probability`` (mean), ``low``, ``high`` (of the mean, over groups),
        ``called`` (share of the cells called ``class_name``), ``called_low``, ``called_high``,
        ``n``, ``outside`` (share of the cells that are then like none of the data), ``sham`` (mean
        probability over the shams).
    flips : data frame
        What moves the decision. A row per ``scope``, ``axis`` (with ``family`` and ``unit``) and
        ``from_class``: ``share`` of its ``n`` cells whose prediction flips anywhere on the data's
        own range, with ``low`` and ``high``; ``to_class``, the class that most of them become, and
        ``to_share``; ``amount``, the median of the smallest changes on the grid; ``reachable``,
        share of the cells that can be changed within the data; ``sham``, ``sham_low``,
        ``sham_high``, the share that flips by the shams; ``difference`` to it, cell by cell, with
        ``difference_low`` and ``difference_high``; ``p_value`` of that, adjusted for the number of
        rows; ``above_sham``, whether it may be read; ``note``, what else the edit moves.
    transitions : data frame
        Shares of the cells of a class that flip to each class: ``scope``, ``axis``,
        ``from_class``, ``to_class``, ``share``, ``low``, ``high``, ``n``.
    smallest : data frame
        Changes that flip each cell, the smallest first (``rank`` from 1): ``cell`` (position in
        the data set), ``axis``, ``amount``, ``unit``, and ``axis_2``, ``amount_2``, ``unit_2``
        where two are moved together; ``from_class``, ``to_class``, ``probability`` of that,
        ``size`` (way to the end of the range, 0 to 1), ``plausible`` (share of the real cells of
        that class at least as far out), ``real_cells``, ``inside`` (whether anything on the data's
        range flips it), ``technical`` (a change of the acquisition) and ``sentence``.
    robustness : data frame
        ``axis``, ``amount``, ``unit``, ``of`` (``all``, ``class`` or ``group``), ``name`` of that,
        ``changed`` (share of the calls), ``low``, ``high``, ``n``.
    purity : data frame
        Whether each edit does what its name says: ``axis``, ``feature`` that it claims to move,
        ``amount`` and ``unit`` of the edit that was measured, ``moved`` (that feature, in robust
        z-scores), ``other`` (the feature that moves most beside it) and ``other_moved``,
        ``purity`` (the ratio), ``pure`` (others move by a third at most), ``n``, ``moves_too``
        (features that have to move along). See `self_consistency`.
    lines : tuple of str
        What follows, in sentences.
    warnings : tuple of str
        What speaks against reading it.
    provenance : dict

    Examples
    --------
    >>> import napari_channelmix as cm
    >>> from napari_channelmix.data.samples import synthetic_plate
    >>> cells = synthetic_plate(wells=4, cells_per_well=4, side=64, crop=16).cells
    >>> model = cm.train_classifier(cells, network="tiny", epochs=1)
    >>> answers = cm.what_if(model, cells, axes=("size",), limit=2, steps=3, smallest=False)
    >>> answers.matrix().columns.tolist()
    ['size', 'turn', 'shift', 'resampling']
    >>> cm.WhatIf.from_dict(answers.as_dict()).n == answers.n
    True
    """

    classes: tuple[str, ...]
    channels: tuple[str, ...]
    n: int
    groups: int
    group_kind: str
    scope: str
    curves: pd.DataFrame = field(repr=False)
    flips: pd.DataFrame = field(repr=False)
    transitions: pd.DataFrame = field(repr=False)
    smallest: pd.DataFrame = field(repr=False)
    robustness: pd.DataFrame = field(repr=False)
    purity: pd.DataFrame = field(repr=False)
    lines: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def moves(self) -> pd.DataFrame:
        """Rows of ``flips`` that may be read, largest first; without those of the acquisition."""
        own = (self.flips["scope"] == self.scope) & (self.flips["family"] != "acquisition")
        rows = self.flips[self.flips["above_sham"] & own]
        return rows.sort_values("difference", ascending=False, ignore_index=True)

    def summary(self) -> Summary:
        """What is shown of it in a notebook."""
        from napari_channelmix.whatif.result_summaries import what_if_summary

        return what_if_summary(self)

    def to_frame(self) -> pd.DataFrame:
        """What moves the decision: `flips`, a row for each axis and class."""
        return self.flips

    def matrix(self, scope: str | None = None) -> pd.DataFrame:
        """Share of the cells that flip: classes as they are called by axes; the classifier's rule.

        Parameters
        ----------
        scope : str, optional
            Default: that which was asked for.
        """
        rows = self.flips[self.flips["scope"] == (scope or self.scope)]
        _refuse_unknown("scope", scope or self.scope, self.flips["scope"])
        order = list(dict.fromkeys(rows["axis"]))
        wide = rows.pivot(index="from_class", columns="axis", values="share")
        return wide[order]

    def curve(self, axis: str, from_class: str, scope: str | None = None) -> pd.DataFrame:
        """Rows of ``curves`` of one axis and of the cells of one class.

        Raises
        ------
        ModelError
            An axis, class or scope that was not asked about.
        """
        for name, value in (("axis", axis), ("from_class", from_class)):
            _refuse_unknown(name, value, self.curves[name])
        _refuse_unknown("scope", scope or self.scope, self.curves["scope"])
        rows = self.curves[
            (self.curves["axis"] == axis)
            & (self.curves["from_class"] == from_class)
            & (self.curves["scope"] == (scope or self.scope))
        ]
        return rows.reset_index(drop=True)

    def sentences(self, cell: int) -> tuple[str, ...]:
        """What would flip one cell, by its position in the data set; empty for other cells."""
        rows = self.smallest[self.smallest["cell"] == cell]
        return tuple(rows.sort_values("rank")["sentence"])

    def as_dict(self) -> dict[str, Any]:
        """For JSON; tables as lists by column, None for NaN."""
        return {
            "schema": SCHEMA,
            "classes": list(self.classes),
            "channels": list(self.channels),
            "n": self.n,
            "groups": self.groups,
            "group_kind": self.group_kind,
            "scope": self.scope,
            **{name: table_of(getattr(self, name)) for name in TABLES},
            "lines": list(self.lines),
            "warnings": list(self.warnings),
            "provenance": self.provenance,
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], where: str = "what-if") -> WhatIf:
        """From JSON.

        Raises
        ------
        DataError
            A table or column that is missing, of another length or kind.
        """
        known = validated(dict(content), WhatIfFile, where=where, advice=ADVICE)
        tables: dict[str, Any] = {
            name: frame_of(getattr(known, name), TABLES[name]) for name in TABLES
        }
        return cls(
            known.classes,
            known.channels,
            known.n,
            known.groups,
            known.group_kind,
            known.scope,
            **tables,
            lines=known.lines,
            warnings=known.warnings,
            provenance=dict(known.provenance),
        )

    def save(self, folder: str | Path) -> tuple[Path, ...]:
        """Write ``whatif.json``, and a ``.csv`` of each table, into a folder.

        Raises
        ------
        SaveError
            Disk full, folder read-only and the like.
        """
        folder = Path(folder)
        files = [write_json(folder / "whatif.json", self.as_dict())]
        for name in TABLES:
            files.append(write_text(folder / f"{name}.csv", csv_text(getattr(self, name))))
        return tuple(files)

    @classmethod
    def read(cls, path: str | Path) -> WhatIf:
        """Read ``whatif.json``.

        Raises
        ------
        DataError
            No such file, or one that is damaged.
        """
        content = read_content(path, WhatIfFile, what="a whatif.json", advice=ADVICE)
        return cls.from_dict(content, str(path))


def _refuse_unknown(what: str, value: str, column: pd.Series[Any]) -> None:
    """Refuse a name that does not occur in a column of a table that has rows."""
    known = list(dict.fromkeys(column))
    if known and value not in known:
        words = what.replace("from_class", "class")
        raise ModelError(
            f"these answers have no {words} {quoted(value)}; they have {listed(known)}"
        )
