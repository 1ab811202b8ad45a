from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from napari_channelmix.viewer.pages.latents.model_list import model_in, shipped_models

from ...latent_cases import tiny

SOURCE = Path(__file__).resolve().parents[4] / "src"


def test_the_shipped_models_are_those_of_the_room_below() -> None:
    from napari_channelmix.drl.store import load_disentangler, shipped

    found = shipped_models()
    assert {one.name for one in found} == set(shipped())
    assert found[0].name == "texture-sprites"
    for one in found:
        assert one.depth == load_disentangler(one.source).shape[0]


def test_models_are_listed_without_torch() -> None:
    script = (
        "import sys\n"
        "from napari_channelmix.viewer.pages.latents.model_list import shipped_models\n"
        "assert shipped_models()\n"
        "print('torch' in sys.modules)"
    )
    paths = os.pathsep.join([str(SOURCE), os.environ.get("PYTHONPATH", "")])
    answer = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert answer.stdout.strip() == "False"


def test_a_file_says_how_many_channels_it_wants(tmp_path: Path) -> None:
    from napari_channelmix.drl import save_disentangler

    for channels in (1, 3):
        path = save_disentangler(tiny(channels), tmp_path / f"{channels}.safetensors")
        assert model_in(path).depth == channels


def test_a_file_that_is_something_else_is_not_asked_further(tmp_path: Path) -> None:
    for content in (b"", b"nonsense that is long enough to have a length", b"\xff" * 64):
        path = tmp_path / "other.safetensors"
        path.write_bytes(content)
        assert model_in(path).depth is None
    assert model_in(tmp_path / "none.safetensors").depth is None
