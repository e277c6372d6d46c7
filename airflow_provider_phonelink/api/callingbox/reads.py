"""Flows that read from CallingBox which agent has which number, from wherever an answer shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from airflow_provider_phonelink.api.callingbox import endpoints
from airflow_provider_phonelink.api.errors import IncompleteListError, UnreadableAnswerError

if TYPE_CHECKING:
    from airflow_provider_phonelink.api.callingbox.models import Agent, AgentList, Number, NumberList
    from airflow_provider_phonelink.api.calls import Call, Flow

ItemT = TypeVar("ItemT", "Agent", "Number")


class Page(Protocol[ItemT]):
    """A page of a list."""

    @property
    def data(self) -> list[ItemT]:
        """What is on it."""

    @property
    def last_id(self) -> str | None:
        """The id of the last one, as the vendor wrote it."""


class Attachment(NamedTuple):
    """An agent, and whether it has the number in question."""

    agent: Agent
    attached: bool


def attachment(agent_id: str, number_id: str) -> Flow[Attachment]:
    """Read an agent and whether it has a number, from the agent or, if the agent does not show it, from the number."""
    agent: Agent = yield endpoints.get_agent(agent_id)
    told = attached(agent, number_id)
    if told is None:
        number = yield from find_number(number_id)
        told = number is not None and _has(agent_id, number)
    return Attachment(agent, told)


def attached(agent: Agent | None, number_id: str) -> bool | None:
    """Return whether an answer shows the number at the agent; None if the answer does not say."""
    if agent is None or agent.numbers is None:
        return None
    return any(number.id == number_id for number in agent.numbers)


def find_number(number_id: str) -> Flow[Number | None]:
    """Find a number of the organisation by its id, on as few pages as it takes."""
    listing = Listing()
    while listing.goes_on:
        for number in (yield from next_numbers(listing)):
            if number.id == number_id:
                return number
    return None


def all_numbers() -> Flow[list[Number]]:
    """Read all numbers of the organisation."""
    listing, found = Listing(), []
    while listing.goes_on:
        found += yield from next_numbers(listing)
    return found


def next_numbers(listing: Listing) -> Flow[list[Number]]:
    """
    Read the next page of the numbers, for a caller that does not want the whole list in memory.

    :param listing: The list so far: the same object for each page.
    """
    call = endpoints.list_numbers(listing.cursor)
    answer: NumberList = yield call
    return listing.add(answer, is_followed(answer), certain=answer.has_more is not None, call=call)


def is_followed(page: NumberList) -> bool:
    """
    Return whether the page after this one has to be read.

    Where the vendor does not say, a short page may still be one of several: it may put fewer numbers on a page than
    were asked for. Only an answer with more of them is not paged.
    """
    return 0 < len(page.data) <= endpoints.LARGEST_PAGE if page.has_more is None else page.has_more


def holders(number: Number) -> tuple[str | None, list[str]]:
    """
    Return the inbound agent of a number and its outbound ones.

    :raises UnreadableAnswerError: If the number does not show them, so that nobody knows who has it.
    """
    if not number.tells_links:
        raise UnreadableAnswerError(
            f"the number {number.label} does not say where it is attached.",
            method="GET",
            path=endpoints.NUMBERS,
        )
    return number.inbound_agent_id or None, number.outbound_agent_ids or []


def all_agents(type: str | None = None) -> Flow[list[Agent]]:  # noqa: A002 - the vendor's name of the parameter
    """
    Read all agents of the organisation.

    :param type: ``inbound`` or ``outbound``; None for both.
    """
    listing, found = Listing(), []
    while listing.goes_on:
        call = endpoints.list_agents(type, listing.cursor)
        answer: AgentList = yield call
        found += listing.add(answer, bool(answer.has_more), certain=True, call=call)
    return found


class Listing:
    """A list whose pages are asked for by the last id of the page before."""

    def __init__(self) -> None:
        self.cursor: str | None = None
        #: Whether there is another page to read.
        self.goes_on = True
        self._seen: set[str] = set()

    def add(self, page: Page[ItemT], more: bool, *, certain: bool, call: Call[Any]) -> list[ItemT]:
        """
        Take the next page and return what was on no page before.

        :param more: Whether another page follows.
        :param certain: Whether the vendor said so; otherwise a page without anything new is the end.
        :raises IncompleteListError: If another page should follow and this one brought nothing new.
        """
        fresh = [item for item in page.data if item.id not in self._seen]
        self._seen.update(item.id for item in fresh)
        if more and page.data and not fresh and certain:
            raise IncompleteListError(
                f"the list does not go on after {len(self._seen)} entries, although it says that there are more: the "
                "vendor ignores `starting_after`.",
                method=call.method,
                path=call.path,
            )
        self.goes_on = more and bool(fresh)
        if fresh:
            self.cursor = page.last_id if fresh[-1] is page.data[-1] else fresh[-1].id
        return fresh


def _has(agent_id: str, number: Number) -> bool:
    if agent_id in (number.inbound_agent_id, *(number.outbound_agent_ids or [])):
        return True
    if not number.tells_links:
        raise UnreadableAnswerError(
            f"neither the agent nor the number {number.label} says where the number is attached.",
            method="GET",
            path="/v1/numbers",
        )
    return False
