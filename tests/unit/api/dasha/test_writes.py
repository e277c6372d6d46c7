from __future__ import annotations

import pytest
from unit.api import faults
from unit.api.carrying import dasha_settings
from unit.api.fake_dasha import CREDENTIALS, FakeDasha, number_id, number_json

from airflow_provider_phonelink.api import errors
from airflow_provider_phonelink.api.dasha.writes import (
    create_number,
    link,
    unlink,
    update_number,
)

ID = number_id(1)
NUMBER = number_json(1, phoneNumber="+1")
#: Outcomes of a write that leave open whether it happened, and whether it did.
OPEN = {
    "lost before": (faults.lost_before, False),
    "lost after": (faults.lost_after, True),
    "HTML after": (faults.html_after, True),
    "truncated after": (faults.truncated_after, True),
    "429 before": (faults.status(429), False),
    "500 before": (faults.status(500), False),
    "503 after": (faults.status(503, after=True), True),
    "408 after": (faults.status(408, after=True), True),
}


def holding(agent: str | None, **options) -> FakeDasha:
    return FakeDasha({**NUMBER, "incomingCallsAgentId": agent}, **options)


@pytest.mark.parametrize("outcome", sorted(OPEN))
def test_a_number_is_created_once(carry_out, outcome) -> None:
    fault, happened = OPEN[outcome]
    vendor = FakeDasha()
    vendor.on("POST", "", fault)
    number, found = carry_out(create_number("+1", CREDENTIALS, display_name="A"), vendor=vendor)
    assert (number.phone_number, number.display_name, found) == ("+1", "A", happened)
    assert (len(vendor.numbers), len(vendor.writes)) == (1, 1)
    assert vendor.count("POST") == (1 if happened else 2)


def test_a_number_that_somebody_else_created_meanwhile_is_found(carry_out) -> None:
    vendor = FakeDasha()
    vendor.on("POST", "", faults.meanwhile(lambda: vendor.add(NUMBER), faults.status(503)))
    number, found = carry_out(create_number("+1", CREDENTIALS), vendor=vendor)
    assert (number.id, found, vendor.writes) == (ID, True, [])


NO_NUMBERS = faults.status(200, json={"items": [], "totalCount": 0, "skip": 0, "take": 1000})


@pytest.mark.parametrize("outcome", [faults.lost_after, faults.html_after])
@pytest.mark.parametrize("duplicate", [400, 409, 422])
@pytest.mark.parametrize("notation", ["digits", "plus_digits"])
@pytest.mark.parametrize("hidden_for", [0, 8])
def test_what_a_lost_try_made_is_known_in_another_notation_and_once_it_shows(
    carry_out, outcome, duplicate, notation, hidden_for
) -> None:
    vendor = FakeDasha(duplicate_status=duplicate)
    object.__setattr__(vendor.switches, "dasha_stored_notation", notation)
    vendor.on("POST", "", outcome)
    vendor.on("GET", "", *[NO_NUMBERS] * hidden_for)
    number, found = carry_out(create_number("+1 (555) 010-0001", CREDENTIALS), vendor=vendor)
    assert (number.phone_number, found) == ({"digits": "1"}.get(notation, "+1") + "5550100001", True)
    assert len(vendor.numbers) == 1


def test_a_number_of_old_in_another_notation_was_not_made_by_the_lost_try(carry_out) -> None:
    vendor = FakeDasha(number_json(1, phoneNumber="15550100001"))
    object.__setattr__(vendor.switches, "dasha_stored_notation", "digits")
    vendor.on("POST", "", faults.status(503))
    with pytest.raises(errors.ConflictError):
        carry_out(create_number("+15550100001", CREDENTIALS), vendor=vendor)


def test_a_number_in_another_notation_is_created_though_its_first_try_failed(carry_out) -> None:
    vendor = FakeDasha(number_json(1, phoneNumber="+15550100001"))
    vendor.on("POST", "", faults.status(503))
    number, found = carry_out(create_number("+1 555 010 0001", CREDENTIALS), vendor=vendor)
    assert (number.phone_number, found, len(vendor.numbers)) == ("+1 555 010 0001", False, 2)


@pytest.mark.parametrize("outcome", [faults.served, faults.lost_after, faults.status(503)])
@pytest.mark.parametrize(
    ("before", "write", "after"),
    [
        (None, lambda: link(ID, "agent-a"), "agent-a"),
        ("agent-a", lambda: unlink(ID, "inbound", "agent-a"), None),
    ],
)
def test_a_write_to_a_number_that_does_not_show_yet_succeeds(
    carry_out, before, write, after, outcome
) -> None:
    vendor = holding(before, empty_bodies=True)
    vendor.on("PUT", "", outcome)
    vendor.on("DELETE", "", outcome)
    vendor.on("GET", ID, *[faults.status(404)] * 3)
    assert carry_out(write(), vendor=vendor).incoming_calls_agent_id == after
    assert (vendor.inbound[ID], len(vendor.writes)) == (after, 1)


def unwell() -> FakeDasha:
    vendor = FakeDasha()
    vendor.on("POST", "", *[faults.status(503)] * 999)
    vendor.on("GET", "", *[faults.status(503)] * 999)
    return vendor


def test_a_look_that_fails_is_a_try_and_is_not_tried_again_by_itself(carry_out) -> None:
    vendor = unwell()
    with pytest.raises(errors.ServerError):
        carry_out(
            create_number("+1", CREDENTIALS), vendor=vendor, settings=dasha_settings(total_timeout=3600)
        )
    assert (vendor.count("POST"), vendor.count("GET")) == (1, 4)


def test_looks_end_with_the_tries_they_belong_to(carry_out, clock) -> None:
    start = clock.now
    with pytest.raises(errors.ServerError):
        carry_out(
            create_number("+1", CREDENTIALS),
            vendor=unwell(),
            settings=dasha_settings(total_timeout=100, max_retries=100),
        )
    assert clock.now - start <= 100


@pytest.mark.parametrize("code", [400, 401, 403, 409, 422])
def test_a_refused_creation_is_not_repeated(carry_out, code) -> None:
    vendor = FakeDasha()
    vendor.on("POST", "", faults.status(code))
    with pytest.raises(errors.VendorError):
        carry_out(create_number("+1", CREDENTIALS), vendor=vendor)
    assert vendor.count("POST") == 1


@pytest.mark.parametrize("outcome", sorted(OPEN))
@pytest.mark.parametrize("seen", ["agent-a", None])
def test_an_inbound_link_is_repeated_only_if_needed(carry_out, outcome, seen) -> None:
    fault, happened = OPEN[outcome]
    vendor = holding(seen)
    vendor.on("PUT", "", fault)
    assert carry_out(link(ID, "agent-b", seen=seen), vendor=vendor).incoming_calls_agent_id == "agent-b"
    assert vendor.inbound == {ID: "agent-b"}
    assert vendor.count("PUT") == (1 if happened else 2)


@pytest.mark.parametrize("outcome", sorted(OPEN))
def test_an_inbound_link_is_not_repeated_over_somebody_elses(carry_out, outcome) -> None:
    fault, _ = OPEN[outcome]
    vendor = holding("agent-a")
    vendor.on("PUT", "", fault)
    vendor.on("GET", ID, faults.meanwhile(lambda: vendor.numbers[ID].update(incomingCallsAgentId="agent-c")))
    with pytest.raises(
        errors.ChangedMeanwhileError, match=r"was left with agent agent-c. Run the task again"
    ) as caught:
        carry_out(link(ID, "agent-b", seen="agent-a"), vendor=vendor)
    assert not caught.value.retry_helps
    assert vendor.inbound == {ID: "agent-c"}
    assert vendor.count("PUT") == 1


def test_a_bare_inbound_link_is_not_repeated_over_anybodys(carry_out) -> None:
    vendor = holding("agent-a")
    vendor.on("PUT", "", faults.lost_before)
    with pytest.raises(errors.ChangedMeanwhileError):
        carry_out(link(ID, "agent-b"), vendor=vendor)
    assert vendor.inbound == {ID: "agent-a"}


def test_a_bare_inbound_link_of_a_free_number_is_repeated(carry_out) -> None:
    vendor = holding(None)
    vendor.on("PUT", "", faults.lost_before)
    carry_out(link(ID, "agent-b"), vendor=vendor)
    assert vendor.inbound == {ID: "agent-b"}


@pytest.mark.parametrize("outcome", sorted(OPEN))
def test_an_outbound_link_is_repeated_without_a_look(carry_out, outcome) -> None:
    vendor = holding(None)
    vendor.on("PUT", "", OPEN[outcome][0])
    carry_out(link(ID, "agent-b", "replaceOutbound"), vendor=vendor)
    assert vendor.outbound == {"agent-b": ID}
    assert (vendor.count("PUT"), vendor.count("GET")) == (2, 0)


@pytest.mark.parametrize("outcome", sorted(OPEN))
@pytest.mark.parametrize("arguments", [{"seen": "agent-a"}, {"agent_id": "agent-a"}])
def test_an_inbound_unlink_is_repeated_only_if_needed(carry_out, outcome, arguments) -> None:
    fault, happened = OPEN[outcome]
    vendor = holding("agent-a")
    vendor.on("DELETE", "", fault)
    assert carry_out(unlink(ID, "inbound", **arguments), vendor=vendor).incoming_calls_agent_id is None
    assert vendor.inbound == {ID: None}
    assert vendor.count("DELETE") == (1 if happened else 2)


@pytest.mark.parametrize("outcome", sorted(OPEN))
@pytest.mark.parametrize("arguments", [{"seen": "agent-a"}, {"agent_id": "agent-a"}])
def test_an_inbound_unlink_is_not_repeated_on_somebody_elses(carry_out, outcome, arguments) -> None:
    vendor = holding("agent-a")
    vendor.on("DELETE", "", OPEN[outcome][0])
    vendor.on("GET", ID, faults.meanwhile(lambda: vendor.numbers[ID].update(incomingCallsAgentId="agent-c")))
    assert carry_out(unlink(ID, "inbound", **arguments), vendor=vendor).incoming_calls_agent_id == "agent-c"
    assert vendor.inbound == {ID: "agent-c"}
    assert vendor.count("DELETE") == 1


def test_a_bare_inbound_unlink_is_not_repeated_on_anybody(carry_out) -> None:
    vendor = holding("agent-a")
    vendor.on("DELETE", "", faults.lost_before)
    with pytest.raises(errors.ChangedMeanwhileError, match="was left with agent agent-a"):
        carry_out(unlink(ID), vendor=vendor)
    assert vendor.inbound == {ID: "agent-a"}


AGENT = "aaaaaaaa-0000-4000-8000-00000000000a"


@pytest.mark.parametrize("outcome", sorted(OPEN))
@pytest.mark.parametrize("case", [str.lower, str.upper])
def test_an_agents_uuid_is_the_same_in_either_case(carry_out, outcome, case) -> None:
    fault, happened = OPEN[outcome]
    vendor = holding(None)
    vendor.on("PUT", "", fault)
    assert carry_out(link(ID, case(AGENT), seen=None), vendor=vendor).incoming_calls_agent_id == AGENT
    vendor.on("DELETE", "", faults.status(409))
    with pytest.raises(errors.ConflictError):
        carry_out(unlink(ID, "inbound", case(AGENT)), vendor=vendor)
    vendor.on("DELETE", "", fault)
    assert carry_out(unlink(ID, "inbound", case(AGENT)), vendor=vendor).incoming_calls_agent_id is None
    expected = 1 if happened else 2
    assert (vendor.count("PUT"), vendor.count("DELETE")) == (expected, expected + 1)


REFUSALS = pytest.mark.parametrize("status", [400, 404, 409, 422])


@REFUSALS
@pytest.mark.parametrize(
    ("arguments", "after"),
    [
        ((), None),
        (("inbound", "agent-a"), None),
        (("inbound", "agent-a"), "agent-c"),
        (("replaceOutbound", "agent-a"), "agent-a"),
    ],
)
def test_a_refused_unlink_is_success_if_the_link_is_gone(carry_out, arguments, after, status) -> None:
    vendor = holding("agent-a")
    gone = faults.meanwhile(
        lambda: vendor.numbers[ID].update(incomingCallsAgentId=after), faults.status(status)
    )
    vendor.on("DELETE", "", gone)
    assert carry_out(unlink(ID, *arguments), vendor=vendor).incoming_calls_agent_id == after


@REFUSALS
@pytest.mark.parametrize("arguments", [(), ("inbound", "agent-a"), ("replaceOutbound", "agent-b")])
def test_a_refused_unlink_is_an_error_if_the_link_is_there(carry_out, arguments, status) -> None:
    vendor = holding("agent-a", outbound={"agent-b": ID})
    vendor.on("DELETE", "", faults.status(status, json={"title": "No such agent"}))
    with pytest.raises(errors.VendorError, match="No such agent"):
        carry_out(unlink(ID, *arguments), vendor=vendor)


@pytest.mark.parametrize(("status", "fails"), [(404, False), (400, True), (409, True), (422, True)])
def test_a_use_that_is_unknown_may_be_a_link_unless_the_vendor_says_that_there_is_none(
    carry_out, status, fails
) -> None:
    vendor = holding(None, outbound={"agent-a": ID}, outbound_literal="fallback")
    vendor.on("DELETE", "", faults.status(status))
    if fails:
        with pytest.raises(errors.VendorError):
            carry_out(unlink(ID, "replaceOutbound", "agent-a"), vendor=vendor)
    else:
        assert carry_out(unlink(ID, "replaceOutbound", "agent-a"), vendor=vendor).id == ID


def test_a_404_of_an_unlink_is_an_error_if_there_is_no_such_number(carry_out) -> None:
    with pytest.raises(errors.NotFoundError):
        carry_out(unlink(ID), vendor=FakeDasha())


@pytest.mark.parametrize("outcome", sorted(OPEN))
def test_an_outbound_unlink_is_repeated_without_a_look(carry_out, outcome) -> None:
    vendor = holding(None, outbound={"agent-a": ID})
    vendor.on("DELETE", "", OPEN[outcome][0])
    carry_out(unlink(ID, "replaceOutbound", "agent-a"), vendor=vendor)
    assert vendor.outbound == {}
    assert (vendor.count("DELETE"), vendor.count("GET")) == (2, 0)


@pytest.mark.parametrize(
    "write",
    [
        lambda: link(ID, "agent-a"),
        lambda: link(ID, "agent-a", "replaceOutbound"),
        lambda: unlink(ID),
        lambda: update_number(ID, "+1", CREDENTIALS, display_name="A"),
    ],
)
def test_a_write_that_answers_without_a_body_is_read_back(carry_out, write) -> None:
    vendor = holding(None, empty_bodies=True)
    number = carry_out(write(), vendor=vendor)
    assert number.model_dump(by_alias=True, mode="json")["incomingCallsAgentId"] == vendor.inbound[ID]
    assert number.display_name == vendor.numbers[ID]["displayName"]
    assert vendor.requests[-1].startswith("GET ")


def test_an_update_replaces_everything(carry_out) -> None:
    vendor = FakeDasha({**NUMBER, "displayName": "A", "description": "B", "registration": True})
    number = carry_out(update_number(ID, "+1", CREDENTIALS, description="C"), vendor=vendor)
    assert (number.display_name, number.description, number.registration) == (None, "C", False)
