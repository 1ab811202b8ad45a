"""Settings of attribution maps: how one is made, what is asked of a cell, and of a data set."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from napari_channelmix.bounds import Flag, Forwards, Index, Limit, Name, Seed
from napari_channelmix.settings.cluster import ClusterSettings
from napari_channelmix.settings.fields import About, settings, settings_of

__all__ = ["ExplainSettings", "MapSettings", "Only", "Question"]

Only = Literal["held-out", "all"]


@settings
class MapSettings:
    """How the map of a cell is made, whatever is asked of the cell.

    Attributes
    ----------
    method : str
        A name of `pcim.METHODS`.
    mode : {"autograd", "blackbox"}
        Whether gradients may be used.
    channels : {"shared", "separate"}
        One map for all channels, or one for each as well.
    forwards : int
        Images a black box is asked about, for each cell. Its memory grows with the square; what
        would need more than 1 GiB for a cell is refused.
    seed : int
    check : bool
        Compare the model with the labels of the cells, where they are a data set with labels; see
        `classify.plausibility`.
    prior : str, mapping of str to float, or Prior, optional
        With which prior probabilities are shown and the predicted class is chosen, as for
        `Classifier.predict_proba`; ``estimated`` is from all the cells. Maps of a class do not
        depend on it.

    Examples
    --------
    >>> MapSettings(method="pcim", channels="separate").channels
    'separate'
    """

    method: Annotated[Name, About("Method", "attribution method", metavar="NAME")] = "pcim"
    mode: Annotated[
        Literal["autograd", "blackbox"],
        About("Gradients", "whether gradients may be used", advanced=True),
    ] = "autograd"
    channels: Annotated[
        Literal["shared", "separate"],
        About("Per-channel maps", "one map for all channels, or one for each as well"),
    ] = "shared"
    forwards: Annotated[
        Forwards,
        About(
            "Black-box images",
            "images that a black box predicts, for each cell",
            advanced=True,
        ),
    ] = 1000
    seed: Annotated[Seed, About("Random seed", "the same seed gives the same maps")] = 0
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

    @property
    def maps(self) -> MapSettings:
        """How the maps are made, without anything else."""
        return settings_of(MapSettings, self)


@settings
class Question(MapSettings):
    """What is asked of a cell.

    Attributes
    ----------
    target, versus : str or None
        Class to explain (None: the predicted class of each cell), and class to compare it with
        (None: all others).
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


@settings
class ExplainSettings(ClusterSettings, Question):
    """What is asked about each cell of a data set, which cells are explained, and where.

    Attributes
    ----------
    limit : int or None
        Explain this many cells; see `run.explain_dataset.chosen_cells`. None: all.
    score : bool
        Measure the maps, those of PCIM and those of the baselines.
    reliability : bool
        Test each map: against random maps, the maps of random weights and a little noise; takes
        several times as long as the maps.
    contributions : bool
        What each channel contributes to each decision, with its interval and its sign; see
        `pcim.channel_contributions`. With many channels it takes far longer than the maps.
    cells : tuple of int or None
        Explain these, positions in the data set; ``limit`` is then of no account.
    only : {"held-out", "all"}
        Leave out the cells that the model was trained on, and others of their groups, where any
        is left; see `classify.training_cells`. ``cells`` are explained whatever they are.
    workers, scheduler, retries
        See `ClusterSettings`; maps do not depend on them.

    Examples
    --------
    >>> ExplainSettings(limit=100, reliability=True).method
    'pcim'
    """

    limit: Annotated[
        Limit | None,
        About("Cells", "explain N cells, spread over the data set (default: all)", metavar="N"),
    ] = None
    score: Annotated[Flag, About("Measure", "measure the maps, and those of the baselines")] = False
    reliability: Annotated[
        Flag,
        About("Test", "test each map against random ones, random weights and a little noise"),
    ] = False
    contributions: Annotated[
        Flag,
        About(
            "Contributions",
            "what each channel contributes to each decision, with its interval and sign",
        ),
    ] = False
    cells: tuple[Index, ...] | None = None
    only: Annotated[
        Only,
        About(
            "Cells",
            "explain the cells that the model was not trained on, where that is known "
            "and any is left, or all",
        ),
    ] = "held-out"
