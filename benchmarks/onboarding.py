"""Onboard hundreds of new numbers in a real Airflow: in one task, and in a task for each step of each number."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import ROOT, Row

if TYPE_CHECKING:
    import psutil

    from benchmarks.measure import Bench

DAGS = Path(__file__).with_name("onboarding_dags.py")
NUMBERS, FEW = 200, 20
HOW = f"""
{NUMBERS} new numbers are created, waited for and linked, by a scheduler, a triggerer, an API server and a DAG processor
on PostgreSQL, against the [sandbox](sandbox.md), where a registration takes a second: once by
`DashaOnboardPhoneNumbersOperator`, which is *ours* here, and once by a mapped task for each create and each link, with
one deferred wait between them. CPU time is that of all Airflow processes, idle ones included, from the trigger to the
end of the run; at most 8 tasks run at a time. One run of each."""


def run(bench: Bench) -> list[Row]:
    """Onboard, and count what it took."""
    count = bench.pick(NUMBERS, FEW)
    found = bench.call("onboarding:onboard", count=count)
    ours, mapped = found["one_task"], found["mapped"]
    return [
        Row(f"onboard {count} numbers: tasks", str(ours["tasks"]), f"mapped {mapped['tasks']}"),
        Row("the same: requests", str(ours["requests"]), f"mapped {mapped['requests']}"),
        _ratio("the same: CPU time of all of Airflow", ours["cpu"], mapped["cpu"]),
        _ratio("the same: time", ours["seconds"], mapped["seconds"]),
    ]


def _ratio(case: str, ours: float, mapped: float) -> Row:
    return Row(case, f"{ours:.0f} s", f"mapped {mapped:.0f} s", ratio=f"{ours / mapped:.3g} (mapped)")


def onboard(count: int) -> dict[str, dict[str, float]]:
    """Run both DAGs, one after the other, and return what each took."""
    sys.path.insert(0, str(ROOT / "tests"))
    import tempfile

    from airflow_harness.home import AirflowHome
    from airflow_harness.processes import Deployment
    from airflow_harness.servers import postgresql

    from airflow_provider_phonelink.sandbox import Sandbox

    processes: list[psutil.Process] = []
    with postgresql() as server, Sandbox() as sandbox, tempfile.TemporaryDirectory() as folder:
        sandbox.set(dasha_registration_seconds=1)
        url = server.sqlalchemy_url("postgres")
        with Deployment(
            AirflowHome(Path(folder), settings={"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url}),
            dags=[DAGS],
            connections=sandbox.connections,
            settings={
                "BENCH_NUMBERS": str(count),
                "BENCH_CREDENTIALS": sandbox.world.dasha.trunks.add_credentials(),
            },
            on_start=processes.append,
        ) as airflow:
            return {dag_id: _took(airflow, dag_id, sandbox, processes) for dag_id in ("one_task", "mapped")}


def _took(airflow: Any, dag_id: str, sandbox: Any, processes: list[psutil.Process]) -> dict[str, float]:
    airflow.api.wait_for_dag(dag_id)
    links, requests = _linked(sandbox), sandbox.journal.total
    cpu, began = _cpu_seconds(processes), time.monotonic()
    run_id = airflow.api.trigger_dag(dag_id)
    state = airflow.api.wait(dag_id, run_id, timeout=3600)
    took = {
        "seconds": time.monotonic() - began,
        "cpu": _cpu_seconds(processes) - cpu,
        "requests": sandbox.journal.total - requests,
        "tasks": len(airflow.api.task_instances(dag_id, run_id)),
    }
    created = len(sandbox.world.dasha.numbers)
    if state != "success" or _linked(sandbox) - links != created - links:
        raise AssertionError(f"{dag_id} {state}: {airflow.api.task_states(dag_id, run_id)}")
    return took


def _linked(sandbox: Any) -> int:
    return sum(agent is not None for agent, _ in sandbox.world.dasha.links().values())


def _cpu_seconds(processes: list[psutil.Process]) -> float:
    """Return what processes have used, with all that they have started."""
    family = [each for process in processes for each in (process, *process.children(recursive=True))]
    # A process has the times of those of its children that have ended.
    return sum(sum(each.cpu_times()[:4]) for each in family)
