"""Routes in files and in text: YAML, JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.api.errors import InvalidArgumentError
from airflow_provider_phonelink.api.text import clean, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SUFFIXES = (".yaml", ".yml", ".json", ".csv")
#: The columns of a file that is written here.
COLUMNS = ("number", "agent_id", "mode")


def read_routes(source: object, folder: str | Path | None = None) -> Any:
    """
    Return routes as plain data, unchecked.

    :param source: Plain data, which is returned as it is; the path of a file that ends in ``.yaml``, ``.yml``,
        ``.json`` or ``.csv``; or a list written out as text in YAML or JSON, as a template may give it.
    :param folder: Where a relative path begins; the working directory if there is none.
    :raises InvalidArgumentError: If there is no such file, or what it has in it is no list of routes.
    """
    if isinstance(source, Path):
        source = str(source)
    if not isinstance(source, str):
        return source
    if source.lstrip().startswith("["):
        return _parsed(source, ".yaml", "the text")
    suffix = Path(source).suffix.lower()
    if suffix not in SUFFIXES:
        raise InvalidArgumentError(
            "routes",
            f"{shown(source)} is neither a list nor the path of a file in {', '.join(SUFFIXES)}.",
        )
    path = Path(folder or "") / source
    try:
        text = path.read_text(encoding="utf-8-sig")  # with or without the mark that spreadsheets write
    except (OSError, ValueError) as error:
        raise InvalidArgumentError("routes", f"{clean(path)} cannot be read ({_reason(error)}).") from None
    return _parsed(text, suffix, clean(path))


def write_routes(routes: Sequence[Mapping[str, str]], form: str) -> str:
    """
    Return routes as the text of a file.

    :param form: ``yaml``, ``json`` or ``csv``.
    """
    rows = [{column: route[column] for column in COLUMNS} for route in routes]
    if form == "json":
        return json.dumps(rows, indent=2) + "\n"
    if form == "csv":
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()
    import yaml

    dumped: str = yaml.safe_dump(rows, sort_keys=False, allow_unicode=True)
    return dumped


def _parsed(text: str, suffix: str, where: str) -> Any:
    parsers: dict[str, Callable[[str], Any]] = {".csv": _csv, ".json": json.loads}
    parse = parsers.get(suffix, _yaml)
    try:
        found = parse(text)
    except (ValueError, RecursionError) as error:
        raise InvalidArgumentError("routes", f"{where} cannot be read ({_reason(error)}).") from None
    if isinstance(found, dict) and found.keys() == {"routes"}:
        found = found["routes"]
    if not isinstance(found, list):
        raise InvalidArgumentError(
            "routes", f"{where} has no list of routes in it; write [] if none are meant."
        )
    return found


def _csv(text: str) -> list[dict[str, Any]]:
    reader = csv.DictReader(io.StringIO(text), strict=True)
    try:
        columns = reader.fieldnames or []
        if len(set(columns)) < len(columns):
            raise ValueError("a column is there twice")
        rows = list(reader)
    except csv.Error as error:
        raise ValueError(str(error)) from None
    if any(None in row for row in rows):
        raise ValueError("a row has more cells than there are columns")
    if not columns:
        raise ValueError("the line with the names of the columns is missing")
    return rows


def _yaml(text: str) -> Any:
    import yaml

    try:
        # All scalars as text: YAML takes +15550100001 for a number and 0155 for an octal one.
        return yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - it makes nothing but text, lists and dicts
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None


def _reason(error: Exception) -> str:
    return clean(getattr(error, "strerror", None) or error or type(error).__name__)
