"""Things that go wrong at a fake vendor, and the base of the fake vendors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable

    Handle = Callable[[httpx.Request], httpx.Response]
    Action = Callable[[Handle, httpx.Request], httpx.Response]


def lost_before(_: Handle, request: httpx.Request) -> httpx.Response:
    """The request never arrives."""
    raise httpx.ConnectError("connection refused", request=request)


def lost_after(handle: Handle, request: httpx.Request) -> httpx.Response:
    """The request is carried out and its answer is lost."""
    handle(request)
    raise httpx.ReadError("connection reset", request=request)


def html_after(handle: Handle, request: httpx.Request) -> httpx.Response:
    """The request is carried out and a gateway answers with a page of its own."""
    handle(request)
    return httpx.Response(200, html="<html>welcome</html>")


def truncated_after(handle: Handle, request: httpx.Request) -> httpx.Response:
    """The request is carried out and half of the answer arrives."""
    body = handle(request).content
    return httpx.Response(200, content=body[: len(body) // 2] or b"{")


def served(handle: Handle, request: httpx.Request) -> httpx.Response:
    """Nothing goes wrong this time."""
    return handle(request)


def status(code: int, *, after: bool = False, **options: Any) -> Action:
    """Answer with a status, before or after the request is carried out."""

    def action(handle: Handle, request: httpx.Request) -> httpx.Response:
        if after:
            handle(request)
        return httpx.Response(code, **options)

    return action


def meanwhile(change: Callable[[], Any], then: Action = served) -> Action:
    """Somebody else changes something right before the request."""

    def action(handle: Handle, request: httpx.Request) -> httpx.Response:
        change()
        return then(handle, request)

    return action


class FakeVendor:
    """A vendor with state; :meth:`on` makes something happen to its next matching request."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        #: Requests that changed the state.
        self.writes: list[str] = []
        self._planned: list[tuple[str, str, Action]] = []

    def on(self, method: str, path_end: str, *actions: Action) -> None:
        self._planned += [(method, path_end, action) for action in actions]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(f"{request.method} {request.url.path}")
        for index, (method, path_end, action) in enumerate(self._planned):
            if request.method == method and request.url.path.endswith(path_end):
                del self._planned[index]
                return action(self.handle, request)
        return self.handle(request)

    def handle(self, request: httpx.Request) -> httpx.Response:
        raise NotImplementedError

    def count(self, method: str) -> int:
        return sum(request.startswith(f"{method} ") for request in self.requests)

    def wrote(self, request: httpx.Request) -> None:
        self.writes.append(f"{request.method} {request.url.raw_path.decode()}")


def body_of(request: httpx.Request) -> Any:
    return json.loads(request.content)
