"""Subjects: classifiers of any kind answer alike, and what they get wrong is said in one line."""

import numpy as np
import pytest
import torch
from torch import nn

from napari_channelmix.classify import ForeignClassifier
from napari_channelmix.errors import ModelError
from napari_channelmix.pcim.model_adapter import subject_of


def foreign(planted, output="scores"):
    zeros = np.zeros(3)
    return ForeignClassifier(
        planted.predict, ("a", "b", "c"), ("x", "y"), zeros, zeros + 1, output, "my model"
    )


def test_all_kinds_of_models_give_the_same_log_odds(planted):
    odds = []
    for model in (planted.network, planted.predict, foreign(planted)):
        subject = subject_of(model, planted.crops)
        with torch.inference_mode():
            scores = subject.checked_scores(subject.prepare(planted.crops))
        odds.append(scores[:, 1] - scores[:, 0])
    assert odds[0].abs().min() > 1
    torch.testing.assert_close(odds[0], odds[1])
    torch.testing.assert_close(odds[0], odds[2], rtol=1e-3, atol=1e-3)


def test_probabilities_of_a_function_are_told_from_scores(planted):
    def probabilities(crops):
        return torch.softmax(torch.from_numpy(planted.predict(crops)), dim=1).numpy()

    subject = subject_of(probabilities, planted.crops)
    scores = subject.scores(subject.prepare(planted.crops))
    shown = subject.reading.probabilities(scores).float()
    torch.testing.assert_close(shown, torch.from_numpy(probabilities(planted.crops)))
    assert str(subject.reading) == "probabilities (detected from 28 outputs)"


def test_certainty_stays_finite():
    sure = np.array([[0.0, 1.0]], np.float32)
    subject = subject_of(lambda x: np.repeat(sure, len(x), 0), np.zeros((2, 1, 3, 3), np.float32))
    assert torch.isfinite(subject.checked_scores(torch.zeros(2, 1, 3, 3))).all()


def test_names_come_from_the_model_or_are_numbers(planted, classifier, crops):
    assert subject_of(classifier, crops).classes == ("a", "b")
    assert subject_of(classifier, crops).channels == ("channel 0", "channel 1")
    assert subject_of(foreign(planted), planted.crops).classes == ("x", "y")
    assert subject_of(planted.network, planted.crops).classes == ("class 0", "class 1")
    assert subject_of(planted.predict, planted.crops).channels is None


def raising(crops):
    raise KeyError("weights")


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (raising, "the function failed: KeyError: 'weights'"),
        (lambda x: x.mean(axis=(1, 2, 3)), r"scores of shape \(2,\) for 2 crops"),
        (
            lambda x: np.zeros((1, 2)),
            r"scores of shape \(1, 2\) for 2 crops; it must give \(2, K\)",
        ),
        (lambda x: np.full((len(x), 2), np.nan), "scores that are NaN or infinite"),
        (lambda x: "cat", "the function failed: ValueError"),
        (lambda x: np.full((len(x), 2), np.inf), "scores that are NaN or infinite"),
        (5, "a classifier or a function is needed, not int"),
    ],
)
def test_a_function_that_fails_is_one_line(function, says):
    with pytest.raises(ModelError, match=says) as raised:
        subject_of(function, np.zeros((2, 1, 4, 4), np.float32))
    assert "\n" not in str(raised.value)


def test_a_function_that_changes_its_number_of_classes_is_caught():
    widths = [2]
    subject = subject_of(lambda x: np.zeros((len(x), widths[0])), np.zeros((2, 1, 4, 4), "f4"))
    widths[0] = 3
    with pytest.raises(ModelError, match=r"shape \(2, 3\) for 2 crops; it must give \(2, 2\)"):
        subject.scores(torch.zeros(2, 1, 4, 4))


class Strange(nn.Module):
    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def forward(self, x):
        return self.answer(x)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (raising, "the network failed: KeyError"),
        (lambda x: x.mean((2, 3))[0], r"scores of shape \(1,\) for 2 crops; it must give \(2, K\)"),
        (lambda x: (x, x), r"gives 2 outputs \(0: \(2, 1, 4, 4\) float32, 1: .*select=0"),
        (lambda x: x.mean((1, 2, 3)), r'shape \(2,\) for 2 crops.*output="one_logit"'),
    ],
)
def test_a_module_that_fails_is_one_line(answer, says):
    with pytest.raises(ModelError, match=says):
        subject_of(Strange(answer), np.zeros((2, 1, 4, 4), np.float32))


def test_scores_that_cannot_be_relied_on_are_refused(classifier):
    subject = subject_of(classifier, np.zeros((1, 2, 16, 16), np.float32))
    with pytest.raises(ModelError, match="the classifier cannot take crops of 16 x 16 pixels"):
        subject.checked_scores(torch.zeros(1, 5, 16, 16))
    with pytest.raises(ModelError, match="NaN or infinite"):
        subject_of(Strange(lambda x: x.mean((2, 3)) * torch.nan), np.zeros((2, 2, 4, 4), "f4"))
    later = subject_of(
        Strange(lambda x: x.mean((2, 3)) / x.amax() - 9), np.ones((2, 2, 4, 4), "f4")
    )
    with pytest.raises(ModelError, match="NaN or infinite"):
        later.checked_scores(torch.zeros(2, 2, 4, 4))


def test_at_rest_restores_modes_and_gradients_module_by_module(classifier, crops):
    network = classifier.network
    network.train()
    frozen = next(module for module in network.modules() if isinstance(module, nn.BatchNorm2d))
    frozen.eval()
    first, *others = network.parameters()
    first.requires_grad_(False)
    before = [module.training for module in network.modules()]
    subject = subject_of(classifier, crops)
    with pytest.raises(ZeroDivisionError), subject.at_rest() as was_training:
        assert was_training
        assert not any(module.training for module in network.modules())
        assert not any(weight.requires_grad for weight in network.parameters())
        raise ZeroDivisionError
    assert [module.training for module in network.modules()] == before
    assert not first.requires_grad
    assert all(weight.requires_grad for weight in others)


class Traveller(nn.Module):
    """Knows where it was sent."""

    def __init__(self, inner):
        super().__init__()
        self.inner, self.sent = inner, []

    def to(self, device):
        self.sent.append(str(device))
        return super().to(device)

    def forward(self, x):
        return self.inner(x)


def test_a_module_is_on_the_device_only_while_it_is_asked(planted):
    # Another name for the same device will do.
    network, device = Traveller(planted.network), torch.device("cpu", 0)
    subject = subject_of(network, planted.crops, device)
    assert subject.device == device
    assert network.sent == ["cpu:0", "cpu"]
    with pytest.raises(ZeroDivisionError), subject.at_rest():
        assert network.sent[2:] == ["cpu:0"]
        raise ZeroDivisionError
    assert network.sent[2:] == ["cpu:0", "cpu"]


def test_a_network_without_weights_stays_on_the_cpu(planted):
    network = Traveller(nn.Flatten())
    assert subject_of(network, planted.crops, torch.device("cpu", 0)).device.index is None
    assert network.sent == []


def test_memory_that_ran_out_is_not_taken_for_a_missing_gradient(planted):
    subject = subject_of(planted.network, planted.crops)
    with pytest.raises(torch.OutOfMemoryError), subject.differentiated():
        raise torch.OutOfMemoryError("CUDA out of memory")


def test_what_has_no_network_is_at_rest_anyway(planted):
    with subject_of(planted.predict, planted.crops).at_rest() as was_training:
        assert not was_training


class Views(torch.nn.Module):
    """A network that was written for one crop."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(64, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x.view(64)).view(1, 2)


def test_a_model_of_one_crop_is_asked_crop_by_crop() -> None:
    net = Views()
    crops = np.random.default_rng(0).normal(0, 1, (5, 1, 8, 8)).astype(np.float32)
    wanted = net.layer(torch.from_numpy(crops).flatten(1)).detach().numpy()

    def function(some: np.ndarray) -> np.ndarray:
        return net(torch.from_numpy(some)).detach().numpy()

    for model in (net, function):
        scores = subject_of(model, crops).scores(torch.from_numpy(crops))
        np.testing.assert_allclose(scores.detach().numpy(), wanted, rtol=1e-5, atol=1e-6)


def test_answers_that_are_not_repeatable_are_said() -> None:
    crops = np.random.default_rng(0).normal(0, 1, (6, 1, 8, 8)).astype(np.float32)

    def sure(some: np.ndarray) -> np.ndarray:
        v = some.mean(axis=(1, 2, 3)) * 20
        return np.stack([-v, v], axis=1)

    def of_batch(some: np.ndarray) -> np.ndarray:
        answers = sure(some)
        return answers - answers.mean(axis=0)

    draws = np.random.default_rng(1)

    def random(some: np.ndarray) -> np.ndarray:
        return sure(some) + draws.normal(0, 1, (len(some), 2))

    assert subject_of(sure, crops).notes == ()
    assert "depend on the other crops" in subject_of(of_batch, crops).notes[0]
    assert "when run again" in subject_of(random, crops).notes[0]


def test_lazy_layers_are_refused_in_a_line() -> None:
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.LazyLinear(2))
    with pytest.raises(ModelError, match="lazy layers without weights"):
        subject_of(net, np.zeros((2, 1, 8, 8), np.float32))
