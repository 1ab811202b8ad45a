"""Heat maps of plates, and the controls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.data.conditions import conditions_for
from napari_channelmix.errors import DataError
from napari_channelmix.phenotypes.control_wells import control_quality, named_controls, pure_classes
from napari_channelmix.phenotypes.fractions import Fractions, fraction_title
from napari_channelmix.phenotypes.plate import plates_of
from napari_channelmix.report.figures import plate_figure
from napari_channelmix.report.pictures import data_uri, png_figure
from napari_channelmix.report.sections.fractions import class_fractions, labelled_fractions
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    from napari_channelmix.report.findings import Findings

__all__ = ["plates_section"]

# Plates and classes that are drawn at most.
PLATES, CLASSES = 4, 6


def plates_section(findings: Findings) -> dict[str, Any] | None:
    """Heat maps of plates, and the controls where they are called so."""
    fractions = class_fractions(findings, adjust=True)
    if fractions is None or fractions[0].grouping.kind != "group":
        return None
    table, conditions = fractions[0], findings.cells.conditions
    try:
        plates = plates_of(table.groups, conditions)
    except DataError:
        plates = ()
    pictures = []
    # Of two classes, one fraction is the other's complement.
    every = list(enumerate(table.classes))[-1 if len(table.classes) == 2 else 0 :]
    # Of many, those that differ most from well to well.
    spread = np.ma.filled(np.ma.masked_invalid(table.best).std(axis=0), 0.0)
    most = set(sorted((code for code, _ in every), key=lambda code: -spread[code])[:CLASSES])
    shown = [(code, name) for code, name in every if code in most]
    for plate in plates[:PLATES]:
        for code, name in shown:
            what = fraction_title(name, adjusted=table.is_adjusted)
            title = ", ".join(text for text in (plate.name, what) if text)
            figure = plate_figure(plate, table.best[:, code], title)
            pictures.append((title, data_uri("image/png", png_figure(figure))))
    controls = _controls(findings, table)
    if not pictures and not controls:
        return None
    return {
        "pictures": pictures,
        "controls": controls,
        "more": _left_out(len(plates), [name for code, name in every if code not in most])
        if pictures
        else "",
    }


def _left_out(plates: int, classes: list[str]) -> str:
    """What is not drawn, in words; empty where all is."""
    parts = []
    if plates > PLATES:
        parts.append(counted(plates - PLATES, "more plate"))
    if classes:
        differ = "class, which differs" if len(classes) == 1 else "classes, which differ"
        names = ", ".join(classes)
        parts.append(f"{len(classes)} {differ} less from well to well: {names}")
    return f"Not drawn: {'; '.join(parts)}." if parts else ""


def _controls(findings: Findings, fractions: Fractions) -> list[tuple[str, str]]:
    """Z'-factor and SSMD of each class, where labels or a column name the controls."""
    columns: list[list[str]] = []
    labelled, conditions = labelled_fractions(findings), findings.cells.conditions
    if labelled is not None:
        columns.append(pure_classes(labelled.counts, labelled.classes))
    if conditions is not None:
        rows = conditions_for(conditions, fractions.groups).fillna("")
        columns += [[str(value) for value in rows[name]] for name in rows.columns]
    for values in columns:
        names = named_controls(values)
        if names is None:
            continue
        wells = [np.array([value == name for value in values]) for name in names]
        lines = []
        for code, name in enumerate(fractions.classes):
            negative, positive = (fractions.fractions[which, code] for which in wells)
            lines.append((name, control_quality(negative, positive, names).text()))
        return lines
    return []
