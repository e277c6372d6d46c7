from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.api.fake_dasha import CREDENTIALS, PROVIDER, FakeDasha, number_id, number_json

from airflow_provider_phonelink.api.dasha import endpoints
from airflow_provider_phonelink.api.errors import InvalidArgumentError

ID = number_id(1)
NUMBERS = "/api/v1/sip-phone-numbers"
DEFAULTS = {"displayName": None, "description": None, "registration": False}
PAIR = {"phoneNumber": "+1", "credentialsId": CREDENTIALS}

#: Call, method, path, query, body, repeatable: as the vendor's pages have it.
CALLS: dict[str, tuple[Any, ...]] = {
    "create": (endpoints.create_number("+1", CREDENTIALS), "POST", "", {}, {**PAIR, **DEFAULTS}, False),
    "create in full": (
        endpoints.create_number("+1", CREDENTIALS.upper(), display_name="A", description="B", registration=True),
        "POST", "", {}, {**PAIR, "displayName": "A", "description": "B", "registration": True}, False,
    ),
    "create from templates": (
        endpoints.create_number("+1", CREDENTIALS, registration="True"),  # type: ignore[arg-type]
        "POST", "", {}, {**PAIR, **DEFAULTS, "registration": True}, False,
    ),
    "update": (endpoints.update_number(ID, "+1", CREDENTIALS), "PUT", f"/{ID}", {}, {**PAIR, **DEFAULTS}, True),
    "update in full": (
        endpoints.update_number(ID, "+1", CREDENTIALS, display_name="A", description="B", registration=True),
        "PUT", f"/{ID}", {}, {**PAIR, "displayName": "A", "description": "B", "registration": True}, True,
    ),
    "get": (endpoints.get_number(ID.upper()), "GET", f"/{ID}", {}, None, True),
    "list": (endpoints.list_numbers(), "GET", "", {"skip": "0", "take": "20"}, None, True),
    "list in full": (
        endpoints.list_numbers(
            phone_number="+1", linked_agent_id="a", unlinked_only=True, provider_id=ID.upper(), skip=5, take=1000
        ),
        "GET", "",
        {
            "phoneNumber": "+1", "linkedAgentId": "a", "unlinkedOnly": "true", "providerId": ID,
            "skip": "5", "take": "1000",
        },
        None, True,
    ),
    "list at the ends of the ranges": (
        endpoints.list_numbers(skip=2147483647, take=1), "GET", "", {"skip": "2147483647", "take": "1"}, None, True,
    ),
    "link": (
        endpoints.link(ID, "agent 1"),
        "PUT", f"/{ID}/agent-link", {"agentId": "agent 1", "mode": "inbound"}, None, False,
    ),
    "link outbound": (
        endpoints.link(ID, "a", "replaceOutbound"),
        "PUT", f"/{ID}/agent-link", {"agentId": "a", "mode": "replaceOutbound"}, None, True,
    ),
    "unlink": (endpoints.unlink(ID), "DELETE", f"/{ID}/agent-link", {"mode": "inbound"}, None, False),
    "unlink from one": (
        endpoints.unlink(ID, "inbound", "a"),
        "DELETE", f"/{ID}/agent-link", {"mode": "inbound", "agentId": "a"}, None, False,
    ),
    "unlink outbound": (
        endpoints.unlink(ID, "replaceOutbound", "a"),
        "DELETE", f"/{ID}/agent-link", {"mode": "replaceOutbound", "agentId": "a"}, None, True,
    ),
    "affected agents": (endpoints.affected_agents(ID), "GET", f"/{ID}/affected-agents", {}, None, True),
    "delete": (endpoints.delete_number(ID), "DELETE", f"/{ID}", {}, None, False),
    "delete by force": (endpoints.delete_number(ID, force=True), "DELETE", f"/{ID}", {"force": "true"}, None, False),
    "delete at Twilio": (
        endpoints.delete_twilio_number(PROVIDER.upper(), ID, force=True),
        "DELETE", f"/api/v1/providers/twilio/{PROVIDER}/phone-numbers/{ID}", {"force": "true"}, None, False,
    ),
    "provider": (endpoints.get_provider(PROVIDER), "GET", f"/api/v1/providers/{PROVIDER}", {}, None, True),
    "users of credentials": (
        endpoints.credentials_users(CREDENTIALS),
        "GET", f"/api/v1/sip-credentials/{CREDENTIALS}/affected-agents", {}, None, True,
    ),
    "credentials": (
        endpoints.list_credentials(skip=5, take=10),
        "GET", "/api/v1/sip-credentials", {"skip": "5", "take": "10"}, None, True,
    ),
    "agents": (endpoints.list_agents(), "GET", "/api/v1/agents", {"skip": "0", "take": "100"}, None, True),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(CALLS))
def test_each_call_is_as_the_vendor_describes_it(name) -> None:
    call, method, path, params, body, repeatable = CALLS[name]
    path = path if path.startswith("/api/") else NUMBERS + path
    assert (call.method, call.path, dict(call.params), call.body) == (method, path, params, body)
    assert call.repeatable is repeatable
    assert call.look is None


def test_a_number_can_be_taken_from_an_agent_whose_id_a_spreadsheet_spoilt() -> None:
    assert endpoints.unlink(ID, "replaceOutbound", "#REF!").params["agentId"] == "#REF!"


def test_query_values_arrive_as_they_were_given(carry_out) -> None:
    seen = []

    def vendor(request):
        seen.append(request.url)
        return FakeDasha(number_json(1)).handle(request)

    awkward = "+1 (555) & co=?#%2b/é"
    carry_out(
        endpoints.list_numbers(phone_number=awkward),
        endpoints.link(ID, "a+b&mode=replaceOutbound"),
        vendor=vendor,
    )
    assert seen[0].params["phoneNumber"] == awkward
    assert dict(seen[1].params) == {"agentId": "a+b&mode=replaceOutbound", "mode": "inbound"}


@pytest.mark.parametrize(
    ("argument", "build"),
    [
        ("number_id", lambda: endpoints.get_number("../x")),
        ("number_id", lambda: endpoints.update_number("x", "+1", CREDENTIALS)),
        ("number_id", lambda: endpoints.link("None", "a")),
        ("number_id", lambda: endpoints.unlink("", "inbound")),
        ("number_id", lambda: endpoints.affected_agents(None)),  # type: ignore[arg-type]
        ("number_id", lambda: endpoints.delete_number("x")),
        ("phone_number", lambda: endpoints.create_number("", CREDENTIALS)),
        ("phone_number", lambda: endpoints.create_number("1" * 256, CREDENTIALS)),
        ("phone_number", lambda: endpoints.list_numbers(phone_number="")),
        ("credentials_id", lambda: endpoints.create_number("+1", "x")),
        ("display_name", lambda: endpoints.create_number("+1", CREDENTIALS, display_name="x" * 256)),
        ("description", lambda: endpoints.update_number(ID, "+1", CREDENTIALS, description=7)),  # type: ignore[arg-type]
        ("registration", lambda: endpoints.create_number("+1", CREDENTIALS, registration="maybe")),  # type: ignore[arg-type]
        ("registration", lambda: endpoints.create_number("+1", CREDENTIALS, registration=None)),  # type: ignore[arg-type]
        ("skip", lambda: endpoints.list_numbers(skip=-1)),
        ("skip", lambda: endpoints.list_numbers(skip=2147483648)),
        ("take", lambda: endpoints.list_numbers(take=0)),
        ("take", lambda: endpoints.list_numbers(take=1001)),
        ("linked_agent_id", lambda: endpoints.list_numbers(linked_agent_id="None")),
        ("unlinked_only", lambda: endpoints.list_numbers(unlinked_only="maybe")),  # type: ignore[arg-type]
        ("provider_id", lambda: endpoints.list_numbers(provider_id="x")),
        ("mode", lambda: endpoints.link(ID, "a", "outbound")),
        ("mode", lambda: endpoints.unlink(ID, "Inbound")),
        ("mode", lambda: endpoints.unlink(ID, None)),  # type: ignore[arg-type]
        ("agent_id", lambda: endpoints.link(ID, "")),
        ("agent_id", lambda: endpoints.link(ID, "../x")),
        ("agent_id", lambda: endpoints.link(ID, "nan")),
        ("agent_id", lambda: endpoints.unlink(ID, "replaceOutbound")),
        ("agent_id", lambda: endpoints.unlink(ID, "inbound", "None")),
        ("force", lambda: endpoints.delete_number(ID, force="maybe")),  # type: ignore[arg-type]
    ],
)
def test_a_bad_argument_is_named(argument, build) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        build()
    assert caught.value.argument == argument


@given(st.integers())
def test_take_and_skip_stay_in_their_ranges(value) -> None:
    for name, low, high in (("take", 1, 1000), ("skip", 0, 2147483647)):
        if low <= value <= high:
            assert endpoints.list_numbers(**{name: value}).params[name] == str(value)
        else:
            with pytest.raises(InvalidArgumentError):
                endpoints.list_numbers(**{name: value})


def test_delete_needs_no_body(carry_out) -> None:
    vendor = FakeDasha(number_json(1))
    assert carry_out(endpoints.delete_number(ID), vendor=vendor) is None
    assert vendor.numbers == {}
