"""Where the findings come from: versions, seeds, settings, hashes."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.config.file import as_json
from napari_channelmix.errors import DataError
from napari_channelmix.provenance import PACKAGES, package_version

if TYPE_CHECKING:
    from napari_channelmix.report.findings import Findings

__all__ = ["provenance_section"]


def provenance_section(findings: Findings) -> dict[str, Any]:
    """A row for each fact, and the config."""
    several = len(findings.data_sets) > 1
    rows = [
        (f"{part.title}: {name}" if several else name, value)
        for part in findings.data_sets
        for name, value in _provenance_of(part)
    ]
    rows.append(("versions", _plain(_versions())))
    config = ""
    if findings.config is not None:
        config = _short_lists(json.dumps(as_json(findings.config), indent=2, ensure_ascii=False))
    return {"rows": rows, "config": config}


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


def _versions() -> dict[str, str | None]:
    return {name: package_version(name) for name in PACKAGES}


def _short_lists(text: str) -> str:
    """Indented JSON with each list of numbers or texts on a line: a page of print, not five.

    Examples
    --------
    >>> print(_short_lists(json.dumps({"cells": [1, 2], "of": ["a,", "b"]}, indent=2)))
    {
      "cells": [1, 2],
      "of": ["a,", "b"]
    }
    """
    plain = r"(?:\"(?:[^\"\\]|\\.)*\"|[^\s\"\[\]{},]+)"
    lists = rf"\[\s+({plain}(?:,\s+{plain})*)\s+\]"
    items = rf"({plain})(,?)\s*"

    def joined(match: re.Match[str]) -> str:
        every = [item for item, _ in re.findall(items, match.group(1))]
        return f"[{', '.join(every)}]"

    return re.sub(lists, joined, text)


def _plain(facts: Any) -> str:
    """Settings in a line."""
    texts = []
    for name, value in dict(facts).items():
        if value is None:
            continue
        shown = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
        texts.append(f"{name} {shown}")
    return ", ".join(texts)
