from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.api.carrying import Clock

from airflow_provider_phonelink.api.pacing import FIRST_HOLD, LONGEST_HOLD, Pacer


def paced(requests_per_second: float | None = None) -> tuple[Pacer, Clock]:
    clock = Clock()
    return Pacer(requests_per_second, clock=clock), clock


def test_without_a_limit_nothing_waits() -> None:
    pacer, _ = paced()
    assert [pacer.delay() for _ in range(100)] == [0.0] * 100


def test_requests_at_once_are_spaced() -> None:
    pacer, _ = paced(4)
    assert [pacer.delay() for _ in range(4)] == [0.0, 0.25, 0.5, 0.75]


def test_an_idle_time_gives_no_credit() -> None:
    pacer, clock = paced(1)
    pacer.delay()
    clock.now += 100
    assert [pacer.delay(), pacer.delay()] == [0.0, 1.0]


@given(
    st.floats(0.01, 1000),
    st.lists(st.floats(0, 5) | st.just(0.0), min_size=2, max_size=50),
)
def test_never_faster_than_the_limit(rate, gaps) -> None:
    pacer, clock = paced(rate)
    starts = []
    for gap in gaps:
        clock.now += gap
        starts.append(clock.now + pacer.delay())
    assert all(later - earlier >= 1 / rate - 1e-6 for earlier, later in pairwise(starts))


def test_holds_double_up_to_the_limit() -> None:
    pacer, clock = paced()
    holds = []
    for _ in range(12):
        pacer.refused(None)
        holds.append(pacer.delay())
        clock.now += holds[-1]
    assert holds[:4] == pytest.approx([FIRST_HOLD, 2 * FIRST_HOLD, 4 * FIRST_HOLD, 8 * FIRST_HOLD])
    assert holds == sorted(holds)
    assert holds[-1] == pytest.approx(LONGEST_HOLD)


def test_refusals_that_were_in_flight_together_count_once() -> None:
    pacer, clock = paced()
    for _ in range(20):
        pacer.refused(None)
    assert pacer.delay() == FIRST_HOLD
    clock.now += FIRST_HOLD
    pacer.refused(None)
    assert pacer.delay() == 2 * FIRST_HOLD


def test_a_success_makes_the_next_hold_short_again() -> None:
    pacer, clock = paced()
    for _ in range(5):
        pacer.refused(None)
        clock.now += pacer.delay()
    pacer.served()
    pacer.refused(None)
    assert pacer.delay() == pytest.approx(FIRST_HOLD)


def test_the_vendors_wish_is_obeyed_if_it_is_longer() -> None:
    pacer, _ = paced()
    pacer.refused(20.0)
    assert pacer.delay() == 20.0
    pacer.refused(5.0)
    assert pacer.delay() == 20.0
    pacer.refused(30.0)
    assert pacer.delay() == 30.0


def test_a_hold_and_a_limit_add_up() -> None:
    pacer, _ = paced(2)
    pacer.refused(10.0)
    assert [pacer.delay(), pacer.delay()] == [10.0, 10.5]


def test_what_has_waited_may_go_unless_a_429_came_meanwhile() -> None:
    pacer, clock = paced(2)
    delays = [pacer.delay() for _ in range(3)]
    pacer.refused(10.0)
    clock.now += delays[1]
    assert pacer.still() == pytest.approx(9.5)
    clock.now += delays[2] - delays[1]
    assert pacer.still() == pytest.approx(9.5)  # after the one before it
    clock.now += 10
    assert pacer.still() == 0.0


def test_a_sleep_that_ends_a_little_early_is_a_sleep() -> None:
    pacer, clock = paced()
    pacer.refused(10.0)
    clock.now += pacer.delay() - 1e-6
    assert pacer.still() == 0.0


@given(st.lists(st.sampled_from(["refused", "served", "asked", "later"]) | st.floats(0, 60), max_size=60))
def test_no_delay_is_negative_or_endless(events) -> None:
    pacer, clock = paced(10)
    asked = 0
    for event in events:
        if event == "served":
            pacer.served()
        elif event == "asked":
            asked += 1
            assert 0 <= pacer.delay() <= 60 + LONGEST_HOLD + asked / 10
        elif event == "later":
            clock.now += 1
        else:
            pacer.refused(None if event == "refused" else event)
