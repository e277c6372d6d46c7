"""Columns to read by, and a way to read a text as a file."""

from __future__ import annotations

from typing import Any

from airflow_provider_phonelink.files.columns import Columns
from airflow_provider_phonelink.files.reading import read_rows

COLUMNS = Columns(
    "route",
    required=(("number", "phone_number"), ("agent_id",)),
    optional=("mode", "comment"),
    extra=("team",),
)


def rows(folder: Any, name: str, content: str | bytes, columns: Columns = COLUMNS) -> list[dict[str, Any]]:
    """What the rows of a file say, with their extras."""
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    read = read_rows(name, columns, argument="routes", folder=folder)
    return read.each(lambda row: {**row, **row.extra})
