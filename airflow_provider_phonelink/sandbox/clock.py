"""The sandbox's clock: real time by default, moved forward or stopped by a test."""

from __future__ import annotations

import time

LONGEST = 1e9
END_OF_TIME = 221_845_392_000.0


class Clock:
    """Seconds since the epoch, plus what tests have added."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._frozen: float | None = None

    def now(self) -> float:
        """Return the sandbox's time."""
        return (time.time() if self._frozen is None else self._frozen) + self._offset

    def advance(self, seconds: float) -> None:
        """Move time forward. Registrations that fall due in between have happened afterwards."""
        if not 0 <= seconds <= LONGEST:
            raise ValueError(f"time moves forward only, and by {LONGEST:g} s at most, not by {seconds}")
        if self.now() + seconds > END_OF_TIME:
            raise ValueError("there is no writing down times after the year 9000")
        self._offset += seconds

    def freeze(self) -> None:
        """Stop time: from now on only :meth:`advance` moves it."""
        if self._frozen is None:
            self._frozen = time.time()

    def reset(self) -> None:
        """Go back to real time."""
        self._offset = 0.0
        self._frozen = None
