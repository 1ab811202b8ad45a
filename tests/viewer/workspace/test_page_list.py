from __future__ import annotations

import pytest

from napari_channelmix.viewer.page_parts.open_page import DOCKS
from napari_channelmix.viewer.pages.classifier.page import ClassifierPage
from napari_channelmix.viewer.workspace.icons import ICONS
from napari_channelmix.viewer.workspace.page_list import PAGES, page_info, page_of_widget


def test_the_pages_are_those_of_the_menus_and_have_an_icon() -> None:
    assert tuple(page.dock for page in PAGES) == DOCKS
    assert {page.key for page in PAGES} <= set(ICONS)
    for page in PAGES:
        assert page.widget_class().__name__ == page.kind
        assert page.question.endswith((".", "?"))


def test_a_page_is_known_by_each_of_its_names() -> None:
    assert {page_info(name).key for name in ("pixels", "Pixels", "Explain a cell")} == {"pixels"}
    with pytest.raises(KeyError, match="no page is called 'Pixel'"):
        page_info("Pixel")


def test_a_widget_is_known_by_its_class() -> None:
    known = page_of_widget(ClassifierPage.__new__(ClassifierPage))
    assert known is not None and known.key == "classifier"
    assert page_of_widget(object()) is None
