"""
Attach and detach (CallingBox): afterwards the agent has the number, or no longer has it.

Both keep the agents' primary numbers; see :mod:`airflow_provider_phonelink.promises.callingbox.primary`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.api.callingbox import reads
from airflow_provider_phonelink.api.errors import (
    AgentArchivedError,
    ChangedMeanwhileError,
    NotNamedError,
    TakenError,
)
from airflow_provider_phonelink.api.labels import agent_label, number_label
from airflow_provider_phonelink.api.text import clean
from airflow_provider_phonelink.decisions.links import INBOUND
from airflow_provider_phonelink.promises.callingbox.steps import NOBODY as NOBODY
from airflow_provider_phonelink.promises.callingbox.steps import Steps, is_inbound
from airflow_provider_phonelink.promises.journal import Entry, Journal, attached_key, inbound_key
from airflow_provider_phonelink.promises.outcomes import Changed

if TYPE_CHECKING:
    from airflow_provider_phonelink.api.callingbox.models import Agent, Number
    from airflow_provider_phonelink.api.calls import Flow

IfAttached: TypeAlias = Literal["fail", "move"]
IF_ATTACHED = ("fail", "move")

#: Stands for the inbound agent that a number may be taken from, where that may be any.
ANYBODY = "*"


def attach_number(
    agent_id: str,
    number_id: str,
    *,
    if_attached: str = "fail",
    only_from: str = ANYBODY,
    journal: Journal | None = None,
) -> Flow[Changed[Agent]]:
    """
    Make sure that the agent has the number.

    :param if_attached: ``fail``: an inbound agent does not get a number that another inbound agent has. ``move``: the
        number is taken from that agent first; if it then cannot be attached, that agent gets it back.
    :param only_from: The only agent that a move may take the number from, or ``NOBODY``: a plan that names this agent
        does not ask for the number to be taken from another one.
    :param journal: What earlier tries of the task did, and what this one does.
    :raises AgentArchivedError: If the agent is archived. What an earlier try took from another agent goes back first.
    :raises TakenError: If another inbound agent has the number and ``if_attached="fail"``.
    :raises ChangedMeanwhileError: If another inbound agent has it than the one that it may be taken from, or somebody
        gave it to another one after an earlier try.
    :raises NotTakenEffectError: If the vendor accepted the attachment and it cannot be seen afterwards.
    :raises AttachmentError: If the number could not be moved, or a primary number could not be put right.
    """
    if_attached = arguments.choice("if_attached", if_attached, IF_ATTACHED)
    agent_id = arguments.agent_id("agent_id", agent_id)
    number_id = arguments.opaque_id("number_id", number_id)
    journal = journal or Journal()
    agent, attached = yield from reads.attachment(agent_id, number_id)
    key = _key(agent, number_id)
    earlier = journal.earlier(key)
    if agent.archived:
        raise (yield from _archived(agent, attached, number_id, journal, key))
    if attached:
        state = f"Number {number_label(number_id)} is already attached to {agent_label(agent_id)}"
        return (yield from _found(agent, journal, key, state, agent_id, agent_id))
    number = yield from reads.find_number(number_id)
    holder = number.inbound_agent_id if number else None
    taken = holder not in (None, agent_id) and (yield from is_inbound(agent))
    if taken and if_attached == "fail":
        raise TakenError(
            f"Number {number_label(number_id)} is attached to the inbound {agent_label(holder)}, and CallingBox allows "
            f"one inbound agent a number, so it was not attached to {agent_label(agent_id)}. Nothing was changed. "
            "Detach it there first, or use if_attached='move'."
        )
    if taken and earlier and only_from == ANYBODY:
        _demand_untouched(earlier, holder, agent_id, journal, key)
    # Only inbound agents take a number from each other, also where an answer leaves an agent's type out.
    link = {"number_id": number_id, "mode": INBOUND if taken else agent.type, "agent_id": agent_id}
    entry = journal.entry(
        key,
        holder if taken else None,
        **link,
        removes=False,
        phone_number=number.e164 if number else None,
    )
    steps = Steps(journal, key, entry)
    if taken and only_from not in (ANYBODY, holder):
        journal.undo(key)
        raise steps.taken_by_then(agent_id, str(holder), only_from)
    entry.saw(agent)
    moved_from = holder if taken else _lender(earlier)
    if taken:
        yield from steps.take_from(str(holder))
    if moved_from:
        agent = yield from steps.hand_over(agent_id, moved_from)
    else:
        agent = yield from steps.give_to(agent, or_say_who=if_attached == "move")
    gap = steps.gap
    agent = yield from steps.finished(agent)
    journal.settle(key, agent_id)
    return Changed(
        summary=f"Number {number_label(number_id)} is now attached to {agent_label(agent_id)}."
        + (f" Before, {agent_label(moved_from)} had it{gap and '; '}{gap}." if moved_from else ""),
        subject=agent,
        changed=True,
        previous_agent_id=entry.holder or holder,
    )


def detach_number(
    agent_id: str, number_id: str, *, exists: bool = False, journal: Journal | None = None
) -> Flow[Changed[Agent]]:
    """
    Make sure that the agent no longer has the number. The number stays bought and billed.

    If the agent does not have it, nothing is written.

    :param exists: Whether the number has been read; otherwise one that is not there is taken for a mistyped id.
    :param journal: What earlier tries of the task did, and what this one does.
    :raises NotNamedError: If the organisation has no such number, and no earlier try detached it.
    :raises NotTakenEffectError: If the vendor accepted the detachment and the agent still has the number.
    :raises AttachmentError: If the primary number could not be put right.
    """
    agent_id = arguments.opaque_id("agent_id", agent_id)
    number_id = arguments.opaque_id("number_id", number_id)
    journal = journal or Journal()
    agent, attached = yield from reads.attachment(agent_id, number_id)
    key = _key(agent, number_id)
    if not attached:
        number = yield from reads.find_number(number_id)
        if number is None and not exists and journal.earlier(key) is None:
            raise NotNamedError(f"number_id: there is no number {clean(number_id)}. Nothing was changed.")
        inbound_agent_id = number.inbound_agent_id if number else None
        now = inbound_agent_id if agent.type == INBOUND else agent_id
        state = f"Number {number_label(number_id)} is not attached to {agent_label(agent_id)}"
        return (yield from _found(agent, journal, key, state, now, None))
    inbound = agent.type == INBOUND
    link = {"number_id": number_id, "mode": agent.type, "agent_id": None if inbound else agent_id}
    entry = journal.entry(key, agent_id if inbound else None, **link, removes=not inbound)
    entry.saw(agent)
    steps = Steps(journal, key, entry)
    agent = yield from steps.detach(agent_id)
    agent = yield from steps.finished(agent)
    journal.settle(key, None if inbound else agent_id)
    return Changed(
        summary=(
            f"Number {number_label(number_id)} is no longer attached to {agent_label(agent_id)}. It stays bought and "
            "billed."
        ),
        subject=agent,
        changed=True,
        previous_agent_id=agent_id,
    )


def finish(key: str, journal: Journal, number: Number) -> Flow[list[str]]:
    """
    Finish what an earlier try began with a link that is not to change any more.

    A number that was taken from its agent to be handed on, and that nobody has, goes back. Primary numbers are put
    right.

    :param number: The number as it is now.
    :return: The agents for which something may have been done.
    :raises AttachmentError: If it could not be done.
    """
    entry = journal.earlier(key)
    if entry is None:
        return []
    steps = Steps(journal, key, entry)
    if entry.lent and entry.holder and number.inbound_agent_id is None:
        yield from steps.back_to(entry.holder)
        journal.drop(key)
        return [entry.holder]
    restored = yield from steps.put_primaries_right()
    if entry.mode == INBOUND:
        journal.settle(key, number.inbound_agent_id)
    elif (entry.agent_id in (number.inbound_agent_id, *(number.outbound_agent_ids or ()))) is entry.removes:
        journal.drop(key)
    else:
        journal.settle(key, entry.agent_id)
    return restored


def _archived(
    agent: Agent, attached: bool, number_id: str, journal: Journal, key: str
) -> Flow[AgentArchivedError]:
    """Return the error for an agent that must not get a number, once the number is back where it came from."""
    truth = "It has the number, and was left with it." if attached else "Nothing was changed."
    lender = _lender(journal.earlier(key))
    number = (yield from reads.find_number(number_id)) if lender else None
    if number and lender in (yield from finish(key, journal, number)):
        journal.keep()
        truth = f"An earlier try of this task took the number from {agent_label(lender)}, which has it back."
    return AgentArchivedError(
        f"Number {number_label(number_id)} cannot be attached to {agent_label(agent.id)}, which is archived and "
        f"answers no calls. {truth} Name another agent."
    )


def _key(agent: Agent, number_id: str) -> str:
    """Return the key of a link: a number has one inbound agent, and any number of others."""
    return inbound_key(number_id) if agent.type in (INBOUND, None) else attached_key(number_id, agent.id)


def _lender(earlier: Entry | None) -> str | None:
    """Return the agent that an earlier try took the number from, to be handed on."""
    return earlier.holder if earlier and earlier.pending and earlier.lent else None


def _demand_untouched(earlier: Entry, holder: str | None, agent_id: str, journal: Journal, key: str) -> None:
    """Refuse to take a number from an agent that got it from somebody else after an earlier try."""
    if not earlier.pending or holder == agent_id or earlier.explains(holder):
        return
    journal.contested(key)
    raise ChangedMeanwhileError(
        f"Number {number_label(earlier.number_id)}: an earlier try of this task attached it to "
        f"{agent_label(earlier.agent_id)}, or may have, and now the inbound {agent_label(holder)} has it: somebody "
        "else attached it in the meantime, and it was left there. Run the task again to take it from there."
    )


def _found(
    agent: Agent, journal: Journal, key: str, state: str, now: str | None, previous: str | None
) -> Flow[Changed[Agent]]:
    """Return what a look before any write found: an earlier try did it, or nothing had to be done."""
    earlier = journal.earlier(key)
    if earlier is not None and earlier.pending:
        agent = yield from Steps(journal, key, earlier).finished(agent)
    entry = journal.found(key, now)
    by_the_task = entry is not None and entry.pending
    done = "an earlier try of this task did it" if by_the_task else "nothing was written"
    return Changed(
        summary=f"{state}; {done}.",
        subject=agent,
        changed=by_the_task,
        previous_agent_id=(entry.holder or entry.agent_id if entry.removes else entry.holder)
        if entry
        else previous,
    )
