"""The steps of a number's way from one agent to another (CallingBox), each with its look afterwards."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

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
    telling,
)
from airflow_provider_phonelink.api.labels import agent_label, number_label
from airflow_provider_phonelink.promises.callingbox import primary

if TYPE_CHECKING:
    from airflow_provider_phonelink.api.callingbox.models import Agent
    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.promises.journal import Entry, Journal

#: Stand for a number's inbound agent where there is none, and where nobody tells.
NOBODY = ""
UNKNOWN = "?"


class Steps:
    """
    What a number's way from one agent to another consists of.

    :param key: The entry's, in the journal.
    :param entry: What is to be done, and what was true before.
    """

    def __init__(self, journal: Journal, key: str, entry: Entry) -> None:
        self.entry = entry
        self._journal = journal
        self._key = key
        self._number_id = entry.number_id
        #: When this try took the number from its holder.
        self._since: float | None = None

    @property
    def _name(self) -> str:
        return number_label(self._number_id, self.entry.phone_number)

    def give_to(self, agent: Agent, *, or_say_who: bool) -> Flow[Agent]:
        """Attach the number that no inbound agent had at the last look, or say which agent got it in between."""
        try:
            what = f"Attaching number {self._name} to {agent_label(agent.id)}"
            with self._journal.writing(self._key, self.entry), telling(what):
                yield from writes.attach(agent.id, self._number_id)
        except (RejectedError, ConflictError) as error:
            if not or_say_who or not (yield from is_inbound(agent)):
                raise
            now = yield from self._holder()
            if now in (NOBODY, UNKNOWN, agent.id):
                raise
            self._journal.contested(self._key)
            raise self.taken_by_then(agent.id, now, NOBODY) from error
        return (yield from self._prove(agent.id, wanted=True))

    def taken_by_then(self, agent_id: str, holder: str, before: str) -> ChangedMeanwhileError:
        """Return the error for a number that an agent has other than the one that it may be taken from."""
        return ChangedMeanwhileError(
            f"Number {number_label(self._number_id)} was not attached to {agent_label(agent_id)}: the inbound "
            f"{agent_label(holder)} has it now; at the last look, {agent_label(before)} had it. It was left with "
            f"{agent_label(holder)}. Run the task again to take it from there."
        )

    def detach(self, agent_id: str) -> Flow[Agent]:
        """Detach the number for good, and prove it."""
        what = f"Detaching number {self._name} from {agent_label(agent_id)}"
        with self._journal.writing(self._key, self.entry), telling(what):
            yield from writes.detach(agent_id, self._number_id)
        return (yield from self._prove(agent_id, wanted=False))

    def take_from(self, holder: str) -> Flow[None]:
        """Detach the number from the agent that has it, so that another agent can get it."""
        self.entry.saw((yield endpoints.get_agent(holder)))
        self.entry.lent = True
        before = self._journal.written(self._key)
        self._journal.begin(self._key, self.entry)
        self._since = time.time()
        try:
            yield from writes.detach(holder, self._number_id)
            yield from self._prove(holder, wanted=False)
        except PhonelinkError as error:
            now = yield from self._holder()
            if now == NOBODY:
                return  # it took effect, although its answer says otherwise
            if now == holder and not error.retry_helps:
                self._journal.not_written(self._key, before)
            raise _failure(
                error,
                f"Number {number_label(self._number_id)} could not be taken from {agent_label(holder)}: {error} "
                f"{_truth(now)}",
                retry_helps=now == UNKNOWN,
            ) from error

    def hand_over(self, agent_id: str, holder: str) -> Flow[Agent]:
        """Attach the number that was taken from its holder, or give it back."""
        self._journal.begin(self._key, self.entry)
        try:
            return (yield from self._attach(agent_id))
        except PhonelinkError as error:
            now = yield from self._holder()
            if now == agent_id:
                # It took effect, although its answer says otherwise.
                return (yield from self._arrived(agent_id))
            failed = (
                f"Number {number_label(self._number_id)} was taken from {agent_label(holder)}, but could "
                f"not be attached to {agent_label(agent_id)}: {error}"
            )
            if now not in (NOBODY, UNKNOWN, holder):
                problem = yield from self._leave_it_there()
                raise ChangedMeanwhileError(f"{failed} {_truth(now)} It was left there.{problem}") from error
            problem = yield from self._give_back(holder)
            now = yield from self._holder()
            raise _failure(
                error,
                f"{failed} {problem}{_truth(now)}" + (f" {self.gap.capitalize()} it." if self.gap else ""),
                # A number without an agent is useless, so this is always worth another try.
                retry_helps=now in (NOBODY, UNKNOWN),
            ) from error

    def back_to(self, holder: str) -> Flow[None]:
        """Give the number back to the agent that an earlier try took it from."""
        agent = yield from self._attach(holder)
        if holder in self.entry.primaries:
            yield from self._put_primary_right(agent)
        # That this task took it stays noted: if yet another agent has it at the next try, it is left there.
        self.entry.lent = False
        self._journal.keep()

    def finished(self, agent: Agent) -> Flow[Agent]:
        """Restore the primary numbers, once the number is where it should be; return the agent as it is then."""
        if agent.id in self.entry.primaries:
            agent = yield from self._put_primary_right(agent)
        yield from self.put_primaries_right(but=agent.id)
        return agent

    def put_primaries_right(self, but: str | None = None) -> Flow[list[str]]:
        """Restore those of all agents concerned, or of all but one; return the agents that needed it."""
        restored = []
        for agent_id in self.entry.primaries:
            if agent_id != but and (yield from self._put_primary_right_of(agent_id)):
                restored.append(agent_id)
        return restored

    @property
    def gap(self) -> str:
        """For how long no inbound agent has had the number; empty if it was an earlier try that took it from one."""
        return (
            ""
            if self._since is None
            else f"for {max(0.0, time.time() - self._since):.1f} s no inbound agent had"
        )

    def _attach(self, agent_id: str) -> Flow[Agent]:
        """Attach the number, and verify that."""
        yield from writes.attach(agent_id, self._number_id)
        return (yield from self._prove(agent_id, wanted=True))

    def _give_back(self, holder: str) -> Flow[str]:
        """Return a sentence on what went wrong; empty if nothing did."""
        try:
            yield from self.back_to(holder)
        except PhonelinkError as error:
            return f"Giving it back failed, too: {error} "
        return ""

    def _leave_it_there(self) -> Flow[str]:
        """Return a sentence on what went wrong; empty if nothing did."""
        problem = ""
        try:
            yield from self.put_primaries_right()
        except PhonelinkError as error:
            problem = f" {error}"
        self._journal.contested(self._key)
        return problem

    def _prove(self, agent_id: str, *, wanted: bool) -> Flow[Agent]:
        """Look again after a write, whatever its answer says."""
        agent, attached = yield from reads.attachment(agent_id, self._number_id)
        if attached is not wanted:
            verb, state = ("attached to", "does not have it") if wanted else ("detached from", "still has it")
            raise NotTakenEffectError(
                f"Number {number_label(self._number_id)} was {verb} {agent_label(agent_id)}, but right afterwards the "
                f"agent {state}."
            )
        if wanted:
            self.entry.seen = agent_id
        return agent

    def _holder(self) -> Flow[str]:
        """Look which agent has the number now. Never fails, because an error is being handled already."""
        try:
            number = yield from reads.find_number(self._number_id)
        except PhonelinkError:
            return UNKNOWN
        return (number.inbound_agent_id or NOBODY) if number and number.tells_links else UNKNOWN

    def _arrived(self, agent_id: str) -> Flow[Agent]:
        self.entry.seen = agent_id
        try:
            agent: Agent = yield endpoints.get_agent(agent_id)
        except PhonelinkError as error:
            raise _failure(
                error,
                f"Number {number_label(self._number_id)} is where it should be, but {agent_label(agent_id)} cannot be "
                f"read: {error}",
            ) from error
        return agent

    def _put_primary_right_of(self, agent_id: str) -> Flow[bool]:
        try:
            agent: Agent = yield endpoints.get_agent(agent_id)
        except NotFoundError:
            return False  # deleted in the meantime
        except PhonelinkError as error:
            raise self._primary_failure(agent_id, error) from error
        now = yield from self._put_primary_right(agent)
        return now.primary_number_id != agent.primary_number_id

    def _put_primary_right(self, agent: Agent) -> Flow[Agent]:
        before = self.entry.primaries[agent.id]
        try:
            return (yield from primary.put_right(agent, before, self._number_id))
        except PhonelinkError as error:
            raise self._primary_failure(agent.id, error) from error

    def _primary_failure(self, agent_id: str, error: PhonelinkError) -> AttachmentError:
        self.entry.lent = False  # it has arrived
        return _failure(
            error,
            f"Number {number_label(self._number_id)} is where it should be, but the primary number of "
            f"{agent_label(agent_id)} could not be put right: {error}",
        )


def is_inbound(agent: Agent) -> Flow[bool]:
    """Return whether an agent is inbound, by its type or, if that is not told, by the list of those that are."""
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
