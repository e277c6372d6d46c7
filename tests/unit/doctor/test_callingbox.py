from __future__ import annotations

from typing import Any

import httpx
import pytest
from unit.api.carrying import callingbox_settings
from unit.doctor.diagnosis import Patient

from airflow_provider_phonelink.api.senders import Sender
from airflow_provider_phonelink.doctor.callingbox import paging
from airflow_provider_phonelink.doctor.callingbox.agents import findings
from airflow_provider_phonelink.doctor.callingbox.readings import NOBODY, Readings, read
from airflow_provider_phonelink.doctor.findings import Level, Sure


def readings(answer: Any) -> tuple[Readings, int]:
    """Return what is read of a vendor that is a function, and in how many requests."""
    requests: list[str] = []

    def vendor(request: httpx.Request) -> httpx.Response:
        requests.append(request.url.path)
        return httpx.Response(404) if request.url.path.count("/") > 2 else answer(request)

    with Sender(callingbox_settings(max_retries=0), transport=httpx.MockTransport(vendor)) as sender:
        return sender.run(read()), len(requests)


def test_a_list_whose_cursor_does_not_move_on_is_told() -> None:
    page = {"data": [{"id": "pn_1"}, {"id": "pn_2"}], "has_more": True}
    read, requests = readings(lambda _: httpx.Response(200, json=page))
    finding = paging.paging(read)
    assert (finding.level, requests) == (Level.TO_DO, 7)
    assert "ignores `starting_after`" in finding.seen


@pytest.mark.parametrize("status", [403, 404, 500])
def test_agents_that_may_not_be_read_are_told(status) -> None:
    def vendor(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status) if "agents" in request.url.path else httpx.Response(200, json=[])

    [finding] = findings(readings(vendor)[0])
    assert str(status) in finding.seen
    assert (finding.about, finding.level) == ("agents", Level.NOTE)


def test_an_agent_that_is_gone_and_has_a_number_is_named() -> None:
    numbers = [
        {"id": "pn_1", "e164": "+15550100001", "inbound_agent_id": "agt_1", "outbound_agent_ids": None}
    ]

    def vendor(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"data": []} if "agents" in request.url.path else numbers)

    gone = findings(readings(vendor)[0])[-1]
    assert gone.level is Level.TO_DO
    assert "agent agt_1 (gone; +15550100001 (id pn_1))" in gone.seen


class TestFormOfErrors:
    def test_a_refusal_that_was_repeated_with_success_is_not_it(self) -> None:
        patient = Patient.new()
        patient.refuse = lambda line, nth: 503 if nth == 1 and "/v1/agents {" in line else None
        assert patient.examined("callingbox")["form of errors"].seen == '404 with {"error": text}'

    def test_one_on_the_way_to_it_is_not_it(self) -> None:
        patient = Patient.new()
        patient.refuse = lambda line, nth: 502 if nth == 1 and NOBODY in line else None
        assert patient.examined("callingbox")["form of errors"].seen == '404 with {"error": text}'

    @pytest.mark.parametrize("status", [429, 500, 503])
    def test_where_it_is_not_come_by_it_is_unknown(self, status) -> None:
        patient = Patient.new()
        patient.refuse = lambda line, nth: status if NOBODY in line else None
        finding = patient.examined("callingbox")["form of errors"]
        assert (finding.level, finding.sure) == (Level.NOTE, Sure.UNKNOWN)
        assert str(status) in finding.seen
