"""
Carry out calls and flows over HTTP, synchronously and asynchronously.

Both senders make their clients from the same settings and share everything but the waiting.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlencode

import anyio
import httpx

from airflow_provider_phonelink.api import answers, clients
from airflow_provider_phonelink.api.bodies import BodyCollector
from airflow_provider_phonelink.api.calls import CONCURRENCY, Call, Flow, Parallel, Pause, Stepper, as_flow
from airflow_provider_phonelink.api.counting import NoCounts
from airflow_provider_phonelink.api.deadlines import ending_within
from airflow_provider_phonelink.api.errors import (
    BodyError,
    PhonelinkError,
    RateLimitedError,
    VendorError,
)
from airflow_provider_phonelink.api.observing import Observed
from airflow_provider_phonelink.api.pacing import Pacer
from airflow_provider_phonelink.api.retry import with_retries

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    from airflow_provider_phonelink.api.counting import Counts
    from airflow_provider_phonelink.api.observing import Observe
    from airflow_provider_phonelink.api.settings import Settings

T = TypeVar("T")

#: What httpx raises when an answer does not arrive whole, and what the body collector adds to it.
_FAILURES = (httpx.RequestError, httpx.InvalidURL, BodyError, TimeoutError)


class _SenderBase:
    """What the two senders share: building requests and interpreting their outcomes."""

    def __init__(self, settings: Settings, pacer: Pacer | None, counts: Counts | None) -> None:
        self.settings = settings
        self._counts = counts or NoCounts()
        self._pacer = pacer or Pacer(settings.requests_per_second)
        self._base_url = settings.base_url.rstrip("/")

    def _request_options(self, call: Call[Any]) -> dict[str, Any]:
        # A whole URL, because httpx parses a URL in parts three times.
        url = (
            f"{self._base_url}{call.path}?{urlencode(call.params)}"
            if call.params
            else self._base_url + call.path
        )
        options: dict[str, Any] = {"method": call.method, "url": url}
        return options if call.body is None else {**options, "json": dict(call.body)}

    @property
    def _longest_try(self) -> float:
        """Seconds that a try may take in all: httpx's own limits never meet a trickle of bytes."""
        return 2 * self.settings.timeout

    def _count(self, pause: Pause) -> None:
        if pause.after is not None:
            self._counts.retried()
            if issubclass(pause.after, RateLimitedError):
                self._counts.held_back(pause.seconds)

    def _collector(self, response: httpx.Response) -> BodyCollector:
        return BodyCollector(self.settings.timeout, response.headers)

    def _interpret(self, call: Call[T], response: httpx.Response, body: bytes) -> T:
        self._counts.answered(call.method, response.status_code)
        # A vendor may echo the key anywhere, even in fields that are kept.
        body = answers.without_secrets(body, self.settings.secrets)
        answer = answers.Answer(response.status_code, response.reason_phrase, response.headers, body)
        try:
            result = answers.interpret(call, answer, self.settings.secrets)
        except RateLimitedError as error:
            self._pacer.refused(error.retry_after)
            raise
        self._pacer.served()
        return self.settings.understood(result)

    def _failure(self, call: Call[Any], error: Exception) -> VendorError:
        """Return what to raise, without the frames of httpx: some of them hold the key."""
        self._counts.answered(call.method, None)
        failure = answers.no_answer(call, error, self.settings.secrets)
        error.__traceback__ = None
        return failure


class Sender(_SenderBase):
    """
    Carry out calls and flows synchronously. A context manager; usable from several threads.

    :param observe: Called with each answer that arrives.
    :param counts: Told how many requests it takes.
    """

    def __init__(
        self,
        settings: Settings,
        pacer: Pacer | None = None,
        observe: Observe | None = None,
        counts: Counts | None = None,
        **client_options: Any,
    ) -> None:
        super().__init__(settings, pacer, counts)
        self._observe = observe
        self._client = clients.new_client(settings, **client_options)

    def __enter__(self) -> Sender:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the pooled connections."""
        self._client.close()

    def send(self, call: Call[T]) -> T:
        """Carry out one call, repeated as far as it allows."""
        return self.run(as_flow(call))

    def run(self, flow: Flow[T]) -> T:
        """Carry out a flow to its result."""
        stepper = Stepper(with_retries(flow, self.settings))
        while not stepper.done:
            try:
                outcome = self._take(stepper.step)
            except PhonelinkError as error:
                stepper.failed(error)
            else:
                stepper.answered(outcome)
        return stepper.result

    def _take(self, step: Call[Any] | Parallel[Any] | Pause) -> Any:
        if isinstance(step, Pause):
            self._count(step)
            return time.sleep(step.seconds)
        if isinstance(step, Parallel):
            return self._run_parallel(step)
        return self._try(step)

    def _run_parallel(self, step: Parallel[T]) -> list[T]:
        with ThreadPoolExecutor(CONCURRENCY, thread_name_prefix="phonelink") as pool:
            futures = [pool.submit(self.run, flow) for flow in step.flows]
            try:
                return [future.result() for future in futures]
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _try(self, call: Call[T]) -> T:
        delay = self._pacer.delay()
        while delay > 0:
            self._counts.held_back(delay)
            time.sleep(delay)
            delay = self._pacer.still()
        began = perf_counter()
        try:
            with (
                ending_within(self._longest_try),
                self._client.stream(**self._request_options(call)) as response,
            ):
                collector = self._collector(response)
                # As it came over the wire: httpx would unpack without a bound.
                for chunk in cast("httpx.SyncByteStream", response.stream):
                    collector.add(chunk)
                body = collector.body()
                if self._observe:
                    self._observe(self._observed(call, response, perf_counter() - began, body))
        except _FAILURES as error:
            failure = self._failure(call, error)
        except BaseException as error:  # such as Airflow's time-out of a task, in the midst of httpx
            raise error.with_traceback(None) from None
        else:
            return self._interpret(call, response, body)
        raise failure  # out here, so that it carries no context with httpx's frames

    def _observed(self, call: Call[Any], response: httpx.Response, seconds: float, body: bytes) -> Observed:
        stream = response.extensions.get("network_stream")
        tls: ssl.SSLObject | None = stream.get_extra_info("ssl_object") if stream else None
        certificate = (tls.getpeercert() if tls else None) or {}
        ends = certificate.get("notAfter")
        refusal = b"" if response.status_code < 400 else answers.without_secrets(body, self.settings.secrets)
        return Observed(
            method=call.method,
            path=call.path,
            status=response.status_code,
            seconds=seconds,
            headers=response.headers,
            refusal=refusal,
            tls=tls.version() if tls else None,
            certificate_ends=ends if isinstance(ends, str) else None,
        )


class AsyncSender(_SenderBase):
    """
    Carry out calls and flows asynchronously. An async context manager, bound to one event loop.

    :param counts: Told how many requests it takes.
    """

    def __init__(
        self,
        settings: Settings,
        pacer: Pacer | None = None,
        counts: Counts | None = None,
        **client_options: Any,
    ) -> None:
        super().__init__(settings, pacer, counts)
        self._own_options = client_options
        clients.options_of(settings)  # an unusable file shows here, and not in the middle of a flow
        # One client for each request under way, the last one used first: httpcore goes through all connections of a
        # pool several times per request, so with one pool for all, requests get slower the more there are.
        self._clients: list[httpx.AsyncClient] = []
        self._idle: list[httpx.AsyncClient] = []
        self._retired = False

    async def __aenter__(self) -> AsyncSender:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def retire(self) -> None:
        """Close connections as they become idle; requests under way may end."""
        self._retired = True
        while self._idle:
            await self._idle.pop().aclose()

    async def aclose(self) -> None:
        """Close the pooled connections."""
        self._idle.clear()
        while self._clients:
            await self._clients.pop().aclose()

    async def send(self, call: Call[T]) -> T:
        """Carry out one call, repeated as far as it allows."""
        return await self.run(as_flow(call))

    async def run(self, flow: Flow[T]) -> T:
        """Carry out a flow to its result."""
        stepper = Stepper(with_retries(flow, self.settings))
        while not stepper.done:
            try:
                outcome = await self._take(stepper.step)
            except PhonelinkError as error:
                stepper.failed(error)
            else:
                stepper.answered(outcome)
        return stepper.result

    async def _take(self, step: Call[Any] | Parallel[Any] | Pause) -> Any:
        if isinstance(step, Pause):
            self._count(step)
            return await asyncio.sleep(step.seconds)
        if isinstance(step, Parallel):
            return await self._run_parallel(step)
        return await self._try(step)

    async def _run_parallel(self, step: Parallel[T]) -> list[T]:
        slots = asyncio.Semaphore(CONCURRENCY)

        async def run_in_a_slot(flow: Flow[T]) -> T:
            async with slots:
                return await self.run(flow)

        tasks = [asyncio.create_task(run_in_a_slot(flow)) for flow in step.flows]
        try:
            return [await task for task in tasks]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _try(self, call: Call[T]) -> T:
        delay = self._pacer.delay()
        while delay > 0:
            self._counts.held_back(delay)
            await asyncio.sleep(delay)
            delay = self._pacer.still()
        client = self._take_client()
        try:
            with anyio.fail_after(self._longest_try):
                async with client.stream(**self._request_options(call)) as response:
                    collector = self._collector(response)
                    async for chunk in cast("httpx.AsyncByteStream", response.stream):
                        collector.add(chunk)
            body = collector.body()
        except _FAILURES as error:
            failure = self._failure(call, error)
        except BaseException as error:  # such as a cancellation, in the midst of httpx
            raise error.with_traceback(None) from None
        else:
            return self._interpret(call, response, body)
        finally:
            self._idle.append(client)
            if self._retired:
                await self.retire()
        raise failure  # out here, so that it carries no context with httpx's frames

    def _take_client(self) -> httpx.AsyncClient:
        if self._idle:
            return self._idle.pop()
        client = clients.new_async_client(self.settings, **self._own_options)
        self._clients.append(client)
        return client
