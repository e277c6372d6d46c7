"""An agent's caller ID at CallingBox: the primary one of the numbers that are attached to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.api.callingbox import endpoints, reads, writes
from airflow_provider_phonelink.api.errors import (
    AgentArchivedError,
    NotNamedError,
    NotTakenEffectError,
    PhonelinkError,
    PoolUnhealthyError,
    PromiseError,
    UnreadableAnswerError,
)
from airflow_provider_phonelink.api.labels import agent_label, number_label
from airflow_provider_phonelink.api.templates import parse_rendered
from airflow_provider_phonelink.api.text import clean
from airflow_provider_phonelink.api.text import listed as joined
from airflow_provider_phonelink.decisions.links import INBOUND
from airflow_provider_phonelink.decisions.pools import by_id, quarantine_of, skipped_in
from airflow_provider_phonelink.decisions.rotation import Pool
from airflow_provider_phonelink.promises.callingbox.naming import directory_of
from airflow_provider_phonelink.promises.journal import tells_primary
from airflow_provider_phonelink.promises.rotation import Survey

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_provider_phonelink.api.callingbox.models import Agent, Number
    from airflow_provider_phonelink.api.calls import Flow

#: The status of a number that can be called from.
ACTIVE = "active"


@dataclass(frozen=True)
class CallingBoxCallerId:
    """
    An outbound agent's primary number, and the pool that it is taken from.

    The arguments but the agent's id are checked by :meth:`look`, before it sends anything.
    """

    #: As :func:`~airflow_provider_phonelink.api.arguments.agent_id` returns it.
    agent_id: str
    #: Ids and phone numbers of attached numbers; None for all of them, in the order of their ids.
    pool: Sequence[str] | str | None = None
    #: Ids and phone numbers of numbers that are not to be picked; a mapping has a reason for each.
    quarantine: Sequence[str] | Mapping[str, str] = ()

    def look(self, *_: object) -> Flow[Survey]:
        """
        Look at the agent and its numbers.

        :raises PoolUnhealthyError: If no number is attached to the agent.
        :raises NotNamedError: If the account has no number of the pool: it is mistyped, most likely.
        :raises AgentArchivedError: If the agent is archived.
        :raises PromiseError: If the agent is an inbound one.
        """
        pool = parse_rendered("pool", self.pool)
        wanted = None if pool is None else arguments.number_names("pool", pool, uuids=False)
        quarantine = quarantine_of(self.quarantine, uuids=False)
        agent: Agent = yield endpoints.get_agent(self.agent_id)
        _demand_caller(agent)
        attached = yield from _attached(agent)
        members = _members(attached, wanted)
        if not members:
            raise PoolUnhealthyError(
                f"No number is attached to {agent_label(self.agent_id)}. Nothing was changed."
            )
        if not any(members.values()):
            yield from _demand_one_of_the_account(wanted or ())
        phone_numbers = {id_: number.e164 if number else None for id_, number in members.items()}
        unfit = {id_: _unfit(id_, number, self.agent_id) for id_, number in members.items()}
        labels = {id_: number.label for id_, number in attached.items()}
        primary = agent.primary_number_id if tells_primary(agent) else None
        return Survey(
            Pool(
                list(members),
                skipped_in(unfit, by_id(quarantine, phone_numbers), labels),
                labels,
                phone_numbers,
            ),
            primary,
            is_uncertain=not tells_primary(agent),
        )

    def read(self, number_id: str) -> Flow[Number]:
        """Read a number of the agent."""
        agent: Agent = yield endpoints.get_agent(self.agent_id)
        return (yield from self._number(agent, number_id))

    def give(self, number_id: str, survey: Survey, *, verify: bool) -> Flow[Number]:
        """Make a number the agent's primary one, and look whether it is."""
        agent: Agent = yield from writes.set_primary_number(self.agent_id, number_id)
        if verify:
            agent = yield from self._confirm(number_id, survey)
        return (yield from self._number(agent, number_id))

    def _number(self, agent: Agent, number_id: str) -> Flow[Number]:
        shown = next((number for number in agent.numbers or () if number.id == number_id), None)
        number = shown or (yield from reads.find_number(number_id))
        if number is None:
            raise PromiseError(
                f"Number {number_label(number_id)} of {agent_label(self.agent_id)} is not there any more."
            )
        return number

    def _confirm(self, number_id: str, survey: Survey) -> Flow[Agent]:
        """Return the agent as it is after the write. An answer that does not tell the primary number is no refusal."""
        problem = "it is not the agent's primary number."
        agent: Agent | None
        try:
            agent = yield endpoints.get_agent(self.agent_id)
            if not tells_primary(agent) or agent.primary_number_id == number_id:
                return agent
        except PhonelinkError as error:
            problem = str(error)
            agent = yield from self._seen()
        now = agent.primary_number_id if agent else number_id  # which an agent that cannot be read may have
        is_left = now == survey.in_use or now not in (None, number_id)
        truth = self._other(survey, now) if is_left else (yield from self._put_back(survey))
        raise NotTakenEffectError(
            f"Number {survey.pool.name(number_id)} was made the primary number of {agent_label(self.agent_id)}, but "
            f"this could not be confirmed: {problem} {truth}"
        )

    def _seen(self) -> Flow[Agent | None]:
        """Return the agent, or None if it cannot be read: somebody else may have given it another number by now."""
        try:
            agent: Agent = yield endpoints.get_agent(self.agent_id)
        except PhonelinkError:
            return None
        return agent

    def _other(self, survey: Survey, now: str | None) -> str:
        """Return a sentence about the number that is primary in place of the one that was to be."""
        if now is None:
            return "The agent has no primary number, as before."
        if now == survey.in_use:
            return f"The agent still has the number before, {survey.pool.name(now)}."
        return f"By now the agent has {survey.pool.name(now)}, which somebody else gave it, and was left with it."

    def _put_back(self, survey: Survey) -> Flow[str]:
        """Make the number before the primary one again. Return a sentence on what is true then."""
        previous = survey.in_use
        if previous is None:
            return "The number before is not known, so nothing was put back, and it is not known which one it has now."
        name = survey.pool.name(previous)
        try:
            yield from writes.set_primary_number(self.agent_id, previous)
            agent: Agent = yield endpoints.get_agent(self.agent_id)
        except PhonelinkError as error:
            return (
                f"Whether the number before, {name}, was put back is not known: {error} It is not known which one the "
                "agent has now."
            )
        if tells_primary(agent) and agent.primary_number_id == previous:
            return f"The number before, {name}, was put back, and the agent has it."
        return f"The vendor accepted the number before, {name}, again, but that could not be confirmed."


def _demand_caller(agent: Agent) -> None:
    if agent.archived:
        raise AgentArchivedError(
            f"Agent {clean(agent.id)} is archived, so its primary number is nobody's caller ID. Nothing "
            "was changed. Name another agent."
        )
    if agent.type == INBOUND:
        raise PromiseError(
            f"Agent {clean(agent.id)} is an inbound agent, whose primary number is no caller ID. Nothing "
            "was changed. Name an outbound agent."
        )


def _attached(agent: Agent) -> Flow[dict[str, Number]]:
    """Return the agent's numbers by id, in the order of their ids, from wherever an answer shows their status."""
    numbers = agent.numbers
    if numbers is None or any(number.status is None for number in numbers):
        listed = yield from reads.all_numbers()
        if numbers is None:
            numbers = [number for number in listed if _has(number, agent.id)]
            if listed and not any(number.tells_links for number in listed):
                raise UnreadableAnswerError(
                    f"neither {agent_label(agent.id)} nor the numbers say which of them are attached to it.",
                    method="GET",
                    path="/v1/numbers",
                )
        by_ids = {number.id: number for number in listed}
        numbers = [by_ids.get(number.id, number) for number in numbers]
    return {number.id: number for number in sorted(numbers, key=lambda number: number.id)}


def _has(number: Number, agent_id: str) -> bool:
    return agent_id in (number.outbound_agent_ids or ())


def _members(attached: Mapping[str, Number], wanted: Sequence[str] | None) -> dict[str, Number | None]:
    """Return the numbers of the pool by id, in its order; None for a name that is attached under no id."""
    if wanted is None:
        return dict(attached)
    directory = directory_of(attached.values())
    found: dict[str, Number | None] = {}
    for name in wanted:
        ids = [name] if name in attached else directory.with_phone_number(name) or [name]
        found.update({id_: attached.get(id_) for id_ in ids})
    return found


def _demand_one_of_the_account(wanted: Sequence[str]) -> Flow[None]:
    """Refuse a pool of which nothing is attached, if no number of the account has one of its names either."""
    directory = directory_of((yield from reads.all_numbers()))
    if not any(map(directory.knows, wanted)):
        problems = (f"there is no number {clean(name)}, in this or another notation" for name in wanted)
        raise NotNamedError(f"pool: {joined(problems)}. Nothing was changed.")


def _unfit(number_id: str, number: Number | None, agent_id: str) -> str:
    """Return why a number cannot be used; an empty text if it can be."""
    if number is None:
        return f"{number_label(number_id)}: not attached to {agent_label(agent_id)}"
    # A vendor that tells no status would otherwise have no healthy number.
    if number.status is None or number.status.lower() == ACTIVE:
        return ""
    return f"{number.label}: its status is {clean(number.status)}"
