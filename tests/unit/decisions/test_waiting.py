from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_phonelink.decisions.registration import Assessment, Judgement, Verdict
from airflow_provider_phonelink.decisions.waiting import (
    NEW_FOR,
    SHORTEST_INTERVAL,
    Doubts,
    is_over,
    next_interval,
)

BEGAN = datetime(2026, 3, 1, tzinfo=timezone.utc)


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


def weighed(verdicts, *, seconds=1.0, failed_for=0.0, never_seen=()):
    """Look at one number every so many seconds; what each verdict is after the doubts."""
    doubts = Doubts(never_seen, BEGAN, timedelta(seconds=failed_for))
    found = []
    for index, verdict in enumerate(verdicts):
        look = Assessment((Judgement("id", verdict),))
        [judgement] = doubts.weigh(look, BEGAN + timedelta(seconds=index * seconds)).judgements
        assert doubts.any == (judgement.verdict is not verdict)
        found.append(judgement.verdict)
    return found


A, F, W, G = Verdict.ACTIVE, Verdict.FAILED, Verdict.WAITING, Verdict.GONE


@pytest.mark.parametrize(
    ("verdicts", "failed_for", "expected"),
    [
        ([W, F, W, A], 60, [W, W, W, A]),  # 408, and it recovers
        ([F, F, F, F], 60, [W, W, F, F]),
        ([F, F, W, F, F, F], 60, [W, W, W, W, W, F]),
        ([F, A, F], 60, [W, A, W]),
        ([F], 0, [F]),
    ],
)
def test_a_failure_counts_once_it_has_lasted(verdicts, failed_for, expected) -> None:
    assert weighed(verdicts, seconds=30, failed_for=failed_for) == expected


@pytest.mark.parametrize(
    ("verdicts", "never_seen", "expected"),
    [
        ([G, G, G, G], ["id"], [W, W, G, G]),
        ([G, A, G], ["id"], [W, A, G]),
        ([G], [], [G]),
        ([G, W, G], ["id"], [W, W, G]),
    ],
)
def test_a_number_that_was_never_seen_may_be_missing_for_a_while(verdicts, never_seen, expected) -> None:
    assert weighed(verdicts, seconds=NEW_FOR.total_seconds() / 2, never_seen=never_seen) == expected


@given(st.lists(st.sampled_from(Verdict), max_size=20), st.floats(0, 100), st.booleans())
def test_only_a_failure_and_a_missing_number_are_ever_in_doubt(verdicts, failed_for, seen) -> None:
    pairs = zip(
        verdicts, weighed(verdicts, failed_for=failed_for, never_seen=() if seen else ["id"]), strict=True
    )
    for verdict, after in pairs:
        assert after in (verdict, Verdict.WAITING)
        assert after is verdict or verdict in (F, G)


def test_each_unknown_state_is_told_once() -> None:
    doubts = Doubts((), BEGAN, timedelta(0))
    look = Assessment(tuple(Judgement(str(index), W, "Online", "+1", unknown=True) for index in range(3)))
    assert len(doubts.first_time_unknown(look)) == 1
    other = Assessment((*look.judgements, Judgement("4", W, "Trying", "+1", unknown=True)))
    [sentence] = doubts.first_time_unknown(other)
    assert "'Trying'" in sentence


@pytest.mark.parametrize(
    ("verdicts", "fails", "reports"),
    [
        ([A], True, True),
        ([A, W], False, False),
        ([F, W], True, False),
        ([F, A], True, True),
        ([F], True, True),
    ],
)
def test_when_a_wait_is_over(verdicts, fails, reports) -> None:
    look = Assessment(tuple(Judgement(str(index), verdict) for index, verdict in enumerate(verdicts)))
    assert (is_over(look, "fail"), is_over(look, "report")) == (fails, reports)
