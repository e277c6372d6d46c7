from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from airflow_provider_phonelink.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT = 10.0


@pytest.fixture(scope="session")
def server() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(server: Sandbox) -> Iterator[Sandbox]:
    """A sandbox without any numbers, whose time stands still."""
    server.reset()
    server.world.clock.freeze()
    yield server
    server.reset()


@pytest.fixture
def dasha(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with _client(sandbox, sandbox.dasha_key) as client:
        yield client


@pytest.fixture
def callingbox(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with _client(sandbox, sandbox.callingbox_key) as client:
        yield client


@pytest.fixture
def control(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{sandbox.url}/_sandbox/", timeout=TIMEOUT) as client:
        yield client


def _client(sandbox: Sandbox, key: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.Client(base_url=sandbox.url, headers=headers, timeout=TIMEOUT)
