"""
Primary numbers (CallingBox): an agent that had one still has one afterwards.

The number stays primary if the agent keeps it. If the agent loses it, the first of its remaining numbers becomes
primary, unless the vendor chose one. If the vendor does not show an agent's primary number, it is left alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_phonelink.api.callingbox import endpoints, writes
from airflow_provider_phonelink.api.errors import NotTakenEffectError
from airflow_provider_phonelink.api.labels import agent_label, number_label
from airflow_provider_phonelink.promises.journal import tells_primary

if TYPE_CHECKING:
    from airflow_provider_phonelink.api.callingbox.models import Agent
    from airflow_provider_phonelink.api.calls import Flow


def put_right(agent: Agent, before: str, moved: str) -> Flow[Agent]:
    """
    Make sure that the agent has the right primary number, and return the agent as it is then.

    :param before: Its primary number before.
    :param moved: The number that was attached to it or detached from it.
    :raises NotTakenEffectError: If the vendor accepted the number, but another one, or none, is primary afterwards.
    """
    if not tells_primary(agent) or agent.numbers is None:
        agent = yield endpoints.get_agent(agent.id)
    wanted = _wanted(agent, before, moved)
    if wanted is None:
        return agent
    yield from writes.set_primary_number(agent.id, wanted)
    now: Agent = yield endpoints.get_agent(agent.id)
    if tells_primary(now) and not endpoints.same_id(now.primary_number_id or "", wanted):
        raise NotTakenEffectError(
            f"number {number_label(wanted)} was made the primary one of {agent_label(agent.id)}, but right afterwards "
            f"{number_label(now.primary_number_id or 'none')} is."
        )
    return now


def _wanted(agent: Agent, before: str, moved: str) -> str | None:
    """Return the number to make primary; None if nothing has to change or the vendor does not show enough."""
    now = agent.primary_number_id
    if not tells_primary(agent) or now == before != moved:
        return None
    if agent.numbers is None:
        return before if before != moved else None
    held = [number.id for number in agent.numbers]
    if before in held:
        return before if now != before else None
    return None if now in held else next(iter(held), None)
