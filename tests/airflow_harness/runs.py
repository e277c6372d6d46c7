"""One run of a DAG in this process, from trigger to finish."""

from __future__ import annotations

import functools
import gc
import os
import time
from collections import defaultdict
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

from .home import connection_variables
from .logs import LogText, captured

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow.sdk import DAG

BUNDLE = "dags-folder"


@dataclass
class FinishedRun:
    """What a run left behind. A task is named by its id, one of a mapped task by id and index."""

    dag_id: str
    run_id: str
    state: str
    states: dict[tuple[str, int], str]
    tries: dict[tuple[str, int], int]
    xcoms: dict[tuple[str, int, str], Any] = field(repr=False)
    logs: dict[tuple[str, int], LogText] = field(repr=False)

    @property
    def succeeded(self) -> bool:
        return self.state == "success"

    def task_state(self, task_id: str, map_index: int = -1) -> str:
        return self.states[task_id, map_index]

    def task_states(self) -> dict[str, str | list[str]]:
        """State by task id; of a mapped task, the states of all in order."""
        found: dict[str, str | list[str]] = {}
        for (task_id, map_index), state in sorted(self.states.items()):
            if map_index < 0:
                found[task_id] = state
            else:
                found.setdefault(task_id, [])
                found[task_id].append(state)
        return found

    def xcom(self, task_id: str, map_index: int = -1, key: str = "return_value") -> Any:
        return self.xcoms[task_id, map_index, key]

    def log(self, task_id: str, map_index: int = -1) -> str:
        """All that the task's tries logged, its triggers' lines included."""
        return str(self.logs[task_id, map_index])

    def explain(self) -> str:
        """For an assertion's message: the states, and the logs of what did not succeed."""
        lines = [f"{self.dag_id} {self.run_id}: {self.state}", *(f"{k}: {v}" for k, v in self.states.items())]
        lines += [
            f"--- {key}\n{self.logs[key]}"
            for key, s in self.states.items()
            if s == "failed" and key in self.logs
        ]
        return "\n".join(lines)


def run_dag(
    dag: DAG,
    conf: dict[str, Any] | None = None,
    logical_date: datetime | None = None,
    connections: Mapping[str, Mapping[str, Any]] | None = None,
) -> FinishedRun:
    """
    Run a DAG to its end with ``dag.test()``.

    Deferred tasks run their trigger in this process, up to its first event, and lose the ``kwargs`` they deferred
    with: ``tasks`` and ``processes`` show what ``dag.test()`` cannot.

    :param dag: any DAG, also one that is in no DAGs folder.
    :param conf: the run's configuration.
    :param logical_date: now, when left out. A second run of the same date clears the first.
    :param connections: by id, see :func:`connection_variables`.
    """
    register(dag)
    logs: defaultdict[tuple[str, int], LogText] = defaultdict(LogText)
    with ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ, connection_variables(connections or {})))
        stack.enter_context(_task_logs(logs))
        run = dag.test(run_conf=conf, logical_date=logical_date or datetime.now(timezone.utc))
    return _finished(run, logs)


def register(dag: DAG) -> None:
    """Write a DAG into the database, as the DAG processor would: a run needs its version there."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager

    if getattr(dag, "relative_fileloc", None) is None:
        dag.relative_fileloc = Path(dag.fileloc).name
    DagBundlesManager().sync_bundles_to_db()
    bag = _dag_bag(os.devnull)
    bag.bag_dag(dag)
    if hasattr(bag, "sync_to_db"):  # Airflow 3.0
        bag.sync_to_db(BUNDLE, None)
    else:
        import_module(type(bag).__module__).sync_bag_to_db(bag, BUNDLE, None)


def load_dag(file: Path, dag_id: str | None = None) -> DAG:
    """Parse a DAG file as Airflow does, and return the DAG of that id, or the only one."""
    bag = _dag_bag(str(file))
    if bag.import_errors:
        raise ImportError("\n".join(bag.import_errors.values()))
    (dag,) = [dag for dag in bag.dags.values() if dag_id in (None, dag.dag_id)]
    return dag


def _dag_bag(folder: str) -> Any:
    try:
        from airflow.dag_processing.dagbag import DagBag
    except ImportError:  # Airflow 3.0 and 3.1
        from airflow.models.dagbag import DagBag as OldDagBag

        return OldDagBag(dag_folder=folder, include_examples=False)
    return DagBag(dag_folder=folder)


@contextmanager
def _task_logs(logs: Mapping[tuple[str, int], LogText]) -> Iterator[None]:
    from airflow.sdk.definitions import dag as module
    from airflow.sdk.execution_time import supervisor

    run_task = module._run_task

    def logged(*, ti: Any, **kwargs: Any) -> Any:
        with captured() as text:
            try:
                return run_task(ti=ti, **kwargs)
            finally:
                logs[ti.task_id, ti.map_index].lines += text.lines

    with (
        mock.patch.object(module, "_run_task", logged),
        # Airflow 3.0 builds a whole API application for each task: half a second each.
        mock.patch.object(supervisor, "in_process_api_server", _api_server),
    ):
        yield


@functools.cache
def _api_server() -> Any:
    from airflow.api_fastapi.execution_api.app import InProcessExecutionAPI

    return InProcessExecutionAPI()


def close() -> None:
    """Stop the event loop that the API server of this process runs in."""
    if not _api_server.cache_info().currsize:
        return
    from airflow.api_fastapi.execution_api import app

    loop = _api_server().transport.app.loop
    _api_server.cache_clear()
    gc.collect()  # Airflow 3.3 stops the loop when nothing refers to its transport any more
    if not hasattr(app, "_shutdown_loop"):  # Airflow 3.0 never stops it
        loop.call_soon_threadsafe(loop.stop)
    for _ in range(100):
        if not loop.is_running():
            loop.close()
            return
        gc.collect()  # what was left of a run may take more than one collection
        time.sleep(0.01)


def _finished(run: Any, logs: dict[tuple[str, int], LogText]) -> FinishedRun:
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session

    with create_session() as session:
        tasks = run.get_task_instances(session=session)
        rows = session.query(XComModel).filter_by(dag_id=run.dag_id, run_id=run.run_id).all()
        return FinishedRun(
            dag_id=run.dag_id,
            run_id=run.run_id,
            state=str(run.state.value),
            states={(t.task_id, t.map_index): str(getattr(t.state, "value", t.state)) for t in tasks},
            tries={(t.task_id, t.map_index): t.try_number for t in tasks},
            xcoms={(x.task_id, x.map_index, x.key): XComModel.deserialize_value(x) for x in rows},
            logs=logs,
        )
