"""
Carry out calls and flows over HTTP, synchronously and asynchronously.

Both senders build the client from the same settings and share everything but the waiting. This is the
only module that imports httpx.
"""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, lru_cache
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlencode, urlsplit

import anyio
import httpx

from airflow_provider_phonelink import __version__
from airflow_provider_phonelink.api import answers
from airflow_provider_phonelink.api.bodies import ACCEPTED_ENCODING, BodyCollector
from airflow_provider_phonelink.api.calls import CONCURRENCY, Call, Flow, Parallel, Pause, Stepper, as_flow
from airflow_provider_phonelink.api.counting import NoCounts
from airflow_provider_phonelink.api.deadlines import BoundedNetwork, ending_within
from airflow_provider_phonelink.api.errors import (
    BodyError,
    ConfigurationError,
    PhonelinkError,
    RateLimitedError,
    VendorError,
)
from airflow_provider_phonelink.api.observing import Observed
from airflow_provider_phonelink.api.pacing import Pacer
from airflow_provider_phonelink.api.proxies import is_loopback, proxy_of_the_environment
from airflow_provider_phonelink.api.retry import with_retries

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

    from airflow_provider_phonelink.api.counting import Counts
    from airflow_provider_phonelink.api.observing import Observe
    from airflow_provider_phonelink.api.settings import Settings

T = TypeVar("T")

#: The most connections that a sender keeps open. All of them may be idle, because opening one costs more.
MOST_CONNECTIONS = 64
#: What httpx raises when an answer does not arrive whole, and what the body collector adds to it.
_FAILURES = (httpx.RequestError, httpx.InvalidURL, BodyError, TimeoutError)

_log = logging.getLogger(__name__)


class _BearerAuth(httpx.Auth):
    """Adds the key to a request at the last moment, so that no client, request or log line has it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def auth_flow(self, request: httpx.Request) -> Any:
        request.headers["Authorization"] = f"Bearer {self._settings.api_key.get_secret_value()}"
        yield request


def _ssl_context(settings: Settings) -> ssl.SSLContext:
    if not settings.verify_ssl:
        _warn_of_no_verification(settings.source)
    files = [settings.ca_bundle] if settings.ca_bundle else [os.environ.get("SSL_CERT_FILE")]
    return _cached_ssl_context(settings.verify_ssl, settings.ca_bundle, *map(_stamp, filter(None, files)))


@lru_cache(maxsize=16)
def _cached_ssl_context(verify: bool, ca_bundle: str | None, *_: object) -> ssl.SSLContext:
    """Make a TLS context once for each state of its files: it costs more than the rest of a client."""
    if not verify:
        return httpx.create_ssl_context(verify=False)
    return ssl.create_default_context(cafile=ca_bundle) if ca_bundle else httpx.create_ssl_context()


def _stamp(path: str) -> tuple[str, int, int]:
    """Return what changes when a file is renewed; raises OSError if it is no file, such as a pipe that would block."""
    found = Path(path).stat()
    if not stat.S_ISREG(found.st_mode):
        raise OSError("it is not a regular file")
    return path, found.st_mtime_ns, found.st_size


@cache
def _warn_of_no_verification(source: str) -> None:
    """Once a process for each connection."""
    _log.warning(
        "%s has `verify_ssl` off: whoever is between here and the vendor can read the API key and change numbers. "
        "Give the vendor's certificate in `ca_bundle` instead.",
        source,
    )


def _client_options(settings: Settings) -> dict[str, Any]:
    try:
        context = _ssl_context(settings)
    except OSError as error:  # ssl.SSLError is one
        what = "the file in the extra `ca_bundle`" if settings.ca_bundle else "SSL_CERT_FILE"
        raise ConfigurationError(
            f"{settings.source}: {what} cannot be used ({error}). Nothing was sent."
        ) from None
    return {
        "auth": _BearerAuth(settings),
        "headers": {
            "Accept": "application/json",
            "Accept-Encoding": ACCEPTED_ENCODING,
            "User-Agent": f"airflow-provider-phonelink/{__version__}",
        },
        "timeout": settings.timeout,
        "follow_redirects": False,
        "verify": context,
        "limits": httpx.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=MOST_CONNECTIONS),
        "trust_env": False,  # what the environment says of proxies is read in _proxy, of certificates above
    }


def _proxy(settings: Settings) -> str | None:
    """Return the proxy's URL for a client. It may have a password in it, so it must not be stored."""
    if is_loopback(urlsplit(settings.base_url).hostname or ""):
        return None
    if settings.proxy:
        return settings.proxy.get_secret_value()
    return proxy_of_the_environment(settings.base_url)


def _bounded_transport(options: Mapping[str, Any], proxy: str | None) -> httpx.HTTPTransport:
    transport = httpx.HTTPTransport(
        verify=options["verify"], limits=options["limits"], proxy=proxy, trust_env=False
    )
    # httpx has no argument for it; tests show that it works on the oldest and the newest version allowed.
    pool: Any = transport._pool
    pool._network_backend = BoundedNetwork(pool._network_backend)
    return transport


@contextmanager
def _proxy_errors(settings: Settings) -> Iterator[None]:
    """Raise an error about the proxy if httpx cannot use it; the text of httpx may show the password."""
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
        with _proxy_errors(settings):
            options = {**_client_options(settings), **client_options}
            if "transport" not in options:
                options["transport"] = _bounded_transport(options, _proxy(settings))
            self._client = httpx.Client(**options)

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
        _client_options(settings)  # an unusable file shows here, and not in the middle of a flow
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
        with _proxy_errors(self.settings):
            options = {**_client_options(self.settings), **self._own_options}
            client = httpx.AsyncClient(**options, proxy=_proxy(self.settings))
        self._clients.append(client)
        return client
