"""A deployment as in production: PostgreSQL, Redis, two Celery workers, two triggerers, and the vendors elsewhere."""

from __future__ import annotations

import contextlib
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg2
import pytest
from airflow_harness.home import AirflowHome
from airflow_harness.leaks import leaks, leaks_in_postgresql
from airflow_harness.processes import COMPONENTS, Deployment
from airflow_harness.sandbox_process import SandboxProcess
from airflow_harness.servers import postgresql, redis

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "example_dags"
DAGS = Path(__file__).parent / "dags"
LOGS = ROOT / "build" / "airflow-logs" / Path(sys.prefix).name / "production"
PAIRS = tuple(f"{kind}-{n}" for kind in ("triggerer", "celery-worker") for n in (1, 2))
SLOTS = 4
"""Tasks that a worker runs at once; more only get in each other's way on two processors."""

SETTINGS = {
    "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
    "AIRFLOW__CELERY__WORKER_CONCURRENCY": str(SLOTS),
    # Nothing is handed to Celery for which no worker has a slot, so what a dead worker takes with it is little.
    "AIRFLOW__CORE__PARALLELISM": str(2 * SLOTS),
    "AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG": str(2 * SLOTS),
    # A number that is begun is finished before the next one is begun.
    "AIRFLOW__CORE__DEFAULT_TASK_WEIGHT_RULE": "upstream",
    # How soon the dead are noticed. In production minutes will do; see docs/deployment.md.
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "40",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "5",
    "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "30",
    # Two processors have better things to do than to look for work 20 times a second, or for files that do not change.
    "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "300",
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "300",
    # Only what a test asks for runs, watchers included.
    "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
}


@dataclass
class Production:
    """The deployment, the vendors, and the database behind it."""

    airflow: Deployment
    vendors: SandboxProcess
    database: str

    def count(self, query: str, *values: object) -> int:
        """Return the one figure that a query gives."""
        with contextlib.closing(psycopg2.connect(self.database)) as connection, connection.cursor() as cursor:
            cursor.execute(query, values)
            [figure] = cursor.fetchone()
            return int(figure)

    def leaks(self) -> list[str]:
        """Where a connection's key stands in the logs of all processes and tasks, or in the database."""
        keys = self.vendors.keys
        return leaks([self.airflow.home.path], keys) + leaks_in_postgresql(self.database, keys)


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    """One deployment for all tests: it takes half a minute to start."""
    # A terminated run stops what it has started, like one that is interrupted.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(postgresql())
        broker = stack.enter_context(redis())
        vendors = stack.enter_context(SandboxProcess())
        servers = {
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": server.sqlalchemy_url("postgres"),
            "AIRFLOW__CELERY__RESULT_BACKEND": f"db+{server.sqlalchemy_url('postgres')}",
            "AIRFLOW__CELERY__BROKER_URL": broker,
        }
        airflow = Deployment(
            AirflowHome(tmp_path_factory.mktemp("production"), settings={**SETTINGS, **servers}),
            dags=[path for path in (*EXAMPLES.iterdir(), *DAGS.glob("*.py")) if path.is_file()],
            connections={
                name: {**fields, "extra": {"timeout": 30}} for name, fields in vendors.connections.items()
            },
            components=[*(name for name in COMPONENTS if name != "triggerer"), *PAIRS],
            keep_logs=LOGS,
        )
        stack.enter_context(airflow)
        yield Production(airflow, vendors, server.url("postgres"))


@pytest.fixture
def production(deployed: Production) -> Production:
    """Give the deployment, with all its processes: an earlier test may have killed some."""
    missing = [name for name in PAIRS if not deployed.airflow.runs(name)]
    for name in missing:
        deployed.airflow.start(name)
    if missing:
        deployed.airflow.wait_healthy()
    return deployed
