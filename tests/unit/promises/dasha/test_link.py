from __future__ import annotations

from typing import Any

import pytest
from unit.api import faults
from unit.api.fake_dasha import FakeDasha, number_id, number_json

from airflow_provider_phonelink.api import errors
from airflow_provider_phonelink.promises.dasha.link import link_number
from airflow_provider_phonelink.promises.dasha.unlink import unlink_number
from airflow_provider_phonelink.promises.journal import VERSION, Journal

ID = number_id(1)
OPEN = {
    "lost before": faults.lost_before,
    "lost after": faults.lost_after,
    "HTML after": faults.html_after,
    "503 before": faults.status(503),
    "503 after": faults.status(503, after=True),
}


def held_by(agent: str | None, **options: Any) -> FakeDasha:
    return FakeDasha(number_json(1, incomingCallsAgentId=agent), **options)


def taken_over(vendor: FakeDasha, agent: str | None) -> Any:
    return lambda: vendor.numbers[ID].update(incomingCallsAgentId=agent)


@pytest.mark.parametrize("empty", [True, False])
@pytest.mark.parametrize("if_linked", ["replace", "fail"])
@pytest.mark.parametrize("agent", ["agent-a", "agent-b", None])
def test_inbound(carry_out, agent, if_linked, empty) -> None:
    vendor = held_by(agent, empty_bodies=empty)
    if agent == "agent-a" and if_linked == "fail":
        with pytest.raises(
            errors.TakenError, match=r"answers for agent agent-a.*Nothing was changed"
        ) as caught:
            carry_out(link_number(ID, "agent-b", if_linked=if_linked), vendor=vendor)
        assert (caught.value.retry_helps, vendor.writes, vendor.inbound) == (False, [], {ID: "agent-a"})
        return
    changed = carry_out(link_number(ID, "agent-b", if_linked=if_linked), vendor=vendor)
    assert vendor.inbound == {ID: "agent-b"}
    assert len(vendor.writes) == changed.changed == (agent != "agent-b")
    assert changed.previous_agent_id == agent
    assert changed.result()["incoming_calls_agent_id"] == "agent-b"
    assert {"changed", "previous_agent_id", "id", "phone_number"} <= set(changed.result())


@pytest.mark.parametrize("literal", ["outbound", "replaceOutbound", "OUTBOUND"])
@pytest.mark.parametrize("empty", [True, False])
@pytest.mark.parametrize("before", [{}, {"agent-b": ID}, {"agent-b": number_id(2)}, {"agent-a": ID}])
def test_outbound(carry_out, before, empty, literal) -> None:
    vendor = held_by("agent-a", outbound=before, outbound_literal=literal, empty_bodies=empty)
    changed = carry_out(link_number(ID, "agent-b", "replaceOutbound"), vendor=vendor)
    assert vendor.outbound == {**before, "agent-b": ID}
    assert vendor.inbound == {ID: "agent-a"}
    assert len(vendor.writes) == changed.changed == (before.get("agent-b") != ID)


def test_an_outbound_literal_that_is_unknown_never_suppresses_the_write(carry_out) -> None:
    vendor = held_by(None, outbound={"agent-b": ID}, outbound_literal="campaign")
    changed = carry_out(link_number(ID, "agent-b", "replaceOutbound"), vendor=vendor)
    assert (changed.changed, len(vendor.writes)) == (True, 1)


@pytest.mark.parametrize("outcome", sorted(OPEN))
@pytest.mark.parametrize("if_linked", ["replace", "fail"])
def test_an_open_outcome_ends_in_the_link(carry_out, outcome, if_linked) -> None:
    vendor = held_by(None)
    vendor.on("PUT", "", OPEN[outcome], OPEN[outcome])
    assert carry_out(link_number(ID, "agent-b", if_linked=if_linked), vendor=vendor).changed
    assert (vendor.inbound, len(vendor.writes)) == ({ID: "agent-b"}, 1)


@pytest.mark.parametrize("outcome", sorted(OPEN))
@pytest.mark.parametrize("start", [None, "agent-a"])
def test_a_repeat_does_not_overwrite_what_somebody_did_meanwhile(carry_out, outcome, start) -> None:
    vendor = held_by(start)
    vendor.on("PUT", "", OPEN[outcome])
    vendor.on("GET", ID, faults.served, faults.meanwhile(taken_over(vendor, "agent-c")))
    with pytest.raises(errors.ChangedMeanwhileError, match="agent-c"):
        carry_out(link_number(ID, "agent-b"), vendor=vendor)
    assert vendor.inbound == {ID: "agent-c"}


def test_a_link_that_does_not_take_is_an_error(carry_out) -> None:
    vendor = held_by("agent-a")
    vendor.on("PUT", "", faults.status(200, json=number_json(1, incomingCallsAgentId="agent-a")))
    with pytest.raises(errors.NotTakenEffectError, match="agent agent-a has it") as caught:
        carry_out(link_number(ID, "agent-b"), vendor=vendor)
    assert caught.value.retry_helps


@pytest.mark.parametrize("body", [{"content": b""}, {"json": number_json(1, incomingCallsAgentId=None)}])
def test_a_stale_answer_is_read_again_before_complaining(carry_out, body) -> None:
    vendor = held_by(None)
    vendor.on("PUT", "", faults.status(200, after=True, **body))
    assert (
        carry_out(link_number(ID, "agent-b"), vendor=vendor).result()["incoming_calls_agent_id"] == "agent-b"
    )


def test_a_number_that_is_taken_right_after_a_careful_link_is_an_error(carry_out) -> None:
    vendor = held_by(None)
    vendor.on("GET", ID, faults.served, faults.meanwhile(taken_over(vendor, "agent-c")))
    with pytest.raises(errors.ChangedMeanwhileError, match="agent agent-c has it"):
        carry_out(link_number(ID, "agent-b", if_linked="fail"), vendor=vendor)


def test_an_outbound_link_that_does_not_take_is_an_error(carry_out) -> None:
    vendor = held_by(None)
    vendor.on("PUT", "", faults.status(200, json=number_json(1)))
    with pytest.raises(errors.NotTakenEffectError, match="does not list that agent"):
        carry_out(link_number(ID, "agent-b", "replaceOutbound"), vendor=vendor)


@pytest.mark.parametrize("mode", ["inbound", "replaceOutbound"])
@pytest.mark.parametrize("code", [400, 409, 422])
def test_a_number_that_is_linked_in_another_organisation_fails_at_once(carry_out, mode, code) -> None:
    vendor = held_by(None)
    vendor.on("PUT", "", faults.status(code, json={"detail": "linked elsewhere"}))
    with pytest.raises(errors.VendorError, match="linked elsewhere") as caught:
        carry_out(link_number(ID, "agent-b", mode), vendor=vendor)
    assert not caught.value.retry_helps
    assert vendor.count("PUT") == 1


@pytest.mark.parametrize("mode", ["inbound", "replaceOutbound"])
def test_a_number_that_is_not_there_fails_at_once(carry_out, mode) -> None:
    vendor = FakeDasha()
    with pytest.raises(errors.NotFoundError):
        carry_out(link_number(ID, "agent-b", mode), vendor=vendor)
    assert vendor.count("PUT") == 0


@pytest.mark.parametrize("mode", ["inbound", "replaceOutbound"])
def test_ids_may_be_in_upper_case(carry_out, mode) -> None:
    vendor = held_by(None)
    assert carry_out(link_number(ID.upper(), "agent-b", mode), vendor=vendor).changed


@pytest.mark.parametrize(
    ("argument", "arguments"),
    [
        ("phone_number_id", ("x", "a", "inbound")),
        ("agent_id", (ID, "None", "inbound")),
        ("agent_id", (ID, "../x", "replaceOutbound")),
        ("agent_id", (ID, "<NA>", "inbound")),
        ("mode", (ID, "a", "outbound")),
        ("if_linked", (ID, "a", "inbound", "maybe")),
    ],
)
def test_a_bad_argument_sends_nothing(carry_out, argument, arguments) -> None:
    vendor = held_by(None)
    with pytest.raises(errors.InvalidArgumentError) as caught:
        carry_out(
            link_number(*arguments[:3], **dict(zip(["if_linked"], arguments[3:], strict=False))),
            vendor=vendor,
        )
    assert caught.value.argument == argument
    assert vendor.requests == []


def test_a_number_with_an_empty_agent_is_free(carry_out) -> None:
    vendor = held_by("")
    changed = carry_out(link_number(ID, "agent-b", if_linked="fail"), vendor=vendor)
    assert (vendor.inbound, changed.previous_agent_id) == ({ID: "agent-b"}, None)


@pytest.mark.parametrize("mode", ["inbound", "replaceOutbound"])
@pytest.mark.parametrize("promise", [link_number, unlink_number])
def test_a_refusal_names_the_phone_number_and_the_agent(carry_out, promise, mode) -> None:
    vendor = held_by("agent-a", outbound={"agent-a": ID})
    refused = faults.status(400, json={"title": "Bad Request", "detail": "No."})
    vendor.on("PUT", "", refused)
    vendor.on("DELETE", "", refused)
    agent = "agent-b" if promise is link_number else "agent-a"
    flow = link_number(ID, agent, mode) if promise is link_number else unlink_number(ID, mode, agent)
    with pytest.raises(errors.RejectedError) as caught:
        carry_out(flow, vendor=vendor)
    told = str(caught.value)
    assert f"+15550000001 (id {ID})" in told
    assert f"agent {agent}" in told
    assert " failed: " in told
    assert told.count("Bad Request") == 1
    assert (caught.value.status, caught.value.retry_helps) == (400, False)


def test_the_agent_before_the_task_is_told_also_if_the_number_goes_back_to_it(carry_out) -> None:
    vendor = held_by("agent-a")
    entry = {
        "number_id": ID,
        "mode": "inbound",
        "agent_id": "agent-a",
        "losers": ["agent-b"],
        "state": "intended",
    }
    journal = Journal({"version": VERSION, "entries": {ID: entry}})
    changed = carry_out(link_number(ID, "agent-b", journal=journal), vendor=vendor)
    assert (vendor.inbound[ID], changed.previous_agent_id, list(journal)) == ("agent-b", "agent-b", [])


def test_an_outbound_link_is_told_as_one_also_if_an_earlier_try_removed_the_number_before(carry_out) -> None:
    vendor, key = held_by(None), "outbound/agent-a"
    entry = {
        "number_id": number_id(2),
        "mode": "replaceOutbound",
        "agent_id": "agent-a",
        "removes": True,
        "state": "done",
    }
    journal = Journal({"version": VERSION, "entries": {key: entry}})
    carry_out(link_number(ID, "agent-a", "replaceOutbound", journal=journal), vendor=vendor)
    [(_, told)] = journal
    assert (told.number_id, told.removes, told.previous_number_id) == (ID, False, number_id(2))
