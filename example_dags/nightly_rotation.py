"""
### Rotate a campaign's caller ID every night, and say so if that cannot be done

Gives the campaign's agent the next healthy number of its pool. With too few healthy numbers nothing is changed: the
agent keeps the one it has, the task fails, the alert task runs, and the run fails.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from airflow.sdk import Param, dag, get_current_context, task

from airflow_provider_phonelink.operators.dasha import DashaRotatePhoneNumberOperator


@dag(
    schedule="0 3 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,  # two runs at once would rotate past each other
    doc_md=__doc__,
    tags=["phonelink", "dasha"],
    default_args={"retries": 2, "retry_delay": timedelta(seconds=1)},
    params={
        "agent_id": Param("agent-campaign", type="string"),
        "pool_name": Param(
            "Campaign", type="string", description="Numbers whose display name starts with this."
        ),
        "min_healthy": Param(2, type="integer", minimum=1, description="With fewer, nothing is changed."),
    },
)
def nightly_rotation():
    # [START rotate]
    rotate = DashaRotatePhoneNumberOperator(
        task_id="rotate",
        agent_id="{{ params.agent_id }}",
        pool={"display_name_prefix": "{{ params.pool_name }}"},
        min_healthy="{{ params.min_healthy }}",
        quarantine="{{ var.json.get('campaign_quarantine', {}) }}",  # number: why it is held back
    )
    # [END rotate]

    @task
    def report(rotated: dict) -> str:
        message = f"The campaign now calls with {rotated['current']['phone_number']}."
        if rotated["skipped"]:
            message += f" Not healthy: {'; '.join(rotated['skipped'].values())}."
        print(message)  # or tell a chat
        return message

    # [START alert]
    @task(trigger_rule="one_failed")
    def alert(agent_id: str) -> str:
        run_id = get_current_context()["run_id"]
        message = (
            f"{agent_id} was not given another number in run {run_id}; the log of the task 'rotate' says why."
        )
        print(message)  # or call the engineer on duty
        return message

    # [END alert]

    report(rotate.output)
    rotate >> alert("{{ params.agent_id }}")


nightly_rotation_dag = nightly_rotation()
