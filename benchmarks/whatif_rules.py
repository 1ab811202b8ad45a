"""What is known of each set, asked of its classifier by edits and by transplants."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from whatif_figures import (
    Aim,
    Measured,
    Questioned,
    at_least,
    at_most,
    median_of,
    moved_to,
)

from napari_channelmix.whatif.axes import named
from napari_channelmix.whatif.axis_table import axes_of
from napari_channelmix.whatif.ranges import amounts_of

if TYPE_CHECKING:
    from whatif_sets import Case

    from napari_channelmix.whatif.crops import CellCrops

Found = Iterator[tuple[str, Measured, Aim | None]]
SHAMS = ("turn", "shift", "resampling")


def rules(cases: list[Case], asked: Questioned) -> Found:
    """The rule of the set, by edits of levels and places of light."""
    known = {
        "jurkat": jurkat,
        "b14": b14,
        "bbbc013": bbbc013,
        "worms": worms,
        "worms-brightfield": worms_brightfield,
        "confound": confound,
        "synthetic": synthetic,
    }.get(cases[0].name)
    if known:
        yield from known(asked)


def turned(asked: Questioned) -> CellCrops:
    """By 29 degrees, or as far as the axis goes."""
    axis = named(axes_of(asked.crops), "turn")
    return axis(asked.crops, float(np.clip(29, axis.low, axis.high)))


def shams(asked: Questioned, names: Sequence[str] = SHAMS) -> Found:
    for name in names:
        axis = named(axes_of(asked.crops), name)
        edited = turned(asked) if name == "turn" else axis(asked.crops, 0.5)
        amount = "29 degrees" if name == "turn" else f"0.5 {axis.unit}"
        yield f"sham: {name} by {amount} changes the call", asked.becomes(edited), at_most(0.05)


def unneeded(asked: Questioned, names: Sequence[str], bound: float = 0.05) -> Found:
    """Axes that should change nothing, at both ends of the data's own range."""
    for name in names:
        axis = named(axes_of(asked.crops), name)
        amounts = amounts_of(axis, asked.crops, 3, asked.groups).values
        for amount in sorted({float(amounts[0]), float(amounts[-1])} - {axis.neutral}):
            yield (
                f"{name} by {amount:.2g} {axis.unit} (an end of the data's range) changes the call",
                asked.becomes(axis(asked.crops.scoped("crop"), amount)),
                at_most(bound),
            )


def jurkat(asked: Questioned) -> Found:
    axes = axes_of(asked.crops)
    dna, dark = named(axes, "DNA brightness"), named(axes, "darkfield brightness")
    g1, g2 = asked.called("G1"), asked.called("G2")
    later = [name for name in asked.asker.classes if name not in ("G1", "S_phase")]
    yield (
        "DNA x 2 on cells called G1: now G2 or later",
        g1.becomes(dna(g1.crops, 1.0), *later),
        at_least(0.6),
    )
    yield (
        "DNA x 1.5 on cells called G1: now S",
        g1.becomes(dna(g1.crops, float(np.log2(1.5))), "S_phase"),
        None,
    )
    yield (
        "DNA x 0.5 on cells called G2: now S or G1",
        g2.becomes(dna(g2.crops, -1.0), "S_phase", "G1"),
        at_least(0.8),
    )
    for name, some in (("G1", g1), ("G2", g2)):
        floor = some.becomes(named(axes, "resampling")(some.crops, 0.5))
        yield f"the floor: {name} resampled, nothing changed, changes the call", floor, None
        for what, edited in (
            ("dark field x 0.5", dark(some.crops, -1.0)),
            ("dark field x 2", dark(some.crops, 1.0)),
            ("sham, turned by 29 degrees", turned(some)),
            ("sham, shifted by half a pixel", named(axes, "shift")(some.crops, 0.5)),
        ):
            changed = some.becomes(edited)
            yield f"{name}, {what}: above the floor", above(changed, floor), at_most(0.05)


def above(changed: Measured, floor: Measured) -> Measured:
    """How much more of the calls change than at the floor."""
    note = f"{changed.value:.2f} of the calls change, at the floor {floor.value:.2f}"
    return Measured(changed.value - floor.value, changed.n, note=note)


def b14(asked: Questioned) -> Found:
    """Each marker brought to the median of the class it would be, by its level."""
    axes = axes_of(asked.crops)
    cd8 = ("CD8_GZMBneg", "CD8_GZMBpos")

    def brought(
        marker: str, source: Sequence[str], target: str, become: Sequence[str], around: bool
    ) -> Measured:
        level, ground = named(axes, f"{marker} level"), named(axes, f"{marker} background")
        some, other = asked.called(*source), asked.called(target)
        crops = some.crops
        if around:
            crops = moved_to(ground, crops, median_of(ground, other.crops))
        return some.becomes(moved_to(level, crops, median_of(level, other.crops)), *become)

    for marker, source, target, become in (
        ("GZMB", cd8[:1], cd8[1], cd8[1:]),
        ("GZMB", cd8[1:], cd8[0], cd8[:1]),
        ("CD8a", cd8, "OTHER", ("OTHER", "TUMOR")),
        ("CD8a", ("OTHER",), cd8[0], cd8),
        ("CD8a", ("TUMOR",), cd8[0], cd8),
        ("CK-EPCAM", ("OTHER",), "TUMOR", ("TUMOR",)),
        ("CK-EPCAM", ("TUMOR",), "OTHER", ("OTHER",)),
    ):
        words = f"of {' and '.join(source)} as in {target}: now {' or '.join(become)}"
        yield (
            f"level of {marker} {words}",
            brought(marker, source, target, become, around=False),
            at_least(0.4),
        )
        yield (
            f"level and background of {marker} {words}",
            brought(marker, source, target, become, around=True),
            None,
        )
    for marker in ("DAPI", "PDL1", "PD1", "FOXP3"):
        for source, target in (("TUMOR", "OTHER"), ("OTHER", "TUMOR"), (cd8[0], "TUMOR")):
            yield (
                f"level of {marker} of {source} as in {target} changes the call",
                brought(marker, (source,), target, (), around=False),
                at_most(0.1),
            )
    yield from shams(asked)


def bbbc013(asked: Questioned) -> Found:
    axes = axes_of(asked.crops)
    gfp = named(axes, "GFP nucleus against cytoplasm")
    for source, target in (("negative", "positive"), ("positive", "negative")):
        some, other = asked.called(source), asked.called(target)
        for scope in ("crop", "cell"):
            edited = moved_to(gfp, some.crops.scoped(scope), median_of(gfp, other.crops))
            what = "all cells in the crop" if scope == "crop" else "the cell alone"
            yield (
                f"GFP nucleus against cytoplasm of {source} as in {target}, {what}: now {target}",
                some.becomes(edited, target),
                at_least(0.6) if scope == "crop" else None,
            )
    yield from unneeded(asked, ("DNA brightness", "size"))
    yield from shams(asked)


def worms(asked: Questioned) -> Found:
    axes = axes_of(asked.crops)
    level, ground = named(axes, "GFP level"), named(axes, "GFP background")
    for source, target in (("dead", "live"), ("live", "dead")):
        some, other = asked.called(source), asked.called(target)
        aimed = median_of(level, other.crops)
        dark = median_of(ground, other.crops)
        lit = moved_to(level, some.crops.scoped("crop"), aimed)
        grounded = moved_to(ground, some.crops, dark)
        both = moved_to(level, moved_to(ground, some.crops, dark).scoped("crop"), aimed)
        for what, edited, aim in (
            ("level", lit, None),
            ("background", grounded, None),
            ("level and background", both, at_least(0.85)),
        ):
            yield (
                f"GFP {what} of {source} as in {target}: now {target}",
                some.becomes(edited, target),
                aim,
            )


def worms_brightfield(asked: Questioned) -> Found:
    exposure = named(axes_of(asked.crops), "exposure")
    live = asked.called("live")
    yield (
        "gain 0.7 on cells called live: now dead",
        live.becomes(exposure(live.crops, float(np.log2(0.7))), "dead"),
        at_least(0.6),
    )
    yield from shams(asked)


def confound(asked: Questioned) -> Found:
    """The stain that is twice as bright in one class decides, and not the reporter."""
    axes = axes_of(asked.crops)
    dna = named(axes, "DNA brightness")
    for source, amount, target in (("untreated", 1.0, "treated"), ("treated", -1.0, "untreated")):
        some = asked.called(source)
        yield (
            f"DNA x {2**amount:g} on {source}: now {target}",
            some.becomes(dna(some.crops.scoped("crop"), amount), target),
            at_least(0.9),
        )
    yield from reporter(asked, at_most(0.1), None)


def synthetic(asked: Questioned) -> Found:
    """The reporter moves, and nothing else counts."""
    yield from reporter(asked, None, at_least(0.9))
    yield from unneeded(
        asked,
        (
            "DNA brightness",
            "look-alike brightness",
            "look-alike nucleus against cytoplasm",
            "size",
        ),
    )
    yield from shams(asked)


def reporter(asked: Questioned, alone: Aim | None, together: Aim | None = None) -> Found:
    """The place of the reporter's light; and place and level, as the other class has them.

    The sample's cells lose light as it moves into the nucleus; the place alone keeps it.
    """
    axes = axes_of(asked.crops)
    place, level = (
        named(axes, f"reporter {kind}") for kind in ("nucleus against cytoplasm", "level")
    )
    for source, target in (("untreated", "treated"), ("treated", "untreated")):
        some, other = asked.called(source), asked.called(target)
        edited = moved_to(place, some.crops.scoped("crop"), median_of(place, other.crops))
        words = f"of {source} as in {target}: now {target}"
        yield f"reporter nucleus against cytoplasm {words}", some.becomes(edited, target), alone
        edited = moved_to(level, edited, median_of(level, other.crops))
        yield (
            f"reporter nucleus against cytoplasm, and level, {words}",
            some.becomes(edited, target),
            together,
        )
