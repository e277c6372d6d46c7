"""When the next look at a waited-for number is due."""

from __future__ import annotations

#: Seconds between two polls at the least, so that an interval of 0 is no busy loop.
SHORTEST_INTERVAL = 0.1


def next_interval(
    poll_interval: float, polls: int, *, exponential_backoff: bool = False, max_wait: float | None = None
) -> float:
    """
    Return the seconds until the next poll.

    :param poll_interval: Seconds between polls, or the first wait when backing off.
    :param polls: How many polls there were, at least 1.
    :param exponential_backoff: Whether each wait is twice the one before.
    :param max_wait: Seconds that a wait may grow to; None for no limit.
    """
    interval = poll_interval * 2 ** min(polls - 1, 30) if exponential_backoff else poll_interval
    if max_wait is not None:
        interval = min(interval, max_wait)
    return max(interval, SHORTEST_INTERVAL)
