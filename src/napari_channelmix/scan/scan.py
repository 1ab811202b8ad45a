"""What was understood of a folder or a table: changed question by question, then a data set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_channelmix.data.csv_text import csv_text
from napari_channelmix.errors import DataError, SaveError
from napari_channelmix.jobs import Job, drain
from napari_channelmix.scan.asking import (
    MASKS,
    SEGMENT,
    answered,
    asks_role,
    channel_names,
    questions_of,
)
from napari_channelmix.scan.dataset_file import drawn_files, moved_paths, toml_text, write_files
from napari_channelmix.scan.described import NONE, description_of, refusals
from napari_channelmix.scan.layout import Layout, columns_of, layout_of
from napari_channelmix.scan.pictures import Pictures
from napari_channelmix.scan.questions import left_out_lines
from napari_channelmix.scan.roles import Role
from napari_channelmix.scan.stacks import planes_entry
from napari_channelmix.wording import listed, path_shown, quoted

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.data.cells import Cells
    from napari_channelmix.scan.dataset_file import Draw
    from napari_channelmix.scan.questions import Choice, LeftOut
    from napari_channelmix.settings.scan import ScanSettings

__all__ = ["Scan"]


@dataclass(frozen=True, eq=False)
class Scan:
    """What was understood of a folder, a plate or a table. Immutable: ``with_...`` give another.

    Made by `scan_folder` and `scan_table`.

    Attributes
    ----------
    source : Path
        The folder or the table.
    style : str
        How it was read, as a person reads it: ``"Opera Phenix"``, ``"class per folder"``.
    entries : pandas.DataFrame
        Of texts; a row for each image file, or for each object of a table. Paths are relative to
        ``folder``.
    folder : Path
    roles : mapping of str to Role
        Of every column of ``entries``.
    channels : mapping of str to str
        Channel as files name it, or the column where each channel is a column of files, and the
        name that is shown.
    choices : tuple of Choice
        Questions with their answers.
    left_out : tuple of LeftOut
        What was not understood, each with its reason.
    notes : tuple of str
        What should be known and is no obstacle.
    settings : ScanSettings

    Notes
    -----
    A source gives its own questions with ``choices`` of `Scan.of`; those that follow from the
    columns (cells, planes, times, incomplete fields of view) are added, and asked anew whenever a
    role changes.

    Examples
    --------
    >>> from napari_channelmix.scan import scan_folder
    >>> scan = scan_folder(folder, channels={"ch1": "DNA"})  # files A01_z1_ch1.tif ...
    >>> [choice.name for choice in scan.choices if choice.chosen is None]
    ['planes']
    >>> scan = scan.with_choice("planes", "maximum").with_channel_name("ch5", "GFP")
    >>> scan.problems
    ()
    >>> scan.table().columns.tolist()
    ['well', 'plane', 'DNA file', 'GFP file']
    >>> scan.with_role("well", "class").cells().classes
    ('A01', 'B02')
    >>> scan.save().name
    'dataset.toml'
    """

    source: Path
    style: str
    entries: pd.DataFrame
    folder: Path
    roles: Mapping[str, Role]
    channels: Mapping[str, str]
    choices: tuple[Choice, ...]
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]
    settings: ScanSettings
    pictures: Pictures = field(default=Pictures(), repr=False)
    # Questions of the source itself, and what reads it again when one is answered.
    own_choices: tuple[Choice, ...] = field(default=(), repr=False)
    reread: Callable[[ScanSettings], Scan] | None = field(default=None, repr=False)
    own_notes: tuple[str, ...] = field(default=(), repr=False)
    own_left_out: tuple[LeftOut, ...] = field(default=(), repr=False)
    own_problems: tuple[str, ...] = field(default=(), repr=False)
    # Columns of `with_columns`.
    added: tuple[str, ...] = field(default=(), repr=False)
    # Further keys of [cells] and [image] of the data-set file.
    cell_keys: Mapping[str, Any] = field(default_factory=dict, repr=False)
    image_keys: Mapping[str, Any] = field(default_factory=dict, repr=False)
    # Label images that are to be drawn, by their paths relative to ``folder``.
    drawn: Mapping[str, Draw] = field(default_factory=dict, repr=False)
    # Whether columns are those of a table, not parts of names.
    of_table: bool = field(default=False, repr=False)

    @classmethod
    def of(
        cls,
        source: Path,
        style: str,
        entries: pd.DataFrame,
        folder: Path,
        roles: Mapping[str, Role],
        settings: ScanSettings,
        *,
        choices: tuple[Choice, ...] = (),
        left_out: tuple[LeftOut, ...] = (),
        notes: tuple[str, ...] = (),
        problems: tuple[str, ...] = (),
        pictures: Pictures | None = None,
        reread: Callable[[ScanSettings], Scan] | None = None,
        cell_keys: Mapping[str, Any] | None = None,
        image_keys: Mapping[str, Any] | None = None,
        drawn: Mapping[str, Draw] | None = None,
        of_table: bool = False,
        strict: bool = True,
    ) -> Scan:
        """A scan from what a source holds: its channels, questions and notes are worked out.

        Parameters
        ----------
        entries : pandas.DataFrame
            Of texts; gaps are empty texts.
        choices : tuple of Choice
            Questions of the source itself; one named ``cells`` takes the place of ours.
        problems : tuple of str
            Why the source cannot be used, whatever is answered.
        pictures : Pictures, optional
            Some images, looked at.
        reread : callable, optional
            Reads the source again, with a question of ``choices`` answered in the settings.
        cell_keys, image_keys : mapping, optional
            Further keys of ``[cells]`` and ``[image]`` of the data-set file.
        drawn : mapping of str to callable, optional
            Label images that are outlines so far: paths relative to ``folder``, and what draws
            them. They are written beside the data set, and kept in memory where none is written.
        of_table : bool
            Whether the columns are those of a table, in which ``NA`` stands for no class.
        strict : bool
            Whether an answer in the settings that is no option is refused.
        """
        changed = {name: Role.of(role) for name, role in (settings.roles or {}).items()}
        unknown = [name for name in changed if name not in entries.columns]
        if unknown and strict:
            raise DataError(
                f"{path_shown(source)}: roles: there is no column {quoted(unknown[0])}; columns: "
                f"{listed(entries.columns)}"
            )
        roles = {name: roles.get(name, Role.KEY) for name in entries.columns}
        for choice in choices:
            if asks_role(choice) and choice.name in (settings.choices or {}):
                roles[choice.name] = Role(choice.option(settings.choices[choice.name]))
        roles |= {name: role for name, role in changed.items() if name in roles}
        bare = cls(
            source=source,
            style=style,
            entries=entries,
            folder=folder,
            roles=roles,
            channels={},
            choices=(),
            left_out=left_out,
            notes=notes,
            settings=settings,
            pictures=pictures or Pictures(),
            own_choices=choices,
            reread=reread,
            own_notes=notes,
            own_left_out=left_out,
            own_problems=problems,
            cell_keys=cell_keys or {},
            image_keys=image_keys or {},
            drawn=drawn or {},
            of_table=of_table,
        )
        return bare._asked(strict=strict)

    def _asked(self, *, strict: bool = False) -> Scan:
        """The questions that follow from the columns, with the answers there are."""
        names: Mapping[str, str] = self.settings.channels or {}
        channels = channel_names(self.entries, self.roles, self.settings, self.pictures)
        known = {name.casefold() for name in channels}
        odd = [name for name in names if name.casefold() not in known]
        if odd and strict:
            raise DataError(
                f"{path_shown(self.source)}: there is no channel {quoted(odd[0])} to be renamed; "
                f"channels: {listed(channels)}"
            )
        own = {choice.name for choice in self.own_choices}
        derived = questions_of(self.entries, self.roles, channels, self.pictures)
        choices = (*self.own_choices, *(one for one in derived if one.name not in own))
        answers = dict(self.settings.choices or {})
        answers |= {
            name: str(role)
            for name, role in (self.settings.roles or {}).items()
            if any(one.name == name and asks_role(one) for one in self.own_choices)
        }
        unknown = [name for name in answers if name not in {one.name for one in choices}]
        if unknown and strict:
            raise DataError(
                f"{path_shown(self.source)}: there is no question {quoted(unknown[0])}; questions: "
                f"{listed(one.name for one in choices)}"
            )
        asked = replace(self, channels=channels, choices=answered(choices, answers, strict=strict))
        layout = asked._layout
        return replace(
            asked,
            notes=tuple(
                dict.fromkeys(
                    (
                        *self.own_notes,
                        *layout.notes,
                        *asked._none_is_a_class(),
                        *self.pictures.notes(),
                    )
                )
            ),
            left_out=(*self.own_left_out, *layout.left_out),
        )

    def _none_is_a_class(self) -> list[str]:
        """That a table's ``none`` is taken for a class, which in others means no class."""
        label, table = self._layout.label, self._layout.table
        if not (
            self.of_table
            and label
            and any(str(text).strip().casefold() == NONE for text in table[label].unique())
        ):
            return []
        return [f"{quoted(NONE)} in column {quoted(label)} is a class; empty it where it is none"]

    @cached_property
    def _chosen(self) -> dict[str, str | None]:
        return {choice.name: choice.chosen for choice in self.choices}

    @cached_property
    def _layout(self) -> Layout:
        return layout_of(self.entries, self.roles, self.channels, self._chosen)

    def with_role(self, column: str, role: Role | str) -> Scan:
        """The scan with another meaning of a column.

        Parameters
        ----------
        column : str
            Of ``entries``.
        role : Role or str
            Its role, or how it is written: ``"class"``.

        Raises
        ------
        DataError
            No such column or role.
        """
        if column not in self.roles:
            raise DataError(f"there is no column {quoted(column)}; columns: {listed(self.roles)}")
        role = Role.of(role)
        settings = replace(self.settings, roles={**(self.settings.roles or {}), column: str(role)})
        return replace(self, roles={**self.roles, column: role}, settings=settings)._asked()

    def with_columns(self, columns: pd.DataFrame, roles: Mapping[str, Role]) -> Scan:
        """The scan with further columns, such as the classes of wells; ones of the same name go.

        Parameters
        ----------
        columns : pandas.DataFrame
            Of texts, a row for each of ``entries`` in their order.
        roles : mapping of str to Role
            Of the columns.
        """
        entries = self.entries.assign(**{str(name): columns[name].tolist() for name in columns})
        added = tuple(dict.fromkeys((*self.added, *map(str, columns))))
        roles = {**self.roles, **roles}
        return replace(self, entries=entries, roles=roles, added=added)._asked()

    def _with_added(self, other: Scan) -> Scan:
        """Another reading of the same files, with the columns that were added to this one."""
        images = (self.image_columns[:1], other.image_columns[:1])
        names = [name for name in self.added if name not in other.entries]
        if not names or not all(images):
            return other
        known = self.entries.drop_duplicates(images[0][0]).set_index(images[0][0])[names]
        columns = known.reindex(other.entries[images[1][0]]).fillna("")
        return other.with_columns(columns, {name: self.roles[name] for name in names})

    def with_channel_name(self, channel: str, name: str) -> Scan:
        """The scan with another name of a channel.

        Parameters
        ----------
        channel : str
            As files name it: a key of ``channels``.
        name : str

        Raises
        ------
        DataError
            No such channel, or an empty name.
        """
        if channel not in self.channels:
            raise DataError(
                f"there is no channel {quoted(channel)}; channels: {listed(self.channels)}"
            )
        if not isinstance(name, str):
            raise DataError(f"channel {quoted(channel)}: its name is a text, not {quoted(name)}")
        if not name.strip():
            raise DataError(f"channel {quoted(channel)}: its name is empty; type one")
        names = {**(self.settings.channels or {}), channel: name.strip()}
        answers = dict(self.settings.choices or {})
        # An answer that names the channel follows it.
        for question, start in (("cells", SEGMENT), ("incomplete", "without channel ")):
            if answers.get(question) == f"{start}{self.channels[channel]}":
                answers[question] = f"{start}{name.strip()}"
        settings = replace(self.settings, channels=names, choices=answers)
        return replace(self, settings=settings)._asked()

    def with_choice(self, name: str, option: str) -> Scan:
        """The scan with a question answered.

        Parameters
        ----------
        name : str
            Of the question.
        option : str
            One of its options, or words that only one of them holds.

        Raises
        ------
        DataError
            No such question or option.
        """
        choice = next((one for one in self.choices if one.name == name), None)
        if choice is None:
            names = listed(one.name for one in self.choices)
            raise DataError(f"there is no question {quoted(name)}; questions: {names}")
        if asks_role(choice):
            return self.with_role(name, choice.option(option))
        answers = {**(self.settings.choices or {}), name: choice.option(option)}
        settings = replace(self.settings, choices=answers)
        if self.reread is not None and any(one.name == name for one in self.own_choices):
            return self._with_added(self.reread(settings))
        return replace(self, settings=settings)._asked()

    @cached_property
    def problems(self) -> tuple[str, ...]:
        """Why the scan cannot be used yet; a line each."""
        lines = [*self.own_problems]
        lines += [
            f"{choice.text.rstrip('?')}? Choose {quoted(choice.name)}: {listed(choice.options, 12)}"
            for choice in self.choices
            if choice.chosen is None
        ]
        shown = list(self.channels.values())
        twice = next((name for name in shown if shown.count(name) > 1), None)
        if twice is not None:
            lines.append(f"two channels are called {quoted(twice)}; rename one of them")
        if self.pictures.unreadable and not self.pictures.opened:
            lines.append(f"no image can be read: {self.pictures.unreadable[0][1]}")
        if columns_of(self.roles, Role.CHANNEL):
            lines += self.pictures.not_of_one_channel()
        lines += self._layout.problems
        return tuple(lines or refusals(self.description()))

    def table(self) -> pd.DataFrame:
        """The data set's table: texts, a row per field of view or object.

        Files are in a column per channel, relative to ``folder``.
        """
        return self._layout.table.copy()

    def description(self) -> dict[str, Any]:
        """The content of the data-set file, as far as it is known."""
        name = self.source.name or self.source.resolve().name or "scan"
        content = description_of(
            name,
            self._layout,
            self.channels,
            self._chosen,
            self.pictures,
            self.settings,
            gaps=self.of_table,
        )
        if "image" in content:
            content["image"] |= self.image_keys
        cells = content["cells"]
        # What was asked for comes before what the source proposes.
        given = {} if self.settings.crop is None else {"crop": self.settings.crop}
        content["cells"] = {**cells, **self._proposed_for(cells["from"]), **given}
        planes = planes_entry(self._chosen, self.roles, self.pictures)
        content |= {"planes": planes} if planes else {}
        return content

    def _proposed_for(self, origin: str) -> dict[str, Any]:
        """What the source proposes for these cells; whole images take none of it."""
        known = {"mask": self.cell_keys, "point": {"crop"}, "segment": {"crop"}}.get(origin, ())
        return {key: value for key, value in self.cell_keys.items() if key in known}

    def save(self, path: str | Path | None = None) -> Path:
        """Write the data-set file and its table beside it.

        Parameters
        ----------
        path : path, optional
            The data-set file; default: ``dataset.toml`` in the folder of the images. Its table has
            the same name and the suffix ``.csv``. Paths of images become relative to it.

        Returns
        -------
        Path
            The data-set file.

        Raises
        ------
        DataError
            The scan cannot be used yet: the first of `problems`.
        SaveError
            One of the two files is there already (nothing is overwritten), or cannot be written.
        """
        self._refuse_problems()
        path = self.folder / "dataset.toml" if path is None else Path(path)
        if path.suffix.lower() != ".toml":
            raise SaveError(f"{path_shown(path)}: name a file that ends in .toml")
        table = path.with_suffix(".csv")
        for target in (path, table):
            if target.exists() or target.is_symlink():
                raise SaveError(
                    f"{path_shown(target)} is there already and is not overwritten; name another "
                    "file"
                )
        content = {**self.description(), "table": table.name}
        rows = self._layout.table.copy()
        for column in self._file_columns():
            own = rows[column].isin(list(self.drawn))
            rows[column] = rows[column].where(
                own, moved_paths(rows[column], self.folder, path.parent)
            )
        write_files(path, toml_text(content), table, csv_text(rows), self._drawn_used(rows))
        return path

    def _drawn_used(self, rows: pd.DataFrame) -> dict[str, Draw]:
        mask = self._layout.mask
        used = set() if mask is None or self._chosen.get("cells") != MASKS else set(rows[mask])
        return {name: draw for name, draw in self.drawn.items() if name in used}

    def _file_columns(self) -> list[str]:
        layout = self._layout
        columns = [*layout.files.values(), layout.image, layout.mask]
        return [name for name in columns if name is not None and name in layout.table]

    def cells(self) -> Cells:
        """The cells, without anything being written.

        Raises
        ------
        DataError
            The scan cannot be used yet, or an image cannot be read.
        """
        return drain(self.cells_job())

    def cells_job(self) -> Job[Cells]:
        """`cells` as a job: a step for every image."""
        from napari_channelmix.data.dataset import open_table_job
        from napari_channelmix.data.description import Description

        self._refuse_problems()
        description = Description.model_validate(self.description())
        with drawn_files(self.table(), self._layout.mask, self.drawn) as table:
            cells = yield from open_table_job(table, description, self.folder, description.name)
        return cells.with_warnings(*self.notes, *left_out_lines(self.left_out))

    def _refuse_problems(self) -> None:
        if self.problems:
            more = len(self.problems) - 1
            rest = f" (and {more} more)" if more else ""
            open_ones = [choice.name for choice in self.choices if choice.chosen is None]
            how = ""
            if open_ones and not self.own_problems:
                name = open_ones[0]
                how = f'; answer with choices={{"{name}": "..."}}, or --choose "{name}=..."'
            raise DataError(f"{path_shown(self.source)}: {self.problems[0]}{how}{rest}")

    @property
    def image_columns(self) -> tuple[str, ...]:
        """The columns of ``entries`` that name image files."""
        return tuple(columns_of(self.roles, Role.IMAGE))
