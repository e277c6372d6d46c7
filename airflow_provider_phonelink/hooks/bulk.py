"""Do the same thing for many numbers: a bounded number at once, with progress in the log and a result for each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from airflow_provider_phonelink.api.errors import InvalidArgumentError
from airflow_provider_phonelink.api.labels import agent_label, number_label
from airflow_provider_phonelink.api.text import clean
from airflow_provider_phonelink.decisions.rows import NumberRow
from airflow_provider_phonelink.exceptions import (
    PhonelinkFailException,
    airflow_exception,
    as_airflow_exceptions,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable, Iterable, Iterator, Sequence

    from airflow_provider_phonelink.api.calls import Call, Flow
    from airflow_provider_phonelink.compat import AirflowException

T = TypeVar("T")
AnswerT = TypeVar("AnswerT")

Item = Mapping[str, Any]

#: How many numbers are worked on at once by default.
CONCURRENCY = 32
#: Seconds between two log lines about the progress.
PROGRESS_INTERVAL = 5.0


@dataclass(frozen=True)
class BulkResult(Generic[T]):
    """The result for one of many numbers: its answer or its error, whose message names the number and the agent."""

    item: Item
    answer: T | None = None
    error: AirflowException | None = None

    @property
    def done(self) -> bool:
        """Whether it succeeded."""
        return self.error is None


@dataclass(frozen=True)
class Job(Generic[T]):
    """What is to be sent for one item, or for several that ask for the same."""

    flow: Flow[T]
    #: The items, each with its position among all.
    items: list[tuple[int, Item]]


def rows(results: Iterable[BulkResult[Any]], step: str) -> list[dict[str, Any]]:
    """
    Return a row for each result, such as the operators for many numbers give: for a report, or for the next task.

    :param results: What one of the hook's methods for many numbers returned.
    :param step: What was done for those that succeeded, such as ``created`` or ``linked``.
    :return: In the same order, dicts with ``phone_number``, ``id``, ``step`` (None if it failed), ``state`` (of the
        registration, as the vendor writes it) and ``reason`` (None, or why it failed). What is not known is None.
    """
    return [_row(result, step).as_json() for result in results]


def _row(result: BulkResult[Any], step: str) -> NumberRow:
    number, item = result.answer, result.item
    return NumberRow(
        phone_number=number.phone_number if number else item.get("phone_number"),
        id=number.id if number else item.get("number_id"),
        step=step if result.done else None,
        state=number.registration_status.state if number else None,
        reason=None if result.done else str(result.error),
    )


def checked(items: Iterable[Item], check: Callable[..., object]) -> list[Item]:
    """
    Check the arguments of all items before anything is sent.

    :param check: Called with an item's entries as parameters.
    :raises PhonelinkFailException: If an item cannot be used.
    """
    found = list(items)
    with as_airflow_exceptions():
        for position, item in enumerate(found):
            _described(position, item, check)
    return found


def prepared(
    items: Iterable[Item],
    describe: Callable[..., Call[AnswerT]],
    flow_of: Callable[[Call[AnswerT], Item], Flow[T]],
    one_of: Callable[[Call[AnswerT]], Hashable],
) -> list[Job[T]]:
    """
    Make the calls of all items before the first one is sent. Items that ask for the same share one.

    :param describe: Makes an item's call, or raises.
    :param flow_of: Returns the flow that sends it.
    :param one_of: Returns what can have one value only, such as a number's inbound link.
    :raises PhonelinkFailException: If an item cannot be used, or contradicts another one.
    """
    jobs: dict[Hashable, tuple[int, Call[AnswerT], Job[T]]] = {}
    with as_airflow_exceptions():
        for position, item in enumerate(items):
            call = _described(position, item, describe)
            first, other, job = jobs.setdefault(one_of(call), (position, call, Job(flow_of(call, item), [])))
            if (call.path, call.params, call.body) != (other.path, other.params, other.body):
                raise InvalidArgumentError(
                    f"item {position}", f"contradicts item {first}, which is about the same."
                )
            job.items.append((position, item))
    return [job for _, _, job in jobs.values()]


def _described(position: int, item: Item, describe: Callable[..., T]) -> T:
    try:
        return describe(**item)
    except InvalidArgumentError as error:
        raise InvalidArgumentError(f"item {position}, {error.argument}", error.problem) from None
    except TypeError as error:  # a parameter is missing or unknown
        raise InvalidArgumentError(f"item {position}", f"{error}.") from None


async def carry_out(
    jobs: Sequence[Job[T]],
    run: Callable[[Flow[T]], Awaitable[T]],
    *,
    concurrency: int,
    log: Any,
    what: str,
) -> list[BulkResult[T]]:
    """
    Do something for each item, each with a result of its own: an item that fails does not affect the others.

    :param run: Carries out a flow.
    :param concurrency: How many flows are carried out at once, at least 1.
    :param what: What is being done, for the log.
    :return: The results, in the order of the items.
    """
    if concurrency < 1:
        with as_airflow_exceptions():
            raise InvalidArgumentError("concurrency", f"{concurrency} is less than 1.")
    progress = _Progress(sum(len(job.items) for job in jobs), what, log)
    results: dict[int, BulkResult[T]] = {}
    remaining = iter(jobs)
    reporter = asyncio.create_task(progress.report_now_and_then())
    try:
        workers = [
            asyncio.create_task(_work(remaining, results, run, progress))
            for _ in range(min(concurrency, len(jobs)))
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
    return [results[position] for position in sorted(results)]


async def _work(
    remaining: Iterator[Job[T]],
    results: dict[int, BulkResult[T]],
    run: Callable[[Flow[T]], Awaitable[T]],
    progress: _Progress,
) -> None:
    from airflow_provider_phonelink.compat import AirflowException

    for job in remaining:  # all workers share the iterator: each takes the next job
        answer, error = None, None
        try:
            answer = await run(job.flow)
        except AirflowException as failure:
            error = failure
        for position, item in job.items:
            named = _naming(item, error) if error else None
            results[position] = BulkResult(item, answer=answer, error=named)
            progress.count(named is None)


def _naming(item: Item, error: AirflowException) -> AirflowException:
    """Return an error that names the item's number and agent, which the vendor's answer may not do."""
    number = number_label(item["number_id"]) if "number_id" in item else clean(item.get("phone_number"))
    agent = f", {agent_label(item['agent_id'])}" if item.get("agent_id") else ""
    retry_helps = not isinstance(error, PhonelinkFailException)
    named = airflow_exception(f"Number {number}{agent}: {error}", retry_helps=retry_helps)
    named.__cause__ = error.__cause__
    return named


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
