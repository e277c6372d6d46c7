"""Pools given by a filter rather than by a list of ids: which numbers belong to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.api.errors import InvalidArgumentError

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
        (provider_id is None or (number.provider_id or "").lower() == provider_id)
        and (number.display_name or "").startswith(wanted.get("display_name_prefix", ""))
        and wanted.get("description_tag", "") in (number.description or "")
    )
