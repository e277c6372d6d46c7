"""Create, read, replace and delete at Dasha."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

if TYPE_CHECKING:
    import httpx

    from airflow_provider_phonelink.sandbox import Sandbox

NUMBERS = "/api/v1/sip-phone-numbers"
TRUNK = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
FIELDS = {
    "id", "orgId", "phoneNumber", "credentialsId", "createdTime", "lastUpdateTime", "registrationStatus",
    "description", "displayName", "registration", "providerId", "incomingCallsAgentId",
}  # fmt: skip


def body(**fields: Any) -> dict[str, Any]:
    return {"phoneNumber": "+15550100001", "credentialsId": TRUNK, **fields}


def assert_problem(response: httpx.Response, status: int, path: str = NUMBERS) -> None:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert set(problem) == {"type", "title", "status", "detail", "instance"}
    assert (problem["status"], problem["instance"]) == (status, path)


def test_a_created_number_shows_what_was_asked_for_and_every_documented_field(
    dasha: httpx.Client, sandbox: Sandbox
) -> None:
    response = dasha.post(NUMBERS, json=body(displayName="Support", description="Main line"))
    assert response.status_code == 201
    number = response.json()
    assert set(number) == FIELDS
    assert set(number["registrationStatus"]) == {
        "state", "errorDescription", "sipResponseMessage", "lastUpdated", "expiresAt"
    }  # fmt: skip
    assert UUID(number["id"])
    assert number["orgId"] == sandbox.world.dasha.id
    assert (number["phoneNumber"], number["credentialsId"]) == ("+15550100001", TRUNK)
    assert (number["displayName"], number["description"]) == ("Support", "Main line")
    assert number["registration"] is False
    assert number["registrationStatus"]["state"] == "Disabled"
    assert number["providerId"] is None
    assert number["incomingCallsAgentId"] is None
    assert dasha.get(f"{NUMBERS}/{number['id']}").json() == number


@pytest.mark.parametrize(
    "wrong",
    [
        {"phoneNumber": ""},
        {"phoneNumber": "1" * 256},
        {"phoneNumber": None},
        {"phoneNumber": 15550100001},
        {"credentialsId": "trunk"},
        {"credentialsId": None},
        {"displayName": "x" * 256},
        {"description": "x" * 256},
        {"displayName": 5},
        {"registration": "true"},
        {"registration": 1},
        {"registration": None},
        {"display_name": "a misspelt field"},
    ],
)
def test_a_body_out_of_bounds_is_400_and_changes_nothing(
    dasha: httpx.Client, sandbox: Sandbox, wrong: dict[str, Any]
) -> None:
    assert_problem(dasha.post(NUMBERS, json=body(**wrong)), 400)
    assert sandbox.world.dasha.numbers == {}


@pytest.mark.parametrize(
    "fits",
    [{"phoneNumber": "1" * 255}, {"displayName": "x" * 255, "description": "x" * 255}, {"displayName": ""}],
)
def test_a_body_just_within_bounds_is_accepted(dasha: httpx.Client, fits: dict[str, Any]) -> None:
    assert dasha.post(NUMBERS, json=body(**fits)).status_code == 201


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"phoneNumber": "\xff"}'])
def test_what_is_no_json_object_is_400(dasha: httpx.Client, content: bytes) -> None:
    response = dasha.post(NUMBERS, content=content, headers={"Content-Type": "application/json"})
    assert_problem(response, 400)


def test_a_pair_of_number_and_credentials_exists_once(dasha: httpx.Client, sandbox: Sandbox) -> None:
    assert dasha.post(NUMBERS, json=body()).status_code == 201
    assert_problem(dasha.post(NUMBERS, json=body(credentialsId=TRUNK.upper(), displayName="Other")), 409)
    assert dasha.post(NUMBERS, json=body(credentialsId=str(uuid4()))).status_code == 201
    assert dasha.post(NUMBERS, json=body(phoneNumber="+15550100002")).status_code == 201
    assert len(sandbox.world.dasha.numbers) == 3


def test_another_organisation_may_have_the_same_pair(dasha: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.world.organisation("org-b").add_number("+15550100001", TRUNK)
    assert dasha.post(NUMBERS, json=body()).status_code == 201
    assert dasha.get(NUMBERS).json()["totalCount"] == 1


def test_put_replaces_everything_that_can_be_set_and_keeps_the_rest(
    dasha: httpx.Client, sandbox: Sandbox
) -> None:
    provider = str(uuid4())
    id_ = sandbox.world.dasha.add_number(
        "+15550100001", TRUNK, display_name="Support", description="Main line", registration=True,
        provider_id=provider, inbound="agent-a", outbound=["agent-b"],
    )  # fmt: skip
    before = dasha.get(f"{NUMBERS}/{id_}").json()
    sandbox.world.advance(5)
    after = dasha.put(f"{NUMBERS}/{id_}", json=body()).json()
    assert (after["displayName"], after["description"], after["registration"]) == (None, None, False)
    assert (after["providerId"], after["incomingCallsAgentId"]) == (provider, "agent-a")
    assert after["createdTime"] == before["createdTime"]
    assert after["lastUpdateTime"] > before["lastUpdateTime"]
    assert sandbox.world.dasha.links()[id_] == ("agent-a", ["agent-b"])


def test_put_cannot_take_the_pair_of_another_number(dasha: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.world.dasha.add_number("+15550100001", TRUNK)
    id_ = sandbox.world.dasha.add_number("+15550100002", TRUNK)
    assert_problem(dasha.put(f"{NUMBERS}/{id_}", json=body()), 409, f"{NUMBERS}/{id_}")
    assert dasha.put(f"{NUMBERS}/{id_}", json=body(phoneNumber="+15550100003")).status_code == 200
    assert dasha.post(NUMBERS, json=body(phoneNumber="+15550100002")).status_code == 201


def test_delete_refuses_a_number_in_use_unless_forced(dasha: httpx.Client, sandbox: Sandbox) -> None:
    id_ = sandbox.world.dasha.add_number("+15550100001", TRUNK, inbound="agent-a", outbound=["agent-b"])
    path = f"{NUMBERS}/{id_}"
    assert_problem(dasha.delete(path), 409, path)
    assert_problem(dasha.delete(path, params={"force": "false"}), 409, path)
    assert dasha.delete(path, params={"force": "true"}).status_code == 204
    assert_problem(dasha.get(path), 404, path)
    assert sandbox.world.dasha.outbound.number_of == {}
    assert dasha.post(NUMBERS, json=body()).status_code == 201


def test_delete_of_an_unused_number_needs_no_force(dasha: httpx.Client, sandbox: Sandbox) -> None:
    id_ = sandbox.world.dasha.add_number("+15550100001")
    assert dasha.delete(f"{NUMBERS}/{id_}").status_code == 204
    assert sandbox.world.dasha.numbers == {}


@pytest.mark.parametrize(
    ("method", "tail"),
    [
        ("GET", ""),
        ("PUT", ""),
        ("DELETE", ""),
        ("PUT", "/agent-link?agentId=a"),
        ("DELETE", "/agent-link"),
        ("GET", "/affected-agents"),
    ],
)
@pytest.mark.parametrize(("id_", "status"), [(str(uuid4()), 404), ("not-a-uuid", 400)])
def test_a_number_that_is_not_there(
    dasha: httpx.Client, method: str, tail: str, id_: str, status: int
) -> None:
    response = dasha.request(
        method, f"{NUMBERS}/{id_}{tail}", json=body() if method == "PUT" and not tail else None
    )
    assert_problem(response, status, f"{NUMBERS}/{id_}{tail}".partition("?")[0])


def test_the_number_of_another_organisation_is_not_there(dasha: httpx.Client, sandbox: Sandbox) -> None:
    id_ = sandbox.world.organisation("org-b").add_number("+15550100001")
    assert dasha.get(f"{NUMBERS}/{id_}").status_code == 404


def test_unknown_paths_and_methods_answer_in_the_vendors_shape(dasha: httpx.Client, sandbox: Sandbox) -> None:
    assert_problem(dasha.get("/api/v1/nothing"), 404, "/api/v1/nothing")
    assert_problem(dasha.get(f"{NUMBERS}/"), 404, f"{NUMBERS}/")
    response = dasha.patch(NUMBERS)
    assert_problem(response, 405)
    assert response.headers["allow"] == "GET, POST"
