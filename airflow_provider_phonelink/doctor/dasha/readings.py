"""What the doctor reads of Dasha BlackBox, in at most twenty requests for a thousand numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from airflow_provider_phonelink.api.calls import as_flow
from airflow_provider_phonelink.api.dasha import endpoints
from airflow_provider_phonelink.api.dasha.paging import Listing
from airflow_provider_phonelink.api.errors import (
    AuthenticationError,
    InconsistentListError,
    NoAnswerError,
    PhonelinkError,
    VendorError,
)
from airflow_provider_phonelink.doctor.examination import answered, attempt, with_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from airflow_provider_phonelink.api.calls import Call, Flow
    from airflow_provider_phonelink.api.dasha.models import (
        AffectedAgent,
        AffectedAgents,
        Agent,
        AgentPage,
        CredentialsUsers,
        PhoneNumber,
        PhoneNumberPage,
        SipCredentialsPage,
    )

#: The pages of 1,000 numbers, and of 100 agents, that are read at most.
MOST_PAGES = 10
MOST_AGENT_PAGES = 3
#: How often a list of numbers is read that changes while it is read.
READINGS = 2
#: The requests for an account of up to a thousand numbers.
MOST_REQUESTS = 20
#: How many of them are kept for the users of single numbers, and for the filters by links.
LEAST_SINGLY = 3
LINK_FILTERS = 2
#: How many credentials' users are read in any case, if there are so many.
LEAST_CREDENTIALS = 4
AGENTS_ON_A_PAGE = 100
#: How many numbers' bodies are kept as they came.
SAMPLE = 20

Page: TypeAlias = "PhoneNumberPage | PhonelinkError | None"


@dataclass
class AgentsRead:
    """The agents, and how the vendor lists them."""

    agents: list[Agent] = field(default_factory=list)
    complete: bool = False
    error: PhonelinkError | None = None
    requests: int = 0
    #: The vendor's count of them; None if it lists them as an array.
    total: int | None = None
    #: How many came where one was asked for; None if there are too few to tell.
    where_one_was_asked_for: int | None = None


@dataclass
class Readings:
    """All that was read. A field that is None was not asked for."""

    numbers: list[PhoneNumber] = field(default_factory=list)
    total: int = 0
    complete: bool = True
    #: Why the numbers were not read to the end; None if they were, or are too many.
    broken_off: PhonelinkError | None = None
    #: How many pages of numbers were asked for, in all readings of the list.
    pages: int = 0
    #: The first numbers as they came.
    sample: list[dict[str, Any]] = field(default_factory=list)
    #: A piece of a phone number that was asked for with the filter, and what came.
    by_beginning: tuple[str, Page] | None = None
    by_end: tuple[str, Page] | None = None
    credentials: SipCredentialsPage | PhonelinkError | None = None
    #: By the credentials' id.
    users: dict[str, CredentialsUsers | PhonelinkError] = field(default_factory=dict)
    #: The users of single numbers, where reads by credentials left them open.
    singly: list[AffectedAgents] = field(default_factory=list)
    agents: AgentsRead = field(default_factory=AgentsRead)
    #: A number that only calls out, and its agent; None if none was found.
    only_outbound: tuple[PhoneNumber, AffectedAgent] | None = None
    #: What the filters let through, where they were tried with that number.
    unlinked: Page = None
    linked: Page = None

    def all_users(self) -> Iterable[AffectedAgents]:
        """Return who uses the numbers, as far as it was read."""
        for users in self.users.values():
            if found := answered(users):
                yield from found.phone_numbers
        yield from self.singly

    def without_users(self) -> list[PhoneNumber]:
        """Return the numbers whose users no answer showed."""
        seen = {users.id for users in self.all_users()}
        return [number for number in self.numbers if number.id not in seen]

    @property
    def spare(self) -> int:
        """How many requests are left for the users of numbers."""
        filters, credentials = 2, 1
        sent = self.pages + filters + self.agents.requests + credentials + len(self.users)
        return MOST_REQUESTS - sent - LINK_FILTERS


def read() -> Flow[Readings]:
    """
    Read it.

    :raises PhonelinkError: If nothing can be read.
    """
    readings = Readings()
    yield from _numbers(readings)
    yield from _filter(readings)
    readings.agents = yield from _agents()
    readings.credentials = yield from attempt(endpoints.list_credentials)
    rest_refused = readings.agents.error and isinstance(readings.credentials, PhonelinkError)
    if readings.broken_off and not readings.numbers and rest_refused:
        raise readings.broken_off
    yield from _users(readings)
    yield from _link_filters(readings)
    return readings


def _numbers(readings: Readings) -> Flow[None]:
    """Read the numbers, and once more if they change meanwhile: some of them may have been missed."""
    for _ in range(READINGS):
        listing = Listing()
        readings.broken_off = None
        try:
            yield from _pages(listing, readings)
        except (AuthenticationError, NoAnswerError):
            raise
        except PhonelinkError as error:
            readings.broken_off = error.with_traceback(None)
        readings.numbers = list(listing.numbers.values())
        readings.total = listing.total or 0
        readings.complete = not listing.goes_on and readings.broken_off is None
        if not isinstance(readings.broken_off, InconsistentListError):
            break


def _pages(listing: Listing, readings: Readings) -> Flow[None]:
    for _ in range(MOST_PAGES):
        call = endpoints.list_numbers(skip=listing.skip, take=endpoints.LARGEST_PAGE)
        readings.pages += 1
        page, source = yield from with_source(as_flow(call))
        readings.sample += source["items"][: SAMPLE - len(readings.sample)]
        if not listing.add(page):
            break


def _filter(readings: Readings) -> Flow[None]:
    """Ask for pieces of a phone number, of which an exact filter knows nothing."""
    longest = max((number.phone_number for number in readings.numbers), key=len, default="")
    beginning, end = longest[:-1].strip(), longest[2:].strip()
    if not beginning or not end:
        return
    for name, piece in (("by_beginning", beginning), ("by_end", end)):
        page = yield from attempt(_numbers_written, piece)
        setattr(readings, name, (piece, page))


def _numbers_written(text: str, *, unlinked_only: bool = False, take: int = 20) -> Call[PhoneNumberPage]:
    """Filter by a phone number as the vendor wrote it, or by a piece of one, whatever notation that seems to be in."""
    call = endpoints.list_numbers(unlinked_only=unlinked_only, take=take)
    return replace(call, params={**call.params, "phoneNumber": text})


def _agents() -> Flow[AgentsRead]:
    found, skip = AgentsRead(), 0
    for _ in range(MOST_AGENT_PAGES):
        found.requests += 1
        page: AgentPage | PhonelinkError = yield from attempt(
            endpoints.list_agents, skip=skip, take=AGENTS_ON_A_PAGE
        )
        if isinstance(page, PhonelinkError):
            found.error = page
            return found
        known = {agent.agent_id for agent in found.agents}
        fresh = [agent for agent in page.items if agent.agent_id not in known]
        found.agents += fresh
        found.total = page.total_count
        skip += len(page.items)
        if found.total is not None:
            found.complete = len(found.agents) >= found.total
        else:  # a short array may be one of several; only one that is longer than what was asked for is not cut
            found.complete = not fresh or len(page.items) > AGENTS_ON_A_PAGE
        if found.complete or not fresh:
            break
    if found.total is None and len(found.agents) > 1:
        found.requests += 1
        one = answered((yield from attempt(endpoints.list_agents, take=1)))
        found.where_one_was_asked_for = len(one.items) if one else None
    return found


def _users(readings: Readings) -> Flow[None]:
    """Read who uses the numbers of the largest credentials; a few numbers' users where that leaves them open."""
    sizes = Counter(number.credentials_id for number in readings.numbers)
    for credentials_id, _ in sizes.most_common(max(LEAST_CREDENTIALS, readings.spare - LEAST_SINGLY)):
        users = yield from attempt(endpoints.credentials_users, credentials_id)
        readings.users[credentials_id] = users
        if isinstance(users, VendorError):
            break
    for number in _left_open(readings)[: max(LEAST_SINGLY, readings.spare)]:
        users_of_one = yield from attempt(endpoints.affected_agents, number.id)
        if not isinstance(users_of_one, PhonelinkError):
            readings.singly.append(users_of_one)
        elif users_of_one.retry_helps:  # which is not about this number, and each one would be tried twice
            break


def _left_open(readings: Readings) -> list[PhoneNumber]:
    """Return numbers whose users were not seen: first those that should have been, and that nobody answers."""
    return sorted(
        readings.without_users(),
        key=lambda number: (
            number.credentials_id not in readings.users,
            number.incoming_calls_agent_id is not None,
        ),
    )


def _link_filters(readings: Readings) -> Flow[None]:
    """Ask both filters for a number that somebody calls out with, and that nobody answers."""
    readings.only_outbound = _only_outbound(readings.numbers, readings.all_users())
    if readings.only_outbound is None:
        return
    number, agent = readings.only_outbound
    many = endpoints.LARGEST_PAGE
    readings.unlinked = yield from attempt(
        _numbers_written, number.phone_number, unlinked_only=True, take=many
    )
    readings.linked = yield from attempt(endpoints.list_numbers, linked_agent_id=agent.agent_id, take=many)


def _only_outbound(
    numbers: Sequence[PhoneNumber], users: Iterable[AffectedAgents]
) -> tuple[PhoneNumber, AffectedAgent] | None:
    unanswered = {number.id: number for number in numbers if number.incoming_calls_agent_id is None}
    for affected in users:
        number = unanswered.get(affected.id)
        # Whatever the vendor calls it: it is no inbound link.
        if number and affected.affected_agents:
            return number, affected.affected_agents[0]
    return None
