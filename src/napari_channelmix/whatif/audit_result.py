"""The answer of a shortcut audit: one card of checks, each with its figure and a word."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field

from napari_channelmix.bounds import LongText, Name
from napari_channelmix.classify.accuracy import AccuracyEstimate, StoredAccuracy
from napari_channelmix.errors import ModelError
from napari_channelmix.shown_result import BarsResult
from napari_channelmix.stored_files import Stored, validated
from napari_channelmix.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from napari_channelmix.result_display import Summary

__all__ = ["ANSWERS", "NOT_TESTED", "SCHEMA", "Answer", "Audit", "AuditCheck", "AuditFigure"]

SCHEMA = "napari-channelmix/audit/1"
Answer = Literal["green", "amber", "red", "not tested"]
#: From good to bad: tested and nothing found, a doubt, a shortcut, and not known.
ANSWERS: tuple[Answer, ...] = ("green", "amber", "red", "not tested")
NOT_TESTED: Answer = "not tested"


@dataclass(frozen=True)
class AuditFigure:
    """One figure of a check.

    Attributes
    ----------
    name : str
        What was changed, or looked at.
    what : str
        ``balanced accuracy``, ``predictions changed`` or another share.
    figure, low, high : float or None
        0 to 1, and its 95 % interval over groups; None where there is none.
    n, groups : int
        Cells and their groups.
    """

    name: str
    what: str
    figure: float | None
    low: float | None
    high: float | None
    n: int
    groups: int


@dataclass(frozen=True)
class AuditCheck:
    """One question of the audit, and its answer.

    Attributes
    ----------
    key : str
        Short name, the same in every audit; see `audit_answers`.
    question : str
    answer : {"green", "amber", "red", "not tested"}
        ``green`` only where it was tested and nothing was found.
    line : str
        The answer in a sentence, with its figure; why it was not tested.
    what : str
        What the figure is.
    figure, low, high : float or None
        The figure that decided, with its 95 % interval over groups.
    reference : float or None
        What the figure would be where nothing is amiss: chance, or the share of the sham.
    n, groups : int
        Cells and their groups.
    warning : str
        Why the interval says little; empty where it does not.
    figures : tuple of AuditFigure
        All that was measured for it.
    """

    key: str
    question: str
    answer: Answer
    line: str
    what: str = ""
    figure: float | None = None
    low: float | None = None
    high: float | None = None
    reference: float | None = None
    n: int = 0
    groups: int = 0
    warning: str = ""
    figures: tuple[AuditFigure, ...] = ()


# What lines say that are more than facts; see `held_out_of` and `AuditCard.lines`.
DOUBTFUL = ("too good", "not known", "no outline")


@dataclass(frozen=True, repr=False)
class Audit(BarsResult):
    """What a classifier may have learnt instead of the cell.

    Attributes
    ----------
    checks : tuple of AuditCheck
    accuracy : AccuracyEstimate
        Of the cells as they are, balanced prior.
    channels, classes : tuple of str
        Of the classifier.
    warnings : tuple of str
        Of which cells it is, and what must be known to read it.
    provenance : dict

    Examples
    --------
    >>> from napari_channelmix import audit, train_classifier
    >>> from napari_channelmix.data.samples import synthetic_plate
    >>> train, test = (
    ...     synthetic_plate(s, wells=4, cells_per_well=5, side=160).cells for s in (0, 1)
    ... )
    >>> model = train_classifier(train, network="tiny", epochs=1)
    >>> result = audit(model, test, only="all")
    >>> result.check("attribution").answer
    'not tested'
    """

    checks: tuple[AuditCheck, ...]
    accuracy: AccuracyEstimate
    channels: tuple[str, ...]
    classes: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def answer(self) -> Answer:
        """Of the whole card: ``green`` only where every check was tested and is green."""
        answers = {check.answer for check in self.checks}
        worst: tuple[Answer, ...] = ("red", "amber", NOT_TESTED)
        return next((answer for answer in worst if answer in answers), "green")

    @property
    def found(self) -> tuple[AuditCheck, ...]:
        """Checks that found something, the worst first."""
        return tuple(
            check for answer in ("red", "amber") for check in self.checks if check.answer == answer
        )

    def check(self, key: str) -> AuditCheck:
        """The check of a short name.

        Raises
        ------
        ModelError
            There is none.
        """
        for check in self.checks:
            if check.key == key:
                return check
        known = ", ".join(check.key for check in self.checks)
        raise ModelError(f"there is no check {quoted(key)}; the checks are {known}")

    @property
    def doubts(self) -> tuple[str, ...]:
        """Those of `warnings` that speak against the figures; the others say what they are of."""
        return tuple(
            line
            for line in self.warnings
            if line == self.accuracy.warning or any(word in line for word in DOUBTFUL)
        )

    @property
    def lines(self) -> tuple[str, ...]:
        """The card in sentences: the accuracy, then each check with its word."""
        rows = [
            check.line if check.answer == NOT_TESTED else f"{check.answer}: {check.line}"
            for check in self.checks
        ]
        return (self.accuracy.text(held_out=False), *rows)

    def to_frame(self) -> pd.DataFrame:
        """A row per check: its key, question, answer, figure with interval, and line."""
        import pandas as pd

        columns = ("key", "question", "answer", "what", "figure", "low", "high", "reference")
        return pd.DataFrame([asdict(check) for check in self.checks])[
            [*columns, "n", "groups", "warning", "line"]
        ]

    def summary(self) -> Summary:
        """What is shown of it in a notebook."""
        from napari_channelmix.whatif.result_summaries import audit_summary

        return audit_summary(self)

    def save(self, folder: str | Path) -> tuple[Path, ...]:
        """Write ``audit.json``, ``audit.csv`` and ``audit.png`` into a folder.

        Raises
        ------
        SaveError
            Disk full, folder read-only and the like.
        """
        from napari_channelmix.data.result_files import save_result

        return save_result(folder, "audit", self.as_dict(), self.to_frame(), self.plot())

    def figures_frame(self) -> pd.DataFrame:
        """A row per figure of every check."""
        import pandas as pd

        rows = [{"key": c.key, **asdict(figure)} for c in self.checks for figure in c.figures]
        names = ("key", "name", "what", "figure", "low", "high", "n", "groups")
        return pd.DataFrame(rows, columns=list(names))

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "schema": SCHEMA,
            "answer": self.answer,
            "checks": [asdict(check) for check in self.checks],
            "accuracy": self.accuracy.as_dict(),
            "channels": list(self.channels),
            "classes": list(self.classes),
            "warnings": list(self.warnings),
            "provenance": self.provenance,
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Of what `as_dict` gave, checked.

        Raises
        ------
        DataError
            Content that is missing or of another kind.
        """
        stored = validated(dict(content), _StoredAudit, where="audit")
        checks = tuple(
            AuditCheck(
                **{
                    **row.model_dump(),
                    "figures": tuple(AuditFigure(**figure.model_dump()) for figure in row.figures),
                }
            )
            for row in stored.checks
        )
        accuracy = AccuracyEstimate.from_dict(stored.accuracy.model_dump())
        names = stored.channels, stored.classes
        return cls(checks, accuracy, *names, stored.warnings, stored.provenance)


MOST = 1000
Part = Annotated[float, Field(strict=True, ge=-1, le=1, allow_inf_nan=False)]
Count = Annotated[int, Field(strict=True, ge=0)]


class _StoredFigure(Stored):
    name: Name
    what: Name
    figure: Part | None
    low: Part | None
    high: Part | None
    n: Count
    groups: Count


class _StoredCheck(Stored):
    key: Name
    question: Name
    answer: Answer
    line: LongText
    what: Name = ""
    figure: Part | None = None
    low: Part | None = None
    high: Part | None = None
    reference: Part | None = None
    n: Count = 0
    groups: Count = 0
    warning: LongText = ""
    figures: Annotated[tuple[_StoredFigure, ...], Field(max_length=MOST)] = ()


class _StoredAudit(Stored):
    form: Literal["napari-channelmix/audit/1"] = Field(alias="schema")
    checks: Annotated[tuple[_StoredCheck, ...], Field(min_length=1, max_length=MOST)]
    accuracy: StoredAccuracy
    channels: Annotated[tuple[Name, ...], Field(min_length=1, max_length=MOST)]
    classes: Annotated[tuple[Name, ...], Field(min_length=1, max_length=MOST)]
    warnings: Annotated[tuple[LongText, ...], Field(max_length=MOST)] = ()
    provenance: dict[str, Any] = Field(default_factory=dict)
