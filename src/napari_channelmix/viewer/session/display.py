"""The display channels: at most six, which every picture of cells shows, as the canvas does.

One choice for each data set. Whoever draws crops reads it and listens to ``changed``; it knows no
Qt, and nothing of layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from psygnal import Signal, SignalInstance

from napari_channelmix.data.display_channels import (
    MOST_TOGETHER,
    DisplayChannels,
    beyond_chance,
    check_names,
    class_contrast,
    colors_of,
    contrast_of,
    markers_by_contrast,
    proposed_channels,
    unmeasured_channels,
)
from napari_channelmix.data.display_limits import known_sample, lacking_classes
from napari_channelmix.data.nuclear_channel import nuclear_channel
from napari_channelmix.errors import DataError

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.data.display_limits import ChannelSample
    from napari_channelmix.viewer.session.what_if_answers import WhatIfAnswers

__all__ = ["Display"]


class _State(Protocol):
    """What it reads of a session."""

    @property
    def cells_changed(self) -> SignalInstance: ...
    @property
    def closed(self) -> SignalInstance: ...

    cells: Cells | None
    data_set: int
    what_if: WhatIfAnswers | None


@dataclass(frozen=True, eq=False)
class _Choice:
    """What is known of one data set."""

    names: tuple[str, ...]
    all_names: tuple[str, ...]
    colors: dict[str, str] = field(default_factory=dict)
    by_user: bool = False
    sample: ChannelSample | None = None


class Display:
    """The channels that are shown together, of the data set in use.

    Six or fewer channels: the first four at first. Of more, the nuclear stain until a sample of the
    cells was looked at (`take_sample`), then those that are proposed; what the user chose stays.

    Signals
    -------
    changed()
        Other channels, colours or contrast.

    Examples
    --------
    >>> from napari_channelmix.viewer.session.session import Session
    >>> Session().display.channels
    ()
    """

    changed = Signal()

    def __init__(self, session: _State) -> None:
        self._session = session
        self._choices: dict[int, _Choice] = {}
        self._told: tuple[object, ...] = ()
        session.cells_changed.connect(self._cells_changed)
        session.closed.connect(self._forget)

    # ---------------------------------------------------------------- what is shown

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that are shown; none where there are no cells."""
        choice = self._choice
        return () if choice is None else choice.names

    @property
    def colors(self) -> tuple[str, ...]:
        """``#RRGGBB`` of each."""
        choice = self._choice
        if choice is None:
            return ()
        return tuple(choice.colors[name] for name in choice.names)

    @property
    def contrast(self) -> dict[str, tuple[float, float]]:
        """Black and full colour of each channel of the data set; empty before it is measured."""
        choice = self._choice
        if choice is None or choice.sample is None:
            return {}
        return contrast_of(choice.sample.limits)

    @property
    def together(self) -> DisplayChannels:
        """All three as a value, for jobs in other threads."""
        return DisplayChannels(self.channels, self.colors, self.contrast)

    @property
    def measured(self) -> bool:
        """Whether a sample of the cells was looked at."""
        choice = self._choice
        return choice is not None and choice.sample is not None

    @property
    def lacking_classes(self) -> tuple[str, ...]:
        """Classes that have cells now, but too few in the sample: their markers are not known."""
        choice, cells = self._choice, self._session.cells
        if choice is None or choice.sample is None or cells is None:
            return ()
        return lacking_classes(cells, choice.sample)

    @property
    def chosen_by_user(self) -> bool:
        """Whether the user chose them; else they are proposed."""
        choice = self._choice
        return choice is not None and choice.by_user

    def color_of(self, name: str) -> str | None:
        """The colour of a channel; None where it is not shown."""
        return dict(zip(self.channels, self.colors, strict=True)).get(name)

    # ---------------------------------------------------------------- choosing

    def set(self, names: Sequence[str]) -> None:
        """Show these channels; those that stay keep their colours.

        Raises
        ------
        DataError
            A name that is no channel, or more than six.
        """
        choice = self._choice
        if choice is None:
            raise DataError("display channels: there are no cells yet; open a data set first")
        names = tuple(dict.fromkeys(names))
        check_names(names, choice.all_names)
        self._keep(replace(_with_names(choice, names), by_user=True))

    def propose(self, names: Sequence[str]) -> None:
        """Show the channels of layers that the user has made visible, six at most.

        Unless the user chose others here.
        """
        choice = self._choice
        # Layers may be of other cells than those in use by now.
        known = [] if choice is None else [name for name in names if name in choice.all_names]
        if choice is not None and not choice.by_user and known:
            choice = _with_names(choice, tuple(known)[:MOST_TOGETHER])
            self._keep(replace(choice, by_user=True))

    def add(self, name: str) -> bool:
        """Show one channel more, where there is room for it; whether it is shown now."""
        if name in self.channels:
            return True
        if len(self.channels) >= MOST_TOGETHER:
            return False
        self.set((*self.channels, name))
        return True

    def remove(self, name: str) -> None:
        """Show one channel less."""
        self.set([other for other in self.channels if other != name])

    def take_sample(self, sample: ChannelSample) -> None:
        """What was measured of the cells in use; proposes channels unless the user chose.

        Of a second sample, as of classes that were named since, the channels that are shown stay:
        they would change under the hands of whoever names cells.
        """
        choice, cells = self._choice, self._session.cells
        if choice is None or cells is None or sample.limits.channels != cells.channels:
            return
        first = choice.sample is None
        choice = replace(choice, sample=sample)
        if first and not choice.by_user:
            choice = _with_names(replace(choice, colors={}), proposed_channels(cells, sample))
        self._keep(choice)

    def markers_of(self, class_name: str) -> tuple[str, ...]:
        """The channels that tell a class from the others, most telling first; six at most.

        The nuclear stain, then those that the classifier goes by for this class, whether it needs
        them or their absence, where it was asked; else those in which its cells are brighter or
        darker than others. Empty where nothing is known of the class.

        Raises
        ------
        DataError
            No class of this name.
        """
        choice, cells = self._choice, self._session.cells
        known = () if cells is None else cells.classes
        effects = self._effects(class_name)
        if class_name not in known and not effects:
            raise DataError(f"display channels: there is no class {class_name!r}")
        if choice is None or cells is None:
            return ()
        nuclear = nuclear_channel(cells.channels)
        first = () if nuclear is None else (nuclear,)
        markers = effects
        sample = choice.sample
        if not markers and sample is not None and class_name in known:
            codes = cells.labels[sample.rows]
            contrast = class_contrast(sample.levels, codes, len(known))
            own = beyond_chance(contrast, codes)[known.index(class_name)]
            markers = markers_by_contrast(own, cells.channels, MOST_TOGETHER)
        if not markers:
            return ()
        return tuple(dict.fromkeys((*first, *markers)))[:MOST_TOGETHER]

    def _effects(self, class_name: str) -> tuple[str, ...]:
        """Channels by what the classifier was asked: only those whose effect can be read."""
        answers, cells = self._session.what_if, self._session.cells
        result = None if answers is None else answers.channels
        if result is None or cells is None or class_name not in result.classes:
            return ()
        rows = [
            row
            for row in result.of_class(class_name)
            if row.low > 0 and row.channel in cells.channels
        ]
        rows.sort(key=lambda row: -row.value)
        return tuple(row.channel for row in rows[:MOST_TOGETHER])

    # ---------------------------------------------------------------- data sets

    @property
    def _choice(self) -> _Choice | None:
        cells, key = self._session.cells, self._session.data_set
        if cells is None:
            return None
        choice = self._choices.get(key)
        if choice is None or choice.all_names != cells.channels:
            sample = known_sample(cells.unscaled)
            names = (
                unmeasured_channels(cells.channels)
                if sample is None
                else proposed_channels(cells, sample)
            )
            choice = _with_names(_Choice((), cells.channels, sample=sample), names)
            self._choices[key] = choice
        return choice

    def _keep(self, choice: _Choice) -> None:
        self._choices[self._session.data_set] = choice
        self._tell()

    def _cells_changed(self) -> None:
        self._tell()

    def _forget(self, key: int) -> None:
        """A data set is gone."""
        self._choices.pop(key, None)

    def _tell(self) -> None:
        now = (self._session.data_set, self.channels, self.colors, self.measured)
        if now != self._told:
            self._told = now
            self.changed.emit()


def _with_names(choice: _Choice, names: tuple[str, ...]) -> _Choice:
    colors = colors_of(names, choice.all_names, choice.colors)
    return replace(choice, names=names, colors=dict(zip(names, colors, strict=True)))
