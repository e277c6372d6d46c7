"""Read a list that is read again and again, at the cost of what has changed in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pydantic_core

from airflow_provider_phonelink.api.dasha.models import PhoneNumberPage

if TYPE_CHECKING:
    from airflow_provider_phonelink.api.dasha.models import PhoneNumber


class PageMemory:
    """
    Reads pages; a number that is as it was at the last reading is the same object, and not validated again.

    Most of what it costs to look at ten thousand numbers is to make ten thousand models, to compare them with those
    of the last look, and to let the garbage collector see them all.
    """

    def __init__(self) -> None:
        #: What was sent and what it was read as, by id: of the last reading and of this one.
        self._before: dict[str, tuple[Any, PhoneNumber]] = {}
        self._now: dict[str, tuple[Any, PhoneNumber]] = {}

    def begin(self) -> None:
        """Begin a reading, and forget all but the last one."""
        self._before, self._now = self._now, {}

    def read(self, body: bytes) -> PhoneNumberPage:
        """Read a page; raises ValueError if it is none."""
        document = pydantic_core.from_json(body)
        items = document.get("items") if isinstance(document, dict) else None
        if not isinstance(items, list):
            return PhoneNumberPage.model_validate(document)  # which says what is wrong
        known = [self._known(item) for item in items]
        numbers = [entry[1] if entry else item for entry, item in zip(known, items, strict=True)]
        page = PhoneNumberPage.model_validate({**document, "items": numbers})
        for entry, item, number in zip(known, items, page.items, strict=True):
            # The old entry if there is one: what is made anew at each reading keeps the garbage collector busy.
            self._now[number.id] = entry or (item, number)
        return page

    def _known(self, item: Any) -> tuple[Any, PhoneNumber] | None:
        number_id = item.get("id") if isinstance(item, dict) else None
        entry = self._before.get(number_id) if isinstance(number_id, str) else None
        return entry if entry and entry[0] == item else None
