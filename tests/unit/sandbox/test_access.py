from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from airflow_provider_phonelink.sandbox import Fault

if TYPE_CHECKING:
    from airflow_provider_phonelink.sandbox import Sandbox

ENDPOINTS = {"dasha": "/api/v1/sip-phone-numbers", "callingbox": "/v1/agents"}
VENDORS = pytest.mark.parametrize("vendor", ENDPOINTS)


def status(sandbox: Sandbox, vendor: str, authorization: str | None) -> int:
    headers = {} if authorization is None else {"Authorization": authorization}
    response = httpx.get(sandbox.url + ENDPOINTS[vendor], headers=headers)
    if response.status_code != 200:
        expected = {"dasha": "application/problem+json", "callingbox": "application/json"}
        assert response.headers["content-type"] == expected[vendor]
    assert (response.status_code == 401) == (response.headers.get("www-authenticate") == "Bearer")
    assert response.headers["x-request-id"]
    return response.status_code


def own_key(sandbox: Sandbox, vendor: str) -> str:
    return sandbox.dasha_key if vendor == "dasha" else sandbox.callingbox_key


@VENDORS
def test_only_the_vendors_own_key_opens(sandbox: Sandbox, vendor: str) -> None:
    key = own_key(sandbox, vendor)
    other = own_key(sandbox, "callingbox" if vendor == "dasha" else "dasha")
    assert status(sandbox, vendor, f"Bearer {key}") == 200
    assert status(sandbox, vendor, f"bearer {key}") == 200
    for wrong in (None, "", "Bearer", f"Bearer {key}x", f"Bearer {other}", key, f"Basic {key}"):
        assert status(sandbox, vendor, wrong) == 401


@VENDORS
def test_a_denied_key_is_403(sandbox: Sandbox, vendor: str) -> None:
    sandbox.deny_key(vendor, "weak")
    assert status(sandbox, vendor, "Bearer weak") == 403
    sandbox.allow_key(vendor, "weak")
    assert status(sandbox, vendor, "Bearer weak") == 200


@VENDORS
def test_a_changed_key_holds_until_the_reset(sandbox: Sandbox, vendor: str) -> None:
    old = own_key(sandbox, vendor)
    sandbox.change_key(vendor, "new")
    assert own_key(sandbox, vendor) == "new" == sandbox.connections[f"{vendor}_default"]["password"]
    assert (status(sandbox, vendor, "Bearer new"), status(sandbox, vendor, f"Bearer {old}")) == (200, 401)
    sandbox.reset()
    assert (status(sandbox, vendor, "Bearer new"), status(sandbox, vendor, f"Bearer {old}")) == (401, 200)


def test_a_key_acts_for_its_organisation(sandbox: Sandbox) -> None:
    sandbox.allow_key("dasha", "other", organisation="org-b")
    sandbox.world.dasha.add_number("+15550100001")
    headers = {"Authorization": "Bearer other"}
    url = sandbox.url + ENDPOINTS["dasha"]
    assert httpx.get(url, headers=headers).json()["totalCount"] == 0
    body = {"phoneNumber": "+15550100001", "credentialsId": "3c90c3cc-0d44-4b50-8888-8dd25736052a"}
    assert httpx.post(url, headers=headers, json=body).json()["orgId"] == "org-b"
    assert len(sandbox.world.dasha.numbers) == 1


@VENDORS
def test_the_key_is_looked_at_before_anything_else(sandbox: Sandbox, vendor: str) -> None:
    responses = [
        httpx.post(sandbox.url + ENDPOINTS[vendor], content=b"{"),
        httpx.get(sandbox.url + ENDPOINTS[vendor] + "/no/such/path"),
    ]
    assert [response.status_code for response in responses] == [401, 401]


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
def test_a_name_that_is_not_loopback_is_refused(sandbox: Sandbox, host: str) -> None:
    for path in (*ENDPOINTS.values(), "/_sandbox/state", "/docs"):
        assert httpx.get(sandbox.url + path, headers={"Host": host}).status_code == 421


FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost:1"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_pages_of_other_origins_reach_no_endpoint_of_the_sandbox_and_write_nothing(
    sandbox: Sandbox, headers: dict[str, str]
) -> None:
    id_ = sandbox.world.dasha.add_number("+15550100001")
    fault = {"kind": "html", "body": "<script>alert(1)</script>", "status": 200}
    key = {"Authorization": f"Bearer {sandbox.dasha_key}"}
    control = f"{sandbox.url}/_sandbox"
    link = f"{sandbox.url}{ENDPOINTS['dasha']}/{id_}/agent-link?agentId=a"
    refused = [
        httpx.post(f"{control}/reset", headers=headers),
        httpx.post(f"{control}/faults", headers=headers, json=fault),
        httpx.patch(f"{control}/switches", headers=headers, json={"callingbox_sparse": True}),
        httpx.delete(f"{control}/journal", headers=headers),
        httpx.get(f"{control}/state", headers=headers),
        httpx.put(link, headers={**headers, **key}),
        httpx.request("OPTIONS", f"{control}/faults", headers=headers),
    ]
    assert [response.status_code for response in refused] == [403] * len(refused)
    assert not any("access-control-allow-origin" in response.headers for response in refused)
    assert (sandbox.world.dasha.links(), sandbox.faults.armed) == ({id_: (None, [])}, [])
    assert not sandbox.switches.callingbox_sparse


def test_the_sandboxs_own_page_and_programs_may_do_everything(sandbox: Sandbox) -> None:
    for headers in (
        {"Origin": sandbox.url, "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {},
    ):
        assert httpx.post(f"{sandbox.url}/_sandbox/reset", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "text/plain; application/json", None]
)
@pytest.mark.parametrize("path", ["faults", "seed", "clock", "registrations"])
def test_the_sandboxs_own_endpoints_take_json_only(
    sandbox: Sandbox, path: str, media_type: str | None
) -> None:
    headers = {} if media_type is None else {"Content-Type": media_type}
    content = b'{"kind": "html", "advance": 1, "phone_number": "+1", "steps": [{"after": 0, "state": "x"}]}'
    response = httpx.post(f"{sandbox.url}/_sandbox/{path}", content=content, headers=headers)
    assert (response.status_code, sandbox.faults.armed) == (415, [])


def test_no_answer_is_taken_for_a_page_that_it_is_not(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("html", vendor="callingbox"))
    for path in (*ENDPOINTS.values(), "/_sandbox/state", "/docs", "/openapi.json", "/nothing"):
        assert httpx.get(sandbox.url + path).headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "localhost:1234", "[::1]", "[::1]:80"])
def test_loopback_names_are_answered(sandbox: Sandbox, host: str) -> None:
    assert httpx.get(f"{sandbox.url}/docs", headers={"Host": host}).status_code == 200


def test_no_key_is_shown_anywhere(sandbox: Sandbox) -> None:
    sandbox.change_key("dasha", "dasha-secret")
    sandbox.change_key("callingbox", "callingbox-secret")
    for vendor in ENDPOINTS:
        status(sandbox, vendor, f"Bearer {own_key(sandbox, vendor)}")
        status(sandbox, vendor, f"Bearer {own_key(sandbox, vendor)}-wrong")
    pages = (
        "/docs",
        "/openapi.json",
        "/_sandbox/state",
        "/_sandbox/journal",
        "/_sandbox/faults",
        "/_sandbox/switches",
    )
    for page in pages:
        assert "-secret" not in httpx.get(sandbox.url + page).raise_for_status().text
    assert "-secret" not in repr(sandbox) + repr(sandbox.world) + repr(sandbox.journal)
