"""What the doctor reads of CallingBox, in at most twenty requests for a thousand numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.api.callingbox import endpoints, reads
from airflow_provider_phonelink.api.errors import (
    AuthenticationError,
    IncompleteListError,
    NoAnswerError,
    PhonelinkError,
    VendorError,
)
from airflow_provider_phonelink.doctor.examination import attempt, with_source

if TYPE_CHECKING:
    from airflow_provider_phonelink.api.callingbox.models import Agent, AgentList, Number
    from airflow_provider_phonelink.api.calls import Flow

#: The pages of numbers, and of agents, that are read at most.
MOST_PAGES = 11
MOST_AGENT_PAGES = 2
#: The requests for an account of up to a thousand numbers. Agents are read singly with what the lists leave of them.
MOST_REQUESTS = 20
#: No agent has this id.
NOBODY = "phonelink-doctor"


@dataclass
class Readings:
    """All that was read. A field that is None was not asked for."""

    numbers: list[Number] = field(default_factory=list)
    complete: bool = True
    #: How many pages of numbers were asked for.
    pages: int = 0
    #: What refused the rest of the numbers, or all of them.
    broken_off: PhonelinkError | None = None
    #: What the list of numbers was left with, if it says that it goes on and does not.
    stuck: IncompleteListError | None = None
    #: The first page of numbers as it came.
    source: Any = None
    #: How many numbers came on the first page, where a hundred, one, and no count were asked for.
    of_a_hundred: int = 0
    of_one: int | PhonelinkError | None = None
    of_no_count: int | PhonelinkError | None = None
    agents: list[Agent] = field(default_factory=list)
    agents_complete: bool = False
    agent_pages: int = 0
    #: Whether the list of agents says that it goes on; None if it does not say.
    agents_have_more: bool | None = None
    agents_error: VendorError | None = None
    #: Agents that have numbers, where the list does not tell whether they are archived, as they are read by their ids.
    singly: dict[str, Agent | PhonelinkError] = field(default_factory=dict)
    #: The answer about an agent that does not exist.
    nobody: Agent | PhonelinkError | None = None

    def untold(self) -> list[str]:
        """Return the agents that have numbers, and of which the list does not tell whether they are archived."""
        told = {agent.id for agent in self.agents if tells(agent)}
        return [agent_id for agent_id in numbers_by_agent(self.numbers) if agent_id not in told]

    @property
    def spare(self) -> int:
        """How many requests are left for single agents."""
        counts, nobody = 2, 1
        return MOST_REQUESTS - self.pages - counts - self.agent_pages - nobody


def read() -> Flow[Readings]:
    """
    Read it.

    :raises PhonelinkError: If nothing can be read.
    """
    readings = Readings()
    yield from _numbers(readings)
    readings.of_one = yield from _count(limit=1)
    readings.of_no_count = yield from _count(limit=None)
    yield from _agents(readings)
    if readings.broken_off and not readings.numbers and readings.agents_error:
        raise readings.broken_off
    for agent_id in readings.untold()[: readings.spare]:
        agent = yield from attempt(endpoints.get_agent, agent_id)
        readings.singly[agent_id] = agent
        if isinstance(agent, PhonelinkError) and agent.retry_helps:
            break  # it is not about this agent, and each one would be tried twice
    readings.nobody = yield from attempt(endpoints.get_agent, NOBODY)
    return readings


def tells(agent: Agent) -> bool:
    """Return whether an answer tells whether the agent is archived."""
    return "archived_at" in agent.model_fields_set


def numbers_by_agent(numbers: list[Number]) -> dict[str, list[Number]]:
    """Return the agents that numbers show, each with its numbers."""
    found: dict[str, list[Number]] = {}
    for number in numbers:
        shown = (number.inbound_agent_id, *(number.outbound_agent_ids or ()))
        for agent_id in dict.fromkeys(filter(None, shown)):
            found.setdefault(agent_id, []).append(number)
    return found


def _numbers(readings: Readings) -> Flow[None]:
    listing = reads.Listing()
    try:
        while listing.goes_on and readings.pages < MOST_PAGES:
            readings.pages += 1
            readings.numbers += yield from _page(listing, readings)
    except (AuthenticationError, NoAnswerError):
        raise
    except IncompleteListError as error:
        readings.stuck = error.with_traceback(None)
    except PhonelinkError as error:
        readings.broken_off = error.with_traceback(None)
    readings.complete = not listing.goes_on


def _page(listing: reads.Listing, readings: Readings) -> Flow[list[Number]]:
    if readings.pages > 1:
        return (yield from reads.next_numbers(listing))
    page, readings.source = yield from with_source(reads.next_numbers(listing))
    readings.of_a_hundred = len(page)
    return page


def _count(*, limit: int | None) -> Flow[int | PhonelinkError]:
    answer = yield from attempt(endpoints.list_numbers, limit=limit)
    return answer if isinstance(answer, PhonelinkError) else len(answer.data)


def _agents(readings: Readings) -> Flow[None]:
    listing = reads.Listing()
    try:
        for _ in range(MOST_AGENT_PAGES):
            readings.agent_pages += 1
            call = endpoints.list_agents(None, listing.cursor)
            page: AgentList = yield call
            readings.agents += listing.add(page, bool(page.has_more), certain=True, call=call)
            readings.agents_have_more = page.has_more
            if not listing.goes_on:
                break
    except AuthenticationError:
        raise
    except VendorError as error:
        readings.agents_error = error.with_traceback(None)
    readings.agents_complete = not listing.goes_on
