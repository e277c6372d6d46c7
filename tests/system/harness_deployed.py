"""A DAG for the tests of the harness: what a scheduler, a worker and a triggerer have to do, at its smallest."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger
from airflow.sdk import BaseOperator, dag, task

from airflow_provider_phonelink.compat import BaseHook


class Wait(BaseOperator):
    """Defers for some seconds, whatever the run's date is."""

    def __init__(self, *, seconds: float, **kwargs):
        super().__init__(**kwargs)
        self.seconds = seconds

    def execute(self, context):
        self.defer(
            trigger=TimeDeltaTrigger(timedelta(seconds=self.seconds)),
            method_name="resume",
            kwargs={"kept": 1},
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

    wait = Wait(task_id="wait", seconds=3)
    EmptyOperator(task_id="start") >> wait >> add.partial(b=10).expand(a=[1, 2])
    wait >> host("greeter")


harness_deployed()
