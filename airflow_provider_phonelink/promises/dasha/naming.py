"""Find the numbers that a task names: by id, or by phone number in any notation, as routes do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from airflow_provider_phonelink.api import arguments, patience
from airflow_provider_phonelink.api.dasha import reads
from airflow_provider_phonelink.api.dasha.paging import Listing
from airflow_provider_phonelink.api.errors import NotNamedError
from airflow_provider_phonelink.api.text import listed
from airflow_provider_phonelink.api.uuids import is_uuid
from airflow_provider_phonelink.decisions.directory import Directory
from airflow_provider_phonelink.decisions.links import ListedNumber

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.api.dasha.models import PhoneNumber

T = TypeVar("T")
#: Stands for a number that is not known yet.
ANY_NUMBER = "00000000-0000-4000-8000-000000000000"


def directory_of(numbers: Iterable[PhoneNumber]) -> Directory:
    """Return the numbers that can be named."""
    listed_numbers = (
        ListedNumber(
            number.id,
            number.phone_number,
            number.provider_id,
            number.credentials_id,
        )
        for number in numbers
    )
    return Directory(listed_numbers)


class Named(NamedTuple):
    """What a look at names found."""

    #: The id that each name stands for, in the order of the names.
    ids: dict[str, str]
    #: The numbers that had to be read for it, by id.
    read: dict[str, PhoneNumber]


def number_named(
    name: object, argument: str = "phone_number_id", *, credentials_id: str | None = None
) -> Flow[str]:
    """Return the id of a number; see :func:`numbers_named`."""
    checked = arguments.number_name(argument, name, uuids=True)
    named = yield from numbers_named([checked], argument, credentials_id=credentials_id)
    return named.ids[checked]


def numbers_named(names: object, argument: str, *, credentials_id: str | None = None) -> Flow[Named]:
    """
    Find numbers by what names them, with one request if a phone number is among the names and all fit on a page.

    A phone number is looked up as written and, only if none is written so, by its E.164 form. One that is not there
    is looked for again during ten seconds, because it may be new.

    :param names: An id or phone number, or several.
    :param argument: What the caller calls them.
    :param credentials_id: The SIP credentials of numbers that are named by phone number.
    :raises InvalidArgumentError: If a name is neither an id nor a phone number; nothing was sent.
    :raises NotNamedError: If a phone number belongs to no number, or to several.
    """
    wanted = arguments.number_names(argument, names, uuids=True)
    if credentials_id is not None:
        credentials_id = arguments.uuid("credentials_id", credentials_id)
    phone_numbers = [name for name in wanted if not is_uuid(name)]
    if not phone_numbers:
        return Named({name: name for name in wanted}, {})

    def look() -> Flow[tuple[list[PhoneNumber], Directory]]:
        numbers = yield from _listed(phone_numbers)
        eligible = (number for number in numbers if credentials_id in (None, number.credentials_id))
        return numbers, directory_of(eligible)

    numbers, directory = yield from patience.until(
        lambda seen: all(map(seen[1].with_phone_number, phone_numbers)), look
    )
    ids = _ids(wanted, directory, argument, credentials_id)
    return Named(ids, {number.id: number for number in numbers})


def numbers_there(names: Sequence[str], argument: str) -> Flow[Named]:
    """
    Find numbers by what names them, with one look; names that belong to no number are missing from the ids.

    :param names: Ids and phone numbers, checked.
    :raises NotNamedError: If a phone number belongs to several numbers.
    """
    phone_numbers = [name for name in names if not is_uuid(name)]
    numbers = (yield from _listed(phone_numbers)) if phone_numbers else []
    directory = directory_of(numbers)
    there = [name for name in names if is_uuid(name) or directory.with_phone_number(name)]
    return Named(_ids(there, directory, argument, None), {number.id: number for number in numbers})


def find_for(
    promise: Callable[[str], Flow[Any]],
    name: object,
    argument: str = "phone_number_id",
    *,
    credentials_id: str | None = None,
) -> Flow[str]:
    """
    Return the id of a number, once a flow has found its other arguments in order: nothing is sent otherwise.

    :param promise: Returns the flow for an id. It checks its arguments before its first step, and goes no further.
    """
    check = promise(ANY_NUMBER)
    next(check, None)
    check.close()
    return (yield from number_named(name, argument, credentials_id=credentials_id))


def for_number(promise: Callable[[str], Flow[T]], name: str, *, credentials_id: str | None = None) -> Flow[T]:
    """
    Carry out a flow for the number that a name stands for.

    :param promise: Returns the flow for an id.
    """
    if credentials_id is None and isinstance(name, str) and is_uuid(name):
        # It checks its other arguments before it sends anything, and nothing is sent to find the number.
        return (yield from promise(name.lower()))
    number_id = yield from find_for(promise, name, "number_id", credentials_id=credentials_id)
    return (yield from promise(number_id))


def _listed(phone_numbers: Sequence[str]) -> Flow[list[PhoneNumber]]:
    """Read all numbers that the phone numbers may stand for: one page, if it has all numbers."""
    listing = Listing()
    numbers = yield from reads.next_numbers(listing)
    if not listing.goes_on:
        return numbers
    if len(phone_numbers) == 1:
        as_written = yield from reads.all_numbers(phone_number=phone_numbers[0])
        if as_written:
            return as_written
    return (yield from reads.all_numbers())


def _ids(
    wanted: Sequence[str], directory: Directory, argument: str, credentials_id: str | None
) -> dict[str, str]:
    ids, problems = {}, []
    for name in wanted:
        try:
            ids[name] = name if is_uuid(name) else directory.find(name, is_id=False)
        except NotNamedError as error:
            problems.append(str(error))
    if problems:
        whose = f" with the credentials {credentials_id}" if credentials_id else ""
        raise NotNamedError(f"{argument}{whose}: {listed(problems)}. Nothing was changed.")
    return ids
