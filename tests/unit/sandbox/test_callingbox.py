"""CallingBox: agents, numbers, attach, detach, primary number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx

    from airflow_provider_phonelink.sandbox import Sandbox

AGENT_FIELDS = {
    "id", "org_id", "user_id", "name", "type", "persona", "instructions", "voice", "language", "returns", "tools",
    "webhook_url", "voicemail_action", "primary_number_id", "archived_at", "created_at", "updated_at",
}  # fmt: skip
NUMBER_FIELDS = {
    "id", "e164", "friendly_name", "country_code", "number_type", "status", "monthly_cost_cents", "purchased_at",
    "inbound_agent_id", "outbound_agent_ids",
}  # fmt: skip


@pytest.fixture(autouse=True)
def cast(sandbox: Sandbox) -> None:
    world = sandbox.world.callingbox
    for id_, type_ in (
        ("in-1", "inbound"),
        ("in-2", "inbound"),
        ("out-1", "outbound"),
        ("out-2", "outbound"),
    ):
        world.add_agent(type_, f"Agent {id_}", id=id_)
    for i in (1, 2):
        world.add_number(f"+1555010010{i}", id=f"pn_{i}")


def attach(callingbox: httpx.Client, agent: str, number: Any = "pn_1") -> httpx.Response:
    return callingbox.post(f"/v1/agents/{agent}/numbers", json={"number_id": number})


def detach(callingbox: httpx.Client, agent: str, number: str = "pn_1") -> httpx.Response:
    return callingbox.delete(f"/v1/agents/{agent}/numbers/{number}")


def assert_error(response: httpx.Response, status: int) -> None:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"
    assert list(response.json()) == ["error"]
    assert response.json()["error"]


def test_agents_are_listed_by_type_without_their_numbers(callingbox: httpx.Client) -> None:
    agents = callingbox.get("/v1/agents").json()["data"]
    assert [agent["id"] for agent in agents] == ["in-1", "in-2", "out-1", "out-2"]
    assert all(set(agent) == AGENT_FIELDS for agent in agents)
    outbound = callingbox.get("/v1/agents", params={"type": "outbound"}).json()["data"]
    assert [agent["id"] for agent in outbound] == ["out-1", "out-2"]
    assert_error(callingbox.get("/v1/agents", params={"type": "both"}), 400)
    assert_error(callingbox.get("/v1/agents", params={"kind": "inbound"}), 400)


def test_an_agent_shows_its_numbers(callingbox: httpx.Client) -> None:
    attach(callingbox, "in-1")
    agent = callingbox.get("/v1/agents/in-1").json()
    assert set(agent) == AGENT_FIELDS | {"numbers"}
    assert [set(number) for number in agent["numbers"]] == [NUMBER_FIELDS]
    assert agent["numbers"][0]["inbound_agent_id"] == "in-1"
    assert_error(callingbox.get("/v1/agents/nobody"), 404)


def test_numbers_are_a_bare_array_with_the_newest_first(callingbox: httpx.Client) -> None:
    numbers = callingbox.get("/v1/numbers").json()
    assert [(number["id"], number["e164"]) for number in numbers] == [
        ("pn_2", "+15550100102"),
        ("pn_1", "+15550100101"),
    ]
    assert all(set(number) == NUMBER_FIELDS for number in numbers)


def test_an_inbound_agent_does_not_get_the_number_of_another(
    callingbox: httpx.Client, sandbox: Sandbox
) -> None:
    assert attach(callingbox, "in-1").status_code == 200
    assert_error(attach(callingbox, "in-2"), 400)
    assert sandbox.world.callingbox.links()["pn_1"] == ("in-1", [])


def test_outbound_agents_share_a_number_with_each_other_and_an_inbound_one(
    callingbox: httpx.Client, sandbox: Sandbox
) -> None:
    for agent in ("out-1", "in-1", "out-2"):
        assert attach(callingbox, agent).status_code == 200
    assert sandbox.world.callingbox.links()["pn_1"] == ("in-1", ["out-1", "out-2"])


def test_attaching_again_changes_nothing(callingbox: httpx.Client, sandbox: Sandbox) -> None:
    attach(callingbox, "out-1")
    again = attach(callingbox, "out-1")
    assert (again.status_code, len(again.json()["numbers"])) == (200, 1)
    assert [entry.changed for entry in sandbox.journal] == [True, False]


@pytest.mark.parametrize(
    "body", [{}, {"numberId": "pn_1"}, {"number_id": 1}, {"number_id": ""}, {"number_id": None}]
)
def test_a_body_that_names_no_number_is_400(callingbox: httpx.Client, body: dict[str, Any]) -> None:
    assert_error(callingbox.post("/v1/agents/in-1/numbers", json=body), 400)
    assert_error(callingbox.put("/v1/agents/in-1/primary-number", json=body), 400)


@pytest.mark.parametrize("content", [b"", b"[]", b"{"])
def test_a_body_that_is_no_json_object_is_400(callingbox: httpx.Client, content: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    assert_error(callingbox.post("/v1/agents/in-1/numbers", content=content, headers=headers), 400)


def test_agents_and_numbers_that_are_not_there_are_404(callingbox: httpx.Client) -> None:
    assert_error(attach(callingbox, "nobody"), 404)
    assert_error(attach(callingbox, "in-1", "pn_9"), 404)
    assert_error(detach(callingbox, "nobody"), 404)
    assert_error(detach(callingbox, "in-1", "pn_9"), 404)
    assert_error(callingbox.put("/v1/agents/nobody/primary-number", json={"number_id": "pn_1"}), 404)
    assert_error(callingbox.get("/v1/nothing"), 404)


def test_detaching_answers_the_agent_with_its_remaining_numbers(
    callingbox: httpx.Client, sandbox: Sandbox
) -> None:
    for number in ("pn_1", "pn_2"):
        attach(callingbox, "in-1", number)
    attach(callingbox, "out-1")
    agent = detach(callingbox, "in-1").json()
    assert [number["id"] for number in agent["numbers"]] == ["pn_2"]
    assert sandbox.world.callingbox.links()["pn_1"] == (None, ["out-1"])
    assert [number["id"] for number in callingbox.get("/v1/numbers").json()] == ["pn_2", "pn_1"]
    detach(callingbox, "out-1")
    assert sandbox.world.callingbox.links()["pn_1"] == (None, [])


def test_detaching_what_the_agent_does_not_have_is_404(callingbox: httpx.Client, sandbox: Sandbox) -> None:
    attach(callingbox, "in-1")
    assert_error(detach(callingbox, "in-2"), 404)
    assert sandbox.world.callingbox.links()["pn_1"] == ("in-1", [])


def test_the_primary_number_is_an_attached_one(callingbox: httpx.Client, sandbox: Sandbox) -> None:
    attach(callingbox, "in-1")
    response = callingbox.put("/v1/agents/in-1/primary-number", json={"number_id": "pn_2"})
    assert_error(response, 400)
    attach(callingbox, "in-1", "pn_2")
    changed = callingbox.put("/v1/agents/in-1/primary-number", json={"number_id": "pn_2"}).json()
    assert changed["primary_number_id"] == "pn_2"
    callingbox.put("/v1/agents/in-1/primary-number", json={"number_id": "pn_2"})
    assert [entry.changed for entry in sandbox.journal] == [True, False, True, True, False]
    assert detach(callingbox, "in-1", "pn_1").json()["primary_number_id"] == "pn_2"
    assert detach(callingbox, "in-1", "pn_2").json()["primary_number_id"] is None


def test_agents_and_numbers_have_one_id_each(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="pn_1"):
        sandbox.world.callingbox.add_number("+15550100109", id="pn_1")
    with pytest.raises(ValueError, match="in-1"):
        sandbox.world.callingbox.add_agent("inbound", id="in-1")
    with pytest.raises(ValueError, match="sideways"):
        sandbox.world.callingbox.add_agent("sideways")


def test_attached_numbers_can_be_looked_up_from_python(callingbox: httpx.Client, sandbox: Sandbox) -> None:
    attach(callingbox, "out-1", "pn_2")
    assert sandbox.world.callingbox.attached("out-1") == ["pn_2"]


def test_a_number_may_become_the_primary_one_as_it_is_attached(
    callingbox: httpx.Client, sandbox: Sandbox
) -> None:
    attach(callingbox, "in-1")
    body = {"number_id": "pn_2", "set_as_primary": True}
    assert callingbox.post("/v1/agents/in-1/numbers", json=body).json()["primary_number_id"] == "pn_2"
    again = callingbox.post("/v1/agents/in-1/numbers", json={"number_id": "pn_1", "set_as_primary": True})
    assert again.json()["primary_number_id"] == "pn_1"
    assert_error(callingbox.post("/v1/agents/in-1/numbers", json={**body, "set_as_primary": "yes"}), 400)


def test_an_archived_agent_says_so(callingbox: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.world.callingbox.archive("in-1")
    sandbox.world.callingbox.add_agent("inbound", id="in-3", archived=True)
    archived = {a["id"] for a in callingbox.get("/v1/agents").json()["data"] if a["archived_at"]}
    assert archived == {"in-1", "in-3"}
    assert callingbox.get("/v1/agents/in-1").json()["archived_at"]
