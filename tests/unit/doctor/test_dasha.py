from __future__ import annotations

import re

import pytest
from unit.api.carrying import dasha_settings
from unit.api.fake_dasha import number_json
from unit.doctor.diagnosis import Patient

from airflow_provider_phonelink.api.dasha.models import AffectedAgents, Agent, PhoneNumber
from airflow_provider_phonelink.api.errors import AccessDeniedError
from airflow_provider_phonelink.doctor.dasha import agents, links
from airflow_provider_phonelink.doctor.dasha.readings import AgentsRead, Readings
from airflow_provider_phonelink.doctor.findings import Finding, Level, Sure
from airflow_provider_phonelink.sandbox.dasha import TRUNK_A


class TestTheFilterByPhoneNumber:
    @pytest.mark.parametrize(
        "notation",
        ["+1-5550100001", "+1'5550100001", "-15550100001", "1.5551E+10", "15550100001.5", "=1=15550100001"],
    )
    @pytest.mark.parametrize(("compares", "seen"), [("exact", "whole"), ("substring", "a substring")])
    def test_it_is_tried_with_a_piece_of_whatever_notation(self, notation, compares, seen) -> None:
        patient = Patient.new(dasha_phone_filter=compares)
        patient.dasha.add_number(notation, TRUNK_A, outbound=["agent-1"])
        found = patient.examined("dasha")
        assert seen in found["filter phoneNumber"].seen
        assert found["filter unlinkedOnly"].sure is Sure.LIKELY

    def test_a_refusal_of_it_is_a_finding(self) -> None:
        patient = Patient.new()
        patient.dasha.add_number("+1-5550100001", TRUNK_A)
        patient.refuse = lambda line, nth: 400 if "phoneNumber" in line else None
        found = patient.examined("dasha")
        assert found["filter phoneNumber"].sure is Sure.UNKNOWN
        assert "400" in found["filter phoneNumber"].seen
        assert found["numbers"].seen == "1 number"


def words(*uses: list[str], outbound_uses: tuple[str, ...] = ("outbound",)) -> Finding:
    users = AffectedAgents.model_validate(
        {"id": "1", "affectedAgents": [{"agentId": str(n), "uses": use} for n, use in enumerate(uses)]}
    )
    users.read_by(outbound_uses)
    return links.uses(Readings(singly=[users]), "connection 'prod'")


class TestWordsInUses:
    @pytest.mark.parametrize(
        ("uses", "unknown"),
        [
            ([["Inbound", "callerId"]], "callerId"),
            ([["outbound", "fallback"]], "fallback"),
            ([["OUTBOUND", "Fallback"], ["INBOUND"], ["other"]], "Fallback, other"),
        ],
    )
    def test_those_that_are_unknown_are_named_and_no_others(self, uses, unknown) -> None:
        finding = words(*uses)
        assert finding.level is Level.TO_DO
        assert finding.seen.endswith(f"; unknown here: {unknown}")
        assert dasha_settings(outbound_uses=unknown.split(", ")).outbound_uses

    def test_words_that_are_known_in_any_case_are_no_fault(self) -> None:
        assert words(["Inbound", "OUTBOUND"]).level is Level.OK
        assert words(["inbound", "CallerID"], outbound_uses=("callerId",)).level is Level.OK


def linked_agents(count: int, off: int, **switches: object) -> Patient:
    """Return an account with agents, of which one is switched off and calls out with a number."""
    patient = Patient.new(**switches)
    for n in range(count):
        patient.dasha.add_agent(f"agent-{n}", enabled=n != off)
    patient.dasha.add_number("+15550100001", TRUNK_A, outbound=[f"agent-{off}"])
    return patient


class TestAgentsWithNumbers:
    @pytest.mark.parametrize("shape", ["array", "page"])
    def test_one_beyond_the_agents_that_were_read_is_named_as_not_known(self, shape) -> None:
        found = linked_agents(350, 340, dasha_agents_shape=shape).examined("dasha")
        for about in ("agents off", "agents gone"):
            assert (found[about].level, found[about].sure) == (Level.NOTE, Sure.UNKNOWN)
            assert "not among the first 300 agents: agent agent-340 (+15550100001)" in found[about].seen
            assert "`phonelink agents list`" in found[about].advice
        assert "the first 300 agents" in found["agents"].seen

    def test_one_beyond_them_that_has_no_number_does_not_matter(self) -> None:
        found = linked_agents(350, 7).examined("dasha")
        assert found["agents off"].level is Level.TO_DO
        assert (found["agents gone"].level, found["agents gone"].sure) == (Level.OK, Sure.SEEN)

    @pytest.mark.parametrize(("off", "about"), [(340, "agents off"), (350, "agents gone")])
    def test_a_list_that_comes_whole_shows_it(self, off, about) -> None:
        found = linked_agents(350, off, dasha_agents_shape="whole_array").examined("dasha")
        assert found[about].level is Level.TO_DO
        assert f"agent agent-{off} (+15550100001)" in found[about].seen

    def test_whose_users_are_not_shown_at_once_are_read_singly_as_far_as_that_goes(self) -> None:
        patient = linked_agents(3, 2, dasha_credentials_agents_status=403)
        for n in range(2, 7):
            patient.dasha.add_number(f"+1555010000{n}", TRUNK_A)
        found = patient.examined("dasha")
        assert "agent agent-2" in found["agents off"].seen
        assert found["agents gone"].sure is Sure.SEEN

    def test_numbers_whose_users_were_not_read_are_counted(self) -> None:
        patient = Patient.new(dasha_credentials_agents_status=403)
        for n in range(40):
            patient.dasha.add_number(f"+155501000{n:02}", TRUNK_A)
        patient.dasha.add_agent("last", enabled=False)
        patient.dasha.add_number("+15550109999", TRUNK_A, outbound=["last"])
        found = patient.examined("dasha")
        assert len(patient.traffic) <= 20
        for about in ("agents off", "agents gone"):
            assert (found[about].level, found[about].sure) == (Level.NOTE, Sure.UNKNOWN)
            assert re.search(r"not read: who calls out with \d\d of 41 numbers", found[about].seen)
            assert "`phonelink routes export`" in found[about].advice

    def test_what_was_found_is_said_beside_what_was_not_read(self) -> None:
        patient = Patient.new(dasha_credentials_agents_status=403)
        patient.dasha.add_agent("off", enabled=False)
        for n in range(40):
            patient.dasha.add_number(f"+155501000{n:02}", TRUNK_A, inbound="off")
        off = patient.examined("dasha")["agents off"]
        assert (off.level, off.sure) == (Level.TO_DO, Sure.SEEN)
        assert "agent off (" in off.seen
        assert "not read: who calls out" in off.seen

    def test_numbers_that_a_vendor_leaves_out_since_nobody_uses_them_make_it_likely(self) -> None:
        patient = linked_agents(3, 3, dasha_credentials_agents_show="used")
        patient.dasha.add_agent("agent-3")
        for n in range(40):
            patient.dasha.add_number(f"+155501001{n:02}", TRUNK_A)
        found = patient.examined("dasha")
        assert found["reads by credentials"].sure is Sure.LIKELY
        assert (found["agents off"].level, found["agents off"].sure) == (Level.OK, Sure.LIKELY)

    def test_a_vendor_whose_pages_are_shorter_is_read_on(self) -> None:
        patient = linked_agents(120, 110)
        reads = []

        def shorter(call) -> None:
            if call.path.endswith("/agents"):
                call.params["take"] = str(min(50, int(call.params["take"])))
                reads.append(call)

        patient.meanwhile = shorter
        off = patient.examined("dasha")["agents off"]
        assert "agent agent-110 (+15550100001)" in off.seen
        assert len(reads) == 4

    def test_single_reads_end_where_the_vendor_fails(self) -> None:
        patient = Patient.new(dasha_credentials_agents_status=403)
        for n in range(40):
            patient.dasha.add_number(f"+155501000{n:02}", TRUNK_A)
        singly = re.compile(r"sip-phone-numbers/.*affected-agents")
        patient.refuse = lambda line, nth: 500 if singly.search(line) else None
        assert "who calls out with 40 of 40 numbers" in patient.examined("dasha")["agents off"].seen
        assert sum(bool(singly.search(observed.path)) for observed in patient.traffic) == 2


def test_a_filter_whose_numbers_are_too_many_to_see_is_not_judged() -> None:
    patient = Patient.new(dasha_linked_filter="inbound+outbound")
    patient.dasha.add_agent("all")
    for n in range(1100):
        patient.dasha.add_number(f"+1555{n:07}", TRUNK_A, inbound="all")
    patient.dasha.add_number("+15550109999", TRUNK_A, outbound=["all"])
    found = patient.examined("dasha")["filter linkedAgentId"]
    assert found.sure is Sure.UNKNOWN
    assert "too many numbers came to tell (1,101; " in found.seen


@pytest.mark.parametrize(("enabled", "level"), [(True, Level.NOTE), (False, Level.TO_DO)])
def test_agents_that_are_not_said_to_be_switched_on_are_named(enabled, level) -> None:
    known, silent = Agent(agent_id="known", is_enabled=enabled), Agent(agent_id="silent")
    numbers = [
        PhoneNumber.model_validate(number_json(n, incomingCallsAgentId=agent.agent_id))
        for n, agent in enumerate((known, silent))
    ]
    users = [AffectedAgents(id=number.id, affected_agents=[]) for number in numbers]
    read = AgentsRead([known, silent], complete=True, total=2)
    off = agents.findings(Readings(numbers=numbers, singly=users, agents=read))[-1]
    assert off.level is level
    assert "whether these are switched on, as the list does not say it: agent silent (" in off.seen


@pytest.mark.parametrize(("enabled", "level"), [(True, Level.OK), (False, Level.TO_DO)])
def test_an_agent_whose_id_is_a_uuid_is_the_same_one_in_either_case(enabled, level) -> None:
    agent = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
    number = PhoneNumber.model_validate(number_json(1, incomingCallsAgentId=agent.upper()))
    user = {"agentId": agent, "uses": ["inbound", "outbound"]}
    users = AffectedAgents.model_validate(
        {"id": number.id, "phoneNumber": number.phone_number, "affectedAgents": [user]}
    )
    read = AgentsRead([Agent(agent_id=agent, is_enabled=enabled)], complete=True)
    gone, off = agents.findings(Readings(numbers=[number], singly=[users], agents=read))[1:]
    assert (gone.level, off.level) == (Level.OK, level)
    assert enabled or f"agent {agent} ({number.phone_number})" in off.seen


class TestNumbersThatChangeMeanwhile:
    @staticmethod
    def fleet(count: int) -> tuple[Patient, list[str]]:
        patient = Patient.new()
        return patient, [patient.dasha.add_number(f"+1555{n:07}", TRUNK_A) for n in range(count)]

    def test_one_that_is_deleted_once_has_them_read_again(self) -> None:
        patient, ids = self.fleet(1500)
        reads = []

        def meanwhile(call) -> None:
            if call.path.endswith("sip-phone-numbers"):
                reads.append(call)
                if len(reads) == 2:
                    patient.dasha.delete(ids[0])

        patient.meanwhile = meanwhile
        assert patient.examined("dasha")["numbers"].seen == "1,499 numbers"
        assert len(patient.traffic) <= 20

    def test_a_list_that_shrinks_each_time_is_a_finding(self) -> None:
        patient, ids = self.fleet(1500)

        def meanwhile(call) -> None:
            if "1000" in call.params.get("skip", ""):
                patient.dasha.delete(ids.pop())

        patient.meanwhile = meanwhile
        found = patient.examined("dasha")
        assert "the list shrank while it was read" in found["numbers"].seen
        assert "about the 1,000 numbers that were seen" in found["numbers"].seen
        assert (found["numbers"].level, found["numbers"].sure) == (Level.NOTE, Sure.UNKNOWN)
        assert found["numbers"].advice.startswith("Run the doctor again")
        assert found["same number twice"].seen.endswith("not read: all but 1,000 numbers")
        assert found["registration"].seen == "not read: all but 1,000 numbers"
        assert found["same number twice"].sure is Sure.UNKNOWN

    def test_a_page_that_is_refused_leaves_the_ones_before(self) -> None:
        patient, _ = self.fleet(1500)
        refused = ("'1000', 'take'", "/api/v1/agents {", "/api/v1/sip-credentials {")
        patient.refuse = lambda line, nth: 500 if any(part in line for part in refused) else None
        numbers = patient.examined("dasha")["numbers"]
        assert numbers.level is Level.TO_DO
        assert numbers.seen.startswith("1,000 numbers could be read, and then no more")
        assert "500" in numbers.seen

    def test_numbers_that_may_not_be_read_leave_the_rest(self) -> None:
        patient, _ = self.fleet(1)
        patient.refuse = lambda line, nth: 403 if "sip-phone-numbers" in line else None
        found = patient.examined("dasha")
        assert found["numbers"].level is Level.TO_DO
        assert "403" in found["numbers"].seen
        assert found["credentials"].seen.startswith("1 SIP credentials")

    def test_where_nothing_may_be_read_it_fails(self) -> None:
        patient = Patient.new()
        patient.refuse = lambda line, nth: 403
        with pytest.raises(AccessDeniedError, match="sip-phone-numbers"):
            patient.examined("dasha")
