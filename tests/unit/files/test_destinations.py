"""Where a report can go is decided before anything is done that it would tell of."""

from __future__ import annotations

import fsspec  # type: ignore[import-untyped]  # has no types of its own
import pytest
from airflow.sdk.io import attach

from airflow_provider_phonelink.api.errors import InvalidArgumentError
from airflow_provider_phonelink.files.destinations import Destination

ROWS = [{"number": "+1"}]


@pytest.mark.parametrize("folder", ["a#b", "q?x", "r.csv#x", "%41"])
def test_a_folder_may_have_any_name(tmp_path, folder) -> None:
    (tmp_path / folder).mkdir()
    Destination(f"{tmp_path}/{folder}/r.json", argument="report").write(ROWS, ("number",))
    assert [path.name for path in (tmp_path / folder).iterdir()] == ["r.json"]


@pytest.mark.parametrize(
    ("location", "problem"),
    [
        ("{}/r.csv#x", "does not end in .csv or .json"),
        ("{}/r.csv?x", "does not end in .csv or .json"),
        ("s3://bucket/r.csv?x", "does not end in .csv or .json"),
        ("{}/folder.csv", "is a folder"),
        ("{}/nowhere/r.csv", "is in a folder that does not exist"),
        ("{}/\ud800.csv", "cannot be"),
        ("{}/a\0b.csv", "cannot be"),
        ("{}/" + 255 * "x" + ".csv", "cannot be written (File name too long)"),
        ("s3://[bad/r.csv", "cannot be written (Invalid IPv6 URL)"),
        ("file://[bad/r.csv", "is on another host"),
        ("s3://\u2100/r.csv", "cannot be written"),
        ("s3:///r.csv", "cannot be written (No filesystem registered for scheme s3)"),
        ("nothing://bucket/r.csv", "cannot be written ("),
    ],
)
def test_what_no_report_can_go_to(tmp_path, location, problem) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InvalidArgumentError) as caught:
        Destination(location.format(tmp_path), argument="report")
    assert problem in str(caught.value)


def test_object_storage() -> None:
    storage = fsspec.filesystem("memory")
    attach("memory", conn_id="elsewhere", fs=storage)
    Destination("memory://elsewhere@bucket/a#b/r.csv", argument="report").write(ROWS, ("number",))
    assert storage.cat("bucket/a#b/r.csv").decode("utf-8-sig") == "number\n'+1\n"


def test_what_a_link_leads_to_is_written(tmp_path) -> None:
    (tmp_path / "r.csv").symlink_to("real.csv")
    Destination("r.csv", argument="report", folder=tmp_path).write(ROWS, ("number",))
    assert (tmp_path / "r.csv").is_symlink()
    assert "+1" in (tmp_path / "real.csv").read_text()
    assert len([*tmp_path.iterdir()]) == 2


def test_what_is_read_is_not_replaced(tmp_path) -> None:
    (tmp_path / "numbers.csv").write_text("phone_number\n+1\n")
    (tmp_path / "same.csv").symlink_to("numbers.csv")
    source = tmp_path / "numbers.csv"
    for location in ("numbers.csv", "./numbers.csv", str(source), source.as_uri(), "same.csv"):
        for read in (str(source), source, "numbers.csv"):
            with pytest.raises(InvalidArgumentError, match="is what is read, and would be replaced"):
                Destination(location, argument="report", folder=tmp_path, source=read)
    for other in (None, "- {phone_number: '+1'}", "none.csv", "nothing://bucket/numbers.csv"):
        Destination("numbers.csv", argument="report", folder=tmp_path, source=other)
    attach("memory", fs=fsspec.filesystem("memory"))
    with pytest.raises(InvalidArgumentError, match="is what is read"):
        Destination("memory://a/r.csv", argument="report", source="memory://a/r.csv")
