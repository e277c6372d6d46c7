"""
Readings of the vendors, shared by all who look.

Nothing is read while nobody looks. Whoever looks gets a reading that is at most half a minute old; one that is on its
way is waited for by all. While a vendor does not answer, its last reading stays, with the reason why it is stale.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from airflow_provider_phonelink.api.text import visible

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from airflow_provider_phonelink.decisions.fleet import Fleet

#: Seconds for which a reading is shown without asking the vendor again.
FRESH_FOR = 30.0
#: Seconds after a failure before the vendor is asked again, however many look in the meantime.
PAUSE_AFTER_A_FAILURE = 5.0
#: Seconds that a viewer waits for a reading on its way before the last one is shown instead.
PATIENCE = 8.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What is known of a connection's numbers."""

    #: None if no reading has succeeded yet.
    fleet: Fleet | None = None
    #: When the vendor was asked for it, in UTC.
    read_at: datetime | None = None
    #: Whether it is older than it should be.
    stale: bool = False
    #: Why there is no newer reading; None if there is nothing wrong.
    error: str | None = None


@dataclass
class _Kept:
    """What is kept of one connection."""

    reading: Reading = field(default_factory=Reading)
    #: When the next attempt may begin, on the monotonic clock.
    due: float = float("-inf")
    attempt: asyncio.Task[None] | None = None


class Readings:
    """
    The last reading of each connection, renewed when somebody looks.

    :param read: Reads the numbers of a connection, given by its id.
    :param clock: Seconds that only go forward.
    """

    def __init__(
        self, read: Callable[[str], Awaitable[Fleet]], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._read = read
        self._clock = clock
        self._kept: dict[str, _Kept] = {}

    async def of(self, conn_id: str, *, patience: float = PATIENCE) -> Reading:
        """
        Return a reading that is fresh or, if none is to be had in time, the last one with the reason.

        :param conn_id: The connection.
        :param patience: Seconds to wait for a reading on its way. It goes on after that, for the next who looks.
        """
        kept = self._kept.setdefault(conn_id, _Kept())
        if kept.attempt is None and self._clock() >= kept.due:
            kept.attempt = asyncio.create_task(self._renew(conn_id, kept))
        if kept.attempt is not None:
            await asyncio.wait({kept.attempt}, timeout=patience)
        return self._shown(kept)

    async def _renew(self, conn_id: str, kept: _Kept) -> None:
        began, now = self._clock(), datetime.now(timezone.utc)
        try:
            fleet = await self._read(conn_id)
        except Exception as error:  # whatever goes wrong, the page shows the reason
            _log.warning("The numbers of connection %s could not be read: %s", conn_id, error)
            kept.reading = replace(kept.reading, error=visible(str(error) or type(error).__name__))
            kept.due = self._clock() + PAUSE_AFTER_A_FAILURE
        else:
            kept.reading = Reading(fleet=fleet, read_at=now)
            kept.due = began + FRESH_FOR
        finally:
            kept.attempt = None

    def _shown(self, kept: _Kept) -> Reading:
        if kept.attempt is None:
            return replace(kept.reading, stale=kept.reading.error is not None)
        slow = "The vendor has not answered yet; the reading is still under way."
        return replace(kept.reading, stale=True, error=kept.reading.error or slow)
