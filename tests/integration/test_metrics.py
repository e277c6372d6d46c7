"""Metrics, as a StatsD server receives them over its socket, with the tags that Airflow writes for InfluxDB."""

from __future__ import annotations

import select
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest
from airflow import __version__ as airflow_version
from airflow_harness.tasks import run_task, run_trigger
from integration.worlds import AGENT, CREDENTIALS, OTHER_AGENT

from airflow_provider_phonelink import metrics
from airflow_provider_phonelink.operators.dasha import (
    DashaLinkPhoneNumberOperator,
    DashaListPhoneNumbersOperator,
    DashaReconcileLinksOperator,
    DashaRotatePhoneNumberOperator,
)
from airflow_provider_phonelink.sandbox import seeds
from airflow_provider_phonelink.sandbox.faults import Fault
from airflow_provider_phonelink.triggers.dasha import DashaRegistrationTrigger

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(
    airflow_version.startswith(("3.0.", "3.1.", "3.2.")),
    reason="sets metrics up as Airflow 3.3 does for a task",
)


class StatsD:
    """A StatsD server that remembers what it was sent: name and tags, value, kind."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]

    def close(self) -> None:
        self._socket.close()

    def received(self) -> list[tuple[str, float, str]]:
        """Return what has come in. Over the loopback interface it is there once it is sent."""
        found = []
        while select.select([self._socket], [], [], 0)[0]:
            name, _, rest = self._socket.recv(65536).decode().partition(":")
            value, kind = rest.split("|")[:2]
            if name.startswith("test.phonelink."):
                found.append((name.removeprefix("test."), float(value), kind))
        return found


@pytest.fixture
def statsd(monkeypatch: pytest.MonkeyPatch) -> Iterator[StatsD]:
    """A server that the metrics of tasks in this process go to, by Airflow's own configuration."""
    from airflow.sdk._shared.observability.metrics import stats
    from airflow.sdk.observability.metrics import stats_utils

    server = StatsD()
    for name, value in {
        "STATSD_ON": "True",
        "STATSD_HOST": "127.0.0.1",
        "STATSD_PORT": str(server.port),
        "STATSD_PREFIX": "test",
        "STATSD_INFLUXDB_ENABLED": "True",
    }.items():
        monkeypatch.setenv(f"AIRFLOW__METRICS__{name}", value)
    before: Any = stats._factory
    stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=False)
    yield server
    client: Any = stats._backend
    client.statsd.close()
    stats.initialize(factory=before, export_legacy_names=True)
    server.close()


def sums(received: list[tuple[str, float, str]]) -> dict[str, float]:
    """Return the sum of each counter, with its tags in their order."""
    found: dict[str, float] = {}
    for name, value, kind in received:
        if kind == "c":
            found[name] = found.get(name, 0) + value
    return found


def gauges(received: list[tuple[str, float, str]]) -> dict[str, float]:
    return {name: value for name, value, kind in received if kind == "g"}


def test_requests_retries_and_changes_are_counted(statsd: StatsD, sandbox, connections, number) -> None:
    sandbox.faults.add(Fault("status", method="GET", status=503, nth=1, count=1))
    link = DashaLinkPhoneNumberOperator(task_id="link", phone_number_id=number, agent_id=AGENT)
    assert run_task(link, connections=connections).state == "success"
    counted = sums(statsd.received())
    assert counted["phonelink.requests,vendor=dasha,method=GET,status=503"] == 1
    assert counted["phonelink.requests,vendor=dasha,method=PUT,status=200"] == 1
    assert counted["phonelink.retries,vendor=dasha"] == 1
    assert counted["phonelink.changes,vendor=dasha,action=link"] == 1
    requests = sum(value for name, value in counted.items() if name.startswith("phonelink.requests"))
    assert requests == len(sandbox.journal.requests())

    assert run_task(link, connections=connections).state == "success"
    assert not any(name.startswith("phonelink.changes") for name in sums(statsd.received()))


def test_a_rate_limit_is_measured_in_time(statsd: StatsD, sandbox, connections, number) -> None:
    sandbox.faults.add(Fault("status", method="GET", status=429, headers={"Retry-After": "0.01"}))
    link = DashaLinkPhoneNumberOperator(task_id="link", phone_number_id=number, agent_id=AGENT)
    assert run_task(link, connections=connections).state == "success"
    waits = [
        value for name, value, kind in statsd.received() if name == "phonelink.rate_limit_wait,vendor=dasha"
    ]
    assert waits
    assert max(waits) > 0


def test_a_lost_answer_is_a_request_without_a_status(statsd: StatsD, sandbox, connections, number) -> None:
    sandbox.faults.add(Fault("drop", method="GET"))
    link = DashaLinkPhoneNumberOperator(task_id="link", phone_number_id=number, agent_id=AGENT)
    assert run_task(link, connections=connections).state == "success"
    assert sums(statsd.received())["phonelink.requests,vendor=dasha,method=GET,status=none"] == 1


def test_numbers_drift_and_rotations(statsd: StatsD, sandbox, connections) -> None:
    dasha = sandbox.world.dasha
    pool = [dasha.add_number(f"+1555010{index}", CREDENTIALS, steps=seeds.REGISTERED) for index in range(2)]
    dasha.add_number("+15550102", CREDENTIALS, steps=[{"after": 0, "state": "Failed"}])
    listed = DashaListPhoneNumbersOperator(task_id="list")
    assert run_task(listed, connections=connections).state == "success"
    told = gauges(statsd.received())
    tags = ",vendor=dasha,conn_id=dasha_default"
    assert {
        name: told[f"phonelink.numbers.{name}{tags}"] for name in ("active", "failed", "waiting", "never")
    } == {
        "active": 2,
        "failed": 1,
        "waiting": 0,
        "never": 0,
    }

    routes = [{"number": pool[0], "agent_id": AGENT}, {"number": pool[1], "agent_id": OTHER_AGENT}]
    audit = DashaReconcileLinksOperator(task_id="audit", routes=routes, dry_run=True)
    assert run_task(audit, connections=connections).state == "success"
    drift = {name: value for name, value in gauges(statsd.received()).items() if "drift" in name}
    assert drift == {"phonelink.drift,vendor=dasha,dag_id=harness,task_id=audit": 2}

    rotate = DashaRotatePhoneNumberOperator(task_id="rotate", agent_id=AGENT, pool=pool)
    assert run_task(rotate, connections=connections).state == "success"
    assert sums(statsd.received())["phonelink.rotations,vendor=dasha"] == 1


def test_the_oldest_deferred_wait_has_an_age(statsd: StatsD, sandbox, connections, number) -> None:
    now = time.time()
    trigger = DashaRegistrationTrigger(
        phone_number_ids=[number],
        dasha_conn_id="dasha_default",
        deadline=now + 600,
        poll_interval=0.01,
        began=now - 3600,
    )
    run_trigger(trigger, connections=connections, max_events=1)
    ages = [
        value for name, value, _ in statsd.received() if name.startswith("phonelink.oldest_wait,conn_id=")
    ]
    assert ages[0] >= 3600
    assert ages[-1] == 0


def test_a_metric_that_cannot_be_sent_fails_no_task(monkeypatch, sandbox, connections, number) -> None:
    def broken() -> Any:
        raise RuntimeError("no metrics today")

    monkeypatch.setattr(metrics, "_backend", broken)
    link = DashaLinkPhoneNumberOperator(task_id="link", phone_number_id=number, agent_id=AGENT)
    assert run_task(link, connections=connections).state == "success"
