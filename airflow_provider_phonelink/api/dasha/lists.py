"""Flows that read the lists of what numbers refer to: SIP credentials and agents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from airflow_provider_phonelink.api.dasha import endpoints
from airflow_provider_phonelink.api.dasha.reads import consistently
from airflow_provider_phonelink.api.errors import InconsistentListError, UnreadableAnswerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_phonelink.api.calls import Call, Flow
    from airflow_provider_phonelink.api.dasha.models import Agent, SipCredentials

T = TypeVar("T")
#: A list with more pages than this counts as endless.
MOST_PAGES = 1_000
#: Agents come with their whole configuration, so that few of them make a page.
AGENTS_ON_A_PAGE = 100


def all_credentials() -> Flow[list[SipCredentials]]:
    """Read all SIP credentials of the organisation, without their passwords."""
    take = endpoints.LARGEST_PAGE
    return (
        yield from _all(
            lambda skip: endpoints.list_credentials(skip=skip, take=take), take, lambda one: one.id
        )
    )


def all_agents() -> Flow[list[Agent]]:
    """Read all agents of the organisation, whether the vendor pages them or not."""
    take = AGENTS_ON_A_PAGE
    return (
        yield from _all(
            lambda skip: endpoints.list_agents(skip=skip, take=take), take, lambda one: one.agent_id
        )
    )


def _all(page_at: Callable[[int], Call[Any]], take: int, id_of: Callable[[T], str]) -> Flow[list[T]]:
    return (yield from consistently(lambda: _once(page_at, take, id_of), page_at(0)))


def _once(page_at: Callable[[int], Call[Any]], take: int, id_of: Callable[[T], str]) -> Flow[list[T]]:
    """
    Read all pages, each from the last item of the one before.

    An array has no count that would show that it shrank: if its next page begins with another item, it did.
    """
    found: dict[str, T] = {}
    skip = largest = 0
    for _ in range(MOST_PAGES):
        # Where a page has a single item, there is none to spare for that.
        overlap = min(1, skip) if largest > 1 else 0
        page = yield page_at(skip - overlap)
        items = {id_of(item): item for item in page.items}
        # A vendor that does not page begins at the beginning each time.
        if overlap and next(iter(items), None) not in (next(reversed(found)), next(iter(found))):
            raise InconsistentListError("changed while it was read, so that some of it may have been missed")
        is_new, total = bool(items.keys() - found.keys()), page.total_count
        found.update(items)
        skip += len(page.items) - overlap
        largest = max(largest, len(page.items))
        if not is_new and len(found) < (total or 0):
            raise InconsistentListError(f"says it has {total} items, but its pages gave {len(found)}")
        # A short page may be one of several, as the vendor may put fewer items on a page than were asked for. An array
        # with more of them is not paged.
        ends = len(page.items) > take if total is None else len(found) == total and len(page.items) < take
        if ends or not is_new:
            return list(found.values())
    raise UnreadableAnswerError(
        f"the list goes on after {MOST_PAGES} pages.", method="GET", path=page_at(0).path
    )
