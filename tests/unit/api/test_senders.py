from __future__ import annotations

import asyncio
import gzip
import json
import logging
import socket
import threading
import time
import traceback
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from unit.api.carrying import KEY, KINDS, CarryOut, Clock, dasha_settings, frames_of
from unit.api.fake_dasha import CREDENTIALS, FakeDasha, number_id, number_json

from airflow_provider_phonelink import __version__
from airflow_provider_phonelink.api import bodies, errors
from airflow_provider_phonelink.api.calls import CONCURRENCY, Parallel, as_flow
from airflow_provider_phonelink.api.dasha import endpoints
from airflow_provider_phonelink.api.pacing import FIRST_HOLD
from airflow_provider_phonelink.api.senders import AsyncSender, Sender

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ID = number_id(1)
CALL = endpoints.get_number(ID)
BODY = json.dumps(number_json(1)).encode()


def test_a_request_has_the_key_and_says_who_asks(carry_out) -> None:
    seen = []

    def vendor(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=BODY)

    carry_out(endpoints.update_number(ID, "+1", CREDENTIALS, description="é"), vendor=vendor)
    [request] = seen
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.headers["User-Agent"] == f"airflow-provider-phonelink/{__version__}"
    assert request.headers["Accept"] == request.headers["Content-Type"] == "application/json"
    assert json.loads(request.content)["description"] == "é"
    assert str(request.url) == f"https://vendor.example/api/v1/sip-phone-numbers/{ID}"


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("target", ["https://evil.example/x", "/login", "https://vendor.example/elsewhere"])
def test_redirects_are_not_followed(carry_out, code, target) -> None:
    hosts = []

    def vendor(request: httpx.Request) -> httpx.Response:
        hosts.append(str(request.url))
        return httpx.Response(code, headers={"Location": target})

    with pytest.raises(
        errors.RedirectedError, match="Redirects are not followed; check the connection's host"
    ):
        carry_out(CALL, vendor=vendor)
    assert hosts == [f"https://vendor.example{CALL.path}"]


def test_a_body_that_is_too_long_ends(carry_out, monkeypatch) -> None:
    monkeypatch.setattr(bodies, "LARGEST_BODY", 1000)
    given = []

    def endless() -> Iterator[bytes]:
        while True:
            given.append(1)
            yield b"x" * 100

    class Endless(httpx.SyncByteStream, httpx.AsyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            return endless()

        async def __aiter__(self) -> Any:
            for chunk in endless():
                yield chunk

    with pytest.raises(errors.NoAnswerError, match="longer than 1000 bytes"):
        carry_out(
            CALL,
            vendor=lambda _: httpx.Response(200, stream=Endless()),
            settings=dasha_settings(max_retries=0),
        )
    assert len(given) == 11


def test_a_body_that_comes_too_slowly_ends(carry_out, clock) -> None:
    class Drip(httpx.SyncByteStream, httpx.AsyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            while True:
                clock.now += 1
                yield b"x"

        async def __aiter__(self) -> Any:
            for chunk in self:
                yield chunk

    start = clock.now
    with pytest.raises(errors.NoAnswerError, match="did not end in time"):
        carry_out(
            CALL, vendor=lambda _: httpx.Response(200, stream=Drip()), settings=dasha_settings(max_retries=0)
        )
    assert clock.now - start <= 11


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("slow"),
        httpx.ReadTimeout("slow"),
        httpx.WriteError("reset"),
        httpx.PoolTimeout("full"),
        httpx.RemoteProtocolError("not HTTP"),
        httpx.DecodingError("bad gzip"),
        httpx.ProxyError("407"),
    ],
)
def test_every_failure_of_the_transport_is_no_answer(carry_out, failure) -> None:
    def vendor(_: httpx.Request) -> httpx.Response:
        raise failure

    with pytest.raises(errors.NoAnswerError, match=rf"no answer \({type(failure).__name__}: {failure}\)"):
        carry_out(CALL, vendor=vendor, settings=dasha_settings(max_retries=1))


def test_a_compressed_answer_is_read(carry_out) -> None:
    headers = {"Content-Encoding": "gzip"}
    assert (
        carry_out(CALL, vendor=lambda _: httpx.Response(200, headers=headers, content=gzip.compress(BODY))).id
        == ID
    )


def test_a_broken_compression_is_no_answer(carry_out) -> None:
    headers = {"Content-Encoding": "gzip"}
    with pytest.raises(errors.NoAnswerError, match="cannot be unpacked"):
        carry_out(
            CALL, vendor=lambda _: httpx.Response(200, headers=headers, stream=httpx.ByteStream(b"not gzip"))
        )


def test_requests_are_spaced(carry_out, clock) -> None:
    starts = []

    def vendor(_: httpx.Request) -> httpx.Response:
        starts.append(clock.now)
        return httpx.Response(200, content=BODY)

    carry_out(*[CALL] * 4, vendor=vendor, settings=dasha_settings(requests_per_second=4))
    assert starts == [1000.0, 1000.25, 1000.5, 1000.75]


def test_requests_that_wait_their_turn_are_held_back_by_a_429_and_stay_spaced() -> None:
    starts = []

    def vendor(_: httpx.Request) -> httpx.Response:
        starts.append(time.monotonic())
        return httpx.Response(429) if len(starts) == 1 else httpx.Response(200, content=BODY)

    async def main() -> None:
        async with AsyncSender(
            dasha_settings(requests_per_second=50), transport=httpx.MockTransport(vendor)
        ) as sender:
            await asyncio.gather(*[sender.send(CALL) for _ in range(10)])

    asyncio.run(main())
    assert len(starts) == 11
    assert starts[1] - starts[0] >= FIRST_HOLD * 0.99
    # From the first one on, for the second one may be late on a busy machine, and the last one then is not.
    assert starts[9] - starts[0] >= (FIRST_HOLD + 8 / 50) * 0.99


def test_threads_that_wait_their_turn_are_held_back_by_a_429() -> None:
    starts = []

    def vendor(_: httpx.Request) -> httpx.Response:
        starts.append(time.monotonic())
        return httpx.Response(429) if len(starts) == 1 else httpx.Response(200, content=BODY)

    with Sender(dasha_settings(requests_per_second=50), transport=httpx.MockTransport(vendor)) as sender:
        sender.run(_together(CONCURRENCY))
    assert starts[1] - starts[0] >= FIRST_HOLD * 0.99


def test_flows_together_answer_in_their_order(carry_out) -> None:
    vendor = FakeDasha(*[number_json(index) for index in range(30)])

    def flow() -> Any:
        numbers = yield Parallel([as_flow(endpoints.get_number(number_id(index))) for index in range(30)])
        return [number.id for number in numbers]

    assert carry_out(flow(), vendor=vendor) == [number_id(index) for index in range(30)]


def test_the_first_error_of_flows_together_reaches_the_flow(carry_out) -> None:
    vendor = FakeDasha(number_json(1))

    def flow() -> Any:
        try:
            yield Parallel([as_flow(endpoints.get_number(number_id(index))) for index in range(30)])
        except errors.NotFoundError as error:
            return error.path

    assert carry_out(flow(), vendor=vendor).endswith(number_id(0))


@pytest.mark.parametrize("kind", KINDS)
def test_flows_together_that_have_not_begun_are_left_alone_after_an_error(kind) -> None:
    requests = []

    def vendor(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        time.sleep(0.01)
        return httpx.Response(404)

    async def async_vendor(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        await asyncio.sleep(0.01)
        return httpx.Response(404)

    carry_out = CarryOut(kind, Clock())
    with pytest.raises(errors.NotFoundError):
        carry_out(_together(100), vendor=vendor if kind == "sync" else async_vendor)  # type: ignore[arg-type]
    assert len(requests) < 100


def test_no_flows_together_are_no_problem(carry_out) -> None:
    def flow() -> Any:
        return (yield Parallel([]))

    assert carry_out(flow(), vendor=FakeDasha()) == []


def test_only_so_many_flows_are_under_way_at_once() -> None:
    under_way, most = 0, 0

    async def vendor(_: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.001)
        under_way -= 1
        return httpx.Response(200, content=BODY)

    async def main() -> None:
        async with AsyncSender(dasha_settings(), transport=httpx.MockTransport(vendor)) as sender:
            await sender.run(_together(40))

    asyncio.run(main())
    assert most == CONCURRENCY


def _together(count: int) -> Any:
    return (yield Parallel([as_flow(CALL) for _ in range(count)]))


# -- over real sockets ------------------------------------------------------------------------------------


class Server:
    """A server on loopback that answers each connection by a function, and counts them."""

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self._serve = serve
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.connections = 0
        #: How many connections it served to its own end.
        self.served = 0
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with closing(connection):
            try:
                self._serve(connection)
                self.served += 1
            except OSError:
                return

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # closing alone does not wake the thread that accepts
        self._listener.close()


@contextmanager
def server(serve: Callable[[socket.socket], None]) -> Iterator[Server]:
    running = Server(serve)
    try:
        yield running
    finally:
        running.close()


def answer_all(connection: socket.socket) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()
    while connection.recv(65536):
        connection.sendall(head + BODY)


def say_nothing(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def cut_off(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + BODY[:20])


#: Seconds between two bytes, and how many come before a vendor gives up: far more than any test waits for.
TRICKLE, DROPS = 0.05, 6000


def drip(connection: socket.socket, head: bytes, drop: bytes) -> None:
    connection.recv(65536)
    connection.sendall(head)
    for _ in range(DROPS):
        connection.sendall(drop)
        time.sleep(TRICKLE)


def drip_the_body(connection: socket.socket) -> None:
    drip(connection, b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n", b"x")


def drip_the_head(connection: socket.socket) -> None:
    drip(connection, b"HTTP/1.1 200 OK\r\n", b"X: x\r\n")


def drip_early_hints(connection: socket.socket) -> None:
    drip(connection, b"", b"HTTP/1.1 103 Early Hints\r\n\r\n")


def drip_trailers(connection: socket.socket) -> None:
    drip(connection, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n", b"X: x\r\n")


def drip_compressed_nothing(connection: socket.socket) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
    drip(connection, head + b"a\r\n" + gzip.compress(b"")[:10] + b"\r\n", b"5\r\n\x00\x00\x00\xff\xff\r\n")


def carry_out_really(kind: str, *calls: Any, **settings: Any) -> Any:
    if kind == "sync":
        with Sender(dasha_settings(**settings)) as sender:
            return [sender.send(call) for call in calls]

    async def carry_out() -> Any:
        async with AsyncSender(dasha_settings(**settings)) as sender:
            return [await sender.send(call) for call in calls]

    return asyncio.run(carry_out())


@pytest.mark.parametrize("kind", KINDS)
def test_connections_are_reused(kind) -> None:
    with server(answer_all) as vendor:
        found = carry_out_really(kind, *[CALL] * 5, base_url=vendor.url)
    assert [number.id for number in found] == [ID] * 5
    assert vendor.connections == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("serve", [say_nothing, cut_off])
def test_an_answer_that_does_not_come_is_no_answer(kind, serve) -> None:
    with server(serve) as vendor, pytest.raises(errors.NoAnswerError):
        carry_out_really(kind, CALL, base_url=vendor.url, timeout=0.2, max_retries=0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "serve", [drip_the_body, drip_the_head, drip_early_hints, drip_trailers, drip_compressed_nothing]
)
def test_a_try_ends_in_time_whatever_trickles_in(kind, serve) -> None:
    with server(serve) as vendor:
        with pytest.raises(errors.NoAnswerError):
            carry_out_really(kind, CALL, base_url=vendor.url, timeout=0.2, max_retries=0)
        assert not vendor.served  # it would have gone on for minutes


@pytest.mark.parametrize("kind", KINDS)
def test_a_vendor_that_is_not_there_is_no_answer(kind) -> None:
    with server(answer_all) as vendor:
        pass
    with pytest.raises(errors.NoAnswerError, match="ConnectError"):
        carry_out_really(kind, CALL, base_url=vendor.url, max_retries=0)


@pytest.mark.parametrize("kind", KINDS)
def test_tls_with_a_server_that_has_none_is_no_answer(kind) -> None:
    with server(answer_all) as vendor, pytest.raises(errors.NoAnswerError, match="SSL"):
        carry_out_really(kind, CALL, base_url=vendor.url.replace("http", "https"), max_retries=0)


# -- proxies and secrets --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "proxy",
    [
        "proxy.local:3128",
        "ftp://user:hunter2@proxy",
        "socks5://user:hunter2@proxy",
        "http://[::1",
        "http://user:hunter2@ex\u2100mple.com",
    ],
)
def test_an_unusable_proxy_is_named_without_its_password(kind, proxy) -> None:
    with pytest.raises(
        errors.ConfigurationError,
        match=r"^Here: the proxy in the extra `proxy` cannot be used.*Nothing was sent\.$",
    ) as caught:
        carry_out_really(kind, CALL, proxy=proxy, source="Here")
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("kind", KINDS)
def test_an_unusable_proxy_of_the_environment_is_not_called_the_connections(kind, monkeypatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://user:hunter2@proxy")
    with pytest.raises(errors.ConfigurationError, match="the proxy in the environment") as caught:
        carry_out_really(kind, CALL)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("kind", [Sender, AsyncSender])
def test_no_secret_shows_in_a_sender(kind) -> None:
    sender = kind(dasha_settings(proxy="http://user:hunter2@proxy:3128"))
    shown = repr((sender, vars(sender), vars(sender._pacer)))
    assert KEY not in shown
    assert "hunter2" not in shown


ECHOES = [
    lambda request: httpx.Response(200, text=request.headers["Authorization"]),
    lambda request: httpx.Response(
        400, json={"title": "Bad key", "detail": request.headers["Authorization"]}
    ),
    lambda request: httpx.Response(503, text=request.headers["Authorization"]),
    lambda request: httpx.Response(401, headers={"x-request-id": request.headers["Authorization"]}),
]


@pytest.mark.parametrize("echo", [*ECHOES, None])
def test_the_key_is_in_no_error_log_line_or_traceback(carry_out, caplog, echo) -> None:
    def vendor(request: httpx.Request) -> httpx.Response:
        if echo:
            return echo(request)
        raise httpx.ReadError(f"while sending {request.headers['Authorization']}")

    with caplog.at_level(logging.DEBUG), pytest.raises(errors.VendorError) as caught:
        carry_out(CALL, vendor=vendor)
    assert KEY not in "".join(traceback.format_exception(caught.value))
    assert KEY not in repr(vars(caught.value))
    assert KEY not in caplog.text


# -- what a frame could show ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("serve", [cut_off, say_nothing])
def test_no_frame_of_an_error_holds_the_key(kind, serve) -> None:
    with server(serve) as vendor, pytest.raises(errors.NoAnswerError) as caught:
        carry_out_really(kind, CALL, base_url=vendor.url, timeout=0.2, max_retries=0)
    shown = [repr(list(frame.f_locals.values())) for frame in frames_of(caught.value)]
    assert len(shown) > 2
    assert not [text for text in shown if KEY in text]


class StoppedFromOutside(BaseException):
    """As Airflow's time-out of a task."""


@pytest.mark.parametrize("kind", KINDS)
def test_what_stops_a_task_in_the_midst_of_a_request_shows_no_frames_of_httpx(kind) -> None:
    def stop(_: httpx.Request) -> httpx.Response:
        raise StoppedFromOutside

    async def carry_out() -> Any:
        async with AsyncSender(dasha_settings(), transport=httpx.MockTransport(stop)) as sender:
            return await sender.send(CALL)

    def run() -> Any:
        if kind == "async":
            return asyncio.run(carry_out())
        return Sender(dasha_settings(), transport=httpx.MockTransport(stop)).send(CALL)

    with pytest.raises(StoppedFromOutside) as caught:
        run()
    assert not [frame for frame in frames_of(caught.value) if "httpx" in frame.f_code.co_filename]
