"""
A DAG for the tests of the harness: what a scheduler, a worker and a triggerer have to do, at its smallest.

Its task waits for a file that is named after the run, so that a test decides when it goes on.
"""

from __future__ import annotations

import os
from datetime import datetime, timezone
from pathlib import Path

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.triggers.file import FileTrigger
from airflow.sdk import BaseOperator, dag, task

from airflow_provider_phonelink.compat import BaseHook


class Wait(BaseOperator):
    """Defers until its run is let go on."""

    def execute(self, context):
        path = Path(os.environ["AIRFLOW_HOME"], f"{context['run_id']}.done")
        self.defer(
            trigger=FileTrigger(str(path), poke_interval=0.2), method_name="resume", kwargs={"kept": 1}
        )

    def resume(self, context, event, kept):
        return {"kept": kept, "event": bool(event)}


@dag(schedule=None, start_date=datetime(2024, 1, 1, tzinfo=timezone.utc))
def harness_deployed():
    @task
    def add(a: int, b: int) -> int:
        return a + b

    @task
    def host(conn_id: str) -> str:
        connection = BaseHook.get_connection(conn_id)
        print("password", connection.password)
        return str(connection.host)

    wait = Wait(task_id="wait")
    EmptyOperator(task_id="start") >> wait >> add.partial(b=10).expand(a=[1, 2])
    wait >> host("greeter")


harness_deployed()
