"""What Dasha stores: numbers, agents, and which number each agent calls out with."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from airflow_provider_phonelink.sandbox.world import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_phonelink.sandbox.dasha.registration import Step

Users: TypeAlias = list[tuple[str, str, list[str]]]
"""Who uses a number: (agent id, agent name, uses)."""


@dataclass(frozen=True)
class NumberSettings:
    """The settings of a number in the bodies of POST and PUT."""

    phone_number: str
    credentials_id: str
    display_name: str | None = None
    description: str | None = None
    registration: bool = False

    @property
    def pair(self) -> tuple[str, str]:
        """The pair that is unique in an organisation."""
        return self.phone_number, self.credentials_id

    def stored_as(self, notation: str) -> NumberSettings:
        """Return the settings with the phone number in a notation of the switch `dasha_stored_notation`."""
        digits = "".join(re.findall(r"[0-9]", self.phone_number))
        if notation == "as_sent" or not digits:
            return self
        plus = "+" if notation == "plus_digits" and self.phone_number.lstrip().startswith("+") else ""
        return replace(self, phone_number=plus + digits)

    def registers_as(self, other: NumberSettings) -> bool:
        """Return whether a registration of the other settings is still one of these."""
        return (self.registration, *self.pair) == (other.registration, *other.pair)


@dataclass(frozen=True)
class NumberRecord:
    """One phone number as it is stored."""

    id: str
    organisation: str
    settings: NumberSettings
    created: float
    updated: float
    registering_since: float
    script: tuple[Step, ...] | None = None
    provider_id: str | None = None
    inbound_agent: str | None = None
    shown_from: float = 0.0


@dataclass(frozen=True)
class NumberQuery:
    """The parameters of a list request."""

    skip: int = 0
    take: int = 20
    phone_number: str | None = None
    linked_agent: str | None = None
    unlinked_only: bool = False
    provider_id: str | None = None

    @property
    def narrows(self) -> bool:
        """Whether the list is filtered."""
        return bool(self.phone_number or self.linked_agent or self.unlinked_only or self.provider_id)

    def matches(self, number: NumberRecord, agents: tuple[str, ...], *, exactly: bool) -> bool:
        """Return whether a number is asked for, given the agents that the link filters look at."""
        stored, wanted = number.settings.phone_number, self.phone_number
        return (
            (wanted is None or (stored == wanted if exactly else wanted in stored))
            and self.provider_id in (None, number.provider_id)
            and (self.linked_agent is None or self.linked_agent in agents)
            and not (self.unlinked_only and any(agents))
        )


class OutboundLinks:
    """Which number each agent calls out with, readable from both ends."""

    def __init__(self, number_of: Mapping[str, str] | None = None) -> None:
        self.number_of: dict[str, str] = {}
        self._agents_of: dict[str, dict[str, None]] = {}
        for agent, number in (number_of or {}).items():
            self.put(agent, number)

    def agents_of(self, number: str) -> list[str]:
        """Return the agents that call out with a number, oldest first."""
        return list(self._agents_of.get(number, ()))

    def put(self, agent: str, number: str) -> None:
        """Make a number the agent's only one."""
        self.remove(agent)
        self.number_of[agent] = number
        self._agents_of.setdefault(number, {})[agent] = None

    def remove(self, agent: str) -> None:
        """Leave the agent without a number to call out with."""
        number = self.number_of.pop(agent, None)
        if number is not None:
            del self._agents_of[number][agent]


@dataclass(frozen=True)
class AgentRecord:
    """One agent, as far as numbers are concerned."""

    id: str
    name: str
    enabled: bool = True


class InUse(Refused):
    """Agents use the number, so it is not deleted without force."""

    def __init__(self, users: Users) -> None:
        shown = [{"agentId": agent, "agentName": name, "uses": uses} for agent, name, uses in users]
        detail = f"Phone number is used by {len(users)} agent(s); use force to delete it."
        super().__init__(409, detail, affectedAgents=shown)


class NoNumber(Refused):
    """There is no number with this id, or not every read shows it yet."""

    def __init__(self, number_id: str) -> None:
        super().__init__(404, f"Phone number '{number_id}' was not found.")
