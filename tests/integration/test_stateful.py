"""Operations, retries, faults and other people in any order: after each step the promises hold."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from integration.hooks import hook_of
from integration.worlds import CREDENTIALS, OTHER_CREDENTIALS, state_of

from airflow_provider_phonelink.api.dasha.reads import all_numbers
from airflow_provider_phonelink.exceptions import PhonelinkFailException, PhonelinkRetryableException
from airflow_provider_phonelink.promises.callingbox.attach import attach_number, detach_number
from airflow_provider_phonelink.promises.dasha.create import create_number
from airflow_provider_phonelink.promises.dasha.link import link_number
from airflow_provider_phonelink.promises.dasha.unlink import unlink_number
from airflow_provider_phonelink.promises.journal import Journal
from airflow_provider_phonelink.sandbox import Fault, Switches

#: The last is the beginning of the others.
PHONES = st.sampled_from(["+15550001", "+15550002", "+1555000"])
TRUNKS = st.sampled_from([CREDENTIALS, OTHER_CREDENTIALS])
AGENTS = st.sampled_from(["agent-a", "agent-b", "agent-c"])
MODES = st.sampled_from(["inbound", "replaceOutbound"])
FAULTS = st.builds(
    lambda kind, when, nth, count: Fault(**kind, when=when, nth=nth, count=count),
    kind=st.sampled_from(
        [
            {"kind": "drop"},
            {"kind": "cut"},
            {"kind": "broken_json"},
            {"kind": "html"},
            {"kind": "status", "status": 503},
            {"kind": "status", "status": 429},
            {"kind": "status", "status": 408},
            {"kind": "ignored", "method": "PUT"},  # not POST: a created number is believed
            {"kind": "ignored", "method": "DELETE"},
        ]
    ),
    when=st.sampled_from(["before", "after"]),
    nth=st.integers(1, 4),
    count=st.integers(1, 4),
)
#: A client that can do without these answers is for the other tests to show.
UNTELLING = {
    "callingbox_sparse",
    "callingbox_attach_body_key",
    "dasha_unknown_agent",
    "dasha_inbound_uniqueness",  # refuses links with good reason
}
UNKNOWNS = st.lists(
    st.sampled_from([(n, v) for n, v in Switches.alternatives() if n not in UNTELLING]),
    max_size=6,
)


def digits(phone: str) -> str:
    """Return what is the same in whichever notation the vendor stores a phone number."""
    return "".join(filter(str.isdigit, phone))


class Promises(RuleBasedStateMachine):
    """What happens; the sandbox and the connections are put in by the test."""

    sandbox: Any = None
    connections: Any = None

    @initialize(unknowns=UNKNOWNS)
    def begin(self, unknowns):
        self.sandbox.reset()
        self.sandbox.set(**dict(unknowns))
        box = self.sandbox.world.callingbox
        for agent, kind in (("agent-a", "inbound"), ("agent-b", "inbound"), ("agent-c", "outbound")):
            box.add_agent(kind, id=agent)
        for number in ("pn_1", "pn_2"):
            box.add_number(f"+1{number}", id=number)
        # A retry less than there are faults in a row, so that Airflow has to retry now and then.
        self.hooks = {
            vendor: hook_of(vendor, self.connections[f"{vendor}_default"])
            for vendor in ("dasha", "callingbox")
        }

    def teardown(self):
        for hook in getattr(self, "hooks", {}).values():
            hook.close()

    # What goes wrong

    @rule(fault=FAULTS)
    def something_will_go_wrong(self, fault):
        self.sandbox.faults.add(fault)

    @rule(phone=PHONES, trunk=TRUNKS)
    def somebody_creates(self, phone, trunk):
        if (digits(phone), trunk) not in self.pairs():
            self.sandbox.world.dasha.add_number(phone, trunk)

    @precondition(lambda self: self.sandbox.world.dasha.numbers)
    @rule(data=st.data(), agent=AGENTS, mode=MODES)
    def somebody_links(self, data, agent, mode):
        self.sandbox.world.dasha.link(self.drawn(data), agent, mode)

    @precondition(lambda self: self.sandbox.world.dasha.numbers)
    @rule(data=st.data())
    def somebody_deletes(self, data):
        self.sandbox.world.dasha.delete(self.drawn(data), force=True)

    # What we do

    @rule(phone=PHONES, trunk=TRUNKS, name=st.sampled_from([None, "A", "B"]))
    def create(self, phone, trunk, name):
        before = state_of(self.sandbox)
        outcome = self.ends("dasha", lambda: create_number(phone, trunk, display_name=name))
        assert outcome.number.id == self.pairs()[digits(phone), trunk]
        assert self.changed(before) <= {outcome.number.id}
        assert outcome.number.id not in before or not self.changed(before)

    @precondition(lambda self: self.sandbox.world.dasha.numbers)
    @rule(data=st.data(), agent=AGENTS, mode=MODES)
    def link(self, data, agent, mode):
        number = self.drawn(data)
        before = state_of(self.sandbox)
        inbound, outbound = self.sandbox.world.dasha.links()[number]
        had = self.sandbox.world.dasha.outbound.number_of.get(agent)
        self.ends("dasha", lambda: link_number(number, agent, mode))
        now = self.sandbox.world.dasha.links()[number]
        if mode == "inbound":
            assert now == (agent, outbound)
            assert self.changed(before) <= {number}
        else:
            assert now[0] == inbound
            assert set(now[1]) == {*outbound, agent}
            assert self.changed(before) <= {number, had}

    @precondition(lambda self: self.sandbox.world.dasha.numbers)
    @rule(data=st.data(), agent=AGENTS, mode=MODES)
    def unlink(self, data, agent, mode):
        number = self.drawn(data)
        before = state_of(self.sandbox)
        inbound, outbound = self.sandbox.world.dasha.links()[number]
        self.ends("dasha", lambda: unlink_number(number, mode, agent))
        if mode == "inbound":
            wished = (None if inbound == agent else inbound, outbound)
        else:
            wished = (inbound, [other for other in outbound if other != agent])
        assert self.sandbox.world.dasha.links()[number] == wished
        assert self.changed(before) <= {number}

    @rule(agent=AGENTS, number=st.sampled_from(["pn_1", "pn_2"]))
    def attach(self, agent, number):
        before = state_of(self.sandbox)
        holder, _ = self.sandbox.world.callingbox.links()[number]
        try:
            journal = Journal()  # an operator has Airflow keep it
            self.ends("callingbox", lambda: attach_number(agent, number, journal=journal))
        except PhonelinkFailException:
            assert holder not in (None, agent)
            assert agent != "agent-c"
            assert not self.changed(before)
        else:
            assert number in self.sandbox.world.callingbox.attached(agent)
            assert self.changed(before) <= {number}

    @rule(agent=AGENTS, number=st.sampled_from(["pn_1", "pn_2"]))
    def detach(self, agent, number):
        before = state_of(self.sandbox)
        journal = Journal()
        self.ends("callingbox", lambda: detach_number(agent, number, journal=journal))
        assert number not in self.sandbox.world.callingbox.attached(agent)
        assert self.changed(before) <= {number}

    @invariant()
    def an_agent_with_numbers_keeps_a_primary_one(self):
        box = self.sandbox.world.callingbox
        for agent in box.agents.values():
            if self.sandbox.switches.callingbox_first_number == "primary" and agent.numbers:
                assert agent.primary_number in agent.numbers

    @rule()
    def list_all(self):
        found = self.ends("dasha", all_numbers)
        assert {number.id for number in found} == set(self.sandbox.world.dasha.numbers)

    def ends(self, vendor, flow):
        """Run as Airflow does: again while the error says that this helps, until nothing goes wrong any more."""
        asked = self.sandbox.journal.total
        for _ in range(4):
            try:
                result = self.hooks[vendor].run(flow())
            except PhonelinkRetryableException:
                continue
            break
        else:
            self.sandbox.faults.clear()
            result = self.hooks[vendor].run(flow())
        written = [entry for entry in self.sandbox.journal.writes() if entry.n > asked]
        primaries = [entry for entry in written if entry.path.endswith("/primary-number")]
        assert len(primaries) <= 1
        assert len(written) - len(primaries) <= 1
        return result

    def changed(self, before):
        after = state_of(self.sandbox)
        return {id_ for id_ in {*before, *after} if before.get(id_) != after.get(id_)}

    @invariant()
    def a_pair_is_there_once(self):
        settled = [number.settings for number in self.sandbox.world.dasha.numbers.values()]
        counts = Counter((s.phone_number, s.credentials_id) for s in settled)
        assert not [pair for pair, count in counts.items() if count > 1]

    def pairs(self):
        numbers = self.sandbox.world.dasha.numbers.values()
        return {(digits(n.settings.phone_number), n.settings.credentials_id): n.id for n in numbers}

    def drawn(self, data):
        return data.draw(st.sampled_from(list(self.sandbox.world.dasha.numbers)))


@pytest.mark.matrix
@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
def test_promises_hold_in_any_order(sandbox, connections):
    connections["dasha_default"]["extra"].update(max_retries=1)
    connections["callingbox_default"]["extra"].update(max_retries=1)
    run_state_machine_as_test(
        type("Machine", (Promises,), {"sandbox": sandbox, "connections": connections}),
        settings=settings(
            max_examples=150,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
