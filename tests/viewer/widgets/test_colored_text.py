from __future__ import annotations

from napari_channelmix.viewer.widgets.colored_text import marked


def test_names_stand_beside_their_colour() -> None:
    text = marked("●", [("#FF0000", "red cells"), ("#00FF00", "others")])
    assert text.index("#FF0000") < text.index("red cells") < text.index("#00FF00")


def test_names_are_no_markup_and_no_wider_than_the_dock() -> None:
    assert "a&lt;b" in marked("■", [("#FFFFFF", "a<b")])
    assert "x" * 24 not in marked("■", [("#FFFFFF", "x" * 40)])
