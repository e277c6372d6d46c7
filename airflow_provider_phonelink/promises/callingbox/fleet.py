"""The whole fleet (CallingBox): all numbers and their agents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_phonelink.api.callingbox import reads
from airflow_provider_phonelink.api.calls import Parallel
from airflow_provider_phonelink.decisions.fleet import Fleet, FleetNumber

if TYPE_CHECKING:
    from airflow_provider_phonelink.api.callingbox.models import Number
    from airflow_provider_phonelink.api.calls import Flow


def read_fleet() -> Flow[Fleet]:
    """Read all numbers, which show their links, and all agents, which have names: a request for each hundred."""
    numbers, agents = yield Parallel([reads.all_numbers(), reads.all_agents()])
    return Fleet(
        numbers=tuple(map(_seen, numbers)),
        agent_names={agent.id: agent.name for agent in agents if agent.name},
        warnings=tuple(
            f"{number.label} does not say where it is attached."
            for number in numbers
            if not number.tells_links
        ),
    )


def _seen(number: Number) -> FleetNumber:
    return FleetNumber(
        id=number.id,
        phone_number=number.e164,
        name=number.friendly_name if number.friendly_name != number.e164 else None,
        state=number.status,
        inbound_agent_id=number.inbound_agent_id or None,
        outbound_agent_ids=tuple(sorted(number.outbound_agent_ids or ())),
    )
