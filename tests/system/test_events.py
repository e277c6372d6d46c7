"""Assets and events under a real scheduler and triggerer: what one DAG changes wakes another one."""

from __future__ import annotations

import pytest
from airflow_harness.lost_registration import NO_CLOCK, wait_for_poll, with_clock
from airflow_harness.waiting import EVENTUALLY
from system.test_examples import EXAMPLES, caller_id

from airflow_provider_phonelink.sandbox import seeds

pytestmark = pytest.mark.phonelink_sandbox(seed="demo")

LOST, SPARE = "+15550100002", "+15550100003"
#: Runs that nobody asks for are what this is about.
SCHEDULED = {"AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "True"}
FAILED = [{"after": 0, "state": "Failed"}]


def events(api):
    return api.get("dags/registration_lost/dagRuns", run_type="asset_triggered")["dag_runs"]


def told_by_the_watcher(api):
    """How many changes of a registration it has told."""
    [asset] = api.get("assets", name_pattern="campaign_registrations")["assets"]
    return api.get("assets/events", asset_id=asset["id"], limit=1)["total_entries"]


def watcher_tells(api, before):
    """Wait until it has told another change: a poll that is seen may be the failover's own look."""
    api.wait_until(lambda: told_by_the_watcher(api) > before, EVENTUALLY, lambda: f"it told {before} changes")


def woken_by_an_event(api, count):
    """Wait until so many events have started the DAG."""
    api.wait_until(lambda: len(events(api)) >= count, EVENTUALLY, lambda: f"there were {len(events(api))}")


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


def test_a_lost_registration_is_made_good_and_told(deploy, phonelink_sandbox, tmp_path):
    sandbox = phonelink_sandbox
    dasha = sandbox.world.dasha
    [lost] = [number.id for number in dasha.numbers.values() if number.settings.phone_number == LOST]
    failover = tmp_path / "registration_lost.py"
    failover.write_text(with_clock(NO_CLOCK, poll_interval=1))  # so that it is events that wake it
    files = [failover, EXAMPLES / "caller_id_changed.py"]

    with deploy("events", dags=files, connections=sandbox.connections, settings=SCHEDULED) as airflow:
        api = airflow.api
        news = Runs(api, "caller_id_changed")

        def calls_with(number):
            api.wait_until(
                lambda: caller_id(sandbox) == number, EVENTUALLY, lambda: f"it is {caller_id(sandbox)}"
            )

        def told():
            return api.xcom("caller_id_changed", news.the(len(news.ids()) or 1), "announce")

        wait_for_poll(api, sandbox)  # the baseline
        assert caller_id(sandbox) == LOST

        dasha.script(lost, FAILED)
        woken_by_an_event(api, 1)
        calls_with(SPARE)
        assert told() == [f"agent-campaign now calls with {SPARE}."]

        # What happens while no triggerer is there is told by the next one, and what was told before is not.
        airflow.kill("triggerer")
        dasha.script(lost, seeds.REGISTERED)
        airflow.start("triggerer")
        woken_by_an_event(api, 2)
        calls_with(LOST)  # put back
        news.the(2)
        assert told() == [f"agent-campaign now calls with {LOST}."]
        wait_for_poll(api, sandbox)
        assert len(events(api)) == 2
        assert len(news.ids()) == 2

        # Events come while a run is under way, and others are waiting: the end is as the world is.
        for steps in (FAILED, seeds.REGISTERED, FAILED):
            before = told_by_the_watcher(api)
            dasha.script(lost, steps)
            watcher_tells(api, before)
        calls_with(SPARE)
        dasha.script(lost, seeds.REGISTERED)
        calls_with(LOST)

        # A DAG that is paused is told of nothing: Airflow queues no event for it, and ends its watcher.
        api.set_paused("registration_lost", True)
        dasha.script(lost, FAILED)
        (airflow.home.dags / failover.name).write_text(with_clock("* * * * *", poll_interval=1))
        api.set_paused("registration_lost", False)
        calls_with(SPARE)
