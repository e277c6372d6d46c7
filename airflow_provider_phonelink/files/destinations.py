"""Write a report where people find it: to a file or any object storage that Airflow supports, as CSV or JSON."""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.api.errors import InvalidArgumentError, ReportError, UnusableSourceError
from airflow_provider_phonelink.api.text import as_text, clean, shown
from airflow_provider_phonelink.files.sources import (
    connect,
    local_path,
    reason_of,
    refuse_another_place,
    refuse_replacing,
    within,
)
from airflow_provider_phonelink.files.whole import write_whole
from airflow_provider_phonelink.files.writing import as_csv, as_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: What a report's name ends in.
SUFFIXES = (".csv", ".json")


class Destination:
    """
    A place for a report, checked before anything is done that it would tell of.

    :param location: A path, a ``file://`` URL or a URL of object storage; its end says in which form.
    :param argument: The name of the argument, for messages.
    :param folder: Where a relative path starts; the working directory if there is none.
    :param beginning: What :func:`~airflow_provider_phonelink.files.sources.as_written` returned. The report must be in
        the folder that this names, or in ``folder``.
    :param source: What the rows are read from, which no report replaces.
    :raises InvalidArgumentError: If no report can be written there.
    :raises SourceUnavailableError: If object storage does not answer.
    """

    def __init__(
        self,
        location: Any,
        *,
        argument: str,
        folder: str | Path | None = None,
        beginning: str | None = None,
        source: object = None,
    ) -> None:
        self.location = as_text(location)
        suffix = PurePath(self.location).suffix.lower()
        if suffix not in SUFFIXES:
            raise InvalidArgumentError(
                argument, f"{shown(self.location)} does not end in {' or '.join(SUFFIXES)}."
            )
        self._form = suffix
        self._path: Path | None = None
        try:
            refuse_replacing(self.location, source, folder)
            if (path := local_path(self.location)) is not None:
                resolved = within(path, folder, beginning)
                # Where any place is allowed, a link may lead to a stream, which has no path of its own.
                self._path = Path(folder or "", path) if beginning is None else resolved
                _refuse_no_file(self._path)
            else:
                refuse_another_place(self.location, beginning)
                connect(self.location)
        except UnusableSourceError as error:
            raise InvalidArgumentError(argument, f"{clean(self.location)} {error}.") from None

    def write(self, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
        """
        Write rows; a report that is there is replaced.

        :raises ReportError: If they cannot be written; a retry may help.
        """
        if self._form == ".csv":
            # Spreadsheets take a file without this mark for one in an encoding of their own.
            content = as_csv(rows, columns).encode("utf-8-sig", "backslashreplace")
        else:
            text = as_json([{column: row.get(column) for column in columns} for row in rows])
            content = text.encode("utf-8", "backslashreplace")
        try:
            if self._path is not None:
                write_whole(self._path, content)
            else:
                _store(self.location, content)
        except Exception as error:  # each kind of storage has errors of its own
            raise ReportError(
                f"The report {clean(self.location)} cannot be written ({reason_of(error)}). What it tells of is done; "
                "a retry writes the report and does nothing twice."
            ) from None


def _refuse_no_file(path: Path) -> None:
    try:
        checked, mode = path, path.stat().st_mode
    except FileNotFoundError:
        checked = path.resolve().parent
        if not checked.is_dir():
            raise UnusableSourceError("is in a folder that does not exist") from None
    except (OSError, ValueError) as error:  # no name of a file system, such as one that is too long
        raise UnusableSourceError(f"cannot be written ({reason_of(error)})") from None
    else:
        if stat.S_ISDIR(mode):
            raise UnusableSourceError("is a folder")
    if not os.access(checked, os.W_OK):
        raise UnusableSourceError("cannot be written (Permission denied)")


def _store(location: str, content: bytes) -> None:
    from airflow.sdk import ObjectStoragePath

    with ObjectStoragePath(location).open("wb") as file:
        file.write(content)
