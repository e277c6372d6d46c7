"""Dasha's SIP credentials, agents and providers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    import httpx

    from airflow_provider_phonelink.sandbox import Sandbox

API = "/api/v1"
NUMBERS = f"{API}/sip-phone-numbers"
CREDENTIALS = f"{API}/sip-credentials"
TRUNK = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
FIELDS = {
    "id", "orgId", "server", "transport", "source", "domain", "authUser", "authPassword", "description", "cpsLimit",
    "cpsKey", "providerId",
}  # fmt: skip


# Credentials


def test_credentials_are_shown_in_the_clear(dasha: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.world.dasha.trunks.add_credentials(
        TRUNK, server="sip.carrier.example", auth_user="me", auth_password="in-the-clear", transport="tls"
    )
    one = dasha.get(f"{CREDENTIALS}/{TRUNK}").json()
    assert set(one) == FIELDS
    assert (one["id"], one["orgId"], one["server"]) == (TRUNK, "org-sandbox", "sip.carrier.example")
    assert (one["authUser"], one["authPassword"], one["transport"]) == ("me", "in-the-clear", "tls")
    assert "in-the-clear" not in repr(sandbox.world.dasha.trunks.credentials)
    assert dasha.get(f"{CREDENTIALS}/{uuid4()}").status_code == 404
    assert dasha.get(f"{CREDENTIALS}/trunk").status_code == 400


def test_credentials_come_in_pages(dasha: httpx.Client, sandbox: Sandbox) -> None:
    ids = [sandbox.world.dasha.trunks.add_credentials() for _ in range(3)]
    page = dasha.get(CREDENTIALS, params={"skip": 1, "take": 1}).json()
    assert ([item["id"] for item in page.pop("items")], page) == (
        [ids[1]],
        {"totalCount": 3, "skip": 1, "take": 1},
    )
    assert [item["id"] for item in dasha.get(CREDENTIALS).json()["items"]] == ids


def test_numbers_bring_their_credentials(dasha: httpx.Client) -> None:
    dasha.post(NUMBERS, json={"phoneNumber": "+1", "credentialsId": TRUNK}).raise_for_status()
    assert [item["id"] for item in dasha.get(CREDENTIALS).json()["items"]] == [TRUNK]


@pytest.fixture
def pool(sandbox: Sandbox) -> list[str]:
    """Three numbers under the same credentials, and one under others."""
    add = sandbox.world.dasha.add_number
    ids = [
        add("+1555010", TRUNK, inbound="agent-a", outbound=["agent-a", "agent-b"]),
        add("+1555011", TRUNK),
        add("+1555012", TRUNK, outbound=["agent-c"]),
    ]
    add("+1555013", outbound=["agent-d"])
    return ids


def agents_of(dasha: httpx.Client) -> dict[str, dict[str, list[str]]]:
    answer = dasha.get(f"{CREDENTIALS}/{TRUNK}/affected-agents").raise_for_status().json()
    assert set(answer) == {"phoneNumbers", "affectedCallsCount"}
    return {
        number["id"]: {agent["agentId"]: agent["uses"] for agent in number["affectedAgents"]}
        for number in answer["phoneNumbers"]
    }


def test_who_uses_the_numbers_of_credentials(dasha: httpx.Client, pool: list[str]) -> None:
    shown = agents_of(dasha)
    assert shown == {
        pool[0]: {"agent-a": ["inbound", "outbound"], "agent-b": ["outbound"]},
        pool[1]: {},
        pool[2]: {"agent-c": ["outbound"]},
    }
    for number in pool:
        single = dasha.get(f"{NUMBERS}/{number}/affected-agents").json()["affectedAgents"]
        assert {agent["agentId"]: agent["uses"] for agent in single} == shown[number]
    assert dasha.get(f"{CREDENTIALS}/{uuid4()}/affected-agents").status_code == 404


@pytest.mark.parametrize(("value", "places"), [("all", [0, 1, 2]), ("used", [0, 2]), ("some", [0, 2])])
def test_credentials_that_do_not_show_every_number(
    dasha: httpx.Client, sandbox: Sandbox, pool: list[str], value: str, places: list[int]
) -> None:
    sandbox.set(dasha_credentials_agents_show=value)
    assert list(agents_of(dasha)) == [pool[place] for place in places]


@pytest.mark.parametrize("value", [403, 404, 405])
def test_credentials_that_show_nothing(
    dasha: httpx.Client, sandbox: Sandbox, pool: list[str], value: int
) -> None:
    sandbox.set(dasha_credentials_agents_status=value)
    assert dasha.get(f"{CREDENTIALS}/{TRUNK}/affected-agents").status_code == value
    assert dasha.get(f"{CREDENTIALS}/{TRUNK}").status_code == 200


# Agents


@pytest.mark.parametrize(
    ("shape", "params", "shown"),
    [
        ("array", {}, "abc"),
        ("array", {"skip": 1, "take": 1}, "b"),
        ("whole_array", {"skip": 1, "take": 1}, "abc"),
        ("page", {"skip": 1, "take": 1}, "b"),
    ],
)
def test_agents(
    dasha: httpx.Client, sandbox: Sandbox, shape: str, params: dict[str, int], shown: str
) -> None:
    sandbox.set(dasha_agents_shape=shape)
    for name in "abc":
        sandbox.world.dasha.add_agent(name, f"Agent {name}", enabled=name != "c")
    sandbox.world.dasha.add_number("+1555", outbound=["b"])
    answer: Any = dasha.get(f"{API}/agents", params=params).raise_for_status().json()
    if shape == "page":
        assert (answer["totalCount"], answer["skip"], answer["take"]) == (3, 1, 1)
        answer = answer["items"]
    agents = {agent["agentId"]: agent for agent in answer}
    assert "".join(agents) == shown
    assert (agents["b"]["name"], agents["b"]["isEnabled"]) == ("Agent b", True)
    assert agents["b"]["config"]["outboundSipConfig"]["fromUser"] == "+1555"
    if "c" in shown:
        assert not agents["c"]["isEnabled"]
        assert agents["c"]["config"]["outboundSipConfig"]["fromUser"] is None


# Providers


@pytest.fixture
def provider(sandbox: Sandbox) -> str:
    provider: str = sandbox.world.dasha.trunks.add_provider()
    return provider


def test_a_provider_says_what_it_is(dasha: httpx.Client, sandbox: Sandbox, provider: str) -> None:
    other = sandbox.world.dasha.trunks.add_provider("telnyx")
    kinds = [dasha.get(f"{API}/providers/{id_}").json()["type"] for id_ in (provider, other)]
    assert kinds == ["twilio", "telnyx"]
    assert dasha.get(f"{API}/providers/{uuid4()}").status_code == 404


def test_a_number_of_twilio_leaves_the_trunk_as_it_is_deleted(
    dasha: httpx.Client, sandbox: Sandbox, provider: str
) -> None:
    world = sandbox.world.dasha
    id_ = world.add_number("+1555", provider_id=provider, inbound="agent-a")
    assert world.trunks.connected(provider) == ["+1555"]
    path = f"{API}/providers/twilio/{provider}/phone-numbers/{id_}"
    refused = dasha.delete(path)
    assert (refused.status_code, refused.json()["affectedAgents"]) == (
        409,
        [{"agentId": "agent-a", "agentName": "agent-a", "uses": ["inbound"]}],
    )
    assert world.trunks.connected(provider) == ["+1555"]
    assert dasha.delete(path, params={"force": "true"}).status_code == 204
    assert (world.numbers, world.trunks.connected(provider)) == ({}, [])
    assert dasha.delete(path).status_code == 404


def test_twilio_deletes_its_own_numbers_only(dasha: httpx.Client, sandbox: Sandbox, provider: str) -> None:
    world = sandbox.world.dasha
    telnyx = world.trunks.add_provider("telnyx")
    own = world.add_number("+1555")
    others = world.add_number("+1556", provider_id=telnyx)
    for provider_id, number_id in (
        (provider, own),
        (provider, others),
        (telnyx, others),
        (str(uuid4()), own),
    ):
        path = f"{API}/providers/twilio/{provider_id}/phone-numbers/{number_id}"
        assert dasha.delete(path).status_code == 404
    assert len(world.numbers) == 2


@pytest.mark.parametrize(
    ("value", "status", "left"),
    [("detaches", 204, []), ("leaves_trunk", 204, ["+1555"]), ("refused", 400, ["+1555"])],
)
def test_a_plain_delete_of_a_providers_number(
    dasha: httpx.Client, sandbox: Sandbox, provider: str, value: str, status: int, left: list[str]
) -> None:
    sandbox.set(dasha_provider_delete=value)
    world = sandbox.world.dasha
    id_ = world.add_number("+1555", provider_id=provider)
    own = world.add_number("+1556")
    assert dasha.delete(f"{NUMBERS}/{id_}").status_code == status
    assert (id_ in world.numbers, world.trunks.connected(provider)) == (value == "refused", left)
    assert dasha.delete(f"{NUMBERS}/{own}").status_code == 204


def test_a_try_leaves_the_trunk_alone(sandbox: Sandbox, provider: str) -> None:
    world = sandbox.world
    id_ = world.dasha.add_number("+1555", provider_id=provider)
    world.apply(world.dasha, lambda: world.dasha.delete(id_), dry=True)
    assert (list(world.dasha.numbers), world.dasha.trunks.connected(provider)) == ([id_], ["+1555"])


# What a new number is like


@pytest.mark.parametrize("value", ["both", "reads", "lists"])
def test_a_new_number_is_not_known_to_reads_for_a_while(
    dasha: httpx.Client, sandbox: Sandbox, value: str
) -> None:
    sandbox.set(dasha_new_number_lag=5, dasha_lag_hides=value)
    old = sandbox.world.dasha.add_number("+1554", TRUNK)
    id_ = dasha.post(NUMBERS, json={"phoneNumber": "+1555", "credentialsId": TRUNK}).json()["id"]

    def seen() -> tuple[bool, bool, bool, bool]:
        return (
            dasha.get(f"{NUMBERS}/{id_}").status_code == 200,
            dasha.get(f"{NUMBERS}/{id_}/affected-agents").status_code == 200,
            dasha.get(NUMBERS).json()["totalCount"] == 2,
            id_ in agents_of(dasha),
        )

    reads, lists = value == "lists", value == "reads"
    assert seen() == (reads, reads, lists, lists)
    assert dasha.get(f"{NUMBERS}/{old}").status_code == 200
    assert dasha.put(f"{NUMBERS}/{id_}/agent-link", params={"agentId": "a"}).status_code == 200
    sandbox.world.advance(5)
    assert seen() == (True, True, True, True)


@pytest.mark.parametrize(
    ("value", "stored"),
    [("as_sent", "+1 (555) 010-0001"), ("plus_digits", "+15550100001"), ("digits", "15550100001")],
)
def test_the_vendor_may_store_another_notation(
    dasha: httpx.Client, sandbox: Sandbox, value: str, stored: str
) -> None:
    sandbox.set(dasha_stored_notation=value)
    body = {"phoneNumber": "+1 (555) 010-0001", "credentialsId": TRUNK}
    created = dasha.post(NUMBERS, json=body).json()
    assert created["phoneNumber"] == stored
    assert dasha.post(NUMBERS, json=body).status_code == 409
    assert dasha.put(f"{NUMBERS}/{created['id']}", json=body).json()["phoneNumber"] == stored
    assert dasha.get(NUMBERS, params={"phoneNumber": stored}).json()["totalCount"] == 1
    extension = dasha.post(NUMBERS, json={**body, "phoneNumber": "reception"}).json()
    assert extension["phoneNumber"] == "reception"
