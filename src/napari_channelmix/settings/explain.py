"""Settings of attribution maps of a data set."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from napari_channelmix.bounds import Flag, Forwards, Index, Limit, Name, Seed
from napari_channelmix.settings.fields import About, settings

__all__ = ["ExplainSettings", "Only"]

Only = Literal["held-out", "all"]


@settings
class ExplainSettings:
    """What is asked about each cell.

    Attributes
    ----------
    target, versus : str or None
        Class to explain (None: the predicted class of each cell), and class to compare it with
        (None: all others).
    method, mode, channels : str
        As for `pcim.explain`.
    forwards, seed : int
    limit : int or None
        Explain this many cells; see `run.explaining.chosen_cells`. None: all.
    score : bool
        Measure the maps, those of PCIM and those of the baselines.
    cells : tuple of int or None
        Explain these, positions in the data set; ``limit`` is then of no account.
    check : bool
        Compare the model with the labels of the data set; see `classify.plausibility`.
    prior : str, mapping of str to float, or Prior, optional
        With which prior probabilities are shown and the predicted class is chosen, as for
        `Classifier.predict_proba`; ``estimated`` is from all cells of the data set.
    only : {"held-out", "all"}
        Leave out the cells that the model was trained on, and others of their groups, where any
        is left; see `classify.training_cells`. ``cells`` are explained whatever they are.
    """

    target: Annotated[
        Name | None,
        About("Class", "class to explain (default: the predicted class)", metavar="CLASS"),
    ] = None
    versus: Annotated[
        Name | None,
        About(
            "Compared with",
            "class to compare the target with (default: all others)",
            metavar="CLASS",
        ),
    ] = None
    method: Annotated[Name, About("Method", "attribution method", metavar="NAME")] = "pcim"
    mode: Annotated[
        Literal["autograd", "blackbox"],
        About("Gradients", "whether gradients may be used", advanced=True),
    ] = "autograd"
    channels: Annotated[
        Literal["shared", "separate"],
        About("Maps", "one map for all channels, or one for each as well"),
    ] = "shared"
    forwards: Annotated[
        Forwards,
        About("Answers", "images that a black box predicts, for each cell", advanced=True),
    ] = 1000
    seed: Annotated[Seed, About("Random seed", "the same seed gives the same maps")] = 0
    limit: Annotated[
        Limit | None,
        About("Cells", "explain N cells, spread over the data set (default: all)", metavar="N"),
    ] = None
    score: Annotated[Flag, About("Measure", "measure the maps, and those of the baselines")] = False
    cells: tuple[Index, ...] | None = None
    check: Annotated[
        Flag,
        About(
            "Check labels",
            "compare the model with the labels first",
            off="do not compare the model with the labels",
            advanced=True,
        ),
    ] = True
    prior: Any = None
    only: Annotated[
        Only,
        About(
            "Only",
            "explain the cells that the model was not trained on, where that is known "
            "and any is left, or all",
        ),
    ] = "held-out"
