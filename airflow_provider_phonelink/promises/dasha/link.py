"""Link: afterwards the number serves the agent in that mode."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.api.dasha import endpoints, writes
from airflow_provider_phonelink.api.errors import ChangedMeanwhileError, NotTakenEffectError, TakenError
from airflow_provider_phonelink.api.labels import agent_label
from airflow_provider_phonelink.api.patience import patiently
from airflow_provider_phonelink.promises.outcomes import Changed

if TYPE_CHECKING:
    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.api.dasha.models import AffectedAgents, PhoneNumber

IfLinked: TypeAlias = Literal["replace", "fail"]
IF_LINKED = ("replace", "fail")


def link_number(
    number_id: str, agent_id: str, mode: str = "inbound", *, if_linked: str = "replace"
) -> Flow[Changed[PhoneNumber]]:
    """
    Make sure that the number serves the agent.

    The vendor has no conditional write: a link that somebody else makes in the moment between the last look and the
    write is overwritten.

    :param if_linked: For ``inbound``: ``replace`` takes the number from another agent, ``fail`` refuses to.
    :raises TakenError: If another agent has the number and ``if_linked="fail"``.
    :raises NotTakenEffectError: If the vendor accepted the link, but it does not show afterwards.
    :raises ChangedMeanwhileError: If somebody else linked the number in the meantime.
    """
    if_linked = arguments.choice("if_linked", if_linked, IF_LINKED)
    number_id = arguments.uuid("phone_number_id", number_id)  # as the operators call it
    agent_id = arguments.opaque_id("agent_id", agent_id)
    mode = arguments.choice("mode", mode, endpoints.LINK_MODES)
    if mode == "inbound":
        return (yield from _link_inbound(number_id, agent_id, if_linked))
    return (yield from _link_outbound(number_id, agent_id))


def _link_inbound(number_id: str, agent_id: str, if_linked: str) -> Flow[Changed[PhoneNumber]]:
    number: PhoneNumber = yield from patiently(endpoints.get_number(number_id))
    previous = number.incoming_calls_agent_id
    if previous == agent_id:
        return _unchanged(number, f"answers for {agent_label(agent_id)} already", previous)
    if previous is not None and if_linked == "fail":
        raise TakenError(
            f"Number {number.label} answers for {agent_label(previous)}, so it was not linked to "
            f"{agent_label(agent_id)} (if_linked='fail'). Nothing was changed."
        )
    yield from writes.link(number_id, agent_id, "inbound", seen=previous)
    number = yield endpoints.get_number(number_id)
    now = number.incoming_calls_agent_id
    if now not in (None, agent_id, previous):
        raise ChangedMeanwhileError(
            f"Number {number.label} was linked to {agent_label(agent_id)}, but right afterwards {agent_label(now)} has "
            "it: somebody else linked it in the meantime, and it was left there. Run the task again to take it over."
        )
    if now != agent_id:
        raise NotTakenEffectError(
            f"Number {number.label} was linked to {agent_label(agent_id)}, but right afterwards {agent_label(now)} has "
            "it: the vendor did not carry out the change."
        )
    return Changed(
        summary=(
            f"Number {number.label} now answers for {agent_label(agent_id)}; before, {agent_label(previous)} had it."
        ),
        subject=number,
        changed=True,
        previous_agent_id=previous,
    )


def _link_outbound(number_id: str, agent_id: str) -> Flow[Changed[PhoneNumber]]:
    affected: AffectedAgents = yield from patiently(endpoints.affected_agents(number_id))
    if agent_id in affected.outbound:
        number: PhoneNumber = yield endpoints.get_number(number_id)
        return _unchanged(number, f"is the outbound number of {agent_label(agent_id)} already", None)
    number = yield from writes.link(number_id, agent_id, "replaceOutbound")
    affected = yield endpoints.affected_agents(number_id)
    if agent_id not in affected.outbound | affected.maybe_outbound:
        raise NotTakenEffectError(
            f"Number {number.label} was made the outbound number of {agent_label(agent_id)}, but right afterwards the "
            "vendor does not list that agent among those that use it."
        )
    return Changed(
        summary=f"Number {number.label} is now the outbound number of {agent_label(agent_id)}.",
        subject=number,
        changed=True,
        previous_agent_id=None,
    )


def _unchanged(number: PhoneNumber, state: str, previous: str | None) -> Changed[PhoneNumber]:
    return Changed(
        summary=f"Number {number.label} {state}; nothing was written.",
        subject=number,
        changed=False,
        previous_agent_id=previous,
    )
