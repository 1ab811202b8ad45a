"""Classes of wells in a scan: given by hand, or by a table of wells beside its images.

The classes become a column of the scan; wells without one stay without a class.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_channelmix.errors import DataError
from napari_channelmix.scan.plate_layout import (
    CLASS_COLUMN,
    SUFFIXES,
    PlateLayout,
    Well,
    is_meant_as_layout,
    read_layout,
)
from napari_channelmix.scan.roles import Role
from napari_channelmix.scan.wells import well_name, well_of
from napari_channelmix.wording import counted, listed, quoted

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.scan.scan import Scan

__all__ = ["layout_for", "wells_of", "with_layout", "with_well_classes"]

# Where the user's own column has the name of ours.
OTHER_COLUMN = "class of the well"
# Tables beside the images that are looked at.
MOST_TABLES = 20


def wells_of(scan: Scan) -> pd.DataFrame:
    """The wells of a scan.

    Parameters
    ----------
    scan : Scan

    Returns
    -------
    pandas.DataFrame
        Columns ``plate`` (``""`` where the scan has none), ``well`` (``A01``), ``class`` (empty
        where a well has none, or several); one row for each well, none where the scan has no
        wells. Its index are numbers from 0.
    """
    import pandas as pd

    plates, wells = _plates_and_wells(scan)
    if wells is None:
        return pd.DataFrame({"plate": [], "well": [], CLASS_COLUMN: []}, dtype=object)
    column = _column_of(scan, Role.CLASS)
    classes = scan.entries[column] if column else pd.Series("", index=scan.entries.index)
    frame = pd.DataFrame({"plate": plates, "well": wells, CLASS_COLUMN: classes})
    frame = frame[frame["well"] != ""].drop_duplicates()
    several = frame.duplicated(["plate", "well"], keep=False)
    frame.loc[several, CLASS_COLUMN] = ""
    return frame.drop_duplicates().reset_index(drop=True)


def _plates_and_wells(scan: Scan) -> tuple[pd.Series[str], pd.Series[str] | None]:
    """Plate and well (A01) of each entry; no wells where no column holds them."""
    import pandas as pd

    entries = scan.entries
    nothing = pd.Series("", index=entries.index)
    plate = _column_of(scan, Role.PLATE)
    plates = entries[plate].fillna("").astype(str) if plate else nothing
    well = _column_of(scan, Role.WELL)
    if well:
        return plates, _named(entries[well].fillna("").astype(str))
    row, column = _column_of(scan, Role.WELL_ROW), _column_of(scan, Role.WELL_COLUMN)
    if not (row and column):
        return plates, None
    parts = entries[[row, column]].fillna("").astype(str)
    names = {
        pair: well_of(*pair) or "" for pair in set(zip(parts[row], parts[column], strict=True))
    }
    wells = [names[pair] for pair in zip(parts[row], parts[column], strict=True)]
    return plates, pd.Series(wells, index=entries.index, dtype=object)


def _named(wells: pd.Series[str]) -> pd.Series[str]:
    """Wells as ``A01``; what is called otherwise keeps its name."""
    return wells.map({text: well_name(text) or text.strip() for text in wells.unique()})


def _column_of(scan: Scan, role: Role) -> str:
    return next((name for name, each in scan.roles.items() if each is role), "")


def layout_for(plates: Iterable[str], layout: PlateLayout) -> PlateLayout:
    """A layout for images of some plates: where they name none, its only plate is theirs."""
    if any(plates) or len({plate for plate, _ in layout.classes}) != 1:
        return layout
    return replace(layout, classes={("", well): name for (_, well), name in layout.classes.items()})


def with_layout(scan: Scan, layout: PlateLayout) -> Scan:
    """A scan whose entries have the classes of their wells, in the column ``class``.

    Parameters
    ----------
    scan : Scan
        With wells.
    layout : PlateLayout
        Wells that it does not name have no class; without any class the column goes.

    Returns
    -------
    Scan
        Another column of classes is kept as one of the user's own. Notes tell how many wells a
        table gives a class, and what its reading warned of.

    Raises
    ------
    DataError
        The scan has no wells, or no well of the layout is among them.
    """
    import pandas as pd

    plates, wells = _plates_and_wells(scan)
    if wells is None:
        raise DataError(
            f"{scan.source}: no column holds wells; give one of them the role {Role.WELL.value!r}"
        )
    keys = list(zip(plates, wells, strict=True))
    layout = layout_for(plates, layout)
    of = {key: layout.of(*key) for key in dict.fromkeys(keys)}
    known, given = {key for key in of if key[1]}, {key for key, name in of.items() if name}
    if layout.classes and not given:
        asked = listed(sorted({" ".join(key).strip() for key in layout.classes}), 3)
        raise DataError(
            f"{layout.source or 'the classes'}: none of its wells ({asked}) is among those of "
            f"{scan.source.name} ({listed(sorted({well for _, well in known}), 3)})"
        )
    column = CLASS_COLUMN
    if column in scan.entries and column not in scan.added:
        column = OTHER_COLUMN
    for name, role in scan.roles.items():
        if role is Role.CLASS and name != column:
            scan = scan.with_role(name, Role.KEY)
    own = tuple(note for note in scan.own_notes if not note.startswith(_NOTE))
    said = _notes(layout, known, given) if layout.source and given else ()
    shown = tuple(note for note in scan.notes if not note.startswith(_NOTE))
    scan = replace(scan, own_notes=(*own, *said), notes=shown)
    if given:
        classes = pd.DataFrame({column: [of[key] for key in keys]})
        return scan.with_columns(classes, {column: Role.CLASS})
    if column not in scan.added:
        return scan
    return replace(
        scan,
        entries=scan.entries.drop(columns=column),
        roles={name: role for name, role in scan.roles.items() if name != column},
        added=tuple(name for name in scan.added if name != column),
    )


_NOTE = "classes of wells: "


def _notes(layout: PlateLayout, known: set[Well], given: set[Well]) -> tuple[str, ...]:
    """How many wells a table gives a class, and what is odd about it."""
    of_column = f"column {quoted(layout.column)} of " if layout.column else ""
    text = f"{_NOTE}{counted(len(given), 'well')} from {of_column}{layout.source}"
    without = len(known) - len(given)
    if without:
        text += f"; {counted(without, 'well', 'have')} none"
    return text, *(f"{_NOTE}{line}" for line in layout.warnings)


def with_well_classes(scan: Scan, wells: str | Path | None, folder: Path) -> Scan:
    """A scan with the classes of its wells, as a table gives them.

    Parameters
    ----------
    scan : Scan
    wells : path or None
        The table. None: the one in ``folder``, where the scan has no classes yet.
    folder : path
        Where the images, or the plate, lie.

    Returns
    -------
    Scan
        As it is, where no table is named and it has classes or no wells, or where no table in the
        folder, or several, give classes of its wells; several are said in a note, and why one
        cannot be used.

    Raises
    ------
    DataError
        A table that is named and cannot be used: it gives no classes of wells, or of others, or the
        scan has no wells.
    """
    if wells is not None:
        return with_layout(scan, read_layout(Path(wells)))
    if _column_of(scan, Role.CLASS) or not len(wells_of(scan)):
        return scan
    fitting: list[tuple[Path, Scan]] = []
    notes: list[str] = []
    for path in _tables_in(folder):
        if not is_meant_as_layout(path):
            continue
        try:
            fitting.append((path, with_layout(scan, read_layout(path))))
        except DataError as error:
            # Paths of the folder are told already.
            notes.append(f"{_NOTE}{str(error).removeprefix(f'{path.parent}{os.sep}')}")
    if len(fitting) == 1:
        path, with_classes = fitting[0]
        return _not_left_out(with_classes, path.name)
    if fitting:
        names = listed(path.name for path, _ in fitting)
        notes = [f"{_NOTE}{names} fit; choose one of them"]
    own = (*scan.own_notes, *notes)
    return replace(scan, notes=(*scan.notes, *notes), own_notes=own) if notes else scan


def _not_left_out(scan: Scan, name: str) -> Scan:
    """The scan without a file of its folder among those that were left out."""
    own = tuple(one for one in scan.own_left_out if one.path != name)
    shown = tuple(one for one in scan.left_out if one.path != name)
    return replace(scan, own_left_out=own, left_out=shown)


def _tables_in(folder: Path) -> list[Path]:
    """Small tables of a folder, not of those below it."""
    try:
        with os.scandir(folder) as files:
            paths = [
                Path(file.path) for file in files if Path(file.name).suffix.lower() in SUFFIXES
            ]
    except OSError:
        return []
    return sorted(paths)[:MOST_TABLES]
