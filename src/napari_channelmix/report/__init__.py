"""What was found, to be handed on: tables, charts, layers as OME files, one page that says all."""

from napari_channelmix.report.findings import ClassifierFacts, Example, Findings, LatentsFacts
from napari_channelmix.report.page import page_of, report_job

__all__ = [
    "ClassifierFacts",
    "Example",
    "Findings",
    "LatentsFacts",
    "page_of",
    "report_job",
]
