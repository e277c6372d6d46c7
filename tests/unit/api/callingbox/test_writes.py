from __future__ import annotations

import pytest
from unit.api import faults
from unit.api.carrying import callingbox_settings
from unit.api.fake_callingbox import FakeCallingBox

from airflow_provider_phonelink.api import errors
from airflow_provider_phonelink.api.callingbox.writes import (
    PRIMARY_BODY_KEYS,
    attach,
    detach,
    set_primary_number,
)

SETTINGS = callingbox_settings()
OPEN = {
    "lost before": (faults.lost_before, False),
    "lost after": (faults.lost_after, True),
    "HTML after": (faults.html_after, True),
    "truncated after": (faults.truncated_after, True),
    "429 before": (faults.status(429), False),
    "502 before": (faults.status(502, json={"error": "Telephony provider error"}), False),
    "502 after": (faults.status(502, after=True, json={"error": "Telephony provider error"}), True),
}
TOLD = pytest.mark.parametrize("told", [True, False])


def vendor(*holders: str, **options) -> FakeCallingBox:
    return FakeCallingBox(
        agents={"in": "inbound", "in2": "inbound", "out": "outbound"},
        numbers={"n1": list(holders)},
        **options,
    )


@TOLD
@pytest.mark.parametrize("outcome", sorted(OPEN))
def test_a_number_is_attached_once(carry_out, outcome, told) -> None:
    fault, happened = OPEN[outcome]
    fake = vendor(agents_tell_numbers=told)
    fake.on("POST", "", fault)
    assert carry_out(attach("in", "n1"), vendor=fake, settings=SETTINGS).id == "in"
    assert (fake.numbers["n1"], len(fake.writes)) == (["in"], 1)
    assert fake.count("POST") == (1 if happened else 2)


@TOLD
@pytest.mark.parametrize("outcome", sorted(OPEN))
def test_a_number_is_detached_once(carry_out, outcome, told) -> None:
    fault, happened = OPEN[outcome]
    fake = vendor("in", "out", agents_tell_numbers=told)
    fake.on("DELETE", "", fault)
    assert carry_out(detach("in", "n1"), vendor=fake, settings=SETTINGS).id == "in"
    assert (fake.numbers["n1"], len(fake.writes)) == (["out"], 1)
    assert fake.count("DELETE") == (1 if happened else 2)


@pytest.mark.parametrize("status", [400, 404, 409, 422])
@TOLD
def test_a_refusal_because_the_number_is_detached_already_is_what_was_wished_for(
    carry_out, told, status
) -> None:
    fake = vendor("out", agents_tell_numbers=told)
    fake.on("DELETE", "", faults.status(status))
    assert carry_out(detach("in", "n1"), vendor=fake, settings=SETTINGS).id == "in"
    assert fake.writes == []


@pytest.mark.parametrize("status", [400, 404, 409, 422])
def test_a_refusal_although_the_agent_has_the_number_is_an_error(carry_out, status) -> None:
    fake = vendor("in")
    fake.on("DELETE", "", faults.status(status, json={"error": "No"}))
    with pytest.raises(errors.VendorError, match=f"DELETE /v1/agents/in/numbers/n1.*{status}"):
        carry_out(detach("in", "n1"), vendor=fake, settings=SETTINGS)


@pytest.mark.parametrize("write", [lambda: detach("nobody", "n1"), lambda: attach("nobody", "n1")])
def test_an_agent_that_is_not_there_is_an_error(carry_out, write) -> None:
    with pytest.raises(errors.NotFoundError):
        carry_out(write(), vendor=vendor(), settings=SETTINGS)


def test_another_inbound_agent_keeps_the_number(carry_out) -> None:
    fake = vendor("in2")
    with pytest.raises(errors.RejectedError, match="different inbound agent"):
        carry_out(attach("in", "n1"), vendor=fake, settings=SETTINGS)
    assert fake.numbers["n1"] == ["in2"]


def test_a_number_that_somebody_else_took_meanwhile_is_not_attached(carry_out) -> None:
    fake = vendor()
    fake.on("POST", "", faults.meanwhile(lambda: fake.numbers["n1"].append("in2"), faults.lost_before))
    with pytest.raises(errors.RejectedError):
        carry_out(attach("in", "n1"), vendor=fake, settings=SETTINGS)
    assert fake.numbers["n1"] == ["in2"]


@pytest.mark.parametrize("key", PRIMARY_BODY_KEYS)
def test_a_plausible_key_of_the_primary_body_is_found(carry_out, key) -> None:
    fake = vendor("in", body_key=key)
    settings = callingbox_settings(attach_body_key="x")
    assert carry_out(set_primary_number("in", "n1"), vendor=fake, settings=settings).id == "in"
    assert len(fake.writes) == 1


def test_a_primary_number_that_is_refused_under_each_key_is_refused_as_under_the_first(carry_out) -> None:
    fake = vendor("in")
    refusals = [faults.status(400, json={"error": f"no {n}"}) for n in range(len(PRIMARY_BODY_KEYS))]
    fake.on("PUT", "", *refusals)
    with pytest.raises(errors.RejectedError, match="no 0"):
        carry_out(set_primary_number("in", "n1"), vendor=fake, settings=SETTINGS)
    assert fake.count("PUT") == len(PRIMARY_BODY_KEYS)


@pytest.mark.parametrize(("write", "holders"), [(attach, []), (set_primary_number, ["in"])])
def test_the_body_may_have_another_key(carry_out, write, holders) -> None:
    fake = vendor(*holders, body_key="phoneNumberId")
    with pytest.raises(errors.RejectedError, match="phoneNumberId is missing"):
        carry_out(write("in", "n1"), vendor=fake, settings=SETTINGS)
    settings = callingbox_settings(attach_body_key="phoneNumberId")
    assert carry_out(write("in", "n1"), vendor=fake, settings=settings).id == "in"


@pytest.mark.parametrize("outcome", sorted(OPEN))
def test_a_primary_number_is_set_again_after_an_open_outcome(carry_out, outcome) -> None:
    fake = vendor("in")
    fake.on("PUT", "", OPEN[outcome][0])
    assert carry_out(set_primary_number("in", "n1"), vendor=fake, settings=SETTINGS).id == "in"
    assert fake.count("PUT") == 2


@pytest.mark.parametrize("write", [attach, detach, set_primary_number])
def test_a_write_that_answers_without_a_body_is_read_back(carry_out, write) -> None:
    fake = vendor("in", empty_bodies=True)
    agent = carry_out(write("in", "n1"), vendor=fake, settings=SETTINGS)
    assert agent.id == "in"
    assert fake.requests[-1] == "GET /v1/agents/in"
