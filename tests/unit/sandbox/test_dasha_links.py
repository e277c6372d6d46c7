"""Link and unlink at Dasha, and who is affected."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    import httpx

    from airflow_provider_phonelink.sandbox import Sandbox

NUMBERS = "/api/v1/sip-phone-numbers"


@pytest.fixture
def number(sandbox: Sandbox) -> str:
    return sandbox.world.dasha.add_number("+15550100001")


def link(dasha: httpx.Client, id_: str, agent: str, mode: str | None = None) -> httpx.Response:
    return dasha.put(
        f"{NUMBERS}/{id_}/agent-link", params={"agentId": agent, **({"mode": mode} if mode else {})}
    )


def unlink(dasha: httpx.Client, id_: str, **params: str) -> httpx.Response:
    return dasha.delete(f"{NUMBERS}/{id_}/agent-link", params=params)


@pytest.mark.parametrize("mode", [None, "inbound"])
def test_an_inbound_link_takes_over_from_whoever_has_the_number(
    dasha: httpx.Client, sandbox: Sandbox, number: str, mode: str | None
) -> None:
    assert link(dasha, number, "agent-a", mode).json()["incomingCallsAgentId"] == "agent-a"
    assert link(dasha, number, "agent-b", mode).json()["incomingCallsAgentId"] == "agent-b"
    assert sandbox.world.dasha.links() == {number: ("agent-b", [])}


def test_an_agent_may_answer_several_numbers(dasha: httpx.Client, sandbox: Sandbox, number: str) -> None:
    other = sandbox.world.dasha.add_number("+15550100002")
    link(dasha, number, "agent-a")
    link(dasha, other, "agent-a")
    assert sandbox.world.dasha.links() == {number: ("agent-a", []), other: ("agent-a", [])}


def test_an_outbound_link_replaces_the_agents_own_and_leaves_others_theirs(
    dasha: httpx.Client, sandbox: Sandbox, number: str
) -> None:
    other = sandbox.world.dasha.add_number("+15550100002")
    for agent in ("agent-a", "agent-b"):
        answer = link(dasha, number, agent, "replaceOutbound")
        assert (answer.status_code, answer.json()["incomingCallsAgentId"]) == (200, None)
    link(dasha, other, "agent-a", "replaceOutbound")
    assert sandbox.world.dasha.links() == {number: (None, ["agent-b"]), other: (None, ["agent-a"])}


def test_a_number_linked_inbound_in_another_organisation_is_refused_for_inbound_only(
    dasha: httpx.Client, sandbox: Sandbox, number: str
) -> None:
    sandbox.world.link_elsewhere("+15550100001")
    assert link(dasha, number, "agent-a").status_code == 409
    assert link(dasha, number, "agent-a", "replaceOutbound").status_code == 200
    assert sandbox.world.dasha.links() == {number: (None, ["agent-a"])}


def test_another_organisations_number_without_an_inbound_link_is_no_obstacle(
    dasha: httpx.Client, sandbox: Sandbox, number: str
) -> None:
    sandbox.world.organisation("org-b").add_number("+15550100001", outbound=["agent-z"])
    assert link(dasha, number, "agent-a").status_code == 200


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"agentId": ""},
        {"agentId": "a", "mode": "outbound"},
        {"agentId": "a", "mode": ""},
        {"agent_id": "a"},
    ],
)
def test_a_link_without_agent_or_with_another_mode_is_400(
    dasha: httpx.Client, sandbox: Sandbox, number: str, params: dict[str, str]
) -> None:
    assert dasha.put(f"{NUMBERS}/{number}/agent-link", params=params).status_code == 400
    assert sandbox.world.dasha.links() == {number: (None, [])}


@pytest.mark.parametrize("agent", ["a/b", "../x", "a b", "ünïcode", "a?b#c", "%2F", "a" * 300])
def test_agent_ids_are_opaque(dasha: httpx.Client, number: str, agent: str) -> None:
    path = f"{NUMBERS}/{number}/agent-link?agentId={quote(agent, safe='')}"
    assert dasha.put(path).json()["incomingCallsAgentId"] == agent
    assert dasha.delete(path).json()["incomingCallsAgentId"] is None


def test_an_inbound_unlink_without_agent_takes_the_number_from_whoever_has_it(
    dasha: httpx.Client, sandbox: Sandbox, number: str
) -> None:
    link(dasha, number, "agent-a")
    link(dasha, number, "agent-b", "replaceOutbound")
    assert unlink(dasha, number).json()["incomingCallsAgentId"] is None
    assert sandbox.world.dasha.links() == {number: (None, ["agent-b"])}


def test_an_outbound_unlink_concerns_the_agent_named_only(
    dasha: httpx.Client, sandbox: Sandbox, number: str
) -> None:
    link(dasha, number, "agent-a")
    for agent in ("agent-a", "agent-b"):
        link(dasha, number, agent, "replaceOutbound")
    assert unlink(dasha, number, mode="replaceOutbound", agentId="agent-a").status_code == 200
    assert sandbox.world.dasha.links() == {number: ("agent-a", ["agent-b"])}


@pytest.mark.parametrize("params", [{}, {"agentId": ""}])
def test_an_outbound_unlink_needs_an_agent(
    dasha: httpx.Client, sandbox: Sandbox, number: str, params: dict[str, str]
) -> None:
    link(dasha, number, "agent-a", "replaceOutbound")
    assert unlink(dasha, number, mode="replaceOutbound", **params).status_code == 400
    assert sandbox.world.dasha.links() == {number: (None, ["agent-a"])}


def test_an_outbound_unlink_does_not_touch_the_agents_other_number(
    dasha: httpx.Client, sandbox: Sandbox, number: str
) -> None:
    other = sandbox.world.dasha.add_number("+15550100002", outbound=["agent-a"])
    assert unlink(dasha, number, mode="replaceOutbound", agentId="agent-a").status_code == 200
    assert sandbox.world.dasha.links()[other] == (None, ["agent-a"])


def test_affected_agents_lists_each_agent_once_with_its_uses_and_name(
    dasha: httpx.Client, sandbox: Sandbox, number: str
) -> None:
    sandbox.world.dasha.add_agent("agent-a", "Support line")
    link(dasha, number, "agent-a")
    for agent in ("agent-b", "agent-a"):
        link(dasha, number, agent, "replaceOutbound")
    assert dasha.get(f"{NUMBERS}/{number}/affected-agents").json() == {
        "id": number,
        "phoneNumber": "+15550100001",
        "affectedAgents": [
            {"agentId": "agent-a", "agentName": "Support line", "uses": ["inbound", "outbound"]},
            {"agentId": "agent-b", "agentName": "agent-b", "uses": ["outbound"]},
        ],
    }


def test_last_update_time_moves_with_inbound_links_only(
    dasha: httpx.Client, sandbox: Sandbox, number: str
) -> None:
    def updated() -> str:
        sandbox.world.advance(1)
        return str(dasha.get(f"{NUMBERS}/{number}").json()["lastUpdateTime"])

    created = updated()
    link(dasha, number, "agent-a", "replaceOutbound")
    unlink(dasha, number, mode="replaceOutbound", agentId="agent-a")
    assert updated() == created
    link(dasha, number, "agent-a")
    linked = updated()
    assert linked > created
    link(dasha, number, "agent-a")
    assert updated() == linked
    unlink(dasha, number)
    assert updated() > linked


def test_the_journal_knows_which_writes_changed_something(
    dasha: httpx.Client, sandbox: Sandbox, number: str
) -> None:
    link(dasha, number, "agent-a")
    link(dasha, number, "agent-a")
    link(dasha, number, "agent-a", "replaceOutbound")
    link(dasha, number, "agent-a", "replaceOutbound")
    unlink(dasha, number)
    unlink(dasha, number)
    unlink(dasha, str(uuid4()))
    assert [entry.n for entry in sandbox.journal.writes()] == [1, 3, 5]
