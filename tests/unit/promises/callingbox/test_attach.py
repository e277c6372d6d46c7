from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from unit.api import faults
from unit.api.carrying import callingbox_settings
from unit.api.fake_callingbox import FakeCallingBox

from airflow_provider_phonelink.api import errors
from airflow_provider_phonelink.promises.callingbox.attach import (
    attach_number,
    detach_number,
)
from airflow_provider_phonelink.promises.journal import VERSION, Journal

SETTINGS = callingbox_settings()
SPARSE = pytest.mark.parametrize(
    "options",
    [
        {},
        {"agents_tell_numbers": False},
        {"empty_bodies": True},
        {"list_form": "object"},
        {"numbers_tell_links": False},
    ],
    ids=["full", "agents do not tell", "empty bodies", "wrapped list", "numbers do not tell"],
)
OPEN = {
    "lost before": faults.lost_before,
    "lost after": faults.lost_after,
    "HTML after": faults.html_after,
    "502 before": faults.status(502),
    "502 after": faults.status(502, after=True),
}


def vendor(*holders: str, **options: Any) -> FakeCallingBox:
    return FakeCallingBox(
        agents={"in": "inbound", "in2": "inbound", "out": "outbound", "out2": "outbound"},
        numbers={"n1": list(holders), "n2": []},
        **options,
    )


@SPARSE
@pytest.mark.parametrize(
    ("holders", "agent"),
    [
        ((), "in"),
        ((), "out"),
        (("out",), "in"),
        (("in",), "out"),
        (("out",), "out2"),
        (("in",), "in"),
        (("out",), "out"),
    ],
)
def test_attach(carry_out, holders, agent, options) -> None:
    fake = vendor(*holders, **options)
    changed = carry_out(attach_number(agent, "n1"), vendor=fake, settings=SETTINGS)
    assert set(fake.numbers["n1"]) == {*holders, agent}
    assert len(fake.writes) == changed.changed == (agent not in holders)
    assert changed.result()["id"] == agent
    assert {"changed", "previous_agent_id"} <= set(changed.result())


@pytest.mark.parametrize("told", [True, False])
def test_another_inbound_agents_number_is_not_taken(carry_out, told) -> None:
    fake = vendor("in2", agents_tell_numbers=told)
    with pytest.raises(
        errors.TakenError, match=r"inbound agent in2.*Nothing was changed. Detach it there first"
    ) as caught:
        carry_out(attach_number("in", "n1"), vendor=fake, settings=SETTINGS)
    assert (caught.value.retry_helps, fake.writes, fake.numbers["n1"]) == (False, [], ["in2"])


def test_another_inbound_agents_number_is_not_taken_when_the_number_does_not_tell(carry_out) -> None:
    fake = vendor("in2", numbers_tell_links=False)
    with pytest.raises(errors.RejectedError, match="different inbound agent"):
        carry_out(attach_number("in", "n1"), vendor=fake, settings=SETTINGS)
    assert fake.numbers["n1"] == ["in2"]


@pytest.mark.parametrize("if_attached", ["fail", "move"])
@pytest.mark.parametrize(
    ("holders", "truth"),
    [((), "Nothing was changed"), (("in2",), "Nothing was changed"), (("in",), "was left with it")],
)
def test_an_archived_agent_gets_no_number(carry_out, holders, truth, if_attached) -> None:
    fake = vendor(*holders)
    fake.account.archive("in")
    with pytest.raises(
        errors.AgentArchivedError, match=rf"n1 .*agent in, which is archived.*{truth}"
    ) as caught:
        carry_out(attach_number("in", "n1", if_attached=if_attached), vendor=fake, settings=SETTINGS)
    assert (fake.numbers["n1"], fake.requests) == (list(holders), ["GET /v1/agents/in"])
    assert not caught.value.retry_helps


def test_a_number_goes_back_if_its_new_agent_is_archived_between_two_tries(carry_out) -> None:
    fake = vendor("in2")
    kept: list[Any] = [None]

    def move() -> None:
        journal = Journal(kept[0], lambda left: kept.append(left))
        carry_out(
            attach_number("in", "n1", if_attached="move", journal=journal), vendor=fake, settings=SETTINGS
        )

    class WorkerDiedError(Exception):
        pass

    def dies(*_: Any) -> httpx.Response:
        raise WorkerDiedError

    fake.on("POST", "", dies)
    with pytest.raises(WorkerDiedError):
        move()
    assert fake.numbers["n1"] == []
    fake.account.archive("in")
    kept[0] = kept[-1]
    with pytest.raises(errors.AgentArchivedError, match="took the number from agent in2, which has it back"):
        move()
    assert (fake.numbers["n1"], kept[-1]) == (["in2"], None)


@SPARSE
@pytest.mark.parametrize("holders", [("in",), ("in", "out"), ("out",), ("in2",), ()])
def test_detach(carry_out, holders, options) -> None:
    fake = vendor(*holders, **options)
    changed = carry_out(detach_number("in", "n1"), vendor=fake, settings=SETTINGS)
    assert fake.numbers["n1"] == [holder for holder in holders if holder != "in"]
    assert len(fake.writes) == changed.changed == ("in" in holders)
    assert changed.previous_agent_id == ("in" if "in" in holders else None)


@SPARSE
def test_detaching_a_number_that_is_not_there_is_an_error(carry_out, options) -> None:
    fake = vendor("in", **options)
    with pytest.raises(errors.NotNamedError, match=r"no number n9.*Nothing was changed"):
        carry_out(detach_number("in", "n9"), vendor=fake, settings=SETTINGS)
    assert (fake.numbers["n1"], fake.writes) == (["in"], [])


def test_a_number_that_was_released_after_an_earlier_try_detached_it_is_detached(carry_out) -> None:
    entry = {"number_id": "n9", "mode": "inbound", "losers": ["in"], "state": "intended"}
    journal = Journal({"version": VERSION, "entries": {"n9": entry}})
    changed = carry_out(detach_number("in", "n9", journal=journal), vendor=vendor(), settings=SETTINGS)
    assert (changed.changed, changed.previous_agent_id) == (True, "in")


@pytest.mark.parametrize("outcome", sorted(OPEN))
@pytest.mark.parametrize(
    ("promise", "before", "after"), [(attach_number, [], ["in"]), (detach_number, ["in"], [])]
)
def test_an_open_outcome_ends_as_promised(carry_out, promise, before, after, outcome) -> None:
    fake = vendor(*before)
    fake.on("POST", "", OPEN[outcome], OPEN[outcome])
    fake.on("DELETE", "", OPEN[outcome], OPEN[outcome])
    assert carry_out(promise("in", "n1"), vendor=fake, settings=SETTINGS).changed
    assert (fake.numbers["n1"], len(fake.writes)) == (after, 1)


def test_a_number_that_somebody_detached_meanwhile_is_detached(carry_out) -> None:
    fake = vendor("in")
    fake.on("DELETE", "", faults.meanwhile(lambda: fake.numbers["n1"].clear()))
    carry_out(detach_number("in", "n1"), vendor=fake, settings=SETTINGS)
    assert (fake.numbers["n1"], fake.writes) == ([], [])


def test_a_number_that_somebody_took_meanwhile_stays_theirs(carry_out) -> None:
    fake = vendor()
    fake.on("POST", "", faults.meanwhile(lambda: fake.numbers["n1"].append("in2")))
    with pytest.raises(errors.RejectedError):
        carry_out(attach_number("in", "n1"), vendor=fake, settings=SETTINGS)
    assert fake.numbers["n1"] == ["in2"]


@pytest.mark.parametrize(
    ("promise", "before", "message"),
    [
        (attach_number, [], "attached to agent in, but.*does not have it"),
        (detach_number, ["in"], "detached from.*still has it"),
    ],
)
def test_what_does_not_take_is_an_error(carry_out, promise, before, message) -> None:
    fake = vendor(*before)
    agent = fake.agent("in")
    fake.on("POST", "", faults.status(200, json=agent))
    fake.on("DELETE", "", faults.status(200, json=agent))
    with pytest.raises(errors.NotTakenEffectError, match=message) as caught:
        carry_out(promise("in", "n1"), vendor=fake, settings=SETTINGS)
    assert caught.value.retry_helps


def test_the_body_may_have_another_key(carry_out) -> None:
    fake = vendor(body_key="phone_number_id")
    settings = callingbox_settings(attach_body_key="phone_number_id")
    assert carry_out(attach_number("in", "n1"), vendor=fake, settings=settings).changed
    with pytest.raises(errors.RejectedError, match="phone_number_id is missing"):
        carry_out(attach_number("in", "n2"), vendor=fake, settings=SETTINGS)


@pytest.mark.parametrize("promise", [attach_number, detach_number])
def test_an_agent_that_is_not_there_fails_at_once(carry_out, promise) -> None:
    fake = vendor()
    with pytest.raises(errors.NotFoundError):
        carry_out(promise("nobody", "n1"), vendor=fake, settings=SETTINGS)
    assert fake.requests == ["GET /v1/agents/nobody"]


@pytest.mark.parametrize(
    ("argument", "flow"),
    [
        ("agent_id", lambda: attach_number("../x", "n1")),
        ("agent_id", lambda: attach_number("#REF!", "n1")),
        ("number_id", lambda: attach_number("in", "None")),
        ("if_attached", lambda: attach_number("in", "n1", if_attached="steal")),
        ("agent_id", lambda: detach_number("", "n1")),
        ("number_id", lambda: detach_number("in", "a/b")),
    ],
)
def test_a_bad_argument_sends_nothing(carry_out, argument, flow) -> None:
    fake = vendor()
    with pytest.raises(errors.InvalidArgumentError) as caught:
        carry_out(flow(), vendor=fake, settings=SETTINGS)
    assert caught.value.argument == argument
    assert fake.requests == []


def test_a_uuid_is_the_same_in_any_case(carry_out) -> None:
    agent, number = "3c90c3cc-0d44-4b50-8888-8dd25736052a", "3c90c3cc-0d44-4b50-8888-8dd25736052b"
    fake = FakeCallingBox(agents={agent: "inbound"}, numbers={number: [agent]})

    def folding(request: httpx.Request) -> httpx.Response:
        return fake(httpx.Request(request.method, str(request.url).lower(), content=request.content))

    assert not carry_out(
        attach_number(agent.upper(), number.upper()), vendor=folding, settings=SETTINGS
    ).changed
    assert carry_out(detach_number(agent.upper(), number.upper()), vendor=folding, settings=SETTINGS).changed
    assert fake.numbers == {number: []}


@pytest.mark.parametrize("options", [{}, {"agents_tell_numbers": False}, {"empty_bodies": True}])
def test_move(carry_out, options) -> None:
    fake = vendor("in2", "out", **options)
    kept: list[Any] = []
    journal = Journal(keep=kept.append)
    moved = carry_out(
        attach_number("in", "n1", if_attached="move", journal=journal), vendor=fake, settings=SETTINGS
    )
    assert fake.numbers["n1"] == ["out", "in"]
    assert (moved.changed, moved.previous_agent_id) == (True, "in2")
    assert re.search(r"Before, agent in2 had it; for \d+\.\d s no inbound agent had\.", moved.summary)
    [before] = kept
    assert before["entries"]["n1"]["losers"] == ["in2"]
    assert [(entry.holder, entry.agent_id) for _, entry in journal] == [("in2", "in")]


#: What a try left that took the number from an agent and died before it gave it to the other.
TAKEN: dict[str, Any] = {
    "version": 1,
    "entries": {
        "n1": {
            "number_id": "n1",
            "mode": "inbound",
            "agent_id": "in",
            "losers": ["in2"],
            "lent": True,
            "state": "intended",
        }
    },
}


def test_a_move_that_an_earlier_try_left_in_the_gap(carry_out) -> None:
    fake = vendor()
    fake.on("POST", "/in/numbers", faults.status(400))
    with pytest.raises(errors.AttachmentError, match="Now agent in2 has it") as caught:
        carry_out(attach_number("in", "n1", journal=Journal(TAKEN)), vendor=fake, settings=SETTINGS)
    assert (caught.value.retry_helps, fake.numbers["n1"]) == (False, ["in2"])


def test_what_an_earlier_try_left_about_another_number_is_not_believed(carry_out) -> None:
    fake = vendor()
    journal = Journal({"version": 1, "entries": {"n2": TAKEN["entries"]["n1"]}})
    moved = carry_out(attach_number("in", "n1", journal=journal), vendor=fake, settings=SETTINGS)
    assert (moved.previous_agent_id, fake.numbers["n1"]) == (None, ["in"])


def test_who_has_a_number_is_not_claimed_when_nobody_tells(carry_out) -> None:
    fake = vendor("in2")
    fake.on("POST", "/in/numbers", faults.status(400))
    fake.on("GET", "/numbers", faults.served, *[faults.status(403)] * 2)
    with pytest.raises(errors.AttachmentError, match="It is not known which agent has it now") as caught:
        carry_out(attach_number("in", "n1", if_attached="move"), vendor=fake, settings=SETTINGS)
    assert (caught.value.retry_helps, fake.numbers["n1"]) == (True, ["in2"])


@pytest.mark.parametrize("promise", [attach_number, detach_number])
def test_a_primary_number_that_somebody_chose_between_two_tries_is_left(carry_out, promise) -> None:
    holders = ["out"] if promise is detach_number else []
    fake = FakeCallingBox(agents={"out": "outbound"}, numbers={"n1": holders, "p0": ["out"], "p1": ["out"]})
    fake.account.set_primary("out", "p0")
    kept: list[Any] = []
    verb = "DELETE" if promise is detach_number else "POST"
    fake.on(verb, "", *[faults.status(503)] * 5)
    with pytest.raises(errors.VendorError, match="503"):
        carry_out(promise("out", "n1", journal=Journal(keep=kept.append)), vendor=fake, settings=SETTINGS)
    assert kept[-1]["entries"]["n1/out"]["primaries"] == {"out": "p0"}
    fake.account.set_primary("out", "p1")
    assert carry_out(promise("out", "n1", journal=Journal(kept[-1])), vendor=fake, settings=SETTINGS).changed
    assert (fake.account.agents["out"].primary_number, len(fake.writes)) == ("p1", 1)


def test_a_number_that_goes_back_after_an_earlier_try_detached_it_is_not_told_as_lost(carry_out) -> None:
    entry = {"number_id": "n1", "mode": "outbound", "agent_id": "out", "removes": True, "state": "done"}
    fake, journal = vendor(), Journal({"version": VERSION, "entries": {"n1/out": entry}})
    carry_out(attach_number("out", "n1", journal=journal), vendor=fake, settings=SETTINGS)
    assert (fake.numbers["n1"], list(journal)) == (["out"], [])


def test_a_retry_gives_an_outbound_agent_a_number_that_an_inbound_one_answers(carry_out) -> None:
    entry = {"number_id": "n1", "mode": "outbound", "agent_id": "out", "state": "intended"}
    fake, journal = vendor("in"), Journal({"version": VERSION, "entries": {"n1/out": entry}})
    assert carry_out(attach_number("out", "n1", journal=journal), vendor=fake, settings=SETTINGS).changed
    assert fake.numbers["n1"] == ["in", "out"]
