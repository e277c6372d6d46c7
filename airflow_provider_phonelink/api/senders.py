"""
Carry out calls and flows over HTTP, synchronously and asynchronously.

Both senders build the client from the same settings and share everything but the waiting. This is the
only module that imports httpx.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

import anyio
import httpx

from airflow_provider_phonelink import __version__
from airflow_provider_phonelink.api import answers
from airflow_provider_phonelink.api.calls import CONCURRENCY, Call, Flow, Parallel, Pause, Stepper, as_flow
from airflow_provider_phonelink.api.errors import (
    BodyError,
    ConfigurationError,
    PhonelinkError,
    RateLimitedError,
    VendorError,
)
from airflow_provider_phonelink.api.pacing import Pacer
from airflow_provider_phonelink.api.retry import with_retries

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from airflow_provider_phonelink.api.settings import Settings

T = TypeVar("T")

#: Connections that a sender keeps open at the most; all of them may idle, for opening one costs more.
MOST_CONNECTIONS = 64
#: A shorter one would be found in text that has nothing to do with it.
SHORTEST_SECRET = 8
#: What httpx raises when an answer does not arrive whole, and what the body collector adds to it.
_FAILURES = (httpx.RequestError, httpx.InvalidURL, BodyError)


class _BearerAuth(httpx.Auth):
    """Put the key on a request at the last moment, so that no client, request or log line carries it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def auth_flow(self, request: httpx.Request) -> Any:
        request.headers["Authorization"] = f"Bearer {self._settings.api_key.get_secret_value()}"
        yield request


@lru_cache(maxsize=16)
def _ssl_context(verify: bool, ca_bundle: str | None) -> ssl.SSLContext:
    """Make a TLS context once: it costs more than all the rest of a client."""
    if not verify:
        return httpx.create_ssl_context(verify=False)
    return ssl.create_default_context(cafile=ca_bundle) if ca_bundle else httpx.create_ssl_context()


def _client_options(settings: Settings) -> dict[str, Any]:
    try:
        context = _ssl_context(settings.verify_ssl, settings.ca_bundle)
    except OSError as error:  # ssl.SSLError is one
        what = "the file in the extra `ca_bundle`" if settings.ca_bundle else "SSL_CERT_FILE"
        raise ConfigurationError(
            f"{settings.source}: {what} cannot be used ({error}). Nothing was sent."
        ) from None
    return {
        "auth": _BearerAuth(settings),
        "headers": {"Accept": "application/json", "User-Agent": f"airflow-provider-phonelink/{__version__}"},
        "timeout": settings.timeout,
        "follow_redirects": False,
        "verify": context,
        "limits": httpx.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=MOST_CONNECTIONS),
    }


def _proxy(settings: Settings) -> str | None:
    """Return the proxy's URL, which may have a password in it: for a client, and to be kept nowhere."""
    return settings.proxy.get_secret_value() if settings.proxy else None


@contextmanager
def _proxy_errors(settings: Settings) -> Iterator[None]:
    """Say that it is the proxy, if one keeps httpx from making a client. What httpx says may show its password."""
    try:
        yield
    except (ValueError, ImportError, httpx.InvalidURL):
        pass
    else:
        return
    where = "extra `proxy`" if settings.proxy else "environment (HTTPS_PROXY or the like)"
    raise ConfigurationError(
        f"{settings.source}: the proxy in the {where} cannot be used. Use http://host:port or https://host:port. "
        "Nothing was sent."
    )


class _SenderBase:
    """What the two senders share: the request to send, and what to make of its outcome."""

    def __init__(self, settings: Settings, pacer: Pacer | None = None) -> None:
        self.settings = settings
        self._pacer = pacer or Pacer(settings.requests_per_second)
        self._base_url = settings.base_url.rstrip("/")

    def _request_options(self, call: Call[Any]) -> dict[str, Any]:
        # A whole URL, for httpx parses one from parts three times.
        url = (
            f"{self._base_url}{call.path}?{urlencode(call.params)}"
            if call.params
            else self._base_url + call.path
        )
        options: dict[str, Any] = {"method": call.method, "url": url}
        return options if call.body is None else {**options, "json": dict(call.body)}

    def _collector(self) -> answers.BodyCollector:
        return answers.BodyCollector(self.settings.timeout)

    def _interpret(self, call: Call[T], response: httpx.Response, body: bytes) -> T:
        for secret in self.settings.secrets:
            if len(secret) >= SHORTEST_SECRET:  # a vendor may echo the key anywhere, also in what is kept
                body = body.replace(secret.encode(), b"***")
        answer = answers.Answer(response.status_code, response.reason_phrase, response.headers, body)
        try:
            result = answers.interpret(call, answer, self.settings.secrets)
        except RateLimitedError as error:
            self._pacer.refused(error.retry_after)
            raise
        self._pacer.served()
        return result

    def _failure(self, call: Call[Any], error: Exception) -> VendorError:
        return answers.no_answer(call, error, self.settings.secrets)


class Sender(_SenderBase):
    """Carry out calls and flows synchronously. A context manager; usable from several threads."""

    def __init__(self, settings: Settings, pacer: Pacer | None = None, **client_options: Any) -> None:
        super().__init__(settings, pacer)
        with _proxy_errors(settings):
            self._client = httpx.Client(**_client_options(settings), proxy=_proxy(settings), **client_options)

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
        """Carry out one call, with the repeats that it allows."""
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
            time.sleep(delay)
            delay = self._pacer.still()
        try:
            with self._client.stream(**self._request_options(call)) as response:
                collector = self._collector()
                for chunk in response.iter_bytes():
                    collector.add(chunk)
        except _FAILURES as error:
            raise self._failure(call, error) from None
        return self._interpret(call, response, collector.body())


class AsyncSender(_SenderBase):
    """Carry out calls and flows asynchronously. An async context manager, bound to one event loop."""

    def __init__(self, settings: Settings, pacer: Pacer | None = None, **client_options: Any) -> None:
        super().__init__(settings, pacer)
        self._options = {**_client_options(settings), **client_options}
        # A client for each request under way, the last one used first: httpcore looks at every connection of
        # a pool several times a request, so that one pool for all makes each request the slower the more there are.
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
        """Carry out one call, with the repeats that it allows."""
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
            await asyncio.sleep(delay)
            delay = self._pacer.still()
        client = self._take_client()
        try:
            with anyio.fail_after(
                2 * self.settings.timeout
            ):  # httpx's own limits never meet a trickle of bytes
                async with client.stream(**self._request_options(call)) as response:
                    collector = self._collector()
                    async for chunk in response.aiter_bytes():
                        collector.add(chunk)
        except (*_FAILURES, TimeoutError) as error:
            raise self._failure(call, error) from None
        finally:
            self._idle.append(client)
            if self._retired:
                await self.retire()
        return self._interpret(call, response, collector.body())

    def _take_client(self) -> httpx.AsyncClient:
        if self._idle:
            return self._idle.pop()
        with _proxy_errors(self.settings):
            client = httpx.AsyncClient(**self._options, proxy=_proxy(self.settings))
        self._clients.append(client)
        return client
