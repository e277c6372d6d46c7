"""The page "Phone numbers" and its facts, over real sockets to the sandbox, with Airflow's own authorisation."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any

import pytest
from airflow import __version__ as airflow_version
from airflow.sdk import DAG
from integration.fleet_page import Page, server_page
from integration.worlds import AGENT, CREDENTIALS, OTHER_AGENT

from airflow_provider_phonelink.fleet import readings
from airflow_provider_phonelink.fleet.web import router
from airflow_provider_phonelink.operators.dasha import DashaLinkPhoneNumberOperator
from airflow_provider_phonelink.sandbox import seeds
from airflow_provider_phonelink.sandbox.faults import Fault

if TYPE_CHECKING:
    from airflow_provider_phonelink.sandbox import Sandbox

pytestmark = pytest.mark.skipif(airflow_version.startswith("3.0."), reason="3.0 has no views of plugins")
HOSTILE = '<img src=x onerror="alert(1)">\u202e{{ 7*7 }}'


page = server_page


@pytest.fixture
def world(phonelink_sandbox: Sandbox) -> Any:
    """Three numbers at Dasha and two at CallingBox, with what may be wrong with each."""
    dasha, box = phonelink_sandbox.world.dasha, phonelink_sandbox.world.callingbox
    for agent, name in ((AGENT, "Support"), (OTHER_AGENT, HOSTILE)):
        dasha.add_agent(agent, name)
    dasha.add_number("+15550100", CREDENTIALS, display_name=HOSTILE, inbound=AGENT, steps=seeds.REGISTERED)
    dasha.add_number("+15550101", CREDENTIALS, outbound=[AGENT, OTHER_AGENT], steps=seeds.REGISTERED)
    dasha.add_number("+15550102", CREDENTIALS, inbound=OTHER_AGENT, steps=[{"after": 0, "state": "Failed"}])
    box.add_agent("inbound", id="box-in")
    box.add_agent("outbound", id="box-out")
    box.add_number("+15550200", id="pn_1", agents=["box-in", "box-out"])
    box.add_number("+15550201", id="pn_2")
    return phonelink_sandbox.world


def test_each_fact_is_as_in_the_vendors_worlds(page: Page, world) -> None:
    answer = page.get("/numbers.json").json()
    found = {(row["vendor"], row["id"]): row for row in answer["numbers"]}
    expected: dict[tuple[str, str], Any] = {}
    for vendor in ("dasha", "callingbox"):
        account = getattr(world, vendor)
        for id_, (inbound, outbound) in account.links().items():
            expected[vendor, id_.lower()] = (inbound, sorted(outbound))
    assert len(expected) == 5
    assert {
        key: (row["inbound_agent_id"], row["outbound_agent_ids"]) for key, row in found.items()
    } == expected
    by_number = {row["phone_number"]: row for row in answer["numbers"]}
    assert {number: row["verdict"] for number, row in by_number.items()} == {
        "+15550100": "active",
        "+15550101": "active",
        "+15550102": "failed",
        "+15550200": None,
        "+15550201": None,
    }
    assert by_number["+15550102"]["state"] == "Failed"
    assert by_number["+15550100"]["inbound_agent_name"] == "Support"
    assert answer["stale"] == {"callingbox_default": False, "dasha_default": False}
    assert answer["errors"] == {}
    assert all(answer["read_at"].values())


def test_a_table_for_spreadsheets_has_the_same_facts(page: Page, world) -> None:
    rows = page.get("/numbers.json").json()["numbers"]
    table = page.get("/numbers.csv")
    assert table.headers["content-type"].startswith("text/csv")
    read = list(csv.DictReader(io.StringIO(table.text)))
    assert [row["phone_number"].strip("'") for row in read] == [row["phone_number"] for row in rows]
    assert [row["verdict"] for row in read] == [row["verdict"] or "" for row in rows]


def test_a_table_for_spreadsheets_is_complete_or_refused(page: Page, world, phonelink_sandbox) -> None:
    phonelink_sandbox.faults.add(Fault("status", vendor="dasha", status=503, count=None))
    refused = page.get("/numbers.csv")
    assert (refused.status_code, "dasha_default" in refused.text) == (503, True)
    table = page.get("/numbers.csv", vendor="callingbox")
    assert (table.status_code, len(table.text.splitlines())) == (200, 3)
    assert "dasha_default" in page.get("/numbers.json").json()["errors"]


def test_a_uuid_in_an_address_may_be_in_upper_case(page: Page, phonelink_sandbox) -> None:
    agent = "7d3f1a52-0c64-4c7e-9f5d-2f5b8a1c0e11"
    number = phonelink_sandbox.world.dasha.add_number("+15550100", inbound=agent)
    assert len(page.get("/numbers.json", agent=agent.upper()).json()["numbers"]) == 1
    assert page.get(f"/numbers/dasha_default/{number.upper()}").status_code == 200
    assert "+15550100" in page.get(f"/agents/dasha_default/{agent.upper()}").text


def test_vendors_text_never_becomes_markup(page: Page, world) -> None:
    html = page.get("/numbers").text
    assert "<img" not in html
    assert "\u202e" not in html
    assert "&lt;img src=x" in html


@pytest.mark.parametrize("path", ["/numbers", "/numbers.json", "/numbers.csv", "/static/page.js", "/"])
def test_only_who_may_see_connections_sees_anything(page: Page, world, phonelink_sandbox, path) -> None:
    for role, status in ((None, 401), ("VIEWER", 403), ("USER", 403)):
        answer = page.get(path, role)
        assert answer.status_code == status
        assert "+1555" not in answer.text
    assert page.get(path, "OP").status_code in (200, 307)


def test_every_route_demands_access(page: Page) -> None:
    paths = [re.sub(r"{.*?}", "x", route.path) for route in router.routes]  # type: ignore[attr-defined]
    assert len(paths) > 5
    assert {path: page.get(path, None).status_code for path in paths} == dict.fromkeys(paths, 401)


def test_every_answer_forbids_what_a_page_could_be_made_to_do(page: Page, world) -> None:
    for path in ("/numbers", "/numbers.json", "/nowhere"):
        policy = page.get(path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'self'" in policy
    html = page.get("/numbers").text
    assert "style=" not in html
    assert "<style" not in html
    assert html.count("<script") == 1


def test_many_viewers_cost_one_reading(page: Page, world, phonelink_sandbox) -> None:
    answers = page.get_all(["/numbers.json"] * 10)
    assert {len(answer.json()["numbers"]) for answer in answers} == {5}
    # Dasha: numbers, and the users of one credential; CallingBox: numbers, whether there are
    # more, agents.
    assert len(phonelink_sandbox.journal.requests()) == 5
    page.get("/numbers")
    page.get("/numbers.csv")
    assert len(phonelink_sandbox.journal.requests()) == 5


def test_a_vendor_that_is_down_leaves_its_last_reading(
    page: Page, world, phonelink_sandbox, monkeypatch
) -> None:
    monkeypatch.setattr(readings, "FRESH_FOR", 0)
    before = page.get("/numbers.json").json()
    phonelink_sandbox.faults.add(Fault("status", vendor="dasha", status=503, count=None))
    after = page.get("/numbers.json").json()
    assert after["numbers"] == before["numbers"]
    assert after["read_at"]["dasha_default"] == before["read_at"]["dasha_default"]
    assert after["stale"] == {"callingbox_default": False, "dasha_default": True}
    assert "503" in after["errors"]["dasha_default"]
    html = page.get("/numbers").text
    assert "stale" in html
    assert "503" in html


@pytest.mark.parametrize("kind", ["numbers", "agents"])
def test_what_was_not_read_is_neither_denied_nor_claimed(
    page: Page, world, phonelink_sandbox, run_dag, kind
) -> None:
    """Whoever follows a link to a number while the vendor is down, on a server that has never read it."""
    number = world.dasha.add_number("+15550103", CREDENTIALS, steps=seeds.REGISTERED)
    with DAG("links", schedule=None) as dag:
        DashaLinkPhoneNumberOperator(task_id="link", phone_number_id=number, agent_id=AGENT)
    run = run_dag(dag, connections=phonelink_sandbox.connections)
    assert run.succeeded, run.explain()
    phonelink_sandbox.faults.add(Fault("status", vendor="dasha", status=503, count=None))
    path = f"/{kind}/dasha_default/{number if kind == 'numbers' else AGENT}"
    answer = page.get(path)
    assert answer.status_code == 503
    for told in ("not read yet", "503", "links / link", "+15550103"):
        assert told in answer.text
    for claimed in ("no number", "Answered by", "somebody else"):
        assert claimed not in answer.text
    for nowhere in (f"/{kind}/nowhere/x", "/numbers/callingbox_default/pn_9"):
        assert page.get(nowhere).status_code == 404


def test_a_number_that_is_newer_than_a_stale_reading_is_not_denied(
    page: Page, world, phonelink_sandbox, monkeypatch
) -> None:
    monkeypatch.setattr(readings, "FRESH_FOR", 0)
    page.get("/numbers")
    number = world.dasha.add_number("+15550104", CREDENTIALS, steps=seeds.REGISTERED)
    phonelink_sandbox.faults.add(Fault("status", vendor="dasha", status=503, count=None))
    assert page.get(f"/numbers/dasha_default/{number}").status_code == 503
    assert page.get(f"/agents/dasha_default/{AGENT}").status_code == 200


@pytest.mark.parametrize(("count", "expected"), [(999, 6), (1000, 7)])
def test_how_many_requests_many_numbers_cost(page: Page, phonelink_sandbox, count, expected) -> None:
    """Only a page that is not full shows that there are no more."""
    dasha = phonelink_sandbox.world.dasha
    for index in range(count):
        credentials = f"{index % 5:08d}-0000-4000-8000-000000000000"
        dasha.add_number(f"+1555{index:07d}", credentials, steps=seeds.REGISTERED)
    answer = page.get("/numbers.json", vendor="dasha").json()
    assert len(answer["numbers"]) == count
    requests = [one for one in phonelink_sandbox.journal.requests() if one.vendor == "dasha"]
    assert len(requests) == expected
