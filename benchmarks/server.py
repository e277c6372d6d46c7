"""
A vendor that costs next to nothing: the requests that the benchmarks make, answered from memory.

A process of its own (`python -m benchmarks.server`), on the loopback interface, that prints its port and ends with
its standard input. It answers after a latency that can be set, counts what it is asked, and lets registrations
become active on command. It is no sandbox: there are no rules, and nothing is checked.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from benchmarks.numbers import NUMBERS, READY, index_of, number_json

if TYPE_CHECKING:
    from collections.abc import Callable

HOST = "127.0.0.1"
CONTROL = "/control"
REASONS = {200: "OK", 201: "Created", 204: "No Content", 404: "Not Found"}


class Vendor:
    """The numbers, how long an answer takes, and what has been asked."""

    def __init__(self) -> None:
        self.size = 0
        self.latency = 0.0
        self.state = "Registering"
        #: Numbers of a page that have been updated at each reading of it.
        self.churn = 0
        self.agents: dict[int, str | None] = {}
        self.counts: Counter[str] = Counter()
        self.connections = 0
        self._numbers_of = lru_cache(maxsize=256)(self._write_numbers)
        self._readings = 0

    def control(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Change what is given; return the counts so far, which begin anew if anything was given."""
        counts = {
            "requests": dict(self.counts),
            "connections": self.connections,
            "cpu": time.process_time(),
        }
        for name, value in settings.items():
            setattr(self, name, value)
        if settings:
            self.agents.clear()
            self._numbers_of.cache_clear()
            self.counts.clear()
            self.connections = 0
        return counts

    def answer(self, method: str, target: str) -> tuple[int, bytes]:
        """Answer a request and count it."""
        path, _, query = target.partition("?")
        if path == NUMBERS:
            return self._collection(method, query)
        if path.startswith(READY):
            self.counts["GET ready"] += 1
            return (200 if self.state == "Registered" else 404), self._number(path.rpartition("/")[2])
        id_, _, rest = path.removeprefix(NUMBERS + "/").partition("/")
        self.counts[f"{method} {rest or 'number'}"] += 1
        if rest == "agent-link":
            self.agents[index_of(id_)] = dict(parse_qsl(query)).get("agentId") if method == "PUT" else None
        elif method == "DELETE":
            return 204, b""
        return 200, self._number(id_)

    def _collection(self, method: str, query: str) -> tuple[int, bytes]:
        if method == "POST":
            self.counts["POST number"] += 1
            return 201, number_json(0, self.state, None)
        self.counts["GET list"] += 1
        return 200, self._page(query)

    def _number(self, id_: str) -> bytes:
        index = index_of(id_)
        return number_json(index, self.state, self.agents.get(index))

    def _page(self, query: str) -> bytes:
        params = dict(parse_qsl(query))
        skip, take = int(params.get("skip", 0)), int(params.get("take", 20))
        numbers = self._numbers_of(skip, take)
        self._readings += 1
        for offset in range(min(self.churn, len(numbers))):
            place = (self._readings * self.churn + offset) % len(numbers)
            numbers[place] = number_json(skip + place, self.state, None, updated=self._readings)
        tail = f'],"totalCount":{self.size},"skip":{skip},"take":{take}}}'
        return b'{"items":[' + b",".join(numbers) + tail.encode()

    def _write_numbers(self, skip: int, take: int) -> list[bytes]:
        return [number_json(index, self.state, None) for index in range(skip, min(skip + take, self.size))]


class Connection(asyncio.Protocol):
    """One client's connection: HTTP/1.1 with keep-alive, one request after the other."""

    def __init__(self, vendor: Vendor, call_later: Callable[..., Any]) -> None:
        self._vendor = vendor
        self._call_later = call_later
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        self._transport: Any = transport
        self._vendor.connections += 1

    def data_received(self, data: bytes) -> None:
        """Answer each request that is complete."""
        self._buffer += data
        while True:
            head, separator, rest = self._buffer.partition(b"\r\n\r\n")
            if not separator:
                return
            length = _content_length(head)
            if len(rest) < length:
                return
            body, self._buffer = rest[:length], rest[length:]
            method, target, _ = head.split(b"\r\n", 1)[0].decode("ascii").split(" ")
            self._respond(method, target, body)

    def _respond(self, method: str, target: str, body: bytes) -> None:
        if target == CONTROL:
            self._send(200, json.dumps(self._vendor.control(json.loads(body or b"{}"))).encode())
            return
        status, answer = self._vendor.answer(method, target)
        if self._vendor.latency:
            self._call_later(self._vendor.latency, self._send, status, answer)
        else:
            self._send(status, answer)

    def _send(self, status: int, body: bytes) -> None:
        if not self._transport.is_closing():
            head = f"HTTP/1.1 {status} {REASONS[status]}\r\ncontent-type: application/json\r\n"
            self._transport.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)


def _content_length(head: bytes) -> int:
    at = head.lower().find(b"\r\ncontent-length:")
    return int(head[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0


async def serve() -> None:
    """Serve until the standard input ends."""
    loop = asyncio.get_running_loop()
    vendor = Vendor()
    server = await loop.create_server(
        lambda: Connection(vendor, loop.call_later), HOST, 0, backlog=4096, reuse_address=True
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


def main() -> None:
    """Run the server, on uvloop if it is there."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(serve())
    else:
        uvloop.run(serve())


if __name__ == "__main__":
    main()
