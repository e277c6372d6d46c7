"""
### Keep the links as a file wants them

Every morning the links are compared with `routes.yaml`, which lies beside this file. If they differ, somebody is
asked to approve the plan (from Airflow 3.1 on; before, it is applied at once), and then the links are made what the
file says. Links of the agents in `agents` that the file does not mention are removed.

Nothing is written by the plan. What comes after it makes the changes that were approved and no others: if the links or
the file have changed in between, so that something else would have to be changed, it writes nothing and fails.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from airflow.providers.common.compat.version_compat import AIRFLOW_V_3_1_PLUS
from airflow.sdk import Param, dag, task

from airflow_provider_phonelink.operators.dasha import DashaReconcileLinksOperator

# [START wish]
WISH = {
    "routes": "{{ params.routes_file }}",
    "prune": True,
    "scope": {"agents": "{{ params.agents | join(',') }}"},
}
# [END wish]


@dag(
    schedule="0 6 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=8),  # if nobody answers, the next plan is made tomorrow
    doc_md=__doc__,
    tags=["phonelink", "dasha"],
    default_args={"retries": 3, "retry_delay": timedelta(seconds=10)},
    params={
        "routes_file": Param("routes.yaml", type="string", description="Begins at this file's folder."),
        "agents": Param(["agent-support", "agent-sales", "agent-campaign"], type="array"),
    },
)
def routing_as_code():
    # [START reconcile]
    plan = DashaReconcileLinksOperator(task_id="plan", dry_run=True, **WISH)

    @task.short_circuit
    def links_differ(drift: bool) -> bool:
        return drift

    apply = DashaReconcileLinksOperator(task_id="apply", approved_plan=plan.output, **WISH)
    differ = links_differ(plan.output["drift"])
    # [END reconcile]
    if AIRFLOW_V_3_1_PLUS:
        from airflow.providers.standard.operators.hitl import ApprovalOperator

        # [START approve]
        approve = ApprovalOperator(
            task_id="approve",
            subject="Change the links of phone numbers?",
            body="""
{%- for change in ti.xcom_pull('plan')['changes'] %}
- {{ change.action }} {{ change.phone_number }} {{ change.mode }}: agent {{ change.agent_id }}
{%- if change.previous_agent_id %}, which agent {{ change.previous_agent_id }} has now{% endif %}
{%- endfor %}
""",
            fail_on_reject=False,  # a rejected plan is skipped, and the run is green
            retries=0,
        )
        differ >> approve >> apply
        # [END approve]
    else:
        differ >> apply


routing_as_code_dag = routing_as_code()
