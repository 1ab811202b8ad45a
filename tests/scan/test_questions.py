"""A question is answered by one of its options, or by words that only one holds."""

import pytest

from napari_channelmix.errors import DataError
from napari_channelmix.scan import Choice

PLANES = Choice("planes", "Which?", ("every plane", "only plane 03", "only plane 30"))


def test_an_option_is_named_by_words_that_only_it_holds():
    assert PLANES.option("3") == "only plane 03"
    assert PLANES.option("plane 30") == "only plane 30"
    assert PLANES.option("EVERY PLANE") == "every plane"


@pytest.mark.parametrize("text", ["plane", "4", "", "0"])
def test_words_of_several_options_or_of_none_are_refused_with_the_list(text):
    with pytest.raises(DataError, match="options: 'every plane', 'only plane 03'"):
        PLANES.option(text)
