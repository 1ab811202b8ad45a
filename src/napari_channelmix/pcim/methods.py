"""Methods by name: PCIM's variants and the baselines, all with the same call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from napari_channelmix.errors import ModelError
from napari_channelmix.pcim import baselines, blackbox_solver, gradient_solver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari_channelmix.pcim.batch import Maps, Problem

__all__ = ["BASELINES", "METHODS", "MORE_BASELINES", "Method", "method_named"]

Mode = Literal["autograd", "blackbox"]


@dataclass(frozen=True)
class Method:
    """A way to make maps.

    Attributes
    ----------
    name, title, about : str
        For the command line, for people, and a line of explanation.
    mode : {"autograd", "blackbox"}
        What it needs of the classifier: gradients, or answers alone.
    steps : callable
        How many maps ``run`` will yield for a problem.
    run : callable
        Yields `Maps`, each better than the one before.
    room : callable
        Bytes it needs for one cell beside what the network needs: of its shape (C, H, W), the
        number of forwards, and whether channels are separate. Refuses what is too much.
    version : int
        Rises when the method gives other maps than before, so that maps of both are never mixed.
    """

    name: str
    title: str
    about: str
    mode: Mode
    steps: Callable[[Problem], int]
    run: Callable[[Problem], Iterator[Maps]]
    room: Callable[[tuple[int, ...], int, bool], int] = lambda shape, forwards, separate: 0
    version: int = 1


def _solver(
    name: str, title: str, about: str, settings: gradient_solver.SolverSettings, version: int = 1
) -> Method:
    return Method(
        name,
        title,
        about,
        "autograd",
        lambda _: settings.path + settings.steps,
        lambda problem: gradient_solver.solve(problem, settings),
        version=version,
    )


def _black_box(name: str, title: str, about: str, *, sharp: bool) -> Method:
    return Method(
        name,
        title,
        about,
        "blackbox",
        lambda problem: blackbox_solver.steps(problem.forwards),
        lambda problem: blackbox_solver.solve(problem, sharp=sharp),
        lambda shape, forwards, separate: blackbox_solver.room(
            shape, forwards, sharp=sharp, separate=separate
        ),
    )


def _baseline(name: str, title: str, about: str) -> Method:
    return Method(
        name,
        title,
        about,
        "autograd",
        lambda _: 1,
        lambda problem: baselines.attribute(name, problem),
    )


_ALL = (
    _solver(
        "pcim",
        "PCIM",
        "a mask trained for a few steps; the first map at once",
        gradient_solver.SolverSettings(),
        # The first had four gradients and seven steps, from another share on; the second no real
        # cells; the third values in spreads of the first map.
        version=4,
    ),
    _solver(
        "pcim-fidelity",
        "PCIM (high fidelity)",
        "the same, with many more steps",
        gradient_solver.FIDELITY,
        # The first had no real cells; the second values in spreads of the first map.
        version=3,
    ),
    Method(
        "literal",
        "PCIM (as published)",
        "as published: keep pixels on black; for comparison only",
        "autograd",
        lambda _: gradient_solver.LITERAL_STEPS,
        gradient_solver.literal,
    ),
    _black_box(
        "blackbox",
        "Black box",
        "random masks, then a search; needs predictions only, no gradients",
        sharp=False,
    ),
    _black_box("blackbox-sharp", "Black box (fine)", "a linear fit to random masks", sharp=True),
    _baseline("saliency", "Saliency", "size of the gradient (captum)"),
    _baseline("integrated-gradients", "Integrated gradients", "32 steps from the mean (captum)"),
    _baseline("occlusion", "Occlusion", "a sliding window of a fifth of the side (captum)"),
    _baseline("gradcam", "GradCAM", "at the last convolution (captum)"),
    _baseline("deeplift", "DeepLift", "differences to the mean, layer by layer (captum)"),
    _baseline("expected-gradients", "Expected gradients", "32 gradients from real cells"),
    _baseline("expected-gradients-18", "Expected gradients (18)", "18 gradients from real cells"),
    _baseline(
        "expected-gradients-200", "Expected gradients (200)", "200 gradients from real cells"
    ),
    _baseline(
        "integrated-gradients-many",
        "Integrated gradients (8 starts)",
        "32 steps from each of five real cells, border, mean and blur (captum)",
    ),
    _baseline("lrp", "LRP", "layer-wise relevance propagation, gamma rule .25 (captum)"),
    _baseline("kernel-shap", "KernelSHAP", "200 sets of about 50 superpixels (captum)"),
    _baseline(
        "feature-ablation", "Superpixels removed", "about 50 superpixels, one by one (captum)"
    ),
)
METHODS = {method.name: method for method in _ALL}
# Shown beside PCIM wherever methods are compared; the others are made where they are named.
BASELINES = ("saliency", "integrated-gradients", "occlusion", "gradcam", "deeplift")
MORE_BASELINES = (
    "expected-gradients",
    "expected-gradients-18",
    "expected-gradients-200",
    "integrated-gradients-many",
    "lrp",
    "kernel-shap",
    "feature-ablation",
)


def method_named(name: str, mode: str) -> Method:
    """The method for a name and a mode; ``pcim`` in black-box mode is ``blackbox``.

    Raises
    ------
    ModelError
        An unknown name or mode, or a method that needs gradients in black-box mode.
    """
    if name not in METHODS:
        raise ModelError(f"method {name!r} is unknown; use {', '.join(METHODS)}")
    if mode not in ("autograd", "blackbox"):
        raise ModelError(f"mode {mode!r} is unknown; use autograd or blackbox")
    method = METHODS[name]
    if mode == "autograd" or method.mode == "blackbox":
        return method
    if name == "pcim":
        return METHODS["blackbox"]
    raise ModelError(
        f"method {name!r} needs the gradients of a network, which this classifier does not give; "
        "use blackbox or blackbox-sharp"
    )
