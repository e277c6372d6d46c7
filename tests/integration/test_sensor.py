"""Wait: until every number is active; at once an error where waiting cannot help; the same in each mode."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from airflow_harness.rows import through_task_row
from airflow_harness.tasks import run_in_a_triggerer, run_task, run_to_end, run_trigger
from integration.worlds import ABSENT, writes

from airflow_provider_phonelink.compat import AirflowSensorTimeout, AirflowSkipException, AirflowTaskTimeout
from airflow_provider_phonelink.decisions import waiting
from airflow_provider_phonelink.exceptions import PhonelinkFailException, PhonelinkRetryableException
from airflow_provider_phonelink.sandbox import Fault
from airflow_provider_phonelink.sensors.dasha import DashaRegistrationSensor
from airflow_provider_phonelink.triggers.dasha import DashaRegistrationTrigger

MODES = ("poke", "reschedule", "deferrable")
each_mode = pytest.mark.parametrize("mode", MODES)
NEVER = [(0, "Registering")]
REGISTERED = [(0, "Registered")]
SOON = [(0, "Registering"), (0.3, "Registered")]
FAILING = [(0, "Failed", "No route to the registrar", "403 Forbidden")]


class FlakyBackend(dict):
    """Connections of which one cannot be read for a number of times: Airflow then says that it is not there."""

    def __init__(self, connections, flaky):
        super().__init__(connections)
        self.flaky, self.failures = flaky, 0

    def fail(self, times):
        self.failures = times

    def __contains__(self, conn_id):
        if conn_id == self.flaky and self.failures:
            self.failures -= 1
            return False
        return super().__contains__(conn_id)


def sensor(ids, mode="poke", **options) -> DashaRegistrationSensor:
    how = {"deferrable": True} if mode == "deferrable" else {"mode": mode, "deferrable": False}
    options = {"poke_interval": 0.1, "timeout": 20, "retries": 2, **how, **options}
    return DashaRegistrationSensor(task_id="wait", phone_number_ids=ids, **options)


def waited(task, connections, **options):
    """Run a sensor to its end: its trigger where it defers, and again and again where it reschedules itself."""
    first_started, reschedules = datetime.now(timezone.utc), 0
    outcome = run_to_end(task, connections=connections, **options)
    while outcome.state == "up_for_reschedule":
        reschedules += 1
        time.sleep(max(0, (outcome.reschedule_at - datetime.now(timezone.utc)).total_seconds()))  # type: ignore[operator]
        earlier = outcome.log
        # As another process would: nothing is remembered but when it began.
        outcome = run_to_end(
            outcome.again.task,
            connections=connections,
            reschedules=reschedules,
            first_started=first_started,
            **options,
        )
        outcome.log = f"{earlier}\n{outcome.log}"
    return outcome


def planted(sandbox, *scripts) -> list[str]:
    return [sandbox.world.dasha.add_number(f"+1555020{n}", steps=steps) for n, steps in enumerate(scripts)]


@each_mode
def test_active_at_once(sandbox, connections, mode):
    (number,) = planted(sandbox, REGISTERED)
    outcome = run_task(sensor(number, mode), connections=connections)

    assert outcome.state == "success", outcome.log
    assert outcome.value == {number: "Registered"}
    assert len(sandbox.journal) == 1


@each_mode
def test_active_later(sandbox, connections, mode):
    sandbox.world.clock.freeze()
    sandbox.faults.meanwhile(lambda world: world.advance(1), when="after")
    ids = planted(sandbox, REGISTERED, SOON)
    outcome = waited(sensor(ids, mode), connections)

    assert outcome.state == "success", outcome.log
    assert outcome.value == dict.fromkeys(ids, "Registered")
    assert "1 of 2 numbers are active" in outcome.log
    assert not writes(sandbox)


@each_mode
@pytest.mark.parametrize("later", [False, True], ids=["at once", "later"])
def test_a_failed_registration(sandbox, connections, mode, later):
    steps = [(0, "Registering"), (0.2, *FAILING[0][1:])] if later else FAILING
    ids = planted(sandbox, REGISTERED, steps)
    outcome = waited(sensor(ids, mode), connections)

    assert outcome.state == "failed"
    assert isinstance(outcome.error, PhonelinkFailException)
    for word in (ids[1], "+15550201", "Failed", "No route to the registrar", "403 Forbidden"):
        assert word in str(outcome.error)
    assert ids[0] not in str(outcome.error)


@each_mode
@pytest.mark.parametrize("later", [False, True], ids=["at once", "later"])
def test_a_number_that_can_never_become_active(sandbox, connections, mode, later):
    (number,) = planted(sandbox, NEVER if later else None)
    if later:
        switched_off = lambda world: world.dasha.replace(  # noqa: E731
            number, type(world.dasha.get(number).settings)("+15550200", ABSENT, registration=False)
        )
        sandbox.faults.meanwhile(switched_off, nth=2)
    outcome = waited(sensor(number, mode), connections)

    assert outcome.state == "failed"
    assert "Disabled" in str(outcome.error)
    assert "switched off" in str(outcome.error)


@each_mode
@pytest.mark.parametrize("later", [False, True], ids=["at once", "later"])
def test_a_number_that_is_gone(sandbox, connections, mode, later, monkeypatch):
    if not later:
        monkeypatch.setattr(waiting, "NEW_FOR", timedelta(0))
    (number,) = planted(sandbox, NEVER) if later else (ABSENT,)
    if later:
        sandbox.faults.meanwhile(lambda world: world.dasha.delete(number), nth=2)
    outcome = waited(sensor(number, mode), connections)

    assert outcome.state == "failed"
    assert f"{number}: there is no such number" in str(outcome.error)


@each_mode
def test_a_registration_that_lapses_counts_as_waiting(sandbox, connections, mode):
    (number,) = planted(sandbox, [{"after": 0, "state": "Registered", "lifetime": 1, "renews": False}])
    sandbox.world.advance(2)
    past = "2020-01-01T00:00:00Z"
    lapsed = {"state": "Registered", "expiresAt": past}
    sandbox.faults.add(Fault("edit", merge={"registrationStatus": lapsed}, count=None))
    outcome = waited(sensor(number, mode, timeout=0.3), connections)

    assert outcome.state == "failed"
    assert "Registered, but expired at 2020" in str(outcome.error)

    connections["dasha_default"]["extra"]["check_expiry"] = False
    assert waited(sensor(number, mode), connections).state == "success"


@each_mode
@pytest.mark.parametrize("waiting", [1, 3])
def test_a_timeout_names_each_number_still_waiting_and_is_never_retried(sandbox, connections, mode, waiting):
    ids = planted(sandbox, REGISTERED, *[NEVER] * waiting)
    outcome = waited(sensor(ids, mode, timeout=0.3), connections)

    assert outcome.state == "failed"
    assert isinstance(outcome.error, AirflowSensorTimeout)
    for n, number in enumerate(ids[1:], 1):
        assert f"+1555020{n} (id {number}): Registering" in str(outcome.error)
    assert ids[0] not in str(outcome.error)


@each_mode
def test_a_number_that_no_look_has_shown_may_be_missing_at_first(sandbox, connections, mode):
    """As after a write that reads do not show yet; the sensor's own look counts as one."""
    (new,) = planted(sandbox, REGISTERED)
    sandbox.faults.add(Fault("status", status=404, path=new, count=3))
    outcome = waited(sensor(new, mode), connections)

    assert outcome.state == "success", outcome.log
    assert outcome.value == {new: "Registered"}
    assert f"{new}: there is no such number yet" in outcome.log
    assert len(sandbox.journal) == 4


@each_mode
def test_a_number_that_stays_missing_is_gone_after_a_minute(sandbox, connections, mode, monkeypatch):
    monkeypatch.setattr(waiting, "NEW_FOR", timedelta(seconds=0.5))
    outcome = waited(sensor(ABSENT, mode), connections)

    assert isinstance(outcome.error, PhonelinkFailException), outcome.log
    assert f"{ABSENT}: there is no such number." in str(outcome.error)
    assert len(sandbox.journal) > 1


@each_mode
def test_a_registration_that_is_refused_for_a_moment(sandbox, connections, mode):
    sandbox.world.clock.freeze()
    sandbox.faults.meanwhile(lambda world: world.advance(1), when="after", count=None)
    steps = [
        (0, "Registering"),
        (1, "Failed", None, "408 Request Timeout"),
        (2, "Registering"),
        (3, "Registered"),
    ]
    (number,) = planted(sandbox, steps)
    outcome = waited(sensor(number, mode, failed_for=60), connections)

    assert outcome.state == "success", outcome.log
    assert "408 Request Timeout, which counts as failed once it has lasted 60 s" in outcome.log


@each_mode
def test_a_wait_without_an_end_for_which_no_failure_counts(sandbox, connections, mode):
    (number,) = planted(sandbox, [(0, "Failed", None, "408 Request Timeout"), (0.4, "Registered")])
    outcome = waited(sensor(number, mode, failed_for=timedelta.max, timeout=timedelta.max), connections)

    assert outcome.state == "success", outcome.log
    assert outcome.value == {number: "Registered"}


def test_a_trigger_for_all_time(sandbox, connections):
    (number,) = planted(sandbox, [(0, "Failed", None, "408 Request Timeout"), (0.4, "Registered")])
    trigger = DashaRegistrationTrigger(
        phone_number_ids=[number],
        dasha_conn_id="dasha_default",
        deadline=1e15,
        poll_interval=0.1,
        max_wait=1e300,
        began=1e300,
        failed_for=1e15,
        failing_since={number: 1e15},
    )
    [event] = run_trigger(trigger, connections=connections)
    assert (event["status"], event["states"]) == ("active", {number: "Registered"})


@each_mode
def test_a_registration_that_fails_for_long_enough(sandbox, connections, mode):
    (number,) = planted(sandbox, FAILING)
    outcome = waited(sensor(number, mode, failed_for=timedelta(seconds=0.3)), connections)

    assert isinstance(outcome.error, PhonelinkFailException), outcome.log
    assert "Failed, No route to the registrar, 403 Forbidden." in str(outcome.error)
    assert len(sandbox.journal) > 2


@each_mode
def test_a_report_at_the_deadline_tells_what_has_been_failing_for_long_enough(sandbox, connections, mode):
    failing, late = planted(sandbox, FAILING, NEVER)
    options = {
        "on_failed": "report",
        "on_timeout": "report",
        "failed_for": 0.5,
        "poke_interval": 0.5,
        "timeout": 4,
    }
    outcome = waited(sensor([failing, late], mode, **options), connections)

    assert outcome.state == "success", outcome.log
    assert outcome.value == {
        "active": [],
        "failed": {failing: "Failed, No route to the registrar, 403 Forbidden"},
        "waiting": {late: "Registering"},
    }


@pytest.mark.parametrize("on_failed", ["fail", "report"])
def test_a_later_process_does_not_take_a_moments_failure_for_a_long_one(sandbox, connections, on_failed):
    sandbox.world.clock.freeze()
    sandbox.faults.meanwhile(lambda world: world.advance(1), when="after", count=None)
    (number,) = planted(sandbox, [(0, "Failed", None, "408 Request Timeout"), (1, "Registered")])
    task = sensor(number, "reschedule", failed_for=60, timeout=7200, on_failed=on_failed)
    began = datetime.now(timezone.utc) - timedelta(hours=1)
    outcome = run_task(task, connections=connections, reschedules=1, first_started=began)

    assert outcome.state == "success", outcome.log
    assert len(sandbox.journal) == 2, "it looked again in the same process"


@each_mode
def test_a_report_goes_on_past_a_failure(sandbox, connections, mode, monkeypatch):
    monkeypatch.setattr(waiting, "NEW_FOR", timedelta(seconds=0.5))
    ids = planted(sandbox, REGISTERED, FAILING, SOON, None)
    task = sensor([*ids, ABSENT], mode, on_failed="report")
    outcome = waited(task, connections)

    assert outcome.state == "success", outcome.log
    assert outcome.value == {
        "active": [ids[0], ids[2]],
        "failed": {
            ids[1]: "Failed, No route to the registrar, 403 Forbidden",
            ids[3]: "Disabled, registration is switched off, so it will never become active",
            ABSENT: "there is no such number",
        },
        "waiting": {},
    }


@each_mode
@pytest.mark.parametrize("soft_fail", [False, True])
def test_a_report_at_the_deadline(sandbox, connections, mode, soft_fail):
    ids = planted(sandbox, REGISTERED, NEVER)
    task = sensor(ids, mode, on_timeout="report", timeout=0.3, soft_fail=soft_fail)
    outcome = waited(task, connections)

    assert outcome.state == "success", outcome.log
    assert outcome.value == {"active": [ids[0]], "failed": {}, "waiting": {ids[1]: "Registering"}}
    assert "Timed out. Still waiting for +15550201" in outcome.log


@each_mode
def test_without_one_look_there_is_nothing_to_report(sandbox, connections, mode):
    ids = planted(sandbox, REGISTERED)
    connections["dasha_default"]["extra"]["max_failed_polls"] = 100
    sandbox.faults.add(Fault("status", status=503, count=None))
    task = sensor(ids, mode, on_timeout="report", on_failed="report", timeout=0.3)
    outcome = waited(task, connections)

    assert isinstance(outcome.error, AirflowSensorTimeout)


@each_mode
def test_a_report_of_failures_still_fails_on_a_timeout(sandbox, connections, mode):
    ids = planted(sandbox, FAILING, NEVER)
    outcome = waited(sensor(ids, mode, on_failed="report", timeout=0.3), connections)

    assert isinstance(outcome.error, AirflowSensorTimeout)
    assert ids[1] in str(outcome.error)


@each_mode
def test_a_number_that_the_key_may_not_read_is_its_own(sandbox, connections, mode):
    ids = planted(sandbox, SOON, NEVER)
    sandbox.faults.add(Fault("status", status=403, path=ids[1], count=None))
    outcome = waited(sensor(ids[1], mode), connections)
    assert isinstance(outcome.error, PhonelinkFailException)
    assert f"{ids[1]}: GET " in str(outcome.error)

    sandbox.faults.add(Fault("status", status=403, path=ABSENT, count=None))
    outcome = waited(sensor([ids[0], ABSENT], mode, on_failed="report"), connections)
    assert outcome.value["active"] == [ids[0]], outcome.log
    assert "answered 403" in outcome.value["failed"][ABSENT]


@each_mode
def test_an_unknown_state_says_so_once(sandbox, connections, mode):
    ids = planted(sandbox, [(0, "Online")], [(0, "Online")])
    outcome = waited(sensor(ids, mode, timeout=0.6), connections)

    sentence = (
        "The registration state 'Online' is unknown here and counts as not active yet. If it means active, add it to "
        "the extra `active_states` of connection 'dasha_default'; if it means failed, to the extra `failed_states` of "
        "connection 'dasha_default'."
    )
    assert isinstance(outcome.error, AirflowSensorTimeout)
    assert str(outcome.error).count(sentence) == 1
    assert "Online, a state that is unknown here" in outcome.log
    assert sum(line.startswith("WARNING ") and sentence in line for line in outcome.log.splitlines()) == 1
    assert len(sandbox.journal) > 1


def test_an_unknown_state_of_a_wait_with_states_of_its_own(sandbox, connections):
    (number,) = planted(sandbox, [(0, "Online")])
    outcome = waited(sensor(number, timeout=0.2, active_states="Up"), connections)

    assert "add it to this wait's `active_states`; if" in str(outcome.error)


@pytest.mark.parametrize(
    "mode",
    [
        "poke",
        "deferrable",
        pytest.param(
            "reschedule",
            marks=pytest.mark.xfail(
                strict=True,
                reason="Airflow's execution_timeout bounds each look: the time in between does not count",
            ),
        ),
    ],
)
@pytest.mark.parametrize("soft_fail", [False, True])
def test_execution_timeout_bounds_the_whole_wait(sandbox, connections, mode, soft_fail):
    (number,) = planted(sandbox, NEVER)
    task = sensor(number, mode, execution_timeout=timedelta(seconds=1), soft_fail=soft_fail, timeout=4)
    outcome = waited(task, connections)

    assert outcome.state == "up_for_retry", outcome.log
    assert isinstance(outcome.error, AirflowTaskTimeout)
    for words in ("execution_timeout of 1 s", f"+15550200 (id {number}): Registering"):
        assert words in str(outcome.error)


@pytest.mark.parametrize("options", [{}, {"soft_fail": True}, {"execution_timeout": timedelta(seconds=9)}])
def test_a_wait_that_no_triggerer_takes_up_names_the_numbers(sandbox, connections, options):
    ids = planted(sandbox, REGISTERED, NEVER)
    outcome = run_task(sensor(ids, "deferrable", **options), connections=connections).resume_after_timeout()

    assert outcome.state == ("skipped" if "soft_fail" in options else "up_for_retry" if options else "failed")
    for words in (f"+15550201 (id {ids[1]}): Registering", "No triggerer took up the wait"):
        assert words in outcome.log


def test_a_wait_that_no_triggerer_takes_up_is_not_in_vain(sandbox, connections):
    ids = planted(sandbox, REGISTERED, NEVER)
    deferred = run_task(sensor(ids, "deferrable"), connections=connections)
    sandbox.world.dasha.script(ids[1], [{"after": 0, "state": "Registered"}])

    assert deferred.resume_after_timeout().value == dict.fromkeys(ids, "Registered")


def test_a_wait_that_no_triggerer_takes_up_during_an_outage(sandbox, connections):
    ids = planted(sandbox, NEVER)
    sandbox.faults.add(Fault("status", status=503, nth=2, count=None))
    outcome = run_task(sensor(ids, "deferrable"), connections=connections).resume_after_timeout()

    assert isinstance(outcome.error, AirflowSensorTimeout)
    assert ids[0] in str(outcome.error)


@each_mode
def test_each_try_has_the_whole_timeout(sandbox, connections, mode):
    """Also in reschedule mode: Airflow keeps the dates of a try's reschedules by the try."""
    (number,) = planted(sandbox, NEVER)
    connections["dasha_default"]["extra"]["max_failed_polls"] = 1
    sandbox.faults.add(Fault("status", status=503, nth=2))
    first = waited(sensor(number, mode, timeout=2), connections)
    assert first.state == "up_for_retry", first.log

    began = time.time()
    second = waited(sensor(number, mode, timeout=2), connections, try_number=2)
    assert isinstance(second.error, AirflowSensorTimeout)
    assert time.time() - began >= 2


@pytest.mark.parametrize("soft_fail", [False, True])
def test_a_trigger_that_breaks_is_retried(sandbox, connections, soft_fail):
    ids = planted(sandbox, NEVER)
    task = sensor(ids, "deferrable", soft_fail=soft_fail)

    assert run_task(task, connections=connections).resume_after_failure().state == "up_for_retry"


CASES = ("timeout", "failed", "failed later", "gone", "refused")


@pytest.mark.parametrize(
    ("mode", "case"),
    [(mode, case) for mode in MODES for case in CASES],
)
def test_soft_fail(sandbox, connections, mode, case):
    scripts = {"failed": FAILING, "failed later": [(0, "Registering"), (0.1, *FAILING[0][1:])]}
    (number,) = planted(sandbox, scripts.get(case, NEVER))
    if case == "refused":
        sandbox.faults.add(Fault("status", status=403, nth=2))
    task = sensor(ABSENT if case == "gone" else number, mode, soft_fail=True, timeout=0.4)
    outcome = waited(task, connections)

    assert outcome.state == "skipped", outcome.log
    assert isinstance(outcome.error, AirflowSkipException) or outcome.error is None
    assert {
        "timeout": "Registering",
        "failed": "403 Forbidden",
        "failed later": "403 Forbidden",
        "gone": "no such number",
        "refused": "answered 403",
    }[case] in outcome.log + str(outcome.error)


@each_mode
def test_soft_fail_does_not_skip_for_an_outage(sandbox, connections, mode):
    (number,) = planted(sandbox, NEVER)
    connections["dasha_default"]["extra"]["max_failed_polls"] = 2
    sandbox.faults.add(Fault("status", status=503, nth=2, count=None))
    outcome = waited(sensor(number, mode, soft_fail=True), connections)

    assert outcome.state == "up_for_retry", outcome.log


@each_mode
@pytest.mark.parametrize(
    ("case", "state"), [("timeout", "failed"), ("failed", "skipped"), ("outage", "skipped")]
)
def test_never_fail(sandbox, connections, mode, case, state):
    (number,) = planted(sandbox, FAILING if case == "failed" else NEVER)
    connections["dasha_default"]["extra"]["max_failed_polls"] = 2
    if case == "outage":
        sandbox.faults.add(Fault("status", status=503, nth=2, count=None))
    timeout = 0.4 if case == "timeout" else 20
    outcome = waited(sensor(number, mode, never_fail=True, timeout=timeout), connections)

    assert outcome.state == state, outcome.log


@each_mode
def test_an_interval_of_nothing_is_no_busy_loop(sandbox, connections, mode):
    (number,) = planted(sandbox, NEVER)
    outcome = waited(sensor(number, mode, poke_interval=0, timeout=0.5), connections)

    assert isinstance(outcome.error, AirflowSensorTimeout)
    assert 2 <= len(sandbox.journal) <= 8


@each_mode
def test_many_numbers_are_read_by_pages(sandbox, connections, mode):
    ids = planted(sandbox, *[REGISTERED] * 1200)
    outcome = waited(sensor(ids, mode), connections)

    assert outcome.state == "success", outcome.log
    assert len(outcome.value) == 1200
    assert len(sandbox.journal) == 2
    assert {entry.path for entry in sandbox.journal} == {"/api/v1/sip-phone-numbers"}


@each_mode
@pytest.mark.parametrize("where", ["argument", "comma-separated", "connection", "connection text"])
def test_settable_states(sandbox, connections, mode, where):
    active, failed = planted(sandbox, [(0, "OK")], [(0, "Kaputt")])
    states = {"active_states": ["ok", "fine"], "failed_states": ["kaputt"]}
    text = {name: ", ".join(value) for name, value in states.items()}
    arguments: Any = {"argument": states, "comma-separated": text}.get(where, {})
    extra = {"connection": states, "connection text": text}.get(where, {})
    connections["dasha_default"]["extra"].update(extra)

    assert waited(sensor(active, mode, **arguments), connections).state == "success"
    outcome = waited(sensor(failed, mode, **arguments), connections)
    assert outcome.state == "failed"
    assert "Kaputt" in str(outcome.error)


@each_mode
def test_an_outage_shorter_than_allowed(sandbox, connections, mode):
    (number,) = planted(sandbox, [(0, "Registering"), (0.1, "Registered")])
    connections["dasha_default"]["extra"]["max_failed_polls"] = 4
    sandbox.faults.add(Fault("status", status=503, count=3))
    outcome = waited(sensor(number, mode), connections)

    assert outcome.state == "success", outcome.log
    assert "Poll failed" in outcome.log


@each_mode
def test_an_outage_longer_than_allowed_is_retried(sandbox, connections, mode):
    (number,) = planted(sandbox, NEVER)
    connections["dasha_default"]["extra"]["max_failed_polls"] = 3
    sandbox.faults.add(Fault("status", status=503, nth=2, count=None))
    outcome = waited(sensor(number, mode), connections)

    assert outcome.state == "up_for_retry", outcome.log
    assert isinstance(outcome.error, PhonelinkRetryableException)
    assert "3 polls in a row failed, the last one so: GET " in str(outcome.error)
    assert "503" in str(outcome.error)
    assert len(sandbox.journal) == 4


@each_mode
@pytest.mark.parametrize("begins", [True, False], ids=["at once", "later"])
def test_a_connection_that_cannot_be_read_is_a_failed_poll(sandbox, connections, mode, begins):
    sandbox.world.clock.freeze()
    (number,) = planted(sandbox, [(0, "Registering"), (1, "Registered")])
    backend = FlakyBackend(connections, "dasha_default")
    backend.fail(2 if begins else 0)

    def meanwhile(world):
        world.advance(2)
        backend.fail(0 if begins else 2)

    sandbox.faults.meanwhile(meanwhile, when="after")
    outcome = waited(sensor(number, mode), backend)

    assert outcome.state == "success", outcome.log
    assert "Poll failed (1 in a row), the wait goes on: There is no connection 'dasha_default'" in outcome.log


@each_mode
def test_a_connection_that_stays_unreadable_is_retried(sandbox, connections, mode):
    (number,) = planted(sandbox, NEVER)
    connections["dasha_default"]["extra"]["max_failed_polls"] = 2
    backend = FlakyBackend(connections, "dasha_default")
    sandbox.faults.meanwhile(lambda _: backend.fail(1000), nth=1, when="after")
    outcome = waited(sensor(number, mode), backend)

    assert outcome.state == "up_for_retry", outcome.log
    assert "There is no connection 'dasha_default'. Nothing was sent." in str(outcome.error)


@each_mode
@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("nth", [1, 2], ids=["at once", "later"])
@pytest.mark.parametrize("count", [1, 2], ids=["one number", "two numbers"])
def test_a_refused_key_ends_the_wait_at_once(sandbox, connections, mode, status, nth, count):
    ids = planted(sandbox, *[NEVER] * count)
    sandbox.faults.add(Fault("status", status=status, nth=nth, count=None))
    outcome = waited(sensor(ids, mode), connections)

    assert outcome.state == "failed"
    assert isinstance(outcome.error, PhonelinkFailException)
    assert str(status) in str(outcome.error)
    assert "key" in str(outcome.error)
    assert len(sandbox.journal) == nth


@each_mode
def test_a_404_of_the_list_ends_the_wait_at_once(sandbox, connections, mode):
    ids = planted(sandbox, NEVER, NEVER)
    sandbox.faults.add(Fault("status", status=404, count=None))
    outcome = waited(sensor(ids, mode), connections)

    assert outcome.state == "failed"
    assert len(sandbox.journal) <= 3


@pytest.mark.parametrize("mode", MODES)
def test_a_key_edited_during_the_wait_works_at_the_next_poll(sandbox, connections, mode):
    sandbox.world.clock.freeze()
    sandbox.faults.meanwhile(lambda world: world.advance(1), nth=2, when="after")
    (number,) = planted(sandbox, [(0, "Registering"), (1, "Registered")])

    def rotate(_):
        sandbox.change_key("dasha", "another-key")
        connections["dasha_default"]["password"] = "another-key"

    sandbox.faults.meanwhile(rotate, nth=2, when="after")
    outcome = waited(sensor(number, mode, retries=0), connections)

    assert outcome.state == "success", outcome.log
    assert len(sandbox.journal) > 2


@each_mode
def test_exponential_backoff_waits_longer_each_time(sandbox, connections, mode):
    (number,) = planted(sandbox, NEVER)
    waited(sensor(number, mode, exponential_backoff=True, timeout=1.5), connections)

    assert 2 <= len(sandbox.journal) <= 7


@each_mode
def test_templates_and_ids_from_an_xcom(sandbox, connections, mode):
    ids = planted(sandbox, REGISTERED, SOON)
    task = sensor(
        ["{{ ti.xcom_pull('create')['id'] }}", "{{ params.other }}"],
        mode,
        active_states="{{ var.value.active }}",
        failed_states=["{{ params.failed }}"],
        dasha_conn_id="{{ params.conn }}",
        params={"other": ids[1], "failed": "Failed", "conn": "dasha_default"},
    )
    outcome = waited(
        task, connections, xcoms={"create": {"id": ids[0]}}, variables={"active": "Registered, Active"}
    )

    assert outcome.state == "success", outcome.log
    assert outcome.value == dict.fromkeys(ids, "Registered")


@each_mode
def test_one_id_given_twice_is_one_number(sandbox, connections, mode):
    (number,) = planted(sandbox, SOON)
    outcome = waited(sensor([number, number.upper()], mode), connections)

    assert outcome.value == {number: "Registered"}


def test_looks_once_before_it_defers_and_leaves_the_trigger_plain(sandbox, connections):
    (number,) = planted(sandbox, NEVER)
    outcome = run_task(sensor(number, "deferrable"), connections=connections)

    assert outcome.state == "deferred"
    assert len(sandbox.journal) == 1
    assert connections["dasha_default"]["password"] not in str(outcome.deferral.trigger_kwargs)
    assert outcome.deferral.timeout > timedelta(seconds=20)  # type: ignore[operator]


def test_a_first_look_that_fails_is_enough_to_defer(sandbox, connections):
    ids = planted(sandbox, SOON, SOON)
    sandbox.faults.add(Fault("status", status=503, count=3))
    deferred = run_task(sensor([ids[0].upper(), ids[1]], "deferrable"), connections=connections)

    assert deferred.state == "deferred", deferred.log
    assert len(sandbox.journal) == 1
    (event,) = run_trigger(deferred.deferral.trigger, connections=connections)
    assert event["states"] == dict.fromkeys(ids, "Registered")


def test_it_does_not_defer_before_it_knows_the_numbers_ids(sandbox, connections):
    (number,) = planted(sandbox, NEVER)
    sandbox.faults.add(Fault("status", status=503, count=2))
    deferred = run_task(sensor("+15550200", "deferrable"), connections=connections)

    assert deferred.deferral.trigger_kwargs["phone_number_ids"] == [number]
    assert deferred.log.count("Poll failed") == 2


def test_the_deadline_does_not_start_again_with_the_triggerer(sandbox, connections):
    (number,) = planted(sandbox, NEVER)
    deferral = run_task(sensor(number, "deferrable", timeout=1), connections=connections).deferral
    with pytest.raises(TimeoutError):  # a triggerer that dies
        run_trigger(deferral.trigger, connections=connections, timeout=0.6)
    started = datetime.now(timezone.utc)
    (event,) = run_trigger(type(deferral.trigger)(**deferral.trigger_kwargs), connections=connections)

    assert "Registering" in str(event)
    assert datetime.now(timezone.utc) - started < timedelta(seconds=0.8)


def test_what_the_trigger_needs_survives_its_row_and_a_real_runner(sandbox, connections):
    ids = planted(sandbox, REGISTERED, FAILING, NEVER)
    task = sensor([*ids, ABSENT], "deferrable", on_failed="report", on_timeout="report", timeout=1.5)
    deferred = run_task(task, connections=connections)
    assert deferred.deferral.trigger_kwargs["never_seen"] == [ABSENT]
    stored = through_task_row(deferred.deferral.trigger)
    [event] = run_in_a_triggerer(type(deferred.deferral.trigger)(**stored), connections)

    assert event["status"] == "timeout"
    report = {
        "active": [ids[0]],
        "failed": {ids[1]: "Failed, No route to the registrar, 403 Forbidden"},
        "waiting": {ids[2]: "Registering", ABSENT: ""},
    }
    assert deferred.resume(event).value == report


def test_a_cancelled_trigger_leaves_nothing_running(sandbox, connections):
    (number,) = planted(sandbox, NEVER)
    deferral = run_task(sensor(number, "deferrable"), connections=connections).deferral
    sandbox.faults.add(Fault("hang", nth=2, count=None))
    before = threading.active_count()
    left: list[Any] = []

    async def cancelled():
        from airflow_harness.tasks import trigger_context

        with trigger_context(connections):
            stream = deferral.trigger.run()
            task = asyncio.ensure_future(anext(stream))
            await asyncio.sleep(0.6)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await deferral.trigger.cleanup()
            left.extend(other for other in asyncio.all_tasks() if other is not asyncio.current_task())

    asyncio.run(cancelled())
    gc.collect()  # an unclosed socket is a warning, and warnings are errors
    assert not left
    assert threading.active_count() <= before + 1  # the loop's thread pool goes with it, in its own time
    asked = len(sandbox.journal)
    threading.Event().wait(0.3)
    assert len(sandbox.journal) == asked


@pytest.mark.parametrize("configured", [True, False])
def test_the_configured_default_of_deferrable(configured):
    show = (
        "from airflow_provider_phonelink.sensors.dasha import DashaRegistrationSensor as Sensor;"
        "print(Sensor(task_id='wait', phone_number_ids='x').deferrable)"
    )
    environment = {**os.environ, "AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE": str(configured)}
    shown = subprocess.run(
        [sys.executable, "-c", show], env=environment, capture_output=True, text=True, check=True
    )

    assert shown.stdout.split()[-1] == str(configured)
