"""Changes of classes as the Undo button names them."""

import numpy as np
import pytest

from napari_channelmix.viewer.pages.annotate.change_text import edit_in_words
from napari_channelmix.viewer.session.edits import Edit


@pytest.mark.parametrize(
    ("before", "after", "codes", "said"),
    [
        ("ab", "ab", [1], "1 cell to b"),
        ("ab", "ab", [0] * 1200, "1,200 cells to a"),
        ("ab", "ab", [-1, -1], "2 cells to no class"),
        ("ab", "ab", [0, 1, 1], "3 cells to 2 classes"),
        ("ab", "abc", [], "class c added"),
        ("ab", "b", [-1, 0], "class a removed, 2 cells"),
        ("ab", "ac", [], "class b to c"),
        ("ab", "ba", [], "other classes"),
        (
            "a",
            ("a", "a rather long name of a class"),
            [1],
            "class a rather long name… added, 1 cell",
        ),
    ],
)
def test_a_change_is_named(before, after, codes, said):
    codes = np.array(codes, int)
    edit = Edit((tuple(before), tuple(after)), np.arange(len(codes)), (codes * 0, codes))
    assert edit_in_words(edit) == said
