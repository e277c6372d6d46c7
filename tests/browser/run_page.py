"""Airflow's pages of a DAG run, in the words of somebody who looks at it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from playwright.sync_api import expect

if TYPE_CHECKING:
    from airflow_harness.processes import Deployment
    from playwright.sync_api import FloatRect, Locator, Page, ViewportSize

    from airflow_provider_phonelink.sandbox import Sandbox

#: In a narrower one a part of the page is out of view.
WINDOW: ViewportSize = {"width": 820, "height": 900}
#: How often it is looked whether the graph has come to rest, twice a second.
LOOKS = 60


class Graph:
    """The graph of a run, with nothing beside it."""

    def __init__(self, page: Page, url: str, dag_id: str, run_id: str) -> None:
        self._page = page
        page.set_viewport_size(WINDOW)
        page.goto(f"{url}/dags/{dag_id}/runs/{quote(run_id)}")
        page.get_by_role("button", name="Show Graph").click()
        page.get_by_role("button", name="Collapse Details Panel").click()
        self._boxes = page.locator(".react-flow__node")
        expect(self._boxes.first).to_be_visible()

    def unfold(self) -> None:
        """Show what is in the task groups."""
        button = self._page.get_by_role("button", name="Expand all task groups")
        button.click()
        expect(button).to_be_disabled()

    def task(self, name: str) -> Locator:
        """The box of a task, or of a task group."""
        title = self._page.get_by_text(re.compile(rf"^{name}( \[\d*\])?$"))
        return self._boxes.filter(has=title)

    def area(self) -> FloatRect:
        """Where on the page its boxes are, with a margin, once it has come to rest with all of them in view."""
        now = None
        for _ in range(LOOKS):
            self._page.get_by_role("button", name="Fit View").click()
            self._page.wait_for_timeout(500)
            last, now = now, self._extent()
            if now == last and now["x"] >= 0 and now["x"] + now["width"] <= WINDOW["width"]:
                return now
        raise AssertionError(f"the graph does not fit into the window: {now}")

    def _extent(self) -> FloatRect:
        boxes = [box for each in self._boxes.all() if (box := each.bounding_box())]
        left, top = min(box["x"] for box in boxes), min(box["y"] for box in boxes)
        right = max(box["x"] + box["width"] for box in boxes)
        bottom = max(box["y"] + box["height"] for box in boxes)
        return {"x": left - 16, "y": top - 16, "width": right - left + 32, "height": bottom - top + 32}


def task_log(page: Page, url: str, dag_id: str, run_id: str, task_id: str) -> Locator:
    """The log of a task, over the whole page and with lines wrapped."""
    page.goto(f"{url}/dags/{dag_id}/runs/{quote(run_id)}/tasks/{task_id}")
    page.get_by_role("button", name="Press f for fullscreen").click()
    log = page.get_by_role("dialog").get_by_role("code").first
    expect(log).to_contain_text("INFO")
    page.keyboard.press("w")
    expect(log).to_have_css("text-wrap-mode", "wrap")
    return log


def run(airflow: Deployment, dag_id: str) -> str:
    """Run a DAG to its end."""
    run_id = airflow.api.trigger_dag(dag_id)
    assert airflow.api.wait(dag_id, run_id) == "success", airflow.api.task_states(dag_id, run_id)
    return run_id


def outbound(sandbox: Sandbox) -> str:
    """The number that the campaign calls with."""
    dasha = sandbox.world.dasha
    [id_] = [id_ for id_, (_, agents) in dasha.links().items() if "agent-campaign" in agents]
    return dasha.get(id_).settings.phone_number
