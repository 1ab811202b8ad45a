"""New cells and those in use: classes carried over, another image added; and cells in words."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from napari_channelmix.data import Cells
from napari_channelmix.errors import DataError
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    from napari_channelmix.viewer.session.session import Session

__all__ = ["added", "replaceable", "summary", "with_classes_of"]


def with_classes_of(cells: Cells, before: Cells, field: int = 0) -> Cells:
    """Cells of one image with the classes that cells of the same label values had before.

    ``field``: which of the images before it is; label values of another one say nothing.
    """
    if len(cells.fields) > 1:
        return _by_name(cells, before)
    in_field = (before.table["field"] == field).to_numpy()
    values = before.table["object"].to_numpy()[in_field].tolist()
    codes = dict(zip(values, before.labels[in_field].tolist(), strict=True))
    objects = cells.table["object"].tolist()
    return cells.with_labels([codes.get(value, -1) for value in objects], before.classes)


def _by_name(cells: Cells, before: Cells) -> Cells:
    """Classes of cells of the same label in the slice of the same name."""

    def keys(some: Cells) -> list[tuple[str, int]]:
        names = [some.fields[field].name for field in some.table["field"].tolist()]
        return list(zip(names, some.table["object"].tolist(), strict=True))

    codes = dict(zip(keys(before), before.labels.tolist(), strict=True))
    return cells.with_labels([codes.get(key, -1) for key in keys(cells)], before.classes)


def added(before: Cells, more: Cells) -> tuple[Cells, str]:
    """Cells of one more image beside those in use, and what was done in a line.

    Layers of another image have other names, so channels are taken in their order.

    Raises
    ------
    DataError
        Another number of channels, other crops, or an image that is there already.
    """
    if len(more.channels) != len(before.channels):
        raise DataError(
            f"these layers are {len(more.channels)} channels, the cells in use have "
            f"{len(before.channels)} ({', '.join(before.channels)}); choose as many"
        )
    if {field.name for field in before.fields} & {field.name for field in more.fields}:
        raise DataError(
            f"cells of the image {more.name!r} are in use already; choose the layers of another "
            f"one, or press 'Create cell set' to start again"
        )
    alike = replace(
        more,
        channels=before.channels,
        group_of_channel=before.group_of_channel,
        scaling=before.scaling,
    )
    both = Cells.together(
        [before, alike],
        f"{len(before.fields) + len(more.fields)} images",
    )
    pairs = [
        f"{new} as {old}"
        for new, old in zip(more.channels, before.channels, strict=True)
        if new != old
    ]
    text = f"{len(more):,} cells of {more.name} added"
    return both, f"{text}; {', '.join(pairs)}." if pairs else f"{text}."


def summary(cells: Cells) -> str:
    """The cells in a line: how many, of which channels, classes and groups."""
    parts = [f"{len(cells):,} cells", f"{len(cells.channels)} channels"]
    counts = ", ".join(f"{name} {count:,}" for name, count in cells.class_counts.items())
    parts.append(f"classes {counts}" if counts else "no classes yet")
    line = ", ".join(parts)
    groups = Counter(cells.groups.tolist())
    if len(groups) < len(cells):
        line += f"; {counted(len(groups), 'group')}"
    return f"{cells.name}: {line}"


def replaceable(session: Session) -> bool:
    """Whether other cells may take the place of those in use, since nothing would be lost.

    A classifier goes with the cells that come.
    """
    state = session.of(session.data_set)
    if state is None:
        return True
    return not {*state.results} - {"classifier"} and not session.running_on(state.key)
