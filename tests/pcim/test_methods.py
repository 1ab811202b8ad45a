"""Methods by name: known names, the modes they need, and how many maps they bring."""

import numpy as np
import pytest

from napari_channelmix.errors import ModelError
from napari_channelmix.pcim.methods import BASELINES, METHODS, MORE_BASELINES, method_named


def test_the_variants_and_baselines_that_are_promised_are_there():
    assert set(METHODS) >= {
        "literal",
        "pcim",
        "pcim-fidelity",
        "blackbox",
        "blackbox-sharp",
        *BASELINES,
        *MORE_BASELINES,
    }
    assert set(BASELINES) == {
        "saliency",
        "integrated-gradients",
        "occlusion",
        "gradcam",
        "deeplift",
    }
    for name, method in METHODS.items():
        assert method.name == name
        assert method.title
        assert method.about


def test_pcim_as_a_black_box_is_the_black_box():
    assert method_named("pcim", "blackbox") is METHODS["blackbox"]
    assert method_named("blackbox-sharp", "autograd") is METHODS["blackbox-sharp"]


@pytest.mark.parametrize(
    ("name", "mode", "says"),
    [
        ("grad", "autograd", "method 'grad' is unknown; use pcim, "),
        ("pcim", "numeric", "mode 'numeric' is unknown; use autograd or blackbox"),
        ("saliency", "blackbox", "needs the gradients"),
        ("pcim-fidelity", "blackbox", "use blackbox or blackbox-sharp"),
    ],
)
def test_what_cannot_be_is_refused(name, mode, says):
    with pytest.raises(ModelError, match=says):
        method_named(name, mode)


@pytest.mark.parametrize("name", METHODS)
def test_a_method_yields_as_many_maps_as_it_says(name, classifier, crops, make_problem):
    if name in BASELINES or name in MORE_BASELINES:
        pytest.importorskip("captum")
    others = np.concatenate([crops] * 2)
    method = METHODS[name]
    problem = make_problem(classifier, crops[:2], forwards=70, others=others)
    maps = list(method.run(problem))
    assert len(maps) == method.steps(problem)
    assert all(one.values.shape == (2, 1, 16, 16) for one in maps)
