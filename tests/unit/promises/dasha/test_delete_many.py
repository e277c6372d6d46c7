"""Deleting many numbers over the sandbox's world, without a socket."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from unit.promises.dasha.test_onboard import TRUNK, Vendor

from airflow_provider_phonelink.api.errors import AuthenticationError
from airflow_provider_phonelink.decisions.onboarding import summary_of
from airflow_provider_phonelink.operators.events import link_changes
from airflow_provider_phonelink.promises.dasha.delete_many import delete_many
from airflow_provider_phonelink.promises.dasha.deleting import Deleting
from airflow_provider_phonelink.promises.journal import Journal

OTHER_TRUNK = "c0000000-0000-4000-8000-000000000009"


def deleting(vendor: Vendor, *names: str, **options: Any) -> Deleting:
    found = Deleting(names, **options)
    vendor.carry_out(delete_many(found))
    return found


def outcomes(found: Deleting) -> list[tuple[str | None, bool]]:
    return [(number.step, number.reason is None) for number in found.numbers]


def changes(found: Deleting) -> set[tuple[str | None, str | None, str | None]]:
    """Return what would be told: mode, the agent before, the agent now."""
    found.settle_journal()
    told = [change for entry in found.journal.to_tell() for change in link_changes(entry, "dasha")]
    return {(change.mode, change.previous_agent_id, change.agent_id) for change in told}


def in_use(vendor: Vendor) -> str:
    return vendor.dasha.add_number("+15550100001", TRUNK, inbound="desk", outbound=["campaign"])


def refused(number_id: str, status: int) -> dict[str, int]:
    return {f"DELETE /api/v1/sip-phone-numbers/{number_id} ": status}


def at_the_delete(act: Any) -> Any:
    done: list[bool] = []

    def meanwhile(call: Any) -> None:
        if call.method == "DELETE" and not call.path.endswith("agent-link") and not done:
            done.append(True)
            act()

    return meanwhile


def kept(journal: Journal) -> Journal:
    """Return the journal as the next try finds it."""
    left: list[Any] = []
    again = Journal(None, left.append)
    again.intend({key: replace(entry) for key, entry in journal})
    return Journal(left[-1])


class Died(BaseException):
    """What no handler catches."""


def interrupted(vendor: Vendor, number_id: str, name: str, at: str = "") -> Journal:
    """Let a try die right before it deletes a number, or before its request whose path ends otherwise."""
    left: list[Any] = [None]

    def die(call: Any) -> None:
        if call.method == "DELETE" and call.path.endswith(at or number_id):
            raise Died

    before, refuses = vendor.meanwhile, vendor.refuses
    vendor.meanwhile, vendor.refuses = die, {}
    with pytest.raises(Died):
        deleting(vendor, name, if_linked="unlink", journal=Journal(None, left.append))
    vendor.meanwhile, vendor.refuses = before, refuses
    return Journal(left[-1])


@pytest.fixture
def vendor() -> Vendor:
    return Vendor()


def test_numbers_that_nobody_uses_are_gone_and_no_others(vendor) -> None:
    ids = [vendor.dasha.add_number(f"+1555{n:07}", TRUNK) for n in range(5)]
    assert outcomes(deleting(vendor, *ids[:3], "+1 (555) 000-0003")) == [("deleted", True)] * 4
    assert [*vendor.dasha.numbers] == ids[4:]
    assert vendor.writes == {"DELETE": 4}
    again = deleting(vendor, *ids[:3], "+15550000003")
    assert outcomes(again) == [("gone", True)] * 4
    assert not vendor.writes
    assert again.warnings == ["There is no number +15550000003: it is gone, or was written otherwise."]


def test_one_that_is_in_use_is_left_and_all_its_agents_are_named(vendor) -> None:
    used = vendor.dasha.add_number("+1555", TRUNK, inbound="desk", outbound=["campaign", "night"])
    free = vendor.dasha.add_number("+1556", TRUNK)
    found = deleting(vendor, used, free)
    assert outcomes(found) == [(None, False), ("deleted", True)]
    reason = str(found.numbers[0].reason)
    for words in ("desk answers its calls", "campaign calls out with it", "night calls out with it"):
        assert words in reason
    assert vendor.dasha.links() == {used: ("desk", ["campaign", "night"])}


def test_one_that_is_in_use_is_unlinked_and_deleted_if_asked(vendor) -> None:
    used = vendor.dasha.add_number("+1555", TRUNK, inbound="desk", outbound=["campaign"])
    found = deleting(vendor, used, if_linked="unlink")
    assert outcomes(found) == [("deleted", True)]
    assert not vendor.dasha.numbers
    assert "force" not in " ".join(vendor.requests)
    told = {(entry.mode, *entry.losers, entry.agent_id) for _, entry in found.journal}
    assert told == {("inbound", "desk", None), ("replaceOutbound", "campaign")}


def test_a_link_that_somebody_makes_meanwhile_is_not_taken_along(vendor) -> None:
    used = vendor.dasha.add_number("+1555", TRUNK, inbound="desk")

    def link(call: Any) -> None:
        if call.method == "DELETE" and not call.path.endswith("agent-link"):
            vendor.dasha.link(used, "somebody", "inbound")

    vendor.meanwhile = link
    found = deleting(vendor, used, if_linked="unlink")
    assert outcomes(found) == [(None, False)]
    assert vendor.dasha.links()[used] == ("somebody", [])


@pytest.mark.parametrize("status", [403, 409, 503])
@pytest.mark.parametrize("retried", [True, False])
def test_one_that_cannot_be_deleted_goes_back_unless_a_later_try_may_delete_it(
    vendor, status, retried
) -> None:
    used, refusals = in_use(vendor), {}
    vendor.refuses = refusals = refused(used, status)
    found = deleting(vendor, used, if_linked="unlink", retried=retried)
    stays = status == 503 and retried
    assert vendor.dasha.links()[used] == ((None, []) if stays else ("desk", ["campaign"]))
    reason = str(found.numbers[0].reason)
    assert "It was taken from agent campaign, agent desk." in reason
    assert ("stays without them until the next try" in reason) is stays
    assert ("It was given back to agent campaign, agent desk." in reason) is not stays
    assert not found.must_fail
    assert changes(found) == (
        {("inbound", "desk", None), ("replaceOutbound", "campaign", None)} if stays else set()
    )
    refusals.clear()
    assert outcomes(deleting(vendor, used, if_linked="unlink", journal=found.journal)) == [("deleted", True)]


@pytest.mark.parametrize("name", ["id", "+1 555 010 0001"])
@pytest.mark.parametrize("dies", [False, True])
def test_what_an_earlier_try_took_goes_back_if_a_later_one_cannot_delete_it(vendor, dies, name) -> None:
    used = in_use(vendor)
    name = used if name == "id" else name
    first = interrupted(vendor, used, name) if dies else None
    if first is None:
        vendor.refuses = refused(used, 503)
        first = deleting(vendor, name, if_linked="unlink").journal
    assert vendor.dasha.links()[used] == (None, [])
    vendor.refuses = refused(used, 403)
    found = deleting(vendor, name, if_linked="unlink", journal=kept(first))
    assert vendor.dasha.links()[used] == ("desk", ["campaign"])
    assert "It was given back to agent campaign, agent desk." in str(found.numbers[0].reason)
    assert changes(found) == set()


def test_a_number_that_is_not_named_any_more_goes_back_and_is_not_deleted(vendor) -> None:
    used = in_use(vendor)
    vendor.refuses = refused(used, 503)
    first = deleting(vendor, used, if_linked="unlink")
    vendor.refuses = {}
    other = vendor.dasha.add_number("+15550100002", TRUNK)
    found = deleting(vendor, other, if_linked="unlink", journal=kept(first.journal))
    assert outcomes(found) == [("deleted", True)]
    assert vendor.dasha.links() == {used: ("desk", ["campaign"])}
    assert "given back to agent campaign, agent desk" in found.warnings[0]
    vendor.refuses = {"PUT": 503}
    owed = deleting(vendor, other, if_linked="unlink", journal=interrupted(vendor, used, used))
    assert owed.must_fail
    assert "could not be given back to agent desk" in str(owed.numbers[1].reason)


@pytest.mark.parametrize("status", [403, 503])
def test_a_number_that_can_neither_be_deleted_nor_given_back_is_no_success_and_names_its_agents(
    vendor, status
) -> None:
    used, free = in_use(vendor), vendor.dasha.add_number("+15550100002", TRUNK)
    vendor.refuses = {**refused(used, status), "PUT": status}
    found = deleting(vendor, used, free, if_linked="unlink", retried=False)
    assert outcomes(found) == [(None, False), ("deleted", True)]
    assert (found.must_fail, found.retry_helps) == (True, True)
    for agent in ("desk", "campaign"):
        assert f"could not be given back to agent {agent}" in str(found.numbers[0].reason)
    vendor.refuses = refused(used, status)
    again = deleting(vendor, used, if_linked="unlink", retried=False, journal=kept(found.journal))
    assert not again.must_fail
    assert vendor.dasha.links()[used] == ("desk", ["campaign"])


def test_a_key_that_is_refused_halfway_leaves_rows_that_name_the_agents(vendor) -> None:
    used, other = in_use(vendor), vendor.dasha.add_number("+15550100002", TRUNK)
    vendor.refuses = refused(used, 401)
    found = deleting(vendor, used, other, if_linked="unlink", retried=False)
    assert found.must_fail
    assert "taken from agent campaign, agent desk" in str(found.numbers[0].reason)
    assert "the key was refused" in str(found.numbers[1].reason)
    assert vendor.dasha.links() == {used: ("desk", ["campaign"]), other: (None, [])}
    journal = interrupted(vendor, used, used)
    vendor.refuses = {"GET": 401}
    with pytest.raises(AuthenticationError, match=r"taken from their agents.*agent desk.*agent campaign"):
        deleting(vendor, used, if_linked="unlink", journal=journal)


@pytest.mark.parametrize("status", [403, 503])
def test_an_agent_that_calls_out_with_another_number_by_now_keeps_that(vendor, status) -> None:
    used, other = in_use(vendor), vendor.dasha.add_number("+15550100002", TRUNK)
    vendor.refuses = refused(used, status)
    vendor.meanwhile = at_the_delete(lambda: vendor.dasha.link(other, "campaign", "replaceOutbound"))
    found = deleting(vendor, used, if_linked="unlink", retried=False)
    assert vendor.dasha.links() == {used: ("desk", []), other: (None, ["campaign"])}
    assert f"agent campaign calls out with +15550100002 (id {other}), and keeps that" in str(
        found.numbers[0].reason
    )
    assert not found.must_fail
    assert changes(found) == {("replaceOutbound", "campaign", None)}


def test_a_number_that_somebody_linked_after_an_earlier_try_goes_once_the_task_has_said_so(vendor) -> None:
    used = in_use(vendor)
    journal = interrupted(vendor, used, used)
    vendor.dasha.link(used, "somebody", "inbound")
    found = deleting(vendor, used, if_linked="unlink", journal=journal)
    assert vendor.dasha.links()[used] == ("somebody", ["campaign"])
    reason = str(found.numbers[0].reason)
    assert "agent somebody answers its calls by now" in reason
    assert "Run the task again to take it from there and delete it." in reason
    left: list[Any] = []
    journal = Journal(None, left.append)
    journal.intend({key: replace(entry) for key, entry in found.journal})
    again = deleting(vendor, used, if_linked="unlink", journal=Journal(left[-1]))
    assert outcomes(again) == [("deleted", True)]
    assert changes(again) == {
        ("inbound", "desk", None),
        ("inbound", "somebody", None),
        ("replaceOutbound", "campaign", None),
    }


@pytest.mark.parametrize("now", ["desk", None, "third"])
@pytest.mark.parametrize("named", [True, False])
def test_who_has_a_number_that_somebody_took_is_told_as_it_is_by_now(vendor, named, now) -> None:
    used = in_use(vendor)
    journal = interrupted(vendor, used, used)
    vendor.dasha.link(used, "somebody", "inbound")
    left = kept(deleting(vendor, used, if_linked="unlink", journal=journal).journal)
    if now:
        vendor.dasha.link(used, now, "inbound")
    else:
        vendor.dasha.unlink(used, "inbound", None)
    vendor.refuses = refused(used, 403)
    other = vendor.dasha.add_number("+15550100002", TRUNK)
    found = deleting(vendor, used if named else other, if_linked="fail", journal=left)
    # Nobody is left without a number that stays.
    assert vendor.dasha.links()[used] == (now or "desk", ["campaign"])
    lost = {("inbound", "desk", "third")} if now == "third" else set()
    assert {change for change in changes(found) if change[0] == "inbound"} == lost


def test_who_gets_a_number_after_it_was_seen_with_nobody_is_told_before_it_is_taken(vendor) -> None:
    used = in_use(vendor)
    journal = interrupted(vendor, used, used)
    vendor.dasha.link(used, "somebody", "inbound")
    left = kept(deleting(vendor, used, if_linked="unlink", journal=journal).journal)
    vendor.dasha.unlink(used, "inbound", None)
    vendor.refuses = refused(used, 503)
    left = kept(deleting(vendor, used, if_linked="unlink", journal=left).journal)
    vendor.dasha.link(used, "somebody", "inbound")
    vendor.refuses = {}
    found = deleting(vendor, used, if_linked="unlink", journal=left)
    assert vendor.dasha.links()[used][0] == "somebody"
    assert "agent somebody answers its calls by now" in str(found.numbers[0].reason)


def test_what_was_told_is_told_again_by_a_try_after_success(vendor) -> None:
    used = in_use(vendor)
    first = deleting(vendor, used, if_linked="unlink")
    told = changes(first)
    assert told
    assert changes(deleting(vendor, used, if_linked="unlink", journal=Journal(first.journal.told()))) == told


@pytest.mark.parametrize("names", [("{id}", "+15550100001"), ("+15550100001", "+1 555 010 0001")])
def test_each_name_stands_for_the_number_of_the_first_try(vendor, names) -> None:
    used = in_use(vendor)
    left: list[Any] = [None]
    given = [name.format(id=used) for name in names]
    deleting(vendor, *given, if_linked="unlink", journal=Journal(None, left.append))
    new = vendor.dasha.add_number("+15550100001", TRUNK)
    deleting(vendor, *given, if_linked="unlink", journal=Journal(left[-1]))
    assert list(vendor.dasha.links()) == [new]


def test_a_name_that_somebody_made_stand_for_no_id_is_no_journal() -> None:
    with pytest.raises(ValueError, match="no object of ids"):
        Journal({"version": 1, "entries": {}, "named": {"+15550100001": "x"}})


def test_a_task_that_does_not_fail_tells_who_has_the_number_that_it_took(vendor) -> None:
    used = in_use(vendor)
    journal = interrupted(vendor, used, used)
    vendor.dasha.link(used, "somebody", "inbound")
    found = deleting(vendor, used, if_linked="unlink", journal=journal, retried=False)
    assert not found.must_fail
    assert changes(found) == {("inbound", "desk", "somebody")}
    assert all(entry.pending for _, entry in found.journal)


def test_a_number_that_is_to_be_left_by_now_goes_back_to_its_agents(vendor) -> None:
    used = in_use(vendor)
    journal = interrupted(vendor, used, used)
    found = deleting(vendor, used, if_linked="fail", journal=journal)
    assert (outcomes(found), found.retry_helps) == ([(None, False)], False)
    assert vendor.dasha.links() == {used: ("desk", ["campaign"])}
    assert "was in use until an earlier try of this task. It was not deleted" in str(found.numbers[0].reason)
    assert changes(found) == set()


@pytest.mark.parametrize("both", [False, True])
def test_an_agent_that_lost_two_numbers_in_turn_gets_one_of_those_back_that_stay(vendor, both) -> None:
    first, second = (vendor.dasha.add_number(f"+1555010000{n}", TRUNK) for n in (1, 2))
    vendor.dasha.link(first, "campaign", "replaceOutbound")
    journal = interrupted(vendor, first, first)
    vendor.dasha.link(second, "campaign", "replaceOutbound")
    vendor.refuses = {**refused(first, 403), **(refused(second, 403) if both else {})}
    found = deleting(vendor, first, second, if_linked="unlink", journal=journal)
    assert vendor.dasha.outbound.number_of["campaign"] == (second if both else first)
    if both:
        assert f"calls out with +15550100002 (id {second}), and keeps that" in str(found.numbers[0].reason)
        assert "It was given back to agent campaign." in str(found.numbers[1].reason)
    else:
        assert outcomes(found) == [(None, False), ("deleted", True)]
        assert "It was given back to agent campaign." in str(found.numbers[0].reason)
    assert not found.must_fail


def test_an_agent_whose_outbound_number_cannot_be_seen_is_not_given_one(vendor) -> None:
    used, other = in_use(vendor), vendor.dasha.add_number("+15550100002", OTHER_TRUNK)
    vendor.dasha.link(other, "somebody", "replaceOutbound")
    vendor.refuses = {**refused(used, 403), f"GET /api/v1/sip-phone-numbers/{other}/affected-agents": 403}
    found = deleting(vendor, used, if_linked="unlink")
    assert vendor.dasha.links()[used] == ("desk", [])
    assert found.must_fail
    assert "could not be given back to agent campaign" in str(found.numbers[0].reason)


@pytest.mark.parametrize("status", [409, 503])
def test_what_is_told_is_who_has_the_number_in_the_end(vendor, status) -> None:
    used = vendor.dasha.add_number("+1555", TRUNK, inbound="desk")
    vendor.refuses = refused(used, status)
    vendor.meanwhile = at_the_delete(lambda: vendor.dasha.link(used, "somebody", "inbound"))
    found = deleting(vendor, used, if_linked="unlink", retried=False)
    assert vendor.dasha.links()[used] == ("somebody", [])
    assert "agent somebody has it, and it was left there" in str(found.numbers[0].reason)
    assert changes(found) == {("inbound", "desk", "somebody")}


@pytest.mark.parametrize("takes_effect", [False, True])
@pytest.mark.parametrize("status", [403, 503])
def test_no_event_tells_of_a_link_that_is_there(vendor, status, takes_effect) -> None:
    """A try dies around its first unlink; the next one is refused."""
    used = in_use(vendor)
    journal = interrupted(vendor, used, used, at="agent-link")
    if takes_effect:
        vendor.dasha.unlink(used, "inbound", "desk")
    vendor.refuses = {"DELETE": status}
    found = deleting(vendor, used, if_linked="unlink", journal=journal, retried=False)
    assert vendor.dasha.links()[used] == ("desk", ["campaign"])
    assert changes(found) == set()


@pytest.mark.parametrize("name", ["id", "+15550100001", "+1 (555) 010-0001"])
def test_what_a_try_deleted_before_it_died_is_told_however_the_number_is_named(vendor, name) -> None:
    used = in_use(vendor)
    name = used if name == "id" else name
    journal = interrupted(vendor, used, name)
    vendor.dasha.delete(used)
    found = deleting(vendor, name, if_linked="unlink", journal=journal)
    assert outcomes(found) == [("gone", True)]
    assert changes(found) == {("inbound", "desk", None), ("replaceOutbound", "campaign", None)}


@pytest.mark.parametrize("is_used", [False, True])
def test_a_number_that_somebody_made_with_the_phone_number_of_a_deleted_one_is_left(vendor, is_used) -> None:
    deleted = in_use(vendor) if is_used else vendor.dasha.add_number("+15550100001", TRUNK)
    journal = interrupted(vendor, deleted, "+1 555 010 0001")
    vendor.dasha.delete(deleted)
    made = in_use(vendor)
    found = deleting(vendor, "+1 555 010 0001", if_linked="unlink", journal=journal)
    assert outcomes(found) == [("gone", True)]
    assert vendor.dasha.links() == {made: ("desk", ["campaign"])}
    assert found.warnings == [
        f"Number +1 555 010 0001 (id {deleted}) is gone. If another one has that phone number by now, it was left."
    ]


@pytest.mark.parametrize("status", [403, 500])
def test_a_number_whose_users_cannot_be_read_does_not_stop_the_others(vendor, status) -> None:
    ids = [
        vendor.dasha.add_number(f"+1555010000{n}", trunk)
        for n, trunk in enumerate((TRUNK, OTHER_TRUNK, TRUNK))
    ]
    vendor.refuses = {f"GET /api/v1/sip-phone-numbers/{ids[1]}/affected-agents": status}
    found = deleting(vendor, *ids, if_linked="unlink")
    assert outcomes(found) == [("deleted", True), (None, False), ("deleted", True)]
    assert [*vendor.dasha.numbers] == ids[1:2]
    assert found.retry_helps is (status == 500)


def test_a_write_that_is_refused_after_a_lost_answer_is_looked_at(vendor) -> None:
    """The first request takes effect and its answer is lost; its repeat is refused."""
    used = in_use(vendor)
    vendor.retries = 1
    unlinks: list[str] = []

    def lose(call: Any) -> None:
        if call.method == "DELETE" and call.path.endswith("agent-link") and "agentId" in call.params:
            unlinks.append(call.path)
            vendor.refuses = (
                {"replaceOutbound": 503 if len(unlinks) == 1 else 403}
                if call.params["mode"] == "replaceOutbound"
                else {}
            )
            if vendor.refuses and len(unlinks) == 1:
                vendor.dasha.unlink(used, "replaceOutbound", "campaign")
        elif call.method == "PUT":
            vendor.refuses = {}

    vendor.meanwhile = lose
    vendor.dasha.unlink(used, "inbound", "desk")
    found = deleting(vendor, used, if_linked="unlink")
    assert len(unlinks) == 2
    assert vendor.dasha.links()[used] == (None, ["campaign"])
    assert "It was given back to agent campaign." in str(found.numbers[0].reason)


def test_a_name_that_may_be_several_numbers_is_none_of_them(vendor) -> None:
    ids = [vendor.dasha.add_number("+15550100001", trunk) for trunk in (TRUNK, OTHER_TRUNK)]
    found = deleting(vendor, "+15550100001")
    assert "may be any of 2 numbers" in str(found.numbers[0].reason)
    assert [*vendor.dasha.numbers] == ids
    assert outcomes(deleting(vendor, *ids, ids[0].upper())) == [("deleted", True)] * 2


@pytest.mark.parametrize("written", ["+15550100001", "+1 555 010 0001"])
def test_no_number_goes_whose_phone_number_would_then_stand_for_another(vendor, written) -> None:
    """Whether the other one is written in the same way or not: a later try would find and delete it."""
    named = vendor.dasha.add_number("+15550100001", TRUNK)
    other = vendor.dasha.add_number(written, OTHER_TRUNK, inbound="desk")
    free = vendor.dasha.add_number("+15550100009", TRUNK)
    for names in ((named, "+15550100001", free), ("+15550100001", named), ("+15550100001",)):
        for _ in range(2):  # a try, and a clear
            found = deleting(vendor, *names, if_linked="unlink")
            assert vendor.dasha.links()[other] == ("desk", [])
            assert all(number.reason for number in found.numbers if number.name != free)
    assert [*vendor.dasha.numbers] == [named, other]
    assert (
        outcomes(deleting(vendor, named, "+15550100001", other, if_linked="unlink"))
        == [("deleted", True)] * 2
    )


def test_a_name_that_was_refused_is_not_taken_for_the_number_that_others_left(vendor) -> None:
    gone, left = (vendor.dasha.add_number("+15550100001", trunk) for trunk in (TRUNK, OTHER_TRUNK))
    kept_: list[Any] = []
    deleting(vendor, "+15550100001", journal=Journal(None, kept_.append))
    vendor.dasha.delete(gone)
    for _ in range(2):
        cleared = deleting(vendor, "+15550100001", journal=Journal(kept_[-1], kept_.append))
        assert f"only number +15550100001 (id {left}) is left" in str(cleared.numbers[0].reason)
    assert [*vendor.dasha.numbers] == [left]
    by_id = deleting(vendor, "+15550100001", left, journal=Journal(kept_[-1], kept_.append))
    assert outcomes(by_id) == [("deleted", True)]
    again = deleting(vendor, "+15550100001", journal=Journal(kept_[-1], kept_.append))
    assert outcomes(again) == [("gone", True)]


def test_a_message_of_many_failures_begins_with_the_numbers_that_agents_are_without(vendor) -> None:
    refused_ones = [vendor.dasha.add_number(f"+1555020{n:04}", TRUNK) for n in range(30)]
    used = in_use(vendor)
    vendor.refuses = {"DELETE /api/v1/sip-phone-numbers": 403, **refused(used, 503)}
    vendor.dasha.unlink(used, "inbound", "desk")
    vendor.meanwhile = lambda call: (
        vendor.refuses.pop("DELETE /api/v1/sip-phone-numbers", None)
        if call.path.endswith("agent-link")
        else None
    )
    found = deleting(vendor, *refused_ones, used, if_linked="unlink")
    assert [number.number.id for number in found.numbers][-1] == used
    summary = summary_of([number.row() for number in found.urgent_first], "deleted")
    assert "31 are not" in summary
    assert "taken from agent campaign" in summary
