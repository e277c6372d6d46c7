"""SIGKILL in the middle of everything: a scheduler with its workers, and a triggerer, at each step of what they do."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from airflow_harness.waiting import EVENTUALLY
from system.links_deployed import BOX_RECONCILIATIONS, MOVES, RECONCILIATIONS, ROTATIONS

from airflow_provider_phonelink.sandbox import Fault, seeds

ONBOARDING = Path(__file__).parents[2] / "example_dags" / "onboarding.py"
LINKS = Path(__file__).with_name("links_deployed.py")
TRUNK = "d51449dd-cc9d-55e6-914e-8a6f102e0c3f"
NUMBERS = "/api/v1/sip-phone-numbers$"
#: So that a task whose process is gone is noticed in seconds and not in minutes, and all of them run at once.
IMPATIENT = {
    "AIRFLOW__CORE__PARALLELISM": "12",
    "AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG": "12",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "8",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "1",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "2",
}
REGISTERED = [{"after": 0, "state": "Registered"}]
MORE_THAN_TWO_POLLS = timedelta(seconds=5)

#: What each number is doing when the processes die.
CREATING = ("+15550100201", "+15550100202")
LINKING, LINKED = "+15550100203", "+15550100204"
WAITING = "+15550100205"
ALL = (*CREATING, LINKING, LINKED, WAITING)


def onboarding_of(*phone_numbers):
    return {
        "credentials_id": TRUNK,
        "numbers": [{"phone_number": number, "agent_id": f"agent-{number}"} for number in phone_numbers],
    }


def hold(sandbox, **fault):
    """Let a request hang until whoever sent it is gone."""
    return sandbox.faults.add(Fault("hang", **fault))


def until(done, seconds=EVENTUALLY):
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it did not come to that in time"
        time.sleep(0.2)


@pytest.fixture
def connections(phonelink_sandbox):
    """Connections that wait long enough for a request to be caught in the middle."""
    found = phonelink_sandbox.connections
    return {
        conn_id: {**fields, "extra": {"timeout": 120, "total_timeout": 600}}
        for conn_id, fields in found.items()
    }


def numbers_by_phone(sandbox):
    dasha = sandbox.world.dasha
    found: dict[str, list[Any]] = {}
    for number_id, link in dasha.links().items():
        found.setdefault(dasha.get(number_id).settings.phone_number, []).append(link)
    return found


def test_every_number_is_onboarded_once_whatever_was_killed(deploy, phonelink_sandbox, connections):
    sandbox = phonelink_sandbox
    dasha = sandbox.world.dasha
    for phone_number in (LINKING, LINKED):
        number_id = dasha.add_number(
            phone_number=phone_number, credentials_id=TRUNK, registration=True, steps=REGISTERED
        )
        when = "before" if phone_number == LINKING else "after"
        # Both links of the number, inbound and outbound, are caught: before or after they took effect.
        hold(sandbox, method="PUT", path=f"/{number_id}/agent-link$", count=2, when=when)
    hold(sandbox, method="POST", path=NUMBERS, nth=1, when="before")
    hold(sandbox, method="POST", path=NUMBERS, nth=2, when="after")
    waiting_id = dasha.add_number(phone_number=WAITING, credentials_id=TRUNK, registration=True)
    dasha.script(waiting_id, [(0, "Registering"), (3600, "Registered")])

    with deploy("kills", dags=[ONBOARDING], connections=connections, settings=IMPATIENT) as airflow:
        run_id = airflow.api.trigger_dag("onboarding", conf=onboarding_of(*ALL))
        until(lambda: sandbox.faults.fired == 6)
        wait = ("onboard.wait_until_registered", ALL.index(WAITING))
        until(lambda: airflow.api.task_states("onboarding", run_id).get(wait) == "deferred")

        airflow.kill("scheduler")
        airflow.kill("triggerer")
        sandbox.faults.clear()
        sandbox.world.advance(3601)
        airflow.start("scheduler")
        airflow.start("triggerer")
        state = airflow.api.wait("onboarding", run_id)
        assert state == "success", airflow.api.task_states("onboarding", run_id)

    expected = {number: [(f"agent-{number}", [f"agent-{number}"])] for number in ALL}
    assert numbers_by_phone(sandbox) == expected
    creations = [write.body["phoneNumber"] for write in sandbox.journal.writes() if write.method == "POST"]
    assert sorted(creations) == sorted(CREATING)


def test_a_wait_that_is_marked_failed_or_cleared_leaves_nothing_running(
    deploy, phonelink_sandbox, connections
):
    sandbox = phonelink_sandbox
    sandbox.world.plan_registration(WAITING, [(0, "Registering")])
    with deploy("marked", dags=[ONBOARDING], connections=connections) as airflow:
        run_id = airflow.api.trigger_dag("onboarding", conf=onboarding_of(WAITING))
        wait = ("onboard.wait_until_registered", 0)
        until(lambda: airflow.api.task_states("onboarding", run_id).get(wait) == "deferred")
        polls = len(sandbox.journal)
        until(lambda: len(sandbox.journal) > polls)

        airflow.api.mark("onboarding", run_id, wait[0], "failed", map_index=0)
        until(lambda: "trigger completed" in airflow.task_log("onboarding", run_id, *wait))
        polls = len(sandbox.journal)
        at = datetime.now(timezone.utc)
        until(lambda: airflow.api.signs_of_life()["TriggererJob"][0] > at + MORE_THAN_TWO_POLLS)
        assert len(sandbox.journal) == polls


class Links:
    """What the tasks of the DAG `links` find: their numbers, and requests at which they hang."""

    def __init__(self, sandbox) -> None:
        self.sandbox = sandbox
        self.dasha, self.box = sandbox.world.dasha, sandbox.world.callingbox
        self.pools = [self._pool(i, *moment) for i, moment in enumerate(ROTATIONS)]
        self.routed = [self._routed(i, *moment) for i, moment in enumerate(RECONCILIATIONS)]
        for i, (method, when) in enumerate(MOVES):
            self._attached("old", "new", f"moved-{i}", f"stays-{i}", i)
            hold(sandbox, method=method, path=f"/agents/(old|new)-{i}/", when=when)
        for i, (method, when) in enumerate(BOX_RECONCILIATIONS):
            self._attached("last", "next", f"routed-{i}", f"rest-{i}", i)
            self.box.add_number(f"+1555 pruned-{i}", id=f"pruned-{i}", agents=[f"last-{i}"])
            hold(sandbox, method=method, path=f"/agents/(last|next)-{i}/", when=when)
        sandbox.journal.clear()

    def _pool(self, i, method, when):
        pool = sorted(
            self.dasha.add_number(f"+15550{i}{n}", display_name=f"pool {i} {n}", steps=seeds.REGISTERED)
            for n in range(3)
        )
        self.dasha.link(pool[0], f"caller-{i}", "replaceOutbound")
        if method == "PUT":
            hold(self.sandbox, method="PUT", path=f"/{pool[1]}/", when=when)
        else:
            hold(self.sandbox, method="GET", path=f"/{pool[1]}/affected-agents$")
        return pool

    def _routed(self, i, method, when):
        moved = self.dasha.add_number(f"+1555041{i}", inbound=f"old-{i}")
        pruned = self.dasha.add_number(f"+1555042{i}", inbound=f"old-{i}")
        hold(self.sandbox, method=method, path=f"/({moved}|{pruned})/agent-link$", when=when)
        return moved, pruned

    def _attached(self, old, new, moved, other, i):
        for agent in (old, new):
            self.box.add_agent("inbound", id=f"{agent}-{i}")
        for number in (moved, other):
            self.box.add_number(f"+1555 {number}", id=number, agents=[f"{old}-{i}"])
        self.box.set_primary(f"{old}-{i}", moved)

    def check(self) -> None:
        for i, pool in enumerate(self.pools):
            assert self.dasha.outbound.number_of[f"caller-{i}"] == pool[1]
            assert self.writes(pool) == 1
        links = self.dasha.links()
        for i, (moved, pruned) in enumerate(self.routed):
            assert (links[moved][0], links[pruned][0]) == (f"new-{i}", None)
            assert self.writes((moved, pruned)) == 2
        links = self.box.links()
        for i in range(len(MOVES)):
            assert (links[f"moved-{i}"][0], links[f"stays-{i}"][0]) == (f"new-{i}", f"old-{i}")
            assert self.box.agents[f"old-{i}"].primary_number == f"stays-{i}"
            assert self.writes([f"/agents/(old|new)-{i}/"]) == 3
        for i in range(len(BOX_RECONCILIATIONS)):
            assert (links[f"routed-{i}"][0], links[f"pruned-{i}"][0]) == (f"next-{i}", None)
            assert self.box.agents[f"last-{i}"].primary_number == f"rest-{i}"
            assert self.writes([f"/agents/(last|next)-{i}/"]) == 4

    def writes(self, paths):
        return sum(entry.changed for path in paths for entry in self.sandbox.journal.requests(path=path))


def test_every_link_is_changed_once_whatever_was_killed(deploy, phonelink_sandbox, connections):
    sandbox = phonelink_sandbox
    links = Links(sandbox)
    held = len(ROTATIONS) + len(RECONCILIATIONS) + len(MOVES) + len(BOX_RECONCILIATIONS)
    settings = {**IMPATIENT, "AIRFLOW__CORE__PARALLELISM": str(held)}
    settings["AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG"] = str(held)
    with deploy("links", dags=[LINKS], connections=connections, settings=settings) as airflow:
        run_id = airflow.api.trigger_dag("links")
        until(lambda: sandbox.faults.fired == held)

        airflow.kill("scheduler")
        sandbox.faults.clear()
        airflow.start("scheduler")
        state = airflow.api.wait("links", run_id)
        assert state == "success", airflow.api.task_states("links", run_id)

    links.check()
