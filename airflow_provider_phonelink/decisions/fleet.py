"""The numbers of a connection as one reading found them: what a page shows and metrics count, whatever the vendor."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_phonelink.decisions.registration import Verdict


@dataclass(frozen=True, kw_only=True)
class FleetNumber:
    """A number, with the agents that have it."""

    #: In lower case where ids are uuids.
    id: str
    #: As the vendor writes it; None if the vendor does not tell.
    phone_number: str | None
    #: What people call it.
    name: str | None = None
    #: The vendor's literal: of the registration, or of the number where numbers do not register.
    state: str | None = None
    #: None at a vendor without registrations.
    verdict: Verdict | None = None
    #: What explains the verdict; may be empty.
    reason: str = ""
    #: Since when it has this state, with a time zone, as far as the vendor tells.
    since: datetime | None = None
    #: When the registration ends unless it is renewed, with a time zone.
    expires_at: datetime | None = None
    inbound_agent_id: str | None = None
    #: The agents that call out with it, sorted.
    outbound_agent_ids: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """All numbers of a connection."""

    numbers: tuple[FleetNumber, ...]
    #: The names of agents by their ids, as far as the vendor gives them.
    agent_names: Mapping[str, str] = field(default_factory=dict)
    #: What may be a link but is not counted as one.
    warnings: tuple[str, ...] = ()


def moment(value: datetime | Literal[""] | None) -> datetime | None:
    """Return a vendor's time with a time zone, UTC if it names none; None for no time."""
    if not value:
        return None
    return value if value.tzinfo else value.replace(tzinfo=timezone.utc)
