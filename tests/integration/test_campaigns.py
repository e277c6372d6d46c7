"""The example DAGs of many campaigns and of failover, executed."""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
from airflow.sdk import DAG
from airflow_harness.runs import load_dag
from airflow_harness.tasks import run_task
from integration.worlds import CREDENTIALS

from airflow_provider_phonelink.operators.dasha import DashaRotatePhoneNumberOperator
from airflow_provider_phonelink.sandbox import seeds

EXAMPLES = Path(__file__).parents[2] / "example_dags"
AIRFLOW = tuple(map(int, version("apache-airflow").split(".")[:2]))
FAILED = [{"after": 0, "state": "Failed"}]
MONDAY = datetime(2026, 3, 2, tzinfo=timezone.utc)


@pytest.fixture
def pools(sandbox) -> dict[str, list[str]]:
    add = sandbox.world.dasha.add_number
    return {
        agent: [
            add(f"+1555{i}300{place}", CREDENTIALS, display_name=f"{name} {i}", steps=seeds.REGISTERED)
            for i in range(4)
        ]
        for place, (agent, name) in enumerate({"agent-campaign": "Campaign", "agent-sales": "Sales"}.items())
    }


def callers(sandbox) -> dict[str, str]:
    return dict(sandbox.world.dasha.outbound.number_of)


@contextmanager
def slack():
    """A webhook on loopback that keeps what it is told."""
    told: list[str] = []

    class Webhook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Webhook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield (
            told,
            {"conn_type": "http", "host": f"http://127.0.0.1:{server.server_port}", "password": "T0/B0/x"},
        )
    finally:
        server.shutdown()
        server.server_close()


def test_a_run_rotates_the_campaigns_that_call_and_tells_of_the_one_that_failed(
    sandbox, pools, connections, run_dag
):
    for number in pools["agent-sales"]:
        sandbox.world.dasha.script(number, FAILED)
    with slack() as (told, connection):
        run = run_dag(
            load_dag(EXAMPLES / "campaigns.py"),
            connections={**connections, "slack_campaigns": connection},
            logical_date=MONDAY + timedelta(hours=15),  # 10:00 in New York, 16:00 in Zurich
        )
    assert run.state == "failed"
    assert callers(sandbox).keys() == {"agent-campaign"}
    [message] = told
    reason = message.removeprefix("agent-sales keeps its caller ID, because the rotation failed: ")
    # Workers of every version give the exception; a run without them does so from Airflow 3.3 on.
    has_reason = AIRFLOW >= (3, 3)
    assert reason.startswith("0 of 4 numbers" if has_reason else ("0 of 4 numbers", "see the log"))


@pytest.fixture(scope="module")
def dag() -> DAG:
    return load_dag(EXAMPLES / "campaigns.py")


def due(dag: DAG, at: datetime, reputation: dict[str, str] | None = None) -> list[dict]:
    """What the example's task gives the rotation at a moment."""
    from airflow.sdk import Variable

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Variable, "get", staticmethod(lambda *_, **__: reputation or {}))
        found: list[dict] = dag.get_task("campaigns_to_call").python_callable(
            dag_run=SimpleNamespace(logical_date=None, run_after=at)
        )
    return found


@pytest.mark.parametrize(
    ("at", "agents"),
    [
        (datetime(2026, 3, 2, 7), {"agent-sales"}),  # 08:00 in Zurich
        (datetime(2026, 3, 2, 14), {"agent-sales", "agent-campaign"}),  # 09:00 in New York
        (
            datetime(2026, 3, 9, 13),
            {"agent-sales", "agent-campaign"},
        ),  # in summer time there, and not in Zurich
        (datetime(2026, 3, 2, 22), {"agent-campaign"}),
        (datetime(2026, 3, 2, 23), set()),
        (datetime(2026, 3, 1, 15), set()),  # a Sunday
        (datetime(2026, 11, 26, 15), {"agent-sales"}),  # a holiday in the USA
    ],
)
def test_who_calls_when(dag, at, agents):
    assert {row["agent_id"] for row in due(dag, at.replace(tzinfo=timezone.utc))} == agents


def test_every_number_of_a_pool_comes_in_its_turn_over_sixty_days_with_skipped_hours(
    sandbox, pools, connections, dag
):
    chance = random.Random(60)  # noqa: S311 - which runs are skipped
    held = sandbox.world.dasha.get(pools["agent-campaign"][1]).settings.phone_number
    mapped = dag.get_task("rotate")
    options = {name: mapped.partial_kwargs[name] for name in ("max_in_use", "cool_down")}
    variables: dict[str, str] = {}
    used: dict[str, list[str]] = {agent: [] for agent in pools}
    for day in range(60):
        for hour in sorted(chance.sample(range(8, 22), 2)):
            at = MONDAY + timedelta(days=day, hours=hour)
            for row in due(dag, at, {held: "answer rate 4 %"} if 20 <= day < 30 else {}):
                with DAG("campaigns", schedule="@hourly", start_date=MONDAY):
                    task = DashaRotatePhoneNumberOperator(task_id="rotate", **row, **options)
                outcome = run_task(
                    task,
                    connections=connections,
                    variables=variables,
                    logical_date=at,
                    run_id=f"scheduled__{at:%d %b %H}",
                )
                assert outcome.state == "success", outcome.log
                number = outcome.value["current"]["id"]
                assert number == callers(sandbox)[row["agent_id"]]
                if 20 <= day < 30 and row["agent_id"] == "agent-campaign":
                    assert number != pools["agent-campaign"][1]
                if outcome.value["changed"]:
                    used[row["agent_id"]].append(number)
    assert all(one != other for numbers in used.values() for one, other in pairwise(numbers))
    sales = used["agent-sales"]
    assert len(sales) > 30
    assert all(set(sales[i : i + 4]) == set(pools["agent-sales"]) for i in range(len(sales) - 3))
    counts = Counter(used["agent-campaign"])
    assert set(counts) == set(pools["agent-campaign"])
    others = [counts[number] for i, number in enumerate(pools["agent-campaign"]) if i != 1]
    assert max(others) - min(others) <= 1


@pytest.mark.phonelink_sandbox(seed="demo")
def test_failover_and_put_back(sandbox, connections, run_dag):
    dasha = sandbox.world.dasha
    by_phone = {number.settings.phone_number: number.id for number in dasha.numbers.values()}
    own, spare = by_phone["+15550100002"], by_phone["+15550100003"]
    found = []
    for steps in (seeds.REGISTERED, FAILED, FAILED, seeds.REGISTERED):
        dasha.script(own, steps)
        run = run_dag(load_dag(EXAMPLES / "registration_lost.py"), connections=connections)
        assert run.succeeded, run.explain()
        found.append(callers(sandbox)["agent-campaign"])
    assert found == [own, spare, spare, own]
