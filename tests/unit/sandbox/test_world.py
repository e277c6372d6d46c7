"""The state from Python: by many threads at once, and under any order of operations."""

from __future__ import annotations

from contextlib import suppress
from threading import RLock, Thread
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from airflow_provider_phonelink.sandbox import Switches
from airflow_provider_phonelink.sandbox.dasha.records import NumberQuery, NumberSettings
from airflow_provider_phonelink.sandbox.dasha.world import INBOUND, OUTBOUND, Organisation
from airflow_provider_phonelink.sandbox.rendering import Fragments, timestamp
from airflow_provider_phonelink.sandbox.world import Clock, Refused, World

if TYPE_CHECKING:
    from airflow_provider_phonelink.sandbox.dasha.records import NumberRecord

TRUNKS = [str(uuid4()) for _ in range(2)]
AGENTS = st.sampled_from(["agent-a", "agent-b", "agent-c"])
SETTINGS = st.builds(
    NumberSettings, st.sampled_from(["+1", "+2", "+3"]), st.sampled_from(TRUNKS), registration=st.booleans()
)


class OrganisationMachine(RuleBasedStateMachine):
    """Compares an organisation with the plainest model of it: who has which number."""

    numbers = Bundle("numbers")

    def __init__(self) -> None:
        super().__init__()
        self.organisation = Organisation("org", clock=Clock(), switches=Switches(), lock=RLock())
        self.settings: dict[str, NumberSettings] = {}
        self.inbound: dict[str, str] = {}
        self.outbound: dict[str, str] = {}

    @rule(target=numbers, wished=SETTINGS)
    def create(self, wished: NumberSettings) -> str:
        if self._taken(wished):
            with pytest.raises(Refused) as refused:
                self.organisation.create(wished)
            assert refused.value.status == 409
            return str(uuid4())
        id_ = self.organisation.create(wished).id
        self.settings[id_] = wished
        return id_

    @rule(id_=numbers, wished=SETTINGS)
    def replace(self, id_: str, wished: NumberSettings) -> None:
        with suppress(Refused):
            self.organisation.replace(id_, wished)
            self.settings[id_] = wished

    @rule(id_=numbers, agent=AGENTS, mode=st.sampled_from([INBOUND, OUTBOUND]))
    def link(self, id_: str, agent: str, mode: str) -> None:
        with suppress(Refused):
            self.organisation.link(id_, agent, mode)
            if mode == INBOUND:
                self.inbound[id_] = agent
            else:
                self.outbound[agent] = id_

    @rule(id_=numbers, agent=AGENTS, mode=st.sampled_from([INBOUND, OUTBOUND]))
    def unlink(self, id_: str, agent: str, mode: str) -> None:
        with suppress(Refused):
            self.organisation.unlink(id_, mode, agent)
            if mode == INBOUND:
                self.inbound.pop(id_, None)
            elif self.outbound.get(agent) == id_:
                del self.outbound[agent]

    @rule(id_=numbers, force=st.booleans())
    def delete(self, id_: str, force: bool) -> None:
        with suppress(Refused):
            self.organisation.delete(id_, force=force)
            assert force or (id_ not in self.inbound and id_ not in self.outbound.values())
            del self.settings[id_]
            self.inbound.pop(id_, None)
            self.outbound = {agent: number for agent, number in self.outbound.items() if number != id_}

    @rule(id_=numbers, agent=AGENTS)
    def try_and_undo(self, id_: str, agent: str) -> None:
        restore = self.organisation.snapshot()
        with suppress(Refused):
            self.organisation.link(id_, agent, OUTBOUND)
            self.organisation.link(id_, agent)
            self.organisation.delete(id_, force=True)
        restore()

    @invariant()
    def links_are_those_of_the_model(self) -> None:
        links = self.organisation.links()
        assert set(links) == set(self.settings)
        assert {id_: agent for id_, (agent, _) in links.items() if agent} == self.inbound
        assert {agent: id_ for id_, (_, agents) in links.items() for agent in agents} == self.outbound
        assert sum(len(agents) for _, agents in links.values()) == len(self.outbound)

    @invariant()
    def settings_are_those_of_the_model(self) -> None:
        page, total = self.organisation.page(NumberQuery(take=1000))
        assert total == len(page)
        assert {number.id: number.settings for number in page} == self.settings

    def _taken(self, wished: NumberSettings) -> bool:
        pair = (wished.phone_number, wished.credentials_id)
        return pair in {(known.phone_number, known.credentials_id) for known in self.settings.values()}


OrganisationMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestOrganisation = OrganisationMachine.TestCase


def test_many_threads_at_once_leave_the_state_whole() -> None:
    world = World(Switches())
    ids = [world.dasha.add_number(f"+1555{i}") for i in range(5)]
    agents = [f"agent-{i}" for i in range(8)]

    def act(agent: str) -> None:
        for i in range(200):
            world.dasha.link(ids[i % 5], agent, OUTBOUND)
            world.dasha.link(ids[i % 5], agent)
            world.dasha.unlink(ids[(i + 1) % 5], OUTBOUND, agent)
            world.rows()

    threads = [Thread(target=act, args=(agent,)) for agent in agents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    links = world.dasha.links()
    outbound = [agent for _, linked in links.values() for agent in linked]
    assert sorted(outbound) == sorted(world.dasha.outbound.number_of)
    assert all(inbound in agents for inbound, _ in links.values())


def test_apply_says_whether_anything_changed_and_can_undo_it() -> None:
    world = World(Switches())
    id_ = world.dasha.add_number("+1555")
    link = lambda: world.dasha.link(id_, "agent-a")  # noqa: E731
    number, changed = world.apply(world.dasha, link, dry=True)
    assert (number.inbound_agent, changed) == ("agent-a", False)
    assert world.dasha.links() == {id_: (None, [])}
    assert world.apply(world.dasha, link)[1]
    assert not world.apply(world.dasha, link)[1]


def test_a_refusal_on_trial_leaves_nothing_behind() -> None:
    world = World(Switches())
    before = world.dasha.revision

    def half_done() -> None:
        world.dasha.add_number("+1555")
        raise Refused(400, "no")

    with pytest.raises(Refused):
        world.apply(world.dasha, half_done, dry=True)
    assert (world.dasha.numbers, world.dasha.revision) == ({}, before)


def test_fragments_are_thrown_away_before_they_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("airflow_provider_phonelink.sandbox.rendering.MOST_KEPT", 3)
    rendered: list[str] = []

    def render(number: NumberRecord) -> tuple[bytes, float]:
        rendered.append(number.id)
        return number.id.encode(), float("inf")

    world = World(Switches())
    numbers = [world.dasha.get(world.dasha.add_number(f"+{i}")) for i in range(4)]
    fragments: Fragments[NumberRecord] = Fragments(render)
    for number in (numbers[0], numbers[0], *numbers[1:], numbers[0]):
        assert fragments.of(number) == number.id.encode()
    assert len(rendered) == 5


@pytest.mark.parametrize(
    ("style", "text"),
    [
        ("seconds", "2023-11-07T05:31:56Z"),
        ("seven_digits", "2023-11-07T05:31:56.2500000Z"),
        ("offset", "2023-11-07T05:31:56+00:00"),
    ],
)
def test_timestamps(style: str, text: str) -> None:
    assert timestamp(1_699_335_116.25, style) == text
