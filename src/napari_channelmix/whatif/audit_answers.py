"""How the figures of a shortcut audit are read: green, amber or red, and why.

Accuracies are read by what is kept of the classifier's advantage over a guess::

    kept = (accuracy after the change - chance) / (accuracy of the cells as they are - chance)

A shortcut is red where half of it or more is kept, and its interval lies above chance; green below
a quarter. Shares of predictions that an innocent change moves are red from one half on; amber from
0.15 on where the change is one that the groups of the data differ by themselves, and from a third
on where it is larger. They are amber as well where it is clear that the change moves more than
0.05, and more than resampling, the sham: the whole interval lies above both. Our choice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from napari_channelmix.whatif.audit_result import NOT_TESTED, Answer, AuditCheck, AuditFigure
from napari_channelmix.wording import fraction, listed

if TYPE_CHECKING:
    from napari_channelmix.classify.accuracy import AccuracyEstimate
    from napari_channelmix.whatif.group_intervals import GroupedShare

__all__ = [
    "QUESTIONS",
    "accuracy_check",
    "accuracy_figure",
    "by_design",
    "changed_check",
    "kept_of",
    "kept_word",
    "not_tested",
    "share_figure",
]

#: Short name and question of each check, in the order of the card.
QUESTIONS = {
    "background alone": "Does the prediction need any cell, or is the background enough?",
    "background level": "Is the level of the background enough?",
    "background learnt": "Does the background carry the classes at all?",
    "neighbours": "Do other cells in the crop decide?",
    "cell count": "Do the classes differ in how many cells there are?",
    "well position": "Do the classes differ in where their wells lie?",
    "exposure": "Does another exposure change the predictions?",
    "shading": "Does uneven illumination change the predictions?",
    "channel gain": "Does the gain of one channel change the predictions?",
    "stain level": "Does the mere level of a channel decide: stain or batch?",
    "attribution": "Does the attribution lie in the cell?",
}

# Of the advantage over a guess that is kept, and of predictions that change.
KEPT_GREEN, KEPT_RED = 0.25, 0.5
CHANGED_GREEN, LARGE_GREEN, CHANGED_RED = 0.15, 1 / 3, 0.5
# Of predictions that an innocent change may move, whatever its size, if that is certain.
CHANGED_CLEARLY = 0.05
ACCURACY, CHANGED = "balanced accuracy", "predictions changed"


def not_tested(key: str, why: str, figures: Sequence[AuditFigure] = ()) -> AuditCheck:
    """A check that could not be made, and why."""
    line = f"{key}: {why}"
    return AuditCheck(key, QUESTIONS[key], NOT_TESTED, line, figures=tuple(figures))


def kept_of(accuracy: AccuracyEstimate, whole: AccuracyEstimate) -> float:
    """Part of the advantage over a guess that is left, to a millionth."""
    return round((accuracy.balanced - whole.chance) / max(whole.balanced - whole.chance, 1e-9), 6)


def kept_word(accuracy: AccuracyEstimate, whole: AccuracyEstimate) -> Answer:
    """What an accuracy without the cell says: ``red`` where most of the advantage is left."""
    kept = kept_of(accuracy, whole)
    if kept < KEPT_GREEN:
        return "green"
    clear = accuracy.low > accuracy.chance
    return "red" if clear and kept >= KEPT_RED else "amber"


def accuracy_figure(name: str, accuracy: AccuracyEstimate) -> AuditFigure:
    """An accuracy as a figure of a check."""
    return AuditFigure(
        name,
        ACCURACY,
        accuracy.balanced,
        accuracy.low,
        accuracy.high,
        accuracy.n_cells,
        accuracy.n_groups,
    )


def share_figure(name: str, share: GroupedShare, what: str = CHANGED) -> AuditFigure:
    """A share as a figure of a check."""
    if not share.n:
        return AuditFigure(name, what, None, None, None, 0, 0)
    return AuditFigure(name, what, share.share, share.low, share.high, share.n, share.groups)


def accuracy_check(
    key: str,
    accuracy: AccuracyEstimate,
    whole: AccuracyEstimate,
    lines: dict[str, str],
    figures: Sequence[AuditFigure] = (),
    *,
    answer: Answer | None = None,
) -> AuditCheck:
    """Read an accuracy that should be no better than a guess.

    Parameters
    ----------
    key : str
        Of `QUESTIONS`.
    accuracy, whole : AccuracyEstimate
        After the change, and of the cells as they are.
    lines : dict
        What is said of each answer; ``{figure}`` is the accuracy with its interval, ``{whole}``
        that of the cells as they are.
    figures : sequence of AuditFigure
    answer : optional
        In place of `kept_word`.
    """
    word = kept_word(accuracy, whole) if answer is None else answer
    line = lines[word].format(figure=accuracy.short_text, whole=whole.short_text)
    return AuditCheck(
        key,
        QUESTIONS[key],
        word,
        line,
        ACCURACY,
        accuracy.balanced,
        accuracy.low,
        accuracy.high,
        accuracy.chance,
        accuracy.n_cells,
        accuracy.n_groups,
        accuracy.warning,
        tuple(figures),
    )


def changed_check(
    key: str,
    shares: dict[str, GroupedShare],
    what: str,
    within: Collection[str] = (),
    by_class: Callable[[str], dict[str, GroupedShare]] | None = None,
    sham: GroupedShare | None = None,
) -> AuditCheck:
    """Read the shares of predictions that innocent changes move; the worst decides.

    Parameters
    ----------
    key : str
    shares : dict of str to GroupedShare
        By the change, such as ``exposure x 0.7``.
    what : str
        What the changes are of, in a sentence: ``another exposure``.
    within : collection of str
        Changes that are as large as those between the groups of the data.
    by_class : callable, optional
        Gives the shares of a change class by class; those of the worst are told.
    sham : GroupedShare, optional
        What resampling alone moves.
    """
    floor = CHANGED_CLEARLY if sham is None else max(CHANGED_CLEARLY, sham.share)
    words = {name: _changed_word(share, name in within, floor) for name, share in shares.items()}
    worst = max(shares, key=lambda name: (_BADNESS[words[name]], shares[name].share))
    share, word = shares[worst], words[worst]
    text = f"{fraction(share.share)} ({fraction(share.low)} to {fraction(share.high)})"
    does = "changes few predictions" if word == "green" else "changes predictions"
    if word == "green" and share.share >= CHANGED_GREEN:
        does = "changes some predictions, where it is larger than between the groups of the data"
    also = [f"{name} {fraction(other.share)}" for name, other in shares.items() if name != worst]
    also += [] if sham is None else [f"resampling, the sham, {fraction(sham.share)}"]
    more = f"; {listed(also, 6)}" if also else ""
    of_classes = {} if by_class is None else by_class(worst)
    each = ", ".join(f"of {name} {fraction(of.share)}" for name, of in of_classes.items())
    line = f"{what} {does}: {worst} moves {text} of them{f' ({each})' if each else ''}{more}"
    figures = [share_figure(name, of) for name, of in shares.items()]
    figures += [share_figure(f"{worst}, {name}", of) for name, of in of_classes.items()]
    figures += [] if sham is None else [share_figure("resampled (sham)", sham)]
    return AuditCheck(
        key,
        QUESTIONS[key],
        word,
        line,
        CHANGED,
        share.share,
        share.low,
        share.high,
        0.0,
        share.n,
        share.groups,
        share.warning,
        tuple(figures),
    )


def _changed_word(share: GroupedShare, within: bool, floor: float) -> Answer:
    if share.low <= floor and share.share < (CHANGED_GREEN if within else LARGE_GREEN):
        return "green"
    return "red" if share.share >= CHANGED_RED and share.low > CHANGED_GREEN else "amber"


_BADNESS = {"green": 0, "amber": 1, "red": 2}


def by_design(word: Answer, paths: Sequence[AuditCheck]) -> tuple[Answer, str]:
    """What tells the classes apart without being in the pixels, read by whether it reaches them.

    A layout or a number of cells reaches the classifier through pixels outside the cell only.
    Where each of these ways was tested and is green, so is this; and that is said.

    Parameters
    ----------
    word : Answer
        As of the accuracy alone.
    paths : sequence of AuditCheck
        Of the ways by which it could reach the classifier.
    """
    if word == "green":
        return word, ""
    keys = listed([path.key for path in paths])
    if all(path.answer == "green" for path in paths):
        return "green", f", but it does not reach the classifier ({keys}: green)"
    return "amber", f", and the classifier may see it ({keys}: not all green)"
