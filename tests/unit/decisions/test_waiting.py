from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_phonelink.decisions.waiting import SHORTEST_INTERVAL, next_interval


@pytest.mark.parametrize("polls", [1, 2, 50])
def test_polls_are_evenly_spaced(polls) -> None:
    assert next_interval(30, polls) == 30


def test_backing_off_doubles_each_wait() -> None:
    assert [next_interval(5, polls, exponential_backoff=True) for polls in (1, 2, 3, 4)] == [5, 10, 20, 40]


def test_waits_grow_up_to_the_longest() -> None:
    waits = [next_interval(5, polls, exponential_backoff=True, max_wait=60) for polls in range(1, 10)]
    assert waits == [5, 10, 20, 40, 60, 60, 60, 60, 60]
    assert next_interval(100, 1, max_wait=60) == 60


@pytest.mark.parametrize("interval", [0, -1, 0.0001])
def test_there_is_no_busy_loop(interval) -> None:
    assert next_interval(interval, 1) == SHORTEST_INTERVAL
    assert next_interval(5, 1, max_wait=interval) == SHORTEST_INTERVAL


@given(st.floats(0, 1e6), st.integers(1, 10**9), st.booleans(), st.none() | st.floats(0, 1e6))
def test_every_wait_is_finite_and_long_enough(interval, polls, backoff, max_wait) -> None:
    wait = next_interval(interval, polls, exponential_backoff=backoff, max_wait=max_wait)
    assert SHORTEST_INTERVAL <= wait < float("inf")
    assert wait <= next_interval(interval, polls + 1, exponential_backoff=backoff, max_wait=max_wait)
