"""Onboarding hundreds of numbers, over the sandbox's world, without a socket: what is true afterwards, at what cost."""

from __future__ import annotations

import math
from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from simulation.task import SteppingSender
from simulation.vendors import Vendors, refusal
from unit.api.carrying import dasha_settings

from airflow_provider_phonelink.api import answers
from airflow_provider_phonelink.api.errors import AuthenticationError
from airflow_provider_phonelink.api.redaction import Secrets
from airflow_provider_phonelink.decisions.limits import parse_max_changes
from airflow_provider_phonelink.decisions.onboarding import NumberWish
from airflow_provider_phonelink.decisions.waiting import Doubts
from airflow_provider_phonelink.promises.dasha.onboard import Onboarding, onboard
from airflow_provider_phonelink.promises.journal import Journal, State
from airflow_provider_phonelink.sandbox.dasha import TRUNK_A

TRUNK = TRUNK_A


class Vendor:
    """The vendor in memory, and what is asked of it."""

    def __init__(self, **switches: Any) -> None:
        self.vendors = Vendors.new(**switches)
        self.dasha = self.vendors.world.dasha
        self.requests: list[str] = []
        #: Refuses the requests in whose text one of these is: status by part of "METHOD path body".
        self.refuses: dict[str, int] = {}
        #: Called before each request.
        self.meanwhile: Any = lambda call: None
        #: How often a request that fails is sent again.
        self.retries = 0

    def run(self, onboarding: Onboarding) -> Onboarding:
        self.carry_out(onboard(onboarding))
        onboarding.journal.keep()
        return onboarding

    def carry_out(self, flow: Any) -> None:
        self.requests.clear()
        SteppingSender(dasha_settings(max_retries=self.retries), self._exchange).run(flow)

    def _exchange(self, call: Any) -> Any:
        self.meanwhile(call)
        line = f"{call.method} {call.path} {dict(call.params)} {dict(call.body or {})}"
        self.requests.append(line)
        for part, status in self.refuses.items():
            if part in line:
                return answers.interpret(call, refusal(status, "refused"), Secrets())
        return answers.interpret(call, self.vendors.answer(call), Secrets())

    @property
    def writes(self) -> Counter[str]:
        return Counter(line.split()[0] for line in self.requests if not line.startswith("GET"))

    @property
    def reads(self) -> int:
        return len(self.requests) - self.writes.total()

    def links(self) -> dict[str, tuple[str | None, list[str]]]:
        return {
            self.dasha.get(number_id).settings.phone_number: (inbound, list(outbound))
            for number_id, (inbound, outbound) in self.dasha.links().items()
        }


def wishes(count: int, **fields: Any) -> list[NumberWish]:
    return [
        NumberWish(
            f"+1555{n:07}",
            TRUNK,
            **{
                "registration": False,
                "inbound_agent_id": f"in-{n}",
                "outbound_agent_id": f"out-{n}",
                **fields,
            },
        )
        for n in range(count)
    ]


def steps(onboarding: Onboarding) -> Counter[str | None]:
    return Counter(row.step for row in onboarding.rows())


def reasons(onboarding: Onboarding) -> list[str]:
    return [row.reason for row in onboarding.rows() if row.reason]


def test_a_thousand_numbers_cost_little_more_than_their_writes_and_the_next_run_costs_nothing() -> None:
    vendor = Vendor()
    wanted = wishes(1000)
    first = vendor.run(Onboarding(wanted))
    assert steps(first) == {"linked": 1000}
    assert vendor.links() == {w.phone_number: (w.inbound_agent_id, [w.outbound_agent_id]) for w in wanted}
    assert vendor.writes == {"POST": 1000, "PUT": 2000}
    assert vendor.reads <= 60  # 2 %
    second = vendor.run(Onboarding(wanted))
    assert steps(second) == {"linked": 1000}
    assert not vendor.writes
    assert vendor.reads <= 10


def test_a_few_numbers_of_many_are_not_looked_for_in_all_pages() -> None:
    vendor = Vendor()
    for n in range(12_000):
        vendor.dasha.add_number(f"+49{n:08}", TRUNK)
    assert steps(vendor.run(Onboarding(wishes(2)))) == {"linked": 2}
    assert vendor.reads < 20


def test_what_is_missing_is_done_and_nothing_else() -> None:
    vendor = Vendor()
    wanted = wishes(3)
    there = vendor.dasha.add_number(wanted[0].phone_number, TRUNK, inbound="in-0")
    vendor.dasha.link(there, "out-0", "replaceOutbound")
    half = vendor.dasha.add_number(wanted[1].phone_number, TRUNK, inbound="somebody")
    done = vendor.run(Onboarding(wanted))
    assert [row.step for row in done.rows()] == ["linked"] * 3
    assert [row.id for row in done.rows()][:2] == [there, half]
    assert vendor.writes == {"POST": 1, "PUT": 4}
    assert vendor.links() == {w.phone_number: (w.inbound_agent_id, [w.outbound_agent_id]) for w in wanted}


def test_one_that_fails_does_not_stop_the_others() -> None:
    vendor = Vendor()
    wanted = wishes(40)
    vendor.dasha.add_number(wanted[3].phone_number, TRUNK, inbound="somebody")
    taken = vendor.dasha.add_number(wanted[4].phone_number, TRUNK)
    lost = vendor.dasha.add_number(wanted[5].phone_number, TRUNK)
    vendor.refuses = {
        wanted[1].phone_number: 422,
        wanted[2].phone_number: 503,
        f"PUT /api/v1/sip-phone-numbers/{taken}/agent-link": 409,
        f"PUT /api/v1/sip-phone-numbers/{lost}/agent-link": 503,
    }
    done = vendor.run(Onboarding(wanted, if_linked="fail"))
    assert steps(done) == {"linked": 35, None: 2, "adopted": 3}
    found = reasons(done)
    assert len(found) == 5
    assert "422" in found[0]
    assert "503" in found[1]
    assert found[2].startswith(f"Number {wanted[3].phone_number} (id ")
    assert "answers for agent somebody" in found[2]
    assert "409" in found[3]
    assert done.retry_helps
    vendor.refuses.clear()
    again = vendor.run(Onboarding(wanted, journal=done.journal))
    assert steps(again) == {"linked": 40}
    assert vendor.writes == {"POST": 2, "PUT": 4 + 1 + 2 + 2}  # what was missing: +3 has its outbound agent


def test_a_refused_key_is_not_the_outcome_of_a_number() -> None:
    vendor = Vendor()
    vendor.refuses = {"POST": 401}
    with pytest.raises(AuthenticationError):
        vendor.run(Onboarding(wishes(50)))
    assert vendor.writes == {"POST": 1}


def test_a_number_is_linked_once_it_is_registered_and_not_if_that_fails() -> None:
    vendor = Vendor()
    wanted = wishes(3, registration=True)
    plan = vendor.vendors.world.plan_registration
    plan(wanted[0].phone_number, [(0, "Registering"), (10, "Registered")])
    plan(wanted[1].phone_number, [(0, "Registering"), (10, "Failed", "403 Forbidden")])
    plan(wanted[2].phone_number, [(0, "Registering")])
    first = vendor.run(Onboarding(wanted))
    assert len(first.waiting) == 3
    assert not any(inbound or outbound for inbound, outbound in vendor.links().values())
    vendor.vendors.world.advance(11)
    second = vendor.run(Onboarding(wanted, journal=Journal(first.journal.told())))
    assert [row.step for row in second.rows()] == ["linked", "adopted", "adopted"]
    assert len(second.waiting) == 1
    second.give_up(11)
    assert [row.state for row in second.rows()] == ["Registered", "Failed", "Registering"]
    assert reasons(second)[1] == "not registered after 11 s: Registering, a state that is unknown here"
    assert "403 Forbidden" in reasons(second)[0]
    assert vendor.links()[wanted[1].phone_number] == (None, [])


def test_a_failed_state_that_may_pass_is_waited_for_and_its_age_goes_on_in_the_next_wait() -> None:
    vendor = Vendor()
    wanted = wishes(1, registration=True)
    vendor.vendors.world.plan_registration(wanted[0].phone_number, [(0, "Failed")])
    now = datetime.now(timezone.utc)
    first = Doubts((), now, timedelta(seconds=60))
    [number_id] = vendor.run(Onboarding(wanted, doubts=first)).waiting
    assert first.failing_since.keys() == {number_id}
    for seconds, fails in {50: False, 61: True}.items():
        since = {number_id: now.timestamp() - seconds}
        later = vendor.run(Onboarding(wanted, doubts=Doubts((), now, timedelta(seconds=60), since)))
        assert bool(reasons(later)) is fails
        assert bool(later.waiting) is not fails


@pytest.mark.parametrize(("limit", "most"), [(3, 20), ("10%", 20)])
def test_more_failures_than_allowed_stop_before_further_numbers_are_created(limit, most) -> None:
    vendor = Vendor()
    vendor.refuses = {"POST": 422}
    done = vendor.run(Onboarding(wishes(60), limit=parse_max_changes(limit)))
    assert done.is_stopped
    assert 4 <= vendor.writes["POST"] <= most
    assert sum("max_failed" in reason for reason in reasons(done)) == 60 - vendor.writes["POST"]


def test_with_a_limit_few_are_created_before_the_carrier_has_registered_any() -> None:
    vendor = Vendor()
    wanted = wishes(60, registration=True)
    for wish in wanted:
        vendor.vendors.world.plan_registration(
            wish.phone_number, [(0, "Registering"), (5, "Rejected", "403")]
        )
    limit = parse_max_changes(2)
    first = vendor.run(Onboarding(wanted, limit=limit))
    assert vendor.writes == {"POST": 20}
    assert len(first.waiting) == 20
    vendor.vendors.world.advance(6)
    second = vendor.run(Onboarding(wanted, limit=limit))
    assert second.is_stopped
    assert not vendor.writes
    assert not second.waiting
    assert len(reasons(second)) == 60


def test_what_the_vendor_stores_in_another_notation_is_adopted_and_not_created_again() -> None:
    vendor = Vendor(dasha_stored_notation="digits")
    wanted = wishes(5)
    assert steps(vendor.run(Onboarding(wanted))) == {"linked": 5}
    again = vendor.run(Onboarding(wanted))
    assert steps(again) == {"linked": 5}
    assert not vendor.writes
    assert "is stored by the vendor as 1555" in again.warnings[0]


@pytest.mark.parametrize("if_exists", ["fail", "adopt"])
def test_what_a_lost_answer_hides_in_another_notation_was_created(if_exists) -> None:
    vendor = Vendor(dasha_stored_notation="digits")
    vendor.retries = 1

    def lose_the_first(call: Any) -> None:
        vendor.refuses = {}
        if call.method == "POST" and not vendor.dasha.numbers:
            vendor.vendors.answer(call)
            vendor.refuses = {"POST": 503}

    vendor.meanwhile = lose_the_first
    onboarding = vendor.run(Onboarding(wishes(1), if_exists=if_exists))
    assert steps(onboarding) == {"linked": 1}
    assert vendor.links() == {"15550000000": ("in-0", ["out-0"])}
    assert onboarding.journal.creates(onboarding.numbers[0].wish.key)


def test_a_later_try_knows_what_it_created_even_if_existing_numbers_are_not_to_be_adopted() -> None:
    vendor = Vendor()
    wanted = wishes(3)
    kept: list[Any] = []
    vendor.refuses = {"PUT": 503}
    vendor.run(Onboarding(wanted, if_exists="fail", journal=Journal(keep=kept.append)))
    vendor.refuses.clear()
    later = vendor.run(Onboarding(wanted, if_exists="fail", journal=Journal(kept[-1])))
    assert steps(later) == {"linked": 3}
    refused = vendor.run(Onboarding(wanted, if_exists="fail"))
    assert len(reasons(refused)) == 3


def test_a_link_that_somebody_made_after_an_earlier_try_is_left() -> None:
    vendor = Vendor()
    wanted = wishes(2, outbound_agent_id=None)
    kept: list[Any] = []
    first = vendor.run(Onboarding(wanted, journal=Journal(keep=kept.append)))
    number_id = str(first.rows()[0].id)
    vendor.dasha.link(number_id, "somebody", "inbound")
    later = vendor.run(Onboarding(wanted, journal=Journal(kept[-1])))
    assert vendor.dasha.links()[number_id][0] == "somebody"
    assert "somebody else linked it in the meantime" in reasons(later)[0]
    later.settle_journal()
    assert later.journal.of(number_id) is None, "what is not so any more is not told of"


def test_what_an_earlier_try_began_with_an_edited_file_is_looked_up() -> None:
    vendor = Vendor()
    [wish] = wishes(1)
    kept: list[Any] = []
    vendor.refuses = {"GET /api/v1/sip-phone-numbers/": 503}
    onboarding = Onboarding([wish], journal=Journal(keep=kept.append))
    number_id = vendor.dasha.add_number(wish.phone_number, TRUNK)
    entry = onboarding.journal.entry(number_id, None, number_id=number_id, mode="inbound", agent_id="in-0")
    onboarding.journal.begin(number_id, entry)
    vendor.dasha.link(number_id, "in-0", "inbound")  # and then it died
    vendor.refuses.clear()
    later = Onboarding(wishes(2)[1:], journal=Journal(kept[-1]))
    vendor.run(later)
    found = later.journal.of(number_id)
    assert found
    assert found.state is State.DONE


def test_a_look_is_never_older_than_so_many_links() -> None:
    vendor = Vendor()
    since: list[int] = [0]
    most = [0]

    def note(call: Any) -> None:
        is_look = call.method == "GET" and call.path.endswith("sip-phone-numbers")
        since[0] = 0 if is_look else since[0] + (call.method == "PUT")
        most[0] = max(most[0], since[0])

    vendor.meanwhile = note
    vendor.run(Onboarding(wishes(500, outbound_agent_id=None)))
    assert most[0] <= 200
    assert math.isclose(vendor.writes["PUT"], 500)


class Died(BaseException):
    """What no handler catches, like SIGKILL."""


@pytest.mark.parametrize("at", [30, 150, 260, 320, 500])
def test_200_numbers_of_which_9_fail_in_5_ways_with_a_death_in_the_middle(at) -> None:
    vendor = Vendor()
    wanted = wishes(200, registration=True, outbound_agent_id=None)
    plan = vendor.vendors.world.plan_registration
    names = [wish.phone_number for wish in wanted]
    for i, name in enumerate(names):
        ends = (
            [(5, "Failed", "403 Forbidden")] if 10 <= i < 13 else [] if 20 <= i < 22 else [(5, "Registered")]
        )
        plan(name, [(0, "Registering"), *ends])
    taken = vendor.dasha.add_number(names[40], TRUNK, registration=True, inbound="somebody")
    there = vendor.dasha.add_number(names[50], TRUNK, registration=True)
    vendor.refuses = dict.fromkeys(names[30:32], 422)
    vendor.refuses[f"PUT /api/v1/sip-phone-numbers/{there}/agent-link"] = 409
    kept: list[Any] = [None]
    count = [0]

    def die(call: Any) -> None:
        count[0] += 1
        if count[0] == at:
            raise Died

    vendor.meanwhile = die
    for _ in range(3):  # a try that dies, one that waits, and one after the wait
        with suppress(Died):
            last = Onboarding(wanted, if_linked="fail", journal=Journal(kept[-1], kept.append))
            vendor.run(last)
        vendor.vendors.world.advance(6)
    last.give_up(18)
    assert steps(last)["linked"] == 191
    assert len(reasons(last)) == 9
    for words, times in {
        "403 Forbidden": 3,
        "not registered after 18 s": 2,
        "answered 422": 2,
        "answers for agent somebody": 1,
        "answered 409": 1,
    }.items():
        assert sum(words in reason for reason in reasons(last)) == times
    answered = {number_id: inbound for number_id, (inbound, _) in vendor.dasha.links().items()}
    assert sum(agent is not None and agent.startswith("in-") for agent in answered.values()) == 191
    assert len(answered) == 198
    assert answered[taken] == "somebody"

    vendor.refuses.clear()
    vendor.meanwhile = lambda call: None
    for number in list(vendor.dasha.numbers.values()):
        vendor.dasha.script(number.id, [(0, "Registered")])
    vendor.vendors.world.plan_registration(names[30], [(0, "Registered")])
    vendor.vendors.world.plan_registration(names[31], [(0, "Registered")])
    mended = vendor.run(Onboarding(wanted))
    assert steps(mended) == {"linked": 200}
    assert vendor.writes == {"POST": 2, "PUT": 9}
    assert not vendor.run(Onboarding(wanted)).failed
    assert not vendor.writes
