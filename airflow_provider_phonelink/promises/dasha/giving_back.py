"""Give numbers back to the agents that a task took them from, unless others have taken care of that by now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_phonelink.api.calls import Parallel
from airflow_provider_phonelink.api.dasha import endpoints, outbound, reads, writes
from airflow_provider_phonelink.api.errors import NotFoundError, PhonelinkError
from airflow_provider_phonelink.api.labels import agent_label, number_label
from airflow_provider_phonelink.decisions.linking import demand_outbound
from airflow_provider_phonelink.decisions.links import INBOUND
from airflow_provider_phonelink.promises.dasha.link import link_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.api.dasha.models import AffectedAgents, PhoneNumber
    from airflow_provider_phonelink.promises.journal import Entry, Journal

OUTBOUND = "replaceOutbound"


@dataclass(frozen=True)
class Returned:
    """What came of giving one link back."""

    #: The agent that lost it.
    agent: str
    #: For an inbound link: the agent that has the number now, if that was seen.
    holder: str | None = None
    #: Why it was left as it is: somebody has given the number, or the agent, something else by now.
    left: str | None = None
    #: Why the agent is still without it.
    error: PhonelinkError | None = None
    #: Whether there is no such number any more.
    is_gone: bool = False

    @property
    def is_back(self) -> bool:
        """Whether the agent has it again."""
        return not (self.left or self.error or self.is_gone)


@dataclass(frozen=True)
class _Callers:
    """With which number each agent calls out, as far as that could be read."""

    number_of: Mapping[str, str]
    labels: Mapping[str, str]
    #: Why it is not known of all.
    error: PhonelinkError | None = None


def loser(entry: Entry) -> str:
    """Return the agent that a removed link belonged to."""
    return str(entry.holder if entry.mode == INBOUND else entry.agent_id)


def look_again(journal: Journal, key: str, entry: Entry) -> Flow[bool]:
    """
    Find out whether a link was removed, and note it in the journal.

    :return: Whether the number is there.
    :raises PhonelinkError: If it cannot be read.
    """
    try:
        if entry.mode == INBOUND:
            number: PhoneNumber = yield endpoints.get_number(entry.number_id)
            journal.settle(key, number.incoming_calls_agent_id)
        else:
            users: AffectedAgents = yield endpoints.affected_agents(entry.number_id)
            note_caller(journal, key, entry, users)
    except NotFoundError:
        return False
    return True


def note_caller(journal: Journal, key: str, entry: Entry, users: AffectedAgents) -> None:
    """Note in the journal whether an agent has lost its outbound number."""
    if loser(entry) in users.outbound:
        journal.drop(key)
    else:
        journal.settle(key, entry.agent_id)


def give_back(journal: Journal, entries: Mapping[str, Entry]) -> Flow[dict[str, Returned]]:
    """
    Give links back that were removed. One that cannot be given back is its own outcome.

    An agent that calls out with another number by now keeps that. To see this, all numbers of the organisation are
    read, once for all agents: the vendor has no request that tells an agent's number.

    :param entries: The journal's entries of the removed links, by key.
    """
    inbound = {key: entry for key, entry in entries.items() if entry.mode == INBOUND}
    others = {key: entry for key, entry in entries.items() if key not in inbound}
    returned = yield Parallel([_give_back_inbound(journal, *item) for item in inbound.items()])
    found = dict(zip(inbound, returned, strict=True))
    if others:
        callers = yield from _read_callers()  # right before the writes: what others do in between is overwritten
        by_agent: dict[str, dict[str, Entry]] = {}
        for key in reversed([key for key, _ in journal if key in others]):  # what was taken last goes back
            by_agent.setdefault(loser(others[key]), {})[key] = others[key]
        flows = [_give_back_outbound(journal, agent, own, callers) for agent, own in by_agent.items()]
        for returned in (yield Parallel(flows)):
            found |= returned
    return found


def _read_callers() -> Flow[_Callers]:
    try:
        numbers = yield from reads.all_numbers()
        reading = yield from outbound.read_users({number.id: number.credentials_id for number in numbers})
    except PhonelinkError as error:
        return _Callers({}, {}, error)
    labels = {number.id: number.label for number in numbers}
    return _Callers(outbound.callers_of(reading.users), labels, next(iter(reading.errors.values()), None))


def link_back(number_id: str, agent: str) -> Flow[Returned]:
    """Link a number to the agent that it was taken from, unless somebody else has it by now."""
    try:
        yield from link_number(number_id, agent, if_linked="fail")
    except PhonelinkError as error:
        try:  # it may have taken effect, and somebody else may have the number
            number: PhoneNumber = yield endpoints.get_number(number_id)
        except NotFoundError:
            return Returned(agent, is_gone=True)
        except PhonelinkError:
            return Returned(agent, error=error)
        now = number.incoming_calls_agent_id
        if now is None:
            return Returned(agent, error=error)
        if now != agent:
            return Returned(agent, now, left=f"By now, {agent_label(now)} has it, and it was left there.")
    return Returned(agent, agent)


def _give_back_inbound(journal: Journal, key: str, entry: Entry) -> Flow[Returned]:
    returned = yield from link_back(entry.number_id, loser(entry))
    if returned.holder:
        journal.settle(key, returned.holder)
    if returned.left:
        journal.contested(key)
    return returned


def _give_back_outbound(
    journal: Journal, agent: str, entries: Mapping[str, Entry], callers: _Callers
) -> Flow[dict[str, Returned]]:
    """Give an agent the first of some numbers back that it can get."""
    other = callers.number_of.get(agent)
    found = {}
    for key, entry in entries.items():
        if other not in (None, entry.number_id):
            journal.settle(key, agent)
            journal.contested(key)
            label = callers.labels.get(str(other)) or number_label(str(other))
            left = f"By now, {agent_label(agent)} calls out with {label}, and keeps that."
            found[key] = Returned(agent, left=left)
        elif other is None and callers.error:
            found[key] = Returned(agent, error=callers.error)
        else:
            found[key] = Returned(agent) if other else (yield from _link_outbound(entry.number_id, agent))
        if found[key].is_back:
            journal.drop(key)
            other = entry.number_id
    return found


def _link_outbound(number_id: str, agent: str) -> Flow[Returned]:
    """Link a number right after the look."""
    failure: PhonelinkError | None = None
    try:
        yield from writes.link(number_id, agent, OUTBOUND)
    except PhonelinkError as error:
        failure = error
    try:  # whatever was answered: it may have taken effect
        users: AffectedAgents = yield endpoints.affected_agents(number_id)
        shows = agent in users.outbound | users.maybe_outbound
        demand_outbound(number_label(number_id, users.phone_number), agent, shows=shows)
    except NotFoundError:
        return Returned(agent, is_gone=True)
    except PhonelinkError as error:
        return Returned(agent, error=failure or error)
    return Returned(agent)
