"""Read rows from any source, in any form."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.api.errors import InvalidArgumentError, UnusableSourceError
from airflow_provider_phonelink.api.text import clean, shown
from airflow_provider_phonelink.files.columns import rows_of
from airflow_provider_phonelink.files.documents import read_json, read_python, read_yaml
from airflow_provider_phonelink.files.sources import read_source, suffix_of
from airflow_provider_phonelink.files.tables import read_table

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_provider_phonelink.files.columns import Columns, Rows

_READERS = {
    ".yaml": read_yaml,
    ".yml": read_yaml,
    ".json": read_json,
    ".csv": read_table,
    ".tsv": read_table,
    ".txt": read_table,  # what spreadsheets call text: UTF-16, with tabs
}
SUFFIXES = tuple(_READERS)
#: How a document begins, as no path does: in brackets, or with an item, a key, a comment or the mark of YAML.
_DOCUMENT = re.compile(r"[\ufeff\s]*(?:[\[{]|-\s|[\w-]+:\s|(?:#|---).*[\r\n])")


def read_rows(
    source: Any,
    columns: Columns,
    *,
    argument: str,
    folder: str | Path | None = None,
    beginning: str | None = None,
) -> Rows:
    """
    Return rows. Problems of single rows are raised when the rows are used, by :meth:`Rows.each`.

    :param source: Plain data; a document as text in JSON, in Python's notation or in YAML, as a template may render it;
        or the location of a file whose name ends in one of :data:`SUFFIXES`: a path, a ``file://`` URL
        or a URL of object storage.
    :param columns: What the rows may contain.
    :param argument: The name of the argument, for messages.
    :param folder: Where a relative path starts; the working directory if there is none.
    :param beginning: What :func:`~airflow_provider_phonelink.files.sources.as_written` returned for a templated
        source.
    :raises InvalidArgumentError: If it is none of these, or cannot be read.
    :raises SourceUnavailableError: If object storage does not answer; a retry helps.
    """
    if not isinstance(source, str) and not hasattr(source, "open"):
        return rows_of(source, columns, argument)
    if isinstance(source, str) and _DOCUMENT.match(source):
        return _parsed(source, _read_text, columns, argument, "the text")
    reader = _READERS.get(suffix_of(str(source)))
    if reader is None:
        raise InvalidArgumentError(
            argument,
            f"{shown(str(source))} is neither a list nor the path of a file in {', '.join(SUFFIXES)}.",
        )
    text = read_source(source, argument=argument, folder=folder, beginning=beginning)
    return _parsed(text, reader, columns, argument, clean(source))


def _parsed(text: str, reader: Any, columns: Columns, argument: str, where: str) -> Rows:
    try:
        rows: Rows = reader(text, columns, argument=argument, where=where)
    except UnusableSourceError as error:
        raise InvalidArgumentError(argument, f"{where} {clean(error)}.") from None
    except ValueError as error:
        raise InvalidArgumentError(argument, f"{where} cannot be read: {clean(error)}.") from None
    return rows


def _read_text(text: str, columns: Columns, *, argument: str, where: str) -> Rows:
    """Read a document as a template renders it: as JSON, or as Python writes it; as YAML if it is neither."""
    text = text.lstrip("\ufeff")
    for read in (read_json, read_python):
        with suppress(ValueError):
            return read(text, columns, argument=argument, where=where)
    return read_yaml(text, columns, argument=argument, where=where)
