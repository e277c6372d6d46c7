"""Airflow as it is deployed: API server, scheduler, DAG processor and triggerer, each a process of its own."""

from __future__ import annotations

import atexit
import contextlib
import re
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import httpx
import psutil

from airflow_harness.waiting import EVENTUALLY

from .home import AirflowHome
from .rest import AirflowApi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

API_SERVER = "api-server"
CELERY_WORKER = "celery-worker"
COMPONENTS = (API_SERVER, "scheduler", "dag-processor", "triggerer")
# The job in whose name a component gives signs of life. The API server is well when it answers.
JOBS = {"scheduler": "SchedulerJob", "dag-processor": "DagProcessorJob", "triggerer": "TriggererJob"}

# Where a process finds the name that it is to take for its host's.
HOST_NAME = "HARNESS_HOST_NAME"

FAST = {
    # A run takes 1 s with these, a deferred one 4 - 5 s; with Airflow's defaults each takes 5 - 10 s longer.
    "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.05",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
    "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
    # A killed component is noticed, and its work taken over, after seconds.
    "AIRFLOW__SCHEDULER__JOB_HEARTBEAT_SEC": "1",
    "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "1",
    "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "10",
    "AIRFLOW__SCHEDULER__TRIGGER_TIMEOUT_CHECK_INTERVAL": "2",
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
    # Only the runs that are asked for: taking a scheduled DAG out of pause would add one of its own.
    "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",
    "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
    "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
    "AIRFLOW__CORE__PARALLELISM": "8",
    "AIRFLOW__API__WORKERS": "1",
}


@dataclass
class Component:
    """One process of the deployment."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    log_begins: int
    started: datetime = field(default_factory=lambda: datetime.now(timezone.utc))

    @property
    def kind(self) -> str:
        return _kind(self.name)

    def printed(self, text: str) -> bool:
        """Whether it has printed some text since it was started."""
        return text.encode() in self.log.read_bytes()[self.log_begins :]


class Deployment:
    """
    A whole Airflow on loopback ports of its own, to be used with ``with``: everything is stopped at the end.

    ``api`` is its REST API. What each process prints is in ``logs``, the tasks' logs are in the home.
    """

    def __init__(
        self,
        home: AirflowHome,
        *,
        dags: Iterable[Path] = (),
        connections: Mapping[str, Mapping[str, Any]] | None = None,
        settings: Mapping[str, str] | None = None,
        components: Iterable[str] = COMPONENTS,
        migrate: bool = True,
        keep_logs: Path | None = None,
        on_start: Callable[[psutil.Process], None] = lambda _: None,
    ) -> None:
        """
        :param home: a home that no other deployment uses.
        :param dags: files that are copied into its DAGs folder.
        :param connections: by id, created in the database.
        :param settings: environment variables for all processes, before those of ``FAST``.
        :param components: which processes to run, of ``COMPONENTS`` and ``celery-worker``; the API server is always
            among them. Several of a kind have a number each, as in ``triggerer-2``, and Airflow then takes their
            names for those of their hosts.
        :param migrate: whether to make the database's tables first, which takes some seconds.
        :param keep_logs: a folder that gets all logs at the end.
        :param on_start: told of each process as it is started. Each leads a process group of its own.
        """
        self._names = [API_SERVER, *(name for name in components if name != API_SERVER)]
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.home = AirflowHome(
            home.path,
            settings={
                **FAST,
                "AIRFLOW__API__BASE_URL": self.url,
                "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
                "AIRFLOW__API__PORT": str(port),
                "AIRFLOW__API__HOST": "127.0.0.1",
                **({} if set(self._names) <= set(COMPONENTS) else _named_hosts(home.path)),
                **home.settings,
                **(settings or {}),
            },
        )
        self.logs = home.path / "processes"
        self.logs.mkdir(exist_ok=True)
        for file in dags:
            shutil.copy(file, self.home.dags)
        self.api = AirflowApi(self.url, self.check)
        self._connections = connections or {}
        self._migrate = migrate
        self._keep_logs = keep_logs
        self._on_start = on_start
        self._environment = self.home.environment()
        self._components: dict[str, Component] = {}
        self._started: list[psutil.Process] = []

    def __enter__(self) -> Deployment:
        atexit.register(self.stop)
        try:
            if self._migrate:
                self.home.migrate()
            for name in self._names:
                self.start(name)
            self.wait_healthy()
            for conn_id, fields in self._connections.items():
                self.api.set_connection(conn_id, **fields)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, name: str, settings: Mapping[str, str] | None = None) -> Component:
        """Start a component, or start it again after :meth:`kill`, perhaps with other settings than the rest has."""
        log = self.logs / f"{name}.log"
        with log.open("ab") as output:
            log_begins = output.tell()
            process = subprocess.Popen(
                [sys.executable, "-m", "airflow", *_arguments(name)],
                env={**self._environment, HOST_NAME: name, **(settings or {})},
                cwd=self.home.path,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._started.append(psutil.Process(process.pid))
        self._on_start(self._started[-1])
        self._components[name] = Component(name, process, log, log_begins)
        return self._components[name]

    def kill(self, name: str, sig: int = signal.SIGKILL) -> None:
        """
        Kill a component together with the processes it has started.

        Any other signal than SIGKILL goes to the component alone, which then has time to end its own.
        """
        component = self._components.pop(name)
        family = _family(psutil.Process(component.process.pid))
        _signal(family if sig == signal.SIGKILL else family[:1], sig)
        component.process.wait(timeout=EVENTUALLY)
        _signal(family, signal.SIGKILL)
        psutil.wait_procs(family, timeout=10)

    def restart(self, name: str, timeout: float = EVENTUALLY) -> None:
        """Kill a component without warning, start it again and wait until it works."""
        self.kill(name)
        self.start(name)
        self.wait_healthy(timeout)

    def pid(self, name: str) -> int:
        return self._components[name].process.pid

    def runs(self, name: str) -> bool:
        return name in self._components

    def check(self) -> None:
        """Raise when a component has ended by itself."""
        for component in self._components.values():
            if component.process.poll() is not None:
                raise RuntimeError(
                    f"{component.name} ended: {component.process.returncode}\n{_tail(component.log)}"
                )

    def wait_healthy(self, timeout: float = EVENTUALLY) -> None:
        """Wait until every running component has said that it works, since it was started."""

        def healthy() -> bool:
            with contextlib.suppress(httpx.TransportError, httpx.HTTPStatusError):
                signs = self.api.signs_of_life()
                return all(self._are_back(kind, signs.get(job, [])) for kind, job in JOBS.items()) and all(
                    # A Celery worker has no job, and says this when it begins to take tasks.
                    worker.printed(f"{worker.name}@{socket.gethostname()} ready.")
                    for worker in self._of(CELERY_WORKER)
                )
            return False

        self.api.wait_until(healthy, timeout, self.tails)

    def _of(self, kind: str) -> list[Component]:
        return [component for component in self._components.values() if component.kind == kind]

    def _are_back(self, kind: str, signs: Iterable[datetime]) -> bool:
        """Whether as many have given a sign as there are, since the last was started: earlier ones were of others."""
        started = [component.started for component in self._of(kind)]
        return sum(sign > max(started, default=sign) for sign in signs) >= len(started)

    def tails(self) -> str:
        """The end of what each process printed."""
        return "\n".join(f"--- {path.name}\n{_tail(path)}" for path in self.logs.glob("*.log"))

    def wait_until_let_go(self, dag_id: str, run_id: str, task_id: str) -> None:
        """
        Wait until the scheduler knows that the worker is done with a task that waits.

        A task that goes on before that is failed by the scheduler, which takes the worker's end for that of the task.
        """
        key = f"dag_id='{dag_id}', task_id='{task_id}', run_id='{run_id}'"

        def known() -> bool:
            lines = (self.logs / "scheduler.log").read_text(errors="replace").splitlines()
            return any("executor event with state success" in line and key in line for line in lines)

        self.api.wait_until(known, EVENTUALLY, lambda: f"the scheduler does not know that {task_id} waits")

    def task_log(self, dag_id: str, run_id: str, task_id: str, map_index: int = -1) -> str:
        """All that a task and its triggers wrote, of every try, as it lies on the disk (JSON lines)."""
        folder = self.home.logs / f"dag_id={dag_id}" / f"run_id={run_id}" / f"task_id={task_id}"
        if map_index >= 0:
            folder /= f"map_index={map_index}"
        return "\n".join(path.read_text(errors="replace") for path in sorted(folder.glob("attempt=*")))

    def stop(self) -> None:
        """Stop everything that was started, and what that started in turn."""
        atexit.unregister(self.stop)
        family = [process for started in self._started for process in _family(started)]
        # The components only: a triggerer whose worker process is gone first waits for it forever.
        _signal(self._started, signal.SIGTERM)
        _, alive = psutil.wait_procs(family, timeout=5)
        _signal(alive, signal.SIGKILL)
        psutil.wait_procs(alive, timeout=5)
        for component in self._components.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                component.process.wait(timeout=5)
        self._components.clear()
        self._started.clear()
        self.api.close()
        if self._keep_logs:
            shutil.rmtree(self._keep_logs, ignore_errors=True)
            shutil.copytree(self.logs, self._keep_logs / "processes")
            shutil.copytree(
                self.home.logs, self._keep_logs / "tasks", ignore=shutil.ignore_patterns("latest")
            )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _named_hosts(home: Path) -> dict[str, str]:
    """Let each process take its name for its host's, by a module in the folder where Airflow looks for such."""
    config = home / "config"
    config.mkdir(exist_ok=True)
    (config / "named_hosts.py").write_text(
        f"import os\n\n\ndef host_name():\n    return os.environ['{HOST_NAME}']\n"
    )
    return {"AIRFLOW__CORE__HOSTNAME_CALLABLE": "named_hosts.host_name"}


def _kind(name: str) -> str:
    return re.sub(r"-\d+$", "", name)


def _arguments(name: str) -> list[str]:
    # Logs are read from the disk all processes share, so nobody has to serve them.
    kind = _kind(name)
    if kind == CELERY_WORKER:
        alone = ["--without-mingle", "--without-gossip"]  # saves asking around for others when it starts
        return ["celery", "worker", "--celery-hostname", f"{name}@%h", "--skip-serve-logs", *alone]
    if kind in ("scheduler", "triggerer"):
        return [kind, "--skip-serve-logs"]
    return [kind]


def _family(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _signal(processes: Iterable[psutil.Process], sig: int) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(sig)


def _tail(log: Path, lines: int = 40) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
