"""Which number a name stands for: an id, or a phone number in any notation."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.api.e164 import e164
from airflow_provider_phonelink.api.errors import InvalidArgumentError, NotNamedError
from airflow_provider_phonelink.api.labels import number_label
from airflow_provider_phonelink.api.text import clean
from airflow_provider_phonelink.api.uuids import plain_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_phonelink.decisions.links import ListedNumber


class Directory:
    """
    The numbers that routes and scopes can name.

    A phone number is first looked up exactly as it is written, because its format is up to the SIP provider. Only
    if no number is written that way are notations compared by their E.164 form.

    :param numbers: All numbers that may be named. Ids that are uuids are in lower case, as routes have them.
    """

    def __init__(self, numbers: Iterable[ListedNumber]) -> None:
        self.numbers = {number.id: number for number in numbers}
        #: What names were found to stand for: thousands of routes are gone through several times.
        self._looked_up: dict[str, list[str]] = {}
        self._as_written: defaultdict[str, list[str]] = defaultdict(list)
        for number in self.numbers.values():
            if number.phone_number:
                self._as_written[number.phone_number].append(number.id)

    def find(self, name: str, *, is_id: bool | None = None) -> str:
        """
        Return the id of the number that a name stands for.

        :param name: An id, a uuid in lower case, or a phone number.
        :param is_id: Whether it is an id; None if it may be either, in which case ids are tried first.
        :raises NotNamedError: If there is no such number, or if several have that phone number.
        """
        if is_id is not False:
            if name in self.numbers:
                return name
            if is_id:
                raise NotNamedError(f"there is no number with the id {clean(name)}")
        found = self.with_phone_number(name)
        if not found:
            raise NotNamedError(f"there is no number {clean(name)}, in this or another notation")
        if len(found) > 1:
            raise NotNamedError(
                f"{clean(name)} may be any of {len(found)} numbers, with the ids {', '.join(map(clean, found))}; name "
                "one by its id"
            )
        return found[0]

    def knows(self, name: str, *, is_id: bool | None = None) -> bool:
        """Return whether a name may stand for any of the numbers; see :meth:`find`."""
        if is_id is not False and name in self.numbers:
            return True
        return is_id is not True and bool(self.with_phone_number(name))

    def with_phone_number(self, name: str) -> list[str]:
        """Return the ids of all numbers that a phone number may stand for."""
        if name not in self._looked_up:
            self._looked_up[name] = self._as_written.get(name) or self._in_another_notation(name)
        return self._looked_up[name]

    def in_any_notation(self, name: str) -> list[str]:
        """Return the ids of all numbers that have this phone number, however it is written."""
        return list(dict.fromkeys([*self._as_written.get(name, ()), *self._in_another_notation(name)]))

    def plain_name(self, number_id: str) -> str:
        """
        Return the name to export: the phone number, or the id if a reader would not take that one for this number.

        Several numbers may have it, it may be an id, or it is refused, such as one that a spreadsheet spoilt before it
        came to the vendor.
        """
        try:
            phone_number = arguments.phone_number("number", self.numbers[number_id].phone_number)
            return phone_number if self.find(plain_id(phone_number)) == number_id else number_id
        except (InvalidArgumentError, NotNamedError):
            return number_id

    def label(self, number_id: str) -> str:
        """Return how a message refers to a number."""
        number = self.numbers.get(number_id)
        return number_label(number_id, number.phone_number if number else None)

    def _in_another_notation(self, name: str) -> list[str]:
        wanted = e164(name)
        return self._by_e164.get(wanted, []) if wanted else []

    @cached_property
    def _by_e164(self) -> dict[str, list[str]]:
        found: defaultdict[str, list[str]] = defaultdict(list)
        for number in self.numbers.values():
            if number.phone_number and (form := e164(number.phone_number)):
                found[form].append(number.id)
        return found
