"""Everything the README shows, run as a stranger would run it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from airflow_harness.waiting import EVENTUALLY
from integration.documents import ROOT, Document, run_with_airflow

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_provider_phonelink.sandbox import Sandbox

README = Document("README.md")
DASHA = "airflow_provider_phonelink.operators.dasha"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A user's project: the README's DAG and test, each pasted into a file."""
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "support_line.py").write_text(README.block("python", "def support_line"))
    (tmp_path / "test_support_line.py").write_text(README.block("python", "phonelink_sandbox"))
    return tmp_path


@pytest.mark.commands
def test_the_dag_and_the_test_of_it_run_as_pasted(project: Path) -> None:
    run_with_airflow("airflow db migrate && airflow dags reserialize", project)
    printed = run_with_airflow("python -m pytest -q -p no:cacheprovider test_support_line.py", project)
    assert "1 passed" in printed


@pytest.mark.commands
def test_the_connections_are_added_and_read_back(project: Path) -> None:
    commands = README.block("bash", "airflow connections add")
    run_with_airflow("airflow db migrate", project)
    run_with_airflow(commands, project, DASHA_API_KEY="key-one", CALLINGBOX_API_KEY="sk_two")
    listed = run_with_airflow("airflow connections list -o json 2>/dev/null", project)
    # Airflow 3.2 logs to the standard output, too.
    found = {entry["conn_id"]: entry["conn_type"] for entry in json.loads(listed[listed.index("[{") :])}
    assert found["dasha_default"] == "dasha"
    assert found["callingbox_default"] == "callingbox"


def test_the_environment_variables_are_understood(project: Path) -> None:
    script = """
from airflow_provider_phonelink.hooks.callingbox import CallingBoxHook
from airflow_provider_phonelink.hooks.dasha import DashaHook
dasha, callingbox = DashaHook().settings, CallingBoxHook().settings
print([dasha.base_url, dasha.requests_per_second, callingbox.base_url, callingbox.timeout])
"""
    printed = run_with_airflow(
        f"{README.block('bash', 'export AIRFLOW_CONN')}\npython -c '{script}'", project
    )
    assert "['https://blackbox.dasha.ai', 5.0, 'https://api.callingbox.io', 20.0]" in printed


def test_the_table_of_extras_is_complete() -> None:
    from airflow_provider_phonelink.api.callingbox.settings import CallingBoxSettings
    from airflow_provider_phonelink.api.dasha.settings import DashaSettings

    told = {name for extra, *_ in README.table("extra") for name in re.findall(r"`([a-z_]+)`", extra)}
    extras = {*DashaSettings.model_fields, *CallingBoxSettings.model_fields} - {
        "base_url",
        "api_key",
        "source",
    }
    assert told == extras


def test_every_operator_and_sensor_is_in_the_table_of_promises() -> None:
    from airflow_provider_phonelink.operators import callingbox, dasha
    from airflow_provider_phonelink.sensors import dasha as sensors

    told = {name.strip("`") for name, *_ in README.table("operator")}
    public = {*dasha.__all__, *callingbox.__all__}
    public |= {
        name
        for name, value in vars(sensors).items()
        if isinstance(value, type) and value.__module__ == sensors.__name__ and not name.startswith("_")
    }
    assert told == public


@pytest.mark.commands
@pytest.mark.phonelink_sandbox(seed="demo")
def test_routes_are_exported_planned_and_applied(phonelink_sandbox: Sandbox, project: Path) -> None:
    variables = {
        f"AIRFLOW_CONN_{id_.upper()}": json.dumps(connection)
        for id_, connection in phonelink_sandbox.connections.items()
    }
    run_with_airflow(README.block("bash", "phonelink routes export"), project, **variables)
    assert not phonelink_sandbox.journal.writes()  # today's links are as they are

    (project / "routes.yaml").write_text(README.block("yaml", "agent-campaign"))
    run_with_airflow("phonelink routes plan -f routes.yaml || [ $? = 2 ]", project, **variables)
    run_with_airflow("phonelink routes apply -f routes.yaml --yes", project, **variables)
    links = {
        phonelink_sandbox.world.dasha.get(id_).settings.phone_number: link
        for id_, link in phonelink_sandbox.world.dasha.links().items()
    }
    assert links["+15550100001"] == ("agent-support", [])
    assert links["+15550100003"] == (None, ["agent-campaign"])


@pytest.mark.phonelink_sandbox(seed="demo")
def test_the_tasks_that_reconcile_run(phonelink_sandbox: Sandbox, tmp_path: Path) -> None:
    from airflow.sdk import DAG
    from airflow_harness.tasks import run_task

    (tmp_path / "routes.yaml").write_text(README.block("yaml", "agent-campaign"))
    dag = DAG("routes", schedule=None)
    dag.fileloc = str(tmp_path / "dag.py")
    with dag:
        scope: dict[str, Any] = {}
        exec(f"from {DASHA} import *\n{README.block('python', 'audit =')}", scope)  # noqa: S102 - the README's own code
    states = [
        run_task(scope[name], connections=phonelink_sandbox.connections).state
        for name in ("audit", "repair", "audit")
    ]
    assert states == ["failed", "failed", "failed"]  # one change of two links is more than 10 %
    scope["repair"].max_changes = "50%"
    states = [
        run_task(scope[name], connections=phonelink_sandbox.connections).state for name in ("repair", "audit")
    ]
    assert states == ["success", "success"]


def test_the_task_of_your_own_runs(phonelink_sandbox: Sandbox) -> None:
    phonelink_sandbox.world.dasha.add_number(
        phone_number="+15550100001", credentials_id="d51449dd-cc9d-55e6-914e-8a6f102e0c3f"
    )
    scope: dict[str, object] = {}
    exec(README.block("python", "def unanswered_numbers"), scope)  # noqa: S102 - the README's own code
    assert scope["unanswered_numbers"].function() == ["+15550100001"]  # type: ignore[attr-defined]


def test_the_sandbox_starts_as_shown(tmp_path: Path) -> None:
    command = next(
        line for line in README.block("bash", "sandbox --port").splitlines() if "-m airflow_prov" in line
    )
    command = command.replace("--port 8765", "--port 0").replace("python", sys.executable, 1)
    with subprocess.Popen(command.split(), stdout=subprocess.PIPE, text=True) as sandbox:
        assert sandbox.stdout is not None
        printed = ""
        while "AIRFLOW_CONN_CALLINGBOX_DEFAULT" not in printed:
            line = sandbox.stdout.readline()
            assert line, f"the sandbox ended: {printed}"
            printed += line
        sandbox.terminate()
        sandbox.wait(timeout=EVENTUALLY)
    assert "AIRFLOW_CONN_DASHA_DEFAULT" in printed
    assert "/docs" in printed


def test_the_readme_says_how_it_is_installed() -> None:
    assert "`pip install .`" in README.text  # what `make dist` builds, checks and installs


def test_links_in_the_readme_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README.text):
        assert (ROOT / target).exists(), target
