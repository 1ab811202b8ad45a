"""What importance.json and the parts of a run hold, as schemas: files are not trusted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from napari_channelmix.bounds import Finite, Index, Name, Seed
from napari_channelmix.classify.accuracy import StoredAccuracy
from napari_channelmix.dcmix.separability import Separability
from napari_channelmix.dcmix.single_channels import ChannelsAlone
from napari_channelmix.stored_files import Origin, Stored, checked_as

__all__ = ["SCHEMA", "ImportanceFile", "RepeatPart"]

SCHEMA = "napari-channelmix/importance/1"

MOST = 100_000
# Shares are sums of rounded numbers.
SLACK = 1e-3

Part = Annotated[float, Field(strict=True, ge=0, le=1 + SLACK, allow_inf_nan=False)]
Parts = Annotated[tuple[Part, ...], Field(max_length=MOST)]
Numbers = Annotated[tuple[Finite, ...], Field(max_length=MOST)]
# Of a decoy: on the scale on which the channels sum to 1, so it may be more.
Positives = tuple[Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)], ...]


class ImportanceFile(Stored):
    """As of `ChannelImportance.to_dict`."""

    form: Literal["napari-channelmix/importance/1"] = Field(alias="schema")
    channels: Annotated[tuple[Name, ...], Field(min_length=1, max_length=MOST)]
    share: Parts
    share_sd: Positives
    shapley: Numbers | None
    shapley_sd: Positives | None
    per_class: dict[Name, Numbers]
    decoy: Positives | None
    p_value: Parts | None
    accuracy: dict[Name, Part]
    recall: dict[Name, dict[Name, Part | None]]
    gate: str
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1, max_length=MOST)]
    share_of_seed: tuple[Parts, ...]
    n_train: Index
    n_test: Index
    warnings: tuple[str, ...]
    provenance: Annotated[dict[str, Any], checked_as(Origin)]
    # Absent in files of earlier versions.
    estimates: dict[Name, StoredAccuracy] = Field(default_factory=dict)
    whole: Part | None = None
    nothing: Part | None = None
    share_alone: Parts | None = None
    division: str = ""
    verdict: str = ""
    p_value_reason: str = ""
    not_learnt: dict[Name, str] = Field(default_factory=dict)
    accuracy_p: dict[Name, Part] = Field(default_factory=dict)
    above_decoy: tuple[bool, ...] | None = None
    above_zero: tuple[bool, ...] | None = None
    alone: ChannelsAlone | None = None
    separability: Separability | None = None
    alone_scaled: ChannelsAlone | None = None
    p_decoy: Parts | None = None
    p_alone: Parts | None = None
    direction: dict[Name, tuple[Finite | None, ...]] = Field(default_factory=dict)
    effects_readable: dict[Name, tuple[bool, ...]] = Field(default_factory=dict)
    sampling_error: Positives | None = None

    @model_validator(mode="after")
    def _matching(self) -> ImportanceFile:
        count = len(self.channels)
        if len(set(self.channels)) < count:
            raise ValueError("two channels have the same name")
        lists = {
            name: getattr(self, name)
            for name in (
                "share",
                "share_sd",
                "shapley",
                "shapley_sd",
                "decoy",
                "p_value",
                "share_alone",
                "above_decoy",
                "above_zero",
                "p_decoy",
                "p_alone",
                "sampling_error",
            )
        }
        for kind in ("per_class", "direction", "effects_readable"):
            lists |= {f"{kind} of {name}": row for name, row in getattr(self, kind).items()}
        for name in ("alone", "alone_scaled"):
            channels_alone = getattr(self, name)
            if channels_alone is not None:
                lists |= {
                    f"{name} of {kind}": getattr(channels_alone, kind)
                    for kind in ("channels", "alone", "without")
                }
                _refuse_other_sets(name, channels_alone, self.channels)
        refuse_other_lengths(lists, count)
        if (self.shapley is None) != (self.shapley_sd is None):
            raise ValueError("shapley and shapley_sd go together")
        if len(self.share_of_seed) != len(self.seeds):
            raise ValueError(
                f"share_of_seed has {len(self.share_of_seed)} rows for {len(self.seeds)} seeds"
            )
        for row in self.share_of_seed:
            refuse_other_lengths({"share_of_seed": row}, count)
        refuse_other_sums({"share": self.share})
        for kind in ("mixed", "plain"):
            if kind not in self.accuracy:
                raise ValueError(f"accuracy has no {kind}")
            if kind not in self.recall:
                raise ValueError(f"recall has no {kind}")
        return self


def _refuse_other_sets(where: str, channels_alone: ChannelsAlone, channels: Sequence[str]) -> None:
    """Refuse sets of other channels, or a smallest set of none."""
    if channels_alone.channels != tuple(channels):
        raise ValueError(f"{where}: is of other channels")
    smallest = () if channels_alone.smallest is None else (channels_alone.smallest,)
    sets = {
        channel
        for channel_set in (*channels_alone.alone, *channels_alone.without, *smallest)
        for channel in channel_set.channels
    }
    if not sets | set(channels_alone.needs) <= set(channels):
        raise ValueError(f"{where}: names channels that are none of these")
    if any(not channel_set.channels for channel_set in (*channels_alone.alone, *smallest)):
        raise ValueError(f"{where}: a set of no channels")


class _Accuracy(Stored):
    """As of `Accuracy.as_dict`."""

    balanced: Part
    recall: tuple[Part | None, ...]
    error: Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
    chance: Part


class RepeatPart(Stored):
    """As of `RepeatResult`."""

    seed: Seed
    share: Parts
    mixed: Annotated[dict[str, Any], checked_as(_Accuracy)]
    plain: Annotated[dict[str, Any], checked_as(_Accuracy)]
    mixed_predicted: tuple[Index, ...]
    plain_predicted: tuple[Index, ...]
    decoy_share: Parts | None
    decoys: Positives | None
    shapley: Numbers | None
    shapley_per_class: tuple[tuple[Finite | None, ...], ...] | None
    whole: Part | None
    nothing: Part | None
    warnings: tuple[str, ...]
    # Absent in files of earlier versions.
    method: Index = 1
    shapley_direction: tuple[tuple[Finite | None, ...], ...] | None = None
    shapley_error: Positives | None = None

    def refuse_others(
        self, *, seed: int, cells: int, channels: int, classes: int, shapley: bool, decoys: bool
    ) -> None:
        """Refuse a part that is not of this seed, or of as many cells, channels and classes.

        Raises
        ------
        ValueError
        """
        if self.seed != seed:
            raise ValueError(f"of seed {self.seed}, not {seed}")
        for called in (self.mixed_predicted, self.plain_predicted):
            if len(called) != cells or max(called, default=0) >= classes:
                raise ValueError(f"not of {cells} cells of {classes} classes")
        lists: dict[str, Sequence[Any] | None] = {
            "share": self.share,
            "decoy_share": self.decoy_share,
            "decoys": self.decoys,
            "shapley": self.shapley,
            "shapley_error": self.shapley_error,
        }
        refuse_other_lengths(lists, channels)
        refuse_other_sums({"share": self.share, "decoy_share": self.decoy_share})
        for row in self.shapley_per_class or ():
            refuse_other_lengths({"shapley_per_class": row}, channels)
        for row in self.shapley_direction or ():
            refuse_other_lengths({"shapley_direction": row}, channels)
        of_classes = [self.mixed["recall"], self.plain["recall"]]
        if self.shapley_per_class is not None:
            of_classes.append(self.shapley_per_class)
        if self.shapley_direction is not None:
            of_classes.append(self.shapley_direction)
        if any(len(values) != classes for values in of_classes):
            raise ValueError(f"not of {classes} classes")
        there = [
            values is not None
            for values in (self.shapley, self.shapley_per_class, self.decoys, self.decoy_share)
        ]
        if there != [shapley, shapley, decoys, decoys]:
            raise ValueError("other numbers than this run wants")


def refuse_other_lengths(lists: dict[str, Sequence[Any] | None], channels: int) -> None:
    """Refuse lists that do not have a number for each channel."""
    for name, values in lists.items():
        if values is not None and len(values) != channels:
            raise ValueError(f"{name} has {len(values)} numbers for {channels} channels")


def refuse_other_sums(lists: dict[str, Sequence[float] | None]) -> None:
    """Refuse shares that do not sum to 1."""
    for name, values in lists.items():
        if values is not None and abs(sum(values) - 1) > SLACK:
            raise ValueError(f"{name} sums to {sum(values):.4g}, not to 1")
