from __future__ import annotations

from typing import Any

import httpx
import pytest
from unit.api.carrying import callingbox_settings
from unit.doctor.diagnosis import NOW, Patient

from airflow_provider_phonelink.api.callingbox.models import Agent, Number
from airflow_provider_phonelink.api.errors import AccessDeniedError
from airflow_provider_phonelink.api.senders import Sender
from airflow_provider_phonelink.doctor.callingbox import paging
from airflow_provider_phonelink.doctor.callingbox.agents import findings
from airflow_provider_phonelink.doctor.callingbox.readings import NOBODY, Readings, numbers_by_agent, read
from airflow_provider_phonelink.doctor.findings import Finding, Level, Sure


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

    @pytest.mark.parametrize("status", [307, 429, 500, 503])
    def test_where_it_is_not_come_by_it_is_unknown(self, status) -> None:
        patient = Patient.new()
        patient.refuse = lambda line, nth: status if NOBODY in line else None
        finding = patient.examined("callingbox")["form of errors"]
        assert (finding.level, finding.sure) == (Level.NOTE, Sure.UNKNOWN)
        assert str(status) in finding.seen


def archived_agents(count: int, **switches: object) -> Patient:
    """Return an account with archived agents that no list shows, each with a number."""
    patient = Patient.new(callingbox_archived_agents="hidden", **switches)
    for n in range(count):
        patient.callingbox.add_agent("outbound", id=f"agt_{n}")
        patient.callingbox.add_number(f"+155501000{n:02}", id=f"pn_{n}", agents=[f"agt_{n}"])
        patient.callingbox.archive(f"agt_{n}")
    return patient


def gone(patient: Patient) -> Finding:
    return patient.examined("callingbox")["agents gone"]


class TestAgentsWithNumbers:
    def test_those_that_no_list_shows_are_read_singly_as_far_as_that_goes(self) -> None:
        patient = archived_agents(5)
        finding = gone(patient)
        assert (finding.level, finding.sure) == (Level.TO_DO, Sure.SEEN)
        for n in range(5):
            assert f"agent agt_{n} (archived; +155501000{n:02} (id pn_{n}))" in finding.seen
        assert "not read" not in finding.seen

    def test_those_that_are_left_are_counted(self) -> None:
        patient = archived_agents(40)
        finding = gone(patient)
        assert len(patient.traffic) == 20
        assert (finding.level, finding.sure) == (Level.TO_DO, Sure.SEEN)
        assert (
            " and 9 more; not read: whether 26 other agents are archived or gone: agent agt_" in finding.seen
        )

    def test_those_that_may_not_be_read_are_named(self) -> None:
        patient = archived_agents(2)
        patient.refuse = lambda line, nth: 403 if "/agents/agt_" in line else None
        finding = gone(patient)
        assert (finding.level, finding.sure) == (Level.NOTE, Sure.UNKNOWN)
        assert "agents that could not be judged: agent agt_1 (answered 403), agent agt_0 (" in finding.seen
        assert "`CallingBoxHook.get_agent`" in finding.advice

    def test_those_that_are_refused_like_one_that_does_not_exist_are_most_likely_gone(self) -> None:
        patient = archived_agents(2)
        patient.refuse = lambda line, nth: 400 if "/agents/agt_1" in line or NOBODY in line else None
        finding = gone(patient)
        assert (finding.level, finding.sure) == (Level.TO_DO, Sure.LIKELY)
        assert "agent agt_1 (most likely gone: answered 400 as one that does not exist is; +" in finding.seen
        assert "agent agt_0 (archived; " in finding.seen

    def test_single_reads_end_where_the_vendor_fails(self) -> None:
        patient = archived_agents(5)
        patient.refuse = lambda line, nth: 500 if "/agents/agt_" in line else None
        finding = gone(patient)
        assert "whether 4 other agents are archived or gone: agent agt_3" in finding.seen
        assert "agent agt_4 (answered 500)" in finding.seen
        assert sum("/agents/agt_" in observed.path for observed in patient.traffic) == 2

    def test_those_that_are_refused_otherwise_are_not(self) -> None:
        patient = archived_agents(1)
        patient.refuse = lambda line, nth: 400 if "/agents/agt_" in line else None
        finding = gone(patient)
        assert (finding.level, finding.sure) == (Level.NOTE, Sure.UNKNOWN)
        assert "agent agt_0 (answered 400)" in finding.seen

    @pytest.mark.parametrize("archived", ["hidden", "listed"])
    def test_those_beyond_the_pages_that_were_read_are_read_singly(self, archived) -> None:
        patient = Patient.new(callingbox_agent_pages=True, callingbox_archived_agents=archived)
        for n in range(250):
            patient.callingbox.add_agent("outbound", id=f"agt_{n}")
        patient.callingbox.add_agent("outbound", id="old")
        patient.callingbox.add_number("+15550100001", id="pn_1", agents=["old"])
        patient.callingbox.archive("old")
        found = patient.examined("callingbox")
        assert "agent old (archived; " in found["agents gone"].seen
        # Where the list was not read to its end, it cannot be told whether it has archived agents in it.
        assert found["archived agents"].sure is Sure.UNKNOWN

    def test_numbers_that_do_not_say_which_agents_have_them_leave_it_open(self) -> None:
        patient = Patient.new(callingbox_sparse=True)
        patient.callingbox.add_agent("inbound", id="agt_1", archived=True)
        patient.callingbox.add_number("+15550100001", agents=["agt_1"])
        finding = gone(patient)
        assert (finding.level, finding.sure) == (Level.NOTE, Sure.UNKNOWN)
        assert "the agents of 1 number that do not say them" in finding.seen

    def test_where_all_is_seen_nothing_is_left_open(self) -> None:
        patient = Patient.new()
        patient.callingbox.add_agent("inbound", id="agt_1")
        patient.callingbox.add_number("+15550100001", agents=["agt_1"])
        finding = gone(patient)
        assert (finding.level, finding.sure) == (Level.OK, Sure.SEEN)
        assert finding.seen == "no agent that is archived or gone has a number"

    def test_a_list_that_is_refused_leaves_those_that_numbers_show(self) -> None:
        patient = archived_agents(1)
        patient.refuse = lambda line, nth: 403 if "/v1/agents {" in line else None
        found = patient.examined("callingbox")
        assert "403" in found["agents"].seen
        assert "agent agt_0 (archived; " in found["agents gone"].seen


class TestPaging:
    @pytest.mark.parametrize("shape", ["array", "data", "data_has_more"])
    def test_pages_that_are_shorter_than_what_was_asked_for(self, shape) -> None:
        patient = Patient.new(
            callingbox_numbers_shape=shape, callingbox_plain_lists="paged", callingbox_page_cap=20
        )
        for n in range(60):
            patient.callingbox.add_number(f"+155501000{n:02}")
        found = patient.examined("callingbox")
        assert found["numbers"].seen.startswith("60 numbers;")
        assert found["paging"].seen.startswith("pages: at most 20 numbers on a page")
        assert found["same number twice"].sure is Sure.SEEN

    @pytest.mark.parametrize("shape", ["array", "data_has_more"])
    def test_of_a_list_that_is_too_long_the_rest_is_not_known(self, shape) -> None:
        patient = Patient.new(
            callingbox_numbers_shape=shape, callingbox_plain_lists="paged", callingbox_page_cap=50
        )
        patient.callingbox.add_number("+15559999999")
        patient.callingbox.add_number("1 555 999 9999")
        for n in range(1000):
            patient.callingbox.add_number(f"+1555{n:07}")
        found = patient.examined("callingbox")
        assert len(patient.traffic) <= 20
        assert found["numbers"].seen.startswith("more than 550 numbers")
        for about in ("same number twice", "links in lists", "agents gone"):
            assert (found[about].level, found[about].sure) == (Level.NOTE, Sure.UNKNOWN)
            assert found[about].seen.endswith("not read: all but 550 numbers")
            assert "`phonelink numbers list`" in found[about].advice

    def test_a_page_that_is_refused_leaves_the_ones_before(self) -> None:
        patient = Patient.new(callingbox_numbers_shape="data_has_more", callingbox_agent_pages=True)
        for n in range(250):
            patient.callingbox.add_number(f"+1555{n:07}")
            patient.callingbox.add_agent("outbound", id=f"agt_{n}")
        patient.refuse = lambda line, nth: 400 if "starting_after" in line else None
        found = patient.examined("callingbox")
        assert found["numbers"].seen.startswith("100 numbers could be read, and then no more: ")
        assert found["numbers"].level is Level.TO_DO
        assert found["same number twice"].sure is Sure.UNKNOWN

    def test_numbers_that_may_not_be_read_leave_the_rest(self) -> None:
        patient = Patient.new()
        patient.refuse = lambda line, nth: 403 if "/v1/numbers" in line else None
        found = patient.examined("callingbox")
        assert (found["numbers"].level, found["agents"].level) == (Level.TO_DO, Level.OK)
        assert (found["agents gone"].level, found["agents gone"].sure) == (Level.NOTE, Sure.UNKNOWN)
        assert found["agents gone"].seen.endswith("; not read: the numbers")

    def test_where_nothing_may_be_read_it_fails(self) -> None:
        patient = Patient.new()
        patient.refuse = lambda line, nth: 403
        with pytest.raises(AccessDeniedError, match="/v1/numbers"):
            patient.examined("callingbox")


def test_an_agent_whose_id_is_a_uuid_is_the_same_one_in_either_case() -> None:
    agent = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
    numbers = [
        Number(id="pn_1", inbound_agent_id=agent.upper(), outbound_agent_ids=[agent]),
        Number(id="pn_2", inbound_agent_id=agent, outbound_agent_ids=[]),
    ]
    seen = Readings(numbers=numbers, agents=[Agent(id=agent, archived_at=None)], agents_complete=True)
    assert seen.untold() == []
    assert [[number.id for number in found] for found in numbers_by_agent(numbers).values()] == [
        ["pn_1", "pn_2"]
    ]
    assert findings(seen)[-1].level is Level.OK
    archived = Readings(numbers=numbers, agents=[Agent(id=agent, archived_at=NOW)])
    assert "(archived; " in findings(archived)[-1].seen
