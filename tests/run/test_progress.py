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
