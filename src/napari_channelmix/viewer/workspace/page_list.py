"""The pages of the workspace, in the order of the rail. It knows no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

__all__ = ["PAGES", "PageInfo", "page_info", "page_of_widget"]


@dataclass(frozen=True)
class PageInfo:
    """What is known of a page before it is made.

    Attributes
    ----------
    key : str
        Names the page in code, and its icon.
    title : str
        The short word under the icon.
    dock : str
        Its name in the menus, one of `launch.DOCKS`.
    module, kind : str
        Module and class of the widget; imported when the page is first shown.
    question : str
        What the page answers.
    """

    key: str
    title: str
    dock: str
    module: str
    kind: str
    question: str

    def widget_class(self) -> Any:
        """The class of the page's widget."""
        return getattr(import_module(self.module), self.kind)


def _module(page: str) -> str:
    return f"napari_channelmix.viewer.pages.{page}.page"


PAGES = (
    PageInfo(
        "data",
        "Data",
        "Images and cells",
        _module("data"),
        "DataPage",
        "Which images are analysed, and what is a cell in them?",
    ),
    PageInfo(
        "annotate",
        "Annotate",
        "Annotate",
        _module("annotate"),
        "AnnotatePage",
        "Which class does each cell have? Label cells with a brush, keys or a table.",
    ),
    PageInfo(
        "classifier",
        "Classifier",
        "Classifier",
        _module("classifier"),
        "ClassifierPage",
        "Can a network tell the classes apart, and how well on held-out cells?",
    ),
    PageInfo(
        "channels",
        "Channels",
        "Channel importance",
        _module("channels"),
        "ChannelsPage",
        "Which channels are needed to tell the classes apart?",
    ),
    PageInfo(
        "pixels",
        "Pixels",
        "Explain a cell",
        _module("pixels"),
        "PixelsPage",
        "Which pixels of a cell decide its predicted class?",
    ),
    PageInfo(
        "whatif",
        "What if",
        "What if",
        _module("whatif"),
        "WhatIfPage",
        "What would change the classifier's mind about this cell?",
    ),
    PageInfo(
        "latents",
        "Latents",
        "Latent traversals",
        _module("latents"),
        "LatentsPage",
        "What is a cell like along named axes such as size and texture?",
    ),
    PageInfo(
        "phenotypes",
        "Phenotypes",
        "Phenotypes",
        _module("phenotypes"),
        "PhenotypesPage",
        "What do the cells of each class look like, and where do labels and predictions disagree?",
    ),
    PageInfo(
        "report",
        "Report",
        "Report and script",
        _module("report"),
        "ReportPage",
        "A report of all results, and a script that reproduces them.",
    ),
)

_BY_NAME = {name: page for page in PAGES for name in (page.key, page.title, page.dock)}


def page_info(name: str) -> PageInfo:
    """A page by its key, by the word in the rail, or by its name in the menus.

    Raises
    ------
    KeyError
        There is no such page.
    """
    if name not in _BY_NAME:
        raise KeyError(f"no page is called {name!r}; there are {', '.join(p.title for p in PAGES)}")
    return _BY_NAME[name]


def page_of_widget(widget: Any) -> PageInfo | None:
    """The page that a widget shows; None for other widgets."""
    kind = type(widget)
    for page in PAGES:
        if (kind.__module__, kind.__name__) == (page.module, page.kind):
            return page
    return None
