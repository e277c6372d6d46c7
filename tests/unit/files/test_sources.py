"""Where rows come from, and which places a template may choose."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import fsspec  # type: ignore[import-untyped]  # has no types of its own
import pytest
from airflow.sdk import ObjectStoragePath
from airflow.sdk.io import attach
from unit.files.reading import COLUMNS

from airflow_provider_phonelink.api.errors import InvalidArgumentError, SourceUnavailableError
from airflow_provider_phonelink.files import sources
from airflow_provider_phonelink.files.reading import read_rows
from airflow_provider_phonelink.files.sources import as_written

TEXT = "- {number: '+1', agent_id: a}\n"
ROWS = [{"number": "+1", "agent_id": "a"}]


def rows(source, folder=None, beginning=None):
    return read_rows(source, COLUMNS, argument="routes", folder=folder, beginning=beginning).each(dict)


def refused(source, folder=None, beginning=None):
    with pytest.raises(InvalidArgumentError) as caught:
        rows(source, folder, beginning)
    return str(caught.value)


@pytest.fixture
def folder(tmp_path):
    """A folder of DAGs with routes in it, beneath it and beside it."""
    for name in ("dags/r.yaml", "dags/sub/r.yaml", "other/r.yaml", "dags/a b.yaml"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(TEXT)
    return tmp_path / "dags"


def test_paths(folder, monkeypatch) -> None:
    for source in (
        "r.yaml",
        "./sub/r.yaml",
        "../other/r.yaml",
        folder / "r.yaml",
        str(folder / "r.yaml"),
        Path("sub/r.yaml"),
        f"file://{folder}/r.yaml",
        f"file://localhost{folder}/r.yaml",
        f"file://{folder}/a%20b.yaml",
        ObjectStoragePath(f"file://{folder}/r.yaml"),
    ):
        assert rows(source, folder) == ROWS, source
    monkeypatch.chdir(folder)
    assert rows("r.yaml") == ROWS


def test_beside_a_dag_in_a_zip_file(tmp_path) -> None:
    archive = tmp_path / "dags.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("r.yaml", TEXT)
        zipped.writestr("sub/r.csv", "number,agent_id\n+1,a\n")
    (tmp_path / "outside.yaml").write_text(TEXT)
    assert rows("r.yaml", archive) == rows("sub/r.csv", archive) == rows("../outside.yaml", archive) == ROWS
    assert rows("sub/r.csv", archive, "sub/") == ROWS
    assert "no such file in the zip file" in refused("none.yaml", archive)
    assert "outside of the folder" in refused("../outside.yaml", archive, "")


def test_a_zip_file_that_is_none(tmp_path) -> None:
    (tmp_path / "dags.zip").write_bytes(b"PK\x03\x04 damaged")
    assert "cannot be read" in refused("r.yaml", tmp_path / "dags.zip")


def test_a_member_that_unpacks_to_more_than_is_read(tmp_path, monkeypatch) -> None:
    with zipfile.ZipFile(tmp_path / "dags.zip", "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("r.yaml", "#" * (sources.LARGEST + 1))
    assert "is larger than 5 MiB" in refused("r.yaml", tmp_path / "dags.zip")


def test_object_storage_with_its_connection_in_the_url() -> None:
    storage = fsspec.filesystem("memory")
    storage.pipe("bucket/routes/r.yaml", TEXT.encode())
    attach("s3", conn_id="aws", fs=storage)
    assert rows("s3://aws@bucket/routes/r.yaml") == ROWS
    assert rows("s3://aws@bucket/routes/r.yaml", None, "s3://aws@bucket/routes/r") == ROWS
    assert rows(ObjectStoragePath("s3://bucket/routes/r.yaml", conn_id="aws")) == ROWS
    assert "cannot be read" in refused("s3://aws@bucket/routes/none.yaml")


def test_object_storage_that_airflow_does_not_know() -> None:
    assert "cannot be read" in refused("nothing://bucket/r.yaml")


def test_a_url_that_is_none() -> None:
    assert "cannot be read (Invalid IPv6 URL)" in refused("s3://[bad/r.yaml")
    assert "is on another host" in refused("file://[bad/r.yaml")
    assert "cannot be read" in refused("s3://\u2100/r.yaml")


@pytest.mark.parametrize("name", ["a#b/r.yaml", "q?x/r.yaml", "r.csv?/r.YAML"])
def test_a_folder_may_have_any_name(tmp_path, name) -> None:
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_text(TEXT)
    assert rows(name, tmp_path) == ROWS


class Stored:
    """A path of object storage whose reads fail."""

    def __init__(self, error):
        self.error = error

    def __str__(self):
        return "s3://aws@bucket/r.yaml"

    def open(self, mode):
        raise self.error


def test_storage_that_does_not_answer_is_tried_again() -> None:
    for error in (TimeoutError("hunter2"), OSError(5, "Input/output error"), RuntimeError("hunter2")):
        with pytest.raises(SourceUnavailableError) as caught:
            rows(Stored(error))
        assert caught.value.retry_helps
        assert "hunter2" not in str(caught.value)
    for final in (
        FileNotFoundError(2, "No such file"),
        PermissionError(13, "Denied"),
        ImportError("Install s3fs"),
    ):
        assert "s3://aws@bucket/r.yaml cannot be read" in refused(Stored(final))


def test_what_is_no_file(folder) -> None:
    os.mkfifo(folder / "pipe.yaml")
    (folder / "folder.yaml").mkdir()
    (folder / "loop.yaml").symlink_to("loop.yaml")
    (folder / "large.yaml").write_bytes(b"#" * (sources.LARGEST + 1))
    (folder / "renamed.csv").write_bytes(b"PK\x03\x04\x14\0")
    (folder / "old.csv").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1")
    (folder / "packed.csv").write_bytes(b"\x1f\x8b\x08")
    (folder / "printed.csv").write_bytes(b"%PDF-1.7")
    (folder / "latin-1.csv").write_bytes("number\r1\rä".encode("latin-1"))
    for name, said in {
        "pipe.yaml": "is no file",
        "folder.yaml": "cannot be read (Is a directory)",
        "none.yaml": "No such file",
        "loop.yaml": "cannot be read",
        "large.yaml": "larger than",
        "renamed.csv": "it is a workbook or another zip file, whatever its name; save it as text in UTF-8",
        "old.csv": "a workbook of an old spreadsheet",
        "packed.csv": "a compressed file",
        "printed.csv": "a PDF file",
        "latin-1.csv": "not text in UTF-8, from line 3 on",
        "\x00.yaml": "cannot be read",
        "x" * 5000 + ".yaml": "cannot be read",
        "file://elsewhere/r.yaml": "another host",
        "r.xlsx": "neither a list nor the path",
        "routes": "neither a list nor the path",
        "": "neither a list nor the path",
    }.items():
        assert said in refused(name, folder)


@pytest.mark.parametrize(
    ("template", "beginning"),
    [
        ("r.yaml", None),
        ("/data/r.yaml", None),
        (Path("r.yaml"), None),
        (ObjectStoragePath("s3://bucket/r.yaml"), None),
        ("{{ params.file }}", ""),
        ("/data/{{ ds }}.yaml", "/data/"),
        ("s3://bucket/{% if x %}a{% endif %}.yaml", "s3://bucket/"),
        ("a{# b #}.yaml", "a"),
        (object(), ""),
    ],
)
def test_as_written(template, beginning) -> None:
    assert as_written(template) == beginning


def test_what_a_template_may_choose(folder) -> None:
    (folder / "link.yaml").symlink_to(folder / "sub/r.yaml")
    parent = str(folder.parent)
    for source, beginning in (
        ("r.yaml", ""),
        ("sub/r.yaml", ""),
        ("sub/../r.yaml", ""),
        ("link.yaml", ""),
        (f"{folder}/r.yaml", ""),
        (f"file://{folder}/r.yaml", ""),
        ("sub/r.yaml", "sub/"),
        (f"{parent}/other/r.yaml", f"{parent}/other/"),
        (f"{parent}/other/r.yaml", f"{parent}/other/r"),
        ("../other/r.yaml", "../other/"),
        (f"file://{parent}/other/r.yaml", f"file://{parent}/other/"),
    ):
        assert rows(source, folder, beginning) == ROWS, (source, beginning)


def test_what_a_template_may_not_choose(folder) -> None:
    (folder / "leads.yaml").symlink_to(folder.parent / "other/r.yaml")
    parent = str(folder.parent)
    for source, beginning in (
        ("../other/r.yaml", ""),
        ("sub/../../other/r.yaml", ""),
        ("leads.yaml", ""),
        (f"{parent}/other/r.yaml", ""),
        ("/etc/r.yaml", ""),
        (f"file://{parent}/other/r.yaml", ""),
        (f"file://{parent}/dags/%2e%2e/other/r.yaml", ""),
        ("sub/../r.yaml", "sub/"),
        (f"{parent}/other/../dags/r.yaml", f"{parent}/other/"),
        ("s3://bucket/r.yaml", ""),
        ("s3://bucket/r.yaml", "s3://"),
        ("s3://bucket/r.yaml", "s3://buck"),
        ("s3://bucket/a/../r.yaml", "s3://bucket/a/"),
        ("s3://bucket/a/%2E%2e/r.yaml", "s3://bucket/a/"),
        ("s3://bucket/a/..\\r.yaml", "s3://bucket/a/"),
        (ObjectStoragePath("s3://bucket/r.yaml"), ""),
    ):
        told = refused(source, folder, beginning)
        assert "outside of the folder" in told or "not in a place that the DAG names" in told, (source, told)
