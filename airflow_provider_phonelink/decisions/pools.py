"""The pool of a rotation: which numbers match a filter, and which of them may not be picked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeVar

from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.api.errors import InvalidArgumentError
from airflow_provider_phonelink.api.templates import parse_rendered
from airflow_provider_phonelink.api.text import as_text, clean, shown
from airflow_provider_phonelink.decisions.directory import Directory
from airflow_provider_phonelink.decisions.links import ListedNumber

T = TypeVar("T")

#: The keys of a filter.
POOL_FILTERS = ("provider_id", "display_name_prefix", "description_tag")


class DescribedNumber(Protocol):
    """A number with what a filter looks at."""

    @property
    def provider_id(self) -> str | None:
        """The provider that manages it."""

    @property
    def display_name(self) -> str | None:
        """The name that people gave it."""

    @property
    def description(self) -> str | None:
        """What people wrote about it."""


def checked_filter(argument: str, pool: object) -> dict[str, str]:
    """
    Return a filter, checked.

    :param argument: What the caller calls it.
    :raises InvalidArgumentError: If it is no dict, describes nothing, or by something unknown or empty.
    """
    if not isinstance(pool, Mapping):
        raise InvalidArgumentError(argument, f"is {type(pool).__name__}, not a dict of filters.")
    # Empty text, for instance from an empty XCom, would match every number of the organisation.
    wanted = {
        arguments.choice(argument, name, POOL_FILTERS): arguments.text(f"{argument}[{name!r}]", value)
        for name, value in pool.items()
    }
    if not wanted:
        raise InvalidArgumentError(argument, f"names no filter; use one of {', '.join(POOL_FILTERS)}.")
    if "provider_id" in wanted:
        wanted["provider_id"] = arguments.uuid(f"{argument}['provider_id']", wanted["provider_id"])
    return wanted


def belongs(number: DescribedNumber, wanted: Mapping[str, str]) -> bool:
    """Return whether a number matches all parts of a filter."""
    provider_id = wanted.get("provider_id")
    return (
        (provider_id is None or number.provider_id == provider_id)
        and (number.display_name or "").startswith(wanted.get("display_name_prefix", ""))
        and wanted.get("description_tag", "") in (number.description or "")
    )


def quarantine_of(value: object, *, uuids: bool) -> dict[str, str]:
    """
    Return the numbers in quarantine with the reason for each; an empty text where none is given.

    :param value: Ids and phone numbers, or a mapping of them to reasons; or text that stands for one of these.
    :param uuids: Whether the ids of numbers are uuids.
        A reason is free text: one that is no text is written out, and of a long one the first 500 characters are taken.
    :raises InvalidArgumentError: If it is anything else. None is refused, because an XCom that gave nothing must not
        set every number free.
    """
    found = parse_rendered("quarantine", value)
    if isinstance(found, Mapping):
        return {
            arguments.number_name("quarantine", name, uuids=uuids): _reason(reason)
            for name, reason in found.items()
        }
    if arguments.is_empty(found):
        return {}
    return dict.fromkeys(arguments.number_names("quarantine", found, uuids=uuids), "")


def _reason(value: object) -> str:
    if value is None:
        return ""
    is_plain = isinstance(value, (str, int, float))
    return clean(as_text(value) if is_plain else shown(value))


def by_id(values: Mapping[str, T], phone_numbers: Mapping[str, str | None]) -> dict[str, T]:
    """
    Return what is said of the numbers of a pool, by their ids.

    :param values: By id or by phone number in any notation, as arguments are checked. A phone number stands for all
        numbers of the pool that have it, whatever their credentials. Names that belong to none of them are left out.
    :param phone_numbers: By id, for all numbers of the pool.
    """
    directory = Directory(ListedNumber(id_, number) for id_, number in phone_numbers.items())
    return {
        number_id: value
        for name, value in values.items()
        for number_id in ([name] if name in phone_numbers else directory.with_phone_number(name))
    }


def skipped_in(
    unfit: Mapping[str, str], quarantine: Mapping[str, str], names: Mapping[str, str]
) -> dict[str, str]:
    """
    Return which numbers of a pool may not be picked, and what messages say of each.

    :param unfit: By id, for all numbers of the pool: why it cannot be used, or an empty text.
    :param quarantine: By id, the reason for it, or an empty text.
    :param names: By id, what messages call a number that exists.
    """
    found = {}
    for number_id, reason in unfit.items():
        held = ""
        if number_id in quarantine:
            why = clean(quarantine[number_id])
            held = f"in quarantine ({why})" if why else "in quarantine"
        if reason:
            found[number_id] = f"{reason}; {held}" if held else reason
        elif held:
            found[number_id] = f"{names.get(number_id, number_id)}: {held}"
    return found
