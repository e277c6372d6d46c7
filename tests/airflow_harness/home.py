"""An Airflow home that shares nothing with any other: settings, database, logs and DAGs folder."""

from __future__ import annotations

import base64
import json
import os
import secrets
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_harness.waiting import EVENTUALLY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LOOPBACK = ("127.0.0.1", "localhost")


@dataclass
class AirflowHome:
    """A folder for one Airflow, and the environment variables that make a process use it and nothing else."""

    path: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    """Further settings, by the name of their environment variable (``AIRFLOW__SECTION__KEY``)."""

    def __post_init__(self) -> None:
        self.dags.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(exist_ok=True)
        # Made once: every process of a deployment has to agree on them, a restarted one too.
        self._keys = {
            "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
            "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
        }

    @property
    def dags(self) -> Path:
        return self.path / "dags"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def database(self) -> Path:
        return self.path / "airflow.db"

    def variables(self) -> dict[str, str]:
        """The environment variables that are this home's own."""
        return {
            "AIRFLOW_HOME": str(self.path),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            # How long a process waits while another one writes to the database; 5 s if nothing is said.
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.database}?timeout={EVENTUALLY}",
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(self.logs),
            "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "False",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            **self._keys,
            **without_proxy(os.environ),
            **self.settings,
        }

    def environment(self) -> dict[str, str]:
        """The whole environment of a process in this home: nobody else's Airflow settings reach it."""
        inherited = {key: value for key, value in os.environ.items() if not _is_airflow_setting(key)}
        return inherited | self.variables()

    def enter(self) -> None:
        """Make this process use the home. Only possible before Airflow is imported, which reads it once."""
        if "airflow" in sys.modules:
            raise RuntimeError("Airflow was imported before its home was set")
        for key in filter(_is_airflow_setting, list(os.environ)):
            del os.environ[key]
        os.environ.update(self.variables())

    def migrate(self) -> None:
        """Create the database (some seconds)."""
        done = subprocess.run(
            [sys.executable, "-m", "airflow", "db", "migrate"],
            env=self.environment(),
            cwd=self.path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"airflow db migrate failed:\n{done.stdout}\n{done.stderr}")

    def copy_database_from(self, other: AirflowHome) -> None:
        """Take over another home's database, which saves migrating this one."""
        with (
            closing(sqlite3.connect(other.database)) as source,
            closing(sqlite3.connect(self.database)) as target,
        ):
            source.backup(target)


def connection_variables(connections: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """``AIRFLOW_CONN_*`` for connections given by id, each with ``conn_type``, ``host``, ``password``, ``extra``."""
    return {f"AIRFLOW_CONN_{conn_id.upper()}": json.dumps(dict(c)) for conn_id, c in connections.items()}


def without_proxy(environment: Mapping[str, str]) -> dict[str, str]:
    """Loopback added to what an environment's proxy is bypassed for."""
    known = environment.get("NO_PROXY") or environment.get("no_proxy") or ""
    hosts = [host for host in known.split(",") if host]
    value = ",".join([*hosts, *(host for host in LOOPBACK if host not in hosts)])
    return {"NO_PROXY": value, "no_proxy": value}


def _is_airflow_setting(key: str) -> bool:
    return key.startswith(("AIRFLOW_", "_AIRFLOW_"))
