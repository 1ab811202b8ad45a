import signal

import pytest

from napari_channelmix.errors import BundleError
from napari_channelmix.jobs import Progress
from napari_channelmix.run.progress import run_job


def interrupted_in_a_library():
    yield Progress(0, 2, "reading")
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        # As a library's own reader does, when Ctrl-C falls into it.
        raise BundleError("the file is truncated") from None
    yield Progress(1, 2, "never")


def refused():
    yield Progress(0, 1, "reading")
    raise BundleError("the file is truncated")


def test_ctrl_c_that_a_library_made_its_own_error_of_is_still_ctrl_c():
    with pytest.raises(KeyboardInterrupt):
        run_job(interrupted_in_a_library(), title="reading", quiet=True)


def test_an_error_without_ctrl_c_stays_what_it_is():
    with pytest.raises(BundleError, match="truncated"):
        run_job(refused(), title="reading", quiet=True)


def long_one():
    for done in range(3):
        pace = {"cells per second": 1234.4}
        yield Progress(done, 4, f"step {done}", pace, note="dashboard: here")


def test_without_a_terminal_there_is_a_line_now_and_then(monkeypatch, capsys):
    monkeypatch.setattr("napari_channelmix.run.progress.EVERY", 0.0)
    run_job(long_one(), title="predict")
    lines = capsys.readouterr().err.splitlines()

    # The address stands there once.
    assert lines[0] == "predict: dashboard: here"
    assert [line.split(", about")[0] for line in lines[1:]] == [
        f"predict: {25 * step} %, step {step}, 1,234 cells/s" for step in range(3)
    ]


def test_lines_are_half_a_minute_apart(capsys):
    run_job(long_one(), title="predict")
    assert capsys.readouterr().err == "predict: dashboard: here\n"


def test_quiet_is_quiet_without_a_terminal_too(monkeypatch, capsys):
    monkeypatch.setattr("napari_channelmix.run.progress.EVERY", 0.0)
    run_job(long_one(), title="predict", quiet=True)
    assert not capsys.readouterr().err
