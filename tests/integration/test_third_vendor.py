"""A third vendor takes files of its own and one entry in the list: no shared file knows it, and all serve it."""

from __future__ import annotations

import json
from importlib import import_module, resources
from urllib.parse import urlsplit

import jsonschema
import pytest
from airflow_harness.tasks import run_task
from integration.commands import is_one_error, parsed
from integration.toy_vendor import TOYPHONE
from integration.toy_vendor.operators import ToyphoneReconcileLinksOperator
from integration.toy_vendor.world import World
from unit.hooks.local_vendor import serving

from airflow_provider_phonelink import vendors
from airflow_provider_phonelink.assets import agent_asset, normalise
from airflow_provider_phonelink.get_provider_info import get_provider_info

CONN = ("--conn-id", "toyphone_default")


@pytest.fixture(autouse=True)
def listed(monkeypatch):
    monkeypatch.setattr(vendors, "VENDORS", (*vendors.VENDORS, TOYPHONE))


@pytest.fixture
def toyphone():
    world = World()
    world.add("desk", "+15550300", answers="bot-a")
    world.add("hall", "+15550301", answers="bot-b", dials_out="bot-a")
    world.add("loft", "+15550302")
    return world


@pytest.fixture
def connection(toyphone, monkeypatch):
    with serving(toyphone) as url:
        found = {
            "conn_type": "toyphone",
            "host": url,
            "password": "toyphone-key",
            "extra": {"tenant": "north"},
        }
        monkeypatch.setenv("AIRFLOW_CONN_TOYPHONE_DEFAULT", json.dumps(found))
        yield found


@pytest.fixture
def routes(tmp_path):
    """One that is true already, one that moves, one that is new, and one that changes an agent's outgoing line."""
    path = tmp_path / "routes.json"
    path.write_text(
        json.dumps(
            [
                {"number": "desk", "agent_id": "bot-a"},
                {"number": "+1 555 0301", "agent_id": "bot-a"},
                {"number": "loft", "agent_id": "bot-c"},
                {"number": "loft", "agent_id": "bot-a", "mode": "dialout"},
            ]
        )
    )
    return path


class TestCommands:
    def test_its_numbers_are_listed(self, phonelink, connection):
        code, out, _ = phonelink("numbers", "list", *CONN, "-o", "json")
        assert code == 0
        assert [(line["line"], line["answers"]) for line in parsed(out, "json")] == [
            ("desk", "bot-a"),
            ("hall", "bot-b"),
            ("loft", None),
        ]
        out = phonelink("numbers", "list", *CONN, "-o", "json", "--agent-id", "bot-b")[1]
        assert [line["line"] for line in parsed(out, "json")] == ["hall"]

    def test_a_filter_that_it_does_not_have_is_refused(self, phonelink, toyphone, connection):
        code, _, err = phonelink("numbers", "list", *CONN, "--unlinked-only")
        assert code == 1
        assert is_one_error(err, "--unlinked-only", "Toyphone")
        assert toyphone.requests == []

    def test_its_routes_are_planned_applied_and_exported(self, phonelink, toyphone, connection, routes):
        code, out, err = phonelink("routes", "plan", *CONN, "-f", routes)
        assert (code, err) == (2, "")
        assert out.splitlines() == [
            "+ link   +15550302 (id loft) inbound to agent bot-c",
            "~ move   +15550301 (id hall) inbound from agent bot-b to agent bot-a",
            "~ move   +15550302 (id loft) dialout to agent bot-a, instead of +15550301 (id hall)",
            "Plan: 1 to link, 2 to move, 0 to unlink, 1 unchanged; 3 links in scope.",
        ]
        assert toyphone.requests == ["GET /north/lines"]
        assert phonelink("routes", "apply", *CONN, "-f", routes, "--yes")[0] == 0
        assert toyphone.links() == {
            "desk": ("bot-a", None),
            "hall": ("bot-a", None),
            "loft": ("bot-c", "bot-a"),
        }
        assert phonelink("routes", "plan", *CONN, "-f", routes)[0] == 0
        exported = parsed(phonelink("routes", "export", *CONN, "-o", "json")[1], "json")
        assert {"number": "+15550302", "agent_id": "bot-a", "mode": "dialout"} in exported
        assert len(exported) == 4

    def test_its_rules_say_what_a_scope_may_have(self, phonelink, toyphone, connection, routes):
        code, _, err = phonelink("routes", "plan", *CONN, "-f", routes, "--prune", "--scope-agents", "bot-a")
        assert code == 1
        assert is_one_error(err, "pool, modes; not agents")
        assert toyphone.requests == []

    def test_it_has_no_registrations(self, phonelink, connection):
        code, _, err = phonelink("wait", "00000000-0000-4000-8000-000000000001", *CONN)
        assert code == 1
        assert is_one_error(err, "Toyphone has no registrations", "type dasha with")

    def test_the_doctor_looks_at_the_connection(self, phonelink, toyphone, connection):
        code, out, _ = phonelink("doctor", *CONN, "-o", "json")
        document = parsed(out, "json")
        assert (code, document["vendor"], len(toyphone.requests)) == (0, "toyphone", 1)
        about = [finding["about"] for finding in document["findings"]]
        assert about == ["connection", "latency", "clock", "TLS", "rate limit"]

    def test_messages_name_it(self, phonelink):
        err = phonelink("numbers", "list", *CONN)[2]
        assert is_one_error(err, "--conn-type callingbox or toyphone")


def test_a_task_reconciles_its_links(toyphone, connection, routes):
    task = ToyphoneReconcileLinksOperator(
        task_id="reconcile",
        routes=str(routes),
        prune=True,
        scope={"pool": ["desk", "hall"]},
        toyphone_conn_id="toyphone_default",
    )
    outcome = run_task(task, connections={"toyphone_default": connection})
    assert outcome.state == "success", outcome.log
    assert outcome.value["done"] == 3
    assert toyphone.links()["loft"] == ("bot-c", "bot-a")


def test_its_connection_is_no_other_vendors(phonelink, connection, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_TOYPHONE_DEFAULT", json.dumps({**connection, "conn_type": "http"}))
    err = phonelink("numbers", "list", *CONN)[2]
    assert is_one_error(err, "'http'", "dasha or callingbox or toyphone")


def test_it_has_a_connection_type_and_its_place_in_the_metadata():
    info = get_provider_info()
    [entry] = [kind for kind in info["connection-types"] if kind["connection-type"] == "toyphone"]
    assert entry["hook-name"] == "Toyphone"
    module, _, name = entry["hook-class-name"].rpartition(".")
    assert getattr(import_module(module), name).conn_type == "toyphone"
    assert "tenant" in entry["conn-fields"]
    assert "timeout" in entry["conn-fields"]
    assert entry["ui-field-behaviour"]["placeholders"]["host"] == "https://api.toyphone.example"
    assert info["integrations"][-1]["integration-name"] == "Toyphone"
    assert [entry["integration-name"] for entry in info["sensors"]] == ["Dasha BlackBox"]
    schema = json.loads(resources.files("airflow").joinpath("provider_info.schema.json").read_text())
    jsonschema.validate(info, schema)


def test_its_assets_have_one_form():
    assert (
        normalise(urlsplit("phonelink://ToyPhone/numbers/desk/")).geturl()
        == "phonelink://toyphone/numbers/desk"
    )
    assert agent_asset("bot-a", vendor="toyphone").uri == "phonelink://toyphone/agents/bot-a/outbound"


def test_without_the_entry_there_is_no_such_vendor(monkeypatch):
    monkeypatch.undo()
    with pytest.raises(ValueError, match="not an asset"):
        normalise(urlsplit("phonelink://toyphone/numbers/desk"))
