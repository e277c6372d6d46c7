"""
Primary numbers (CallingBox): an agent that had one still has one afterwards.

The number stays primary if the agent keeps it, unless somebody else makes another one primary meanwhile: that one
stays. If the agent loses it, the first of its remaining numbers becomes primary, unless the vendor chose one. If the
vendor does not show an agent's primary number, it is left alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.api.callingbox import endpoints, reads, writes
from airflow_provider_phonelink.api.errors import (
    AgentArchivedError,
    AttachmentError,
    NotFoundError,
    NotTakenEffectError,
    telling,
)
from airflow_provider_phonelink.api.labels import agent_label, number_label
from airflow_provider_phonelink.decisions.linking import demand_not_moved
from airflow_provider_phonelink.decisions.links import INBOUND
from airflow_provider_phonelink.promises.journal import Journal, outbound_key, tells_primary
from airflow_provider_phonelink.promises.outcomes import Outcome, plain, storable

if TYPE_CHECKING:
    from airflow_provider_phonelink.api.callingbox.models import Agent
    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.promises.journal import Entry


@dataclass(frozen=True, kw_only=True)
class MadePrimary(Outcome):
    """An agent whose primary number is the wanted one."""

    agent: Agent
    #: Whether a try of the task wrote.
    changed: bool
    previous_number_id: str | None

    def result(self) -> dict[str, Any]:
        """Return the plain form for XCom."""
        return {
            **plain(self.agent),
            "changed": self.changed,
            "previous_number_id": storable(self.previous_number_id),
        }


def make_primary(agent_id: str, number_id: str, *, journal: Journal | None = None) -> Flow[MadePrimary]:
    """
    Make sure that a number is the agent's primary one.

    :param journal: What earlier tries of the task did, and what this one does.
    :raises AgentArchivedError: If the agent is archived.
    :raises AttachmentError: If the number is not attached to the agent. Nothing was changed.
    :raises ChangedMeanwhileError: If somebody else made another number primary after an earlier try of the task.
    :raises NotTakenEffectError: If the vendor accepted the number, but another one, or none, is primary afterwards.
    """
    agent_id = arguments.opaque_id("agent_id", agent_id)
    number_id = arguments.opaque_id("number_id", number_id)
    journal = journal or Journal()
    agent, attached = yield from reads.attachment(agent_id, number_id)
    if agent.archived:
        raise AgentArchivedError(
            f"Number {number_label(number_id)} was not made the primary number of {agent_label(agent_id)}, which is "
            "archived and makes no calls. Nothing was written. Name another agent."
        )
    if not attached:
        raise AttachmentError(
            f"Number {number_label(number_id)} is not attached to {agent_label(agent_id)}, so it cannot be its primary "
            "number. Nothing was changed. Attach it first."
        )
    key, now = outbound_key(agent_id), agent.primary_number_id
    if now == number_id:
        return _found(agent, number_id, journal, key)
    phone_number = next((number.e164 for number in agent.numbers or () if number.id == number_id), None)
    with journal.leaving(key):
        label = number_label(number_id, phone_number)
        demand_not_moved(label, agent_id, now, journal.untold(key, number_id), what="primary")
    before = _before(journal.earlier(key), now)
    link = {"number_id": number_id, "mode": "outbound", "agent_id": agent_id}
    entry = journal.entry(key, **link, previous_number_id=before, phone_number=phone_number)
    what = f"Making {number_label(number_id)} the primary number of {agent_label(agent_id)}"
    with journal.writing(key, entry), telling(what):
        agent = yield from _set(agent, number_id)
    _settle(key, agent, journal)
    summary = f"Number {number_label(number_id)} is now the primary number of {agent_label(agent_id)}"
    if before:
        again = before == number_id
        summary += ", as before this task" if again else f"; before, {number_label(before)} was"
    summary += "."
    return MadePrimary(summary=summary, agent=agent, changed=True, previous_number_id=before)


def _found(agent: Agent, number_id: str, journal: Journal, key: str) -> MadePrimary:
    """Return what a look before any write found: an earlier try did it, or nothing had to be done."""
    earlier = journal.earlier(key)
    if earlier and earlier.number_id != number_id:
        journal.drop(key)  # somebody else has replaced the number that an earlier try was about
    entry = journal.found(key, agent.id)
    by_the_task = entry is not None and entry.pending
    _settle(key, agent, journal)
    done = "an earlier try of this task did it" if by_the_task else "nothing was written"
    return MadePrimary(
        summary=(
            f"Number {number_label(number_id)} is the primary number of {agent_label(agent.id)} already; {done}."
        ),
        agent=agent,
        changed=by_the_task,
        previous_number_id=entry.previous_number_id if entry else None,
    )


def note_primary(key: str, entry: Entry, journal: Journal) -> Flow[None]:
    """Note whether the number that an earlier try was about to make an agent's primary one is it."""
    try:
        agent: Agent = yield endpoints.get_agent(str(entry.agent_id))
    except NotFoundError:
        journal.drop(key)
        return
    if agent.primary_number_id == entry.number_id:
        _settle(key, agent, journal)
    else:
        journal.drop(key)


def _settle(key: str, agent: Agent, journal: Journal) -> None:
    if agent.type == INBOUND:
        journal.drop(key)  # the primary number of an agent that makes no calls is no caller ID, and no link
    else:
        journal.settle(key, agent.id)


def _before(earlier: Entry | None, now: str | None) -> str | None:
    """Return the number before the task: not the one that an earlier try of it has made primary."""
    by_the_task = earlier is not None and earlier.pending and now in (None, earlier.number_id)
    return earlier.previous_number_id if earlier and by_the_task else now


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
    return (yield from _set(agent, wanted))


def _set(agent: Agent, wanted: str) -> Flow[Agent]:
    yield from writes.set_primary_number(agent.id, wanted)
    now: Agent = yield endpoints.get_agent(agent.id)
    if tells_primary(now) and now.primary_number_id != wanted:
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
    if before in held and now != before:
        # Attaching or detaching a number makes that one primary, or replaces it. Any other is somebody else's choice.
        return before if now not in held or moved in (now, before) else None
    return None if now in held else next(iter(held), None)
