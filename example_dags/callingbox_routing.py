"""
### Keep CallingBox's links as they are wished for

Every hour the links are made what the routes in this file say. Other numbers of these agents are detached, and stay
bought. With more than two changes somebody made a mistake: nothing is written, and the run fails.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from airflow.sdk import dag

from airflow_provider_phonelink.operators.callingbox import CallingBoxReconcileLinksOperator


@dag(
    schedule="@hourly",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["phonelink", "callingbox"],
    default_args={"retries": 3, "retry_delay": timedelta(seconds=1)},
)
def callingbox_routing():
    # [START reconcile]
    CallingBoxReconcileLinksOperator(
        task_id="reconcile",
        routes=[
            {"number": "+15550100101", "agent_id": "agt_reception"},  # inbound, as the agent is
            {"number": "pn_spare", "agent_id": "agt_reminders", "mode": "outbound"},
        ],
        prune=True,
        scope={"agents": ["agt_reception", "agt_reminders"]},
        max_changes=2,
    )
    # [END reconcile]


callingbox_routing_dag = callingbox_routing()
