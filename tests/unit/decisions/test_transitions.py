"""What is told of a registration: each change once, and no noise in between."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_phonelink.decisions.registration import Judgement, Verdict
from airflow_provider_phonelink.decisions.transitions import (
    AlertRules,
    Condition,
    Transition,
    Watched,
    look_again,
)

VERDICTS = st.lists(st.sampled_from([v for v in Verdict if v is not Verdict.REFUSED]), max_size=30)
BEGAN = datetime(2026, 3, 1, 6, tzinfo=timezone.utc)
AT_ONCE = AlertRules()
RULES = st.builds(
    AlertRules,
    st.integers(0, 120).map(lambda seconds: timedelta(seconds=seconds)),
    st.booleans(),
    st.none() | st.integers(1, 120).map(lambda seconds: timedelta(seconds=seconds)),
)
A, F, W = Verdict.ACTIVE, Verdict.FAILED, Verdict.WAITING


def watch(verdicts, before=None, rules=AT_ONCE, *, begin=0, interval=30):
    """Look every so many seconds; return the reports, and what is known in the end."""
    found = []
    for index, verdict in enumerate(verdicts, begin):
        at = BEGAN + timedelta(seconds=index * interval)
        before, report = look_again(before, Judgement("id", verdict), at, rules)
        found.append(report)
    return found, before


def told(verdicts, before=None, rules=AT_ONCE, **options):
    return [report and report.transition for report in watch(verdicts, before, rules, **options)[0]]


def test_the_first_look_is_the_baseline():
    for verdict in Verdict:
        assert told([verdict]) == [None]


def test_who_wishes_to_hear_of_losses_only_is_reminded_of_one_that_became_a_failure():
    rules = AlertRules(remind_every=timedelta(seconds=60), transitions=["lost"])
    reports, _ = watch([A, W, F, F, F, F, W, A, F, F, F, F], rules=rules)
    of_losses = [(i, one.reminder) for i, one in enumerate(reports) if one and one.transition.value == "lost"]
    assert of_losses == [(1, False), (3, True), (5, True)]
    assert [i for i, one in enumerate(reports) if one and one.transition.value == "failed"] == [2, 8]


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
    for verdict, transition in zip(verdicts, told(verdicts, Watched(before)), strict=True):
        assert (transition is Transition.RECOVERED) == (verdict is Verdict.ACTIVE and not active)
        active = verdict is Verdict.ACTIVE


@given(VERDICTS, VERDICTS, RULES)
def test_a_restart_that_remembers_changes_nothing(before_it, after_it, rules):
    _, known = watch(before_it, rules=rules)
    kept = Watched.read(str(known)) if known else None

    assert kept == known
    whole = told(before_it + after_it, rules=rules)
    assert whole[len(before_it) :] == told(after_it, kept, rules, begin=len(before_it))


def minutes(number):
    return timedelta(minutes=number)


class TestHold:
    FOR_A_MINUTE = AlertRules(hold_for=minutes(1))

    @pytest.mark.parametrize("down", [W, F])
    def test_flapping_at_each_poll_for_an_hour_is_no_event(self, down):
        assert set(told([A, down] * 60, rules=self.FOR_A_MINUTE)) == {None}

    def test_told_once_it_has_lasted_and_since_when(self):
        reports, _ = watch([A, W, W, W, W, A], rules=self.FOR_A_MINUTE)
        assert [report and report.transition for report in reports] == [
            None,
            None,
            None,
            Transition.LOST,
            None,
            Transition.RECOVERED,
        ]
        assert reports[3].since == BEGAN + timedelta(seconds=30)
        assert reports[5].since == BEGAN + timedelta(seconds=150)

    def test_what_it_is_by_then_is_told(self):
        assert told([A, W, W, F, W], rules=self.FOR_A_MINUTE) == [None, None, None, Transition.FAILED, None]
        assert told([A, F, W, W, F], rules=self.FOR_A_MINUTE) == [
            None,
            None,
            None,
            Transition.LOST,
            Transition.FAILED,
        ]

    @given(VERDICTS, RULES)
    def test_nothing_is_told_lost_that_was_not_down_so_long(self, verdicts, rules):
        since = None
        reports, _ = watch(verdicts, Watched(Condition.UP), rules)
        for index, (verdict, report) in enumerate(zip(verdicts, reports, strict=True)):
            at = BEGAN + timedelta(seconds=index * 30)
            since = None if verdict is A else since or at
            if report and report.transition is not Transition.RECOVERED:
                assert report.since == since
                assert at - since >= rules.hold_for


class TestBaseline:
    def test_is_told_if_wished(self):
        rules = AlertRules(tell_baseline=True)
        assert told([W, W, A], rules=rules) == [Transition.LOST, None, Transition.RECOVERED]
        assert told([F, F], rules=rules) == [Transition.FAILED, None]
        assert told([A, A], rules=rules) == [None, None]

    def test_is_held_back_like_any_other(self):
        rules = AlertRules(minutes(1), tell_baseline=True)
        assert told([W, W, W], rules=rules) == [None, None, Transition.LOST]
        assert told([W, A, A], rules=rules) == [None, None, None]

    def test_is_told_once_across_restarts(self):
        rules = AlertRules(tell_baseline=True)
        _, known = watch([W], rules=rules)
        assert told([W, W], Watched.read(str(known)), rules) == [None, None]


class TestReminders:
    RULES = AlertRules(remind_every=minutes(1))

    def test_of_what_lasts(self):
        reports, _ = watch([A, W, W, W, W, W, A, A, A], rules=self.RULES)
        assert [report and (report.transition.value, report.reminder) for report in reports] == [
            None,
            ("lost", False),
            None,
            ("lost", True),
            None,
            ("lost", True),
            ("recovered", False),
            None,
            None,
        ]
        assert {report.since for report in reports[1:6] if report} == {BEGAN + timedelta(seconds=30)}

    def test_not_of_what_was_never_told(self):
        assert set(told([W] * 20, rules=self.RULES)) == {None}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("up", Watched(Condition.UP)),
        ("down", Watched(Condition.DOWN)),  # as earlier versions wrote it
        ("sideways", None),
        ("up yesterday", None),
        ("up 2026-03-01T06:00:00", None),
        ("up - - -", None),
        (None, None),
        ({"condition": "up"}, None),
    ],
)
def test_what_a_store_has_is_read_or_left(text, expected):
    assert Watched.read(text) == expected
