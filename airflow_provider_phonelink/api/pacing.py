"""Keep the rate of requests to a vendor within what the connection and the vendor allow."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST_HOLD = 0.5
LONGEST_HOLD = 30.0
#: Seconds by which a sleep may end too early.
CLOCK_RESOLUTION = 0.001


class Pacer:
    """
    Tell each request how long to wait before it leaves; shared by all requests of a sender.

    Requests are spaced ``1 / requests_per_second`` apart. Every 429 holds all of them back, twice as long
    each time until one succeeds, so that a vendor in trouble meets fewer requests and not more.
    """

    def __init__(
        self, requests_per_second: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._spacing = 1 / requests_per_second if requests_per_second else 0.0
        self._clock = clock
        self._next_start = 0.0
        self._held_until = 0.0
        self._refusals = 0
        self._lock = threading.Lock()

    def delay(self) -> float:
        """Reserve the next start and return the seconds until it."""
        with self._lock:
            now = self._clock()
            start = max(now, self._next_start, self._held_until)
            self._next_start = start + self._spacing
            return start - now

    def still(self) -> float:
        """Return the seconds until a new start for a request that has waited, if a 429 came meanwhile; else none."""
        return self.delay() if self._clock() < self._held_until - CLOCK_RESOLUTION else 0.0

    def refused(self, retry_after: float | None) -> None:
        """Hold everything back after a 429."""
        with self._lock:
            now = self._clock()
            hold = retry_after or 0.0
            if now >= self._held_until:  # one step per hold, however many requests it caught in flight
                hold = max(hold, min(FIRST_HOLD * 2**self._refusals, LONGEST_HOLD))
                self._refusals = min(self._refusals + 1, 10)
            self._held_until = max(self._held_until, now + hold)

    def served(self) -> None:
        """Forget earlier refusals: the vendor answers again."""
        self._refusals = 0
