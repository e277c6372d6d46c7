"""When the next poll of a wait is due."""

from __future__ import annotations

#: The fewest seconds between two polls, so that an interval of 0 is not a busy loop.
SHORTEST_INTERVAL = 0.1


def next_interval(
    poll_interval: float, polls: int, *, exponential_backoff: bool = False, max_wait: float | None = None
) -> float:
    """
    Return the seconds until the next poll.

    :param poll_interval: Seconds between polls; with backoff, seconds before the second one.
    :param polls: How many polls there have been, at least 1.
    :param exponential_backoff: Whether each interval is twice the one before.
    :param max_wait: The longest interval in seconds; None for no limit.
    """
    interval = poll_interval * 2 ** min(polls - 1, 30) if exponential_backoff else poll_interval
    if max_wait is not None:
        interval = min(interval, max_wait)
    return max(interval, SHORTEST_INTERVAL)
