"""Where rows come from: a file, a file in a zip file beside a DAG, or any object storage that Airflow supports."""

from __future__ import annotations

import json
import re
import zipfile
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from airflow_provider_phonelink.api.errors import (
    InvalidArgumentError,
    SourceUnavailableError,
    UnusableSourceError,
)
from airflow_provider_phonelink.api.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

#: The most bytes that are read of a file; 50,000 routes take fewer.
LARGEST = 5 * 2**20
_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_LINE_END = re.compile(rb"\r\n|\r|\n")
#: How files begin that people rename instead of saving them as text.
_NO_TEXT = {
    b"PK\x03\x04": "a workbook or another zip file",
    b"\xd0\xcf\x11\xe0": "a workbook of an old spreadsheet",
    b"\x1f\x8b": "a compressed file",
    b"%PDF-": "a PDF file",
}
_MARKS = ("{{", "{%", "{#")
#: What reading from object storage raises if a retry cannot help.
_FINAL = (
    FileNotFoundError,
    PermissionError,
    IsADirectoryError,
    NotADirectoryError,
    ImportError,
    ValueError,
    TypeError,
)


def as_written(source: object) -> str | None:
    """
    Return the part of a location that the author of the DAG wrote, before the first template.

    :param source: The argument before it is rendered.
    :return: None if the whole location is in the DAG, so that any place is allowed; otherwise the text before the first
        template, which is empty if another task provides the whole location.
    """
    if not isinstance(source, str):
        return None if hasattr(source, "open") else ""
    starts = [position for mark in _MARKS if (position := source.find(mark)) >= 0]
    return source[: min(starts)] if starts else None


def read_source(
    source: Any, *, argument: str, folder: str | Path | None = None, beginning: str | None = None
) -> str:
    """
    Return the text of a file.

    :param source: A path, a ``file://`` URL, a URL of object storage, or a path object of either kind.
    :param folder: Where a relative path starts; the working directory if there is none.
    :param beginning: What :func:`as_written` returned. The file must be in the folder that this names, or in
        ``folder``.
    :raises InvalidArgumentError: If the file does not exist, is in another folder, is too large, or is not text.
    :raises SourceUnavailableError: If object storage does not answer.
    """
    try:
        if isinstance(source, (str, Path)) and (path := local_path(str(source))) is not None:
            return decoded(_read_local(within(path, folder, beginning)))
        refuse_another_place(str(source), beginning)
        return decoded(_read_stored(source))
    except UnusableSourceError as error:
        raise InvalidArgumentError(argument, f"{clean(source)} {error}.") from None


def suffix_of(source: str) -> str:
    """Return what the name of a file ends in, in lower case; of a URL, without a query such as ``?versionId=...``."""
    name = source.rpartition("/")[2]
    return PurePath(re.sub(r"[?#].*", "", name) if _URL.match(source) else name).suffix.lower()


def local_path(source: str) -> str | None:
    """Return the path of a path or a ``file://`` URL; None for any other URL."""
    if not _URL.match(source):
        return source
    scheme, _, rest = source.partition("://")
    if scheme.lower() != "file":
        return None
    host, slash, path = rest.partition("/")
    if host not in ("", "localhost"):
        raise UnusableSourceError("is on another host; a file:// URL has three slashes")
    return unquote(slash + path)


def within(path: str, folder: str | Path | None, beginning: str | None) -> Path:
    """Return a path without symbolic links; refuse it if a template leads out of the allowed folder."""
    try:
        found = (Path(folder or "") / path).resolve()
        if beginning is None:
            return found
        head, slash, _ = (local_path(beginning) or "").rpartition("/")
        allowed = (Path(folder or "") / (head + slash)).resolve()
    except (OSError, ValueError, RuntimeError) as error:  # a name too long, a zero in it, links in a circle
        raise UnusableSourceError(f"cannot be read ({reason_of(error)})") from None
    if not found.is_relative_to(allowed):
        raise UnusableSourceError(
            "is outside of the folder that the DAG names: what a template fills in cannot lead out of it"
        )
    return found


def refuse_another_place(url: str, beginning: str | None) -> None:
    """Refuse a URL if a template chooses more than what follows a bucket and a folder in it."""
    if beginning is None:
        return
    place = beginning.rpartition("/")[0] + "/"
    if "/" not in place.partition("://")[2] or not url.startswith(place):
        raise UnusableSourceError(
            "is not in a place that the DAG names: write at least the bucket before the template"
        )
    if {".", ".."} & set(re.split(r"[/\\]", unquote(url[len(place) :]))):
        raise UnusableSourceError("is outside of the folder that the DAG names")


def refuse_replacing(location: str, source: object, folder: str | Path | None = None) -> None:
    """
    Refuse a place to write to that is the one that was read: what people handed in may be nowhere else.

    :param source: What was read: a path or a URL, or data, which has no place.
    :raises UnusableSourceError: If it is the same place.
    """
    if isinstance(source, (str, Path)) and _is_same_place(location, str(source), Path(folder or "")):
        raise UnusableSourceError("is what is read, and would be replaced; name another file")


def _is_same_place(first: str, second: str, folder: Path) -> bool:
    try:
        paths = local_path(first), local_path(second)
        if paths[0] is None or paths[1] is None:
            return first == second
        return (folder / paths[0]).samefile(folder / paths[1])
    except (OSError, ValueError, RuntimeError, UnusableSourceError):  # one of them is no file
        return False


def _read_local(path: Path) -> bytes:
    try:
        if path.is_file():
            with path.open("rb") as file:
                return _bounded(file)
        archive = next((parent for parent in path.parents if parent.is_file()), None)
        if archive is not None:
            with (
                zipfile.ZipFile(archive) as zipped,
                zipped.open(path.relative_to(archive).as_posix()) as member,
            ):
                return _bounded(member)
    except UnusableSourceError:
        raise
    except KeyError:
        raise UnusableSourceError("cannot be read (there is no such file in the zip file)") from None
    except Exception as error:  # damaged zip files raise what they like
        raise UnusableSourceError(f"cannot be read ({reason_of(error)})") from None
    if path.is_dir():
        raise UnusableSourceError("cannot be read (Is a directory)")
    raise UnusableSourceError("is no file" if path.exists() else "cannot be read (No such file or directory)")


def _read_stored(source: Any) -> bytes:
    from airflow.sdk import ObjectStoragePath

    with _storage_errors(source, "read"):
        opened = (ObjectStoragePath(source) if isinstance(source, str) else source).open("rb")
        with opened as file:
            return _bounded(file)


def connect(url: str) -> None:
    """
    Find the object storage of a URL and its connection, before there is anything to write.

    :raises UnusableSourceError: If there is no such storage, as its provider is not installed.
    :raises SourceUnavailableError: If it does not answer.
    """
    from airflow.sdk import ObjectStoragePath

    with _storage_errors(url, "written"):
        _ = ObjectStoragePath(url).fs


@contextmanager
def _storage_errors(source: Any, done: str) -> Iterator[None]:
    try:
        yield
    except UnusableSourceError:
        raise
    except _FINAL as error:
        raise UnusableSourceError(f"cannot be {done} ({reason_of(error)})") from None
    except Exception as error:  # each kind of storage has errors of its own
        raise SourceUnavailableError(f"{clean(source)} cannot be {done} ({reason_of(error)}).") from None


def _bounded(file: IO[bytes]) -> bytes:
    content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise UnusableSourceError(f"is larger than {LARGEST // 2**20} MiB")
    return content


def decoded(content: bytes) -> str:
    """
    Return text in UTF-8 or UTF-16, with or without a byte order mark.

    :raises UnusableSourceError: If it is text in neither.
    """
    kind = next((kind for beginning, kind in _NO_TEXT.items() if content.startswith(beginning)), None)
    if kind:
        raise UnusableSourceError(
            f"cannot be read: it is {kind}, whatever its name; save it as text in UTF-8"
        )
    encoding = json.detect_encoding(content)
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = len(_LINE_END.findall(content[: error.start])) + 1
        name = encoding.removesuffix("-sig").upper()
        raise UnusableSourceError(
            f"cannot be read: it is not text in {name}, from line {line} on; save it as UTF-8"
        ) from None


def reason_of(error: Exception) -> str:
    """Return the operating system's reason, or the class of the error: other texts may quote keys and contents."""
    told = getattr(error, "strerror", None) or (
        str(error) if isinstance(error, (ImportError, ValueError)) else ""
    )
    return clean(told or type(error).__name__)
