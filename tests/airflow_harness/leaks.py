"""Look for API keys in everything that a whole run of the tests logged and stored."""

from __future__ import annotations

import logging
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


def log_everything_to(path: Path) -> logging.Handler:
    """Write all that is logged in this process, tracebacks included, to a file."""
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(name)s %(message)s"))
    logging.getLogger().addHandler(handler)
    return handler


def leaks(folders: Iterable[Path], keys: Iterable[str]) -> list[str]:
    """
    Return the files below some folders in which one of the keys stands, with what stands around it.

    Airflow's databases are among them: connections are encrypted there, everything else is not.
    """
    needles = [key.encode() for key in keys]
    return [found for folder in folders for file in _files(folder) for found in _leaks_in(file, needles)]


def leaks_in_postgresql(url: str, keys: Iterable[str]) -> list[str]:
    """Return the tables of a PostgreSQL database in which one of the keys stands, in any column."""
    import psycopg2
    from psycopg2.sql import SQL, Identifier

    found = []
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("select tablename from pg_tables where schemaname = 'public'")
        for (table,) in cursor.fetchall():
            for key in keys:
                cursor.execute(
                    SQL("select count(*) from {0} where position(%s in {0}::text) > 0").format(
                        Identifier(table)
                    ),
                    [key],
                )
                if cursor.fetchone() != (0,):
                    found.append(table)
    return found


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _leaks_in(file: Path, needles: Iterable[bytes]) -> Iterator[str]:
    content = file.read_bytes()
    for needle in needles:
        if (position := content.find(needle)) >= 0:
            around = content[max(0, position - 80) : position + len(needle)].decode("utf-8", "replace")
            yield f"{file.name}: ...{around}"
