"""Carry out calls and flows in tests, through either sender, against a vendor that is a function."""

from __future__ import annotations

import asyncio
import unicodedata
from types import GeneratorType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import tenacity

from airflow_provider_phonelink.api import bodies, senders
from airflow_provider_phonelink.api.callingbox.settings import CallingBoxSettings
from airflow_provider_phonelink.api.dasha.settings import DashaSettings
from airflow_provider_phonelink.api.pacing import Pacer
from airflow_provider_phonelink.api.senders import AsyncSender, Sender

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_provider_phonelink.api.settings import Settings

KEY = "sk_test_5up3r53cr3t"
BASE_URL = "https://vendor.example"
KINDS = ("sync", "async")


def dasha_settings(**overrides: Any) -> DashaSettings:
    return DashaSettings(**{"base_url": BASE_URL, "api_key": KEY, **overrides})


def callingbox_settings(**overrides: Any) -> CallingBoxSettings:
    return CallingBoxSettings(**{"base_url": BASE_URL, "api_key": KEY, **overrides})


def is_one_line(text: str) -> bool:
    """Return whether a text cannot pass for more than one line of a log."""
    unsafe = ("C", "Zl", "Zp")
    return not any(unicodedata.category(character).startswith(unsafe) for character in text)


def frames_of(error: BaseException | None) -> Iterator[Any]:
    """Return all frames that an error and what led to it carry, as an error report would show them."""
    while error is not None:
        trace = error.__traceback__
        while trace is not None:
            yield trace.tb_frame
            trace = trace.tb_next
        error = error.__cause__ or error.__context__


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    async def asleep(self, seconds: float) -> None:
        self.sleep(seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Replace the time of senders, retries and body deadlines."""
    clock = Clock()
    monkeypatch.setattr(senders, "time", SimpleNamespace(sleep=clock.sleep))
    monkeypatch.setattr(senders, "asyncio", SimpleNamespace(**{**vars(asyncio), "sleep": clock.asleep}))
    monkeypatch.setattr(bodies, "time", SimpleNamespace(monotonic=clock))
    monkeypatch.setattr(tenacity, "time", SimpleNamespace(monotonic=clock, sleep=clock.sleep))
    return clock


class CarryOut:
    """Carry out a call or flow, or several one after the other, through one sender."""

    def __init__(self, kind: str, clock: Clock) -> None:
        self.kind = kind
        self.clock = clock

    def __call__(
        self, *steps: Any, vendor: Callable[[httpx.Request], httpx.Response], settings: Settings | None = None
    ) -> Any:
        settings = settings or dasha_settings()
        options: dict[str, Any] = {
            "pacer": Pacer(settings.requests_per_second, clock=self.clock),
            "transport": httpx.MockTransport(vendor),
        }
        if self.kind == "sync":
            with Sender(settings, **options) as sender:
                return [_start(sender, step) for step in steps][-1]

        async def carry_out() -> Any:
            async with AsyncSender(settings, **options) as sender:
                return [await _start(sender, step) for step in steps][-1]

        return asyncio.run(carry_out())


def _start(sender: Any, step: Any) -> Any:
    return sender.run(step) if isinstance(step, GeneratorType) else sender.send(step)


@pytest.fixture(params=KINDS)
def carry_out(request: pytest.FixtureRequest, clock: Clock) -> CarryOut:
    """Carry out through the sync and through the async sender."""
    return CarryOut(request.param, clock)


@pytest.fixture(autouse=True)
def no_proxy_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the proxies of the machine that runs the tests out of them."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
