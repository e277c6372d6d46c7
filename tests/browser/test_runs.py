"""Runs of example DAGs, as somebody sees them who looks after them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from browser.run_page import Graph, outbound, run, task_log
from playwright.sync_api import expect

if TYPE_CHECKING:
    from airflow_harness.processes import Deployment
    from playwright.sync_api import Page


def test_onboarding_is_green_from_end_to_end(page: Page, airflow: Deployment, picture) -> None:
    graph = Graph(page, airflow.url, "onboarding", run(airflow, "onboarding"))
    graph.unfold()
    for task in ("wanted_numbers", "create", "wait_until_registered", "link_inbound", "set_outbound"):
        expect(graph.task(task)).to_contain_text("success")
    picture("onboarding-graph", graph.area())


def test_the_rotation_says_which_number_it_has_set(page: Page, airflow: Deployment, sandbox, picture) -> None:
    before = outbound(sandbox)
    run_id = run(airflow, "nightly_rotation")
    graph = Graph(page, airflow.url, "nightly_rotation", run_id)
    expect(graph.task("rotate")).to_contain_text("success")
    expect(graph.task("report")).to_contain_text("success")
    expect(graph.task("alert")).to_contain_text("skipped")
    picture("rotation-graph", graph.area())

    log = task_log(page, airflow.url, "nightly_rotation", run_id, "rotate")
    now = outbound(sandbox)
    assert now != before
    expect(log).to_contain_text(f"Number {now} ")
    expect(log).to_contain_text("is now the outbound number of agent agent-campaign")
    picture("rotation-log", log.bounding_box())
