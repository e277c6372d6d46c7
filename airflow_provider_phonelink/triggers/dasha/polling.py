"""
Poll once for all waits on the same connection.

All waits of a triggerer process on one connection share a poller: it reads all their numbers together when the
first wait is due, and wakes only the waits for which something has changed that they depend on. A thousand waits
cost the vendor no more requests than one.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import math
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from operator import attrgetter
from typing import TYPE_CHECKING, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

from airflow_provider_phonelink.decisions.waiting import next_interval
from airflow_provider_phonelink.metrics import measure_oldest_wait

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

    from airflow_provider_phonelink.api.calls import Flow
    from airflow_provider_phonelink.api.dasha.models import PhoneNumber
    from airflow_provider_phonelink.api.dasha.reads import Reading
    from airflow_provider_phonelink.api.dasha.settings import DashaSettings
    from airflow_provider_phonelink.api.errors import VendorError

_log = logging.getLogger(__name__)

T = TypeVar("T")

Member: TypeAlias = "Callable[[PhoneNumber], bool]"

#: A wait joins a poll that comes early by up to this fraction of its interval.
JOIN_TOLERANCE = 0.1


@dataclass(frozen=True)
class Schedule:
    """How often a wait needs a poll; see :func:`.decisions.waiting.next_interval`."""

    poll_interval: float
    exponential_backoff: bool = False
    max_wait: float | None = None

    def interval(self, polls: int) -> float:
        """Return the seconds until the next poll after ``polls`` polls."""
        return next_interval(
            self.poll_interval, polls, exponential_backoff=self.exponential_backoff, max_wait=self.max_wait
        )


@dataclass(frozen=True)
class Latest:
    """The result of the last successful poll for a wait."""

    __slots__ = ("at", "numbers", "refused", "settings")

    numbers: dict[str, PhoneNumber | None]
    #: The vendor's errors for numbers that this key may not read.
    refused: dict[str, VendorError]
    settings: DashaSettings
    #: When the poll was made.
    at: datetime


Matters: TypeAlias = "Callable[[Latest], object]"
_numbers: Matters = attrgetter("numbers", "refused")


class Subscription:
    """What a poller provides to one wait: the latest state of its numbers, and a wake-up when it has to look."""

    # There may be ten thousand of these, so they are small and wait on a future rather than in a task of their own.
    __slots__ = (
        "_hurry",
        "_interval",
        "_mattered",
        "_matters",
        "_news",
        "_polls",
        "_schedule",
        "_waiter",
        "began",
        "due",
        "each_look",
        "error",
        "failed_polls",
        "latest",
        "member",
        "number_ids",
    )

    def __init__(
        self,
        number_ids: Sequence[str],
        schedule: Schedule,
        now: float,
        member: Member | None = None,
        matters: Matters | None = None,
        began: float | None = None,
    ) -> None:
        #: When the wait began, as a Unix time; None for one that is not meant to end.
        self.began = began
        #: With ``member``, the numbers found so far.
        self.number_ids = number_ids
        #: Whether a number belongs to this wait; None if the wait is for given ids.
        self.member = member
        #: None before the first successful poll.
        self.latest: Latest | None = None
        #: The last poll's error; None if it succeeded.
        self.error: Exception | None = None
        self.failed_polls = 0
        #: Whether every successful poll wakes the wait, because its verdicts depend on the time that has passed.
        self.each_look = False
        self._matters = matters or _numbers
        self._mattered: object = None
        self._schedule = schedule
        self._polls = 1
        self._interval = schedule.interval(1)
        self._hurry = False
        self._news = False
        self._waiter: asyncio.Future[None] | None = None
        self.due = now + self._interval

    async def news(self, timeout: float) -> bool:
        """Wait until what matters changes or a poll fails; False if neither happens within ``timeout`` seconds."""
        if not self._news:
            loop = asyncio.get_running_loop()
            self._waiter = loop.create_future()
            timer = loop.call_later(timeout, self._wake)
            try:
                await self._waiter
            finally:
                timer.cancel()
                self._waiter = None
        news, self._news = self._news, False
        return news

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def is_due(self, now: float) -> bool:
        """Return whether a poll is due, or nearly enough to join one."""
        return self._hurry or self.due <= now + JOIN_TOLERANCE * self._interval

    def hurry(self) -> None:
        """Ask for a poll at once, and for a wake-up even if nothing has changed."""
        self._hurry = True

    def take(self, reading: Reading, settings: DashaSettings, now: float, at: datetime) -> None:
        """Take the result of a poll, if it has all of this wait's numbers."""
        if self.member and not self._find_members(reading):
            return
        refused, failed = {}, []
        if reading.errors:
            refused = {id_: error for id_, error in reading.refused.items() if id_ in self.number_ids}
            failed = [
                reading.errors[id_] for id_ in self.number_ids if id_ in reading.errors.keys() - refused
            ]
        if failed:
            if self.is_due(now):  # a read for another wait does not count against this one
                self.fail(failed[0], now)
            return
        try:
            numbers = {
                number_id: reading.numbers[number_id]
                if number_id in reading.numbers
                else reading.listed[number_id]
                for number_id in self.number_ids
                if number_id not in refused
            }
        except KeyError:  # the poll was for another wait, and the list did not have all of them
            return
        self.latest = Latest(numbers, refused, settings, at)
        mattered, self._mattered = self._mattered, self._matters(self.latest)
        self.error, self.failed_polls = None, 0
        self._polled(now, news=self.each_look or mattered != self._mattered)

    def _find_members(self, reading: Reading) -> bool:
        """Find out which numbers belong to this wait now; False if the poll does not show that."""
        absent = [number_id for number_id in self.number_ids if number_id not in reading.listed]
        looked_up = reading.numbers.keys() | reading.errors.keys()
        if self.member is None or not reading.complete or not looked_up.issuperset(absent):
            return False
        found = [number_id for number_id, number in reading.listed.items() if self.member(number)]
        # A number that is gone is reported once, if it was there before.
        there = {
            number_id
            for number_id in self.number_ids
            if self.latest is None or self.latest.numbers.get(number_id)
        }
        self.number_ids = [
            *found,
            *(id_ for id_ in absent if id_ in there or id_ in reading.errors or reading.numbers[id_]),
        ]
        return True

    def fail(self, error: Exception, now: float) -> None:
        """Take a failed poll."""
        self.error = error
        self.failed_polls += 1
        self._polled(now, news=True)

    def _polled(self, now: float, *, news: bool) -> None:
        if self.is_due(now):  # an early poll for another wait does not make the intervals grow
            self._polls += 1
        self._interval = self._schedule.interval(self._polls)
        self.due = now + self._interval
        if news or self._hurry:
            self._news = True
            self._wake()
        self._hurry = False


class Poller:
    """Polls for all subscriptions to one connection, as long as there are any."""

    def __init__(self, dasha_conn_id: str) -> None:
        from airflow_provider_phonelink.api.dasha.rereading import PageMemory
        from airflow_provider_phonelink.hooks.dasha import DashaHook

        # A failed poll is not repeated: the next one is the retry.
        self._hook = DashaHook(dasha_conn_id, max_retries=0)
        self._pages = PageMemory()
        self._settings: DashaSettings | None = None
        self.subscriptions: set[Subscription] = set()
        self._total: int | None = None
        self._nudge = asyncio.Event()
        #: When the poller checks again which waits are due, if it is asleep.
        self._wakes = -math.inf
        self._task: asyncio.Task[None] | None = None

    @property
    def max_failed_polls(self) -> int:
        """How many failed polls in a row the connection tolerates."""
        return self._hook.max_failed_polls

    async def run(self, flow: Flow[T]) -> T:
        """Carry out a flow of one of the subscribers, with the client that polls."""
        return await self._hook.arun(flow)

    def join(self, subscription: Subscription) -> None:
        """Add a wait."""
        self.subscriptions.add(subscription)
        if self._task is None:
            # In a context of its own, so that it does not log as the wait that happened to come first.
            self._task = contextvars.Context().run(
                asyncio.get_running_loop().create_task, self._poll_forever()
            )
        if subscription.due < self._wakes:
            self.nudge()

    async def leave(self, subscription: Subscription) -> None:
        """Remove a wait, and stop after the last one."""
        self.subscriptions.discard(subscription)
        if subscription.began is not None:
            self._measure_waits()  # a gauge keeps its last value: the end of the oldest wait has to be told
        if not self.subscriptions and self._task is not None:
            task, self._task = self._task, None
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self._hook.aclose()

    def nudge(self) -> None:
        """Make the poller check again which waits are due."""
        self._nudge.set()

    async def _poll_forever(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._nudge.clear()
            now = loop.time()
            due = [subscription for subscription in self.subscriptions if subscription.is_due(now)]
            if due:
                await self._poll(due)
                continue
            self._wakes = min((subscription.due for subscription in self.subscriptions), default=math.inf)
            await self._sleep(None if self._wakes == math.inf else max(0.0, self._wakes - now))
            self._wakes = -math.inf

    async def _sleep(self, seconds: float | None) -> None:
        try:
            await asyncio.wait_for(self._nudge.wait(), seconds)
        except asyncio.TimeoutError:
            return

    def _measure_waits(self) -> None:
        now = time.time()
        begins = [one.began for one in self.subscriptions if one.began is not None]
        measure_oldest_wait(self._hook.conn_id, now - min(begins, default=now))

    async def _poll(self, due: Iterable[Subscription]) -> None:
        from airflow_provider_phonelink.api.dasha.reads import read_numbers

        now = asyncio.get_running_loop().time
        if any(one.began is not None for one in self.subscriptions):
            self._measure_waits()
        wanted = [number_id for subscription in due for number_id in subscription.number_ids]
        everything = any(subscription.member for subscription in due)
        try:
            settings = await self._hook.arefresh()
            reading = await self._hook.arun(
                read_numbers(wanted, self._total, self._pages, everything=everything)
            )
        except Exception as error:  # whatever it is, every wait that is due has to learn of it
            _log.debug("A poll failed", exc_info=True)
            for subscription in due:
                subscription.fail(error, now())
        else:
            self._total = reading.total
            if settings == self._settings:
                settings = self._settings  # the same object, so that comparing them again is cheap
            self._settings = settings
            at = datetime.now(timezone.utc)
            for subscription in tuple(self.subscriptions):
                subscription.take(reading, settings, now(), at)


_pollers: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Poller]] = WeakKeyDictionary()


@asynccontextmanager
async def subscribed(
    dasha_conn_id: str,
    number_ids: Sequence[str],
    schedule: Schedule,
    member: Member | None = None,
    matters: Matters | None = None,
    began: float | None = None,
) -> AsyncIterator[tuple[Poller, Subscription]]:
    """
    Share the poller of a connection while the context lasts.

    :param dasha_conn_id: The Airflow connection. Waits on different connections share nothing.
    :param number_ids: Ids in canonical form.
    :param member: Whether a number belongs to this wait. The wait is then for all numbers that belong to it at the
        time of a poll, and for those ``number_ids`` that once did.
    :param matters: Returns what this wait depends on in a look. Only a difference from the last look wakes the wait.
        Without it, the whole of the numbers matters.
    :param began: When this wait began, as a Unix time; None for one that is not meant to end.
    """
    loop = asyncio.get_running_loop()
    pollers = _pollers.setdefault(loop, {})
    poller = pollers.get(dasha_conn_id)
    if poller is None:
        poller = pollers[dasha_conn_id] = Poller(dasha_conn_id)
    subscription = Subscription(number_ids, schedule, loop.time(), member, matters, began)
    poller.join(subscription)
    try:
        yield poller, subscription
    finally:
        if poller is pollers.get(dasha_conn_id) and poller.subscriptions == {subscription}:
            del pollers[
                dasha_conn_id
            ]  # before anything is awaited, so that no wait joins a poller that is stopping
        await poller.leave(subscription)
