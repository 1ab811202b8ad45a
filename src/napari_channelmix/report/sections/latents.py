"""Latents: which names can be trusted, and what separates the classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_channelmix.report.pictures import data_uri, shrunk

if TYPE_CHECKING:
    from napari_channelmix.report.findings import Findings

__all__ = ["latents_section"]


def latents_section(findings: Findings) -> dict[str, Any] | None:
    """Names with their badges, and accuracy beside other features."""
    if findings.latents is None:
        return None
    content = findings.latents.content
    tuned = content.get("finetuned")
    rows = [
        (row["name"], row["badge"], row["words"])
        for row in content["badges"]
        if row["badge"] != "spare"
    ]
    accuracy = content.get("accuracy") or {}
    best = accuracy.get("latents")
    return {
        "n": content["n"],
        "model": _model_of(content),
        "tuned": tuned["epochs"] if tuned else 0,
        # Files of earlier versions do not know it.
        "reconstruction": content.get("reconstruction"),
        "drawing": content.get("drawing"),
        "rows": rows,
        "sheet": data_uri("image/png", shrunk(findings.latents.sheet))
        if findings.latents.sheet
        else "",
        "accuracy": None if best is None else f"{best:.3f}",
        "features": None if best is None else f"{accuracy['pixels_or_features']:.3f}",
        "warnings": content.get("warnings", ()),
    }


def _model_of(content: Any) -> str:
    about, features = content["provenance"], content.get("features")
    model = str(about.get("disentangler") or about.get("model", "an encoder"))
    return f"{model} through {features['name']}" if features else model
