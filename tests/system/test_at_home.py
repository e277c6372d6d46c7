"""What somebody sees who installs the provider: `airflow providers`, the connection forms, `airflow standalone`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest
from airflow_harness.home import AirflowHome
from airflow_harness.processes import free_port
from airflow_harness.rest import AirflowApi
from airflow_harness.waiting import EVENTUALLY

from airflow_provider_phonelink.get_provider_info import get_provider_info

EXAMPLES = Path(__file__).parents[2] / "example_dags"
TYPES = {entry["connection-type"]: entry for entry in get_provider_info()["connection-types"]}


def airflow(home: AirflowHome, *arguments: str):
    done = subprocess.run(
        [sys.executable, "-m", "airflow", *arguments, "--output", "json"],
        env=home.environment(),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=EVENTUALLY,
    )
    return json.loads(done.stdout[done.stdout.index("[") :])


def test_airflow_lists_the_provider(migrated_home):
    found = {entry["package_name"]: entry for entry in airflow(migrated_home, "providers", "list")}
    assert found["airflow-provider-phonelink"]["version"]


def test_airflow_knows_both_hooks(migrated_home):
    found = {entry["connection_type"]: entry for entry in airflow(migrated_home, "providers", "hooks")}
    for connection_type, entry in TYPES.items():
        assert found[connection_type]["class"] == entry["hook-class-name"]
        assert found[connection_type]["conn_id_attribute_name"] == f"{connection_type}_conn_id"
        assert found[connection_type]["hook_name"] == entry["hook-name"]


@pytest.fixture
def standalone(migrated_home, tmp_path_factory, phonelink_sandbox):
    """`airflow standalone` with the example DAGs, leading to the sandbox, on a port of its own."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    home = AirflowHome(
        tmp_path_factory.mktemp("standalone"),
        settings={
            "AIRFLOW__API__PORT": str(port),
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__BASE_URL": url,
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            **{
                f"AIRFLOW_CONN_{conn_id.upper()}": json.dumps(fields)
                for conn_id, fields in phonelink_sandbox.connections.items()
            },
        },
    )
    home.copy_database_from(migrated_home)
    shutil.copy(EXAMPLES / "onboarding.py", home.dags)
    with (home.path / "standalone.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "airflow", "standalone"],
            # It starts its parts by the name `airflow`.
            env={
                **home.environment(),
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            },
            cwd=home.path,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        api = AirflowApi(url)
        try:
            _wait_until_healthy(url, process)
            yield api
        finally:
            api.close()
            _stop(process)


def _wait_until_healthy(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + EVENTUALLY
    while time.monotonic() < end:
        assert process.poll() is None, "airflow standalone has ended"
        try:
            health = httpx.get(f"{url}/api/v2/monitor/health").json()
        except (httpx.TransportError, ValueError):
            health = {}
        if all(
            health.get(part, {}).get("status") == "healthy"
            for part in ("scheduler", "triggerer", "dag_processor")
        ):
            return
        time.sleep(0.5)
    pytest.fail("airflow standalone did not become healthy")


def _stop(process: subprocess.Popen[bytes]) -> None:
    family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
    process.send_signal(signal.SIGINT)  # to it alone, as it ends its parts by itself
    _, alive = psutil.wait_procs(family, timeout=20)
    for left in alive:
        left.kill()
    process.wait()


@pytest.mark.phonelink_sandbox(seed="demo")
def test_standalone_shows_both_connection_types_and_runs_an_example(standalone, phonelink_sandbox):
    shown = {
        entry["connection_type"]: entry
        for entry in standalone.request("GET", "../../ui/connections/hook_meta").json()
    }
    for connection_type, entry in TYPES.items():
        assert shown[connection_type]["hook_name"] == entry["hook-name"]
        fields = shown[connection_type]["standard_fields"]
        assert fields["password"]["title"] == "API key"
        assert fields["host"]["placeholder"] == entry["ui-field-behaviour"]["placeholders"]["host"]
        assert fields["login"]["hidden"] is True
        assert set(shown[connection_type]["extra_fields"]) == set(entry["conn-fields"])

    run_id = standalone.trigger_dag("onboarding")
    assert standalone.wait("onboarding", run_id) == "success", standalone.task_states("onboarding", run_id)
    inbound = [agent for agent, _ in phonelink_sandbox.world.dasha.links().values()]
    assert {"agent-support", "agent-sales"} <= set(inbound)
