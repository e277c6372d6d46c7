"""The list at Dasha: pages and filters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from airflow_provider_phonelink.sandbox.dasha import bodies
from airflow_provider_phonelink.sandbox.rendering import timestamp

if TYPE_CHECKING:
    import httpx

    from airflow_provider_phonelink.sandbox import Sandbox

NUMBERS = "/api/v1/sip-phone-numbers"
FLEET = 10_000


def listed(dasha: httpx.Client, **params: Any) -> list[str]:
    page = dasha.get(NUMBERS, params=params).raise_for_status().json()
    assert page["totalCount"] == len(page["items"])
    return [number["phoneNumber"] for number in page["items"]]


def test_pages_follow_each_other_without_gap_or_repetition(dasha: httpx.Client, sandbox: Sandbox) -> None:
    ids = [sandbox.world.dasha.add_number(f"+1555{i:04}") for i in range(45)]
    seen = []
    for skip in range(0, 60, 20):
        page = dasha.get(NUMBERS, params={"skip": skip}).json()
        assert (page["totalCount"], page["skip"], page["take"]) == (45, skip, 20)
        seen += [number["id"] for number in page["items"]]
    assert seen == ids


@pytest.mark.parametrize(
    "params",
    [
        {"skip": -1},
        {"skip": 2**31},
        {"skip": "x"},
        {"skip": "1_0"},
        {"take": 0},
        {"take": 1001},
        {"take": "1.0"},
        {"take": ""},
        {"unlinkedOnly": "yes"},
        {"providerId": "x"},
        {"phone_number": "+1555"},
    ],
)
def test_parameters_out_of_range_are_400(dasha: httpx.Client, params: dict[str, Any]) -> None:
    response = dasha.get(NUMBERS, params=params)
    assert (response.status_code, response.headers["content-type"]) == (400, "application/problem+json")


@pytest.mark.parametrize(
    "params", [{"skip": 2**31 - 1}, {"take": 1}, {"take": 1000}, {"unlinkedOnly": "True"}]
)
def test_parameters_just_within_range_are_accepted(dasha: httpx.Client, params: dict[str, Any]) -> None:
    assert dasha.get(NUMBERS, params=params).json()["items"] == []


def test_filters_combine(dasha: httpx.Client, sandbox: Sandbox) -> None:
    provider = str(uuid4())
    add = sandbox.world.dasha.add_number
    add("+15550100001", inbound="agent-a")
    add("+15550100002", inbound="agent-b", provider_id=provider)
    add("+15550100003", outbound=["agent-a"], provider_id=provider)
    add("+15550100004")
    assert listed(dasha, linkedAgentId="agent-a") == ["+15550100001"]
    assert listed(dasha, unlinkedOnly="true") == ["+15550100003", "+15550100004"]
    assert listed(dasha, unlinkedOnly="false", linkedAgentId="") == [f"+1555010000{i}" for i in (1, 2, 3, 4)]
    assert listed(dasha, providerId=provider) == ["+15550100002", "+15550100003"]
    assert listed(dasha, providerId=provider, unlinkedOnly="true") == ["+15550100003"]
    assert listed(dasha, phoneNumber="+15550100004") == ["+15550100004"]
    assert listed(dasha, phoneNumber="+1555") == []


def test_a_page_counts_what_matches_not_what_it_shows(dasha: httpx.Client, sandbox: Sandbox) -> None:
    for i in range(5):
        sandbox.world.dasha.add_number(f"+1555{i}", inbound="agent-a" if i < 3 else None)
    page = dasha.get(NUMBERS, params={"linkedAgentId": "agent-a", "skip": 2, "take": 2}).json()
    assert (len(page["items"]), page["totalCount"]) == (1, 3)


def test_offset_paging_shifts_when_a_number_goes(dasha: httpx.Client, sandbox: Sandbox) -> None:
    ids = [sandbox.world.dasha.add_number(f"+1555{i}") for i in range(4)]
    sandbox.world.dasha.delete(ids[0])
    page = dasha.get(NUMBERS, params={"skip": 2, "take": 2}).json()
    assert [number["id"] for number in page["items"]] == [ids[3]]


def test_a_page_of_a_fleet_is_cheap_and_never_stale(
    dasha: httpx.Client, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []

    def counted(seconds: float, style: str) -> str:
        written.append(seconds)
        return timestamp(seconds, style)

    monkeypatch.setattr(bodies, "timestamp", counted)
    ids = [sandbox.world.dasha.add_number(f"+1555{i:07}", registration=True) for i in range(FLEET)]
    params = {"skip": 5000, "take": 1000}
    dasha.get(NUMBERS, params=params)
    assert len(written) >= 1000
    written.clear()
    dasha.get(NUMBERS, params=params)
    assert written == []  # nothing is rendered twice: that takes forty times as long
    sandbox.world.dasha.link(ids[5001], "agent-a")
    sandbox.world.advance(2)
    items = dasha.get(NUMBERS, params=params).json()["items"]
    assert [number["incomingCallsAgentId"] for number in items[:3]] == [None, "agent-a", None]
    assert {number["registrationStatus"]["state"] for number in items} == {"Registered"}
