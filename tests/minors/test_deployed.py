"""
One short deployment on each minor version of Airflow, with a real triggerer: `make minors`.

Each test is a row of the table in `docs/versions.md`, whose first column is its docstring. They share one deployment
and run in the order of this file, the way a day goes: what a test leaves at the vendors, the next one finds.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from airflow_harness.home import connection_variables
from airflow_harness.lost_registration import NO_CLOCK, wait_for_poll, with_clock
from airflow_harness.waiting import EVENTUALLY
from integration.documents import Document

from airflow_provider_phonelink.get_provider_info import get_provider_info
from airflow_provider_phonelink.sandbox import Sandbox, seeds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_harness.processes import Deployment

EXAMPLES = Path(__file__).parents[2] / "example_dags"
CONSOLE = "https://console.example"
LOST, SPARE = "+15550100002", "+15550100003"
REGISTERED, REGISTERING, FAILED = (
    [{"after": 0, "state": s}] for s in ("Registered", "Registering", "Failed")
)
HERE = tuple(map(int, version("apache-airflow").split(".")[:2]))
#: What a cron starts comes later, when the scheduler starts no run by itself any more.
BY_CRON = {"callingbox_routing", "campaign_rotation", "campaigns", "nightly_rotation", "routing_as_code"}
SCHEDULED = "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE"


def since(minor: str) -> pytest.MarkDecorator:
    """Skip a test on the versions of Airflow that do not have what it is about."""
    first = tuple(map(int, minor.split(".")))
    return pytest.mark.skipif(first > HERE, reason=f"Airflow has it from {minor} on")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        seeds.plant(sandbox.world, seeds.load("demo"))
        yield sandbox


@pytest.fixture(scope="module")
def connections(sandbox: Sandbox) -> dict[str, Any]:
    return {id_: {**fields, "extra": {"console_url": CONSOLE}} for id_, fields in sandbox.connections.items()}


@pytest.fixture(scope="module")
def airflow(
    deploy: Callable[..., Deployment], connections: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    changed = tmp_path_factory.mktemp("changed")
    readme, failover = changed / "support_line.py", changed / "registration_lost.py"
    readme.write_text(Document("README.md").block("python", "def support_line"))
    failover.write_text(with_clock(NO_CLOCK))  # what the watcher does is to be seen
    settings = {SCHEDULED: "True", "AIRFLOW__CORE__TEST_CONNECTION": "Enabled"}
    left_out = {*BY_CRON, failover.stem}
    files = [path for path in EXAMPLES.iterdir() if path.is_file() and path.stem not in left_out]
    with deploy(
        f"airflow-{HERE[0]}-{HERE[1]}",
        dags=[*files, readme, failover],
        connections=connections,
        settings=settings,
    ) as airflow:
        yield airflow


@pytest.fixture(scope="module")
def on_demand(airflow: Deployment) -> Deployment:
    """The same, with the rest of the files, and a scheduler that starts no run by itself."""
    airflow.kill("scheduler")
    for dag_id in BY_CRON:
        shutil.copy(EXAMPLES / f"{dag_id}.py", airflow.home.dags)
    airflow.start("scheduler", {SCHEDULED: "False"})
    airflow.wait_healthy()
    return airflow


def succeeds(airflow: Deployment, dag_id: str, run_id: str) -> None:
    state = airflow.api.wait(dag_id, run_id)
    assert state == "success", (dag_id, airflow.api.task_states(dag_id, run_id))


def scheduled_run(airflow: Deployment, dag_id: str, **fields: str) -> str:
    """Return the first run that assets start, when it has succeeded."""

    def runs() -> list[dict[str, Any]]:
        return list(airflow.api.get(f"dags/{dag_id}/dagRuns", **fields)["dag_runs"])

    airflow.api.wait_until(lambda: bool(runs()), EVENTUALLY, lambda: f"{dag_id} does not run")
    run_id = str(runs()[0]["dag_run_id"])
    succeeds(airflow, dag_id, run_id)
    return run_id


def run_of(airflow: Deployment, dag_id: str) -> str:
    """Return the id of the one run that a DAG has."""
    [run] = airflow.api.get(f"dags/{dag_id}/dagRuns")["dag_runs"]
    return str(run["dag_run_id"])


def links(sandbox: Sandbox) -> dict[str, Any]:
    """Phone number to the agent that answers it and the agents that call out with it."""
    dasha = sandbox.world.dasha
    return {dasha.get(id_).settings.phone_number: link for id_, link in dasha.links().items()}


def script(sandbox: Sandbox, phone_number: str, steps: list[dict[str, Any]]) -> str:
    """Let the registration of a number go some way, and return its id."""
    dasha = sandbox.world.dasha
    [id_] = [number.id for number in dasha.numbers.values() if number.settings.phone_number == phone_number]
    dasha.script(id_, steps)
    return str(id_)


def test_connection_form(airflow: Deployment) -> None:
    """Connection form: both types, each extra with a field of its own"""
    shown = {form["connection_type"]: form for form in airflow.api.get("../../ui/connections/hook_meta")}
    for entry in get_provider_info()["connection-types"]:
        form = shown[entry["connection-type"]]
        assert form["standard_fields"]["password"]["title"] == "API key"
        assert set(form["extra_fields"]) == set(entry["conn-fields"])


def test_connection_test(airflow: Deployment, connections: dict[str, Any]) -> None:
    """Connection test: a good key passes, another one does not"""

    def tested(fields: dict[str, Any]) -> Any:
        body = {"connection_id": "tried", **fields, "extra": json.dumps(fields["extra"])}
        return airflow.api.request("POST", "connections/test", json=body).json()

    for fields in connections.values():
        assert tested(fields)["status"] is True
        refused = tested({**fields, "password": "another-key-altogether"})
        assert refused["status"] is False
        assert "401" in refused["message"]


@since("3.2")
def test_command(airflow: Deployment, connections: dict[str, Any]) -> None:
    """`airflow phonelink`: the command line as a command of Airflow"""
    listed = subprocess.run(
        [sys.executable, "-m", "airflow", "phonelink", "numbers", "list", "-o", "json"],
        env={**airflow.home.environment(), **connection_variables(connections)},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    ).stdout
    assert LOST in listed


def test_watcher(airflow: Deployment, sandbox: Sandbox) -> None:
    """Watcher with a pool: a registration that fails starts a DAG, and the triggerer lives on"""
    triggerer = airflow.pid("triggerer")
    airflow.api.wait_for_dag("registration_lost")
    wait_for_poll(airflow.api, sandbox)  # the baseline, or what comes after it
    assert links(sandbox)[LOST][1] == ["agent-campaign"]
    script(sandbox, LOST, FAILED)
    scheduled_run(airflow, "registration_lost", run_type="asset_triggered")
    assert links(sandbox)[SPARE][1] == ["agent-campaign"]
    wait_for_poll(airflow.api, sandbox)
    airflow.check()
    assert airflow.pid("triggerer") == triggerer


def test_asset_event(airflow: Deployment) -> None:
    """Asset event: the changed caller ID starts a second DAG"""
    run_id = scheduled_run(airflow, "caller_id_changed")
    told = airflow.api.xcom("caller_id_changed", run_id, "announce")
    assert told == [f"agent-campaign now calls with {SPARE}."]


def test_files_parse(on_demand: Deployment) -> None:
    """All examples and the README's DAG are parsed without an error"""
    dag_ids = {path.stem for path in on_demand.home.dags.glob("*.py")}
    for dag_id in dag_ids:
        on_demand.api.wait_for_dag(dag_id)
    assert on_demand.api.import_errors() == []
    assert {dag["dag_id"] for dag in on_demand.api.get("dags", limit=100)["dags"]} == dag_ids


def test_deferred_wait(on_demand: Deployment, sandbox: Sandbox) -> None:
    """Deferred wait: the README's DAG waits in the triggerer until the number is registered"""
    number = "+15550100099"
    sandbox.world.dasha.plan(number, REGISTERING)
    run_id = on_demand.api.trigger_dag("support_line")
    on_demand.api.wait_for_task("support_line", run_id, "registered", "deferred")
    assert links(sandbox)[number] == (None, [])
    script(sandbox, number, REGISTERED)
    succeeds(on_demand, "support_line", run_id)
    assert links(sandbox)[number] == ("agent-support", [])


def test_extra_link(on_demand: Deployment, sandbox: Sandbox) -> None:
    """Extra link: from a task to the vendor's console"""
    path = f"dags/support_line/dagRuns/{run_of(on_demand, 'support_line')}/taskInstances/link/links"
    found = on_demand.api.get(path)["extra_links"]
    assert f"{CONSOLE}/agents/agent-support" in found.values()


def test_onboarding(on_demand: Deployment, sandbox: Sandbox) -> None:
    """Example `onboarding`: mapped tasks that create, wait and link"""
    succeeds(on_demand, "onboarding", on_demand.api.trigger_dag("onboarding"))
    assert links(sandbox)["+15550100011"] == ("agent-support", ["agent-support"])
    assert links(sandbox)["+15550100012"] == ("agent-sales", ["agent-sales"])


def test_rotation(on_demand: Deployment, sandbox: Sandbox) -> None:
    """Examples `campaign_rotation` and `nightly_rotation`: each run another healthy number"""
    script(sandbox, LOST, REGISTERED)
    for dag_id in ("campaign_rotation", "nightly_rotation"):
        succeeds(on_demand, dag_id, on_demand.api.trigger_dag(dag_id))
        [caller_id] = [n for n, (_, outbound) in links(sandbox).items() if outbound == ["agent-campaign"]]
        assert caller_id in (LOST, SPARE)
    rotated = on_demand.api.xcom("nightly_rotation", run_of(on_demand, "nightly_rotation"), "rotate")
    assert rotated["current"]["phone_number"] == caller_id


@since("3.1")
def test_approval(on_demand: Deployment, sandbox: Sandbox) -> None:
    """Example `routing_as_code`: nothing is changed unless somebody approves the plan"""
    before = links(sandbox)
    for answer in ("Reject", "Approve"):
        assert links(sandbox) == before
        run_id = on_demand.api.trigger_dag("routing_as_code")
        asked = f"dags/routing_as_code/dagRuns/{run_id}/taskInstances/approve/-1/hitlDetails"
        on_demand.api.wait_for_task("routing_as_code", run_id, "approve", "deferred", "awaiting_input")
        assert "+15550100005 inbound: agent agent-sales" in on_demand.api.get(asked)["body"]
        assert links(sandbox) == before
        body = {"chosen_options": [answer], "params_input": {}}
        on_demand.wait_until_let_go("routing_as_code", run_id, "approve")
        on_demand.api.request("PATCH", asked, json=body)
        succeeds(on_demand, "routing_as_code", run_id)
    assert links(sandbox)["+15550100005"] == ("agent-sales", [])


def test_other_examples(on_demand: Deployment, sandbox: Sandbox) -> None:
    """The other examples: from a CSV file, a test call, both of CallingBox, offboarding"""
    sandbox.set(dasha_registration_seconds=0.2)
    for at_once in (
        ("onboarding_from_csv", "test_call", "callingbox_routing"),
        ("holiday_line", "offboarding"),
    ):
        runs = {dag_id: on_demand.api.trigger_dag(dag_id) for dag_id in at_once}
        for dag_id, run_id in runs.items():
            succeeds(on_demand, dag_id, run_id)
    assert links(sandbox)["+15550101000"][0] == "agent-support"
    assert "+15550100001" not in links(sandbox)
    assert sandbox.world.callingbox.links()["pn_reception"] == (None, [])
