"""A Celery worker and a triggerer are killed in the middle of onboarding hundreds of numbers; nobody restarts them."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_harness.rest import FINISHED, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pytest
    from airflow_harness.rest import AirflowApi

    from .conftest import Production

TRUNK = "d51449dd-cc9d-55e6-914e-8a6f102e0c3f"
#: A few numbers with four tasks each, by `onboarding.py`; each has an agent of its own and a wait of its own.
GROUPED = {f"+1555020{n:04}": f"agent-{n}" for n in range(8)}
#: 200 rows, all of them onboarded by one task, in `dags/onboarding_many.py`; nine of them come to nothing.
MANY = {f"+1555030{n:04}": f"agent-{n % 3}" for n in range(200)}
FORBIDDEN, REJECTED = list(MANY)[:3], list(MANY)[3:5]
TAKEN, OFF, ELSEWHERE, SPOILT = list(MANY)[5:9]
#: What a spreadsheet made of the number.
AS_SPOILT = "1.5551E+10"
REASONS = {
    **dict.fromkeys(FORBIDDEN, "403 Forbidden"),
    **dict.fromkeys(REJECTED, "Rejected"),
    TAKEN: "answers for agent agent-elsewhere",
    OFF: "registration=False instead of True",
    ELSEWHERE: "Conflict",
    AS_SPOILT: "scientific notation",
}
LINKED = [number for number in MANY if number not in (*REASONS, SPOILT)]
ALL = GROUPED | MANY
#: Seconds after which a registration that failed comes to life.
MENDED = 3600
CREATE = ("onboard.create", "onboard")
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
        """Wait until all are over, with success."""
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
    """
    Eight numbers are onboarded with tasks of their own, 200 in one task, nine of which fail in six different ways.

    Then the many are onboarded twice more: nothing is written while nothing has changed, and exactly what is missing
    once the registrations that failed have come to life.
    """
    vendors, api = production.vendors, production.airflow.api
    runs = Runs(api)
    began = time.time()
    begin(production, runs)
    middle = numbers(production)
    assert middle["linked"] > 0
    assert middle["unlinked"] > len(runs.waits()) > 0
    assert middle["linked"] + middle["unlinked"] < len(ALL) - 1

    loss = kill_a_worker_and_a_triggerer(production, runs)
    vendors.clear_faults()
    wait_until(api, lambda: loss.is_taken_over(runs.waits()), runs.waits)
    taken_over = time.time() - loss.at
    vendors.set(dasha_registration_seconds=1)
    runs.wait()
    took = time.time() - began

    assert_onboarded(production, linked=LINKED)
    assert_told(runs)
    again = {name: task for name, task in runs.tasks().items() if name in loss.tasks}
    assert all(task["try_number"] > loss.tasks[name]["try_number"] for name, task in again.items()), again
    assert_repeated(production, runs)
    assert not production.leaks()
    with capsys.disabled():
        tell(
            {
                "all of it took": f"{took:.0f} s",
                "numbers": f"{len(GROUPED)} in groups of four tasks, {len(MANY)} in one task",
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
    vendors.plant(dasha=seed())
    for number in list(GROUPED)[:READY]:
        vendors.plan_registration(number, {"after": 0, "state": "Registered"})
    slow = {"kind": "slow", "when": "after", "method": "POST", "path": "sip-phone-numbers$"}
    vendors.add_fault(**slow, nth=CREATED, count=None, seconds=LATE)
    wanted = [{"phone_number": number, "agent_id": agent} for number, agent in GROUPED.items()]
    runs.trigger("onboarding", credentials_id=TRUNK, numbers=wanted)
    runs.trigger("onboarding_many", credentials_id=TRUNK, numbers=rows())

    def in_the_middle() -> bool:
        links = numbers(production)["linked"]
        return links >= READY // 2 and len(runs.waits()) >= READY and bool(runs.creating())

    wait_until(api, in_the_middle, lambda: (runs.waits(), numbers(production)))


def rows() -> list[dict[str, str]]:
    return [
        {"phone_number": AS_SPOILT if number == SPOILT else number, "inbound_agent_id": agent}
        for number, agent in MANY.items()
    ]


def seed() -> dict[str, Any]:
    """What is at the vendor before, and how the registrations that fail go."""

    def fails(state: str, reason: str) -> list[dict[str, Any]]:
        return [
            {"after": 0, "state": "Registering"},
            {"after": 1, "state": state, "error": reason},
            {"after": MENDED, "state": "Registered"},
        ]

    return {
        "numbers": [
            {
                "phone_number": TAKEN,
                "credentials_id": TRUNK,
                "registration": True,
                "inbound": "agent-elsewhere",
                "steps": [{"after": 0, "state": "Registered"}],
            },
            {"phone_number": OFF, "credentials_id": TRUNK},
        ],
        "plans": {
            **dict.fromkeys(FORBIDDEN, fails("Failed", "403 Forbidden")),
            **dict.fromkeys(REJECTED, fails("Rejected", "Not acceptable")),
        },
        "linked_elsewhere": [ELSEWHERE],
    }


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


def assert_onboarded(production: Production, linked: list[str]) -> None:
    """Every number is there once, created once, and with its agent if it is active; there is no other."""
    state = production.vendors.state()
    there = [number for number in ALL if number != SPOILT]
    assert {number: len(rows) for number, rows in state.items()} == dict.fromkeys(there, 1)
    rows = {number: row for number, [row] in state.items()}
    agents = {number: agent for number, agent in ALL.items() if number in GROUPED or number in linked}
    agents[TAKEN] = "agent-elsewhere"
    assert {number: row["inbound_agent"] for number, row in rows.items() if row["inbound_agent"]} == agents
    assert {number: row["outbound_agents"] for number, row in rows.items() if row["outbound_agents"]} == {
        number: [agent] for number, agent in GROUPED.items()
    }
    assert {rows[number]["registration"] for number in (*GROUPED, *linked)} == {"Registered"}
    created = Counter(write["body"]["phoneNumber"] for write in production.vendors.writes("POST"))
    assert created == dict.fromkeys((number for number in there if number not in (TAKEN, OFF)), 1)


def assert_told(runs: Runs, but: Sequence[str] = ()) -> None:
    """The many have a row each, and those that came to nothing the reason why."""
    told = runs.api.xcom("onboarding_many", runs.ids["onboarding_many"], "onboard")
    missing = {number: reason for number, reason in REASONS.items() if number not in but}
    assert (told["numbers"], told["failed"]) == (len(MANY), len(missing))
    reasons = {row["phone_number"]: row["reason"] for row in told["rows"] if row["reason"]}
    assert reasons.keys() == missing.keys()
    assert not {number: reason for number, reason in reasons.items() if missing[number] not in reason}


def assert_repeated(production: Production, runs: Runs) -> None:
    """Another run over the same numbers is red if it is asked to be, and makes the missing writes only."""
    vendors, api = production.vendors, production.airflow.api
    several = Runs(api)
    before = len(vendors.writes())
    several.trigger("onboarding_many", credentials_id=TRUNK, numbers=rows(), on_failed="fail")
    run_id = several.ids["onboarding_many"]
    assert api.wait("onboarding_many", run_id) == "failed"
    assert_told(several)
    # Each of its tries asks once more for the link that the vendor refuses.
    assert len(vendors.writes()) == before

    vendors.advance(MENDED)
    several.trigger("onboarding_many", credentials_id=TRUNK, numbers=rows())
    several.wait()
    mended = [*FORBIDDEN, *REJECTED]
    assert_told(several, but=mended)
    assert_onboarded(production, linked=[*LINKED, *mended])
    assert len(vendors.writes()) == before + len(mended)


def ran_again(tasks: dict[Task, dict[str, Any]], killed_at: float) -> str:
    """After how many seconds the first and the last of the tasks started once more."""
    seconds = sorted(moment(task["start_date"]).timestamp() - killed_at for task in tasks.values())
    return f"{seconds[0]:.0f} to {seconds[-1]:.0f}"


def tell(figures: dict[str, object]) -> None:
    print()
    for what, figure in figures.items():
        print(f"    {what}: {figure}")
