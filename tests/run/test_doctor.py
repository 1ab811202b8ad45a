"""The doctor names versions and devices, and says why one is missing."""

import json

from napari_channelmix.run.cli import main
from napari_channelmix.run.doctor import _binding, examine, report


def test_devices_that_are_missing_come_with_their_reason(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.version.cuda", None)
    devices = examine()["devices"]
    assert devices["cpu"].startswith("yes")
    assert devices["cuda"] == "no: this PyTorch was built without CUDA"


def test_a_pyside_that_aborts_with_this_python_comes_with_its_remedy(monkeypatch):
    remedy = "6.12.0: aborts with Python before 3.12; pip install 'PySide6<6.12'"
    for python, version, expected in [
        ((3, 11, 7), "6.12.0", remedy),
        ((3, 11, 7), "6.11.3", "6.11.3"),
        ((3, 12, 1), "6.12.0", "6.12.0"),
    ]:
        monkeypatch.setattr("sys.version_info", python)
        assert _binding("PySide6", version) == expected
    assert _binding("PyQt6", "6.12.0") == "6.12.0"


def test_json_and_text_say_the_same(capsys):
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == "napari-channelmix/doctor/1"
    assert found["libraries"]["torch"] in report(found)
    for name in ("qt", "window", "gl", "devices", "extras", "python"):
        assert name in found
