"""A file is written whole or not at all, and what is no file is written to."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Thread

import pytest

from airflow_provider_phonelink.files.whole import write_whole


def test_a_file_keeps_its_links_and_its_mode(tmp_path) -> None:
    real, link = tmp_path / "real.json", tmp_path / "plan.json"
    real.write_text("old")
    real.chmod(0o640)
    (tmp_path / "between.json").symlink_to(real)
    link.symlink_to("between.json")
    write_whole(link, b"new")
    assert (real.read_text(), real.stat().st_mode & 0o777) == ("new", 0o640)
    assert link.is_symlink()
    assert link.readlink() == Path("between.json")
    assert len([*tmp_path.iterdir()]) == 3


def test_a_link_to_a_file_that_is_not_there_yet(tmp_path) -> None:
    (tmp_path / "plan.json").symlink_to("later.json")
    write_whole(tmp_path / "plan.json", b"new")
    assert (tmp_path / "plan.json").is_symlink()
    assert (tmp_path / "later.json").read_bytes() == b"new"


@pytest.mark.parametrize("linked", [False, True])
def test_a_pipe_is_written_to(tmp_path, linked) -> None:
    pipe = path = tmp_path / "pipe"
    os.mkfifo(pipe)
    if linked:
        path = tmp_path / "plan.json"
        path.symlink_to(pipe)
    read: list[bytes] = []
    reader = Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_whole(path, b"new")
    reader.join(120)
    assert read == [b"new"]
    assert pipe.is_fifo()


def test_a_link_to_an_open_stream(tmp_path) -> None:
    """As ``/dev/stdout`` is one: to a pipe, and to a file, of which nothing that is there already is lost."""
    out, to = os.pipe()
    (tmp_path / "stream").symlink_to(f"/proc/self/fd/{to}")
    write_whole(tmp_path / "stream", b"new")
    os.close(to)
    with os.fdopen(out, "rb") as reader:
        assert reader.read() == b"new"
    assert (tmp_path / "stream").is_symlink()


def test_the_standard_output_that_goes_to_a_file(tmp_path, capfd) -> None:
    (tmp_path / "stream").symlink_to("/proc/self/fd/1")
    os.write(1, b"before ")
    write_whole(tmp_path / "stream", b"new")
    os.write(1, b" after")
    assert capfd.readouterr().out == "before new after"


@pytest.mark.parametrize("length", [250, 253, 255])
def test_a_name_as_long_as_names_can_be(tmp_path, length) -> None:
    write_whole(tmp_path / ("x" * length), b"new")
    write_whole(tmp_path / ("x" * length), b"newer")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"newer"]


@pytest.mark.parametrize("name", ["x" * 256, "loop", "folder", "nowhere/x", "a\0b", "\ud800"])
def test_what_cannot_be_written(tmp_path, name) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "folder").mkdir()
    with pytest.raises((OSError, ValueError)):
        write_whole(tmp_path / name, b"new")
    assert {path.name for path in tmp_path.iterdir()} == {"loop", "folder"}


def test_nothing_stays_behind_when_it_fails(tmp_path, monkeypatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "plan.json").write_text("old")
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(tmp_path / "plan.json", b"new")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]
