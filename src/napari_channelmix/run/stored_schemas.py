"""What the files in the folders of results hold, as schemas: files are not trusted."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from napari_channelmix.bounds import Finite, Forwards, Index, Limit, Name, Seed
from napari_channelmix.stored_files import Origin, Stored, checked_as

__all__ = [
    "RELIABILITY",
    "Chunk",
    "ChunkReliability",
    "ChunkScores",
    "ExplainFile",
    "LatentsFile",
    "LatentsMadeFrom",
]

#: What the file of a chunk is called that holds how far its maps can be trusted.
RELIABILITY = "reliability"

Probability = Annotated[float, Field(strict=True, ge=-1e-3, le=1.001, allow_inf_nan=False)]
Seconds = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]


class _OnReference(Stored):
    """Scores of a method on references of one kind."""

    srg: Finite
    low: Finite | None
    high: Finite | None
    n: Annotated[int, Field(strict=True, ge=1)]
    groups: Annotated[int, Field(strict=True, ge=1)]
    in_mean: bool


class _Means(Stored):
    """Scores of a method over all cells."""

    srg: Finite
    insertion: Finite
    deletion: Finite
    by_reference: dict[Name, _OnReference] = Field(default_factory=dict)
    seconds_per_cell: Seconds


Share = Annotated[float, Field(strict=True, ge=0, le=1.001, allow_inf_nan=False)]


class _Shares(Stored):
    """Where the evidence of maps lies, as `EvidenceShares.as_dict` gives it."""

    margin: Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
    outline: tuple[Literal["label", "light", "disc"], ...]
    areas: tuple[tuple[Share, Share | None, Share] | None, ...]
    evidence: tuple[tuple[Share, Share | None, Share] | None, ...]
    magnitude: tuple[tuple[Share, Share | None, Share] | None, ...]

    def refuse_others(self, rows: int) -> None:
        names = ("outline", "areas", "evidence", "magnitude")
        refuse_other_lengths({name: getattr(self, name) for name in names}, rows)


class _AllShares(_Shares):
    line: str = ""


class _Cells(Stored):
    index: tuple[Index, ...]
    label: tuple[Name | None, ...]
    group: tuple[Name, ...]
    training: tuple[Literal["yes", "same group", "no", "unknown"], ...] | None = None


class _ExplainSettings(Stored):
    target: Name | None
    versus: Name | None
    channels: Literal["shared", "separate"]
    forwards: Forwards | None


class _ExplainOrigin(Origin):
    data: str
    seed: Seed
    settings: Annotated[dict[str, Any], checked_as(_ExplainSettings)]


class _Reliability(Stored):
    """How far each map can be trusted; see `pcim.Reliability.to_frame`."""

    n: Annotated[int, Field(strict=True, ge=1)]
    verdict: tuple[Literal["good", "warning", "error"], ...]
    readable: tuple[bool, ...]
    srg: tuple[Finite, ...]
    insertion: tuple[Finite, ...]
    deletion: tuple[Finite, ...]
    gain: tuple[Finite, ...]
    p_value: tuple[Finite, ...]
    better_than_chance: tuple[bool, ...]
    randomisation: tuple[Finite | None, ...]
    stability: tuple[Finite, ...]
    staying: tuple[Finite, ...]
    words: tuple[tuple[str, ...], ...]

    def refuse_others(self, rows: int) -> None:
        """Refuse figures of another number of cells.

        Raises
        ------
        ValueError
        """
        names = set(_Reliability.model_fields) - {"n"}
        lists = {f"reliability.{name}": getattr(self, name) for name in sorted(names)}
        refuse_other_lengths(lists, rows)


class ChunkReliability(_Reliability):
    """The file of a chunk whose maps were tested."""

    run: str


class _Prepared(Stored):
    """What a classifier saw of cells; see `run.explain_report`."""

    neighbours: str = ""
    scaling: dict[str, Any] | None = None


class ExplainFile(Stored):
    """As `explain_cells_job` writes it."""

    form: Literal["napari-channelmix/explain/1"] = Field(alias="schema")
    run: str | None = None
    n: Annotated[int, Field(strict=True, ge=1)]
    method: Name
    mode: Literal["autograd", "blackbox"]
    channels: Annotated[tuple[Name, ...], Field(min_length=1)]
    classes: Annotated[tuple[Name, ...], Field(min_length=1)]
    output: Name | None = None
    seconds_per_cell: Seconds
    target: tuple[Index, ...]
    probabilities: tuple[tuple[Probability, ...], ...]
    cells: _Cells
    prepared: Annotated[dict[str, Any], checked_as(_Prepared)] | None = None
    scores: dict[Name, _Means] = Field(default_factory=dict)
    scores_per_cell: dict[Name, dict[Name, tuple[Finite, ...]]] = Field(default_factory=dict)
    left_out: dict[Name, str] = Field(default_factory=dict)
    reliability: _Reliability | None = None
    warnings: tuple[str, ...] = ()
    doubts: tuple[tuple[str, ...], ...] | None = None
    caveats: tuple[tuple[str, ...], ...] | None = None
    evidence_shares: _AllShares | None = None
    contributions: dict[str, Any] | None = None
    provenance: Annotated[dict[str, Any], checked_as(_ExplainOrigin)]

    @model_validator(mode="after")
    def _matching(self) -> ExplainFile:
        lists: dict[str, Any] = {"target": self.target, "probabilities": self.probabilities}
        lists |= {"doubts": self.doubts, "caveats": self.caveats}
        lists |= {
            f"cells.{name}": getattr(self.cells, name) for name in type(self.cells).model_fields
        }
        # Files of earlier versions do not know it.
        lists = {name: values for name, values in lists.items() if values is not None}
        for method, scores in self.scores_per_cell.items():
            lists |= {f"scores_per_cell.{method}.{name}": of for name, of in scores.items()}
        refuse_other_lengths(lists, self.n)
        if self.reliability is not None:
            self.reliability.refuse_others(self.n)
        refuse_other_classes(self.target, self.probabilities, len(self.classes))
        if self.evidence_shares is not None:
            self.evidence_shares.refuse_others(self.n)
        return self


class Chunk(Stored):
    """The file of a finished chunk of maps."""

    run: str
    target: tuple[Index, ...]
    probabilities: tuple[tuple[Probability, ...], ...]
    warnings: tuple[str, ...]
    seconds: Seconds
    output: Name = ""
    flat: dict[Name, tuple[Index, ...]] = Field(default_factory=dict)
    noise: tuple[Index, ...] = ()
    shares: _Shares | None = None
    contributions: tuple[dict[str, Any] | None, ...] | None = None

    def refuse_others(self, rows: int, classes: int) -> None:
        """Refuse a chunk of another number of cells or classes.

        Raises
        ------
        ValueError
        """
        lists: dict[str, Any] = {"target": self.target, "probabilities": self.probabilities}
        if self.contributions is not None:
            lists["contributions"] = self.contributions
        refuse_other_lengths(lists, rows)
        refuse_other_classes(self.target, self.probabilities, classes)
        if self.shares is not None:
            self.shares.refuse_others(rows)


class ChunkScores(Stored):
    """Scores of a chunk by a method, or why there are none."""

    run: str
    left_out: str | None = None
    srg: tuple[Finite, ...] | None = None
    insertion: tuple[Finite, ...] | None = None
    deletion: tuple[Finite, ...] | None = None
    by_reference: dict[Name, tuple[Finite, ...]] | None = None
    seconds: Seconds | None = None

    def refuse_others(self, rows: int) -> None:
        """Refuse scores of another number of cells.

        Raises
        ------
        ValueError
        """
        if self.left_out is not None:
            return
        if self.seconds is None:
            raise ValueError("seconds is missing")
        for name in ("srg", "insertion", "deletion"):
            refuse_other_lengths({name: getattr(self, name) or ()}, rows)
        if not self.by_reference:
            # Scores of an earlier version are on fewer kinds of reference.
            raise ValueError("by_reference is missing")
        refuse_other_lengths(dict(self.by_reference), rows)


class _Badge(Stored):
    name: Name
    badge: Name
    words: str


class _Reconstruction(Stored):
    """What the report reads of `drl.reconstruction.Reconstruction`."""

    resembles: bool
    text: str


class _Drawing(Stored):
    """What the report reads of `drl.learnt_drawing.LearntDrawing`."""

    text: str


class _FeaturesOfCells(Stored):
    """The network whose features were encoded in place of pixels."""

    name: Name


class _Tuned(Stored):
    epochs: Index


class _LatentsSettings(Stored):
    limit: Limit | None = None


class _LatentsOrigin(Origin):
    disentangler: str | None = None
    model: str | None = None
    data: str | None = None
    cells: str | None = None
    seed: Seed = 0
    settings: Annotated[dict[str, Any], checked_as(_LatentsSettings)] | None = None


class LatentsFile(Stored):
    """As of `Latents.as_dict`; what the report reads of it."""

    form: Literal["napari-channelmix/latents/1"] = Field(alias="schema")
    n: Annotated[int, Field(strict=True, ge=1)]
    badges: tuple[_Badge, ...]
    accuracy: dict[Name, Finite | None] | None = None
    finetuned: _Tuned | None = None
    reconstruction: _Reconstruction | None = None
    drawing: _Drawing | None = None
    features: _FeaturesOfCells | None = None
    warnings: tuple[str, ...] = ()
    provenance: Annotated[dict[str, Any], checked_as(_LatentsOrigin)]

    @model_validator(mode="after")
    def _complete(self) -> LatentsFile:
        best = self.accuracy or {}
        if best.get("latents") is not None and best.get("pixels_or_features") is None:
            raise ValueError("accuracy has no pixels_or_features")
        return self


class _MadeSettings(Stored):
    finetune: Index
    channel: Name | None = None
    limit: Limit | None = None
    view: dict[str, Any] | None = None
    pixels: bool = False
    drawing: str = "named"
    drawing_steps: int | None = None


class _MadeFrom(Origin):
    versions: dict[str, str | None]
    model: str
    seed: Seed
    data: str
    settings: Annotated[dict[str, Any], checked_as(_MadeSettings)]


class LatentsMadeFrom(Stored):
    """What of latents.json says whether it is of the same facts."""

    provenance: Annotated[dict[str, Any], checked_as(_MadeFrom)]


def refuse_other_lengths(lists: dict[str, Any], count: int) -> None:
    """Refuse lists that do not have an entry for each cell."""
    for name, values in lists.items():
        if len(values) != count:
            raise ValueError(f"{name} has {len(values)} entries for {count} cells")


def refuse_other_classes(
    target: tuple[int, ...], probabilities: tuple[tuple[float, ...], ...], classes: int
) -> None:
    """Refuse targets that are no class, and rows of other than a probability for each."""
    if target and max(target) >= classes:
        raise ValueError(f"target {max(target)} is none of {classes} classes")
    lengths = set(map(len, probabilities))
    if lengths - {classes}:
        raise ValueError(
            f"probabilities has {min(lengths - {classes})} numbers for {classes} classes"
        )
