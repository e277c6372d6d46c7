"""Assets and events under a real scheduler and triggerer: what one DAG changes wakes another one."""

from __future__ import annotations

import pytest
from airflow_harness.waiting import EVENTUALLY
from system.test_examples import EXAMPLES, caller_id

pytestmark = pytest.mark.phonelink_sandbox(seed="demo")

LOST, SPARE = "+15550100002", "+15550100003"
#: Runs that nobody asks for are what this is about.
SCHEDULED = {"AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "True"}


class Runs:
    """The runs of a DAG that has no schedule but its assets."""

    def __init__(self, api, dag_id):
        self.api, self.dag_id = api, dag_id

    def ids(self):
        found = self.api.get(f"dags/{self.dag_id}/dagRuns?order_by=run_after")["dag_runs"]
        return [run["dag_run_id"] for run in found]

    def the(self, count):
        """Wait until there are so many, and the last one has succeeded; return its id."""
        self.api.wait_until(
            lambda: len(self.ids()) >= count, EVENTUALLY, lambda: f"{self.dag_id}: {self.ids()}"
        )
        run_id = self.ids()[count - 1]
        state = self.api.wait(self.dag_id, run_id)
        assert state == "success", self.api.task_states(self.dag_id, run_id)
        return run_id


def test_a_lost_registration_is_made_good_and_told(deploy, phonelink_sandbox):
    sandbox = phonelink_sandbox
    dasha = sandbox.world.dasha
    [lost] = [number.id for number in dasha.numbers.values() if number.settings.phone_number == LOST]
    files = [EXAMPLES / "registration_lost.py", EXAMPLES / "caller_id_changed.py"]

    def polled(api):
        count = len(sandbox.journal)
        api.wait_until(
            lambda: len(sandbox.journal) > count + 1, EVENTUALLY, lambda: "the triggerer does not poll"
        )

    with deploy("events", dags=files, connections=sandbox.connections, settings=SCHEDULED) as airflow:
        api = airflow.api
        rescues, news = Runs(api, "registration_lost"), Runs(api, "caller_id_changed")
        polled(api)  # the baseline
        assert caller_id(sandbox) == LOST

        dasha.script(lost, [{"after": 0, "state": "Failed"}])
        first = rescues.the(1)
        assert caller_id(sandbox) == SPARE
        assert api.task_states("registration_lost", first)["link_the_first_healthy_number", -1] == "success"
        told = news.the(1)
        assert api.xcom("caller_id_changed", told, "announce") == [f"agent-campaign now calls with {SPARE}."]

        # What happens while no triggerer is there is told by the next one, and what was told before is not.
        airflow.kill("triggerer")
        dasha.script(lost, [{"after": 0, "state": "Registered"}])
        airflow.start("triggerer")
        rescues.the(2)
        assert caller_id(sandbox) == LOST  # put back
        told = news.the(2)
        assert api.xcom("caller_id_changed", told, "announce") == [f"agent-campaign now calls with {LOST}."]
        polled(api)
        assert (len(rescues.ids()), len(news.ids())) == (2, 2)
