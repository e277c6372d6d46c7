"""The page "Phone numbers" inside Airflow's UI, as somebody sees it who looks after numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from airflow_harness.processes import free_port
from axe_playwright_python.sync_playwright import Axe
from browser.fleet_page import FleetPage, token
from browser.run_page import outbound, run
from playwright.sync_api import expect

from airflow_provider_phonelink.sandbox import Sandbox, seeds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_harness.processes import Deployment
    from playwright.sync_api import BrowserContext, Dialog, Page, ViewportSize

WIDE: ViewportSize = {"width": 1280, "height": 900}
NARROW: ViewportSize = {"width": 360, "height": 740}
MANY = 2000
#: Milliseconds until a page shows what has changed at the vendor, and then some.
RENEWED = 120_000
HOSTILE = '<img src=x onerror="alert(1)"><script>alert(2)</script>'


@pytest.fixture(scope="module")
def many(airflow: Deployment) -> Iterator[Sandbox]:
    """Another organisation, with very many numbers, one of which has a hostile name."""
    with Sandbox() as sandbox:
        dasha = sandbox.world.dasha
        for index in range(MANY):
            credentials = f"{index % 5:08d}-0000-4000-8000-000000000000"
            name = HOSTILE if index == 7 else f"Line {index}"
            dasha.add_number(f"+1555{index:07d}", credentials, display_name=name, steps=seeds.REGISTERED)
        airflow.api.set_connection("many", **sandbox.connections["dasha_default"])
        yield sandbox
    airflow.api.request("DELETE", "connections/many")


@pytest.fixture
def wide(page: Page) -> Page:
    page.set_viewport_size(WIDE)
    return page


def test_the_navigation_leads_to_all_numbers(wide: Page, airflow, sandbox, picture) -> None:
    run(airflow, "nightly_rotation")
    fleet = FleetPage.by_navigation(wide, airflow.url)
    expect(fleet.inside.get_by_role("heading", name="Phone numbers")).to_be_visible()
    world = sandbox.world
    for account in (world.dasha, world.callingbox):
        for row in account.rows():
            expect(fleet.row(row["number"])).to_have_count(1)
    expect(fleet.row(outbound(sandbox))).to_contain_text("nightly_rotation / rotate")
    picture("phone-numbers", {"x": 0, "y": 0, **WIDE})


def test_a_link_to_a_task_leads_the_whole_window_there(wide: Page, airflow, sandbox) -> None:
    run(airflow, "nightly_rotation")
    fleet = FleetPage.by_navigation(wide, airflow.url)
    fleet.row(outbound(sandbox)).get_by_role("link", name="nightly_rotation / rotate").click()
    expect(wide).to_have_url(re.compile(r"/dags/nightly_rotation/runs/.*/tasks/rotate"))


def test_an_agent_has_a_history(wide: Page, airflow, sandbox, picture) -> None:
    for _ in range(2):
        run(airflow, "nightly_rotation")
    fleet = FleetPage.alone(wide, airflow.url, "agents/dasha_default/agent-campaign")
    expect(fleet.inside.get_by_text("Calls out with")).to_be_visible()
    expect(fleet.inside.locator("dd").filter(has_text=outbound(sandbox))).to_have_count(1, timeout=RENEWED)
    assert fleet.inside.locator("svg rect").count() >= 2
    expect(fleet.rows().first).to_contain_text("in place of")
    picture("agent-history", wide.locator("main").bounding_box())


def test_search_and_filters_make_a_permalink(wide: Page, airflow, many) -> None:
    fleet = FleetPage.alone(wide, airflow.url, "numbers?connection=many")
    expect(fleet.count()).to_contain_text(f"{MANY} of")
    fleet.inside.get_by_label("Search").fill("+1 (555) 000-1234")
    expect(fleet.rows()).to_have_count(1)
    expect(fleet.rows()).to_contain_text("Line 1234")
    expect(fleet.inside.get_by_label("Search")).to_be_focused()
    wide.reload()
    expect(fleet.rows()).to_have_count(1)
    fleet.inside.get_by_label("Search").fill("")
    fleet.inside.get_by_label("Verdict").select_option("failed")
    expect(fleet.count()).to_contain_text("0 of")
    assert "verdict=failed" in wide.url


def test_what_a_vendor_sends_is_text(wide: Page, airflow, many) -> None:
    said: list[str] = []

    def note(dialog: Dialog) -> None:
        said.append(dialog.message)
        dialog.dismiss()

    wide.on("dialog", note)
    fleet = FleetPage.alone(wide, airflow.url, "numbers?connection=many&search=onerror")
    expect(fleet.rows()).to_have_count(1)
    expect(fleet.rows()).to_contain_text(HOSTILE)
    assert fleet.inside.locator("img").count() == 0
    assert said == []


def test_it_is_as_dark_as_airflow(page: Page, browser: BrowserContext, airflow) -> None:
    page.set_viewport_size(WIDE)
    page.goto(airflow.url)
    for theme in ("dark", "light"):
        page.evaluate("theme => localStorage.setItem('theme', theme)", theme)
        fleet = FleetPage.by_navigation(page, airflow.url)
        expect(fleet.inside.locator("html")).to_have_attribute("data-theme", theme)
        expect(fleet.inside.locator("html")).to_have_css("color-scheme", theme)


def test_it_can_be_read_on_a_phone(page: Page, airflow) -> None:
    page.set_viewport_size(WIDE)
    fleet = FleetPage.alone(page, airflow.url)
    page.set_viewport_size(NARROW)
    expect(fleet.rows().first).to_be_visible()
    widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1]


def test_a_vendor_that_is_down_is_explained(wide: Page, airflow) -> None:
    with Sandbox() as gone:
        connection = gone.connections["dasha_default"]
    airflow.api.set_connection("gone", **connection)
    try:
        fleet = FleetPage.alone(wide, airflow.url)
        source = fleet.inside.get_by_role("listitem").filter(has_text="gone")
        expect(source).to_contain_text("stale")
        expect(source.get_by_role("alert")).to_be_visible()
        expect(fleet.rows().first).to_be_visible()
    finally:
        airflow.api.request("DELETE", "connections/gone")


@pytest.fixture
def sign_ins(airflow: Deployment) -> Iterator[str]:
    """Another API server of the same Airflow, which takes nobody for an admin who is none."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = {
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": url,
    }
    airflow.start("api-server-2", settings)
    airflow.api.wait_until(lambda: answers(url), 300, airflow.tails)
    yield url
    airflow.kill("api-server-2")


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/v2/version", trust_env=False).is_success
    except httpx.TransportError:
        return False


def test_who_may_not_see_connections_sees_no_numbers(
    wide: Page, browser: BrowserContext, airflow, sign_ins: str, sandbox
) -> None:
    before: Any = browser.cookies()
    try:
        for role, seen in (("VIEWER", False), ("OP", True)):
            browser.clear_cookies()
            browser.add_cookies([{"name": "_token", "value": token(airflow, role), "url": sign_ins}])
            wide.goto(f"{sign_ins}/plugin/phone-numbers")
            inside = wide.frame_locator("iframe[title='Phone numbers']")
            if seen:
                inside.get_by_label("Search").fill(outbound(sandbox))
                expect(FleetPage(inside).row(outbound(sandbox))).to_have_count(1)
            else:
                expect(inside.get_by_role("alert")).to_contain_text("permission to read connections")
                expect(inside.locator("body")).not_to_contain_text("+1555")
    finally:
        browser.clear_cookies()
        browser.add_cookies(before)


@pytest.mark.parametrize("view", ["numbers", "agents/dasha_default/agent-campaign"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_keyboards_and_screen_readers_can_use_it(wide: Page, airflow, view, theme) -> None:
    FleetPage.alone(wide, airflow.url, view)
    wide.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
    found: list[dict[str, Any]] = Axe().run(wide).response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert not serious, [(one["id"], [node["html"][:200] for node in one["nodes"][:3]]) for one in serious]
