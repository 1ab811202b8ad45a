"""Devices and thread counts."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import torch

from napari_channelmix.classify import device
from napari_channelmix.errors import ModelError
from napari_channelmix.jobs import drain


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("there", "chosen"), [({"cuda", "mps"}, "cuda"), ({"mps"}, "mps"), (set(), "cpu")]
)
def test_auto_takes_the_best_device_there_is(
    monkeypatch: pytest.MonkeyPatch, there: set[str], chosen: str
) -> None:
    monkeypatch.setattr(
        device, "unavailable_reason", lambda name: None if name in {*there, "cpu"} else "no"
    )
    assert device.choose_device("auto").type == chosen


def test_an_absent_device_is_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(ModelError, match=r"'cuda' cannot .*without CUDA; choose auto or cpu"):
        device.choose_device("cuda")
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    assert "no NVIDIA GPU" in str(device.unavailable_reason("cuda"))
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ModelError, match="'mps' cannot be used"):
        device.choose_device("mps")


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(ModelError, match="device 'tpu' is unknown; use auto, cpu, cuda, mps"):
        device.choose_device("tpu")


def test_the_users_thread_count_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    job = device.choose_threads(lambda: pytest.fail("nothing is to be timed"))
    assert drain(job) == 1


@pytest.mark.usefixtures("threads")
def test_the_fewest_threads_are_kept_unless_more_pay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(torch, "set_num_threads", lambda n: cost.__setitem__("n", n))
    cost = {"n": 1}
    assert drain(device.choose_threads(lambda: time.sleep(0.004), limit=2)) == 1
    assert drain(device.choose_threads(lambda: time.sleep(0.02 / cost["n"]), limit=2)) == 2
    assert cost["n"] == 2


def test_tiny_numbers_are_zero_for_a_while_only() -> None:
    tiny = torch.tensor([1e-38])
    if not torch.set_flush_denormal(False):
        pytest.skip("this CPU knows no such mode")
    with device.denormals_as_zero():
        assert float(tiny * 0.01) == 0
        with device.denormals_as_zero():
            pass
        assert float(tiny * 0.01) == 0
    assert float(tiny * 0.01) > 0
