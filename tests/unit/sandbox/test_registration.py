"""A registration's course is a function of its script and the time."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_phonelink.sandbox import Step
from airflow_provider_phonelink.sandbox.dasha.registration import disabled, script_of, status_at

SINCE = 1_800_000_000.0
HOUR = 3600.0
seconds = st.floats(min_value=0, max_value=1e7)
lifetimes = st.floats(min_value=0.01, max_value=1e6)
states = st.sampled_from(["Registering", "Registered", "Active", "Failed", "Unregistered"])
steps = st.builds(Step, after=seconds, state=states, lifetime=st.none() | lifetimes, renews=st.booleans())
scripts = st.lists(steps, min_size=1, max_size=5).map(script_of)


@given(scripts, seconds, lifetimes)
def test_the_state_is_that_of_the_last_step_that_is_due(
    script: tuple[Step, ...], passed: float, lifetime: float
) -> None:
    status = status_at(script, SINCE, SINCE + passed, lifetime)
    due = [step for step in script if SINCE + step.after <= SINCE + passed] or [script[0]]
    assert status.state == due[-1].state


@given(scripts, seconds, lifetimes)
def test_a_status_holds_until_it_says(script: tuple[Step, ...], passed: float, lifetime: float) -> None:
    now = SINCE + passed
    status = status_at(script, SINCE, now, lifetime)
    assert status.changes_at >= now
    until = min(status.changes_at, now + 1e6)
    for part in (0.1, 0.5, 0.9):
        moment = now + part * (until - now)
        if moment < status.changes_at - 1e-3:  # on the very edge floats may round either way
            assert status_at(script, SINCE, moment, lifetime) == status


@given(seconds, lifetimes)
def test_an_active_state_that_renews_never_expires(passed: float, lifetime: float) -> None:
    script = script_of([Step(0, "Registered", lifetime=lifetime)])
    now = SINCE + passed
    status = status_at(script, SINCE, now, HOUR)
    assert status.expires_at is not None
    assert now + lifetime * 0.49 - 1e-3 <= status.expires_at <= now + lifetime + 1e-3
    assert status.last_updated <= now + 1e-3


@given(seconds, lifetimes)
def test_one_that_does_not_renew_expires_once(passed: float, lifetime: float) -> None:
    script = script_of([Step(0, "Registered", lifetime=lifetime, renews=False)])
    status = status_at(script, SINCE, SINCE + passed, HOUR)
    assert (status.state, status.expires_at) == ("Registered", SINCE + lifetime)


@given(scripts, seconds, lifetimes)
def test_only_what_can_expire_says_when(script: tuple[Step, ...], passed: float, lifetime: float) -> None:
    status = status_at(script, SINCE, SINCE + passed, lifetime)
    step = [s for s in script if SINCE + s.after <= SINCE + passed][-1:] or [script[0]]
    can_expire = step[0].lifetime is not None or step[0].state in ("Registered", "Active")
    assert (status.expires_at is not None) == can_expire


@given(scripts, seconds, lifetimes)
def test_a_failed_state_always_says_why(script: tuple[Step, ...], passed: float, lifetime: float) -> None:
    status = status_at(script, SINCE, SINCE + passed, lifetime)
    assert (status.error is not None, status.sip is not None) == ((status.state == "Failed"),) * 2


def test_disabled_stays_disabled() -> None:
    status = disabled(SINCE)
    assert (status.state, status.expires_at, status.changes_at) == ("Disabled", None, inf)


@pytest.mark.parametrize(
    "given_as",
    [
        [(2, "Failed", "no route"), (0, "Registering")],
        [[0, "Registering"], [2, "Failed", "no route"]],
        [{"after": 0, "state": "Registering"}, {"after": 2, "state": "Failed", "error": "no route"}],
        [Step(0, "Registering"), Step(2, "Failed", "no route")],
    ],
)
def test_scripts_are_given_in_any_form_and_order(given_as: Any) -> None:
    assert script_of(given_as) == (Step(0, "Registering"), Step(2, "Failed", "no route"))


@pytest.mark.parametrize("wrong", [[], [(-1, "Failed")], [Step]])
def test_scripts_that_cannot_happen_are_refused(wrong: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        script_of(wrong)


@pytest.mark.parametrize("lifetime", [0, -1])
def test_a_lifetime_is_positive(lifetime: float) -> None:
    with pytest.raises(ValueError, match="lifetime"):
        Step(0, "Registered", lifetime=lifetime)
