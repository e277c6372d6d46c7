"""Assemble a list from its pages without trusting what the pages say about themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_phonelink.api.dasha.endpoints import LARGEST_PAGE
from airflow_provider_phonelink.api.errors import InconsistentListError

if TYPE_CHECKING:
    from airflow_provider_phonelink.api.dasha.models import PhoneNumber, PhoneNumberPage

#: A list with more pages than this counts as endless.
MOST_PAGES = 5_000


class Listing:
    """
    A list, as far as its pages have been read.

    Offsets shift while numbers are added and removed, so numbers are kept by id. ``totalCount`` may change or be
    wrong, so the list ends where the count matches the numbers seen, or where the pages run out.
    """

    def __init__(self, *, keep: bool = True) -> None:
        #: Numbers by id in lower case, in the vendor's order; empty if they are not to be kept.
        self.numbers: dict[str, PhoneNumber] = {}
        #: The numbers of the last page that were on no earlier page.
        self.fresh: list[PhoneNumber] = []
        #: Items read so far, repeated ones included: the offset of the next page.
        self.skip = 0
        #: The count that the last page gave.
        self.total: int | None = None
        #: How many items the vendor puts on a page; this may be fewer than requested.
        self.page_size = 1
        #: Whether there is another page to read.
        self.goes_on = True
        self._keep = keep
        self._seen: set[str] = set()
        self._pages = 0
        self._most_pages = 0

    def add(self, page: PhoneNumberPage) -> bool:
        """
        Take the next page and return whether there is another one to read.

        :raises InconsistentListError: If the list shrank while it was read, ended before its count was reached, or
            goes on far beyond it.
        """
        if page.total_count < (self.total or 0):
            raise InconsistentListError("shrank while it was read, so that some of it may have been missed")
        by_id = {number.id: number for number in page.items}
        fresh = {number_id: number for number_id, number in by_id.items() if number_id not in self._seen}
        self._seen.update(fresh)
        self.fresh = list(fresh.values())
        if self._keep:
            self.numbers.update(fresh)
        self.skip += len(page.items)
        self.total = page.total_count
        self.page_size = max(self.page_size, len(page.items))
        self._pages += 1
        if not self._most_pages:
            # Twice as many as the first page suggests, and some more: a list may grow while it is read.
            expected = -(-page.total_count // max(1, len(page.items)))
            self._most_pages = min(10 + 2 * expected, MOST_PAGES)
        self.goes_on = self._is_more_to_come(page)
        return self.goes_on

    def pages_left(self, size: int) -> int:
        """Return how many pages of ``size`` items are left, as far as is known."""
        return -(-max(0, (self.total or 0) - self.skip) // size)

    def _is_more_to_come(self, page: PhoneNumberPage) -> bool:
        seen, total = len(self._seen), page.total_count
        full = len(page.items) >= min(page.take, LARGEST_PAGE) > 0
        if seen == total and not full:
            return False
        if self.fresh:
            # The count may be wrong: only a page that is not full, or has nothing new, is the end.
            if self._pages < self._most_pages:
                return True
            raise InconsistentListError(f"does not end: {seen} numbers in {self._pages} pages")
        if seen >= total:
            return False
        raise InconsistentListError(
            f"says it has {total} numbers, but its pages gave {seen} different ones in {self.skip} items; somebody may "
            "be adding or removing numbers right now"
        )
