"""
The sandbox as a pytest fixture, for tests of your own DAGs. It is there wherever the provider is installed.

    @pytest.mark.phonelink_sandbox(seed="demo", switches={"dasha_phone_filter": "substring"})
    def test_onboarding(phonelink_sandbox):
        ...
        assert phonelink_sandbox.world.dasha.links()[number_id] == ("agent-support", [])

Without the marker a test starts with no numbers. If plugins are not loaded by themselves, name this module in
`pytest_plugins`.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_provider_phonelink.sandbox.server import Sandbox


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers", "phonelink_sandbox(seed=None, switches=None): what the sandbox of this test starts with"
    )


@pytest.fixture(scope="session")
def phonelink_sandbox_server() -> Iterator[Sandbox]:
    """One server for all tests. Use `phonelink_sandbox`: its state is fresh in each test."""
    from airflow_provider_phonelink.sandbox.server import Sandbox

    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def phonelink_sandbox(
    request: pytest.FixtureRequest, phonelink_sandbox_server: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Sandbox]:
    """
    Give a sandbox with fresh state, to which `dasha_default` and `callingbox_default` lead.

    Where they would lead elsewhere in tasks or triggers, because Airflow has a secrets backend that knows them, the
    test fails before it runs: it would change numbers at the vendor. No proxy comes between.
    """
    sandbox = phonelink_sandbox_server
    sandbox.reset()
    if (marker := request.node.get_closest_marker("phonelink_sandbox")) is not None:
        _prepare(sandbox, *marker.args, **marker.kwargs)
    for id_, connection in sandbox.connections.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{id_.upper()}", json.dumps(connection))
    _refuse_strays(sandbox)
    bypass = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
    for name in (
        "no_proxy",
        "NO_PROXY",
    ):  # for other clients; the provider's own never takes a proxy to loopback
        monkeypatch.setenv(name, ",".join(filter(None, (bypass, "127.0.0.1"))))
    yield sandbox
    sandbox.reset()


def _refuse_strays(sandbox: Sandbox) -> None:
    from airflow_provider_phonelink.sandbox.resolution import strays

    if found := list(strays(sandbox.connections)):
        pytest.fail(
            f"The connections do not lead to the sandbox. {' '.join(found)} The test was not run, because its tasks "
            "would use the real vendor. Have no secrets backend in tests: set AIRFLOW__SECRETS__BACKEND and "
            "AIRFLOW__WORKERS__SECRETS_BACKEND to nothing before Airflow is imported.",
            pytrace=False,
        )


def _prepare(
    sandbox: Sandbox, seed: Mapping[str, Any] | str | None = None, switches: Mapping[str, Any] | None = None
) -> None:
    from airflow_provider_phonelink.sandbox import seeds

    sandbox.set(**(switches or {}))
    if seed is not None:
        seeds.plant(sandbox.world, seeds.load(seed) if isinstance(seed, str) else seed)
