"""The doctor names versions and devices, and says why one is missing."""

import json

from napari_channelmix.run.cli import main
from napari_channelmix.run.doctor import examine, report


def test_devices_that_are_missing_come_with_their_reason(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.version.cuda", None)
    devices = examine()["devices"]
    assert devices["cpu"].startswith("yes")
    assert devices["cuda"] == "no: this PyTorch was built without CUDA"


def test_json_and_text_say_the_same(capsys):
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == "napari-channelmix/doctor/1"
    assert found["libraries"]["torch"] in report(found)
    for name in ("qt", "window", "gl", "devices", "extras", "python"):
        assert name in found
