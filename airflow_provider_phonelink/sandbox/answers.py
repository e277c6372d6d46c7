"""An answer on its way to the client, and the ways it can be sent, broken ones included."""

from __future__ import annotations

import json
import socket
import struct
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping

    Message = MutableMapping[str, Any]
    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]


class Wire:
    """
    The client's connection.

    :param connections: the server's open connections, needed to close the client's; None without a server.
    """

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, connections: Callable[[], Iterable[Any]] | None
    ) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._connections = connections

    async def start(self, status: int, headers: Mapping[str, str]) -> None:
        """Send the status line and the headers."""
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": raw})

    async def write(self, data: bytes, *, more: bool = False) -> None:
        """Send a part of the body."""
        await self._send({"type": "http.response.body", "body": data, "more_body": more})

    async def gone(self) -> None:
        """Wait until the client has left."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def hang_up(self, *, reset: bool = False) -> None:
        """
        Close the connection, whatever has been sent. ASGI cannot do that, so it is done on the transport.

        A client that has left already has closed it itself.
        """
        if self._connections is None:
            raise ConnectionAbortedError("only a sandbox server can drop a connection")
        for connection in list(self._connections()):
            if connection.client == self._scope["client"]:
                if reset:
                    # Closing a socket without lingering resets the connection.
                    connection.transport.get_extra_info("socket").setsockopt(
                        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                    )
                connection.transport.close()
                # A server that sees an application return without an answer would still send one.
                await self.gone()
                return


@dataclass(frozen=True)
class Answer:
    """
    What is to be sent, and how.

    :param delivery: how it is sent; :func:`whole` unless something should go wrong.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    delivery: Callable[[Answer, Wire], Awaitable[None]] | None = None

    @property
    def is_success(self) -> bool:
        """Whether the request was granted."""
        return 200 <= self.status < 300

    async def send(self, wire: Wire) -> None:
        """Send the answer in its way of delivery."""
        await (self.delivery or whole)(self, wire)

    def json(self) -> Any:
        """Return the body as JSON; None if it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def with_json(self, document: Any) -> Answer:
        """Return the answer with another JSON body."""
        return replace(self, body=json.dumps(document).encode())

    def with_headers(self, headers: Mapping[str, str]) -> Answer:
        """Return the answer with headers added."""
        return replace(self, headers={**self.headers, **headers})


async def whole(answer: Answer, wire: Wire) -> None:
    """Send the answer as it should be."""
    await wire.start(answer.status, _with_length(answer))
    await wire.write(answer.body)


async def cut_short(answer: Answer, wire: Wire) -> None:
    """Promise the whole body, send half of it, and close the connection."""
    await wire.start(answer.status, _with_length(answer))
    await wire.write(answer.body[: len(answer.body) // 2], more=True)
    await wire.hang_up()


def dripping(
    pause: Callable[[float], Awaitable[None]], seconds: float, pieces: int = 20
) -> Callable[[Answer, Wire], Awaitable[None]]:
    """Return a way of sending the body in small pieces, spread over some time."""

    async def send(answer: Answer, wire: Wire) -> None:
        size = max(1, -(-len(answer.body) // pieces))
        parts = [answer.body[i : i + size] for i in range(0, len(answer.body), size)]
        await wire.start(answer.status, _with_length(answer))
        for part in parts:
            await pause(seconds / len(parts))
            await wire.write(part, more=True)
        await wire.write(b"")

    return send


def dropped(*, reset: bool = False) -> Answer:
    """Return a way of delivery that closes the connection without an answer."""

    async def send(_: Answer, wire: Wire) -> None:
        await wire.hang_up(reset=reset)

    return Answer(0, delivery=send)


def _with_length(answer: Answer) -> dict[str, str]:
    if answer.status == 204:
        return dict(answer.headers)
    return {**answer.headers, "content-length": str(len(answer.body))}
