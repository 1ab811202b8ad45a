"""Commands and options: the choices are those of the settings, and faults are one line."""

from typing import get_args

import pytest

from napari_channelmix.run import commands
from napari_channelmix.run.parser import parser
from napari_channelmix.settings import Device
from napari_channelmix.settings.model_output import OUTPUTS


def test_every_device_and_every_output_can_be_chosen():
    line = ["predict", "d.toml", "--model", "m.onnx", "--out", "folder"]
    for device in get_args(Device):
        assert parser().parse_args([*line, "--device", device]).device == device
    for output in OUTPUTS:
        assert parser().parse_args([*line, "--output", output]).output == output


def test_each_command_names_its_function():
    assert parser().parse_args(["doctor"]).run is commands.doctor
    args = parser().parse_args(["importance", "d.toml", "--out", "folder"])
    assert args.run is commands.importance


def test_a_fault_is_one_line_of_a_length_one_can_read(capsys):
    with pytest.raises(SystemExit) as end:
        parser().parse_args(["view", "d.toml", "x" * 1000])
    assert end.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and len(error) < 400
