"""The way in: every request to a vendor is noted, checked for its key, and meets the faults a test has scripted."""

from __future__ import annotations

from email.utils import formatdate
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

from airflow_provider_phonelink.sandbox.answers import Answer, Wire
from airflow_provider_phonelink.sandbox.control import PREFIX
from airflow_provider_phonelink.sandbox.exchange import SCOPE_KEY, Exchange, Stand
from airflow_provider_phonelink.sandbox.fault_kinds import strike
from airflow_provider_phonelink.sandbox.journal import Entry
from airflow_provider_phonelink.sandbox.world import Refused, stand_ins

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from airflow_provider_phonelink.sandbox.answers import Message, Receive, Scope, Send
    from airflow_provider_phonelink.sandbox.switches import Switches

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
PLAIN = {"content-type": "text/plain; charset=utf-8"}
STRANGE_HOST = Answer(421, PLAIN, b"The sandbox answers to loopback names only.\n")
FOREIGN_PAGE = Answer(403, PLAIN, b"The sandbox takes nothing from web pages of other origins.\n")
NOT_JSON = Answer(415, PLAIN, b"The sandbox takes application/json only.\n")
REQUESTS_A_MINUTE = 600


def vendor_of(path: str) -> str | None:
    """Return whose endpoint a path is, if it is a vendor's."""
    return next((key for key, vendor in stand_ins().items() if path.startswith(vendor.prefix)), None)


def refused_to_browsers(scope: Scope) -> Answer | None:
    """
    Return the answer to a request that a web page may have made its visitor's browser send, None to any other.

    Pages of other origins are kept from the sandbox's own endpoints and from all writes: a fault that answers a page
    of HTML would let them run scripts on the sandbox's origin.
    """
    host = _header(scope, b"host") or ""
    if _name(host) not in LOOPBACK_NAMES:
        # Otherwise a page could reach the sandbox by a name that resolves to the loopback address.
        return STRANGE_HOST
    own, reads = scope["path"].startswith(PREFIX), scope["method"] in ("GET", "HEAD")
    if own or not reads:
        origin, site = _header(scope, b"origin"), _header(scope, b"sec-fetch-site")
        if origin not in (None, f"http://{host}") or site not in (None, "same-origin", "none"):
            return FOREIGN_PAGE
    has_body = _header(scope, b"content-length") not in (None, "0") or _header(scope, b"transfer-encoding")
    if own and has_body and not _is_json(_header(scope, b"content-type")):
        return NOT_JSON
    return None


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
        send = self._with_headers(send)
        wire = Wire(scope, receive, send, self._stand.connections)
        if refusal := refused_to_browsers(scope):
            await refusal.send(wire)
        elif vendor is None:
            await self._app(scope, receive, send)
        else:
            await self._exchange(vendor, scope, wire, await _read(receive))

    def _with_headers(self, send: Send) -> Send:
        """Add what every answer has: no browser shall take it for a page that it is not."""
        world = self._stand.world
        headers = [(b"x-content-type-options", b"nosniff")]
        if world.switches.date_header == "sent":
            headers.append((b"date", formatdate(world.clock.now(), usegmt=True).encode()))

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *headers]}
            await send(message)

        return send_with_headers

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
        headers = {"x-request-id": entry.request_id, **_rate_limit(stand.world.switches, entry.n)}
        await answer.with_headers(headers).send(wire)

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


def _is_json(media_type: str | None) -> bool:
    return (media_type or "").partition(";")[0].strip().lower() == "application/json"


def _rate_limit(switches: Switches, requests: int) -> dict[str, str]:
    if switches.rate_limit_headers == "none":
        return {}
    told = {"limit": REQUESTS_A_MINUTE, "remaining": -requests % REQUESTS_A_MINUTE, "reset": 60}
    return {f"{switches.rate_limit_headers}-{name}": str(value) for name, value in told.items()}


def _name(host: str) -> str:
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
