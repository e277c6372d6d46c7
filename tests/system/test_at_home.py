"""What somebody sees who installs the provider: `airflow providers`."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from airflow_harness.waiting import EVENTUALLY

from airflow_provider_phonelink.get_provider_info import get_provider_info

if TYPE_CHECKING:
    from airflow_harness.home import AirflowHome

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
