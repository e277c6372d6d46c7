"""The connection forms, as somebody sees them who adds, tests and edits a connection."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from browser.connections_page import ConnectionsPage
from browser.vendors import CALLINGBOX, DASHA, Vendor
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_harness.processes import Deployment
    from playwright.sync_api import Page

    from airflow_provider_phonelink.sandbox import Sandbox

both = pytest.mark.parametrize("vendor", [DASHA, CALLINGBOX], ids=lambda vendor: vendor.conn_type)


@pytest.fixture(autouse=True)
def nothing_is_left(airflow: Deployment) -> Iterator[None]:
    """Connections of a test are gone after it: other pages show the numbers of each connection."""
    before = connection_ids(airflow)
    yield
    for conn_id in connection_ids(airflow) - before:
        airflow.api.request("DELETE", f"connections/{conn_id}")


def connection_ids(airflow: Deployment) -> set[str]:
    return {connection["connection_id"] for connection in airflow.api.get("connections")["connections"]}


@both
def test_the_form_says_what_to_fill_in(page: Page, airflow, vendor: Vendor, picture) -> None:
    form = ConnectionsPage(page, airflow.url).add(vendor.name)
    always = ["Connection ID", "Connection Type"]
    assert form.labels() == [*always, "Description", "Base URL", "API key", "Port", "Scheme"]
    hints = {
        label: form.field(label).get_attribute("placeholder") for label in ("Base URL", "Port", "Scheme")
    }
    assert hints == {"Base URL": vendor.base_url, "Port": "443", "Scheme": "https"}
    assert form.field("API key").get_attribute("type") == "password"

    form.fill({"Connection ID": f"{vendor.conn_type}_default", "Description": vendor.description})
    form.fill({"Base URL": vendor.base_url, "API key": "your-api-key", "Port": "443"})
    picture(f"connection-{vendor.conn_type}", form.dialog.bounding_box())

    form.open("Extra Fields")
    assert form.labels() == [*always, *(field["label"] for field in vendor.fields.values())]
    for field in vendor.fields.values():
        expect(form.row(field["label"])).to_contain_text(field["description"])
        if "boolean" in field["schema"]["type"]:
            assert form.field(field["label"]).is_checked() == field["schema"]["default"]
        else:
            assert form.field(field["label"]).input_value() == ""
    assert form.field("Proxy").get_attribute("type") == "password"


@both
def test_what_is_saved_is_shown_again_and_used(page: Page, airflow, sandbox, vendor: Vendor) -> None:
    conn_id, key = f"saved_{vendor.conn_type}", vendor.key(sandbox)
    standard = {"Base URL": "127.0.0.1", "Port": str(sandbox.port), "Scheme": "http"}
    form = ConnectionsPage(page, airflow.url).add(vendor.name)
    form.fill({"Connection ID": conn_id, "API key": key, **standard})
    form.open("Extra Fields")
    form.fill({**vendor.typed(), "Proxy": "http://someone:hunter2@proxy:3128", "Total timeout": "60"})
    form.fill({"Proxy": "", "Total timeout": ""})  # second thoughts: the defaults
    form.save()

    form = ConnectionsPage(page, airflow.url).edit(conn_id)
    assert form.values(standard) == standard
    assert form.field("API key").get_attribute("type") == "password"
    assert form.field("API key").input_value() == "***"
    form.open("Extra Fields")
    assert form.values(vendor.typed()) == vendor.typed()
    assert form.values({"Proxy": "", "Total timeout": ""}) == {"Proxy": "", "Total timeout": ""}
    assert key not in page.content()
    form.close()

    run_id = run_with(airflow, vendor, conn_id)
    assert airflow.api.run_state("read_connection", run_id) == "success"
    settings = airflow.api.xcom("read_connection", run_id, "settings")
    assert vendor.read().items() <= settings.items()
    assert (settings["base_url"], settings["total_timeout"], settings["proxy"]) == (sandbox.url, 120.0, None)
    assert set(airflow.api.xcom("read_connection", run_id, "numbers")) == numbers(sandbox, vendor)


@both
def test_an_edit_in_the_form_loses_nothing(page: Page, airflow, vendor: Vendor) -> None:
    """Neither what is masked or hidden, nor what was set by other means in another form."""
    conn_id, proxy = f"edited_{vendor.conn_type}", "http://someone:hunter2@127.0.0.1:9"
    extra = {"timeout": 3, "proxy": proxy, "max_retries": 0, "failed_states": ["Off", "Out"]}
    extra = {name: value for name, value in extra.items() if name in vendor.fields}
    fields = {"conn_type": vendor.conn_type, "login": "someone", "password": "a-key-of-nobody"}
    airflow.api.set_connection(conn_id, **fields, extra=extra)
    before = airflow.api.get(f"connections/{conn_id}")

    form = ConnectionsPage(page, airflow.url).edit(conn_id)
    form.fill({"Description": "edited"})
    form.open("Extra Fields")
    assert form.field("Proxy").input_value() == "***"
    form.fill({"Timeout": "4"})
    form.save()

    after = airflow.api.get(f"connections/{conn_id}")
    assert json.loads(after.pop("extra")) == {**json.loads(before.pop("extra")), "timeout": 4}
    assert after == {**before, "description": "edited"}
    settings = airflow.api.xcom("read_connection", run_with(airflow, vendor, conn_id), "settings")
    assert {name: settings[name] for name in extra} == {**extra, "timeout": 4.0}


@both
def test_the_test_button_tells_a_right_key_from_a_wrong_one(
    page: Page, airflow, sandbox, vendor: Vendor
) -> None:
    right, wrong = f"right_{vendor.conn_type}", f"wrong_{vendor.conn_type}"
    fields = sandbox.connections[f"{vendor.conn_type}_default"]
    airflow.api.set_connection(right, **fields)
    airflow.api.set_connection(wrong, **{**fields, "password": "a-key-of-nobody"})
    listed = ConnectionsPage(page, airflow.url)

    listed.test_button(right).click()
    expect(listed.test_button(right).locator("svg[color=green]")).to_be_visible()
    expect(page.get_by_text("Test Connection Failed")).to_be_hidden()

    listed.test_button(wrong).click()
    expect(listed.test_button(wrong).locator("svg[color=red]")).to_be_visible()
    expect(page.get_by_text("Test Connection Failed")).to_be_visible()
    expect(page.get_by_text(f"{vendor.name} refuses the API key.")).to_be_visible()


def run_with(airflow: Deployment, vendor: Vendor, conn_id: str) -> str:
    """Run the DAG that reads a connection and calls the vendor with it, and wait until it is over."""
    run_id = airflow.api.trigger_dag("read_connection", {"conn_type": vendor.conn_type, "conn_id": conn_id})
    airflow.api.wait("read_connection", run_id)
    return run_id


def numbers(sandbox: Sandbox, vendor: Vendor) -> set[str]:
    return set(
        {"dasha": sandbox.world.dasha, "callingbox": sandbox.world.callingbox}[vendor.conn_type].links()
    )
