"""Explain one cell and test the map, as a job; the question and what is known of its answer.

A cell goes this way; at each step the page gets all that is known so far as an `Explanation`:

1. read its crops (the thumbnails can be drawn)
2. the first map and what the classifier says of the cell
3. the map refined, step by step
4. the map of each channel
5. what each channel contributes to the decision
6. which share of the evidence lies in the cell, its neighbours and the background
7. whether the classifier was trained on it
8. the insertion and deletion curves of the map
9. the other tests of how far it can be trusted
10. how far the maps of the channels that decide can be trusted, each in its channel alone
11. once for all cells: whether labels speak against the model

The map of all channels comes first and is tested first: masks for each channel alone have a sum
that is less faithful (docs/pixel-attribution.md).

PyTorch is imported where a job begins, never with a page.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.computing import leave_a_core
from napari_channelmix.data.borders import AT_BORDER
from napari_channelmix.data.cell_names import cell_name
from napari_channelmix.data.display_limits import DisplayLimits, display_limits_job
from napari_channelmix.errors import ChannelMixError
from napari_channelmix.jobs import Job, Progress, mapped, part
from napari_channelmix.viewer.session.explanation import Explanation

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.pcim import Attribution, MapUpdate
    from napari_channelmix.viewer.session.cell_sources import Sources
    from napari_channelmix.viewer.session.explanation import Question
    from napari_channelmix.viewer.session.session import Trained

__all__ = ["explain_cell_job", "limits_job", "warm_job"]

# The maps are what is waited for; a test takes about as long as ten maps.
SHARE_OF_MAP, SHARE_OF_CHANNELS = 0.15, 0.15
BEFORE_TESTS = SHARE_OF_MAP + SHARE_OF_CHANNELS


def explain_cell_job(
    sources: Sources,
    trained: Trained,
    cells: Cells,
    cell: int,
    question: Question,
    known: Explanation | None = None,
) -> Job[Explanation]:
    """Explain one cell, then test the map; what is ``known`` of it is not done again.

    Raises
    ------
    ModelError, DataError
        As `pcim.explain`.
    """
    from napari_channelmix.pcim import explain_job

    if known is not None and known.attribution is not None:
        explanation = known
        if not known.contributions_known:
            explanation = yield from _by_channel(explanation, sources, trained, cells)
        if known.shares is None:
            explanation = yield from _divided(explanation, sources, trained, cells)
        if not known.training:
            explanation = _marked(explanation, sources, trained, cells)
        if known.reliability is None:
            explanation = yield from _tested(explanation)
        explanation = yield from _tested_by_channel(explanation)
        return (yield from _checked(explanation, sources, trained, cells))
    yield Progress(0, 1, "reading the cell")
    source = sources.of(trained, cells).read(np.array([cell]))
    limits = yield from limits_job(trained, cells)
    row = cells.table.iloc[cell]
    y0, x0, y1, x1 = cells.boxes[cell].tolist()
    explanation = Explanation(
        question,
        cell,
        int(row["field"]),
        (y0, x0, y1, x1),
        trained.classifier.channels,
        trained.classifier.classes,
        np.asarray(source.cells)[0],
        warnings=_at_border(cells, cell),
        called=cell_name(cells, cell),
        limits=limits,
    )
    yield Progress(0, 1, "explaining the cell", partial=explanation)
    job = explain_job(
        trained.classifier,
        source,
        question.target,
        versus=question.versus,
        # The maps of the channels follow.
        settings=replace(question.maps, channels="shared"),
        batch=1,
    )
    job = part(job, 0, SHARE_OF_MAP, 1)
    try:
        while True:
            step = next(job)
            explanation = _refined(explanation, step.partial)
            yield replace(step, partial=explanation, metrics={})
    except StopIteration as end:
        explanation = _finished(explanation, end.value)
    finally:
        job.close()
    explanation = yield from _by_channel(explanation, sources, trained, cells)
    explanation = yield from _divided(explanation, sources, trained, cells)
    # Others of its group may lie far apart in a large image.
    stage = "reading cells of its group, to see whether they were trained on"
    yield Progress(BEFORE_TESTS, 1, stage, partial=explanation)
    explanation = _marked(explanation, sources, trained, cells)
    yield Progress(BEFORE_TESTS, 1, "testing the map", partial=explanation)
    explanation = yield from _tested(explanation)
    explanation = yield from _tested_by_channel(explanation)
    return (yield from _checked(explanation, sources, trained, cells))


def _by_channel(
    explanation: Explanation, sources: Sources, trained: Trained, cells: Cells
) -> Job[Explanation]:
    """The map of each channel, where they are wanted, and what each contributes."""
    from napari_channelmix.pcim import explain_job
    from napari_channelmix.pcim.channel_contributions import channel_contributions

    assert explanation.attribution is not None and explanation.target is not None
    question, source = explanation.question, explanation.attribution.source
    target = explanation.target
    if question.channels == "separate" and len(explanation.channels) > 1:
        job = explain_job(
            trained.classifier,
            source,
            question.target,
            versus=question.versus,
            settings=question.maps,
            batch=1,
            # Said with the map of all channels.
            compare=False,
        )
        job = part(job, SHARE_OF_MAP, SHARE_OF_CHANNELS / 2, 1)
        try:
            while True:
                step = next(job)
                explanation = _with_channel_maps(explanation, step.partial)
                step = replace(step, stage="explaining each channel", metrics={})
                yield replace(step, partial=explanation)
        except StopIteration as end:
            explanation = replace(explanation, channel_maps=end.value.channel_maps[0])
        finally:
            job.close()
    done = BEFORE_TESTS - SHARE_OF_CHANNELS / 2
    yield Progress(done, 1, "exchanging channels", partial=explanation)
    reading = mapped(
        sources.donors_job(trained, cells), lambda step: replace(step, partial=explanation)
    )
    versus = explanation.attribution.versus
    try:
        donors = yield from part(reading, done, SHARE_OF_CHANNELS / 2, 1)
        contributions = channel_contributions(
            source, donors, target, None if versus is None else int(versus[0])
        )
    except ChannelMixError as error:
        # Another cell that cannot be read takes nothing from this one's maps.
        line = f"no channel contributions: {error}"
        explanation = replace(explanation, warnings=(*explanation.warnings, line))
        return replace(explanation, contributions_known=True)
    if contributions is not None and explanation.channel_maps is not None:
        contributions = contributions.with_evidence(explanation.channel_maps)
    return replace(explanation, contributions=contributions, contributions_known=True)


def _divided(
    explanation: Explanation, sources: Sources, trained: Trained, cells: Cells
) -> Job[Explanation]:
    """Note which share of the evidence lies in the cell."""
    assert explanation.attribution is not None
    made = explanation.attribution
    try:
        reading = mapped(
            sources.parts_job(trained, cells), lambda step: replace(step, partial=explanation)
        )
        parts = yield from part(reading, BEFORE_TESTS, 0, 1)
        shares = parts.shares(
            [explanation.cell], explanation.crops[None], made.maps, made.magnitude
        )
    except ChannelMixError as error:
        # Another cell that cannot be read takes nothing from this one's maps.
        line = f"where the evidence lies is not counted: {error}"
        lines = dict.fromkeys((*explanation.warnings, line))
        return replace(explanation, warnings=tuple(lines))
    return replace(explanation, shares=shares)


def _with_channel_maps(explanation: Explanation, update: MapUpdate | None) -> Explanation:
    if update is None or update.channel_maps is None:
        return explanation
    return replace(explanation, channel_maps=update.channel_maps[0].copy())


def limits_job(trained: Trained, cells: Cells) -> Job[DisplayLimits | None]:
    """The scale of the pictures of what the classifier sees; None without its channels by name."""
    classifier = trained.classifier
    if not set(classifier.channels) <= set(cells.channels):
        return None
    from napari_channelmix.classify.scaled_pixels import scaled_alike

    seen = cells.with_channels(classifier.channels)
    seen = scaled_alike(seen, getattr(classifier, "scaling", None), trained.source)
    return (yield from display_limits_job(seen))


def _checked(
    explanation: Explanation, sources: Sources, trained: Trained, cells: Cells
) -> Job[Explanation]:
    """What the labels say against the model is said with each cell; looked at once for all."""
    lines = sources.doubts(trained, cells)
    if lines is None:
        from napari_channelmix.classify.plausibility import STAGE, plausibility_job

        yield Progress(1, 1, STAGE, partial=explanation)
        lines = yield from part(plausibility_job(trained.classifier, cells), 1, 0, 1)
        sources.keep_doubts(trained, cells, lines)
    return replace(explanation, doubts=lines)


def _marked(
    explanation: Explanation, sources: Sources, trained: Trained, cells: Cells
) -> Explanation:
    """Note whether the classifier was trained on the cell, or on others of its group."""
    return replace(explanation, training=sources.training_mark(trained, cells, explanation.cell))


def _at_border(cells: Cells, cell: int) -> tuple[str, ...]:
    """A map lies on what was filled, too."""
    return (AT_BORDER,) if cells.at_border[cell] else ()


def _refined(explanation: Explanation, update: Any) -> Explanation:
    if update is None:
        return explanation
    return replace(
        explanation,
        map=update.maps[0].copy(),
        magnitude=update.magnitude[0].copy(),
        probabilities=update.probabilities[0],
        target=int(update.target[0]),
    )


def _finished(explanation: Explanation, attribution: Attribution) -> Explanation:
    from napari_channelmix.pcim.caveats import attribution_caveats, sentences

    caveats = attribution_caveats(attribution)[0]
    # They stand with the words on reliability.
    warnings = [line for line in attribution.warnings if line not in caveats]
    return replace(
        explanation,
        map=attribution.maps[0],
        magnitude=attribution.magnitude[0],
        probabilities=attribution.probabilities[0],
        target=int(attribution.target[0]),
        attribution=attribution,
        warnings=tuple(dict.fromkeys((*explanation.warnings, *warnings))),
        caveats=sentences(caveats),
        prior="" if attribution.prior is None else attribution.prior.text(),
        output=attribution.output if hasattr(attribution.source.model, "reading") else "",
    )


def _tested(explanation: Explanation) -> Job[Explanation]:
    """Reliability of the map; the curves come first."""
    from napari_channelmix.pcim import reliability_job
    from napari_channelmix.pcim.scores import Fidelity

    assert explanation.attribution is not None
    job = part(
        reliability_job(explanation.attribution),
        BEFORE_TESTS,
        1 - BEFORE_TESTS,
        1,
        "testing the map: ",
    )
    try:
        while True:
            step = next(job)
            if isinstance(step.partial, Fidelity):
                explanation = replace(explanation, fidelity=step.partial)
            # Maps of the cell with noise or of a random network are not this cell's map.
            yield replace(step, partial=explanation, metrics={})
    except StopIteration as end:
        return replace(explanation, fidelity=end.value.fidelity, reliability=end.value)
    finally:
        job.close()


def _tested_by_channel(explanation: Explanation) -> Job[Explanation]:
    """Reliability of the maps of single channels, where there are any."""
    attribution, maps = explanation.attribution, explanation.channel_maps
    if maps is None or attribution is None or explanation.channel_reliability is not None:
        return explanation
    from napari_channelmix.pcim.channel_reliability import channel_reliability_job

    assert explanation.target is not None
    versus = attribution.versus
    job = channel_reliability_job(
        attribution.source,
        maps,
        explanation.contributions,
        explanation.target,
        None if versus is None else int(versus[0]),
        seed=explanation.question.seed,
    )
    tested = yield from mapped(job, lambda step: replace(step, partial=explanation, metrics={}))
    return replace(explanation, channel_reliability=tested)


def warm_job(sources: Sources, trained: Trained, cells: Cells) -> Job[None]:
    """Import what an explanation needs and try the network once: the first click need not wait."""
    yield Progress(0, 3, "getting ready")
    from napari_channelmix.pcim import explain_job

    yield Progress(1, 3, "getting ready")
    leave_a_core()
    try:
        source = sources.of(trained, cells).read(np.array([0]))
    except ChannelMixError:
        # Said when a cell is clicked: nobody has asked anything yet.
        return
    job = explain_job(trained.classifier, source, forwards=2, batch=1)
    try:
        for _ in range(2):
            next(job, None)
            yield Progress(2, 3, "getting ready")
    except ChannelMixError:
        return
    finally:
        job.close()
