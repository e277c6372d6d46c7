"""Unlink: afterwards this agent no longer has the number."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.api.dasha import endpoints, writes
from airflow_provider_phonelink.api.errors import NotTakenEffectError, telling
from airflow_provider_phonelink.api.labels import agent_label, number_label
from airflow_provider_phonelink.api.patience import patiently
from airflow_provider_phonelink.promises.journal import Journal, inbound_key, outbound_key
from airflow_provider_phonelink.promises.outcomes import Changed

if TYPE_CHECKING:
    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.api.dasha.models import AffectedAgents, PhoneNumber
    from airflow_provider_phonelink.promises.journal import Entry


def unlink_number(
    number_id: str,
    mode: str = "inbound",
    agent_id: str | None = None,
    *,
    key: str | None = None,
    journal: Journal | None = None,
) -> Flow[Changed[PhoneNumber]]:
    """
    Make sure that the agent no longer has the number.

    If nobody or another agent has it, nothing is written. The vendor has no conditional write: a link that somebody
    else makes in the moment between the last look and the write is removed.

    :param agent_id: Needed for ``replaceOutbound``. Without it an inbound unlink removes whoever is there.
    :param key: What an outbound link's entry in the journal is found by; None: by its agent, which has one number only.
    :param journal: What earlier tries of the task did, and what this one does. If one of them took the number away, a
        link that somebody made since is left, unless it is that of ``agent_id``.
    :raises NotTakenEffectError: If the vendor accepted the unlink and the agent still has the number.
    """
    number_id = arguments.uuid("phone_number_id", number_id)  # as the operators call it
    mode = arguments.choice("mode", mode, endpoints.LINK_MODES)
    agent_id = endpoints.losing_agent(mode, agent_id)
    journal = journal or Journal()
    if mode == "inbound":
        return (yield from _unlink_inbound(number_id, agent_id, journal))
    return (
        yield from _unlink_outbound(number_id, str(agent_id), key or outbound_key(str(agent_id)), journal)
    )


def _unlink_inbound(number_id: str, agent_id: str | None, journal: Journal) -> Flow[Changed[PhoneNumber]]:
    number: PhoneNumber = yield from patiently(endpoints.get_number(number_id))
    key, previous = inbound_key(number_id), number.incoming_calls_agent_id
    earlier = journal.earlier(key)
    taken = agent_id is None and earlier is not None and earlier.pending and not earlier.explains(previous)
    if previous is None or agent_id not in (None, previous) or taken:
        return _found(number, f"{agent_label(previous)} has it", journal.found(key, previous), previous)
    link = {"number_id": number_id, "mode": "inbound", "agent_id": None}
    entry = journal.entry(key, previous, **link, phone_number=number.phone_number)
    what = f"Unlinking number {number.label} from {agent_label(previous)}"
    with journal.writing(key, entry), telling(what):
        looked = partial(journal.looked, key)
        yield from writes.unlink(number_id, "inbound", previous, seen=previous, looked=looked)
    number = yield endpoints.get_number(number_id)
    now = number.incoming_calls_agent_id
    if now == previous:
        raise NotTakenEffectError(
            f"Number {number.label} was unlinked from {agent_label(previous)}, but right afterwards that agent still "
            "has it."
        )
    journal.settle(key, now)
    return Changed(
        summary=(
            f"Number {number.label} no longer answers for {agent_label(previous)}; {agent_label(now)} has it now."
        ),
        subject=number,
        changed=True,
        previous_agent_id=previous,
    )


def _unlink_outbound(number_id: str, agent_id: str, key: str, journal: Journal) -> Flow[Changed[PhoneNumber]]:
    affected: AffectedAgents = yield from patiently(endpoints.affected_agents(number_id))
    if agent_id not in affected.outbound | affected.maybe_outbound:
        number: PhoneNumber = yield endpoints.get_number(number_id)
        state = f"it is not the outbound number of {agent_label(agent_id)}"
        earlier = journal.earlier(key)
        entry = journal.found(key, agent_id) if earlier and earlier.number_id == number_id else None
        return _found(number, state, entry, agent_id if entry else None)
    link = {"number_id": number_id, "mode": "replaceOutbound", "agent_id": agent_id}
    entry = journal.entry(key, **link, removes=True, phone_number=affected.phone_number)
    name = number_label(number_id, affected.phone_number)
    with (
        journal.writing(key, entry),
        telling(f"Taking the outbound number {name} from {agent_label(agent_id)}"),
    ):
        number = yield from writes.unlink(number_id, "replaceOutbound", agent_id)
    affected = yield endpoints.affected_agents(number_id)
    if agent_id in affected.outbound:
        raise NotTakenEffectError(
            f"Number {number.label} was taken from {agent_label(agent_id)} as outbound number, but right afterwards "
            "the vendor still lists that agent as using it."
        )
    journal.settle(key, agent_id)
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


def _found(
    number: PhoneNumber, state: str, entry: Entry | None, previous: str | None
) -> Changed[PhoneNumber]:
    """Return what a look before any write found: an earlier try did it, or nothing had to be done."""
    by_the_task = entry is not None and entry.pending
    done = "an earlier try of this task took it away" if by_the_task else "nothing was written"
    return Changed(
        summary=f"Number {number.label}: {state}; {done}.",
        subject=number,
        changed=by_the_task,
        previous_agent_id=(entry.holder if entry else None) or previous,
    )
