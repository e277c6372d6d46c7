"""Links as plain values, the same for every vendor, and the rules by which vendors differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

INBOUND = "inbound"


class Link(NamedTuple):
    """A number serves an agent in a mode."""

    number_id: str
    agent_id: str
    mode: str


class ListedNumber(NamedTuple):
    """What planning needs to know about a number."""

    #: In lower case where ids are uuids.
    id: str
    #: As the vendor writes it.
    phone_number: str | None
    #: The provider that manages it, where numbers have one; in lower case where ids are uuids.
    provider_id: str | None = None
    #: Dasha's SIP credentials that it registers with, in lower case.
    credentials_id: str | None = None


@dataclass(frozen=True)
class LinkRules:
    """What a vendor allows. At every vendor a number has at most one inbound agent."""

    #: The mode in which an agent calls out with a number.
    outbound: str
    #: Whether an agent calls out with at most one number, so that a new one replaces the old one.
    one_outbound_number: bool
    #: The mode of a route that names none; None if the agent's type decides.
    default_mode: str | None
    #: Whether the ids of numbers and providers are uuids, whose case does not matter.
    uuids: bool
    #: Whether a number is taken from its inbound agent before another one can get it, so that it is without in between.
    detaches_to_move: bool = False
    #: What may narrow a scope.
    scope_keys: tuple[str, ...] = ("agents", "pool", "modes")

    @property
    def modes(self) -> tuple[str, str]:
        """The modes that a route may name."""
        return (INBOUND, self.outbound)
