"""The harness itself: what other tests rely on it for, on whichever Airflow is installed."""

from __future__ import annotations

import os
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

pytest.importorskip("airflow.sdk")

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.sensors.time_delta import TimeDeltaSensor
from airflow.sdk import DAG, BaseOperator, BaseSensorOperator, task
from airflow_harness.tasks import run_task, run_to_end, run_trigger
from airflow_harness.waiting import EVENTUALLY

from airflow_provider_phonelink.compat import BaseHook

START = datetime(2024, 1, 1, tzinfo=timezone.utc)
DEPLOYED = Path(__file__).with_name("harness_deployed.py")


class Greet(BaseOperator):
    template_fields = ("who",)

    def __init__(self, *, who: object, conn_id: str = "greeter", **kwargs):
        super().__init__(**kwargs)
        self.who = who
        self.conn_id = conn_id

    def execute(self, context):
        connection = BaseHook.get_connection(self.conn_id)
        self.log.info("Greeting %s at %s, password %s", self.who, connection.host, connection.password)
        return {"who": self.who, "host": connection.host}


class Never(BaseSensorOperator):
    def poke(self, context):
        return False


@pytest.fixture
def dag():
    with DAG("harness_demo", schedule=None, start_date=START) as dag:

        @task
        def add(a: int, b: int) -> int:
            return a + b

        @task
        def total(numbers):
            return sum(numbers)

        start = EmptyOperator(task_id="start")
        wait = TimeDeltaSensor(task_id="wait", delta=timedelta(seconds=0.1), deferrable=True)
        greet = Greet(task_id="greet", who="{{ dag_run.conf['who'] }}")
        start >> wait >> greet >> total(add.partial(b=10).expand(a=[1, 2, 3]))
    return dag


class TestRunDag:
    def test_runs_every_kind_of_task(self, run_dag, dag):
        run = run_dag(
            dag, conf={"who": "Ada"}, connections={"greeter": {"conn_type": "http", "host": "there"}}
        )

        assert run.succeeded, run.explain()
        assert run.task_states() == {
            "start": "success",
            "wait": "success",
            "greet": "success",
            "add": ["success"] * 3,
            "total": "success",
        }
        assert run.xcom("greet") == {"who": "Ada", "host": "there"}
        assert run.xcom("add", 1) == 12
        assert run.xcom("total") == 36
        assert "Greeting Ada at there" in run.log("greet")
        assert "Greeting" not in run.log("start")

    def test_a_failure_is_explained(self, run_dag):
        with DAG("harness_failing", schedule=None, start_date=START) as dag:

            @task
            def broken():
                raise ValueError("out of luck")

            broken()
        run = run_dag(dag)

        assert (run.state, run.task_state("broken")) == ("failed", "failed")
        assert "ValueError: out of luck" in run.explain()


class TestRunTask:
    def test_templates_connections_and_results(self):
        outcome = run_task(
            Greet(task_id="greet", who="{{ ti.xcom_pull('earlier')['name'] }} {{ dag_run.conf.x }} {{ ds }}"),
            connections={"greeter": {"host": "there", "password": "s3cret-of-mine"}},
            xcoms={"earlier": {"name": "Ada"}},
            conf={"x": 1},
            logical_date=START,
        )

        assert outcome.state == "success", outcome.log
        assert outcome.value == {"who": "Ada 1 2024-01-01", "host": "there"}
        assert outcome.rendered == {"who": "Ada 1 2024-01-01"}
        assert "Greeting Ada 1 2024-01-01 at there, password ***" in outcome.log

    def test_a_missing_connection_fails_the_task(self):
        outcome = run_task(Greet(task_id="greet", who="x"))

        assert outcome.state == "failed"
        assert "greeter" in str(outcome.error)

    def test_retries(self):
        assert run_task(Greet(task_id="greet", who="x", retries=1)).state == "up_for_retry"
        assert run_task(Greet(task_id="greet", who="x", retries=1), try_number=2).state == "failed"

    def test_mapped(self):
        with DAG("harness_mapped", schedule=None, start_date=START):
            greet = Greet.partial(task_id="greet").expand(who=["Ada", "Bob"])
        outcome = run_task(greet, map_index=1, connections={"greeter": {"host": "there"}})

        assert outcome.value == {"who": "Bob", "host": "there"}

    def test_leaves_the_process_as_it_was(self):
        before = dict(os.environ)
        run_task(EmptyOperator(task_id="empty"))

        assert dict(os.environ) == before


class TestReschedule:
    def outcome(self, **options):
        return run_task(Never(task_id="wait", mode="reschedule", timeout=60), **options)

    def test_asks_to_be_run_again(self):
        outcome = self.outcome()
        assert outcome.state == "up_for_reschedule"
        assert outcome.reschedule_at > datetime.now(timezone.utc)

    def test_the_timeout_counts_from_the_first_poke(self):
        began = datetime.now(timezone.utc)
        assert self.outcome(reschedules=1, first_started=began).state == "up_for_reschedule"
        assert self.outcome(reschedules=1, first_started=began - timedelta(seconds=61)).state == "failed"


class TestDeferral:
    def sensor(self, seconds=0.05, **kwargs):
        return TimeDeltaSensor(task_id="wait", delta=timedelta(seconds=seconds), deferrable=True, **kwargs)

    def test_the_trigger_is_read_back_and_run(self):
        outcome = run_task(self.sensor())
        assert outcome.state == "deferred"
        assert outcome.deferral.classpath.endswith("DateTimeTrigger")

        (event,) = run_trigger(outcome.deferral.trigger)
        assert outcome.resume(event).state == "success"

    def test_run_to_end(self):
        assert run_to_end(self.sensor()).state == "success"

    def test_a_deferral_that_timed_out(self):
        outcome = run_task(self.sensor()).resume_after_timeout()

        assert outcome.state == "failed"
        assert "imeout" in f"{type(outcome.error).__name__}"

    def test_a_trigger_that_broke(self):
        assert run_task(self.sensor()).resume_after_failure().state == "failed"

    def test_a_trigger_that_takes_too_long(self):
        trigger = run_task(self.sensor(seconds=60)).deferral.trigger
        with pytest.raises(TimeoutError):
            run_trigger(trigger, timeout=0.1)


def test_airflow_uses_the_home_of_the_tests(airflow_home):
    from airflow.configuration import conf

    assert conf.get("core", "dags_folder") == str(airflow_home.dags)
    assert sys.modules["airflow"]


@pytest.fixture(scope="module")
def airflow(deploy):
    """One deployment for all: it takes 10 s to start."""
    connections = {"greeter": {"conn_type": "http", "host": "there", "password": "s3cret-of-mine"}}
    with deploy("harness", dags=[DEPLOYED], connections=connections) as airflow:
        yield airflow


def begin(airflow):
    """A run of which a task waits for a file."""
    run_id = airflow.api.trigger_dag(DEPLOYED.stem)
    airflow.api.wait_for_task(DEPLOYED.stem, run_id, "wait", "deferred")
    airflow.wait_until_let_go(DEPLOYED.stem, run_id, "wait")
    return run_id


def go_on(airflow, run_id):
    (airflow.home.path / f"{run_id}.done").touch()


class TestDeployment:
    def test_a_run(self, airflow):
        run_id = begin(airflow)
        go_on(airflow, run_id)

        assert airflow.api.wait(DEPLOYED.stem, run_id) == "success", airflow.tails()
        assert set(airflow.api.task_states(DEPLOYED.stem, run_id).values()) == {"success"}
        assert airflow.api.xcom(DEPLOYED.stem, run_id, "wait") == {"kept": 1, "event": True}
        assert airflow.api.xcom(DEPLOYED.stem, run_id, "add", map_index=1) == 12
        assert airflow.api.xcom(DEPLOYED.stem, run_id, "host") == "there"
        assert "password ***" in airflow.api.log(DEPLOYED.stem, run_id, "host")
        assert "Trigger fired event" in airflow.task_log(DEPLOYED.stem, run_id, "wait")

    def test_a_killed_triggerer(self, airflow):
        run_id = begin(airflow)
        before = airflow.pid("triggerer")
        airflow.restart("triggerer")
        go_on(airflow, run_id)

        assert airflow.pid("triggerer") != before
        assert airflow.api.wait(DEPLOYED.stem, run_id) == "success", airflow.tails()

    def test_a_killed_scheduler_and_an_edited_connection(self, airflow):
        run_id = begin(airflow)
        airflow.kill("scheduler")
        airflow.api.set_connection("greeter", conn_type="http", host="elsewhere")
        go_on(airflow, run_id)
        airflow.start("scheduler")

        assert airflow.api.wait(DEPLOYED.stem, run_id) == "success", airflow.tails()
        assert airflow.api.xcom(DEPLOYED.stem, run_id, "host") == "elsewhere"

    def test_waiting_ends_when_a_process_does(self, deploy):
        with deploy("broken", components=["api-server"]) as airflow:
            airflow.start("no-such-component")
            with pytest.raises(RuntimeError, match="no-such-component ended"):
                airflow.api.wait_until(lambda: False, EVENTUALLY, str)
