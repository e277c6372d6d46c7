"""Flows that read what takes several requests to Dasha BlackBox: whole lists, one pair, many numbers at once."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.api.calls import Parallel, as_flow
from airflow_provider_phonelink.api.dasha import endpoints
from airflow_provider_phonelink.api.dasha.paging import Listing
from airflow_provider_phonelink.api.e164 import e164, same_number
from airflow_provider_phonelink.api.errors import (
    AccessDeniedError,
    AuthenticationError,
    InconsistentListError,
    NotFoundError,
    PromiseError,
    UnreadableAnswerError,
    VendorError,
)
from airflow_provider_phonelink.api.text import clean
from airflow_provider_phonelink.api.uuids import is_uuid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from typing_extensions import Unpack

    from airflow_provider_phonelink.api.calls import Call, Flow
    from airflow_provider_phonelink.api.dasha.endpoints import Filters
    from airflow_provider_phonelink.api.dasha.models import PhoneNumber, PhoneNumberPage
    from airflow_provider_phonelink.api.dasha.rereading import PageMemory

T = TypeVar("T")
#: How many times a list is read that changes while it is read.
READINGS = 3
#: How many pages are requested at once.
MOST_AHEAD = 16

NumbersById: TypeAlias = "dict[str, PhoneNumber]"
#: A phone number and its credentials, in lower case: what is unique.
Pair: TypeAlias = "tuple[str, str]"


def all_numbers(
    *,
    phone_number: str | None = None,
    linked_agent_id: str | None = None,
    unlinked_only: bool | str = False,
    provider_id: str | None = None,
) -> Flow[list[PhoneNumber]]:
    """
    Read all numbers that match, in pages of 1,000.

    How the vendor applies the filters is not documented, so each match is checked: ``phone_number`` as written,
    ``linked_agent_id`` and ``unlinked_only`` by the inbound link, the only one that a number shows.

    :param phone_number: Only this phone number.
    :param linked_agent_id: Only numbers whose inbound calls go to this agent.
    :param unlinked_only: Only numbers whose inbound calls go to nobody.
    :param provider_id: Only numbers that this provider manages, a uuid.
    """
    filters = _checked_filters(phone_number, linked_agent_id, unlinked_only, provider_id)
    listing = yield from _scan(partial(_page, filters))
    return _matching(listing.numbers.values(), filters)


def next_numbers(listing: Listing, **filters: Unpack[Filters]) -> Flow[list[PhoneNumber]]:
    """
    Read the next page of a list, for a caller that does not want the whole list in memory.

    :param listing: The list so far: the same object for each page, made with ``keep=False``.
    :param filters: The parameters of :func:`all_numbers`.
    """
    checked = _checked_filters(**filters)
    call = _page(checked, listing.skip)
    page = yield call
    try:
        listing.add(page)
    except InconsistentListError as error:
        raise UnreadableAnswerError(f"the list {error}.", method=call.method, path=call.path) from None
    return _matching(listing.fresh, checked)


def find_number(phone_number: str, credentials_id: str) -> Flow[PhoneNumber | None]:
    """Find the number with exactly this (phone number, credentials) pair."""
    phone_number = arguments.phone_number("phone_number", phone_number)
    credentials_id = arguments.uuid("credentials_id", credentials_id)
    candidates = yield from all_numbers(phone_number=phone_number)
    found = [number for number in candidates if number.credentials_id == credentials_id]
    if len(found) > 1:
        raise _twice(phone_number, credentials_id, found)
    return found[0] if found else None


def _twice(phone_number: str, credentials_id: str, found: list[PhoneNumber]) -> PromiseError:
    ids = ", ".join(clean(number.id) for number in found)
    return PromiseError(
        f"{clean(phone_number)} exists {len(found)} times with credentials {credentials_id} (ids {ids}), although "
        "the vendor promises that this pair is unique. Nothing was changed; delete the duplicates."
    )


def find_in_another_notation(
    phone_number: str, credentials_id: str, *, thorough: bool = False
) -> Flow[PhoneNumber | None]:
    """
    Find a number with these credentials that is the same one, written in another way.

    :param thorough: Whether to read all numbers for it, rather than only those that are written in E.164.
    :raises PromiseError: If there are several.
    """
    plain = e164(phone_number)
    if plain is None or (plain == phone_number and not thorough):
        return None
    numbers = yield from all_numbers(phone_number=None if thorough else plain)
    found = [
        number
        for number in numbers
        if number.credentials_id == credentials_id
        and number.phone_number != phone_number
        and same_number(number.phone_number, phone_number)
    ]
    only = _only_one(phone_number, credentials_id, found)
    if isinstance(only, PromiseError):
        raise only
    return only


def find_pairs(pairs: Iterable[Pair]) -> Flow[dict[Pair, PhoneNumber | PromiseError | None]]:
    """
    Find many numbers by their (phone number, credentials) pairs, in this or another notation, with few requests.

    The list is read, unless reading the numbers singly takes fewer requests.

    :param pairs: Checked, credentials in canonical form.
    :return: For each pair its number, None if there is none, or the error if there are several.
    """
    wanted = list(dict.fromkeys(pairs))

    def cheaper_singly(so_far: Listing) -> bool:
        there = {_pair_of(number) for number in so_far.numbers.values()}
        # A number that is not there takes two requests: by its phone number, and by another notation.
        return 2 * sum(pair not in there for pair in wanted) <= so_far.pages_left(endpoints.LARGEST_PAGE)

    if not wanted:
        return {}
    listing = yield from _scan(partial(_page, {}), cheaper_singly)
    there: defaultdict[Pair | None, list[PhoneNumber]] = defaultdict(list)
    in_e164: defaultdict[Pair | None, list[PhoneNumber]] = defaultdict(list)
    for number in listing.numbers.values():
        there[_pair_of(number)].append(number)
        in_e164[_e164_pair(_pair_of(number))].append(number)
    found: dict[Pair, PhoneNumber | PromiseError | None] = {}
    for pair in wanted:
        if pair in there:
            found[pair] = there[pair][0] if len(there[pair]) == 1 else _twice(*pair, there[pair])
        elif listing.goes_on:
            found[pair] = yield from _find_singly(*pair)
        else:
            form = _e164_pair(pair)
            found[pair] = _only_one(pair[0], pair[1], in_e164[form] if form else [])
    return found


def _find_singly(phone_number: str, credentials_id: str) -> Flow[PhoneNumber | PromiseError | None]:
    try:
        number = yield from find_number(phone_number, credentials_id)
        return number or (yield from find_in_another_notation(phone_number, credentials_id))
    except PromiseError as error:
        return error


def _only_one(
    phone_number: str, credentials_id: str, found: list[PhoneNumber]
) -> PhoneNumber | PromiseError | None:
    if len(found) < 2:
        return found[0] if found else None
    return PromiseError(
        f"{clean(phone_number)} exists with credentials {credentials_id} in {len(found)} other notations: "
        f"{', '.join(number.label for number in found)}. Nothing was changed; delete the ones that are not used."
    )


def _pair_of(number: PhoneNumber) -> Pair:
    return number.phone_number, number.credentials_id


def _e164_pair(pair: Pair) -> Pair | None:
    plain = e164(pair[0])
    return None if plain is None else (plain, pair[1])


@dataclass(frozen=True)
class Reading:
    """The result of one look at many numbers."""

    #: Each requested id with its number, or None if there is no such number.
    numbers: dict[str, PhoneNumber | None]
    #: Requested ids whose own read failed. They are in this dict only.
    errors: dict[str, VendorError]
    #: Every number that was listed on the way, requested or not, by id.
    listed: NumbersById
    #: How many numbers the organisation has, if a list said so.
    total: int | None
    #: Whether all numbers were listed.
    complete: bool = False

    @property
    def refused(self) -> dict[str, VendorError]:
        """The errors of numbers that this key may not read: theirs alone, and no reason to ask again."""
        return {id_: error for id_, error in self.errors.items() if isinstance(error, AccessDeniedError)}


def read_numbers(
    number_ids: Iterable[str],
    known_total: int | None = None,
    pages: PageMemory | None = None,
    *,
    everything: bool = False,
) -> Flow[Reading]:
    """
    Read many numbers with as few requests as possible: singly, in pages of 1,000, or both.

    :param number_ids: Ids in canonical form.
    :param known_total: How many numbers the organisation has, if an earlier reading found out.
    :param pages: What is remembered of the last reading, if anything is.
    :param everything: Whether to list all numbers, whatever it costs. An id may then be one that was listed before and
        is no uuid: if it is not listed, there is no such number.
    """
    wanted = list(dict.fromkeys(number_ids))
    listing = Listing()
    listing.total = known_total

    def cheaper_singly(so_far: Listing) -> bool:
        missing = sum(number_id not in so_far.numbers for number_id in wanted)
        return missing <= so_far.pages_left(endpoints.LARGEST_PAGE)

    if everything or (len(wanted) > 1 and not (known_total is not None and cheaper_singly(listing))):
        page = partial(_page, {})
        if pages is not None:
            pages.begin()
            page = partial(_page, {}, read=pages.read)
        listing = yield from _scan(page, None if everything else cheaper_singly)
    reading = Reading({}, {}, listing.numbers, listing.total, complete=everything)
    for number_id in wanted:
        if everything and number_id not in listing.numbers and not is_uuid(number_id):
            reading.numbers[number_id] = None  # the list had it once, and it has no address of its own
            continue
        # A list may miss a number that moved between two pages. It is gone only if its own address answers 404.
        try:
            number = listing.numbers.get(number_id) or (yield endpoints.get_number(number_id))
        except NotFoundError:
            reading.numbers[number_id] = None
        except AuthenticationError:  # the key is everybody's
            raise
        except VendorError as error:
            reading.errors[number_id] = error
        else:
            reading.numbers[number_id] = number
    return reading


def _scan(
    page: Callable[[int], Call[PhoneNumberPage]], enough: Callable[[Listing], bool] | None = None
) -> Flow[Listing]:
    """Read pages until there are ``enough``, or to the end; start over if the list contradicts itself."""
    return (yield from consistently(lambda: _scan_once(page, enough), page(0)))


def consistently(read_once: Callable[[], Flow[T]], first: Call[Any]) -> Flow[T]:
    """
    Read a list; start over if it changed while it was read, so that some of it may have been missed.

    :param first: The call for its first page.
    :raises UnreadableAnswerError: If it contradicts itself each time.
    """
    for _ in range(READINGS):
        try:
            return (yield from read_once())
        except InconsistentListError as error:
            problem = str(error)
    raise UnreadableAnswerError(f"the list {problem}.", method=first.method, path=first.path)


def _scan_once(
    page: Callable[[int], Call[PhoneNumberPage]], enough: Callable[[Listing], bool] | None
) -> Flow[Listing]:
    listing = Listing()
    goes_on = listing.add((yield page(0)))
    while goes_on and not (enough and enough(listing)):
        # The first page gives the count, so the others can be requested in parallel, and any further ones one by one.
        # If the last page is full, the page after it is needed, too: only a page that is not full shows the end.
        to_the_end = enough is None and listing.page_size >= endpoints.LARGEST_PAGE
        end = (listing.total or 0) + to_the_end
        offsets = range(listing.skip, max(end, listing.skip + 1), listing.page_size)
        answers = yield Parallel([as_flow(page(skip)) for skip in offsets[:MOST_AHEAD]])
        for answer in answers:
            if goes_on:
                goes_on = listing.add(answer)
    return listing


def _page(
    filters: Mapping[str, Any], skip: int, read: Callable[[bytes], PhoneNumberPage] | None = None
) -> Call[PhoneNumberPage]:
    call = endpoints.list_numbers(**filters, skip=skip, take=endpoints.LARGEST_PAGE)
    return replace(call, read=read) if read else call


def _checked_filters(
    phone_number: str | None = None,
    linked_agent_id: str | None = None,
    unlinked_only: bool | str = False,
    provider_id: str | None = None,
) -> dict[str, Any]:
    return {
        "phone_number": phone_number,
        "linked_agent_id": (
            None if linked_agent_id is None else arguments.opaque_id("linked_agent_id", linked_agent_id)
        ),
        "unlinked_only": arguments.boolean("unlinked_only", unlinked_only),
        "provider_id": None if provider_id is None else arguments.uuid("provider_id", provider_id),
    }


def _matching(numbers: Iterable[PhoneNumber], filters: Mapping[str, Any]) -> list[PhoneNumber]:
    wanted = {name: value for name, value in filters.items() if value not in (None, False)}
    return [number for number in numbers if _matches(number, wanted)] if wanted else list(numbers)


def _matches(number: PhoneNumber, wanted: Mapping[str, Any]) -> bool:
    shown = {
        "phone_number": number.phone_number,
        "provider_id": number.provider_id,
        "linked_agent_id": number.incoming_calls_agent_id,
        "unlinked_only": number.incoming_calls_agent_id is None,
    }
    return all(shown[name] == value for name, value in wanted.items())
