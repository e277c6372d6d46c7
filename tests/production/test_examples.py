"""The example DAGs, as they are, each run through the REST API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_harness.leaks import leaks_in_postgresql

from .conftest import EXAMPLES

if TYPE_CHECKING:
    from airflow_harness.processes import Deployment

    from .conftest import Production

#: What runs at the same time touches different links.
WAVES = (
    ("onboarding", "nightly_rotation", "callingbox_routing", "test_call"),
    ("routing_as_code", "holiday_line"),
    ("offboarding",),
    ("campaign_rotation",),
)
#: By wave and number: who answers it, and who calls out with it, if that is not as it was before.
CHANGES: tuple[dict[str, Any], ...] = (
    {
        "+15550100011": ("agent-support", ["agent-support"]),
        "+15550100012": ("agent-sales", ["agent-sales"]),
        "+15550100002": (None, []),
        "+15550100003": (None, ["agent-campaign"]),
        "+15550100102": (None, []),
        "+15550100103": (None, ["agt_reminders"]),
    },
    {
        # The file of routes has no numbers for what was onboarded: they are taken away.
        "+15550100011": (None, []),
        "+15550100012": (None, []),
        "+15550100005": ("agent-sales", []),
        "+15550100103": ("agt_reception", ["agt_reminders"]),
    },
    {"+15550100001": None, "+15550100101": (None, [])},  # the first one is deleted
)
ELSEWHERE = {
    "blue_green",  # tests/system/test_routing_examples.py
    "onboarding_from_csv",  # of 200 numbers: tests/system/test_routing_examples.py
    "caller_id_changed",  # these two wake by events: tests/system/test_events.py
    "registration_lost",
    "campaigns",  # tests/integration/test_campaigns.py
}
POOL = {"+15550100002", "+15550100003"}


def test_every_example_is_known_here():
    known = {dag_id for wave in WAVES for dag_id in wave} | ELSEWHERE
    assert {path.stem for path in EXAMPLES.glob("*.py")} == known


def test_the_examples_do_what_they_say(production: Production):
    airflow, vendors = production.airflow, production.vendors
    vendors.reset("demo", dasha_registration_seconds=1)
    expected = links(production)

    for wave, changes in zip(WAVES, CHANGES, strict=False):
        run_all(airflow, wave)
        expected = {number: link for number, link in {**expected, **changes}.items() if link is not None}
        assert links(production) == expected

    run_all(airflow, WAVES[-1])
    [caller_id] = [number for number, (_, out) in links(production).items() if "agent-campaign" in out]
    assert caller_id in POOL
    assert leaks_in_postgresql(production.database, [*POOL])  # it sees what is there
    assert not production.leaks()


def run_all(airflow: Deployment, dag_ids: tuple[str, ...]) -> None:
    api = airflow.api
    runs = {dag_id: api.trigger_dag(dag_id) for dag_id in dag_ids}
    if "routing_as_code" in runs:
        approve(airflow, "routing_as_code", runs["routing_as_code"])
    for dag_id, run_id in runs.items():
        assert api.wait(dag_id, run_id) == "success", (dag_id, api.task_states(dag_id, run_id))


def approve(airflow: Deployment, dag_id: str, run_id: str) -> None:
    """Agree to what the task `approve` asks, as somebody does in the UI."""
    asked = f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/approve/-1/hitlDetails"
    airflow.api.wait_for_task(dag_id, run_id, "approve", "deferred", "awaiting_input")
    airflow.wait_until_let_go(dag_id, run_id, "approve")
    airflow.api.request("PATCH", asked, json={"chosen_options": ["Approve"], "params_input": {}})


def links(production: Production) -> dict[str, tuple[str | None, list[str]]]:
    """By phone number, at both vendors: the agent that answers it and those that call out with it."""
    return {
        number: (row["inbound_agent"], row["outbound_agents"])
        for number, rows in production.vendors.state().items()
        for row in rows
    }
