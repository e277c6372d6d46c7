"""
Attach and detach (CallingBox): afterwards the agent has the number, or no longer has it.

Both keep the agents' primary numbers; see :mod:`airflow_provider_phonelink.promises.callingbox.primary`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.api.callingbox import endpoints, reads, writes
from airflow_provider_phonelink.api.errors import (
    AttachmentError,
    AttachmentInterruptedError,
    ChangedMeanwhileError,
    ConflictError,
    NotFoundError,
    NotTakenEffectError,
    PhonelinkError,
    RejectedError,
    TakenError,
)
from airflow_provider_phonelink.api.labels import agent_label, number_label
from airflow_provider_phonelink.promises.callingbox import primary
from airflow_provider_phonelink.promises.callingbox.traces import Traces
from airflow_provider_phonelink.promises.outcomes import Changed

if TYPE_CHECKING:
    from airflow_provider_phonelink.api.callingbox.models import Agent
    from airflow_provider_phonelink.api.calls import Flow

IfAttached: TypeAlias = Literal["fail", "move"]
IF_ATTACHED = ("fail", "move")

#: In place of the id of a number's inbound agent: there is none, it is unknown, it may be any.
NOBODY = ""
UNKNOWN = "?"
ANYBODY = "*"

#: Stores what a later try has to know (see :class:`Traces`); None when there is nothing left to know.
Remember: TypeAlias = Callable[[Mapping[str, Any] | None], None]


def forget(_: Mapping[str, Any] | None) -> None:
    """Store nothing: there are no later tries."""


def attach_number(
    agent_id: str,
    number_id: str,
    *,
    if_attached: str = "fail",
    only_from: str = ANYBODY,
    earlier: Mapping[str, Any] | None = None,
    remember: Remember = forget,
) -> Flow[Changed[Agent]]:
    """
    Make sure that the agent has the number.

    :param if_attached: ``fail``: an inbound agent does not get a number that another inbound agent has. ``move``: the
        number is taken from that agent first; if it then cannot be attached, that agent gets it back.
    :param only_from: The only agent that a move may take the number from, or ``NOBODY``: a plan that names this agent
        does not ask for the number to be taken from another one.
    :param earlier: What an earlier try stored with ``remember``.
    :param remember: Called, before anything is written, with what a later try has to know.
    :raises TakenError: If another inbound agent has the number and ``if_attached="fail"``.
    :raises ChangedMeanwhileError: If an inbound agent has it other than the one that it may be taken from.
    :raises NotTakenEffectError: If the vendor accepted the attachment, but it does not show afterwards.
    :raises AttachmentError: If the number could not be moved, or a primary number could not be put right.
    """
    if_attached = arguments.choice("if_attached", if_attached, IF_ATTACHED)
    agent_id = arguments.opaque_id("agent_id", agent_id)
    number_id = arguments.opaque_id("number_id", number_id)
    steps = _Steps(number_id, Traces.read(number_id, earlier), remember)
    agent, attached = yield from reads.attachment(agent_id, number_id)
    if attached:
        agent = yield from steps.finished(agent)
        return _unchanged(
            agent,
            f"Number {number_label(number_id)} is already attached to {agent_label(agent_id)}",
            agent_id,
        )
    number = yield from reads.find_number(number_id)
    holder = number.inbound_agent_id if number else None
    taken = holder not in (None, agent_id) and (yield from _is_inbound(agent))
    if taken and if_attached == "fail":
        raise TakenError(
            f"Number {number_label(number_id)} is attached to the inbound {agent_label(holder)}, and CallingBox allows "
            f"one inbound agent a number, so it was not attached to {agent_label(agent_id)}. Nothing was changed. "
            "Detach it there first, or use if_attached='move'."
        )
    if taken and only_from not in (ANYBODY, holder):
        raise steps.taken_by_then(agent_id, str(holder), only_from)
    steps.traces.saw(agent)
    if taken:
        yield from steps.take_from(str(holder))
    moved_from = steps.traces.holder
    if moved_from:
        agent = yield from steps.hand_over(agent_id)
    else:
        agent = yield from steps.give_to(agent, or_say_who=if_attached == "move")
    gap = steps.traces.gap()
    agent = yield from steps.finished(agent)
    return Changed(
        summary=f"Number {number_label(number_id)} is now attached to {agent_label(agent_id)}."
        + (
            f" Before, {agent_label(moved_from)} had it; for {gap:.1f} s no inbound agent had."
            if moved_from
            else ""
        ),
        subject=agent,
        changed=True,
        previous_agent_id=moved_from or holder,
    )


def detach_number(
    agent_id: str,
    number_id: str,
    *,
    earlier: Mapping[str, Any] | None = None,
    remember: Remember = forget,
) -> Flow[Changed[Agent]]:
    """
    Make sure that the agent no longer has the number. The number stays bought and billed.

    If the agent does not have it, nothing is written.

    :param earlier: What an earlier try stored with ``remember``.
    :param remember: Called, before anything is written, with what a later try has to know.
    :raises NotTakenEffectError: If the vendor accepted the detachment, but the agent still has the number.
    :raises AttachmentError: If the primary number could not be put right.
    """
    agent_id = arguments.opaque_id("agent_id", agent_id)
    number_id = arguments.opaque_id("number_id", number_id)
    steps = _Steps(number_id, Traces.read(number_id, earlier), remember)
    agent, attached = yield from reads.attachment(agent_id, number_id)
    if not attached:
        agent = yield from steps.finished(agent)
        return _unchanged(
            agent, f"Number {number_label(number_id)} is not attached to {agent_label(agent_id)}", None
        )
    steps.traces.saw(agent)
    agent = yield from steps.detach(agent_id)
    agent = yield from steps.finished(agent)
    return Changed(
        summary=(
            f"Number {number_label(number_id)} is no longer attached to {agent_label(agent_id)}. It stays bought and "
            "billed."
        ),
        subject=agent,
        changed=True,
        previous_agent_id=agent_id,
    )


def put_primaries_right(number_id: str, earlier: Mapping[str, Any], remember: Remember) -> Flow[list[str]]:
    """
    Restore the primary numbers that an earlier try could not restore, when the number itself needs no more changes.

    :return: The agents concerned.
    :raises AttachmentError: If one could not be restored.
    """
    steps = _Steps(number_id, Traces.read(number_id, earlier), remember)
    yield from steps.put_primaries_right()
    return list(steps.traces.primaries)


class _Steps:
    """The steps by which a number goes from one agent to another."""

    def __init__(self, number_id: str, traces: Traces, remember: Remember) -> None:
        self.traces = traces
        self._number_id = number_id
        self._remember = remember
        self._remembered = not traces.empty

    def attach(self, agent_id: str) -> Flow[Agent]:
        """Attach the number, and verify that."""
        self._keep_traces()
        yield from writes.attach(agent_id, self._number_id)
        return (yield from self._prove(agent_id, wanted=True))

    def give_to(self, agent: Agent, *, or_say_who: bool) -> Flow[Agent]:
        """Attach the number that no inbound agent had at the last look, or say which agent got it in between."""
        try:
            return (yield from self.attach(agent.id))
        except (RejectedError, ConflictError) as error:
            if not or_say_who or not (yield from _is_inbound(agent)):
                raise
            now = yield from self._holder()
            if now in (NOBODY, UNKNOWN, agent.id):
                raise
            raise self.taken_by_then(agent.id, now, NOBODY) from error

    def taken_by_then(self, agent_id: str, holder: str, before: str) -> ChangedMeanwhileError:
        """Return the error for a number that an agent has other than the one that it may be taken from."""
        return ChangedMeanwhileError(
            f"Number {number_label(self._number_id)} was not attached to {agent_label(agent_id)}: the inbound "
            f"{agent_label(holder)} has it now; at the last look, {agent_label(before)} had it. It was left with "
            f"{agent_label(holder)}. Run the task again to take it from there."
        )

    def detach(self, agent_id: str) -> Flow[Agent]:
        """Detach the number, and verify that."""
        self._keep_traces()
        yield from writes.detach(agent_id, self._number_id)
        return (yield from self._prove(agent_id, wanted=False))

    def take_from(self, holder: str) -> Flow[None]:
        """Detach the number from the agent that has it, so that another agent can get it."""
        self.traces.saw((yield endpoints.get_agent(holder)))
        self.traces.leaves(holder)
        try:
            yield from self.detach(holder)
        except PhonelinkError as error:
            now = yield from self._holder()
            if now == NOBODY:
                return  # it took effect, although its answer says otherwise
            raise _failure(
                error,
                f"Number {number_label(self._number_id)} could not be taken from {agent_label(holder)}: {error} "
                f"{_truth(now)}",
                retry_helps=now == UNKNOWN,
            ) from error

    def hand_over(self, agent_id: str) -> Flow[Agent]:
        """Attach the number that was taken from its holder, or give it back."""
        try:
            return (yield from self.attach(agent_id))
        except PhonelinkError as error:
            now = yield from self._holder()
            if now == agent_id:
                # It took effect, although its answer says otherwise.
                return (yield from self._arrived(agent_id))
            failed = (
                f"Number {number_label(self._number_id)} was taken from {agent_label(self.traces.holder)}, but could "
                f"not be attached to {agent_label(agent_id)}: {error}"
            )
            if now not in (NOBODY, UNKNOWN):
                problem = yield from self._leave_it_there()
                raise ChangedMeanwhileError(f"{failed} {_truth(now)} It was left there.{problem}") from error
            problem = yield from self._give_back(str(self.traces.holder))
            now = yield from self._holder()
            raise _failure(
                error,
                f"{failed} {problem}{_truth(now)} For {self.traces.gap():.1f} s no inbound agent had it.",
                # A number without an agent is useless, so this is always worth another try.
                retry_helps=now in (NOBODY, UNKNOWN),
            ) from error

    def finished(self, agent: Agent) -> Flow[Agent]:
        """Restore the primary numbers, once the number is where it should be; return the agent as it is then."""
        if agent.id in self.traces.primaries:
            agent = yield from self._put_primary_right(agent)
        yield from self.put_primaries_right(but=agent.id)
        return agent

    def put_primaries_right(self, but: str | None = None) -> Flow[None]:
        """Restore those of all agents concerned, or of all but one; after that, nothing needs to be remembered."""
        for agent_id in self.traces.primaries:
            if agent_id != but:
                yield from self._put_primary_right_of(agent_id)
        if self._remembered:
            self._remember(None)

    def _give_back(self, holder: str) -> Flow[str]:
        """Return a sentence on what went wrong; empty if nothing did."""
        try:
            agent = yield from self.attach(holder)
            if holder in self.traces.primaries:
                yield from self._put_primary_right(agent)
        except PhonelinkError as error:
            return f"Giving it back failed, too: {error} "
        self._remember(None)  # everything is as before
        return ""

    def _leave_it_there(self) -> Flow[str]:
        """Return a sentence on what went wrong; empty if nothing did."""
        try:
            yield from self.put_primaries_right()
        except PhonelinkError as error:
            return f" {error}"
        return ""

    def _keep_traces(self) -> None:
        if not self.traces.empty:
            self._remember(self.traces.as_json())
            self._remembered = True

    def _prove(self, agent_id: str, *, wanted: bool) -> Flow[Agent]:
        """Look again after a write, whatever its answer says."""
        agent, attached = yield from reads.attachment(agent_id, self._number_id)
        if attached is not wanted:
            verb, state = ("attached to", "does not have it") if wanted else ("detached from", "still has it")
            raise NotTakenEffectError(
                f"Number {number_label(self._number_id)} was {verb} {agent_label(agent_id)}, but right afterwards the "
                f"agent {state}."
            )
        return agent

    def _holder(self) -> Flow[str]:
        """Look which agent has the number now. Never fails, because an error is being handled already."""
        try:
            number = yield from reads.find_number(self._number_id)
        except PhonelinkError:
            return UNKNOWN
        return (number.inbound_agent_id or NOBODY) if number and number.tells_links else UNKNOWN

    def _arrived(self, agent_id: str) -> Flow[Agent]:
        try:
            agent: Agent = yield endpoints.get_agent(agent_id)
        except PhonelinkError as error:
            raise _failure(
                error,
                f"Number {number_label(self._number_id)} is where it should be, but {agent_label(agent_id)} cannot be "
                f"read: {error}",
            ) from error
        return agent

    def _put_primary_right_of(self, agent_id: str) -> Flow[None]:
        try:
            agent: Agent = yield endpoints.get_agent(agent_id)
        except NotFoundError:
            return  # deleted in the meantime
        except PhonelinkError as error:
            raise self._primary_failure(agent_id, error) from error
        yield from self._put_primary_right(agent)

    def _put_primary_right(self, agent: Agent) -> Flow[Agent]:
        before = self.traces.primaries[agent.id]
        try:
            return (yield from primary.put_right(agent, before, self._number_id))
        except PhonelinkError as error:
            raise self._primary_failure(agent.id, error) from error

    def _primary_failure(self, agent_id: str, error: PhonelinkError) -> AttachmentError:
        return _failure(
            error,
            f"Number {number_label(self._number_id)} is where it should be, but the primary number of "
            f"{agent_label(agent_id)} could not be put right: {error}",
        )


def _is_inbound(agent: Agent) -> Flow[bool]:
    if agent.type is not None:
        return agent.type == "inbound"
    inbound = yield from reads.all_agents("inbound")
    return any(agent.id == other.id for other in inbound)


def _failure(error: PhonelinkError, message: str, *, retry_helps: bool = False) -> AttachmentError:
    return (AttachmentInterruptedError if error.retry_helps or retry_helps else AttachmentError)(message)


def _truth(now: str) -> str:
    return (
        "It is not known which agent has it now."
        if now == UNKNOWN
        else f"Now {agent_label(now or None)} has it."
    )


def _unchanged(agent: Agent, state: str, previous: str | None) -> Changed[Agent]:
    return Changed(
        summary=f"{state}; nothing was written.", subject=agent, changed=False, previous_agent_id=previous
    )
