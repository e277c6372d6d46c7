"""Write a file whole or not at all, and write to what is no file without replacing it."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """
    Write a file in one step, so that nobody reads half of it and what was there is lost only to what is whole.

    A symbolic link stays: what it leads to is written. A FIFO, a device or a standard stream is written to.

    :raises OSError: If it cannot be written; then a file that was there has its old content.
    :raises ValueError: If it is no path, such as one with a zero in it.
    """
    try:
        there = path.stat()
    except FileNotFoundError:
        there = None
    target = path.resolve()
    stream = next((fd for fd in (1, 2) if there and _is_open_as(fd, there)), None)
    if stream is not None:
        # Opened anew, a file that a stream goes to would be overwritten from its beginning.
        with os.fdopen(os.dup(stream), "wb") as file:
            file.write(content)
    elif there and not (stat.S_ISREG(there.st_mode) and _is_at(target, there)):
        with path.open("wb") as file:
            file.write(content)
    else:
        _replace(target, content, there)


def _replace(target: Path, content: bytes, there: os.stat_result | None) -> None:
    if there and not os.access(target, os.W_OK):
        raise PermissionError(
            errno.EACCES, os.strerror(errno.EACCES)
        )  # though its folder could be written to
    # Not made of the file's name, which may be as long as names can be; and two tasks may write at once.
    beside = target.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as file:
            if there:
                with suppress(OSError):  # only an administrator can keep another owner
                    os.chown(beside, there.st_uid, there.st_gid)
                beside.chmod(stat.S_IMODE(there.st_mode))
            file.write(content)
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _is_open_as(fd: int, there: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), there)
    except OSError:  # a daemon may have closed it
        return False


def _is_at(target: Path, there: os.stat_result) -> bool:
    """Return whether a path leads to a file: a link of /proc leads to files that have no path any more, too."""
    try:
        return os.path.samestat(target.stat(), there)
    except OSError:
        return False
