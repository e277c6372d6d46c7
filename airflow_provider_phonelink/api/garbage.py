"""
Make many objects at once without Python's garbage collector looking at all of them again and again.

The collector runs after so many new objects, and goes through all of a process's objects now and then: reading a list
of ten thousand numbers beside Airflow's own objects takes two to three times as long with it as without.
"""

from __future__ import annotations

import gc
import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_lock = threading.RLock()
_pauses = 0
_was_enabled = False


@contextmanager
def uncollected() -> Iterator[None]:
    """
    Keep the collector of this process from running meanwhile, in whatever thread.

    It is for what makes much and throws away little, for some milliseconds. What is made is looked at afterwards.
    """
    global _pauses, _was_enabled
    with _lock:
        if not _pauses:
            _was_enabled = gc.isenabled()
        _pauses += 1
    try:
        gc.disable()
        yield
    finally:
        with _lock:
            _pauses -= 1
            if not _pauses and _was_enabled:
                gc.enable()


def _begin_anew() -> None:
    """Let a forked process collect: the threads that would end the pauses are not in it."""
    global _lock, _pauses
    if _pauses and _was_enabled:
        gc.enable()
    _lock, _pauses = threading.RLock(), 0


os.register_at_fork(after_in_child=_begin_anew)
