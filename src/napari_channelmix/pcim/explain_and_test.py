"""Explain cells, and test the maps where that is wanted: the call from Python."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari_channelmix.jobs import Job, drain, part
from napari_channelmix.pcim.explain import explain_job
from napari_channelmix.pcim.map_reliability import reliability_job
from napari_channelmix.settings import MapSettings, merged, takes_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from napari_channelmix.classify.output_selection import Select
    from napari_channelmix.classify.outputs import Output
    from napari_channelmix.data import Cells
    from napari_channelmix.pcim.attribution import Attribution
    from napari_channelmix.pcim.cell_source import Source
    from napari_channelmix.progress_bar import ShowProgress

__all__ = ["explain", "tested_job"]


@takes_settings(MapSettings)
def explain(
    model: Any,
    cells: Cells | npt.ArrayLike | Source,
    target: Any = None,
    method: str | None = None,
    mode: str | None = None,
    *,
    versus: Any = None,
    settings: MapSettings | None = None,
    device: str = "auto",
    batch: int | None = None,
    only: Sequence[int] | str | None = None,
    output: Output = "auto",
    select: Select = None,
    reliability: bool = False,
    progress: ShowProgress = None,
    **options: Any,
) -> Attribution:
    """Find which pixels made the classifier say what it says.

    Parameters
    ----------
    model : Classifier, ForeignClassifier, torch.nn.Module, estimator or callable
        A callable takes crops (n, C, H, W) and gives (n, K) numbers. What only predicts is asked
        as a black box, whatever the mode.
    cells : Cells or (N, C, H, W) array
        Cells may have their channels in any order, and more of them.
    target : None, str, int, or (N,) sequence of them
        The class to explain; None: the predicted class of each cell.
    method, mode : str, optional
        See `MapSettings`. The methods are ``pcim`` (default), ``pcim-fidelity`` (slower, more
        faithful), ``literal``, ``blackbox``, ``blackbox-sharp``, and baselines, most of them from
        captum: `pcim.BASELINES` and `pcim.MORE_BASELINES`.
    versus : None, str, int, or (N,) sequence of them
        Hold the target against this class instead of all others.
    settings : MapSettings, optional
        How the maps are made.
    device : {"auto", "cpu", "cuda", "mps"}
        Where to compute. A module is afterwards back where it was; a Classifier stays there.
    batch : int, optional
        Cells at once; default: as many as fit well.
    only : sequence of int, {"held-out", "all"}, optional
        Positions of the cells to explain; the others only have their part in the mean that a
        black box is shown. ``held-out``: those that the classifier was not trained on, where that
        is known and any is left; `Attribution.source` has their numbers. ``target`` and
        ``versus``, where they are lists, are for the explained cells.
    output : str
        What a module, estimator or callable gives, as for `load_model`; ``auto`` is found out
        from some of the cells, and refused where it stays in doubt.
    select : int or str, optional
        Which of its outputs, where it gives several.
    reliability : bool
        Test the maps too: against random maps, random weights and a little noise; the result is
        `Attribution.reliability`. It takes several times as long as the maps.
    progress : bool or callable, optional
        True: a bar, also in a notebook; a function: called with each `Progress`.
    **options
        Single settings, such as ``channels="separate"``; see `MapSettings`.

    Returns
    -------
    Attribution

    Raises
    ------
    ModelError
        Channels that are missing, a class the model does not know, an unknown method, a function
        that fails or gives other than (n, K) finite scores, a network that gives no gradient.
    DataError
        Crops of a wrong shape, with NaN or infinite pixels.

    Notes
    -----
    Cells that differ from those a Classifier was trained on are named in ``warnings``; crops of
    another size are refused.

    Examples
    --------
    >>> maps = cm.explain(model, test, target="high", only=[0, 1])
    >>> maps.maps.shape, maps.method
    ((2, 12, 12), 'pcim')
    >>> tested = cm.explain(rule, test, only=[1], forwards=60, reliability=True)
    >>> len(tested.reliability), tested.reliability.verdict(0) in ("good", "warning", "error")
    (1, True)
    """
    job = explain_job(
        model,
        cells,
        target,
        method,
        mode,
        versus=versus,
        settings=settings,
        device=device,
        batch=batch,
        only=only,
        output=output,
        select=select,
        **options,
    )
    if reliability:
        seed = merged(MapSettings, settings, options).seed
        return drain(tested_job(job, seed), progress)
    return drain(job, progress)


def tested_job(job: Job[Attribution], seed: int = 0) -> Job[Attribution]:
    """A job that explains, and then tests its maps; see `Attribution.reliability`."""
    attribution = yield from part(job, 0, 1, 5)
    tested = yield from part(reliability_job(attribution, seed=seed), 1, 4, 5, "testing the maps: ")
    return replace(attribution, reliability=tested)
