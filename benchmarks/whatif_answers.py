"""What is known of each set, asked by transplants, flips, channel importance, audit and a clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from whatif_figures import Aim, Measured, Questioned, at_least, at_most
from whatif_sets import Case, untrained

import napari_channelmix as cm
from napari_channelmix.phenotypes.wilson import wilson
from napari_channelmix.whatif.axis_table import axes_of

if TYPE_CHECKING:
    from napari_channelmix.whatif.crops import CellCrops

Found = Iterator[tuple[str, Measured, Aim | None]]

# Fewer cells than these are not judged.
FEWEST = 10
# Amounts of each axis that are edited to take the time, as many as a run asks about.
AMOUNTS = 9
#: What the classifier of each set must be found to need: its channels, best first.
KNOWN = {
    "bbbc013": ("GFP",),
    "b14": ("CD8a", "CK-EPCAM", "GZMB"),
    "jurkat": ("DNA",),
    "synthetic": ("reporter",),
    "confound": ("DNA",),
}
#: The least of them.
USELESS = {"jurkat": "darkfield"}


def of_row(row: Any, value: str, low: str = "low", high: str = "high", note: str = "") -> Measured:
    """A figure of a row of a result."""
    return Measured(
        float(row[value]), int(row["n"]), _number(row.get(low)), _number(row.get(high)), note
    )


def _number(value: Any) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value)


def transplants(cases: list[Case], asked: Questioned) -> Found:
    """Each whole channel of another class' cells, beside the same from cells of the same class."""
    name = cases[0].name
    for row in pooled([cm.transplant(made.model, made.held_out, seed=0).matrix for made in cases]):
        aim, sham_aim = transplant_aims(name, row)
        what = f"{row['channel']} of {row['from_class']} from {row['to_class']}"
        sham = "" if np.isnan(row["sham"]) else f"sham {row['sham']:.2f}"
        if row["n"] < FEWEST:
            aim, sham = None, f"{sham}; too few cells to judge"
        if aim is not None and aim.most and name != "b14":
            above = Measured(
                row["share"] - row["sham"], row["n"], note=f"{row['share']:.2f}, {sham}"
            )
            yield f"transplant: {what}, above its sham", above, aim
            continue
        yield f"transplant: {what}, changes the call", of_row(row, "share", note=sham), aim
        if sham_aim:
            yield (
                f"transplant, same class: {row['channel']} of {row['from_class']}",
                of_row(row, "sham", "sham_low", "sham_high"),
                sham_aim,
            )


def pooled(tables: list[pd.DataFrame]) -> Iterator[dict[str, Any]]:
    """Rows of whole channels; those of several folds as one, with Wilson's interval."""
    rows = pd.concat(tables)
    rows = rows[(rows["compartment"] == "whole") & (rows["n"] > 0)]
    keys = ["channel", "from_class", "to_class"]
    for names, some in rows.groupby(keys, sort=False):
        row = dict(zip(keys, names, strict=True)) | some.iloc[0].to_dict()
        if len(tables) > 1:
            for share, count in (("share", "n"), ("sham", "sham_n")):
                known = some[(some[count] > 0) & some[share].notna()]
                n = int(known[count].sum())
                yes = round(float((known[share] * known[count]).sum()))
                low, high = (np.nan, np.nan) if not n else wilson(yes, n)
                names = ("low", "high") if share == "share" else ("sham_low", "sham_high")
                row |= {share: yes / n if n else np.nan, count: n, names[0]: low, names[1]: high}
        yield row


def transplant_aims(name: str, row: Any) -> tuple[Aim | None, Aim | None]:
    """What a transplant should do in a set, and what its sham."""
    part, source, target = row["channel"], row["from_class"], row["to_class"]
    if name == "bbbc013":
        return (at_least(0.85), at_most(0.15)) if part == "GFP" else (at_most(0.05), None)
    if name == "confound":
        return (
            (at_least(0.9), None)
            if part == "DNA"
            else (at_most(0.1), None)
            if part == "reporter"
            else (None, None)
        )
    if name == "synthetic":
        return (at_least(0.85), at_most(0.15)) if part == "reporter" else (at_most(0.1), None)
    if name == "b14":
        return b14_aim(part, source, target), None
    return None, None


def b14_aim(marker: str, source: str, target: str) -> Aim | None:
    """The marker rules that made the labels: CD8a, then GZMB; else CK-EPCAM."""
    positive = {
        "CD8a": {"CD8_GZMBneg", "CD8_GZMBpos"},
        "GZMB": {"CD8_GZMBpos"},
        "CK-EPCAM": {"TUMOR"},
    }
    if marker not in positive:
        return at_most(0.1)
    if (source in positive[marker]) == (target in positive[marker]):
        return None
    cd8 = positive["CD8a"]
    if marker == "CD8a" or (marker == "GZMB" and {source, target} <= cd8):
        return at_least(0.4)
    return at_least(0.4) if marker == "CK-EPCAM" and not {source, target} & cd8 else None


def nothing_planted(cases: list[Case], asked: Questioned) -> Found:
    """No axis of a network that learnt nothing is above its sham; nor of a channel without use."""
    made = cases[0]
    if made.name not in ("synthetic", "shuffled"):
        return
    models = {"untrained network": untrained(made)}
    if made.name == "shuffled":
        models["network trained on shuffled labels"] = made.model
    for what, model in models.items():
        rows = flips(model, made)
        above = rows[rows["above_sham"]]
        yield (
            f"{what}: rows of axis and class above their sham",
            Measured(float(len(above)), len(rows), note=", ".join(sorted(set(above["axis"])))),
            at_most(0),
        )
    if made.name == "synthetic":
        rows = flips(made.model, made)
        rows = rows[rows["family"] == "channel"]
        above = sorted(set(rows["axis"][rows["above_sham"]]))
        useless = [axis for axis in above if axis.startswith(("DNA", "look-alike"))]
        yield (
            "rows of DNA and look-alike, which carry nothing, above their sham",
            Measured(float(len(useless)), len(rows), note=f"above it: {', '.join(above)}"),
            at_most(0),
        )


def flips(model: Any, made: Case) -> pd.DataFrame:
    """What moves the decision, for 30 cells of each class."""
    return cm.what_if(model, made.held_out, only="all", limit=30, seed=0, smallest=False).flips


def consistency(cases: list[Case], asked: Questioned) -> Found:
    """Each edit does what its name says, and nothing where the amount is neutral."""
    from napari_channelmix.whatif.self_consistency import self_consistency

    axes = axes_of(asked.crops)
    same = [axis.name for axis in axes if not identical(axis(asked.crops, axis.neutral), asked)]
    yield (
        "axes whose neutral amount changes a bit",
        Measured(float(len(same)), len(axes), note=", ".join(same)),
        at_most(0),
    )
    table = self_consistency(axes, asked.crops, asked.groups)
    for _, row in table.iterrows():
        share = float(row["other_moved"] / row["moved"]) if row["moved"] > 0 else float("inf")
        yield (
            f"{row['axis']}: largest other movement over its own",
            Measured(share, int(row["n"]), note=str(row["other"])),
            at_most(1 / 3),
        )


def identical(edited: CellCrops, asked: Questioned) -> bool:
    return edited.pixels.tobytes() == asked.crops.pixels.tobytes()


def importance(cases: list[Case], asked: Questioned) -> Found:
    """Shapley values and channel swap of the finished classifier."""
    made = cases[0]
    if made.name not in KNOWN:
        return
    start = time.perf_counter()
    table = cm.channel_shapley(made.model, made.held_out, seed=0).table
    seconds = time.perf_counter() - start
    known = KNOWN[made.name]
    mean = table.groupby("channel")[["value", "swap"]].mean()
    for name, word in (("value", "Shapley values"), ("swap", "channel swap")):
        order = list(mean[name].sort_values(ascending=False).index)
        right = set(order[: len(known)]) == set(known)
        if made.name in USELESS:
            right = right and order[-1] == USELESS[made.name]
        figures = ", ".join(f"{channel} {mean.loc[channel, name]:.2f}" for channel in order)
        yield (
            f"{word}: the known answer is found ({', '.join(known)})",
            Measured(float(right), int(table["n"].max()), note=figures),
            at_least(1),
        )
    yield "Shapley values and channel swap: seconds", Measured(seconds, len(made.held_out)), None


#: What the audit of each set must say: answers of its checks.
CARDS: dict[str, dict[str, tuple[str, ...]]] = {
    "worms": {"background alone": ("red",), "background level": ("red",)},
    "worms-brightfield": {"background learnt": ("green",), "exposure": ("red", "amber")},
    "bbbc013": {"neighbours": ("red", "amber")},
    "confound": {"stain level": ("red", "amber")},
    # Neighbours have the treatment of the cell: whether they are used is the classifier's choice.
    "synthetic": dict.fromkeys(("background alone", "background level"), ("green",)),
    # Nothing but the cell says anything.
    "mixed": dict.fromkeys(
        (
            "background alone",
            "background level",
            "background learnt",
            "neighbours",
            "cell count",
            "well position",
        ),
        ("green", "not tested"),
    ),
}


def audited(cases: list[Case], asked: Questioned) -> Found:
    """The card of the shortcut audit."""
    made = cases[0]
    if made.name not in CARDS:
        return
    for check in cm.audit(made.model, made.held_out).checks:
        wanted = CARDS[made.name].get(check.key)
        value = np.nan if check.figure is None else check.figure
        yield (
            f"audit, {check.key}: {check.answer} ({check.what})",
            Measured(value, check.n, check.low, check.high, check.line),
            None,
        )
        if wanted:
            yield (
                f"audit, {check.key}: the answer is {' or '.join(wanted)}",
                Measured(float(check.answer in wanted), max(check.n, 1), note=check.answer),
                at_least(1),
            )


def speed(cases: list[Case], asked: Questioned) -> Found:
    """Milliseconds of an edit, and of all edits and answers against the answers alone."""
    crops = asked.crops
    some = crops[np.arange(256) % len(crops)]
    asked.asker(some.pixels)
    start = time.process_time()
    asked.asker(some.pixels)
    answer = 1e3 * (time.process_time() - start) / len(some)
    yield "classifier: ms a crop", Measured(answer, len(some)), None
    first, times = {}, {}
    for axis in axes_of(crops):
        fresh = some[:]
        amounts = np.linspace(0, 1, AMOUNTS + 1)[1:] * (axis.high - axis.neutral) + axis.neutral
        start = time.process_time()
        axis(fresh, float(amounts[AMOUNTS // 2]))
        first[axis.name] = 1e3 * (time.process_time() - start) / len(some)
        for amount in np.delete(amounts, AMOUNTS // 2):
            axis(fresh, float(amount))
        times[axis.name] = 1e3 * (time.process_time() - start) / len(some) / AMOUNTS
    slowest = max(first, key=first.__getitem__)
    size = f"{crops.pixels.shape[1]} x {crops.pixels.shape[2]} px"
    yield (
        f"edits of {size}: ms a crop, slowest axis, first amount",
        Measured(first[slowest], len(some), note=slowest),
        at_most(1),
    )
    mean = float(np.mean(list(times.values())))
    yield (
        f"edits: ms a crop, mean over all axes and {AMOUNTS} amounts",
        Measured(mean, len(some)),
        None,
    )
    yield (
        f"edits and answers over answers alone, mean over all axes and {AMOUNTS} amounts",
        Measured((mean + answer) / answer, len(some)),
        at_most(1.2),
    )
