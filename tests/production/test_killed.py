"""A Celery worker and a triggerer are killed in the middle of onboarding hundreds of numbers; nobody restarts them."""

from __future__ import annotations

import csv
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_harness.rest import FINISHED, moment

from .conftest import EXAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from airflow_harness.rest import AirflowApi

    from .conftest import Production

TRUNK = "d51449dd-cc9d-55e6-914e-8a6f102e0c3f"
#: A few numbers with four tasks each, by `onboarding.py`; each has an agent of its own and a wait of its own.
GROUPED = {f"+1555020{n:04}": f"agent-{n}" for n in range(8)}
#: 200 numbers, each with a task that creates and a task that links it, by `dags/onboarding_mapped.py`.
with (EXAMPLES / "numbers.csv").open(encoding="utf-8-sig", newline="") as file:
    MAPPED = {
        row["phone_number"]: row["inbound_agent_id"]
        for row in csv.DictReader(file)
        if row["phone_number"].startswith("+")  # the example has one that a spreadsheet has spoilt
    }
ALL = GROUPED | MAPPED
CREATE = ("onboard.create", "create")
#: The first numbers are registered at once, the others not before the test lets them.
READY, NEVER = 4, 1e6
#: After so many numbers are created, the answers to further creates are late by so many seconds.
CREATED, LATE = 40, 20
PATIENCE = 1200


class Task(NamedTuple):
    """A task instance of one of the two runs."""

    dag_id: str
    task_id: str
    map_index: int


@dataclass
class Runs:
    """The runs that are under way, and what Airflow says of their tasks."""

    api: AirflowApi
    ids: dict[str, str] = field(default_factory=dict)

    def trigger(self, dag_id: str, **conf: Any) -> None:
        self.ids[dag_id] = self.api.trigger_dag(dag_id, conf)

    def tasks(self, *states: str) -> dict[Task, dict[str, Any]]:
        return {
            Task(dag_id, task["task_id"], task["map_index"]): task
            for dag_id, run_id in self.ids.items()
            for task in self.api.task_instances(dag_id, run_id, *states)
        }

    def waits(self) -> dict[Task, str | None]:
        """Which triggerer has each wait that is deferred."""
        hosts = {job["id"]: job["hostname"] for job in self.api.running_jobs()}
        return {
            name: hosts.get((task["trigger"] or {}).get("triggerer_id"))
            for name, task in self.tasks("deferred").items()
        }

    def creating(self) -> dict[Task, dict[str, Any]]:
        """The tasks that are creating numbers."""
        return {name: task for name, task in self.tasks("running").items() if name.task_id in CREATE}

    def wait(self) -> None:
        """Wait until both are over, with success."""
        wait_until(self.api, lambda: set(self.states()) <= set(FINISHED), self.states)
        unsuccessful = {
            name: task["state"] for name, task in self.tasks().items() if task["state"] != "success"
        }
        assert set(self.states()) == {"success"}, unsuccessful

    def states(self) -> list[str]:
        return [self.api.run_state(dag_id, run_id) for dag_id, run_id in self.ids.items()]

    def count_events(self, event: str) -> int:
        return sum(self.api.count_events(dag_id, run_id, event) for dag_id, run_id in self.ids.items())


def test_what_the_dead_began_the_living_finish(production: Production, capsys: pytest.CaptureFixture[str]):
    vendors, api = production.vendors, production.airflow.api
    runs = Runs(api)
    began = time.time()
    begin(production, runs)
    middle = numbers(production)
    assert middle["linked"] > 0
    assert middle["unlinked"] > len(runs.waits()) > 0
    assert middle["linked"] + middle["unlinked"] < len(ALL)

    loss = kill_a_worker_and_a_triggerer(production, runs)
    vendors.clear_faults()
    wait_until(api, lambda: loss.is_taken_over(runs.waits()), runs.waits)
    taken_over = time.time() - loss.at
    vendors.set(dasha_registration_seconds=1)
    runs.wait()
    took = time.time() - began

    assert_onboarded(production)
    again = {name: task for name, task in runs.tasks().items() if name in loss.tasks}
    assert all(task["try_number"] > loss.tasks[name]["try_number"] for name, task in again.items()), again
    assert not production.leaks()
    with capsys.disabled():
        tell(
            {
                "all of it took": f"{took:.0f} s",
                "numbers": f"{len(GROUPED)} in groups of four tasks, {len(MAPPED)} with two tasks each",
                "at the kill": f"{middle['linked']} linked, {middle['unlinked']} only created",
                "killed waits": f"{len(loss.waits)}, taken over after {taken_over:.0f} s",
                "killed tasks": f"{len(again)}, ran again after {ran_again(again, loss.at)} s",
                "task processes": runs.count_events("running"),
                "deferrals": runs.count_events("deferred"),
                "XComs": production.count(
                    "select count(*) from xcom where run_id = any(%s)", list(runs.ids.values())
                ),
                "requests to the vendor": f"{vendors.requests()}, of which {len(vendors.writes())} changed something",
            }
        )


def begin(production: Production, runs: Runs) -> None:
    """Onboard until some numbers are linked, others are waited for, and many are being created."""
    vendors, api = production.vendors, production.airflow.api
    vendors.reset(dasha_registration_seconds=NEVER)
    for number in list(GROUPED)[:READY]:
        vendors.plan_registration(number, {"after": 0, "state": "Registered"})
    slow = {"kind": "slow", "when": "after", "method": "POST", "path": "sip-phone-numbers$"}
    vendors.add_fault(**slow, nth=CREATED, count=None, seconds=LATE)
    wanted = [{"phone_number": number, "agent_id": agent} for number, agent in GROUPED.items()]
    runs.trigger("onboarding", credentials_id=TRUNK, numbers=wanted)
    runs.trigger("onboarding_mapped", credentials_id=TRUNK, agents=MAPPED)

    def in_the_middle() -> bool:
        links = numbers(production)["linked"]
        return links >= READY // 2 and len(runs.waits()) >= READY and bool(runs.creating())

    wait_until(api, in_the_middle, lambda: (runs.waits(), numbers(production)))


def numbers(production: Production) -> Counter[str]:
    """How many numbers are linked, and how many are created and not linked."""
    rows = [row for rows in production.vendors.state().values() for row in rows]
    return Counter("linked" if row["inbound_agent"] else "unlinked" for row in rows)


@dataclass
class Loss:
    """What a worker and a triggerer took with them when they were killed."""

    at: float
    triggerer: str
    tasks: dict[Task, dict[str, Any]]
    waits: list[Task]

    def is_taken_over(self, waits: dict[Task, str | None]) -> bool:
        """Whether the other triggerer has all the waits by now."""
        return all(waits[wait] not in (None, self.triggerer) for wait in self.waits)


def kill_a_worker_and_a_triggerer(production: Production, runs: Runs) -> Loss:
    """Kill those that have something to do."""
    airflow = production.airflow
    waits, creating = runs.waits(), runs.creating()
    [(triggerer, _)] = Counter(filter(None, waits.values())).most_common(1)
    # A worker that creates some of the many: their DAG's name comes last.
    worker = creating[max(creating)]["hostname"]
    at = time.time()
    airflow.kill(worker)
    airflow.kill(triggerer)
    killed = {name: task for name, task in runs.tasks("running").items() if task["hostname"] == worker}
    assert set(killed) & set(creating), "no number was being created"
    return Loss(at, triggerer, killed, [wait for wait, host in waits.items() if host == triggerer])


def wait_until(api: AirflowApi, done: Callable[[], bool], explain: Callable[[], object]) -> None:
    api.wait_until(done, PATIENCE, lambda: str(explain()), every=1)


def assert_onboarded(production: Production) -> None:
    """Every number is there once, created once, active, and with its agent; there is no other."""
    state = production.vendors.state()
    assert {number: len(rows) for number, rows in state.items()} == dict.fromkeys(ALL, 1)
    rows = {number: row for number, [row] in state.items()}
    assert {number: row["inbound_agent"] for number, row in rows.items()} == ALL
    assert {number: row["outbound_agents"] for number, row in rows.items()} == {
        number: [GROUPED[number]] if number in GROUPED else [] for number in rows
    }
    assert {row["registration"] for row in rows.values()} == {"Registered"}
    created = Counter(write["body"]["phoneNumber"] for write in production.vendors.writes("POST"))
    assert created == dict.fromkeys(ALL, 1)


def ran_again(tasks: dict[Task, dict[str, Any]], killed_at: float) -> str:
    """After how many seconds the first and the last of the tasks started once more."""
    seconds = sorted(moment(task["start_date"]).timestamp() - killed_at for task in tasks.values())
    return f"{seconds[0]:.0f} to {seconds[-1]:.0f}"


def tell(figures: dict[str, object]) -> None:
    print()
    for what, figure in figures.items():
        print(f"    {what}: {figure}")
