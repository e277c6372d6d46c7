from __future__ import annotations

from typing import Any

import pytest
from unit.api import faults
from unit.api.fake_dasha import FakeDasha, number_id, number_json

from airflow_provider_phonelink.api import errors
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


@pytest.mark.parametrize("empty", [True, False])
@pytest.mark.parametrize("agent_id", [None, "agent-a"])
@pytest.mark.parametrize("holder", ["agent-a", "agent-b", None])
def test_inbound(carry_out, holder, agent_id, empty) -> None:
    vendor = held_by(holder, empty_bodies=empty)
    changed = carry_out(unlink_number(ID, "inbound", agent_id), vendor=vendor)
    removed = holder is not None and agent_id in (None, holder)
    assert vendor.inbound == {ID: None if removed else holder}
    assert len(vendor.writes) == changed.changed == removed
    assert changed.previous_agent_id == holder
    if not removed:
        assert "nothing was written" in changed.summary
        assert (holder or "nobody") in changed.summary


def test_the_agent_is_sent_where_it_is_known(carry_out) -> None:
    vendor = held_by("agent-a")
    carry_out(unlink_number(ID), vendor=vendor)
    assert vendor.writes[0].endswith("?mode=inbound&agentId=agent-a")


@pytest.mark.parametrize("literal", ["outbound", "replaceOutbound", "campaign"])
@pytest.mark.parametrize("empty", [True, False])
@pytest.mark.parametrize("before", [{}, {"agent-a": ID}, {"agent-a": number_id(2)}, {"agent-b": ID}])
def test_outbound(carry_out, before, empty, literal) -> None:
    vendor = held_by("agent-a", outbound=before, outbound_literal=literal, empty_bodies=empty)
    changed = carry_out(unlink_number(ID, "replaceOutbound", "agent-a"), vendor=vendor)
    removed = before.get("agent-a") == ID
    assert vendor.outbound == ({} if removed else before)
    assert vendor.inbound == {ID: "agent-a"}
    assert len(vendor.writes) == changed.changed == removed
    assert changed.previous_agent_id == ("agent-a" if removed else None)


def test_a_use_that_stays_and_is_unknown_is_a_warning(carry_out) -> None:
    vendor = held_by(None, outbound={"agent-a": ID}, outbound_literal="campaign")
    vendor.on("DELETE", "", faults.status(200, json=number_json(1)))
    changed = carry_out(unlink_number(ID, "replaceOutbound", "agent-a"), vendor=vendor)
    assert changed.changed
    assert "agent-a with a use that is unknown" in changed.warnings[0]


@pytest.mark.parametrize("outcome", sorted(OPEN))
@pytest.mark.parametrize("mode", ["inbound", "replaceOutbound"])
def test_an_open_outcome_ends_without_the_link(carry_out, outcome, mode) -> None:
    vendor = held_by("agent-a", outbound={"agent-a": ID})
    vendor.on("DELETE", "", OPEN[outcome], OPEN[outcome])
    assert carry_out(unlink_number(ID, mode, "agent-a"), vendor=vendor).changed
    if mode == "inbound":
        assert (vendor.inbound, vendor.outbound) == ({ID: None}, {"agent-a": ID})
    else:
        assert (vendor.inbound, vendor.outbound) == ({ID: "agent-a"}, {})


@pytest.mark.parametrize("outcome", sorted(OPEN))
@pytest.mark.parametrize("agent_id", [None, "agent-a"])
def test_a_repeat_does_not_unlink_somebody_else(carry_out, outcome, agent_id) -> None:
    vendor = held_by("agent-a")
    taken = faults.meanwhile(lambda: vendor.numbers[ID].update(incomingCallsAgentId="agent-c"))
    vendor.on("DELETE", "", OPEN[outcome])
    vendor.on("GET", ID, faults.served, taken)
    changed = carry_out(unlink_number(ID, "inbound", agent_id), vendor=vendor)
    assert vendor.inbound == {ID: "agent-c"}
    assert changed.result()["incoming_calls_agent_id"] == "agent-c"
    assert "agent-c has it now" in changed.summary


@pytest.mark.parametrize("mode", ["inbound", "replaceOutbound"])
def test_an_unlink_that_does_not_take_is_an_error(carry_out, mode) -> None:
    vendor = held_by("agent-a", outbound={"agent-a": ID})
    vendor.on("DELETE", "", faults.status(200, json=number_json(1, incomingCallsAgentId="agent-a")))
    with pytest.raises(errors.NotTakenEffectError) as caught:
        carry_out(unlink_number(ID, mode, "agent-a"), vendor=vendor)
    assert caught.value.retry_helps


def test_a_stale_answer_is_read_again_before_complaining(carry_out) -> None:
    vendor = held_by("agent-a")
    vendor.on(
        "DELETE", "", faults.status(200, after=True, json=number_json(1, incomingCallsAgentId="agent-a"))
    )
    assert carry_out(unlink_number(ID), vendor=vendor).result()["incoming_calls_agent_id"] is None


def test_a_number_that_is_not_there_fails_at_once(carry_out) -> None:
    with pytest.raises(errors.NotFoundError):
        carry_out(unlink_number(ID), vendor=FakeDasha())


@pytest.mark.parametrize(
    ("argument", "arguments"),
    [
        ("phone_number_id", ("x",)),
        ("mode", (ID, "outbound")),
        ("agent_id", (ID, "replaceOutbound")),
        ("agent_id", (ID, "replaceOutbound", "None")),
        ("agent_id", (ID, "inbound", "")),
    ],
)
def test_a_bad_argument_sends_nothing(carry_out, argument, arguments) -> None:
    vendor = held_by("agent-a")
    with pytest.raises(errors.InvalidArgumentError) as caught:
        carry_out(unlink_number(*arguments), vendor=vendor)
    assert caught.value.argument == argument
    assert vendor.requests == []


@pytest.mark.parametrize("agent_id", [None, "agent-a"])
def test_a_number_with_an_empty_agent_is_nobodys(carry_out, agent_id) -> None:
    vendor = held_by("")
    assert not carry_out(unlink_number(ID, "inbound", agent_id), vendor=vendor).changed
    assert vendor.writes == []


@pytest.mark.parametrize("mode", ["inbound", "replaceOutbound"])
def test_a_404_because_the_link_is_gone_is_what_was_wished_for(carry_out, mode) -> None:
    vendor = held_by("agent-a", outbound={"agent-a": ID})

    def gone() -> None:
        vendor.numbers[ID].update(incomingCallsAgentId=None)
        vendor.outbound.clear()

    vendor.on("DELETE", "", faults.meanwhile(gone, faults.status(404, json={"title": "Not linked"})))
    assert carry_out(unlink_number(ID, mode, "agent-a"), vendor=vendor).subject.id == ID


@pytest.mark.parametrize("mode", ["inbound", "replaceOutbound"])
def test_a_404_while_the_link_is_there_is_an_error(carry_out, mode) -> None:
    vendor = held_by("agent-a", outbound={"agent-a": ID})
    vendor.on("DELETE", "", faults.status(404, json={"title": "Not linked"}))
    with pytest.raises(errors.NotFoundError, match="Not linked"):
        carry_out(unlink_number(ID, mode, "agent-a"), vendor=vendor)


def test_a_404_because_the_number_is_gone_fails_at_once(carry_out) -> None:
    vendor = held_by("agent-a")
    vendor.on("DELETE", "", faults.meanwhile(vendor.numbers.clear, faults.status(404)))
    with pytest.raises(errors.NotFoundError, match="GET"):
        carry_out(unlink_number(ID), vendor=vendor)


@pytest.mark.parametrize(("agent_id", "left"), [(None, True), ("agent-a", True), ("agent-c", False)])
def test_a_link_that_somebody_made_after_an_earlier_try_is_left_unless_it_is_named(
    carry_out, agent_id, left
) -> None:
    vendor = held_by("agent-c")
    entry = {"number_id": ID, "mode": "inbound", "losers": ["agent-a"], "state": "done"}
    journal = Journal({"version": VERSION, "entries": {ID: entry}})
    changed = carry_out(unlink_number(ID, "inbound", agent_id, journal=journal), vendor=vendor)
    assert (vendor.inbound[ID], changed.changed) == ("agent-c" if left else None, True)
    [(_, told)] = journal
    assert told.losers == (["agent-a"] if left else ["agent-a", "agent-c"])
