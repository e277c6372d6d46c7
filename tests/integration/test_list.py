"""List: all numbers that match, or an error; never a part of them."""

from __future__ import annotations

from typing import Any

import pytest
from airflow_harness.tasks import run_task
from integration.worlds import AGENT, CREDENTIALS, OTHER_AGENT

from airflow_provider_phonelink.api.dasha import endpoints
from airflow_provider_phonelink.operators.dasha import DashaListPhoneNumbersOperator
from airflow_provider_phonelink.sandbox import Fault

UUID_AGENT = "7d3f1a52-0c64-4c7e-9f5d-2f5b8a1c0e11"
PROVIDER = "5b0f6c1e-0f8f-4b4f-9a53-0d3a1a2b3c4d"
READS: dict[str, Any] = {"method": "GET", "path": "sip-phone-numbers$"}


def listing(**filters) -> DashaListPhoneNumbersOperator:
    return DashaListPhoneNumbersOperator(task_id="list", **filters)


def plant(sandbox, count: int) -> set[str]:
    return {sandbox.world.dasha.add_number(f"+1555{n:07}", CREDENTIALS) for n in range(count)}


def ids(outcome) -> list[str]:
    return [number["id"] for number in outcome.value]


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001, 2345])
def test_all_pages_are_read(sandbox, connections, count):
    planted = plant(sandbox, count)
    outcome = run_task(listing(), connections=connections)

    assert outcome.state == "success", outcome.log
    assert len(outcome.value) == count
    assert set(ids(outcome)) == planted
    assert len(sandbox.journal) <= count // 1000 + 1  # that a full page is the last one shows on the next
    assert f"{count} numbers match" in outcome.log


def test_what_is_in_xcom_is_plain_and_in_snake_case(sandbox, number, connections):
    outcome = run_task(listing(phone_number="+15550199"), connections=connections)

    (found,) = outcome.value
    assert found["phone_number"] == "+15550199"
    assert found["display_name"] == "Bystander"
    assert found["incoming_calls_agent_id"] == OTHER_AGENT
    assert found["registration_status"]["state"] == "Registered"
    assert isinstance(found["created_time"], str)


@pytest.mark.parametrize(
    ("filters", "wished"),
    [
        ({"phone_number": "+15550122"}, {"managed"}),
        ({"linked_agent_id": AGENT}, {"ours"}),
        ({"linked_agent_id": UUID_AGENT.upper()}, {"theirs"}),
        ({"unlinked_only": True}, {"managed", "free"}),
        ({"unlinked_only": "True"}, {"managed", "free"}),
        ({"unlinked_only": "false"}, {"ours", "managed", "free", "theirs"}),
        ({"provider_id": PROVIDER}, {"managed"}),
        ({"provider_id": PROVIDER.upper()}, {"managed"}),
        ({"provider_id": PROVIDER, "linked_agent_id": AGENT}, set()),
    ],
)
def test_filters(sandbox, connections, filters, wished):
    sandbox.world.dasha.add_number("+15550121", display_name="ours", inbound=AGENT)
    sandbox.world.dasha.add_number("+15550122", display_name="managed", provider_id=PROVIDER)
    sandbox.world.dasha.add_number("+15550123", display_name="free")
    sandbox.world.dasha.add_number("+15550124", display_name="theirs", inbound=UUID_AGENT)
    outcome = run_task(listing(**filters), connections=connections)

    assert {number["display_name"] for number in outcome.value} == wished


class TestWhatTheVendorMaySay:
    @pytest.fixture(autouse=True)
    def three_pages(self, sandbox, monkeypatch):
        monkeypatch.setattr(endpoints, "LARGEST_PAGE", 4)
        self.planted = plant(sandbox, 10)

    @pytest.mark.parametrize(
        "fault",
        [
            Fault("repeat_items", **READS, items=2, count=None),
            Fault("repeat_items", **READS, items=2, nth=2),
            Fault("shift_items", **READS, items=1, nth=2),
            Fault("shift_items", **READS, items=3, nth=2, count=None),
            Fault("edit", **READS, merge={"totalCount": 0}),
            Fault("edit", **READS, merge={"totalCount": 3}, count=None),
            Fault("edit", **READS, merge={"totalCount": 11}),
            Fault("edit", **READS, merge={"totalCount": 10_000}, nth=2),
            Fault("edit", **READS, merge={"totalCount": -1}, count=None),
            Fault("edit", **READS, merge={"skip": 7, "take": 7}, count=None),
            Fault("edit", **READS, merge={"totalCount": 4}, count=None),
            Fault("edit", **READS, merge={"totalCount": 8}, count=None),
            Fault("endless", **READS, nth=3, count=1),
            Fault(
                "status",
                **READS,
                status=200,
                body='{"items": [], "totalCount": 10, "skip": 4, "take": 4}',
                nth=2,
            ),
        ],
        ids=lambda fault: f"{fault.kind} {dict(fault.merge)} {fault.nth} {fault.count}",
    )
    def test_a_correct_result_or_an_error(self, sandbox, connections, fault):
        sandbox.faults.add(fault)
        outcome = run_task(listing(retries=1), connections=connections)

        assert len(sandbox.journal) < 60
        if outcome.state == "success":
            assert set(ids(outcome)) == self.planted
            assert len(ids(outcome)) == len(self.planted)
        else:
            assert outcome.state == "up_for_retry"
            assert "the list" in str(outcome.error)

    @pytest.mark.parametrize("invent", [False, True])
    def test_a_list_that_never_ends_is_an_error(self, sandbox, connections, invent):
        sandbox.faults.add(Fault("endless", **READS, invent=invent, count=None))
        outcome = run_task(listing(retries=1), connections=connections)

        assert outcome.state == "up_for_retry"
        assert len(sandbox.journal) < 200

    @pytest.mark.parametrize("position", [0, 3, 4, 9])
    def test_a_number_that_goes_meanwhile_hides_no_other(self, sandbox, connections, position):
        gone = list(sandbox.world.dasha.numbers)[position]
        sandbox.faults.meanwhile(lambda world: world.dasha.delete(gone), **READS, nth=2)
        outcome = run_task(listing(retries=1), connections=connections)

        assert outcome.state == "success", outcome.log
        assert self.planted - {gone} <= set(ids(outcome))

    def test_a_number_that_comes_meanwhile_hides_no_other(self, sandbox, connections):
        sandbox.faults.meanwhile(lambda world: world.dasha.add_number("+1999"), **READS, nth=2)
        outcome = run_task(listing(), connections=connections)

        assert self.planted <= set(ids(outcome))
