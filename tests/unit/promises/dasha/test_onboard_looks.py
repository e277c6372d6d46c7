"""Onboarding look after look, while others work on the same numbers: what is left, told and not repeated."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import Any

import pytest
from simulation.task import SteppingSender
from unit.api.carrying import dasha_settings
from unit.promises.dasha.test_onboard import TRUNK, Died, Vendor, reasons, steps, wishes

from airflow_provider_phonelink.decisions.limits import parse_max_changes
from airflow_provider_phonelink.decisions.onboarding import NumberWish
from airflow_provider_phonelink.operators.events import link_changes
from airflow_provider_phonelink.promises.dasha.onboard import Onboarding, onboard
from airflow_provider_phonelink.promises.journal import Journal
from airflow_provider_phonelink.sandbox.dasha import REGISTERED

OTHER_TRUNK = "c0000000-0000-4000-8000-000000000009"


class Task:
    """The looks of one try, and of later ones, over the same journal."""

    def __init__(self, vendor: Vendor, wanted: list[NumberWish], **options: Any) -> None:
        self.vendor, self.wanted, self.options = vendor, wanted, options
        self.kept: list[Any] = [None]
        self.refused: dict[str, str] = {}

    def look(self) -> Onboarding:
        journal = Journal(self.kept[-1], self.kept.append)
        self.last = Onboarding(self.wanted, journal=journal, refused=self.refused, **self.options)
        try:
            return self.vendor.run(self.last)
        finally:
            journal.said()  # as if it were the last look of its try, which fails

    def next_try(self) -> None:
        self.refused = {}

    def told(self) -> list[Any]:
        self.last.settle_journal()
        return [change for entry in self.last.journal.to_tell() for change in link_changes(entry, "dasha")]


@pytest.fixture
def vendor() -> Vendor:
    return Vendor()


@pytest.mark.parametrize("mode", ["inbound", "replaceOutbound"])
def test_what_somebody_else_linked_is_left_for_the_whole_try_and_taken_over_by_the_next(vendor, mode) -> None:
    other = vendor.dasha.add_number("+15559999999", TRUNK)
    task = Task(vendor, wishes(1))
    assert steps(task.look()) == {"linked": 1}
    number_id = str(task.last.rows()[0].id)
    before = vendor.links()
    if mode == "inbound":
        vendor.dasha.link(number_id, "somebody", "inbound")
    else:
        vendor.dasha.link(other, "out-0", "replaceOutbound")
    changed = vendor.links()
    for _ in range(3):
        [reason] = reasons(task.look())
        assert "somebody else linked it in the meantime" in reason
        assert not vendor.writes
    assert vendor.links() == changed
    [told] = task.told()  # the other link
    assert told.mode != mode

    task.next_try()
    assert steps(task.look()) == {"linked": 1}
    assert vendor.writes == {"PUT": 1}
    assert vendor.links() == before


def test_a_changed_inbound_link_is_left_although_the_outbound_one_is_written(vendor) -> None:
    task = Task(vendor, wishes(1))
    vendor.refuses = {"replaceOutbound": 503}
    number_id = str(task.look().rows()[0].id)
    vendor.refuses = {}
    vendor.dasha.link(number_id, "somebody", "inbound")
    assert len(reasons(task.look())) == 1
    assert vendor.dasha.links()[number_id] == ("somebody", ["out-0"])


@pytest.mark.parametrize("mode", ["inbound", "replaceOutbound"])
def test_what_somebody_changes_while_other_links_are_written_is_not_called_linked(vendor, mode) -> None:
    task = Task(vendor, wishes(2))
    other = vendor.dasha.add_number("+15559999999", TRUNK)
    vendor.refuses = {"in-1": 503}
    number_id = str(task.look().rows()[0].id)
    vendor.refuses = {}

    def change_at_the_write(call: Any) -> None:
        if call.method == "PUT":
            changed = (other, "out-0", mode) if mode == "replaceOutbound" else (number_id, "somebody", mode)
            vendor.dasha.link(*changed)

    vendor.meanwhile = change_at_the_write
    task.next_try()
    [reason] = reasons(task.look())
    assert "somebody else changed it in the meantime, and it was left so" in reason
    assert vendor.writes == {"PUT": 1}


def test_an_outbound_link_that_is_gone_altogether_is_made_again(vendor) -> None:
    task = Task(vendor, wishes(1))
    number_id = str(task.look().rows()[0].id)
    vendor.dasha.unlink(number_id, "replaceOutbound", "out-0")
    assert steps(task.look()) == {"linked": 1}
    assert vendor.dasha.links()[number_id] == ("in-0", ["out-0"])


@pytest.mark.parametrize("status", [409, 503])
@pytest.mark.parametrize("mode", ["inbound", "replaceOutbound"])
def test_what_a_try_was_only_about_to_do_when_it_died_is_not_told(vendor, mode, status) -> None:
    vendor.dasha.add_number(wishes(1)[0].phone_number, TRUNK)
    agent = {"outbound_agent_id" if mode == "inbound" else "inbound_agent_id": None}
    task = Task(vendor, wishes(1, **agent))

    def die(call: Any) -> None:
        if call.method == "PUT":
            raise Died

    vendor.meanwhile = die
    with suppress(Died):
        task.look()
    vendor.meanwhile = lambda call: None
    vendor.refuses = {"PUT": status}
    task.next_try()
    assert len(reasons(task.look())) == 1
    assert task.told() == []


@pytest.mark.parametrize("status", [403, 500])
def test_a_number_whose_users_cannot_be_read_is_one_more_number_with_a_reason(vendor, status) -> None:
    unread = vendor.dasha.add_number("+15550000099", OTHER_TRUNK)
    wanted = [
        *wishes(3),
        NumberWish("+15550000099", OTHER_TRUNK, inbound_agent_id="in-9", outbound_agent_id="out-9"),
    ]
    vendor.refuses = {f"{unread}/affected-agents": status}
    done = Task(vendor, wanted).look()
    assert steps(done) == {"linked": 3, "adopted": 1}
    assert str(status) in reasons(done)[0]
    assert vendor.dasha.links()[unread] == ("in-9", [])


def test_what_the_vendor_refused_is_not_sent_again_by_later_looks_of_the_same_try(vendor) -> None:
    wanted = wishes(3, registration=True)
    for wish in wanted:
        vendor.vendors.world.plan_registration(wish.phone_number, [(0, "Registered")])
    updated = vendor.dasha.add_number("+15550000098", TRUNK)
    wanted.append(NumberWish("+15550000098", TRUNK, display_name="new"))
    task = Task(vendor, wanted, if_exists="update")
    vendor.refuses = {
        f"POST /api/v1/sip-phone-numbers {{}} {{'phoneNumber': '{wanted[0].phone_number}'": 422,
        "in-1": 400,
        f"PUT /api/v1/sip-phone-numbers/{updated} ": 400,
    }
    first = reasons(task.look())
    assert len(first) == 3
    for _ in range(3):
        assert reasons(task.look()) == first
        assert not vendor.writes
    vendor.refuses = {}
    task.next_try()
    assert not reasons(task.look())
    assert vendor.writes == {"POST": 1, "PUT": 4}


def test_numbers_that_were_there_before_do_not_let_more_be_created_at_once(vendor) -> None:
    there = wishes(300, registration=True, outbound_agent_id=None)
    for wish in there:
        vendor.dasha.add_number(
            wish.phone_number, TRUNK, registration=True, steps=REGISTERED, inbound=wish.inbound_agent_id
        )
    new = [NumberWish(f"+1777{n:07}", TRUNK, registration=True) for n in range(100)]
    for wish in new:
        vendor.vendors.world.plan_registration(wish.phone_number, [(0, "Failed", "403 Forbidden")])
    done = Task(vendor, there + new, limit=parse_max_changes(5)).look()
    assert vendor.writes == {"POST": 20}
    assert done.is_stopped
    assert steps(done)["linked"] == 300


def test_a_number_stays_linked_when_its_registration_is_lost(vendor) -> None:
    wanted = wishes(3, registration=True)
    wanted[1] = NumberWish(wanted[1].phone_number, TRUNK, registration=True, outbound_agent_id="out-1")
    for wish in wanted[:2]:
        vendor.vendors.world.plan_registration(wish.phone_number, [(0, "Registered"), (5, "Failed", "408")])
    vendor.vendors.world.plan_registration(wanted[2].phone_number, [(0, "Registering")])
    task = Task(vendor, wanted)
    assert [row.step for row in task.look().rows()] == ["linked", "linked", "created"]
    vendor.vendors.world.advance(6)
    rows = task.look().rows()
    assert [(row.step, row.state) for row in rows] == [
        ("linked", "Failed"),
        ("linked", "Failed"),
        ("created", "Registering"),
    ]
    assert all("not registered" in str(row.reason) for row in rows[:2])
    vendor.dasha.unlink(str(rows[0].id), "inbound", "in-0")
    assert task.look().rows()[0].step == "created"


@pytest.mark.parametrize(("if_exists", "step"), [("fail", None), ("adopt", "adopted")])
def test_a_number_that_somebody_created_while_an_answer_was_lost_is_not_the_tasks_own(
    vendor, if_exists, step
) -> None:
    [wish] = wishes(1, display_name="mine", outbound_agent_id=None)

    def create_first(call: Any) -> None:
        if call.method == "POST" and not vendor.dasha.numbers:
            vendor.dasha.add_number(wish.phone_number, TRUNK, display_name="theirs")
            vendor.refuses = {"POST": 503}

    vendor.meanwhile = create_first
    onboarding = Onboarding([wish], if_exists=if_exists, if_linked="fail")
    sender = SteppingSender(dasha_settings(max_retries=2), vendor._exchange)
    sender.run(onboard(onboarding))
    assert Counter(line.split()[0] for line in vendor.requests)["POST"] == 1
    assert not onboarding.journal.creates(wish.key)
    if step is None:
        assert "already exists" in reasons(onboarding)[0]
        assert vendor.links() == {wish.phone_number: (None, [])}
    else:
        assert vendor.links() == {wish.phone_number: ("in-0", [])}


@pytest.mark.parametrize("takes_effect", [True, False])
def test_a_write_whose_repeat_is_refused_is_looked_at(vendor, takes_effect) -> None:
    vendor.retries = 1
    task = Task(vendor, wishes(1))

    def fail_then_refuse(call: Any) -> None:
        if "replaceOutbound" not in str(call.params):
            return
        if takes_effect and not vendor.refuses:
            vendor.dasha.link(call.path.split("/")[-2], "out-0", "replaceOutbound")
        vendor.refuses = {"replaceOutbound": 409 if vendor.refuses else 500}

    vendor.meanwhile = fail_then_refuse
    onboarding = task.look()
    assert [change.mode for change in task.told()] == ["inbound", "replaceOutbound"][: 1 + takes_effect]
    if takes_effect:
        assert steps(onboarding) == {"linked": 1}
        assert reasons(onboarding) == []
    else:
        assert "409" in reasons(onboarding)[0]
