"""What the doctor reads of CallingBox, in at most twenty requests for a thousand numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.api.callingbox import endpoints, reads
from airflow_provider_phonelink.api.errors import (
    AuthenticationError,
    IncompleteListError,
    NotFoundError,
    PhonelinkError,
    VendorError,
)
from airflow_provider_phonelink.doctor.examination import attempt, with_source

if TYPE_CHECKING:
    from airflow_provider_phonelink.api.callingbox.models import Agent, AgentList, Number, NumberList
    from airflow_provider_phonelink.api.calls import Call, Flow

#: The pages of numbers, and of agents, that are read at most.
MOST_PAGES = 11
MOST_AGENT_PAGES = 2
#: How many agents are read singly that have numbers and are not in the list of agents.
MOST_SINGLY = 2
#: No agent has this id.
NOBODY = "phonelink-doctor"


@dataclass
class Readings:
    """All that was read. A field that is None was not asked for."""

    numbers: list[Number] = field(default_factory=list)
    complete: bool = True
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
    #: Whether the list of agents says that it goes on; None if it does not say.
    agents_have_more: bool | None = None
    agents_error: VendorError | None = None
    #: Agents that have numbers and are not in the list, each as it is read by its id; None if it does not exist.
    unlisted: dict[str, Agent | PhonelinkError | None] = field(default_factory=dict)


def read() -> Flow[Readings]:
    """Read it."""
    readings = Readings()
    yield from _numbers(readings)
    readings.of_one = yield from _count(limit=1)
    readings.of_no_count = yield from _count(limit=None)
    yield from _agents(readings)
    yield from _unlisted(readings)
    return readings


def holders(numbers: list[Number]) -> dict[str, list[Number]]:
    """Return the agents that numbers show, each with its numbers."""
    found: dict[str, list[Number]] = {}
    for number in numbers:
        for agent_id in (number.inbound_agent_id, *(number.outbound_agent_ids or ())):
            if agent_id:
                found.setdefault(agent_id, []).append(number)
    return found


def _numbers(readings: Readings) -> Flow[None]:
    first: Call[tuple[NumberList, Any]] = with_source(endpoints.list_numbers())
    page, readings.source = yield first
    readings.of_a_hundred = len(page.data)
    listing, pages = reads.Listing(), 1
    readings.numbers += _add(listing, page)
    try:
        while listing.goes_on and pages < MOST_PAGES:
            readings.numbers += yield from reads.next_numbers(listing)
            pages += 1
    except IncompleteListError as error:
        readings.stuck = error.with_traceback(None)
    readings.complete = not listing.goes_on


def _add(listing: reads.Listing, page: NumberList) -> list[Number]:
    more = len(page.data) == endpoints.LARGEST_PAGE if page.has_more is None else page.has_more
    certain = page.has_more is not None
    return listing.add(page.data, more, certain=certain, call=endpoints.list_numbers())


def _count(*, limit: int | None) -> Flow[int | PhonelinkError]:
    answer = yield from attempt(endpoints.list_numbers, limit=limit)
    return answer if isinstance(answer, PhonelinkError) else len(answer.data)


def _agents(readings: Readings) -> Flow[None]:
    listing = reads.Listing()
    try:
        for _ in range(MOST_AGENT_PAGES):
            call = endpoints.list_agents(None, listing.cursor)
            page: AgentList = yield call
            readings.agents += listing.add(page.data, bool(page.has_more), certain=True, call=call)
            readings.agents_have_more = page.has_more
            if not listing.goes_on:
                break
    except AuthenticationError:
        raise
    except VendorError as error:
        readings.agents_error = error.with_traceback(None)
    readings.agents_complete = not listing.goes_on


def _unlisted(readings: Readings) -> Flow[None]:
    """Read agents that are not in the list, or one that does not exist, whose refusal shows how errors are written."""
    listed = {agent.id for agent in readings.agents}
    missing = [agent_id for agent_id in holders(readings.numbers) if agent_id not in listed]
    if readings.agents_complete:
        for agent_id in missing[:MOST_SINGLY]:
            agent = yield from attempt(endpoints.get_agent, agent_id)
            readings.unlisted[agent_id] = None if isinstance(agent, NotFoundError) else agent
    yield from attempt(endpoints.get_agent, NOBODY)
