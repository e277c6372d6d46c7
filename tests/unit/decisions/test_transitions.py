"""What is told of a registration: each change once, and no noise in between."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_phonelink.decisions.registration import Judgement, Verdict
from airflow_provider_phonelink.decisions.transitions import Condition, Transition, next_condition

VERDICTS = st.lists(st.sampled_from(Verdict), max_size=30)


def told(verdicts, before=None):
    found = []
    for verdict in verdicts:
        before, transition = next_condition(before, Judgement("id", verdict))
        found.append(transition)
    return found


def test_the_first_look_is_the_baseline():
    for verdict in Verdict:
        assert told([verdict]) == [None]


def test_a_day_in_the_life_of_a_number():
    assert told([Verdict.WAITING, Verdict.ACTIVE, Verdict.ACTIVE, Verdict.WAITING, Verdict.WAITING]) == [
        None,
        Transition.RECOVERED,
        None,
        Transition.LOST,
        None,
    ]
    assert told([Verdict.ACTIVE, Verdict.FAILED, Verdict.WAITING, Verdict.FAILED, Verdict.ACTIVE]) == [
        None,
        Transition.FAILED,
        None,
        None,
        Transition.RECOVERED,
    ]
    assert told([Verdict.ACTIVE, Verdict.WAITING, Verdict.FAILED]) == [
        None,
        Transition.LOST,
        Transition.FAILED,
    ]


def test_switched_off_or_deleted_is_lost():
    for verdict in (Verdict.NEVER, Verdict.GONE):
        assert told([Verdict.ACTIVE, verdict, verdict]) == [None, Transition.LOST, None]


@given(VERDICTS)
def test_nothing_is_told_twice_in_a_row(verdicts):
    changes = [transition for transition in told(verdicts) if transition]

    assert all(first is not second for first, second in pairwise(changes))


@given(VERDICTS, st.sampled_from(Condition))
def test_recovered_is_told_exactly_when_a_number_is_active_again(verdicts, before):
    active = before is Condition.UP
    for verdict, transition in zip(verdicts, told(verdicts, before), strict=True):
        assert (transition is Transition.RECOVERED) == (verdict is Verdict.ACTIVE and not active)
        active = verdict is Verdict.ACTIVE


@given(VERDICTS, VERDICTS)
def test_a_restart_that_remembers_changes_nothing(before_it, after_it):
    condition = None
    for verdict in before_it:
        condition, _ = next_condition(condition, Judgement("id", verdict))

    assert told(before_it + after_it)[len(before_it) :] == told(after_it, condition)
