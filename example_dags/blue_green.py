"""
### Give an agent's numbers to its next version, and bring them back if a test call fails

The links of two agents, blue and green, are kept as routes. Then all numbers of blue go to green, the ones that it
answers as well as its caller ID, and a test call is made. If it fails, or if the numbers could not all be moved,
exactly the links that were kept are brought back, and the run is red.

Links of other agents are never touched: only links of blue and green are ever removed.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import Param, dag, task

from airflow_provider_phonelink.exceptions import PhonelinkFailException
from airflow_provider_phonelink.hooks.dasha import DashaHook
from airflow_provider_phonelink.operators.dasha import (
    DashaExportRoutesOperator,
    DashaReconcileLinksOperator,
)


@dag(
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    max_active_runs=1,
    doc_md=__doc__,
    tags=["phonelink", "dasha"],
    default_args={"retries": 3, "retry_delay": timedelta(seconds=1)},
    params={
        "blue": Param("agent-support", type="string", description="The agent that has the numbers now."),
        "green": Param("agent-support-next", type="string", description="The agent that gets them."),
    },
)
def blue_green():
    # [START export]
    both = {"agents": "{{ params.blue }}, {{ params.green }}"}
    before = DashaExportRoutesOperator(task_id="keep_links", scope=both)
    # [END export]

    # [START routes]
    @task
    def routes_of_green(routes: list[dict[str, Any]], params: dict) -> list[dict[str, Any]]:
        moved = [
            {**route, "agent_id": params["green"]} for route in routes if route["agent_id"] == params["blue"]
        ]
        kept = [route for route in routes if route["agent_id"] == params["green"]]
        if any(route["mode"] == "replaceOutbound" for route in moved):
            # An agent calls out with one number: green gets that of blue instead of its own.
            kept = [route for route in kept if route["mode"] == "inbound"]
        return moved + kept

    # [END routes]

    # [START call]
    @task(retries=0)
    def test_call(routes: list[dict[str, Any]]) -> None:
        with DashaHook() as dasha:
            found = dasha.judge([route["number"] for route in routes if route["mode"] == "inbound"])
        silent = [
            judgement.description for judgement in found.values() if judgement.verdict.value != "active"
        ]
        if silent:
            raise PhonelinkFailException(f"Calls do not get through: {'; '.join(silent)}.")
        # Here calls are made, and what green said is looked at.

    # [END call]

    # [START switch]
    wished = routes_of_green(before.output)
    switch = DashaReconcileLinksOperator(task_id="switch", routes=wished, prune=True, scope=both)
    call = test_call(wished)
    bring_back = DashaReconcileLinksOperator(
        task_id="bring_back",
        routes=before.output,
        prune=True,
        scope=both,
        trigger_rule="one_failed",
    )
    # A run is as red as its last tasks: this one is not reached if the call fails, even if all is brought back.
    released = EmptyOperator(task_id="released")
    switch >> call >> released
    [switch, call] >> bring_back
    # [END switch]


blue_green_dag = blue_green()
