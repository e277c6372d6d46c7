"""Link: afterwards the number serves the agent in that mode."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal, TypeAlias

from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.api.dasha import endpoints, writes
from airflow_provider_phonelink.api.errors import ChangedMeanwhileError, telling
from airflow_provider_phonelink.api.labels import agent_label, number_label
from airflow_provider_phonelink.api.patience import patiently
from airflow_provider_phonelink.decisions.linking import demand_linked, demand_outbound, is_to_be_linked
from airflow_provider_phonelink.promises.journal import Journal, inbound_key, outbound_key
from airflow_provider_phonelink.promises.outcomes import Changed

if TYPE_CHECKING:
    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.api.dasha.models import AffectedAgents, PhoneNumber
    from airflow_provider_phonelink.promises.journal import Entry

IfLinked: TypeAlias = Literal["replace", "fail"]
IF_LINKED = ("replace", "fail")
#: Stands for the agent that a number may be taken from, where that may be any.
ANYBODY = "*"


def link_number(
    number_id: str,
    agent_id: str,
    mode: str = "inbound",
    *,
    if_linked: str = "replace",
    only_from: str | None = ANYBODY,
    takes_over: bool = False,
    journal: Journal | None = None,
) -> Flow[Changed[PhoneNumber]]:
    """
    Make sure that the number serves the agent.

    The vendor has no conditional write: a link that somebody else makes in the moment between the last look and the
    write is overwritten.

    :param if_linked: For ``inbound``: ``replace`` takes the number from another agent, ``fail`` refuses to.
    :param only_from: For ``inbound``: the only agent that the number may be taken from; None for no agent.
    :param takes_over: Whether a link that somebody made after an earlier try of the task is replaced, too.
    :param journal: What earlier tries of the task did, and what this one does.
    :raises TakenError: If another agent has the number and ``if_linked="fail"``.
    :raises NotTakenEffectError: If the vendor accepted the link, but it does not show afterwards.
    :raises ChangedMeanwhileError: If somebody else linked the number in the meantime.
    """
    if_linked = arguments.choice("if_linked", if_linked, IF_LINKED)
    number_id = arguments.uuid("phone_number_id", number_id)  # as the operators call it
    agent_id = arguments.agent_id("agent_id", agent_id)
    mode = arguments.choice("mode", mode, endpoints.LINK_MODES)
    journal = journal or Journal()
    if mode == "inbound":
        return (yield from _link_inbound(number_id, agent_id, if_linked, only_from, takes_over, journal))
    return (yield from _link_outbound(number_id, agent_id, journal))


def _link_inbound(
    number_id: str, agent_id: str, if_linked: str, only_from: str | None, takes_over: bool, journal: Journal
) -> Flow[Changed[PhoneNumber]]:
    number: PhoneNumber = yield from patiently(endpoints.get_number(number_id))
    key, previous = inbound_key(number_id), number.incoming_calls_agent_id
    with journal.leaving(key):
        writes_it = is_to_be_linked(
            number.label,
            agent_id,
            previous,
            journal.earlier(key),
            if_linked=if_linked,
            takes_over=takes_over,
        )
    if not writes_it:
        state = f"answers for {agent_label(agent_id)} already"
        return _found(number, state, journal.found(key, agent_id), agent_id)
    if only_from != ANYBODY and previous not in (None, only_from):
        raise ChangedMeanwhileError(
            f"Number {number.label} was not linked to {agent_label(agent_id)}: {agent_label(previous)} has it now; at "
            f"the last look, {agent_label(only_from)} had it. It was left there, because it may be taken from that "
            "agent only."
        )
    link = {"number_id": number_id, "mode": "inbound", "agent_id": agent_id}
    entry = journal.entry(key, previous, **link, phone_number=number.phone_number)
    what = f"Linking number {number.label} to {agent_label(agent_id)}"
    with journal.writing(key, entry), telling(what):
        yield from writes.link(
            number_id, agent_id, "inbound", seen=previous, looked=partial(journal.looked, key)
        )
    number = yield endpoints.get_number(number_id)
    now = number.incoming_calls_agent_id
    if now is None:
        entry.seen = None  # who gets it after this look, gets it from somebody else
    with journal.leaving(key):
        demand_linked(number.label, agent_id, now, entry.seen)
    before = entry.holder
    journal.settle(key, agent_id)
    return Changed(
        summary=(
            f"Number {number.label} now answers for {agent_label(agent_id)}; before, {agent_label(previous)} had it."
        ),
        subject=number,
        changed=True,
        previous_agent_id=before,
    )


def _link_outbound(number_id: str, agent_id: str, journal: Journal) -> Flow[Changed[PhoneNumber]]:
    affected: AffectedAgents = yield from patiently(endpoints.affected_agents(number_id))
    key = outbound_key(agent_id)
    if agent_id in affected.outbound:
        number: PhoneNumber = yield endpoints.get_number(number_id)
        state = f"is the outbound number of {agent_label(agent_id)} already"
        earlier = journal.earlier(key)
        done = journal.found(key, agent_id) if earlier and earlier.number_id == number_id else None
        return _found(number, state, done, None)
    link = {"number_id": number_id, "mode": "replaceOutbound", "agent_id": agent_id}
    entry = journal.entry(key, **link, removes=False, phone_number=affected.phone_number)
    name = number_label(number_id, affected.phone_number)
    with journal.writing(key, entry), telling(f"Giving {agent_label(agent_id)} the outbound number {name}"):
        number = yield from writes.link(number_id, agent_id, "replaceOutbound")
    affected = yield endpoints.affected_agents(number_id)
    shows = agent_id in affected.outbound | affected.maybe_outbound
    demand_outbound(number.label, agent_id, shows=shows)
    journal.settle(key, agent_id)
    return Changed(
        summary=f"Number {number.label} is now the outbound number of {agent_label(agent_id)}.",
        subject=number,
        changed=True,
        previous_agent_id=None,
    )


def _found(
    number: PhoneNumber, state: str, entry: Entry | None, previous: str | None
) -> Changed[PhoneNumber]:
    """Return what a look before any write found: an earlier try did it, or nothing had to be done."""
    by_the_task = entry is not None and entry.pending
    done = "an earlier try of this task did it" if by_the_task else "nothing was written"
    return Changed(
        summary=f"Number {number.label} {state}; {done}.",
        subject=number,
        changed=by_the_task,
        previous_agent_id=entry.holder if entry else previous,
    )
