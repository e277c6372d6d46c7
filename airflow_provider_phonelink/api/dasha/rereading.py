"""Read a list again at the cost of what has changed in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pydantic_core

from airflow_provider_phonelink.api.dasha.models import PhoneNumberPage
from airflow_provider_phonelink.api.uuids import plain_id

if TYPE_CHECKING:
    from airflow_provider_phonelink.api.dasha.models import PhoneNumber


class PageMemory:
    """
    Parses pages; a number that has not changed since the last reading is the same object and is not validated again.

    Most of the cost of reading ten thousand numbers lies in building ten thousand models, in comparing them with
    those of the last reading, and in the garbage collector's visits to all of them.
    """

    def __init__(self) -> None:
        #: By id, what was sent and the number parsed from it: in the last reading, and in this one.
        self._before: dict[str, tuple[Any, PhoneNumber]] = {}
        self._now: dict[str, tuple[Any, PhoneNumber]] = {}

    def begin(self) -> None:
        """Begin a reading; only the one before it is remembered."""
        self._before, self._now = self._now, {}

    def read(self, body: bytes) -> PhoneNumberPage:
        """Parse a page; raises ValueError if the body is not a page."""
        document = pydantic_core.from_json(body)
        items = document.get("items") if isinstance(document, dict) else None
        if not isinstance(items, list):
            return PhoneNumberPage.model_validate(document)  # raises, and says what is wrong
        known = [self._known(item) for item in items]
        numbers = [entry[1] if entry else item for entry, item in zip(known, items, strict=True)]
        page = PhoneNumberPage.model_validate({**document, "items": numbers})
        for entry, item, number in zip(known, items, page.items, strict=True):
            # Reuse the old entry: new objects at each reading keep the garbage collector busy.
            self._now[number.id] = entry or (item, number)
        return page

    def _known(self, item: Any) -> tuple[Any, PhoneNumber] | None:
        number_id = item.get("id") if isinstance(item, dict) else None
        entry = self._before.get(plain_id(number_id)) if isinstance(number_id, str) else None
        return entry if entry and entry[0] == item else None
