"""What was asked of the sandbox, in order. Headers are not kept, so no key can be in it."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote

from airflow_provider_phonelink.sandbox.patterns import PathPattern

if TYPE_CHECKING:
    from collections.abc import Iterator

BODY_LIMIT = 65_536
"""Longer request bodies are not kept."""


@dataclass
class Entry:
    """
    One request.

    `status` is None as long as there is no answer, and stays so if the connection is dropped.
    """

    n: int
    time: float
    vendor: str
    method: str
    path: str
    query_string: str = ""
    raw_body: bytes = b""
    status: int | None = None
    changed: bool = False
    faults: tuple[str, ...] = ()
    request_id: str = ""

    @property
    def query(self) -> dict[str, str]:
        """The query parameters, the last of each name."""
        return dict(parse_qsl(self.query_string, keep_blank_values=True))

    @property
    def target(self) -> str:
        """Path and query string, as they are written in a URL."""
        path = quote(self.path)
        return f"{path}?{self.query_string}" if self.query_string else path

    @property
    def body(self) -> Any:
        """The JSON body; None if there was none, the text if it is no JSON."""
        if not self.raw_body:
            return None
        try:
            return json.loads(self.raw_body)
        except ValueError:
            return self.raw_body.decode("utf-8", "replace")

    def as_dict(self) -> dict[str, Any]:
        """Return the entry as plain JSON."""
        return {
            "n": self.n,
            "time": self.time,
            "vendor": self.vendor,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "body": self.body,
            "status": self.status,
            "changed": self.changed,
            "faults": list(self.faults),
            "request_id": self.request_id,
        }


class Journal:
    """
    The latest requests to the vendors' endpoints.

    :param cap: how many are kept; older ones are only counted.
    """

    def __init__(self, cap: int = 20_000) -> None:
        if cap < 1:
            raise ValueError("the journal's cap must be at least 1")
        self._entries: deque[Entry] = deque(maxlen=cap)
        self._lock = Lock()
        self.total = 0

    def __len__(self) -> int:
        """How many requests are kept."""
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        """Go through the requests that are kept, the oldest first."""
        with self._lock:
            return iter(list(self._entries))

    def record(self, entry: Entry) -> Entry:
        """Note a request, and give it its number."""
        with self._lock:
            self.total += 1
            entry.n = self.total
            if len(entry.raw_body) > BODY_LIMIT:
                entry.raw_body = b'"(too long to keep)"'
            self._entries.append(entry)
            return entry

    def requests(
        self,
        method: str | None = None,
        path: str = "",
        vendor: str | None = None,
        since: int = 0,
    ) -> list[Entry]:
        """Return the requests of a method, to paths that have the pattern (see `patterns`), after number `since`."""
        found = PathPattern(path)
        return [
            entry
            for entry in self
            if entry.n > since
            and method in (None, entry.method)
            and vendor in (None, entry.vendor)
            and found.search(entry.path)
        ]

    def writes(self) -> list[Entry]:
        """Return the requests that changed the state."""
        return [entry for entry in self if entry.changed]

    def clear(self) -> None:
        """Forget all requests; counting begins anew."""
        with self._lock:
            self._entries.clear()
            self.total = 0
