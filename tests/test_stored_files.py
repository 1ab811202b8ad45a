"""Files of our own are read with care: bounded, checked, and refused in one line."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from napari_channelmix.errors import ConfigError, DataError
from napari_channelmix.stored_files import (
    DEPTH,
    Stored,
    parsed_json,
    read_content,
    read_json,
    read_text,
    read_toml,
)


class Small(Stored):
    """For the tests."""

    name: str
    counts: tuple[int, ...] = ()


def refused(path: Path, **how: object) -> str:
    with pytest.raises(DataError) as caught:
        read_json(path, Small, **how)
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 600
    return text


def test_a_file_is_read_as_its_schema_has_it_and_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('\ufeff{"name": "ü", "counts": [1, 2], "more": {"of": "it"}}', "utf-8")
    assert read_json(path, Small) == Small(name="ü", counts=(1, 2))
    assert read_content(path, Small)["more"] == {"of": "it"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not JSON: Expecting value"),
        ("[1]", "holds a list where keys with values belong"),
        ("null", "holds null where"),
        ("{}", "name is missing; make it anew"),
        ('{"name": 3}', "name: input should be a valid string, not 3"),
        ('{"name": "a", "counts": ["x"]}', "counts.0: input should be a valid integer"),
        ('{"name": "a", "counts": [NaN]}', "NaN is no number of JSON"),
        ('{"name": "a", "counts": [-Infinity]}', "-Infinity is no number of JSON"),
        ('{"name": "a", "counts": [1e999]}', "the number 1e999 is too large"),
        ('{"name": "a", "name": "b"}', "the key 'name' stands there twice"),
        (r'{"name": "\ud800"}', "half a surrogate pair"),
        ('{"name": "' + "x" * 200 + '"', "not JSON"),
        ('{"name": [' + "9" * 5000 + "]}", "not JSON"),
        ("[" * 100_000 + "]" * 100_000, f"nested more than {DEPTH} deep"),
        ('{"a":' * 100_000, f"nested more than {DEPTH} deep"),
        ('{"name": ' + "[" * 70 + '"]"' + "]" * 70 + "}", f"nested more than {DEPTH} deep"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text, "utf-8")
    said = refused(path, advice="make it anew")
    assert said.startswith(f"{path}: ")
    assert says in said


def test_brackets_within_text_nest_nothing() -> None:
    for text in ("[" * 500, '"' + "{" * 500, "\\" + "[" * 500, "\\\\" * 9 + '"[' * 300):
        assert parsed_json(json.dumps({"name": text})) == {"name": text}


def test_whole_surrogate_pairs_are_text() -> None:
    assert parsed_json(r'{"name": "\ud83d\ude00"}') == {"name": "😀"}


def test_the_type_of_error_is_the_callers(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        read_json(tmp_path / "gone.json", Small, error=ConfigError)


def test_other_encodings_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes('{"name": "ü"}'.encode("utf-16"))
    assert "its text is not UTF-8; save it as UTF-8" in refused(path)
    path.write_bytes('{"name": "ü"}'.encode("cp1252"))
    assert "its text is not UTF-8; save it as UTF-8" in refused(path)


def test_pipes_devices_folders_and_odd_names_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    start = time.monotonic()
    assert "a pipe or a device" in refused(tmp_path / "pipe")
    assert "a pipe or a device" in refused(Path("/dev/zero"))
    assert "it is a folder" in refused(tmp_path / "folder")
    assert "File name too long" in refused(tmp_path / ("a" * 300))
    assert "it holds a NUL character" in refused(Path("a\0b"))
    assert "no such file" in refused(tmp_path / "\udcff")
    assert time.monotonic() - start < 2


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with path.open("wb") as file:
        file.truncate(300 * 2**20)
    assert "too large (300 MiB" in refused(path)
    with pytest.raises(DataError, match="too large"):
        read_text("/proc/self/maps", most=10)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a = " + "[" * 5000, "nested more than 64 deep"),
        ("a = " + "{a=" * 5000, "nested more than 64 deep"),
        (".".join("a" * 100) + " = 1", "a key of more than 64 parts"),
        ("[" + ".".join('"a"' for _ in range(100)) + "]", "a key of more than 64 parts"),
        ("a = 1\na = 2", "Cannot overwrite a value"),
        ("a = " + "9" * 5000, "not TOML"),
    ],
)
def test_toml_is_bounded_as_well(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "a.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(DataError, match=says) as caught:
        read_toml(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


def test_toml_may_hold_brackets_and_dots_in_text_and_comments(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    odd = "[" * 99 + "a." * 99
    path.write_text(f'a = "{odd}"\nb = \'{odd}\' # {odd}\nc = """{odd}\n""\\"{odd}"""\n', "utf-8")
    assert read_toml(path)["b"] == odd


@pytest.mark.parametrize(
    "text",
    [
        "a" * 10**6,
        '"' * 999_999,
        '"\\' * 400_000,
        '"""\\' * 200_000,
        "'''a" * 200_000,
        "a." * 400_000,
        "#" * 10**6 + "\na",
        '"a". ' * 200_000,
        "[" * 10**6,
        "a = '" * 200_000,
    ],
)
def test_no_text_keeps_the_reader_busy(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.toml"
    path.write_text(text, "utf-8")
    start = time.monotonic()
    for read in (lambda: read_toml(path), lambda: read_json(path, Small)):
        with pytest.raises(DataError):
            read()
    assert time.monotonic() - start < 5
