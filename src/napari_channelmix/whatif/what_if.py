"""What would change the classifier's mind: real cells edited along named axes, a whole data set."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari_channelmix.cluster import chunks_job
from napari_channelmix.jobs import Job, Progress, drain, mapped, part
from napari_channelmix.settings import WhatIfSettings, merged, takes_settings
from napari_channelmix.whatif.summary import summarised
from napari_channelmix.whatif.what_if_task import (
    ChunkOfAnswers,
    answer_chunk_job,
    what_if_chunks,
    what_if_task_job,
)

if TYPE_CHECKING:
    from napari_channelmix.classify.predictor import Predictor
    from napari_channelmix.data import Cells
    from napari_channelmix.progress_bar import ShowProgress
    from napari_channelmix.whatif.result import WhatIf

__all__ = ["what_if", "what_if_job"]


@takes_settings(WhatIfSettings, leave_out=("prior",))
def what_if(
    model: Predictor,
    cells: Cells,
    *,
    settings: WhatIfSettings | None = None,
    progress: ShowProgress = None,
    **options: Any,
) -> WhatIf:
    """Ask a classifier about real cells that are edited along named axes.

    Each cell is edited by a channel's brightness, the cell's size, the exposure and so on, over
    the data's own range, and the classifier is asked again; edits that must not matter (turns,
    shifts by half a pixel, resampling) are the floor. No network is trained and only answers of
    the classifier are needed. Our definition; see docs/what-if.md.

    Parameters
    ----------
    model : Classifier or ForeignClassifier
    cells : Cells
        With the channels of the model; others are left out.
    settings : WhatIfSettings, optional
    progress : bool or callable, optional
        True: a bar, also in a notebook; a function: called with each `Progress`.
    **options
        Single settings, which win, such as ``axes=("DNA brightness",)`` or ``scope="crop"``;
        ``prior`` as for `Classifier.predict_proba`.

    Returns
    -------
    WhatIf
        With the data frames ``curves``, ``flips``, ``transitions``, ``smallest``, ``robustness``
        and ``purity``, and what they say in ``lines``.

    Raises
    ------
    ModelError
        Channels that are missing, crops of another size, an axis that there is not, an edit that
        gives NaN, a model that changes its answer from call to call.
    DataError
        No cells, a file that cannot be read.

    Examples
    --------
    >>> import napari_channelmix as cm
    >>> from napari_channelmix.data.samples import synthetic_plate
    >>> cells = synthetic_plate(wells=4, cells_per_well=4, side=64, crop=16).cells
    >>> model = cm.train_classifier(cells, network="tiny", epochs=1)
    >>> answers = cm.what_if(model, cells, axes=("DNA brightness",), limit=4, steps=3)
    >>> sorted(set(answers.flips["axis"]))
    ['DNA brightness', 'resampling', 'shift', 'turn']
    """
    return drain(what_if_job(model, cells, settings=settings, **options), progress)


def what_if_job(
    model: Predictor,
    cells: Cells,
    *,
    settings: WhatIfSettings | None = None,
    **options: Any,
) -> Job[WhatIf]:
    """`what_if` as a job; ``partial`` of its progress is what is known of the cells so far.

    Choose the cells; find the range of each axis among them; edit and ask, block by block; put the
    answers together.
    """
    chosen = merged(WhatIfSettings, settings, options)
    task = yield from part(what_if_task_job(model, cells, chosen), 0, 10, 100)
    parts: dict[int, ChunkOfAnswers] = {}
    chunks = what_if_chunks(task)
    job = chunks_job(
        answer_chunk_job,
        task,
        chunks,
        keep=parts.__setitem__,
        settings=chosen.cluster,
        sizes=[len(chunk) for chunk in chunks],
    )
    shown = 0

    def step(progress: Progress) -> Progress:
        nonlocal shown
        if not shown < len(parts) < len(chunks):
            return progress
        shown = len(parts)
        so_far = summarised(task, ChunkOfAnswers.together([parts[key] for key in sorted(parts)]))
        return replace(progress, partial=so_far)

    report = yield from part(mapped(job, step), 10, 85, 100)
    report.refuse_missing(lambda index: f"{len(chunks[index]):,} cells", 0)
    yield Progress(96, 100, "putting the answers together")
    return summarised(task, ChunkOfAnswers.together([parts[key] for key in sorted(parts)]))
