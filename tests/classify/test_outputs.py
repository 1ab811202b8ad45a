"""What a model's numbers mean: the same at every entrance, said, checked, and refused in doubt."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from napari_channelmix import explain, load_model
from napari_channelmix.classify import ForeignClassifier
from napari_channelmix.classify.outputs import Reading, answers_of, output_named, reading_of
from napari_channelmix.errors import ModelError

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")

# Cells 0 and 1 have a bright square of 36 of 576 pixels, 1,500 above a background of 300.
SIDE, LEVEL = 24, 350.0


def cells() -> np.ndarray[Any, Any]:
    crops = np.full((4, 1, SIDE, SIDE), 300.0, np.float32)
    crops[:2, 0, 8:14, 8:14] += 1500
    # Means 393.75 and 300: a little noise, which leaves them so.
    noise = np.random.default_rng(0).normal(0, 5, crops.shape).astype(np.float32)
    return crops + noise - noise.mean(axis=(2, 3), keepdims=True)


GAIN = 0.02
# v = 0.02 (mean - 350) = 0.875 and -1; p = 1 / (1 + exp(-2 v)).
SECOND = np.array([0.851953, 0.851953, 0.119203, 0.119203])
# Of labels by themselves: 1 / (1 + exp(v - 0.2)) and 1 / (1 + exp(-v)).
LABELS = np.array([[0.337378, 0.705785]] * 2 + [[0.768525, 0.268941]] * 2)


class Ends(nn.Module):
    """Mean brightness as evidence for the second class, given in many ways."""

    def __init__(self, end: str) -> None:
        super().__init__()
        self.end = end
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        v = ((x - LEVEL).mean(dim=(1, 2, 3)) * GAIN + self.bias)[:, None]
        z = torch.cat([-v, v], dim=1)
        labels = torch.cat([0.2 - v, v], dim=1)
        if self.end == "softmax":
            return torch.softmax(z, dim=1)
        if self.end == "log_softmax":
            return torch.log_softmax(z, dim=1)
        if self.end == "one logit":
            return 2 * v
        if self.end == "one probability":
            return torch.sigmoid(2 * v)
        if self.end == "sigmoid":
            return torch.sigmoid(labels)
        if self.end == "labels":
            return labels
        return z


def as_module(net: nn.Module, folder: Path) -> Any:
    return net


def as_function(net: nn.Module, folder: Path) -> Any:
    return lambda x: net(torch.from_numpy(x))


def loaded(path: Path) -> Callable[..., Any]:
    def opened(**declared: Any) -> Any:
        return load_model(path, channels=["a"], classes=["n", "p"], allow_code=True, **declared)

    return opened


def as_torchscript(net: nn.Module, folder: Path) -> Any:
    torch.jit.trace(net.eval(), torch.from_numpy(cells())).save(str(folder / "m.pt"))
    return loaded(folder / "m.pt")


def as_export(net: nn.Module, folder: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        n = torch.export.Dim("n", min=1, max=4096)
        program = torch.export.export(
            net.eval(), (torch.from_numpy(cells()),), dynamic_shapes=({0: n},)
        )
        torch.export.save(program, folder / "m.pt2")
    return loaded(folder / "m.pt2")


def as_onnx(net: Ends, folder: Path) -> Any:
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    helper, kinds = onnx.helper, onnx.TensorProto
    ends = {
        "softmax": ([[-1, 1]], [0, 0], "Softmax"),
        "log_softmax": ([[-1, 1]], [0, 0], "LogSoftmax"),
        "one logit": ([[2]], [0], None),
        "one probability": ([[2]], [0], "Sigmoid"),
        "sigmoid": ([[-1, 1]], [0.2, 0], "Sigmoid"),
        "labels": ([[-1, 1]], [0.2, 0], None),
        "logits": ([[-1, 1]], [0, 0], None),
    }
    weight, bias, last = ends[net.end]
    w = np.array(weight, np.float32) * np.float32(GAIN)
    b = np.array(bias, np.float32) - np.float32(LEVEL) * w[0]
    nodes = [
        helper.make_node("GlobalAveragePool", ["x"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Gemm", ["flat", "w", "b"], ["z"]),
        helper.make_node(last or "Identity", ["z"], ["answer"]),
    ]
    graph = helper.make_graph(
        nodes,
        "ends",
        [helper.make_tensor_value_info("x", kinds.FLOAT, ["n", 1, "h", "w"])],
        [helper.make_tensor_value_info("answer", kinds.FLOAT, ["n", len(b)])],
        [onnx.numpy_helper.from_array(w, "w"), onnx.numpy_helper.from_array(b, "b")],
    )
    path = folder / "m.onnx"
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path
    )
    return loaded(path)


ENTRANCES = [as_module, as_function, as_torchscript, as_export, as_onnx]


def asked(model: Any, **declared: Any) -> Any:
    """The explanation of the cells, however the model comes."""
    how = {"mode": "blackbox", "forwards": 100, "device": "cpu"}
    if getattr(model, "__name__", "") == "opened":
        return explain(model(**declared), cells(), **how)
    return explain(model, cells(), **how, **declared)


@pytest.mark.parametrize("entrance", ENTRANCES)
@pytest.mark.parametrize(
    ("end", "declared", "said"),
    [
        ("logits", {}, "logits (detected"),
        ("softmax", {}, "probabilities (detected"),
        ("log_softmax", {}, "logits (detected"),
        ("one logit", {}, "one logit, for the second of two classes (detected"),
        ("logits", {"output": "scores"}, "logits (declared)"),
        ("softmax", {"output": "probabilities"}, "probabilities (declared)"),
        ("one logit", {"output": "logits"}, "one logit, for the second of two classes (declared)"),
        ("one probability", {"output": "one_probability"}, "one probability, of the second"),
        ("one probability", {"output": "sigmoid"}, "one probability, of the second"),
    ],
)
def test_the_same_model_is_the_same_through_every_entrance_however_it_ends(
    entrance: Any, end: str, declared: dict[str, str], said: str, tmp_path: Path
) -> None:
    found = asked(entrance(Ends(end), tmp_path), **declared)
    np.testing.assert_allclose(found.probabilities[:, 1], SECOND, atol=2e-6)
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-6)
    assert found.output.startswith(said)
    assert found.provenance["output"] == found.output
    wanted = asked(Ends("logits"))
    scale = np.abs(wanted.maps).max()
    np.testing.assert_allclose(found.maps, wanted.maps, atol=2e-3 * scale)
    assert found.target.tolist() == [1, 1, 0, 0]
    assert not found.flat


@pytest.mark.parametrize("entrance", ENTRANCES)
@pytest.mark.parametrize(("end", "output"), [("sigmoid", "sigmoid"), ("labels", "sigmoid_logits")])
def test_independent_labels_are_each_judged_by_themselves(
    entrance: Any, end: str, output: str, tmp_path: Path
) -> None:
    found = asked(entrance(Ends(end), tmp_path), output=output)
    np.testing.assert_allclose(found.probabilities, LABELS, atol=2e-6)
    # Evidence for the second label is its own logit: half of that of two classes.
    wanted = asked(Ends("logits"))
    np.testing.assert_allclose(
        found.maps[:2], wanted.maps[:2] / 2, atol=2e-3 * np.abs(wanted.maps).max()
    )


@pytest.mark.parametrize("entrance", ENTRANCES)
@pytest.mark.parametrize(
    ("end", "declared", "says"),
    [
        ("sigmoid", {}, r'sums are not 1.*output="sigmoid" .*else output="logits"'),
        ("one probability", {}, r'one number.*output="one_probability" .*output="one_logit"'),
        ("logits", {"output": "probabilities"}, r'no probabilities: they run .*output="logits"'),
        ("sigmoid", {"output": "probabilities"}, r'the sum of a row is .*output="sigmoid"'),
        ("labels", {"output": "sigmoid"}, r'they run .*output="sigmoid_logits"'),
        ("one logit", {"output": "one_probability"}, r'they run .*output="one_logit"'),
        ("logits", {"output": "one_logit"}, "2 numbers for a cell.* means one"),
        ("logits", {"output": "odds"}, "'odds' is unknown; use one of auto, logits"),
        ("logits", {"select": "aux"}, "one output only, not 'aux'; leave select out"),
    ],
)
def test_doubt_and_contradiction_are_one_line_with_the_remedy(
    entrance: Any, end: str, declared: dict[str, str], says: str, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=says) as raised:
        asked(entrance(Ends(end), tmp_path), **declared)
    assert "\n" not in str(raised.value)


def test_predicting_finds_out_as_explaining_does(tmp_path: Path) -> None:
    model = as_torchscript(Ends("softmax"), tmp_path)()
    assert model.reading is None
    np.testing.assert_allclose(model.predict_proba(cells(), batch=3)[:, 1], SECOND, atol=2e-6)
    assert str(model.reading).startswith("probabilities (detected from")
    one = as_torchscript(Ends("one logit"), tmp_path)()
    np.testing.assert_allclose(one.predict_proba(cells())[:, 1], SECOND, atol=2e-6)


def test_what_was_found_out_is_held_against_every_later_batch() -> None:
    crops = np.zeros((40, 1, 4, 4), np.float32)
    crops[:, 0] = np.arange(1, 41)[:, None, None]

    def turning(x: Any) -> Any:
        level = x.mean(axis=(1, 2, 3))
        p = 1 / (1 + np.exp(-level))
        rows = np.stack([1 - p, p], axis=1)
        rows[level == 33] = [0.5, 3]
        return rows

    model = ForeignClassifier(
        turning, ("a",), ("n", "p"), np.zeros(1), np.ones(1), "auto", "her model"
    )
    model.predict_proba(crops[:8])
    with pytest.raises(ModelError, match=r"her model .*detected from .*run from .* to 3"):
        model.predict_proba(crops, batch=8)


def test_logits_that_sum_to_one_by_chance_are_told_by_changed_crops() -> None:
    # z = (v, 1 - v) with v = 0.25 for these crops: not negative, and of sum 1.
    crops = np.full((2, 1, 4, 4), 0.25, np.float32)
    found = explain(
        lambda x: np.stack([x.mean((1, 2, 3)), 1 - x.mean((1, 2, 3)) ** 2 - 0.1875], 1),
        crops,
        forwards=20,
    )
    assert found.output.startswith("logits")
    np.testing.assert_allclose(found.probabilities[:, 1], 1 / (1 + np.exp(-0.5)), atol=1e-6)


def test_a_declared_meaning_that_looks_wrong_is_said_with_numbers() -> None:
    found = asked(Ends("softmax"), output="logits")
    assert any(
        'all 4 outputs are not negative with the sum 1: if it ends in a softmax, use output="prob'
        in line
        for line in found.warnings
    )
    found = asked(Ends("one probability"), output="one_logit")
    assert any("all 4 outputs lie within 0 and 1" in line for line in found.warnings)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("end", ["logits", "softmax", "one logit"])
def test_networks_of_other_precision_get_what_they_take(dtype: torch.dtype, end: str) -> None:
    found = explain(Ends(end).to(dtype), cells(), device="cpu")
    assert found.probabilities.dtype == np.float32
    np.testing.assert_allclose(found.probabilities[:, 1], SECOND, atol=0.03)


# ------------------------------------------------------------------ the rule by itself


def test_scores_of_each_meaning_are_log_odds_by_hand() -> None:
    def scores(meaning: Any, *row: float) -> list[float]:
        reading = Reading(meaning, len(row))
        return reading.scores(torch.tensor([row])).tolist()[0]

    assert scores("logits", 2.0, -1.0) == [2.0, -1.0]
    assert scores("one_logit", 3.0) == [0.0, 3.0]
    assert scores("probabilities", 0.25, 0.75) == pytest.approx(np.log([0.25, 0.75]))
    assert scores("one_probability", 0.75) == pytest.approx(np.log([0.25, 0.75]))
    assert scores("sigmoid", 0.25, 0.8) == pytest.approx(np.log([1 / 3, 4]))
    assert scores("sigmoid_logits", 0.25, 0.8) == pytest.approx([0.25, 0.8])


def test_probabilities_close_to_one_keep_their_evidence_down_to_what_the_dtype_can_say() -> None:
    reading = Reading("probabilities", 2, torch.float32)
    p = torch.tensor([[1e-30, 1.0], [0.0, 1.0], [0.5, 0.5]])
    scores = reading.scores(p)
    odds = scores[:, 1] - scores[:, 0]
    # 30 ln 10 = 69.08; the smallest normal number of 32 bits is 1.18e-38, of which -ln is 87.34.
    np.testing.assert_allclose(odds, [69.08, 87.34, 0], atol=0.01)
    assert reading.saturated(scores, odds).tolist() == [False, True, False]
    one = Reading("one_probability", 1, torch.float32)
    p = torch.tensor([[1.0], [1 - 2**-20], [1e-30], [0.0]])
    scores = one.scores(p)
    odds = scores[:, 1] - scores[:, 0]
    assert one.saturated(scores, odds).tolist() == [True, False, False, True]
    # The same of the other class.
    assert one.saturated(scores, -odds).tolist() == [True, False, False, True]
    assert not Reading("logits", 2).saturated(scores, odds).any()


def test_gradients_of_saturated_probabilities_are_finite() -> None:
    z = torch.tensor([[0.0, 200.0], [0.0, 95.0], [0.0, 80.0]], requires_grad=True)
    scores = Reading("probabilities", 2).scores(torch.softmax(z, dim=1))
    (gradient,) = torch.autograd.grad((scores[:, 1] - scores[:, 0]).sum(), z)
    assert torch.isfinite(gradient).all()
    torch.testing.assert_close(gradient[2], torch.tensor([-1.0, 1.0]))


def test_numbers_of_any_kind_become_a_table_and_what_is_none_is_one_line() -> None:
    assert answers_of([[1, 2], [3, 4]], 2, "m").dtype == torch.float64
    assert answers_of(np.zeros((3, 2), ">f4"), 3, "m").dtype == torch.float32
    assert answers_of(torch.zeros(3, 2, 1, 1), 3, "m").shape == (3, 2)
    assert answers_of(np.zeros(3), 3, "m", "one_logit").shape == (3, 1)
    assert answers_of(np.float32(2), 1, "m", "one_probability").shape == (1, 1)
    for wrong in (np.zeros(3), np.zeros((2, 2)), np.zeros((3, 0)), np.zeros((3, 2, 2))):
        with pytest.raises(ModelError, match=r"m gave scores of shape .* must give \(3, K\)"):
            answers_of(wrong, 3, "m")
    with pytest.raises(ModelError, match="complex"):
        answers_of(torch.zeros(3, 2, dtype=torch.complex64), 3, "m")


def test_another_number_of_classes_is_told_before_the_meaning() -> None:
    with pytest.raises(ModelError, match=r"shape \(2, 3\) for 2 crops and 2 classes \(a, b\)"):
        reading_of(torch.rand(2, 3), "auto", "m", classes=("a", "b"))
    with pytest.raises(ModelError, match=r"shape \(2, 1\) for 2 crops and 3 classes"):
        reading_of(torch.rand(2, 1), "auto", "m", classes=("a", "b", "c"))
    assert output_named("scores") == "logits"


@pytest.mark.parametrize(
    ("form", "says"),
    [
        (lambda p: 100 * p, "the sum 100"),
        (lambda p: 1.01 * p, "the sum 1.01"),
        (lambda p: -p, "no number above 0 and the sum -1"),
        (torch.log10, "logarithms to the base 10"),
        (torch.log2, "logarithms to the base 2"),
    ],
)
def test_probabilities_in_another_form_are_refused(
    form: Callable[[Tensor], Tensor], says: str
) -> None:
    answers = form(torch.tensor([[0.9, 0.1], [0.3, 0.7], [0.001, 0.999]]))
    with pytest.raises(ModelError, match=says) as said:
        reading_of(answers, "auto", "the model")
    assert "\n" not in str(said.value) and 'output="logits"' in str(said.value)
    assert reading_of(answers, "logits", "the model").meaning == "logits"


def test_logits_whose_sum_is_one_number_stay_logits() -> None:
    for answers in ([[-2.0, 2.0], [1.0, -1.0]], [[3.0, -1.0], [-4.0, 6.0]], [[5.0, 0.1], [2, 4]]):
        assert reading_of(torch.tensor(answers), "auto", "the model").meaning == "logits"
