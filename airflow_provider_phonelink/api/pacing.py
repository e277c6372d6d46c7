"""Keep the rate of requests within what the connection and the vendor allow."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST_HOLD = 0.5
LONGEST_HOLD = 30.0
#: A sleep may end this many seconds early.
CLOCK_RESOLUTION = 0.001


class Pacer:
    """
    Tells each request how long to wait before it is sent. All requests of a sender share one pacer.

    Requests are spaced ``1 / requests_per_second`` apart. Each 429 holds all of them back, twice as long
    each time until one succeeds, so that an overloaded vendor gets fewer requests, not more.
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
        """Return how many seconds more a request that has waited must wait, because of a 429 in the meantime."""
        return self.delay() if self._clock() < self._held_until - CLOCK_RESOLUTION else 0.0

    def refused(self, retry_after: float | None) -> None:
        """Hold all requests back after a 429."""
        with self._lock:
            now = self._clock()
            hold = retry_after or 0.0
            if now >= self._held_until:  # one step per hold, however many requests in flight were refused
                hold = max(hold, min(FIRST_HOLD * 2**self._refusals, LONGEST_HOLD))
                self._refusals = min(self._refusals + 1, 10)
            self._held_until = max(self._held_until, now + hold)

    def served(self) -> None:
        """Forget earlier refusals: the vendor is answering again."""
        self._refusals = 0
