"""Write rows and results so that terminals, spreadsheets and this package's reader keep them unchanged."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.api.text import is_unsafe
from airflow_provider_phonelink.files.cells import cell_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


def as_csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Return rows as a table; a list in a cell is written with commas, None as an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([cell_of(plain(row.get(column))) for column in columns] for row in rows)
    return text.getvalue()


def as_json(document: Any) -> str:
    """Return plain data as JSON in ASCII, which has no effect on a terminal."""
    return json.dumps(document, indent=2).replace("\x7f", "\\u007f") + "\n"


def as_yaml(document: Any) -> str:
    """Return plain data as YAML; if anything in it is invisible, everything that is not ASCII is escaped."""
    import yaml

    text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    if any(character != "\n" and is_unsafe(character) for character in text):
        text = yaml.safe_dump(document, sort_keys=False, allow_unicode=False)
    return text


def plain(value: Any) -> str:
    """Return a value as the text of a cell."""
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
