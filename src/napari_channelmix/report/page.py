"""One page of HTML that says all and needs nothing else: no script, no other file.

1. Put each part of the findings into plain words, figures and pictures (`_data`, `_importance`...).
2. Fill the template with them; everything is escaped there, whatever it says.
3. Write the page whole, or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.atomic_write import write_text
from napari_channelmix.config.file import as_json
from napari_channelmix.data.cell_names import cell_name
from napari_channelmix.data.conditions import conditions_for
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress, drain
from napari_channelmix.phenotypes.controls import control_quality, named_controls, pure_classes
from napari_channelmix.phenotypes.fractions import (
    Fractions,
    fraction_title,
    fractions_of,
    grouping_of,
)
from napari_channelmix.phenotypes.plate import plates_of
from napari_channelmix.phenotypes.responses import LABELS, PREDICTED, responses_of
from napari_channelmix.provenance import PACKAGES, package_version
from napari_channelmix.report.figures import (
    dose_figure,
    learning_figure,
    plate_figure,
    reliability_figure,
)
from napari_channelmix.report.pictures import (
    cell_strip,
    data_uri,
    map_pair,
    png_figure,
    shrunk,
    svg_of,
)
from napari_channelmix.report.text import (
    accuracy_doubts,
    accuracy_in_words,
    data_in_words,
    importance_in_words,
    listed,
    trained_in_words,
    training_in_words,
)

if TYPE_CHECKING:
    from napari_channelmix.classify.accuracy import ClassRecall
    from napari_channelmix.dcmix.single_channels import ChannelSet
    from napari_channelmix.phenotypes.fractions import Fractions
    from napari_channelmix.report.findings import Findings

__all__ = ["page_job", "page_of", "report_job"]

# Cells of a class that are shown, and classes, rows of groups and explained cells at most.
STRIP, CLASSES, GROUPS, EXAMPLES = 8, 6, 400, 12
# Plates that are drawn.
PLATES = 4


def page_of(findings: Findings) -> str:
    """The page as HTML."""
    return drain(page_job(findings))


def report_job(findings: Findings, path: str | Path) -> Job[Path]:
    """Write the page to a file; a job.

    Raises
    ------
    SaveError
        Disk full, folder read-only and the like.
    DataError
        Pixels that cannot be read.
    """
    page = yield from page_job(findings)
    return write_text(path, page)


def page_job(findings: Findings) -> Job[str]:
    """`page_of` as a job: a step for each part."""
    sets = findings.data_sets
    contexts: list[dict[str, Any]] = []
    for place, one in enumerate(sets):
        context: dict[str, Any] = {"name": one.title, "source": one.source, "remarks": one.notes}
        for at, (name, made) in enumerate(PARTS):
            yield Progress(place * len(PARTS) + at, len(sets) * len(PARTS) + 1, f"report: {name}")
            context[name] = made(one)
        # Of one data set, links are what they always were.
        contexts.append({**context, "suffix": f"-{place + 1}" if len(sets) > 1 else ""})
    yield Progress(len(sets) * len(PARTS), len(sets) * len(PARTS) + 1, "report: writing the page")
    page: str = _template().render(
        title=listed([one.title for one in sets]),
        sets=contexts,
        remarks=findings.notes,
        provenance=_provenance(findings),
        made=datetime.now(UTC).strftime("%d %B %Y, %H:%M UTC"),
        version=package_version("napari-channelmix") or "unknown",
    )
    return page.lstrip()


def _template() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    # Escaping is not left to the template: names of users may hold anything.
    environment = Environment(
        loader=PackageLoader("napari_channelmix.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html")


def _data(findings: Findings) -> dict[str, Any]:
    cells = findings.cells
    strips: list[dict[str, Any]] = []
    for code, name in [*enumerate(cells.classes), (-1, "without a class")]:
        members = np.flatnonzero(cells.labels == code)
        if len(members) and len(strips) < CLASSES:
            some = members[np.unique(np.linspace(0, len(members) - 1, STRIP).astype(np.int64))]
            picture = data_uri("image/png", cell_strip(cells.read(some)))
            strips.append(
                {"name": name, "count": len(members), "shown": len(some), "picture": picture}
            )
    return {"words": data_in_words(cells), "strips": strips, "warnings": cells.warnings}


def _importance(findings: Findings) -> dict[str, Any] | None:
    found = findings.importance
    if found is None:
        return None
    columns = [("share", found.share, found.share_sd)]
    if found.shapley is not None:
        columns.append(("Shapley value", found.shapley, found.shapley_sd or ()))
    if found.decoy is not None:
        columns.append(("control", found.decoy, ()))
    if found.p_value is not None:
        columns.append(("p", found.p_value, ()))
    alone: list[tuple[str, tuple[ChannelSet, ...]]] = []
    if found.alone is not None:
        alone = [("accuracy alone", found.alone.alone), ("without it", found.alone.without)]
    no_p_values = (
        [f"no p-values of the channels: {found.p_value_reason}"] if found.p_value_reason else []
    )
    above = found.above_control or (True,) * len(found.channels)
    rows = []
    for at in found.order:
        figures = []
        for title, values, spread in columns:
            said = "< 0.001" if title == "p" and values[at] < 0.001 else f"{values[at]:.3f}"
            figures.append(f"{said} ± {spread[at]:.3f}" if spread else said)
        figures += [sets[at].accuracy.short_text for _, sets in alone]
        rows.append((found.channels[at], figures, above[at]))
    return {
        "sentences": found.sentences[1:] if found.asks else found.sentences,
        "kind": "bad" if not found.shares_readable else "mind" if found.caveat else "good",
        "words": importance_in_words(found),
        "gate": found.gate,
        "chart": data_uri("image/svg+xml", svg_of(found.figure())),
        "head": [*(title for title, _, _ in columns), *(title for title, _ in alone)],
        "rows": rows,
        "low": not all(above),
        "accuracy": found.accuracy_lines,
        "alone": "" if found.alone is None else found.alone.measured_on,
        "alone_unreadable": found.alone_unreadable,
        "seeds": found.seeds,
        "n_train": found.n_train,
        "n_test": found.n_test,
        "warnings": [*found.warnings, *no_p_values],
    }


def _own_classifier(findings: Findings) -> dict[str, Any] | None:
    """The classifier of a data set that was classified with another one's."""
    if findings.own_classifier is None:
        return None
    own = replace(
        findings, classifier=findings.own_classifier, classifier_of="", prior=None, training=None
    )
    return _classifier(own)


def _classifier(findings: Findings) -> dict[str, Any] | None:
    facts = findings.classifier
    if facts is None:
        return None
    if findings.classifier_of:
        # Its figures stand with the data set that it was trained on.
        lines = [] if findings.prior is None else [f"Shown with the {findings.prior.text()}."]
        return {
            "of": findings.classifier_of,
            "source": facts.source,
            "network": facts.network,
            "channels": facts.channels,
            "classes": facts.classes,
            "words": "",
            "doubts": (),
            "recall": [],
            "matrix": None,
            "curves": "",
            "warnings": facts.warnings,
            "training": training_in_words(findings.training),
            "probabilities": {"lines": lines, "chart": ""},
        }
    found = facts.held_out
    recall = [] if facts.accuracy is None else [_recall(row) for row in facts.accuracy.per_class]
    matrix = None
    if found.get("confusion"):
        counts = np.asarray(found["confusion"], dtype=np.int64)
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        matrix = [
            (name, [(int(n), round(float(share), 3)) for n, share in zip(row, of, strict=True)])
            for name, row, of in zip(facts.classes, counts, shares, strict=True)
        ]
    curves = ""
    if len(facts.history) > 1:
        curves = data_uri("image/svg+xml", svg_of(learning_figure(facts.history)))
    return {
        "of": "",
        "source": facts.source,
        "network": facts.network,
        "channels": facts.channels,
        "classes": facts.classes,
        "words": accuracy_in_words(facts),
        "doubts": accuracy_doubts(facts),
        "recall": recall,
        "matrix": matrix,
        "curves": curves,
        "warnings": facts.warnings,
        "training": training_in_words(findings.training),
        "probabilities": _probabilities(findings),
    }


def _recall(row: ClassRecall) -> tuple[str, tuple[str, ...]]:
    """Of a class: recall, interval, groups, cells."""
    if row.recall is None:
        return row.name, ("–", "–", "0", "0")
    between = f"{row.low:.2f} to {row.high:.2f}"
    return row.name, (f"{row.recall:.3f}", between, f"{row.n_groups:,}", f"{row.n_cells:,}")


def _probabilities(findings: Findings) -> dict[str, Any]:
    """Which prior they have, and whether they mean what they say."""
    facts = findings.classifier
    assert facts is not None
    found, chart = facts.calibration, ""
    if found is not None and found.curve:
        chart = data_uri("image/svg+xml", svg_of(reliability_figure(found.curve)))
    lines = [] if findings.prior is None else [f"Shown with the {findings.prior.text()}."]
    if facts.calibrated:
        lines.append(f"The classifier is {facts.calibrated}.")
    if found is not None:
        lines.append(
            f"On held-out cells, with the {found.prior or 'prior of then'}: {found.text()}."
        )
    return {"lines": lines, "chart": chart}


def _explanations(findings: Findings) -> dict[str, Any] | None:
    if not findings.examples:
        return None
    cards = []
    for one in findings.examples[:EXAMPLES]:
        alone, over = map_pair(one.crops, one.map)
        sure = sorted(one.probabilities.items(), key=lambda item: -item[1])
        cards.append(
            {
                "cell": cell_name(findings.cells, one.cell),
                "label": one.label,
                "group": one.group,
                "target": one.target,
                "training": trained_in_words(one.training),
                "sure": [(name, f"{value:.2f}") for name, value in sure[:3]],
                "words": one.words,
                "method": one.method,
                "scores": [
                    (name.upper() if name == "srg" else name, f"{value:.2f}")
                    for name, value in one.scores.items()
                ],
                "alone": data_uri("image/png", alone),
                "over": data_uri("image/png", over),
            }
        )
    about = findings.explained
    scores = sorted(about.get("scores", {}).items(), key=lambda item: -item[1]["srg"])
    return {
        "cards": cards,
        "n": about.get("n", len(findings.examples)),
        "warnings": about.get("warnings", ()),
        "scores": [
            (name, [f"{one[key]:.3f}" for key in ("srg", "insertion", "deletion")])
            for name, one in scores
        ],
    }


def _latents(findings: Findings) -> dict[str, Any] | None:
    if findings.latents is None:
        return None
    content = findings.latents.content
    tuned = content.get("finetuned")
    rows = [
        (one["name"], one["badge"], one["words"])
        for one in content["badges"]
        if one["badge"] != "spare"
    ]
    accuracy = content.get("accuracy") or {}
    best = accuracy.get("latents")
    return {
        "n": content["n"],
        "model": _model_of(content["provenance"]),
        "tuned": tuned["epochs"] if tuned else 0,
        "rows": rows,
        "sheet": data_uri("image/png", shrunk(findings.latents.sheet))
        if findings.latents.sheet
        else "",
        "accuracy": None if best is None else f"{best:.3f}",
        "features": None if best is None else f"{accuracy['pixels_or_features']:.3f}",
        "warnings": content.get("warnings", ()),
    }


def _model_of(about: Any) -> str:
    return str(about.get("disentangler") or about.get("model", "a disentangler"))


def _groups(findings: Findings) -> dict[str, Any] | None:
    """Fractions of the classes in each group: of the predictions, or else of the labels."""
    fractions = _fractions(findings, adjust=True)
    if fractions is None or len(fractions[0].groups) < 2:
        return None
    found, of = fractions
    grouping, classes = found.grouping, found.classes
    shares, adjusted = found.fractions, found.adjusted
    known = adjusted is not None and not adjusted.why_not
    trained_on = np.zeros(len(found.groups), int) if found.trained_on is None else found.trained_on
    rows = [
        (
            name,
            int(found.cells[at]),
            int(trained_on[at]),
            [
                (
                    int(found.counts[at, code]),
                    _share(shares[at, code]),
                    _adjusted(found, at, code) if known else "",
                )
                for code in range(len(classes))
            ],
        )
        for at, name in enumerate(found.groups[:GROUPS])
    ]
    why = "" if adjusted is None else adjusted.why_not or adjusted.note
    return {
        "kind": grouping.kind,
        "of": "prediction" if of == PREDICTED else "label",
        "classes": classes,
        "rows": rows,
        "adjusted": known,
        "why": why,
        "trained_on": bool(trained_on.any()),
        "more": max(0, len(found.groups) - GROUPS),
    }


def _adjusted(found: Fractions, group: int, code: int) -> str:
    """An adjusted fraction with its interval, in per cent."""
    assert found.adjusted is not None
    values = [
        of[group, code]
        for of in (found.adjusted.fractions, found.adjusted.low, found.adjusted.high)
    ]
    if np.isnan(values).any():
        return ""
    share, low, high = (100 * value for value in values)
    return f"{share:.1f} % ({low:.1f} to {high:.1f})"


def _fractions(findings: Findings, *, adjust: bool = False) -> tuple[Fractions, str] | None:
    """Fractions of the predicted classes, or else of the labels, and which of both."""
    cells, facts = findings.cells, findings.classifier
    if findings.probabilities is not None and facts is not None:
        codes, balanced = findings.probabilities.argmax(axis=1), None
        if adjust and findings.balanced is not None:
            balanced = findings.balanced.argmax(axis=1)
        held_out = facts.held_out_calls if adjust else None
        found = fractions_of(
            grouping_of(cells),
            codes,
            facts.classes,
            balanced=balanced,
            held_out=held_out,
            training=findings.training,
        )
        return found, PREDICTED
    labelled = _labelled(findings)
    return None if labelled is None else (labelled, LABELS)


def _labelled(findings: Findings) -> Fractions | None:
    cells = findings.cells
    if not cells.classes:
        return None
    return fractions_of(grouping_of(cells), cells.labels, cells.classes)


def _doses(findings: Findings) -> dict[str, Any] | None:
    """Dose-responses, where the data set's table has a column of doses."""
    fractions = _fractions(findings, adjust=True)
    if fractions is None:
        return None
    responses = responses_of(findings.cells.conditions, *fractions, _labelled(findings))
    if not responses:
        return None
    rows = []
    for one in responses:
        fit = one.found.fit
        figures = (
            ("", "", "")
            if fit is None
            else (
                f"{fit.ec50:.3g}",
                f"{fit.interval[0]:.3g} to {fit.interval[1]:.3g}",
                f"{fit.slope:.2g}",
            )
        )
        rows.append((f"{one.name}, {one.column}", figures, one.words))
    return {
        "of": fractions[1],
        "rows": rows,
        "adjusted": fractions[0].is_adjusted,
        "chart": data_uri("image/svg+xml", svg_of(dose_figure(responses))),
    }


def _plates(findings: Findings) -> dict[str, Any] | None:
    """Heat maps of plates, and the controls where they are called so."""
    fractions = _fractions(findings, adjust=True)
    if fractions is None or fractions[0].grouping.kind != "group":
        return None
    found, conditions = fractions[0], findings.cells.conditions
    try:
        plates = plates_of(found.groups, conditions)[:PLATES]
    except DataError:
        plates = ()
    pictures = []
    # Of two classes, one fraction is the other's complement.
    shown = list(enumerate(found.classes))[-1 if len(found.classes) == 2 else 0 :][:CLASSES]
    for plate in plates:
        for code, name in shown:
            what = fraction_title(name, adjusted=found.is_adjusted)
            title = ", ".join(text for text in (plate.name, what) if text)
            figure = plate_figure(plate, found.best[:, code], title)
            pictures.append((title, data_uri("image/png", png_figure(figure))))
    controls = _controls(findings, found)
    return {"pictures": pictures, "controls": controls} if pictures or controls else None


def _controls(findings: Findings, found: Fractions) -> list[tuple[str, str]]:
    """Z'-factor and SSMD of each class, where labels or a column name the controls."""
    columns: list[list[str]] = []
    labelled, conditions = _labelled(findings), findings.cells.conditions
    if labelled is not None:
        columns.append(pure_classes(labelled.counts, labelled.classes))
    if conditions is not None:
        rows = conditions_for(conditions, found.groups).fillna("")
        columns += [[str(value) for value in rows[name]] for name in rows.columns]
    for values in columns:
        names = named_controls(values)
        if names is None:
            continue
        wells = [np.array([value == name for value in values]) for name in names]
        lines = []
        for code, name in enumerate(found.classes):
            negative, positive = (found.fractions[which, code] for which in wells)
            lines.append((name, control_quality(negative, positive, names).text()))
        return lines
    return []


def _share(value: float) -> str:
    return "" if np.isnan(value) else f"{100 * value:.0f} %"


def _provenance(findings: Findings) -> dict[str, Any]:
    several = len(findings.data_sets) > 1
    rows = [
        (f"{one.title}: {name}" if several else name, value)
        for one in findings.data_sets
        for name, value in _provenance_of(one)
    ]
    rows.append(("versions", _plain(_versions())))
    config = ""
    if findings.config is not None:
        config = json.dumps(as_json(findings.config), indent=2, ensure_ascii=False)
    return {"rows": rows, "config": config}


def _versions() -> dict[str, str | None]:
    return {name: package_version(name) for name in PACKAGES}


def _provenance_of(findings: Findings) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    try:
        rows.append(("data set, fingerprint", findings.cells.fingerprint))
    except DataError as error:
        rows.append(("data set", str(error)))
    facts = findings.classifier
    if facts is not None and facts.sha256:
        rows.append(("classifier, SHA-256", facts.sha256))
    imp = findings.importance
    now = _versions()
    abouts = [
        ("classifier", facts.provenance if facts is not None else {}),
        ("channel importance", imp.provenance if imp is not None else {}),
        ("explanations", findings.explained.get("provenance", {})),
        ("latents", findings.latents.content["provenance"] if findings.latents else {}),
    ]
    for name, about in abouts:
        if about:
            rows.append((f"{name}, made", str(about.get("made", ""))))
            seeds = about.get("seeds", about.get("seed"))
            if seeds is not None:
                rows.append((f"{name}, seed", ", ".join(map(str, np.atleast_1d(seeds)))))
            if about.get("settings"):
                rows.append((f"{name}, settings", _plain(about["settings"])))
            made_with = about.get("versions") or now
            if made_with != now:
                rows.append((f"{name}, versions", _plain(made_with)))
    return rows


def _plain(facts: Any) -> str:
    """Settings in a line."""
    said = []
    for name, value in dict(facts).items():
        if value is None:
            continue
        shown = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
        said.append(f"{name} {shown}")
    return ", ".join(said)


# Parts of the page that each data set has, in order.
PARTS: tuple[tuple[str, Callable[[Findings], Any]], ...] = (
    ("data", _data),
    ("importance", _importance),
    ("own_classifier", _own_classifier),
    ("classifier", _classifier),
    ("explanations", _explanations),
    ("latents", _latents),
    ("groups", _groups),
    ("doses", _doses),
    ("plates", _plates),
)
