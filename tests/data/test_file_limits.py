"""Only regular files are opened, and what a file may claim is bounded."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from napari_channelmix.data.dataset import open_dataset
from napari_channelmix.data.file_limits import guarded, refuse_claim, refuse_special
from napari_channelmix.data.image_formats import open_image
from napari_channelmix.errors import DataError


@pytest.mark.timeout(20)
@pytest.mark.parametrize("suffix", [".tif", ".png", ".jpg", ".zarr", ""])
def test_a_pipe_a_device_a_socket_and_links_to_them_never_block(
    tmp_path: Path, suffix: str
) -> None:
    pipe, link, sock = (tmp_path / f"{name}{suffix}" for name in ("pipe", "link", "sock"))
    os.mkfifo(pipe)
    link.symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(sock))
        for path in (pipe, link, sock):
            with pytest.raises(DataError, match="is a pipe, device or socket, not a file"):
                open_image(path)


@pytest.mark.timeout(20)
def test_a_pipe_in_a_data_set_is_one_line_that_names_the_row(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.tif")
    (tmp_path / "t.csv").write_text("p\na.tif\n")
    path = tmp_path / "d.toml"
    path.write_text('name = "x"\ntable = "t.csv"\n[channels]\nA = "p"\n')
    with pytest.raises(DataError, match=r"t\.csv, line 2, column 'p': .*is a pipe"):
        open_dataset(path)


def test_a_folder_a_loop_of_links_and_an_impossible_name_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.tif").mkdir()
    with pytest.raises(DataError, match="is a folder, neither an image file nor an OME-Zarr"):
        open_image(tmp_path / "a.tif")
    (tmp_path / "loop.tif").symlink_to(tmp_path / "loop.tif")
    for path in (tmp_path / "loop.tif", tmp_path / ("a" * 300 + ".tif"), Path("a\0b.tif")):
        with pytest.raises(DataError, match=r"cannot be read|no such file") as raised:
            open_image(path)
        assert len(str(raised.value)) < 300
        assert str(raised.value).isprintable()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_said_to_be_so(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(b"")
    path.chmod(0)
    with pytest.raises(DataError, match="no permission"):
        refuse_special(path)


def test_a_claim_is_held_against_the_bytes_only_where_it_is_large() -> None:
    mebibyte = 2**20
    refuse_claim(Path("a"), 256 * mebibyte, 1)
    refuse_claim(Path("a"), 300 * mebibyte, mebibyte)
    with pytest.raises(DataError, match=r"claims 314,572,800 bytes of pixels but holds 100,000"):
        refuse_claim(Path("a"), 300 * mebibyte, 100_000)


def test_what_a_reader_raises_is_one_short_line() -> None:
    def fail() -> None:
        raise KeyError("x" * 5000 + "\nsecond line")

    with pytest.raises(DataError) as raised:
        guarded(Path("a.tif"), fail)
    assert len(str(raised.value)) < 300
