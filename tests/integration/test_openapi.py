"""The sandbox does what its own description says, under requests nobody thought of."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from airflow_provider_phonelink.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_EXAMPLES = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# Tests are made of the description when this module is read, and each of them knows the address already.
SANDBOX = Sandbox(seed="demo", port=free_port())


@pytest.fixture(scope="module")
def described() -> Iterator[Sandbox]:
    with SANDBOX:
        yield SANDBOX


# A random fault would strike the requests that follow; a random object is no seed, nor any text a pattern.
NOT_AT_RANDOM = ("/_sandbox/faults", "/_sandbox/seed", "/_sandbox/journal")
schema = schemathesis.openapi.from_dict(SANDBOX.openapi()).exclude(path=list(NOT_AT_RANDOM))
schema.config.update(base_url=SANDBOX.url)
# The test sends the key itself: what is generated must not count on having left it out.
schema.config.generation.update(with_security_parameters=False)
# A number that is there already is no fault of the description.
schema.config.checks.positive_data_acceptance.expected_statuses = ["2xx", "404", "409"]


def is_wrong_in_name_only(case: schemathesis.Case) -> bool:
    """Whether a truth value was made a text to be wrong, which in a query is the same to the letter."""
    return any(value in ("true", "false") for value in (case.query or {}).values())


@schema.parametrize()
@settings(max_examples=MAX_EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
def test_answers_are_as_described(case: schemathesis.Case, described: Sandbox) -> None:
    key = described.dasha_key if case.path.startswith("/api/") else described.callingbox_key
    excluded: list[Any] = [negative_data_rejection] if is_wrong_in_name_only(case) else []
    if {"starting_after", "ending_before"} & set(case.query or {}):
        excluded.append(positive_data_acceptance)  # the description does not say which ids there are
    case.call_and_validate(headers={"Authorization": f"Bearer {key}"}, excluded_checks=excluded)


def test_every_endpoint_of_both_vendors_is_described(described: Sandbox) -> None:
    paths = described.openapi()["paths"]
    numbers = "/api/v1/sip-phone-numbers"
    assert {path: set(operations) for path, operations in paths.items() if "_sandbox" not in path} == {
        numbers: {"get", "post"},
        f"{numbers}/{{number_id}}": {"get", "put", "delete"},
        f"{numbers}/{{number_id}}/agent-link": {"put", "delete"},
        f"{numbers}/{{number_id}}/affected-agents": {"get"},
        "/api/v1/sip-credentials": {"get"},
        "/api/v1/sip-credentials/{credentials_id}": {"get"},
        "/api/v1/sip-credentials/{credentials_id}/affected-agents": {"get"},
        "/api/v1/agents": {"get"},
        "/api/v1/providers/{provider_id}": {"get"},
        "/api/v1/providers/twilio/{provider_id}/phone-numbers/{number_id}": {"delete"},
        "/v1/agents": {"get"},
        "/v1/agents/{agent_id}": {"get"},
        "/v1/agents/{agent_id}/numbers": {"post"},
        "/v1/agents/{agent_id}/numbers/{number_id}": {"delete"},
        "/v1/agents/{agent_id}/primary-number": {"put"},
        "/v1/numbers": {"get"},
    }


def test_the_description_is_served(described: Sandbox) -> None:
    assert httpx.get(f"{described.url}/openapi.json").json() == described.openapi()


def test_ranges_and_keys_are_described(described: Sandbox) -> None:
    document = described.openapi()
    listing = document["paths"]["/api/v1/sip-phone-numbers"]["get"]
    ranges = {
        p["name"]: (p["schema"].get("minimum"), p["schema"].get("maximum")) for p in listing["parameters"]
    }
    assert (ranges["skip"], ranges["take"]) == ((0, 2147483647), (1, 1000))
    assert listing["security"] == [{"Dasha BlackBox": []}]
    assert set(document["components"]["securitySchemes"]) == {"Dasha BlackBox", "CallingBox"}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert ("security" in operation) == ("_sandbox" not in path)
