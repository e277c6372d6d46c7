"""CallingBox as state and rules: agents, numbers, and which number is attached to which agent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from airflow_provider_phonelink.sandbox.world import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from airflow_provider_phonelink.sandbox.switches import Switches
    from airflow_provider_phonelink.sandbox.world import Clock

INBOUND = "inbound"
OUTBOUND = "outbound"


@dataclass(frozen=True)
class AgentRecord:
    """One agent as it is stored."""

    id: str
    organisation: str
    type: str
    name: str
    created: float
    updated: float
    primary_number: str | None = None
    numbers: tuple[str, ...] = ()
    archived: float | None = None


@dataclass(frozen=True)
class NumberRecord:
    """One bought number as it is stored."""

    id: str
    e164: str
    friendly_name: str
    country_code: str
    purchased: float
    inbound_agent: str | None = None
    outbound_agents: tuple[str, ...] = ()
    status: str = "active"


@dataclass(frozen=True)
class Cursor:
    """Which part of a list is asked for; ids are those of items that the part does not include."""

    limit: int | None = None
    starting_after: str | None = None
    ending_before: str | None = None


ALL = Cursor()
Item = TypeVar("Item", AgentRecord, NumberRecord)


class CallingBox:
    """
    One organisation's agents and numbers, under the vendor's rules. Nothing here buys or releases a number.

    :param clock: the time.
    :param switches: how undocumented behaviour is decided.
    :param lock: guards all state of the sandbox; every public method takes it.
    """

    def __init__(self, *, clock: Clock, switches: Switches, lock: AbstractContextManager[object]) -> None:
        self.id = str(uuid4())
        self.agents: dict[str, AgentRecord] = {}
        self.numbers: dict[str, NumberRecord] = {}
        self.revision = 0
        self._clock = clock
        self._switches = switches
        self._lock = lock

    # What the vendor's endpoints do

    def list_agents(
        self,
        type: str | None = None,  # noqa: A002 - the vendor's word
        cursor: Cursor = ALL,
    ) -> tuple[list[AgentRecord], bool]:
        """Return agents, all or those of one type, and whether there are more."""
        with self._lock:
            hidden = self._switches.callingbox_archived_agents == "hidden"
            found = [
                agent
                for agent in self.agents.values()
                if type in (None, agent.type) and not (hidden and agent.archived is not None)
            ]
            return self._part(found, cursor) if self._switches.callingbox_agent_pages else (found, False)

    def get_agent(self, agent_id: str) -> AgentRecord:
        """Return one agent."""
        with self._lock:
            try:
                return self.agents[agent_id]
            except KeyError:
                raise Refused(404, "Agent not found") from None

    def list_numbers(self, cursor: Cursor = ALL) -> tuple[list[NumberRecord], bool]:
        """Return the numbers the organisation has bought, the newest first, and whether there are more."""
        with self._lock:
            found = list(reversed(self.numbers.values()))
            switches = self._switches
            if switches.callingbox_numbers_shape != "data_has_more":
                return (
                    self._part(found, cursor)
                    if switches.callingbox_plain_lists == "paged"
                    else (found, False)
                )
            return self._part(found, cursor)

    def attach(self, agent_id: str, number_id: str, *, as_primary: bool = False) -> AgentRecord:
        """Give a number to an agent; one that another inbound agent has is refused to an inbound agent."""
        with self._lock:
            agent, number = self.get_agent(agent_id), self._get_number(number_id)
            if number_id in agent.numbers:
                agent = self._attached_again(agent)
            elif agent.type == INBOUND and number.inbound_agent is not None:
                status = self._switches.callingbox_foreign_attach_status
                raise Refused(status, "Number is already attached to a different inbound agent")
            else:
                agent = self._attach(agent, number)
            return self.set_primary(agent_id, number_id) if as_primary else agent

    def detach(self, agent_id: str, number_id: str) -> AgentRecord:
        """Take a number from an agent. It stays bought."""
        with self._lock:
            agent = self.get_agent(agent_id)
            if number_id not in agent.numbers:
                if (status := self._switches.callingbox_detached_again_status) != 200:
                    raise Refused(status, "Number is not attached to this agent")
                return agent
            return self._detach(agent, self._get_number(number_id))

    def set_primary(self, agent_id: str, number_id: str) -> AgentRecord:
        """Make an attached number the agent's primary one."""
        with self._lock:
            agent = self.get_agent(agent_id)
            if number_id not in agent.numbers:
                raise Refused(400, "Number must be attached to the agent before it can be primary")
            if agent.primary_number == number_id:
                return agent
            return self._store(replace(agent, primary_number=number_id))

    # What tests and seeds do

    def add_agent(
        self,
        type: str = INBOUND,  # noqa: A002 - the vendor's words
        name: str = "",
        *,
        id: str | None = None,  # noqa: A002
        archived: bool = False,
    ) -> str:
        """Add an agent and return its id."""
        if type not in (INBOUND, OUTBOUND):
            raise ValueError(f"an agent's type is {INBOUND} or {OUTBOUND}, not {type!r}")
        with self._lock:
            now = self._clock.now()
            agent_id = id or str(uuid4())
            if agent_id in self.agents:
                raise ValueError(f"there is an agent {agent_id!r} already")
            agent = AgentRecord(agent_id, self.id, type, name or agent_id, now, now)
            self._store(replace(agent, archived=now) if archived else agent)
            return agent_id

    def archive(self, agent_id: str) -> None:
        """Archive an agent: it answers no calls any more, and keeps its numbers."""
        with self._lock:
            self._store(replace(self.get_agent(agent_id), archived=self._clock.now()))

    def add_number(
        self,
        e164: str,
        *,
        id: str | None = None,  # noqa: A002 - the vendor's word
        friendly_name: str = "",
        country_code: str = "US",
        agents: Iterable[str] = (),
    ) -> str:
        """Add a bought number, attached to the agents given, and return its id."""
        with self._lock:
            number_id = id or f"pn_{uuid4().hex[:12]}"
            if number_id in self.numbers:
                raise ValueError(f"there is a number {number_id!r} already")
            self.numbers[number_id] = NumberRecord(
                number_id, e164, friendly_name or e164, country_code, self._clock.now()
            )
            self.revision += 1
            for agent_id in agents:
                self.attach(agent_id, number_id)
            return number_id

    def set_status(self, number_id: str, status: str) -> None:
        """Give a number another status, such as ``suspended``."""
        with self._lock:
            self.numbers[number_id] = replace(self._get_number(number_id), status=status)
            self.revision += 1

    def attached(self, agent_id: str) -> list[str]:
        """Return the ids of the numbers an agent has."""
        return list(self.get_agent(agent_id).numbers)

    def links(self) -> dict[str, tuple[str | None, list[str]]]:
        """Return, per number id, its inbound agent and its outbound agents."""
        with self._lock:
            return {n.id: (n.inbound_agent, list(n.outbound_agents)) for n in self.numbers.values()}

    def rows(self) -> Iterable[dict[str, Any]]:
        """Return a row for each number, for the table of the state."""
        for number in self.numbers.values():
            yield {
                "id": number.id,
                "number": number.e164,
                "registration": None,
                "inbound_agent": number.inbound_agent,
                "outbound_agents": list(number.outbound_agents),
            }

    def snapshot(self) -> Callable[[], None]:
        """Save the state, and return a function that restores it."""
        with self._lock:
            agents, numbers, revision = dict(self.agents), dict(self.numbers), self.revision

        def restore() -> None:
            with self._lock:
                self.agents, self.numbers, self.revision = agents, numbers, revision

        return restore

    # The rules

    def _part(self, items: list[Item], cursor: Cursor) -> tuple[list[Item], bool]:
        cap = int(self._switches.callingbox_page_cap)
        size = min(cursor.limit or int(self._switches.callingbox_page_size) or cap, cap)
        begin = 0 if cursor.starting_after is None else _place(items, cursor.starting_after) + 1
        end = len(items) if cursor.ending_before is None else _place(items, cursor.ending_before)
        if cursor.ending_before is not None and cursor.starting_after is None:
            return items[max(0, end - size) : end], end > size
        return items[begin : min(begin + size, end)], begin + size < end

    def _get_number(self, number_id: str) -> NumberRecord:
        try:
            return self.numbers[number_id]
        except KeyError:
            raise Refused(404, "Number not found") from None

    def _attached_again(self, agent: AgentRecord) -> AgentRecord:
        status = self._switches.callingbox_attached_again_status
        if status != 200:
            raise Refused(status, "Number is already attached to this agent")
        return agent

    def _attach(self, agent: AgentRecord, number: NumberRecord) -> AgentRecord:
        primary = agent.primary_number
        if not agent.numbers and self._switches.callingbox_first_number == "primary":
            primary = number.id
        self.numbers[number.id] = (
            replace(number, inbound_agent=agent.id)
            if agent.type == INBOUND
            else replace(number, outbound_agents=(*number.outbound_agents, agent.id))
        )
        return self._store(replace(agent, numbers=(*agent.numbers, number.id), primary_number=primary))

    def _detach(self, agent: AgentRecord, number: NumberRecord) -> AgentRecord:
        remaining = tuple(other for other in agent.numbers if other != number.id)
        primary = agent.primary_number
        if primary == number.id:
            keeps_one = remaining and self._switches.callingbox_detached_primary == "next"
            primary = remaining[0] if keeps_one else None
        self.numbers[number.id] = (
            replace(number, inbound_agent=None)
            if agent.type == INBOUND
            else replace(number, outbound_agents=tuple(a for a in number.outbound_agents if a != agent.id))
        )
        return self._store(replace(agent, numbers=remaining, primary_number=primary))

    def _store(self, agent: AgentRecord) -> AgentRecord:
        stored = replace(agent, updated=self._clock.now())
        self.agents[agent.id] = stored
        self.revision += 1
        return stored


def _place(items: list[Item], id_: str) -> int:
    for place, item in enumerate(items):
        if item.id == id_:
            return place
    raise Refused(400, f"No such item: {id_}")
