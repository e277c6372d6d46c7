"""Do the same thing for many numbers: a bounded number at once, with progress in the log and a result for each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from airflow_provider_phonelink.api.errors import InvalidArgumentError
from airflow_provider_phonelink.exceptions import as_airflow_exceptions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence

    from airflow_provider_phonelink.compat import AirflowException

T = TypeVar("T")

Item = Mapping[str, Any]

#: How many numbers are worked on at once by default.
CONCURRENCY = 32
#: Seconds between two log lines about the progress.
PROGRESS_INTERVAL = 5.0


@dataclass(frozen=True)
class BulkResult(Generic[T]):
    """The result for one of many numbers: its answer or its error."""

    item: Item
    answer: T | None = None
    error: AirflowException | None = None

    @property
    def done(self) -> bool:
        """Whether it succeeded."""
        return self.error is None


def checked(items: Iterable[Item], describe: Callable[..., object]) -> list[Item]:
    """
    Check the arguments of all items before the first request is sent.

    :param describe: Makes an item's call, or raises.
    """
    found = list(items)
    with as_airflow_exceptions():
        for position, item in enumerate(found):
            try:
                describe(**item)
            except InvalidArgumentError as error:
                raise InvalidArgumentError(f"item {position}, {error.argument}", error.problem) from None
            except TypeError as error:  # a parameter is missing or unknown
                raise InvalidArgumentError(f"item {position}", f"{error}.") from None
    return found


async def carry_out(
    items: Sequence[Item], do: Callable[..., Awaitable[T]], *, concurrency: int, log: Any, what: str
) -> list[BulkResult[T]]:
    """
    Do something for each item, each with a result of its own: an item that fails does not affect the others.

    :param do: Called with an item's entries as parameters.
    :param concurrency: How many items are worked on at once, at least 1.
    :param what: What is being done, for the log.
    :return: The results, in the order of the items.
    """
    if concurrency < 1:
        with as_airflow_exceptions():
            raise InvalidArgumentError("concurrency", f"{concurrency} is less than 1.")
    progress = _Progress(len(items), what, log)
    results: list[BulkResult[T]] = [BulkResult(item) for item in items]
    remaining = iter(range(len(items)))
    reporter = asyncio.create_task(progress.report_now_and_then())
    try:
        workers = [
            asyncio.create_task(_work(remaining, results, do, progress))
            for _ in range(min(concurrency, len(items)))
        ]
        try:
            await asyncio.gather(*workers)
        finally:  # neither a broken worker nor our own cancellation may leave others writing
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
    finally:
        reporter.cancel()
    progress.report()
    return results


async def _work(
    remaining: Iterator[int],
    results: list[BulkResult[T]],
    do: Callable[..., Awaitable[T]],
    progress: _Progress,
) -> None:
    from airflow_provider_phonelink.compat import AirflowException

    for position in remaining:  # all workers share the iterator: each takes the next item
        item = results[position].item
        try:
            results[position] = BulkResult(item, answer=await do(**item))
        except AirflowException as error:
            results[position] = BulkResult(item, error=error)
        progress.count(results[position].done)


class _Progress:
    """Counts finished items and logs the counts every few seconds."""

    def __init__(self, total: int, what: str, log: Any) -> None:
        self._total = total
        self._what = what
        self._log = log
        self._done = self._failed = 0
        self._started = time.monotonic()

    def count(self, done: bool) -> None:
        if done:
            self._done += 1
        else:
            self._failed += 1

    def report(self) -> None:
        finished = self._done + self._failed
        rate = finished / max(time.monotonic() - self._started, 1e-9)
        left = self._total - finished
        self._log.info(
            "%s: %d done, %d failed, %d left, %.0f a second", self._what, self._done, self._failed, left, rate
        )

    async def report_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(PROGRESS_INTERVAL)
            self.report()
