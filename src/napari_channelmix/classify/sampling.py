"""Which cells a classifier was trained on and held against are too few, or of one kind only.

These lines concern whatever is made of the classifier: its accuracy, channel importance, maps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.intervals import few_groups_text
from napari_channelmix.wording import counted, listed

if TYPE_CHECKING:
    from napari_channelmix.classify.classifier import Classifier
    from napari_channelmix.data import Cells

__all__ = ["classes_in_one_image", "classifier_limits", "sampling_warnings", "too_few"]

IntArray = npt.NDArray[np.int64]

# Fewer cells of a class than these say little: of how well it is classified, and of what was learnt
# of it. Our choice; 10 held-out cells that are all right leave a recall of .72 within reach.
ENOUGH_HELD_OUT, ENOUGH_TRAINING = 10, 20


def sampling_warnings(cells: Cells, train: Cells, held_out: IntArray) -> tuple[str, ...]:
    """What the choice of cells leaves in doubt, a line each; empty where nothing does.

    Few cells of a class, trained on (below 20) or held out (below 10); classes whose training
    cells are of one group; classes in one image each, where no groups are known. That held-out
    groups are few is said with the interval of the accuracy; see `classify.intervals`. Our
    definition.

    Parameters
    ----------
    cells : Cells
        All of them, with classes.
    train : Cells
        Those that are trained on.
    held_out : (N,) int array
        Classes of the held-out cells, positions in ``cells.classes``.
    """
    counts = np.bincount(held_out[held_out >= 0], minlength=len(cells.classes))
    tested = dict(zip(cells.classes, counts.tolist(), strict=True))
    lines = []
    few = too_few(tested, ENOUGH_HELD_OUT)
    if len(few) == 1:
        only = counted(tested[few[0]], "held-out cell")
        lines.append(f"class {few[0]} has only {only}: its figures are rough")
    elif few:
        lines.append(
            f"{len(few)} classes have fewer than {ENOUGH_HELD_OUT} held-out cells: "
            f"{_counts_of(few, tested)}; their figures are rough"
        )
    trained = train.class_counts
    few = too_few(trained, ENOUGH_TRAINING)
    if len(few) == 1:
        lines.append(
            f"class {few[0]} was trained on only {counted(trained[few[0]], 'cell')}: what was "
            "learnt of it may be true of these alone"
        )
    elif few:
        lines.append(
            f"{len(few)} classes were trained on fewer than {ENOUGH_TRAINING} cells: "
            f"{_counts_of(few, trained)}; what was learnt of them may be true of these alone"
        )
    return (*lines, *_of_one_group(train), *classes_in_one_image(cells))


def _counts_of(names: Sequence[str], counts: Mapping[str, int]) -> str:
    """Classes with their numbers of cells, the rarest first."""
    order = sorted(names, key=lambda name: counts[name])
    return listed([f"{name} ({counts[name]:,})" for name in order], 5)


def too_few(counts: Mapping[str, int], enough: int) -> list[str]:
    """Classes with fewer cells than these."""
    return [name for name, count in counts.items() if count < enough]


def classes_in_one_image(cells: Cells) -> tuple[str, ...]:
    """That classes are in one image each, where no groups are known and there are several images.

    What tells such a class apart may be its image.
    """
    fields = cells.table["field"].to_numpy()
    # What all classes have in common tells none of them apart.
    if not _without_groups(cells) or len(set(fields[cells.labels >= 0].tolist())) < 2:
        return ()
    names = [
        name
        for code, name in enumerate(cells.classes)
        if len(set(fields[cells.labels == code].tolist())) == 1
    ]
    if not names:
        return ()
    return (
        f"in one image only: {', '.join(names)}; what tells such a class apart may be its "
        "image, unless images were put together from cells of one class",
    )


def _of_one_group(train: Cells) -> tuple[str, ...]:
    """That the training cells of classes are of one group each, where groups are known."""
    if _without_groups(train):
        return ()
    groups, labels = train.groups, train.labels
    if len(set(groups[labels >= 0].tolist())) == 1:
        # It tells no class apart.
        return (f"all {len(train):,} training cells are of one group: nothing is known of others",)
    names = [
        name
        for code, name in enumerate(train.classes)
        if len(set(groups[labels == code].tolist())) == 1
    ]
    if not names:
        return ()
    return (
        f"trained on one group only: {listed(names, 5)}; what tells such a class apart may be its "
        "group",
    )


def _without_groups(cells: Cells) -> bool:
    """Whether each cell is a group of its own: then none are known."""
    return len(set(cells.groups.tolist())) >= len(cells)


def classifier_limits(classifier: Classifier) -> tuple[str, ...]:
    """Why what a classifier says of a cell may mean little, as its own record tells; a line each.

    Its accuracy on held-out cells is not clearly better than chance; it was trained on fewer than
    20 cells of a class, or held against fewer than 10. Nothing is said of what the record does not
    hold, as of models that were never measured. Our definition.
    """
    estimate, lines = classifier.accuracy, []
    if estimate is not None and estimate.chance_text:
        # Of few groups even a high accuracy says no more than a guess.
        unknown = estimate.at_chance and few_groups_text(estimate.n_groups, estimate.n_cells)
        lines.append(
            "whether the classifier is better than chance is not known"
            if unknown
            else f"the classifier is {estimate.chance_text}"
        )
        lines[-1] += (
            f": balanced accuracy {estimate.balanced:.2f} ({estimate.low:.2f} to "
            f"{estimate.high:.2f}; {estimate.measured_on()})"
        )
    tested = {} if estimate is None else {row.name: row.n_cells for row in estimate.per_class}
    known = classifier.training_data
    trained = {}
    if known is not None:
        trained = {name: round(share * known.n) for name, share in known.class_shares.items()}
    parts = []
    for what, counts, enough in (
        ("trained on", trained, ENOUGH_TRAINING),
        ("tested on", tested, ENOUGH_HELD_OUT),
    ):
        few = too_few(counts, enough)
        if few:
            each = listed([f"{counts[name]} of {name}" for name in few], 3)
            parts.append(f"{what} {each} (n = {sum(counts.values())} in all)")
    if parts:
        lines.append(f"the classifier knows few cells: {', '.join(parts)}")
    return tuple(lines)
