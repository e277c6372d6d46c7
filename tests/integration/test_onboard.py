"""Onboarding from a file, as Airflow runs it: deferred, resumed, red or green, with a report."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.io import attach
from airflow_harness.tasks import run_in_a_triggerer, run_task, run_to_end
from fsspec.implementations.memory import MemoryFileSystem  # type: ignore[import-untyped]  # has no types of its own
from integration.worlds import AGENT, CREDENTIALS, OTHER_AGENT

from airflow_provider_phonelink.compat import AirflowTaskTimeout
from airflow_provider_phonelink.decisions.rows import ROW_COLUMNS
from airflow_provider_phonelink.exceptions import PhonelinkFailException, PhonelinkRetryableException
from airflow_provider_phonelink.files.columns import Columns
from airflow_provider_phonelink.files.reading import read_rows
from airflow_provider_phonelink.operators import rows as bounded
from airflow_provider_phonelink.operators.dasha import DashaOnboardPhoneNumbersOperator
from airflow_provider_phonelink.operators.dasha import onboard as module
from airflow_provider_phonelink.sandbox import Fault

NEW, TAKEN, OFF, FAILING, LATE = (f"+1555077{n:04}" for n in range(5))
FILE = f"""\ufeffphone_number;inbound_agent_id;outbound_agent_id;comment
{NEW};{AGENT};{AGENT};
{TAKEN};{AGENT};;
{NEW};{AGENT};;twice
1.5551E+10;{AGENT};;a spreadsheet's
{OFF};{AGENT};;
{FAILING};{AGENT};;
{LATE};{AGENT};;
"""


@pytest.fixture
def numbers(sandbox, tmp_path):
    """A file with numbers that come to different ends."""
    world = sandbox.world
    for number in (NEW, TAKEN):
        world.plan_registration(number, [(0, "Registered")])
    world.plan_registration(FAILING, [(0, "Registering"), (0.2, "Failed", "403 Forbidden")])
    world.plan_registration(LATE, [(0, "Registering")])
    world.dasha.add_number(
        TAKEN, CREDENTIALS, inbound=OTHER_AGENT, steps=[(0, "Registered")], registration=True
    )
    world.dasha.add_number(OFF, CREDENTIALS)
    path = tmp_path / "numbers.csv"
    path.write_text(FILE, encoding="utf-8")
    return path


def task_of(numbers, **options):
    return DashaOnboardPhoneNumbersOperator(
        task_id="onboard",
        **{
            "numbers": numbers,
            "credentials_id": CREDENTIALS,
            "if_linked": "fail",
            "timeout": 1,
            "poll_interval": 0.1,
            "retries": 2,
            **options,
        },
    )


def state(sandbox):
    dasha = sandbox.world.dasha
    return {dasha.get(id_).settings.phone_number: links for id_, links in dasha.links().items()}


@pytest.mark.parametrize("deferrable", [False, True])
def test_all_that_can_be_done_is_done_and_each_number_has_a_row(
    sandbox, connections, numbers, tmp_path, deferrable
):
    report = tmp_path / "report.csv"
    task = task_of(numbers, on_failed="report", report=str(report), deferrable=deferrable)
    outcome = run_to_end(task, connections=connections, variables={}, stored={})

    assert outcome.state == "success", outcome.log
    assert state(sandbox) == {
        NEW: (AGENT, [AGENT]),
        TAKEN: (OTHER_AGENT, []),
        OFF: (None, []),
        FAILING: (None, []),
        LATE: (None, []),
    }
    rows = {row["phone_number"]: row for row in outcome.value["rows"]}
    assert {number: (row["step"], row["state"]) for number, row in rows.items()} == {
        NEW: ("linked", "Registered"),
        TAKEN: ("registered", "Registered"),
        OFF: (None, "Disabled"),
        FAILING: ("created", "Failed"),
        LATE: ("created", "Registering"),
        "1.5551E+10": (None, None),
    }
    assert rows[NEW]["reason"] is None
    for number, words in {
        TAKEN: f"answers for agent {OTHER_AGENT}",
        OFF: "with registration=False instead of True",
        FAILING: "403 Forbidden",
        LATE: "not registered after 1 s: Registering",
        "1.5551E+10": "number 4 (line 5), phone_number: '1.5551E+10' is a number in scientific notation",
    }.items():
        assert words in rows[number]["reason"]
        assert words in outcome.log
    counts = {name: outcome.value[name] for name in ("numbers", "done", "failed", "steps")}
    assert counts == {
        "numbers": 6,
        "done": 1,
        "failed": 5,
        "steps": {"linked": 1, "registered": 1, "created": 2},
    }
    columns = Columns("row", required=(), optional=ROW_COLUMNS)
    told = read_rows(report, columns, argument="report").each(lambda row: dict(row))
    assert told == [{name: value for name, value in row.items() if value} for row in rows.values()]
    assert report.read_bytes().startswith(b"\xef\xbb\xbfphone_number,id,step,state,reason\n'+1555077")


def test_the_same_run_is_red_if_asked_and_the_next_try_makes_the_missing_writes(
    sandbox, connections, numbers
):
    kept: dict[str, Any] = {"variables": {}, "stored": {}}
    first = run_to_end(task_of(numbers, deferrable=True), connections=connections, **kept)
    assert first.state == "failed", "nothing that failed is helped by a retry"
    assert isinstance(first.error, PhonelinkFailException)
    assert str(first.error).startswith("1 of 6 numbers are onboarded, 5 are not. ")
    assert len(first.value["rows"]) == 6
    assert state(sandbox)[NEW] == (AGENT, [AGENT])
    assert first.asset_events == []

    sandbox.faults.clear()
    sandbox.journal.clear()
    for record in list(sandbox.world.dasha.numbers.values()):
        sandbox.world.dasha.script(record.id, [(0, "Registered")])
    numbers.write_text(FILE.replace("1.5551E+10;", "+15550770009;"), encoding="utf-8")
    sandbox.world.plan_registration("+15550770009", [(0, "Registered")])
    task = task_of(numbers, deferrable=True, if_linked="replace", if_exists="update")
    cleared = run_to_end(task, connections=connections, try_number=2, **kept)
    assert cleared.state == "success", cleared.log
    assert {row["step"] for row in cleared.value["rows"]} == {"linked"}
    made = sandbox.journal.writes()
    assert sorted(write.method for write in made) == ["POST"] + ["PUT"] * 6
    assert kept["variables"] == {}

    sandbox.journal.clear()
    again = run_task(task, connections=connections)
    assert again.state == "success"
    assert not sandbox.journal.writes()
    assert len(sandbox.journal) <= 10


def test_what_a_passing_fault_kept_from_being_done_is_worth_a_retry(sandbox, connections):
    sandbox.faults.add(Fault("status", method="PUT", status=503, count=None))
    item = {"phone_number": NEW, "inbound_agent_id": AGENT, "registration": False}
    kept: dict[str, Any] = {"variables": {}, "stored": {}}
    first = run_task(task_of([item]), connections=connections, **kept)
    assert first.state == "up_for_retry"
    assert isinstance(first.error, PhonelinkRetryableException)
    sandbox.faults.clear()
    second = run_task(task_of([item]), connections=connections, try_number=2, **kept)
    assert second.state == "success"
    assert [row["step"] for row in second.value["rows"]] == ["linked"]
    assert [write.method for write in sandbox.journal.writes() if write.method == "POST"] == ["POST"]


def test_more_failures_than_allowed_are_red_in_either_case(sandbox, connections, numbers):
    task = task_of(numbers, on_failed="report", max_failed="50%")
    outcome = run_to_end(task, connections=connections)
    assert outcome.state == "failed"
    assert outcome.value["failed"] == 5


def test_numbers_that_are_active_are_linked_while_others_are_waited_for(
    sandbox, connections, numbers, monkeypatch
):
    monkeypatch.setattr(module, "LINGER", 0.0)
    sandbox.world.plan_registration(NEW, [(0, "Registering"), (0.3, "Registered")])
    task = task_of(numbers, timeout=3600, deferrable=True)
    first = run_task(task, connections=connections)
    assert first.deferral
    [event] = run_in_a_triggerer(first.deferral.trigger, connections)
    assert event["status"] == "reported"
    second = first.resume(event)
    if second.deferral and state(sandbox)[NEW] == (None, []):  # the failed one came first
        [event] = run_in_a_triggerer(second.deferral.trigger, connections)
        second = second.resume(event)
    assert second.deferral, second.log
    assert second.deferral.trigger_kwargs["deadline"] == first.deferral.trigger_kwargs["deadline"]
    assert state(sandbox)[NEW] == (AGENT, [AGENT])


def test_how_long_a_registration_has_been_failing_is_known_to_the_next_wait(
    sandbox, connections, monkeypatch
):
    monkeypatch.setattr(module, "LINGER", 0.0)
    sandbox.world.plan_registration(NEW, [(0, "Registering"), (0.3, "Registered")])
    sandbox.world.plan_registration(FAILING, [(0, "Failed")])
    items = [{"phone_number": NEW}, {"phone_number": FAILING}]
    first = run_task(
        task_of(items, timeout=3600, deferrable=True, failed_for=3600, max_failed=5), connections=connections
    )
    assert first.deferral
    [[_, since]] = first.deferral.trigger_kwargs["failing_since"]
    [event] = run_in_a_triggerer(first.deferral.trigger, connections)
    assert list(event["failing_since"].values()) == [since]
    second = first.resume(event)
    assert second.deferral, second.log
    assert second.deferral.trigger_kwargs["failing_since"] == first.deferral.trigger_kwargs["failing_since"]


@pytest.mark.parametrize("failures", [2, None])
def test_looks_that_fail_during_the_wait_are_borne_and_the_rows_are_never_lost(
    sandbox, connections, numbers, tmp_path, failures
):
    connections["dasha_default"]["extra"] |= {"max_retries": 0, "max_failed_polls": 3}
    outage = Fault("status", method="GET", path="sip-phone-numbers$", nth=4, count=failures, status=503)
    sandbox.faults.add(outage)
    report = tmp_path / "report.csv"
    task = task_of(numbers, on_failed="report", timeout=5, poll_interval=0.5, report=report)
    outcome = run_task(task, connections=connections)
    assert outcome.state == ("success" if failures else "up_for_retry"), outcome.log
    assert outcome.value["steps"]["linked"] == 1
    rows = {row["phone_number"]: row for row in outcome.value["rows"]}
    assert rows[NEW]["step"] == "linked"
    assert rows[LATE]["reason"].startswith(
        f"not registered {'after 5 s' if failures else 'yet'}: Registering"
    )
    assert report.read_text(encoding="utf-8-sig").count("not registered") == 2
    if not failures:
        assert "At the last look: 1 of 6 numbers are onboarded" in str(outcome.error)


def test_a_wait_that_breaks_off_leaves_the_rows_of_the_last_look(sandbox, connections, numbers, tmp_path):
    report = tmp_path / "report.json"
    first = run_task(task_of(numbers, deferrable=True, report=report), connections=connections)
    waiting = first.deferral.trigger_kwargs["phone_number_ids"][0]
    event = {"status": "error", "message": "3 polls in a row failed.", "retry_helps": True}
    outcome = first.resume({**event, "states": {waiting: "Seen by the trigger"}})
    assert outcome.state == "up_for_retry"
    assert "3 polls in a row failed. At the last look: 1 of 6 numbers are onboarded" in str(outcome.error)
    rows = {row["id"]: row for row in outcome.value["rows"]}
    assert rows[waiting]["state"] == "Seen by the trigger"
    assert json.loads(report.read_text()) == outcome.value["rows"]


def test_what_the_vendor_refused_is_not_sent_again_after_a_wait(sandbox, connections, numbers):
    sandbox.faults.add(Fault("status", method="PUT", path="agent-link", status=400, count=None))
    first = run_task(task_of(numbers, deferrable=True, timeout=3600), connections=connections)
    sent = len(sandbox.journal.writes())
    late = first.resume({"status": "reported", "message": "", "deadline": 0})
    assert len(sandbox.journal.writes()) == sent
    assert {row["reason"] for row in late.value["rows"] if row["phone_number"] == NEW} != {None}


def test_no_triggerer(sandbox, connections, numbers):
    first = run_task(task_of(numbers, deferrable=True, on_failed="report"), connections=connections)
    sandbox.world.advance(5)
    outcome = first.resume_after_timeout()
    assert outcome.state == "success"
    assert "none was running" in outcome.log
    assert outcome.value["steps"]["linked"] == 1


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("phone_number,inbound_agent_id\n", "has no numbers in it"),
        ("<html>", "is not known"),
        ("phone_number,agent\n+1,a\n", "'agent' is not known"),
        (
            f"phone_number,inbound_agent_id\n{NEW},a\n{NEW},b\n",
            "number 1 (line 2) and number 2 (line 3) contradict",
        ),
        (f"phone_number,outbound_agent_id\n{NEW},a\n{LATE},a\n", "but an agent has one"),
        (
            "phone_number,inbound_agent_id\n+15550770001,a\n+1 555 077 0001,b\n",
            "number 1 (line 2) and number 2 (line 3) contradict",
        ),
    ],
)
def test_what_cannot_be_used_as_a_whole_is_refused(sandbox, connections, tmp_path, text, problem):
    (tmp_path / "n.csv").write_text(text)
    outcome = run_task(task_of(tmp_path / "n.csv"), connections=connections)
    assert isinstance(outcome.error, PhonelinkFailException)
    assert problem in str(outcome.error)
    assert len(sandbox.journal) == 0


@pytest.mark.parametrize(
    "name", ["report.txt", "nowhere/report.csv", "{{ '../report.csv' }}", "s3:///report.csv"]
)
def test_a_place_that_no_report_can_go_to_is_refused_first(sandbox, connections, tmp_path, name):
    task = task_of(
        [{"phone_number": NEW}], report=name if "{" in name or ":" in name else f"{tmp_path}/{name}"
    )
    dag = DAG("in-a-file", schedule=None)
    dag.fileloc = str(tmp_path / "dag.py")
    dag.add_task(task)
    outcome = run_task(task, connections=connections)
    assert isinstance(outcome.error, PhonelinkFailException)
    assert "report: " in str(outcome.error)
    assert len(sandbox.journal) == 0


def test_a_report_in_object_storage_and_a_bounded_result(sandbox, connections, tmp_path, monkeypatch):
    monkeypatch.setattr(bounded, "MOST_ROWS", 2)
    items = [{"phone_number": f"+15550{n:06}", "registration": False} for n in range(3)]
    items.append({"phone_number": "#REF!"})
    location = f"file://{tmp_path}/report.json"
    outcome = run_task(task_of(items, report=location, on_failed="report"), connections=connections)
    assert outcome.state == "success", outcome.log
    assert [row["phone_number"] for row in outcome.value["rows"]] == ["#REF!"]
    assert (outcome.value["numbers"], outcome.value["report"]) == (4, location)
    rows = json.loads((tmp_path / "report.json").read_text())
    assert [row["step"] for row in rows] == ["created"] * 3 + [None]


def test_a_wait_for_all_time_is_one_for_a_hundred_years(sandbox, connections, numbers):
    task = task_of(numbers, deferrable=True, timeout=timedelta.max, failed_for=timedelta.max)
    outcome = run_task(task, connections=connections)
    assert outcome.state == "deferred", outcome.log
    assert outcome.deferral.timeout.days // 365 == 100


def test_a_report_that_cannot_be_written_is_written_by_a_retry(sandbox, connections, tmp_path):
    class Storage(MemoryFileSystem):
        is_down = True

        def open(self, *arguments, **options):
            if self.is_down:
                raise TimeoutError
            return super().open(*arguments, **options)

    storage = Storage(skip_instance_cache=True)
    attach("memory", conn_id="down", fs=storage)
    report = f"memory://down@bucket/{tmp_path.name}/report.csv"
    task = task_of([{"phone_number": NEW, "registration": False}], report=report)
    first = run_task(task, connections=connections)
    assert first.state == "up_for_retry"
    assert "does nothing twice" in str(first.error)
    storage.is_down = False
    assert run_task(task, connections=connections, try_number=2).state == "success"
    assert len(sandbox.journal.writes()) == 1


def test_the_end_of_the_execution_timeout_leaves_the_rows(sandbox, connections, numbers, monkeypatch):
    """Airflow's alarm goes off a moment before the wait is over, as it was set before the task began to work."""

    def alarm(_: float) -> None:
        raise AirflowTaskTimeout("Timeout")

    monkeypatch.setattr("airflow_provider_phonelink.operators.dasha.onboard.time.sleep", alarm)
    task = task_of(numbers, timeout=3600, on_failed="report")
    outcome = run_task(task, connections=connections)
    assert outcome.state == "success", outcome.log
    assert {row["phone_number"]: row["step"] for row in outcome.value["rows"]}[NEW] == "linked"
    [reason] = [row["reason"] for row in outcome.value["rows"] if row["phone_number"] == LATE]
    assert "not registered after 3600 s" in reason
