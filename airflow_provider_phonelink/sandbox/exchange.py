"""One request to a vendor while it is being answered, and what all of them share."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.sandbox.access import Access
from airflow_provider_phonelink.sandbox.answers import Answer, Wire
from airflow_provider_phonelink.sandbox.errors import error_body
from airflow_provider_phonelink.sandbox.faults import Faults

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from airflow_provider_phonelink.sandbox.journal import Entry, Journal
    from airflow_provider_phonelink.sandbox.world import World

SCOPE_KEY = "phonelink.exchange"
"""Under this key of the ASGI scope the routes find the exchange."""

TICK = 0.05


@dataclass
class Stand:
    """
    Everything one sandbox consists of, apart from the server.

    :param connections: the server's open connections.
    :param epoch: goes up when everything that is waiting must end (reset, stop).
    """

    world: World
    journal: Journal
    access: Access = field(default_factory=Access)
    faults: Faults = field(default_factory=Faults)
    connections: Callable[[], Iterable[Any]] = tuple
    epoch: int = 0


@dataclass
class Exchange:
    """
    One request to a vendor.

    :param entry: its line in the journal.
    :param organisation: whom it acts for; filled in once the key has been looked at.
    :param dry: what it does is undone again.
    :param put: puts another request to a vendor, as (organisation, method, path, query string, body).
    """

    stand: Stand
    entry: Entry
    wire: Wire
    put: Callable[[str, str, str, str, bytes], Awaitable[Answer]]
    organisation: str = ""
    dry: bool = False
    epoch: int = field(init=False)

    def __post_init__(self) -> None:
        """Remember when it began: it does not outlive a reset."""
        self.epoch = self.stand.epoch

    def error(self, status: int, detail: str) -> Answer:
        """Return an error as the vendor would word it."""
        body, media_type = error_body(
            self.entry.vendor, status, detail, self.entry.path, self.stand.world.switches
        )
        headers = {"content-type": media_type, **({"www-authenticate": "Bearer"} if status == 401 else {})}
        return Answer(status, headers, body)

    async def read(self, path: str, query: str = "") -> Answer:
        """Return what the client would see at another address."""
        return await self.put(self.organisation, "GET", path, query, b"")

    async def pause(self, seconds: float) -> None:
        """Wait, but no longer than the sandbox lets anybody wait."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while self.epoch == self.stand.epoch and (left := end - loop.time()) > 0:
            await asyncio.sleep(min(left, TICK))

    async def hang(self) -> None:
        """Wait until the client leaves or the sandbox is reset or stopped."""
        gone = asyncio.ensure_future(self.wire.gone())
        try:
            while self.epoch == self.stand.epoch and not gone.done():
                await asyncio.wait({gone}, timeout=TICK)
        finally:
            gone.cancel()
