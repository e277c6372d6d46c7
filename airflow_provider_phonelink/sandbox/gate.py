"""The way in: every request to a vendor is noted, checked for its key, and meets the faults a test has scripted."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

from airflow_provider_phonelink.sandbox.answers import Answer, Wire
from airflow_provider_phonelink.sandbox.exchange import SCOPE_KEY, Exchange, Stand
from airflow_provider_phonelink.sandbox.fault_kinds import strike
from airflow_provider_phonelink.sandbox.journal import Entry
from airflow_provider_phonelink.sandbox.world import Refused, stand_ins

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from airflow_provider_phonelink.sandbox.answers import Message, Receive, Scope, Send

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
STRANGE_HOST = Answer(421, {"content-type": "text/plain"}, b"The sandbox answers to loopback names only.\n")


def vendor_of(path: str) -> str | None:
    """Return whose endpoint a path is, if it is a vendor's."""
    return next((key for key, vendor in stand_ins().items() if path.startswith(vendor.prefix)), None)


class Gate:
    """
    ASGI middleware around the vendors' endpoints.

    :param app: the endpoints.
    :param stand: what the sandbox consists of.
    """

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]], stand: Stand) -> None:
        self._app = app
        self._stand = stand
        # Request ids tell apart the requests of one sandbox and, by their prefix, those of several.
        self._prefix = uuid4().hex[:12]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        vendor = vendor_of(scope["path"])
        wire = Wire(scope, receive, send, self._stand.connections)
        if _host(scope) not in LOOPBACK_NAMES:
            # A web page could otherwise reach the sandbox by a name that resolves to the loopback address.
            await STRANGE_HOST.send(wire)
        elif vendor is None:
            await self._app(scope, receive, send)
        else:
            await self._exchange(vendor, scope, wire, await _read(receive))

    async def _exchange(self, vendor: str, scope: Scope, wire: Wire, body: bytes) -> None:
        stand = self._stand
        entry = stand.journal.record(
            Entry(
                0,
                stand.world.clock.now(),
                vendor,
                scope["method"],
                scope["path"],
                scope["query_string"].decode("latin-1"),
                body,
            )
        )
        entry.request_id = f"{self._prefix}-{entry.n:06d}"
        exchange = Exchange(stand, entry, wire, put=partial(self._put, scope))
        striking = stand.faults.striking(vendor, entry.method, entry.path)
        entry.faults = tuple(armed.fault.kind for armed in striking)
        proceed: Callable[[], Awaitable[Answer]] = partial(self._proceed, exchange, scope, body)
        for armed in reversed(striking):
            proceed = partial(strike, armed, exchange, proceed)
        answer = await proceed()
        entry.status = answer.status or None
        await answer.with_headers({"x-request-id": entry.request_id}).send(wire)

    async def _proceed(self, exchange: Exchange, scope: Scope, body: bytes) -> Answer:
        """Let the request take its course."""
        try:
            exchange.organisation = self._stand.access.organisation(
                exchange.entry.vendor, _header(scope, b"authorization")
            )
        except Refused as refused:
            return exchange.error(refused)
        return await self._call({**scope, SCOPE_KEY: exchange}, body)

    async def _put(
        self, scope: Scope, organisation: str, method: str, path: str, query: str, body: bytes
    ) -> Answer:
        """Put a request to a vendor that no client has sent, and that the journal does not show."""
        entry = Entry(0, self._stand.world.clock.now(), vendor_of(path) or "", method, path)
        wire = Wire(scope, _nothing_received, _nothing_sent, tuple)
        exchange = Exchange(self._stand, entry, wire, partial(self._put, scope), organisation)
        asked = {
            **scope,
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(b"content-type", b"application/json"), (b"host", b"127.0.0.1")],
            SCOPE_KEY: exchange,
        }
        return await self._call(asked, body)

    async def _call(self, scope: Scope, body: bytes) -> Answer:
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in sent[0]["headers"]}
        headers.pop("content-length", None)
        return Answer(sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:]))


def _host(scope: Scope) -> str:
    host = _header(scope, b"host") or ""
    return host if host.endswith("]") else host.rpartition(":")[0] or host


def _header(scope: Scope, wanted: bytes) -> str | None:
    for name, value in scope["headers"]:
        if name == wanted:
            return str(value.decode("latin-1"))
    return None


async def _read(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body", False):
            return body


async def _nothing_received() -> Message:
    return {"type": "http.disconnect"}


async def _nothing_sent(_: Message) -> None:
    return None
