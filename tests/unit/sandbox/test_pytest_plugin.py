"""The fixture as users have it in tests of their own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
PLUGIN = "airflow_provider_phonelink.sandbox.pytest_plugin"
TESTS = """
import json
import os
import re

import httpx
import pytest


def numbers():
    connection = json.loads(os.environ["AIRFLOW_CONN_DASHA_DEFAULT"])
    url = "{schema}://{host}:{port}/api/v1/sip-phone-numbers".format(**connection)
    return httpx.get(url, headers={"Authorization": "Bearer " + connection["password"]}).json()["totalCount"]


def test_starts_empty(phonelink_sandbox):
    assert numbers() == 0
    phonelink_sandbox.world.dasha.add_number("+1555")
    phonelink_sandbox.set(dasha_phone_filter="substring")
    assert numbers() == 1


def test_is_fresh_again(phonelink_sandbox):
    assert numbers() == 0
    assert phonelink_sandbox.switches.dasha_phone_filter == "exact"


@pytest.mark.phonelink_sandbox(seed="demo", switches={"dasha_phone_filter": "substring"})
def test_can_be_prepared(phonelink_sandbox):
    assert numbers() == 5
    assert phonelink_sandbox.switches.dasha_phone_filter == "substring"
    assert json.loads(os.environ["AIRFLOW_CONN_CALLINGBOX_DEFAULT"])["conn_type"] == "callingbox"


@pytest.mark.phonelink_sandbox(seed={"dasha": {"numbers": [{"phone_number": "+1"}]}})
def test_can_have_a_seed_of_its_own(phonelink_sandbox):
    assert numbers() == 1


def test_leaves_no_connections_behind():
    assert "AIRFLOW_CONN_DASHA_DEFAULT" not in os.environ


@pytest.fixture
def vault(monkeypatch):
    monkeypatch.setenv("AIRFLOW__WORKERS__SECRETS_BACKEND", "nowhere.Vault")


def test_never_runs_where_airflow_has_a_backend(vault, phonelink_sandbox):
    pass


def test_goes_by_no_proxy(phonelink_sandbox):
    assert os.environ["HTTP_PROXY"] and os.environ["ALL_PROXY"]
    assert os.environ["NO_PROXY"] == os.environ["no_proxy"] == "intranet.example,127.0.0.1"
    assert numbers() == 0


@pytest.mark.phonelink_sandbox(sede="demo")
def test_misspelt(phonelink_sandbox):
    pass
"""


def test_each_test_has_a_fresh_sandbox_and_the_connections_to_it(tmp_path: Path) -> None:
    (tmp_path / "test_dags.py").write_text(TESTS)
    options = [
        "-q",
        "-W",
        "error::ResourceWarning",
        "--strict-markers",
        "-p",
        PLUGIN,
        f"--rootdir={tmp_path}",
    ]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(tmp_path)],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "HTTP_PROXY": "http://127.0.0.1:9",  # where nothing answers
            "ALL_PROXY": "http://127.0.0.1:9",
            "NO_PROXY": "intranet.example",
            "no_proxy": "",
        },
        capture_output=True,
        text=True,
    )
    assert re.search(r"6 passed,.* 2 errors", run.stdout), run.stdout + run.stderr
    assert "The connections do not lead to the sandbox" in run.stdout
    assert "sede" in run.stdout
