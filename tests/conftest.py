"""Fixtures that need Airflow, all of them lazy: a test that uses none does not import Airflow."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import certifi
import pytest
from airflow_harness.home import AirflowHome
from airflow_harness.leaks import leaks, leaks_in_postgresql, log_everything_to
from hypothesis import settings

from airflow_provider_phonelink.sandbox.world import stand_ins

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from airflow_harness.processes import Deployment

# No test may fail because the machine is busy.
settings.register_profile("patient", deadline=None)
#: For `make check`, which is run again and again: fewer random examples each time.
settings.register_profile("quick", deadline=None, max_examples=20)
settings.load_profile("patient")


def first_certificate() -> str:
    """Return one of the certificates that httpx trusts."""
    end = "-----END CERTIFICATE-----\n"
    return Path(certifi.where()).read_text(encoding="utf-8").partition(end)[0] + end


# Airflow reads its settings once, on import, so they have to be there before any test module imports it.
LOGS = Path(__file__).parents[1] / "build" / "airflow-logs" / Path(sys.prefix).name
HOME = AirflowHome(Path(tempfile.mkdtemp(prefix="phonelink-airflow-")))
HOME.enter()
atexit.register(shutil.rmtree, HOME.path, ignore_errors=True)
KEYS = tuple(vendor.api_key for vendor in stand_ins().values())
# No test speaks TLS, yet each HTTP client loads the trusted certificates, which takes longer than most tests.
CERTIFICATE = HOME.path / "one-certificate.pem"
CERTIFICATE.write_text(first_certificate(), encoding="ascii")
os.environ["SSL_CERT_FILE"] = str(CERTIFICATE)
EVERYTHING_LOGGED = log_everything_to(HOME.path / "everything-logged.txt")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the whole run if the sandbox's keys stand in anything that it logged or stored."""
    EVERYTHING_LOGGED.close()
    homes = session.config._tmp_path_factory.getbasetemp().glob("*/airflow.db")  # type: ignore[attr-defined]
    found = leaks([HOME.path, LOGS, *(home.parent for home in homes)], KEYS)
    if found:
        print("\nAPI keys were found in what the tests logged or stored:", *found, sep="\n  ")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def airflow_home() -> AirflowHome:
    """The home of the Airflow in this process."""
    return HOME


@pytest.fixture(scope="session")
def migrated_home(tmp_path_factory: pytest.TempPathFactory) -> AirflowHome:
    """A home with a migrated database that nobody works on, to be copied."""
    home = AirflowHome(tmp_path_factory.mktemp("migrated"))
    home.migrate()
    return home


@pytest.fixture(scope="session")
def airflow_database(airflow_home: AirflowHome, migrated_home: AirflowHome) -> Iterator[Path]:
    """The database of the Airflow in this process."""
    airflow_home.copy_database_from(migrated_home)
    yield airflow_home.database
    from airflow_harness import runs

    runs.close()


@pytest.fixture
def run_dag(airflow_database: Path) -> Callable[..., object]:
    """:func:`airflow_harness.runs.run_dag`, with its database."""
    from airflow_harness import runs

    return runs.run_dag


@pytest.fixture(scope="session")
def deploy_on_sqlite(
    migrated_home: AirflowHome, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Deployment]:
    """
    Make a :class:`airflow_harness.processes.Deployment` that needs no server, for one task at a time.

    Processes that write to SQLite at once lock each other out, and some parts of Airflow then give up.
    """

    def make(name: str = "airflow", **options: Any) -> Deployment:
        home = AirflowHome(tmp_path_factory.mktemp(name))
        home.copy_database_from(migrated_home)
        return _deployment(home, options)

    return make


@pytest.fixture(scope="session")
def deploy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Deployment]]:
    """
    Make a :class:`airflow_harness.processes.Deployment` on PostgreSQL: ``with deploy(dags=[...]) as airflow``.

    Each has a database of its own, in which no key may be found in the end. The logs of all its processes and tasks
    end up below ``build/airflow-logs``.
    """
    from airflow_harness.servers import postgresql

    with postgresql() as server:
        databases = []

        def home(database: str, template: str = "template1") -> AirflowHome:
            server.create_database(database, template)
            databases.append(database)
            return AirflowHome(
                tmp_path_factory.mktemp(database),
                settings={"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": server.sqlalchemy_url(database)},
            )

        def make(name: str = "airflow", **options: Any) -> Deployment:
            return _deployment(home(f"{name}-{len(databases)}", "migrated"), options)

        home("migrated").migrate()
        yield make
        found = [(name, leaks_in_postgresql(server.url(name), KEYS)) for name in databases]
        assert not any(tables for _, tables in found), found


def _deployment(home: AirflowHome, options: Mapping[str, Any]) -> Deployment:
    from airflow_harness.processes import Deployment

    return Deployment(home, migrate=False, keep_logs=LOGS / home.path.name, **options)
