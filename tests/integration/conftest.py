"""A sandbox that is quick to fail, and the connections that lead to it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from integration import cells
from integration.commands import phonelink, routes_file
from integration.reconciling import dasha_ids, reconcile
from integration.worlds import AGENT, CREDENTIALS, OTHER_AGENT
from tenacity import wait_none

from airflow_provider_phonelink.api import answers, pacing, patience, retry
from airflow_provider_phonelink.sandbox import seeds

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_phonelink.hooks.callingbox import CallingBoxHook
    from airflow_provider_phonelink.hooks.dasha import DashaHook
    from airflow_provider_phonelink.sandbox import Sandbox

__all__ = ["dasha_ids", "phonelink", "reconcile", "routes_file"]

#: A request that hangs is the fault only where a test says so, and sets a shorter time-out then.
EXTRA = {"timeout": 60, "max_retries": 2}


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries follow each other at once; that the waits are as long as promised is for the unit tests."""
    monkeypatch.setattr(retry, "_backoff", wait_none())
    monkeypatch.setattr(answers, "LONGEST_RETRY_AFTER", 0.01)
    monkeypatch.setattr(patience, "PAUSES", (0.01,))
    monkeypatch.setattr(pacing, "FIRST_HOLD", 0.001)
    monkeypatch.setattr(pacing, "LONGEST_HOLD", 0.005)


@pytest.fixture
def sandbox(phonelink_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """The sandbox, which Airflow knows by the connections that a test gives it and not by the environment."""
    for id_ in phonelink_sandbox.connections:
        monkeypatch.delenv(f"AIRFLOW_CONN_{id_.upper()}")
    return phonelink_sandbox


@pytest.fixture
def connections(sandbox: Sandbox) -> dict[str, dict[str, Any]]:
    """What Airflow knows of the sandbox; a test may change it."""
    return {id_: {**connection, "extra": dict(EXTRA)} for id_, connection in sandbox.connections.items()}


@pytest.fixture
def hooks(connections: dict[str, dict[str, Any]]) -> Callable[..., Any]:
    """Return hooks of both vendors, with further extras if wanted: ``hooks(timeout=1).dasha``."""

    def make(**extra: Any) -> SimpleNamespace:
        return SimpleNamespace(
            dasha=_hook("dasha", connections["dasha_default"], extra),
            callingbox=_hook("callingbox", connections["callingbox_default"], extra),
        )

    return make


def _hook(vendor: str, connection: dict[str, Any], extra: dict[str, Any]) -> DashaHook | CallingBoxHook:
    from integration.hooks import hook_of

    return hook_of(vendor, {**connection, "extra": {**connection["extra"], **extra}})


@pytest.fixture
def number(sandbox: Sandbox) -> str:
    """The id of a registered number that no agent has, beside one that other agents have."""
    sandbox.world.dasha.add_number(
        "+15550199",
        CREDENTIALS,
        display_name="Bystander",
        inbound=OTHER_AGENT,
        outbound=[OTHER_AGENT],
        steps=seeds.REGISTERED,
    )
    return sandbox.world.dasha.add_number("+15550100", CREDENTIALS, steps=seeds.REGISTERED)


@pytest.fixture
def box(sandbox: Sandbox) -> Any:
    """CallingBox with an inbound and an outbound agent, one free number, and a bystander."""
    world = sandbox.world.callingbox
    world.add_agent("inbound", id=AGENT)
    world.add_agent("inbound", id=OTHER_AGENT)
    world.add_agent("outbound", id="agent-outbound")
    world.add_number("+15550298", id="pn_bystander", agents=[OTHER_AGENT, "agent-outbound"])
    world.add_number("+15550200", id="pn_free")
    return world


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for line in cells.summary():
        terminalreporter.write_line(line)
