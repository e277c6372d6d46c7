from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_phonelink.api.callingbox import endpoints
from airflow_provider_phonelink.api.errors import InvalidArgumentError

CALLS: dict[str, tuple[Any, ...]] = {
    "numbers": (endpoints.list_numbers(), "GET", "/v1/numbers", {"limit": "100"}, None, True),
    "agents": (endpoints.list_agents(), "GET", "/v1/agents", {}, None, True),
    "inbound agents": (endpoints.list_agents("inbound"), "GET", "/v1/agents", {"type": "inbound"}, None, True),
    "outbound agents": (endpoints.list_agents("outbound"), "GET", "/v1/agents", {"type": "outbound"}, None, True),
    "agent": (endpoints.get_agent("a 1"), "GET", "/v1/agents/a%201", {}, None, True),
    "attach": (endpoints.attach("a", "n"), "POST", "/v1/agents/a/numbers", {}, {"number_id": "n"}, False),
    "attach by another key": (
        endpoints.attach("a", "n", body_key="id"), "POST", "/v1/agents/a/numbers", {}, {"id": "n"}, False,
    ),
    "detach": (endpoints.detach("a", "n?x"), "DELETE", "/v1/agents/a/numbers/n%3Fx", {}, None, False),
    "primary": (
        endpoints.set_primary_number("a", "n"), "PUT", "/v1/agents/a/primary-number", {}, {"number_id": "n"}, True,
    ),
    "primary by another key": (
        endpoints.set_primary_number("a", "n", body_key="id"),
        "PUT", "/v1/agents/a/primary-number", {}, {"id": "n"}, True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(CALLS))
def test_each_call_is_as_the_vendor_describes_it(name) -> None:
    call, method, path, params, body, repeatable = CALLS[name]
    assert (call.method, call.path, dict(call.params), call.body) == (method, path, params, body)
    assert call.repeatable is repeatable
    assert call.look is None


@pytest.mark.parametrize("bad", ["", "None", "../x", "..", "a/b", None, " a", 7])
@pytest.mark.parametrize(
    ("argument", "build"),
    [
        ("agent_id", lambda bad: endpoints.get_agent(bad)),
        ("agent_id", lambda bad: endpoints.attach(bad, "n")),
        ("agent_id", lambda bad: endpoints.detach(bad, "n")),
        ("agent_id", lambda bad: endpoints.set_primary_number(bad, "n")),
        ("number_id", lambda bad: endpoints.attach("a", bad)),
        ("number_id", lambda bad: endpoints.detach("a", bad)),
        ("number_id", lambda bad: endpoints.set_primary_number("a", bad)),
    ],
)
def test_a_bad_id_is_named(argument, build, bad) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        build(bad)
    assert caught.value.argument == argument


def test_a_type_is_inbound_or_outbound() -> None:
    with pytest.raises(InvalidArgumentError, match="type: "):
        endpoints.list_agents("both")


def test_nothing_here_buys_or_releases_a_number() -> None:
    writes = {(call.method, call.path) for call, *_ in CALLS.values() if call.method != "GET"}
    assert all("/numbers" in path or "/primary-number" in path for _, path in writes)
    assert not {path for _, path in writes if path.startswith("/v1/numbers")}
