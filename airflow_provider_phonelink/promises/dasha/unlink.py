"""Unlink: afterwards this agent no longer has the number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.api.dasha import endpoints, writes
from airflow_provider_phonelink.api.errors import NotTakenEffectError
from airflow_provider_phonelink.api.labels import agent_label
from airflow_provider_phonelink.api.patience import patiently
from airflow_provider_phonelink.promises.outcomes import Changed

if TYPE_CHECKING:
    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.api.dasha.models import AffectedAgents, PhoneNumber


def unlink_number(
    number_id: str, mode: str = "inbound", agent_id: str | None = None
) -> Flow[Changed[PhoneNumber]]:
    """
    Make sure that the agent no longer has the number.

    If nobody or another agent has it, nothing is written. The vendor has no conditional write: a link that somebody
    else makes in the moment between the last look and the write is removed.

    :param agent_id: The agent; needed for ``replaceOutbound``. Without it, an inbound unlink takes the number from
        whichever agent has it.
    :raises NotTakenEffectError: If the vendor accepted the unlink, but the agent still has the number.
    """
    number_id = arguments.uuid("phone_number_id", number_id)  # as the operators call it
    mode = arguments.choice("mode", mode, endpoints.LINK_MODES)
    agent_id = endpoints.losing_agent(mode, agent_id)
    if mode == "inbound":
        return (yield from _unlink_inbound(number_id, agent_id))
    return (yield from _unlink_outbound(number_id, str(agent_id)))


def _unlink_inbound(number_id: str, agent_id: str | None) -> Flow[Changed[PhoneNumber]]:
    number: PhoneNumber = yield from patiently(endpoints.get_number(number_id))
    previous = number.incoming_calls_agent_id
    if previous is None or agent_id not in (None, previous):
        return _unchanged(number, f"{agent_label(previous)} has it", previous)
    yield from writes.unlink(number_id, "inbound", previous, seen=previous)
    number = yield endpoints.get_number(number_id)
    now = number.incoming_calls_agent_id
    if now == previous:
        raise NotTakenEffectError(
            f"Number {number.label} was unlinked from {agent_label(previous)}, but right afterwards that agent still "
            "has it."
        )
    return Changed(
        summary=(
            f"Number {number.label} no longer answers for {agent_label(previous)}; {agent_label(now)} has it now."
        ),
        subject=number,
        changed=True,
        previous_agent_id=previous,
    )


def _unlink_outbound(number_id: str, agent_id: str) -> Flow[Changed[PhoneNumber]]:
    affected: AffectedAgents = yield from patiently(endpoints.affected_agents(number_id))
    if agent_id not in affected.outbound | affected.maybe_outbound:
        number: PhoneNumber = yield endpoints.get_number(number_id)
        return _unchanged(number, f"it is not the outbound number of {agent_label(agent_id)}", None)
    number = yield from writes.unlink(number_id, "replaceOutbound", agent_id)
    affected = yield endpoints.affected_agents(number_id)
    if agent_id in affected.outbound:
        raise NotTakenEffectError(
            f"Number {number.label} was taken from {agent_label(agent_id)} as outbound number, but right afterwards "
            "the vendor still lists that agent as using it."
        )
    warnings = (
        (
            f"Number {number.label}: the vendor still lists {agent_label(agent_id)} with a use that is unknown here.",
        )
        if agent_id in affected.maybe_outbound
        else ()
    )
    return Changed(
        summary=f"Number {number.label} is no longer the outbound number of {agent_label(agent_id)}.",
        warnings=warnings,
        subject=number,
        changed=True,
        previous_agent_id=agent_id,
    )


def _unchanged(number: PhoneNumber, state: str, previous: str | None) -> Changed[PhoneNumber]:
    return Changed(
        summary=f"Number {number.label} was left alone: {state}. Nothing was written.",
        subject=number,
        changed=False,
        previous_agent_id=previous,
    )
