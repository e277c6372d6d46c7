"""Progress of a task with many numbers, in its log."""

from __future__ import annotations

import time
from collections import Counter
from threading import Lock
from typing import Any

#: Seconds between two log lines.
INTERVAL = 5.0


class Progress:
    """
    Counts what is done, and logs the counts every few seconds. It may be told from several threads.

    :param log: The task's log.
    :param total: How many numbers there are.
    """

    def __init__(self, log: Any, total: int) -> None:
        self._log = log
        self._total = total
        self._counts: Counter[str] = Counter()
        self._told = time.monotonic()
        self._lock = Lock()

    def count(self, step: str) -> None:
        """Count a number for which a step is done, or has ``failed``."""
        with self._lock:
            self._counts[step] += 1
            if time.monotonic() - self._told < INTERVAL:
                return
            self._told = time.monotonic()
        self.tell()

    def tell(self) -> None:
        """Log the counts, if there are any."""
        if self._counts:
            counts = ", ".join(f"{count} {step}" for step, count in sorted(self._counts.items()))
            self._log.info("%d numbers; so far: %s", self._total, counts)
